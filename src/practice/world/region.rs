//! One region of the world.

use serde::Deserialize;

use super::{Barrier, Cluster, Requested, Storage};

/// A simulated AWS Region.
#[derive(Debug)]
pub struct Region {
    /// `us-east-1`.
    pub name: String,
    /// Twelve digits.
    pub account: String,
    /// Its Kubernetes cluster.
    pub cluster: Cluster,
    /// Its tables, backups, vaults and buckets.
    pub storage: Storage,
    /// What its ACM was asked for.
    pub certificates: Vec<Requested>,
    /// What its load balancing lets in.
    pub barrier: Barrier,
}

/// What a face does instead of answering.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Nothing: it answers.
    #[default]
    None,
    /// Accepts the connection and never answers.
    Hang,
    /// Closes the connection at once.
    Reset,
    /// Answers 503 (SERVFAIL on DNS).
    Unavailable,
    /// Answers 403 (REFUSED on DNS).
    Forbidden,
    /// Answers with bytes that make no sense.
    Garbage,
}
