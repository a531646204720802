//! The integration tests, one binary: linking the SDKs is the expensive part. A module for each subject.

#[cfg(feature = "practice")]
mod aws;
mod cluster;
#[cfg(feature = "practice")]
mod disk;
mod engine;
#[cfg(feature = "practice")]
mod export;
#[cfg(feature = "practice")]
mod eyes;
#[cfg(feature = "practice")]
mod faults;
#[cfg(feature = "practice")]
mod fence;
#[cfg(feature = "practice")]
mod forward;
mod fuzz;
#[cfg(feature = "practice")]
mod hostile;
#[cfg(feature = "practice")]
mod install;
#[cfg(feature = "practice")]
mod isolated;
#[cfg(feature = "practice")]
mod live;
#[cfg(feature = "practice")]
mod names;
#[cfg(feature = "practice")]
mod practice;
#[cfg(feature = "practice")]
mod pty;
mod race;
#[cfg(feature = "practice")]
mod readme;
#[cfg(feature = "practice")]
mod ready;
mod reducer;
#[cfg(feature = "practice")]
mod rights;
mod rooms;
#[cfg(feature = "practice")]
mod scripts;
#[cfg(feature = "practice")]
mod shared;
#[cfg(feature = "practice")]
mod told;
#[cfg(feature = "practice")]
mod walk;
