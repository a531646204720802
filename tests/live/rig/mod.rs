//! Real servers on loopback, each an implementation that nobody here wrote.

pub mod cloud;
pub mod eyes;
pub mod hand;
pub mod helm;
pub mod kube;
pub mod pki;
pub mod release;
pub mod server;

use std::path::PathBuf;

/// Where `tests/live/run` has put what it installed.
pub fn cache() -> PathBuf {
    std::env::var_os("RELIGHT_LIVE")
        .map(PathBuf::from)
        .expect("RELIGHT_LIVE, the cache folder: start these tests by tests/live/run")
}
