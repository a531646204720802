//! Kubernetes: one client per context, and the few objects of the Teleport release that Relight reads.
//!
//! * [`Kube`], [`connect()`]: from the plan's context and kubeconfig; never the current context, never a prompt.
//! * [`Query`], [`list`], [`watch`], [`any`], [`identity`]: what is asked and how.
//! * [`wire`], [`WirePod`], [`WireDeployment`], [`WireEntrance`]: lean forms of the answers, and what is shown of them.
//! * [`object`], [`reconcilers`]: kinds that are found by asking the API server what it has.
//! * [`session`]: whether a context leads through a Teleport cluster.
//! * [`AuthLogs`]: how the Auth pods have started.
//! * [`load_balancer`]: the proxy's address, found by label.

pub mod account;
mod auth_log;
mod balancer;
mod connect;
mod deployment;
mod eks;
pub mod failure;
pub mod object;
mod pod;
mod query;
pub mod raw;
pub mod reconcilers;
mod release;
pub mod resources;
pub mod session;
pub mod text;
pub mod wire;

pub use auth_log::AuthLogs;
pub use balancer::{Entrance, WireEntrance, choose, entrance, load_balancer};
pub use connect::{Kube, connect, eks_cluster};
pub use deployment::WireDeployment;
pub use pod::{PlainPod, WirePod};
pub use query::{Change, List, Query, Watch, any, identity, list, watch};
pub use release::{
    HelmRelease, digest, forget, recorded, release, release_status, revision_secret,
};
