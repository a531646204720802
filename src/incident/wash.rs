//! Foreign words in an observation, cleaned before anybody else has it.
//!
//! A failure tells what somebody else said: an exec plugin on its standard error, a server in its error message; so do
//! the messages of pods and events, names in DNS answers and certificates, tags and statuses. Any of them may hold a secret
//! or what moves a terminal's cursor, and an observation goes to the screen, the track, the checkpoint, the journal and the
//! report. So every text of every fact is looked at, whatever field it stands in: a new one cannot be forgotten.

use std::sync::Arc;

use super::{
    Fact, Failure, FailureKind, Observation, Pod,
    plain::{cleaned, is_plain, washed},
};

/// What takes the secrets out of a text; `None` if it may stay as it is.
type Clean<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Observation {
    /// Cleans every text in it. Nothing is copied that stays as it is.
    pub fn wash(&mut self, clean: Clean<'_>) {
        let mut pods = Vec::new();
        match &mut self.outcome {
            Err(failure) => {
                if let Some(cleaned) = washed(&failure.detail, clean) {
                    failure.detail = cleaned;
                }
                return;
            }
            // There may be 10,000, shared with what the probe holds: a copy is made only of one that changes.
            Ok(Fact::Cluster(cluster)) => {
                pods = std::mem::take(&mut Arc::make_mut(cluster).pods);
                for pod in &mut pods {
                    wash_pod(pod, clean);
                }
            }
            Ok(_) => {}
        }
        match cleaned(&self.outcome, clean, &[]) {
            Ok(None) => {}
            Ok(Some(clean)) => self.outcome = clean,
            Err(_) => {
                self.outcome = Err(Failure::new(
                    FailureKind::Garbage,
                    format!(
                        "{}: the answer holds what may not be shown where only certain words may stand; something else than \
                         what it should be may answer there",
                        self.subject
                    ),
                ));
            }
        }
        if let Ok(Fact::Cluster(cluster)) = &mut self.outcome {
            Arc::make_mut(cluster).pods = pods;
        }
    }
}

