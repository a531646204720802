//! How often a frame may go out that no key caused.

use std::time::{Duration, Instant};

/// Bytes a second that frames may cost over a while: a 64 KB/s link stays live under a flood of output.
const RATE: f64 = 50_000.0;

/// Least time between two frames that no key caused.
const PACE: Duration = Duration::from_millis(100);

/// A token bucket over the bytes written. Frames that a key caused go at once, and are charged all the same.
#[derive(Debug)]
pub struct Budget {
    tokens: f64,
    filled: Instant,
    last: Option<Instant>,
    pace: Duration,
}

impl Budget {
    /// A full bucket: one second's worth. `fps` is how many frames a second there may be at most, 10 unless said.
    #[must_use]
    pub fn new(now: Instant, fps: Option<u8>) -> Self {
        Self {
            tokens: RATE,
            filled: now,
            last: None,
            pace: fps.map_or(PACE, |fps| Duration::from_secs(1) / u32::from(fps.max(1))),
        }
    }

    /// How long a frame has to wait; zero if it may go now.
    pub fn wait(&mut self, now: Instant) -> Duration {
        self.tokens =
            (self.tokens + RATE * now.duration_since(self.filled).as_secs_f64()).min(RATE);
        self.filled = now;
        let pace = self.last.map_or(Duration::ZERO, |last| {
            self.pace.saturating_sub(now.duration_since(last))
        });
        if self.tokens >= 0.0 {
            pace
        } else {
            pace.max(Duration::from_secs_f64(-self.tokens / RATE))
        }
    }

    /// Takes a frame's bytes out of the bucket. It may go below zero: the next frame waits.
    pub fn charge(&mut self, now: Instant, bytes: usize) {
        if bytes > 0 {
            #[expect(
                clippy::cast_precision_loss,
                reason = "a frame has at most some hundred kilobytes"
            )]
            let bytes = bytes as f64;
            self.tokens -= bytes;
            self.last = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_rate_paces_the_frames() {
        let start = Instant::now();
        for (fps, pace) in [(None, 100), (Some(4), 250), (Some(50), 20)] {
            let mut budget = Budget::new(start, fps);
            budget.charge(start, 10);
            assert_eq!(budget.wait(start), Duration::from_millis(pace));
        }
    }

    #[test]
    fn a_flood_is_held_to_the_rate() {
        let start = Instant::now();
        let mut budget = Budget::new(start, None);
        let (mut now, mut sent) = (start, 0_usize);
        while now.duration_since(start) < Duration::from_secs(20) {
            now += budget.wait(now).max(Duration::from_millis(1));
            if budget.wait(now).is_zero() {
                budget.charge(now, 12_000);
                sent += 12_000;
            }
        }
        assert!(
            (950_000..=1_080_000).contains(&sent),
            "{sent} bytes in 20 s"
        );
    }
}
