//! VERDICTS: what the readings mean. Pure: `(&Instruments, &Plan, now)` → [`Assessment`], [`Finding`]; one file per noun.
//!
//! Two rules hold for all of them. A reading that is missing, failed or stale makes UNKNOWN, never a guess; and a
//! PASS names the readings it rests on, which must be younger than [`Sight::since`].

mod age;
pub mod agents;
pub mod auth_log;
pub mod backups;
pub mod barrier;
pub mod black_box;
pub mod bots;
pub mod cluster;
pub mod dns;
pub mod doors;
pub mod failback;
pub mod fence;
pub mod forecast;
pub mod freeze;
pub mod identity;
pub mod made;
pub mod pod;
pub mod prerequisites;
pub mod readiness;
pub mod reconcilers;
pub mod region;
pub mod resources;
pub mod rights;
pub mod service;
pub mod session;
pub mod tables;
pub mod tls;
pub mod values;
pub mod way;

use std::time::Duration;

use crate::{
    incident::{Condition, Finding, Health, Instruments, Moment, Side, Silence},
    plan::Plan,
};

pub use age::{Glance, glance};

/// What a judge looks at.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    /// The readings.
    pub instruments: &'a Instruments,
    /// The intent.
    pub plan: &'a Plan,
    /// The time of the event being decided, or of the frame being drawn.
    pub now: Moment,
    /// For postconditions: readings from before this moment are no evidence.
    pub since: Option<Moment>,
    /// When the outage began, as the incident was declared: data written later than a copy and before this is lost, so
    /// the RPO is measured to here. `None` while no incident is declared: then it is measured to now.
    pub outage: Option<Moment>,
}

/// The health of a pane or of one line in it, with a sentence and the age of what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// The health.
    pub health: Health,
    /// Worst thing first, in words; fits a pane's title.
    pub sentence: String,
    /// Age of the oldest reading it rests on; `None` if there is none.
    pub age: Option<Duration>,
}

impl Assessment {
    /// An assessment with the age of what it rests on.
    #[must_use]
    pub fn new(health: Health, sentence: impl Into<String>, age: Option<Duration>) -> Self {
        Self {
            health,
            sentence: sentence.into(),
            age,
        }
    }
}

/// Judges a few readings of this moment, for the tests of the judges.
#[cfg(test)]
fn judged(
    judge: impl Fn(&Sight<'_>) -> Finding,
    plan: &Plan,
    now: Moment,
    seen: impl IntoIterator<
        Item = (
            crate::incident::Subject,
            crate::incident::Part<crate::incident::Fact>,
        ),
    >,
) -> Finding {
    let mut instruments = Instruments::default();
    for (subject, outcome) in seen {
        instruments.take(crate::incident::Observation {
            subject,
            at: now,
            took: Duration::ZERO,
            outcome,
        });
    }
    judge(&Sight {
        instruments: &instruments,
        plan,
        now,
        since: None,
        outage: None,
    })
}

/// Judges one condition.
#[must_use]
pub fn condition(condition: Condition, sight: &Sight<'_>) -> Finding {
    match condition {
        Condition::PrimaryAccount => identity::account(Side::Primary, sight),
        Condition::RecoveryAccount => identity::account(Side::Recovery, sight),
        Condition::PrimaryContext => cluster::context(Side::Primary, sight),
        Condition::RecoveryContext => cluster::context(Side::Recovery, sight),
        Condition::ReconcilersPaused => reconcilers::paused(sight),
        Condition::AuthAnswers => freeze::answers(sight),
        Condition::FreezeHeld => freeze::held(sight),
        Condition::FreezeLifted => freeze::lifted(sight),
        Condition::ProxiesRestarted => cluster::proxies_restarted(Side::Primary, sight),
        Condition::SessionElsewhere => session::elsewhere(sight),
        Condition::TablesReady => backups::tables_ready(sight),
        Condition::CopiesUsable => backups::copies_usable(sight),
        Condition::RightTable => tables::right(sight),
        Condition::TablesRepaired => tables::repaired(sight),
        Condition::BackupsFresh => backups::fresh(sight),
        Condition::RecordingsReady => backups::recordings_ready(sight),
        Condition::PrimarySilent => way::silent(Silence::Primary, sight),
        Condition::DnsControlSilent => way::silent(Silence::DnsControl, sight),
        Condition::BlackBoxRecorded => black_box::recorded(sight),
        Condition::PrerequisitesMet => prerequisites::met(sight),
        Condition::OldClusterGone => cluster::gone(Side::Primary, sight),
        Condition::OldDoorShut => doors::old_shut(sight),
        Condition::OldFenced => barrier::shut(sight),
        Condition::ValuesWritten => values::written(sight),
        Condition::RightsGranted => rights::granted(sight),
        Condition::CertificateReady => tls::ready(sight),
        Condition::CertificateRequested => tls::requested(sight),
        Condition::ReleaseAbsent => cluster::release_absent(Side::Recovery, sight),
        Condition::DrillGone => made::gone(sight),
        Condition::ReleaseInstallable => cluster::release_installable(Side::Recovery, sight),
        Condition::ReleaseDeployed => cluster::release_deployed(Side::Recovery, sight),
        Condition::PodsReady => cluster::ready(Side::Recovery, sight),
        Condition::AuthLogClean => auth_log::clean(sight),
        Condition::LoadBalancerKnown => cluster::load_balancer_known(Side::Recovery, sight),
        Condition::NewDoorAnswers => doors::new_answers(sight),
        Condition::NewDoorSteady => doors::new_steady(sight),
        Condition::WildcardAnswers => doors::wildcard_answers(sight),
        Condition::SameAuthorities => doors::same_authorities(sight),
        Condition::NamesHeld => dns::held(sight),
        Condition::DnsPublished => dns::published(sight),
        Condition::DnsConverged => dns::converged(sight),
        Condition::OldDoorAnswers => doors::old_answers(sight),
        Condition::DnsReverted => dns::reverted(sight),
        Condition::OldSideAnswers => doors::old_side_answers(sight),
        Condition::NamesBack => dns::back(sight),
        Condition::ReconcilersResumed => reconcilers::resumed(sight),
        Condition::PublicPing => doors::public_ping(sight),
        Condition::ResourcesReconciled => resources::reconciled(sight),
        Condition::BotsKnown => bots::known(sight),
        Condition::BotsUnlocked => bots::unlocked(sight),
        Condition::PublicVersion => service::version(sight),
        Condition::PublicAuthorities => service::public_authorities(sight),
        Condition::AuditFlows => service::audit_flows(sight),
        Condition::RecordingReadable => service::recording_readable(sight),
        Condition::AgentsBack => agents::back(sight),
    }
}
