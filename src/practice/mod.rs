//! REHEARSAL: a pair of regions in a box on loopback.
//!
//! One small pure [`world`], and over it thin faces that speak the real wire protocols to the real clients:
//!
//! | face | speaks | listens on |
//! |---|---|---|
//! | [`aws`] | `DynamoDB` JSON, S3 REST, Route 53 XML, Backup REST, STS query | one port a region |
//! | [`kube`] | Kubernetes list, watch, get, create, delete | one port a region |
//! | [`dns`] | DNS over UDP and TCP: four authorities and several caching resolvers | one address each |
//! | [`teleport`] | HTTPS: ping, find, auth export | one address for each load balancer |
//!
//! [`serve()`] starts them in a process of its own and writes the plan to use with it; [`start()`] starts that process.
//!
//! `probe` and `step` do not know that this room exists. Durations come from the scenario and are short; time on the
//! wire (TTL, certificates) is real. Nothing leaves loopback.

pub mod aws;
pub mod dns;
pub mod folder;
pub mod helm;
pub mod kube;
pub mod lease;
pub mod plan;
pub mod ready;
pub mod serve;
pub mod start;
pub mod teleport;
pub mod world;

pub use lease::Lease;
pub use ready::Ready;
pub use serve::{Practice, PracticeError, serve};
pub use start::{heal, start, start_by, stop};
