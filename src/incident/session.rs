//! How the operator got here, as far as this process can see: a session through the cluster that is to be stopped ends
//! with it.

use serde::{Deserialize, Serialize};

/// The ways through the Teleport cluster that this session or a kube context uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Each way through this cluster, in words with what shows it.
    pub through: Vec<String>,
    /// Signs of a way through some Teleport cluster of which it cannot be said which.
    pub doubts: Vec<String>,
    /// What of the recovery side's credentials and kubeconfig needs the primary region, in words with file and line.
    #[serde(default)]
    pub hangs: Vec<String>,
    /// What cannot be told of them.
    #[serde(default)]
    pub unsure: Vec<String>,
    /// What was looked at, in words.
    pub looked: Vec<String>,
}
