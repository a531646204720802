//! What the pods of the recovery cluster may do at AWS: the role each kind works with, who may take it, and what it
//! grants on the recovery region's tables, bucket and keys.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Component, Part};

/// The rights of the recovery cluster's pods (guide, step 3: "Update IAM configurations").
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rights {
    /// The recovery region.
    pub region: String,
    /// Of the Auth Service's pods: they read and write state, events and recordings.
    pub auth: RoleRights,
    /// Of the Proxy Service's pods: in aws mode they need none of their own.
    pub proxy: RoleRights,
}

/// The rights of the pods of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoleRights {
    /// Whose.
    pub component: Component,
    /// Their `ServiceAccount`, as `namespace:name`.
    pub account: String,
    /// The role they work with, and where it comes from.
    pub role: Part<Grant>,
    /// Whether the role may be taken by them.
    pub trust: Part<Trust>,
    /// What was read as that role, with a token of their own: the best evidence there is.
    pub session: Part<Session>,
    /// What IAM's simulation says of every action that the chart needs.
    pub simulated: Part<Simulated>,
}

/// A role, or that there is none of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Its ARN; `None` where nothing gives the pods a role: they fall back to the node's.
    pub arn: Option<String>,
    /// Where it comes from.
    pub by: GrantedBy,
}

/// Where a role comes from, in the order in which the AWS SDK in the pods looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantedBy {
    /// The annotation of the pods' own `ServiceAccount`.
    Annotation,
    /// The annotation that all of the chart's accounts are given.
    CommonAnnotation,
    /// An EKS Pod Identity association.
    PodIdentity,
    /// The plan alone: the node's role, as the operator says.
    Plan,
    /// Nothing: the node's role, whichever that is.
    Node,
}

impl GrantedBy {
    /// In a sentence.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Annotation => "by annotation",
            Self::CommonAnnotation => "by the annotation of all accounts",
            Self::PodIdentity => "by Pod Identity",
            Self::Plan => "as the plan says",
            Self::Node => "of the node",
        }
    }
}

/// Whether a role may be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    /// By whom: the recovery cluster's OIDC provider, or an association.
    pub through: String,
    /// Why not, and what to do; `None` if it may.
    pub refused: Option<String>,
}

/// What came of taking the role with a token of the pods' own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Why STS did not give the role; `None` if it did.
    pub refused: Option<String>,
    /// What was then read, and what came of each.
    pub reads: Vec<Tried>,
}

/// One read as the role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// Action and ARN.
    pub what: Action,
    /// What came of it.
    pub outcome: Part<()>,
}

/// An action on a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Action {
    /// `dynamodb:GetItem`
    pub name: String,
    /// The resource's ARN.
    pub on: String,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.name, self.on)
    }
}

/// What the simulation says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Simulated {
    /// How many actions were asked for that the chart needs.
    pub asked: usize,
    /// Those that are denied, and by what.
    pub denied: Vec<Denial>,
    /// What could not be told, in words: conditions on keys that a simulation does not have, policies not readable.
    pub unsure: Vec<String>,
    /// The fault behind the denials, where it is a known one.
    pub fault: Option<String>,
    /// Actions that make tables or buckets, and are granted: without them a wrong name cannot start an empty cluster.
    pub makes: Vec<Action>,
    /// Those that make tables or buckets, and are not granted: that protects.
    pub spared: Vec<Action>,
}

/// An action that is denied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// Which.
    pub what: Action,
    /// By what: `no policy allows it`, `explicitly denied by …`.
    pub why: String,
}

impl RoleRights {
    /// Whether a role is theirs, rather than the node's or one that only Auth is meant to use.
    #[must_use]
    pub fn own_role(&self) -> Option<&str> {
        match &self.role {
            Ok(Grant {
                arn: Some(arn),
                by: GrantedBy::Annotation | GrantedBy::PodIdentity | GrantedBy::Plan,
            }) => Some(arn),
            _ => None,
        }
    }
}
