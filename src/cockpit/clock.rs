//! One tick a second, on the second: the clock on the screen and the countdowns change together.

use std::time::Duration;

use crate::incident::Moment;

/// The clock of the loop.
#[derive(Debug)]
pub struct Clock {
    /// The second last told.
    told: i64,
}

impl Clock {
    /// A clock that has told the current second.
    #[must_use]
    pub fn new() -> Self {
        Self {
            told: Moment::now().secs(),
        }
    }

    /// Waits for the next second. Safe to be dropped and called again at any time.
    pub async fn tick(&mut self) {
        let now = Moment::now();
        if now.secs() == self.told {
            let next = Moment::from_secs(self.told + 1);
            // A millisecond more, so that the timer's coarseness does not wake us twice.
            tokio::time::sleep(next.since(now) + Duration::from_millis(1)).await;
        }
        self.told = Moment::now().secs();
    }
}
