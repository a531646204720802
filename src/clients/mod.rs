//! REACH: how Relight gets at the outside world. One SDK client per region, cluster and address, built once, off the
//! loop; short connect timeouts, bounded retries, nothing shared that can block another. One rustls configuration
//! serves all of them.

pub mod agents;
pub mod aws;
pub mod baseline;
pub mod black_box;
pub mod bots;
pub mod certificate;
pub mod dns;
pub mod drill;
pub mod forward;
pub mod freeze;
pub mod gunzip;
pub mod issued;
pub mod kube;
pub mod kubectl;
pub mod prerequisites;
pub mod rights;
pub mod tls;
pub mod values;
pub mod web;
