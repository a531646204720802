//! NOUNS: what an incident is made of. No I/O, no tokio, no ratatui.
//!
//! * [`Moment`]: wall-clock time in milliseconds, written as RFC 3339.
//! * [`Subject`], [`Observation`], [`Fact`], [`Failure`]: what a probe looks at and what it saw.
//! * [`Instruments`]: the newest reading per subject, with the last good value kept.
//! * [`Health`], [`Finding`]: what the judges say of it, always with a sentence.
//! * [`Runbook`], [`Step`], [`Condition`], [`RunId`], [`Verdict`]: the ordered procedure and its attempts.
//!
//! One file per noun. A fact of a new kind gets a file here, a variant in [`Fact`] and a probe.

pub mod agents;
mod answer;
mod auth_log;
pub mod barrier;
pub mod baseline;
pub mod black_box;
pub mod bots;
mod cluster;
mod condition;
mod door;
mod fact;
mod failure;
mod freeze;
mod health;
mod history;
mod identity;
mod instruments;
pub mod made;
mod millis;
mod moment;
pub mod outline;
pub mod person;
pub mod plain;
pub mod prerequisites;
mod reconcilers;
pub mod recordings;
pub mod repair;
pub mod resources;
pub mod rights;
mod row;
mod run;
mod runbook;
mod session;
mod side;
pub mod source;
mod step;
mod subject;
mod table;
pub mod tls;
pub mod values;
mod vault;
mod wash;
mod way;
mod when;
mod zone;

pub use agents::Agents;
pub use answer::{Answer, Change, Hop, Rcode};
pub use auth_log::{AuthLog, AuthStart, Mark};
pub use barrier::Barrier;
pub use baseline::Baseline;
pub use black_box::{BlackBox, Sealed};
pub use bots::Bots;
pub use cluster::{
    Cluster, ClusterEvent, ClusterKind, Component, Deployment, Gap, LoadBalancer, Memo, Muster,
    Pod, Release,
};
pub use condition::Condition;
pub(crate) use door::not_asked;
pub use door::{
    Address, Certificate, Door, DoorFact, Find, Forwarded, Ping, STEADY, Wildcard, Witnessed,
};
pub use fact::{Fact, Observation, Part};
pub use failure::{Failure, FailureKind};
pub use freeze::{Freeze, FreezeRole, HeldLock, RoleLock};
pub use health::{Finding, Health, Outcome};
pub use history::{Drill, Drills, History, Usual};
pub use identity::Identity;
pub use instruments::{Instruments, Reading};
pub use made::Made;
pub use moment::{Moment, brief};
pub use person::Person;
pub use prerequisites::Prerequisites;
pub use reconcilers::{ExternalDns, Reconciler, ReconcilerKind, Reconcilers};
pub use recordings::{Recordings, Replication, StoredObject};
pub use resources::Resources;
pub use rights::Rights;
pub use run::{RunId, Verdict};
pub use runbook::{Runbook, RunbookError};
pub use session::Session;
pub use side::{Side, TableRole};
pub use step::{Action, Evidence, Risk, Step, StepId};
pub use subject::Subject;
pub use table::{Backup, Billing, HostAuthorities, HostAuthority, Pitr, Settings, Table};
pub use tls::Tls;
pub use values::Values;
pub use vault::{RecoveryPoint, Schedule, Vault};
pub use way::{Silence, Ungraceful, Way};
pub use when::when;
pub use zone::{Ownership, RecordSet, Routed, Zone};
