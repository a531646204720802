//! How long a practice lives: as long as somebody touches its lease, and no half hour longer.

use std::{
    fs::{File, FileTimes},
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// For how long nobody needs to have touched the lease before the practice ends by itself.
pub const LIMIT: Duration = Duration::from_mins(30);

/// `DIR/lease`: its modification time is when somebody last used the practice.
#[derive(Clone, Debug)]
pub struct Lease {
    path: PathBuf,
}

impl Lease {
    /// The lease of the practice in a folder.
    #[must_use]
    pub fn of(dir: &Path) -> Self {
        Self {
            path: dir.join("lease"),
        }
    }

    /// Says that the practice is in use. The cockpit does so once a minute.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn touch(&self) -> io::Result<()> {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&self.path)?;
        file.set_times(FileTimes::new().set_modified(SystemTime::now()))
    }

    /// How long ago it was last touched; for ever if it is gone.
    #[must_use]
    pub fn age(&self) -> Duration {
        std::fs::metadata(&self.path)
            .and_then(|meta| meta.modified())
            .map_or(Duration::MAX, |touched| {
                SystemTime::now()
                    .duration_since(touched)
                    .unwrap_or_default()
            })
    }

    /// Returns when nobody has touched it for `limit`.
    pub async fn run_out(&self, limit: Duration) {
        loop {
            let age = self.age();
            let Some(left) = limit.checked_sub(age).filter(|left| !left.is_zero()) else {
                return;
            };
            // Not slept through at once: a suspended machine and a changed clock are noticed.
            tokio::time::sleep(left.min(Duration::from_secs(1))).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_touched_lease_is_young_and_a_lost_one_is_over() {
        let dir = tempfile::tempdir().expect("a folder");
        let lease = Lease::of(dir.path());
        assert_eq!(lease.age(), Duration::MAX);
        lease.touch().expect("touched");
        assert!(lease.age() < Duration::from_mins(10));
    }

    #[tokio::test]
    async fn it_runs_out_when_nobody_touches_it() {
        let dir = tempfile::tempdir().expect("a folder");
        let lease = Lease::of(dir.path());
        lease.touch().expect("touched");
        let soon = lease.run_out(Duration::from_millis(30));
        tokio::time::timeout(Duration::from_secs(30), soon)
            .await
            .expect("it runs out");
        assert!(lease.age() >= Duration::from_millis(30));
    }
}
