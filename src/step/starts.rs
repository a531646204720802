//! The Auth pods' starts, said as they come. What must stop a recovery ends the step that watches.

use super::{Say, StepError};
use crate::{
    clients::kube::{AuthLogs, Kube},
    incident::{AuthLog, Mark, Moment, Pod},
    plan::Plan,
};

/// Watches the starts of the recovery release's Auth pods.
#[derive(Debug, Default)]
pub(super) struct Starts {
    logs: AuthLogs,
    told: Vec<(String, Mark)>,
    gaps: Vec<String>,
    since: Moment,
}

impl Starts {
    /// Of pods made since a moment only: those of before go with the release that is replaced.
    pub(super) fn since(&mut self, since: Moment) {
        // `creationTimestamp` has whole seconds.
        self.since = Moment::from_secs(since.secs());
    }

    /// Of all pods from now on.
    pub(super) fn all(&mut self) {
        self.since = Moment::default();
    }

    /// Looks at pods that were just read and says what is new.
    ///
    /// # Errors
    /// With what an Auth pod says that must stop a recovery.
    pub(super) async fn look(
        &mut self,
        kube: &Kube,
        plan: &Plan,
        pods: &[Pod],
        say: Say<'_>,
    ) -> Result<AuthLog, StepError> {
        let mut log = self.logs.of(kube, &plan.cluster.namespace, pods).await;
        log.pods.retain(|start| start.created >= self.since);
        for start in &log.pods {
            for mark in &start.marks {
                let known = self
                    .told
                    .iter()
                    .any(|(pod, told)| *pod == start.pod && told == mark);
                if !known {
                    say(&format!("{}: {}", start.pod, mark.told()));
                    self.told.push((start.pod.clone(), mark.clone()));
                }
            }
            if let Some(gap) = &start.gap {
                self.gap(gap, say);
            }
        }
        let danger = plan
            .recovery
            .state_table
            .as_deref()
            .and_then(|table| log.danger(table, &plan.recovery.region));
        match danger {
            Some(danger) => Err(StepError(format!("STOP: {danger}"))),
            None => Ok(log),
        }
    }

    fn gap(&mut self, gap: &str, say: Say<'_>) {
        if !self.gaps.iter().any(|told| told == gap) {
            say(&format!("the Auth log: {gap}"));
            self.gaps.push(gap.to_owned());
        }
    }
}