fn wash_pod(pod: &mut Arc<Pod>, clean: Clean<'_>) {
    let names = [&pod.uid, &pod.name, &pod.phase, &pod.reason];
    let mut plain = names
        .into_iter()
        .chain(&pod.node)
        .all(|text| is_plain(text));
    plain &= pod.message.is_empty() || washed(&pod.message, clean).is_none();
    if plain {
        return;
    }
    let text = |text: &str| washed(text, clean).unwrap_or_else(|| text.to_owned());
    *pod = Arc::new(Pod {
        uid: text(&pod.uid),
        name: text(&pod.name),
        phase: text(&pod.phase),
        reason: text(&pod.reason),
        message: text(&pod.message),
        node: pod.node.as_deref().map(text),
        ..(**pod).clone()
    });
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::incident::{
        Address, Cluster, ClusterEvent, ClusterKind, Component, Door, DoorFact, Forwarded, Gap,
        Moment, Recordings, Side, StoredObject, Subject, Table, TableRole, Vault,
    };

    const SECRET: &str = "hunter2-hunter2";

    fn failure() -> Failure {
        Failure::new(FailureKind::Credentials, format!("it said {SECRET} aloud"))
    }

    fn pod() -> Pod {
        Pod {
            uid: "u".to_owned(),
            name: "n".to_owned(),
            component: Component::Auth,
            ready: 0,
            containers: 1,
            phase: "Pending".to_owned(),
            reason: "Failed".to_owned(),
            message: format!("cannot pull with {SECRET}"),
            restarts: 0,
            created: Moment::default(),
            deleting: None,
            node: None,
            node_ready: None,
        }
    }

    fn door() -> DoorFact {
        DoorFact {
            host: String::new(),
            addresses: vec![Address {
                ip: [192, 0, 2, 1].into(),
                port: 443,
                tcp: Err(failure()),
                tls: Err(failure()),
                ping: Err(failure()),
                find: Err(failure()),
                pins: Err(failure()),
                steady: Vec::new(),
                wildcard: Err(failure()),
            }],
            witnessed: Vec::new(),
            gaps: vec![failure()],
            forwarded: Some(Forwarded {
                through: String::new(),
                at: Moment::default(),
                seen: Err(failure()),
            }),
        }
    }

    /// One of each kind that holds foreign words, with the secret wherever it may be.
    fn facts() -> Vec<Result<Fact, Failure>> {
        let cluster = Cluster {
            context: String::new(),
            uid: None,
            pods: vec![Arc::new(pod())],
            deployments: Vec::new(),
            load_balancer: None,
            events: vec![ClusterEvent {
                at: Moment::default(),
                object: String::new(),
                reason: String::new(),
                message: SECRET.to_owned(),
            }],
            release: Err(failure()),
            memo: crate::incident::Memo::default(),
            gaps: vec![Gap {
                kind: ClusterKind::Nodes,
                why: failure(),
            }],
        };
        let table = Table {
            name: String::new(),
            role: TableRole::State,
            region: String::new(),
            status: String::new(),
            restoring: false,
            created: None,
            replicas: Vec::new(),
            indexes: Vec::new(),
            pitr: Err(failure()),
            backups: Err(failure()),
            newest: Err(failure()),
            newest_at: None,
            authority: Err(failure()),
            settings: Err(failure()),
        };
        let vault = Vault {
            vault: String::new(),
            region: String::new(),
            role: TableRole::State,
            points: Vec::new(),
            more: false,
            schedules: Err(failure()),
        };
        let recordings = Recordings {
            read: None,
            bucket: String::new(),
            region: String::new(),
            versioning: Err(failure()),
            replication: Err(failure()),
            newest: Ok(vec![StoredObject {
                key: String::new(),
                modified: Moment::default(),
                replication: String::new(),
                unread: Some(failure()),
            }]),
        };
        let mut needed = crate::incident::prerequisites::tests::met();
        needed.secrets = vec![(String::new(), String::new(), Err(failure()))];
        needed.ingress_classes = Some(Err(failure()));
        needed.groups = Some(Err(failure()));
        needed.controllers = Err(failure());
        needed.nodes = Err(failure());
        needed.chart = Err(failure());
        needed.image.1 = Err(failure());
        needed.keys = vec![(String::new(), Err(failure()))];
        let at = Moment::default();
        let mut seen = crate::incident::black_box::sample::sealed(at).seen;
        seen.pins.value = Err(failure());
        seen.release.lapsed = Some(failure());
        seen.copied = Some(Err(failure()));
        if let Ok(table) = &mut seen.state_table.value {
            table.pitr = Err(failure());
        }
        vec![
            Err(failure()),
            Ok(Fact::Cluster(cluster.into())),
            Ok(Fact::Table(table.into())),
            Ok(Fact::Vault(vault.into())),
            Ok(Fact::Recordings(recordings.into())),
            Ok(Fact::Door(door().into())),
            Ok(Fact::Prerequisites(needed.into())),
            Ok(Fact::BlackBox(seen.into())),
        ]
    }

    fn observation(outcome: Result<Fact, Failure>) -> Observation {
        Observation {
            subject: Subject::Door(Door::Old),
            at: Moment::default(),
            took: Duration::ZERO,
            outcome,
        }
    }

    #[test]
    fn no_foreign_text_is_passed_over() {
        for outcome in facts() {
            let mut seen = observation(outcome);
            seen.wash(&|text| text.contains(SECRET).then(|| text.replace(SECRET, "[out]")));
            let text = serde_json::to_string(&seen).expect("JSON");
            assert!(text.contains("[out]") && !text.contains(SECRET), "{text}");
        }
    }

    #[test]
    fn a_pod_that_is_clean_is_the_same_one() {
        let shared = Arc::new(pod());
        let Ok(Fact::Cluster(mut cluster)) = facts().remove(1) else {
            unreachable!("the second is a cluster")
        };
        Arc::make_mut(&mut cluster).pods = vec![shared.clone()];
        let mut seen = Observation {
            subject: Subject::Cluster(Side::Primary),
            ..observation(Ok(Fact::Cluster(cluster)))
        };
        seen.wash(&|_| None);
        let Ok(Fact::Cluster(cluster)) = &seen.outcome else {
            unreachable!("a cluster")
        };
        assert!(Arc::ptr_eq(&cluster.pods[0], &shared));
    }
}
