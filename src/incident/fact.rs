//! What a probe saw.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    Agents, Answer, AuthLog, Barrier, Baseline, BlackBox, Bots, Cluster, DoorFact, Failure, Freeze,
    Identity, Made, Moment, Prerequisites, Reconcilers, Recordings, Resources, Rights, Session,
    Subject, Table, Tls, Values, Vault, Zone,
};

/// One part of a fact that is fetched by a call of its own and may be missing while the rest is there.
pub type Part<T> = Result<T, Failure>;

/// What there is to know about a [`Subject`]. Shared, because a cluster may hold 10,000 pods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// Who we are at AWS.
    Identity(Identity),
    /// The Teleport release in a Kubernetes cluster.
    Cluster(Arc<Cluster>),
    /// What would bring the release back by itself.
    Reconcilers(Arc<Reconcilers>),
    /// Roles and locks of the Teleport cluster.
    Freeze(Arc<Freeze>),
    /// Teleport's dynamic resources in the recovery cluster.
    Resources(Arc<Resources>),
    /// Bots, and the locks that a restore makes on them.
    Bots(Arc<Bots>),
    /// Agents with a heartbeat of since the relaunch.
    Agents(Arc<Agents>),
    /// How the recovery cluster's Auth pods have started.
    AuthLog(Arc<AuthLog>),
    /// The ways through the Teleport cluster that this session uses.
    Session(Session),
    /// A `DynamoDB` table.
    Table(Arc<Table>),
    /// Recovery points in the recovery region.
    Vault(Arc<Vault>),
    /// A session recordings bucket.
    Recordings(Arc<Recordings>),
    /// One DNS answer.
    Answer(Arc<Answer>),
    /// Records of the hosted zone.
    Zone(Arc<Zone>),
    /// A way to the proxy.
    Door(Arc<DoorFact>),
    /// The old load balancer, as AWS itself has it.
    Barrier(Arc<Barrier>),
    /// What the recovery cluster must have before the install.
    Prerequisites(Arc<Prerequisites>),
    /// What the old side was like before anything was changed.
    BlackBox(Arc<BlackBox>),
    /// What this machine keeps of the cluster's certificate authorities.
    Baseline(Arc<Baseline>),
    /// What an isolated drill has made.
    Made(Arc<Made>),
    /// The recovery values file.
    Values(Values),
    /// What the recovery cluster's pods may do at AWS.
    Rights(Arc<Rights>),
    /// Where its proxies get their certificate from.
    Tls(Arc<Tls>),
}

/// What a probe saw of a subject: a fact or the reason there is none, when, and how long it took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// What was looked at.
    pub subject: Subject,
    /// When the look ended.
    pub at: Moment,
    /// How long the look took.
    #[serde(with = "super::millis")]
    pub took: Duration,
    /// What was seen.
    pub outcome: Result<Fact, Failure>,
}
