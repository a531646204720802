//! The product against servers that nobody here wrote. Started by `tests/live/run`, which installs them; ignored
//! otherwise.

mod abort;
mod aws;
mod back;
mod barrier;
mod black_box;
mod calls;
mod dns;
mod kube;
mod rig;
mod rights;
mod script;
mod shared;
mod tables;
mod together;
mod walk;
mod web;
