//! How old a value is, in few characters that seldom change.

use std::time::Duration;

use crate::incident::brief;

/// The age of a reading: `now` under ten seconds, then tens of seconds, then minutes.
///
/// Coarse on purpose: thirty ages that count seconds would be most of what the cockpit sends over an idle SSH link.
#[must_use]
pub fn age(duration: Duration) -> String {
    let secs = duration.as_secs();
    match secs {
        0..10 => "now".to_owned(),
        10..60 => format!("{}s", secs / 10 * 10),
        60..600 => format!("{}m", secs / 60),
        _ => brief(duration),
    }
}

/// The age for where a word follows or stands before it that makes it the past: `<10s` instead of `now`.
#[must_use]
pub fn past(duration: Duration) -> String {
    if duration.as_secs() < 10 {
        return "<10s".to_owned();
    }
    age(duration)
}

/// The age in words for a title or a cell: `stale 4m` where the reading is too old, `never` where there is none.
#[must_use]
pub fn told(reading: Option<Duration>, stale: bool) -> String {
    match (reading, stale) {
        (None, _) => "never".to_owned(),
        (Some(duration), true) => format!("stale {}", past(duration)),
        (Some(duration), false) => age(duration),
    }
}

/// A clock for what runs: `0:12`, `12:04`, `1:02:03`.
#[must_use]
pub fn stopwatch(duration: Duration) -> String {
    let secs = duration.as_secs();
    let (hours, minutes, secs) = (secs / 3600, secs / 60 % 60, secs % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{secs:02}")
    } else {
        format!("{minutes}:{secs:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_move_in_coarse_steps() {
        let cases = [
            (0, "now"),
            (9, "now"),
            (19, "10s"),
            (61, "1m"),
            (700, "11m"),
        ];
        for (secs, text) in cases {
            assert_eq!(age(Duration::from_secs(secs)), text);
        }
        assert_eq!(told(None, false), "never");
        assert_eq!(told(Some(Duration::from_secs(250)), true), "stale 4m");
        assert_eq!(told(Some(Duration::from_secs(3)), true), "stale <10s");
        assert_eq!(past(Duration::from_secs(30)), "30s");
        assert_eq!(stopwatch(Duration::from_secs(3723)), "1:02:03");
    }
}
