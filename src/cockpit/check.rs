//! `relight check`: readiness with no incident open, from a script or from cron. It looks as `--once` does, takes no lock, and
//! keeps a black box, so that the day finds one that is young.

use std::time::Duration;

use super::{
    Setup,
    black_box::{Kept, keep},
    once::look_within,
};
use crate::report::{Check, Format};

/// Longest that recording the black box takes: each of its parts gives up before.
const BOX: Duration = Duration::from_mins(1);

/// How long is waited for what has not answered: the slowest probe, that of the prerequisites, gives up after 45 s.
const PATIENCE: Duration = Duration::from_secs(50);

/// Looks at everything once and says whether it is ready. The text and the exit code: 0 all of it is, 1 something is not, 2
/// of something there is no telling.
pub async fn check(setup: &Setup, format: Format, keeps: bool) -> (String, u8) {
    let kept = if keeps {
        Some(recorded(setup).await)
    } else {
        None
    };
    let state = look_within(setup, PATIENCE).await;
    let check = Check::of(&state, kept.as_deref());
    (check.render(format), check.code())
}

/// Keeps a box; what became of it, in words. Whether that is enough is for the row to say: it reads the box that lies there.
async fn recorded(setup: &Setup) -> String {
    let state = setup.open.state_dir.as_deref();
    let kept = Box::pin(keep(&setup.plan, state));
    match tokio::time::timeout(BOX, kept).await {
        Ok(Ok(Kept::Box(sealed))) => format!("black box kept: {} (0600)", sealed.seen.path),
        Ok(Ok(Kept::Nothing(why))) => format!("black box: {why}"),
        Ok(Err(why)) => format!("black box NOT kept: {why}"),
        Err(_) => format!(
            "black box NOT kept: recording it gave no end in {} s",
            BOX.as_secs()
        ),
    }
}
