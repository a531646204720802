//! Wall-clock time as the incident knows it.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A moment on the wall clock, in milliseconds since the Unix epoch.
///
/// Nothing in the pure rooms reads a clock: the loop stamps events with a `Moment` and passes it in,
/// so that a journal replays to the same screen. Written as RFC 3339 in UTC with milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

impl Moment {
    /// A moment from milliseconds since the Unix epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// A moment from whole seconds since the Unix epoch.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// The wall clock now. Called by the edges only (loop, probes, runner, writer), never by `decide` or `view`.
    #[must_use]
    pub fn now() -> Self {
        Self(jiff::Timestamp::now().as_millisecond())
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch.
    #[must_use]
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// How long ago `earlier` was; zero if it lies ahead (clocks differ between hosts).
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// This moment moved ahead by `duration`.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// This moment moved back by `duration`.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// `14:05:31`, in UTC.
    #[must_use]
    pub fn clock(self) -> String {
        let day = self.secs().rem_euclid(86_400);
        format!("{:02}:{:02}:{:02}", day / 3600, day / 60 % 60, day % 60)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(stamp) => write!(f, "{stamp:.3}"),
            Err(_) => write!(f, "{}ms", self.0),
        }
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<jiff::Timestamp>()
            .map(|stamp| Self(stamp.as_millisecond()))
            .map_err(|error| {
                format!("{text:?} is not an RFC 3339 time such as 2026-11-23T14:05:31Z: {error}")
            })
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// A duration in at most two units, as the panes show ages: `41s`, `4m12s`, `22m`, `3h05m`, `12d`.
///
/// Seconds are dropped from ten minutes up and minutes from two days up: an age is read at a glance.
#[must_use]
pub fn brief(duration: Duration) -> String {
    let secs = duration.as_secs();
    match secs {
        0..60 => format!("{secs}s"),
        60..600 => format!("{}m{:02}s", secs / 60, secs % 60),
        600..3600 => format!("{}m", secs / 60),
        3600..172_800 => format!("{}h{:02}m", secs / 3600, secs / 60 % 60),
        _ => format!("{}d", secs / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_survives_its_own_text() {
        let moment = Moment::from_millis(1_795_466_731_250);
        assert_eq!(moment.to_string(), "2026-11-23T20:45:31.250Z");
        assert_eq!(moment.to_string().parse::<Moment>(), Ok(moment));
    }

    #[test]
    fn a_moment_ahead_is_zero_ago() {
        assert_eq!(
            Moment::from_secs(5).since(Moment::from_secs(9)),
            Duration::ZERO
        );
        assert_eq!(
            Moment::from_secs(9).since(Moment::from_secs(5)),
            Duration::from_secs(4)
        );
    }

    #[test]
    fn ages_have_at_most_two_units() {
        let cases = [
            (0, "0s"),
            (59, "59s"),
            (252, "4m12s"),
            (1320, "22m"),
            (11_100, "3h05m"),
            (1_036_800, "12d"),
        ];
        for (secs, text) in cases {
            assert_eq!(brief(Duration::from_secs(secs)), text);
        }
    }
}
