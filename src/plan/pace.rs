//! How often each subject is looked at, and from when on a reading counts as stale.

use std::time::Duration;

use super::Plan;
use crate::incident::Subject;

impl Plan {
    /// The time between two looks at a subject.
    #[must_use]
    pub const fn interval(&self, subject: &Subject) -> Duration {
        match subject {
            // Watched: this is how often a quiet watch is confirmed by a cheap request.
            Subject::Cluster(_) | Subject::AuthLog | Subject::Session => Duration::from_secs(10),
            Subject::Answer { .. } => self.dns.interval,
            Subject::Door(_) | Subject::BlackBox => Duration::from_secs(5),
            Subject::Identity(_) | Subject::Zone | Subject::Vault(_) => Duration::from_mins(1),
            // What reconciles takes lists over all namespaces: seldom, and when a run has ended.
            Subject::Table(..)
            | Subject::Recordings(_)
            | Subject::Reconcilers(_)
            | Subject::Resources
            | Subject::Made
            | Subject::Agents => Duration::from_secs(30),
            Subject::Values => Duration::from_secs(2),
            // Simulations are limited by the second and by the account; one look makes about ten.
            // Registries are asked and every pod is listed; load balancers of a whole account: now and then, and when
            // it is asked for.
            Subject::Rights
            | Subject::Tls
            | Subject::Prerequisites
            | Subject::Freeze(_)
            | Subject::Baseline
            | Subject::Bots
            | Subject::Barrier => Duration::from_mins(5),
        }
    }

    /// From this age on a reading is stale: twice the interval, and the longest look on top.
    #[must_use]
    pub fn stale_after(&self, subject: &Subject) -> Duration {
        self.interval(subject) * 2 + Duration::from_secs(5)
    }
}
