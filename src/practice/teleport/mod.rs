//! The Teleport face: proxies behind each side's load balancer, over real TLS.
//!
//! A proxy listens only while the world says that one is ready, so that a stopped cluster refuses connections. It answers
//! `/webapi/ping`, `/v1/webapi/ping`, `/webapi/find` and `/webapi/auth/export?type=tls-host`.

mod answer;
mod authority;
mod serve;
#[cfg(test)]
mod tests;

pub use authority::{AuthorityError, HostAuthority, PublicAuthority, pins_for};
pub use serve::serve;
