//! The probes behind the panes, one file per noun.

pub mod agents;
pub mod auth_log;
mod aws;
pub mod barrier;
pub mod baseline;
pub mod black_box;
pub mod bots;
pub mod cluster;
pub mod dns;
pub mod doors;
pub mod freeze;
pub mod identity;
pub mod made;
pub mod prerequisites;
pub mod reconcilers;
pub mod recordings;
pub mod resources;
pub mod rights;
pub mod session;
pub mod tables;
pub mod tls;
pub mod values;
pub mod vault;
pub mod zone;

pub(super) use aws::all as aws;
