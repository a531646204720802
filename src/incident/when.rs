//! When something was, as a person says it in the middle of the night.

use std::time::Duration;

use super::{Moment, brief};

/// A clock time that lies ahead is taken for yesterday's if that was no longer ago than this: around midnight it was; in the
/// afternoon it is a slip of the finger.
const YESTERDAY: Duration = Duration::from_hours(12);

const DAY: i64 = 86_400;

/// A moment of the past from `HH:MM` or `HH:MM:SS` (UTC, today), RFC 3339, or `12m ago` (`1h30m ago`, `90s ago`).
///
/// # Errors
/// A sentence: what was not understood, or that it lies in the future.
pub fn when(text: &str, now: Moment) -> Result<Moment, String> {
    let text = text.trim();
    let said = match text.strip_suffix("ago") {
        Some(span) => now.minus(span_of(span.trim())?),
        None if text.contains('-') => text.parse::<Moment>()?,
        None => return clock(text, now),
    };
    past(said, now)
}

fn past(said: Moment, now: Moment) -> Result<Moment, String> {
    if said > now {
        return Err(format!(
            "{said} is in the future by {}: an outage has begun before it is told of",
            brief(said.since(now))
        ));
    }
    Ok(said)
}

/// `14:05` or `14:05:31`, UTC.
fn clock(text: &str, now: Moment) -> Result<Moment, String> {
    let wrong = || {
        format!(
            "{text:?} is no time: write 14:05 or 14:05:31 (UTC), 2026-11-23T14:05:31Z, or 12m ago"
        )
    };
    let parts: Vec<&str> = text.split(':').collect();
    if !(2..=3).contains(&parts.len()) {
        return Err(wrong());
    }
    let mut secs = 0;
    for (part, (limit, weight)) in parts.iter().zip([(24, 3600), (60, 60), (60, 1)]) {
        let digits = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        let number: i64 = part.parse().ok().filter(|_| digits).ok_or_else(wrong)?;
        if number >= limit {
            return Err(wrong());
        }
        secs += number * weight;
    }
    let midnight = now.secs() - now.secs().rem_euclid(DAY);
    let today = Moment::from_secs(midnight + secs);
    let yesterday = Moment::from_secs(midnight + secs - DAY);
    if today > now && now.since(yesterday) <= YESTERDAY {
        return Ok(yesterday);
    }
    past(today, now)
}

/// `1h30m`, `12m`, `90s`, `2d`.
fn span_of(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no span of time: write 12m ago, 1h30m ago or 90s ago");
    let (mut secs, mut digits) = (0_u64, String::new());
    for c in text.chars().filter(|c| !c.is_whitespace()) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        let unit = match c {
            'd' => 86_400,
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return Err(wrong()),
        };
        let number: u64 = digits.parse().map_err(|_| wrong())?;
        secs = number
            .checked_mul(unit)
            .and_then(|more| secs.checked_add(more))
            .ok_or_else(wrong)?;
        digits.clear();
    }
    if text.is_empty() || !digits.is_empty() {
        return Err(wrong());
    }
    Ok(Duration::from_secs(secs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_said_and_never_in_the_future() {
        let now: Moment = "2026-11-23T14:05:31Z".parse().expect("a moment");
        let night: Moment = "2026-11-23T00:10:00Z".parse().expect("a moment");
        let cases = [
            (now, "14:01", Ok("2026-11-23T14:01:00.000Z")),
            (now, " 9:30:15 ", Ok("2026-11-23T09:30:15.000Z")),
            (now, "12m ago", Ok("2026-11-23T13:53:31.000Z")),
            (now, "1h30m ago", Ok("2026-11-23T12:35:31.000Z")),
            (now, "90s ago", Ok("2026-11-23T14:04:01.000Z")),
            (
                now,
                "2026-11-23T13:00:00+00:00",
                Ok("2026-11-23T13:00:00.000Z"),
            ),
            (night, "23:50", Ok("2026-11-22T23:50:00.000Z")),
            (now, "14:30", Err("in the future by 24m")),
            (now, "2026-11-24T00:00:00Z", Err("in the future")),
            (now, "25:00", Err("is no time")),
            (now, "14", Err("is no time")),
            (now, "+1:00", Err("is no time")),
            (now, "", Err("is no time")),
            (now, "soon", Err("is no time")),
            (now, "12 ago", Err("is no span")),
            (now, "ago", Err("is no span")),
            (now, "99999999999999999999d ago", Err("is no span")),
        ];
        for (now, text, wanted) in cases {
            match (when(text, now), wanted) {
                (Ok(said), Ok(wanted)) => assert_eq!(said.to_string(), wanted, "{text}"),
                (Err(why), Err(wanted)) => assert!(why.contains(wanted), "{text}: {why}"),
                (got, wanted) => unreachable!("{text}: {got:?}, not {wanted:?}"),
            }
        }
    }
}
