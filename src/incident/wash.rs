//! Foreign words in an observation, cleaned before anybody else has it.
//!
//! A failure tells what somebody else said: an exec plugin on its standard error, a server in its error message; so do
//! the messages of pods and events. Any of them may hold a secret, and an observation goes to the screen, the track,
//! the checkpoint, the journal and the report.

use std::sync::Arc;

use super::{
    BlackBox, Cluster, DoorFact, Fact, Failure, Observation, Part, Pod, Prerequisites, Table, Tls,
    black_box::Kept, rights::RoleRights, tls::Way,
};

/// What takes the secrets out of a text; `None` if it may stay as it is.
type Clean<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Observation {
    /// Cleans every text in it that others wrote. Nothing is copied that stays as it is.
    pub fn wash(&mut self, clean: Clean<'_>) {
        match &mut self.outcome {
            Err(failure) => failure.wash(clean),
            Ok(Fact::Cluster(cluster)) => wash_cluster(Arc::make_mut(cluster), clean),
            Ok(Fact::Table(table)) => wash_table(Arc::make_mut(table), clean),
            Ok(Fact::Vault(vault)) => part(&mut Arc::make_mut(vault).schedules, clean),
            Ok(Fact::Recordings(seen)) => {
                let seen = Arc::make_mut(seen);
                part(&mut seen.versioning, clean);
                part(&mut seen.replication, clean);
                part(&mut seen.newest, clean);
                if let Some(read) = &mut seen.read {
                    part(&mut read.bytes, clean);
                }
                for object in seen.newest.iter_mut().flatten() {
                    if let Some(failure) = &mut object.unread {
                        failure.wash(clean);
                    }
                }
            }
            Ok(Fact::Reconcilers(found)) => {
                for gap in &mut Arc::make_mut(found).gaps {
                    gap.wash(clean);
                }
            }
            Ok(Fact::Resources(seen)) => {
                let seen = Arc::make_mut(seen);
                for one in seen.failed.iter_mut().chain(&mut seen.waiting) {
                    text(&mut one.why, clean);
                }
                for one in &mut seen.flux {
                    text(&mut one.words, clean);
                }
                for gap in &mut seen.gaps {
                    gap.wash(clean);
                }
            }
            Ok(Fact::Made(made)) => {
                for gap in Arc::make_mut(made).gaps() {
                    gap.wash(clean);
                }
            }
            Ok(Fact::Bots(seen)) => {
                for gap in &mut Arc::make_mut(seen).gaps {
                    gap.wash(clean);
                }
            }
            Ok(Fact::AuthLog(log)) => {
                for start in &mut Arc::make_mut(log).pods {
                    start.texts().for_each(|one| text(one, clean));
                }
            }
            Ok(Fact::Door(door)) => wash_door(Arc::make_mut(door), clean),
            Ok(Fact::Prerequisites(seen)) => wash_prerequisites(Arc::make_mut(seen), clean),
            Ok(Fact::Rights(rights)) => {
                let rights = Arc::make_mut(rights);
                for role in [&mut rights.auth, &mut rights.proxy] {
                    wash_role(role, clean);
                }
            }
            Ok(Fact::Tls(tls)) => wash_tls(Arc::make_mut(tls), clean),
            Ok(Fact::BlackBox(seen)) => wash_box(Arc::make_mut(seen), clean),
            Ok(Fact::Baseline(seen)) => {
                for gap in &mut Arc::make_mut(seen).gaps {
                    gap.wash(clean);
                }
            }
            Ok(
                Fact::Identity(_)
                | Fact::Answer(_)
                | Fact::Zone(_)
                | Fact::Barrier(_)
                | Fact::Values(_)
                | Fact::Freeze(_)
                | Fact::Agents(_)
                | Fact::Session(_),
            ) => {}
        }
    }
}

impl Failure {
    fn wash(&mut self, clean: Clean<'_>) {
        text(&mut self.detail, clean);
    }
}

fn text(text: &mut String, clean: Clean<'_>) {
    if !text.is_empty()
        && let Some(cleaned) = clean(text)
    {
        *text = cleaned;
    }
}

fn part<T>(part: &mut Part<T>, clean: Clean<'_>) {
    if let Err(failure) = part {
        failure.wash(clean);
    }
}

fn wash_table(table: &mut Table, clean: Clean<'_>) {
    part(&mut table.pitr, clean);
    part(&mut table.backups, clean);
    part(&mut table.newest, clean);
    part(&mut table.authority, clean);
    part(&mut table.settings, clean);
    if let Ok(settings) = &mut table.settings {
        part(&mut settings.ttl, clean);
        part(&mut settings.tags, clean);
        for value in settings.tags.iter_mut().flat_map(|tags| tags.values_mut()) {
            text(value, clean);
        }
    }
}

fn wash_cluster(cluster: &mut Cluster, clean: Clean<'_>) {
    part(&mut cluster.release, clean);
    for gap in &mut cluster.gaps {
        gap.why.wash(clean);
    }
    for event in &mut cluster.events {
        text(&mut event.message, clean);
    }
    for pod in &mut cluster.pods {
        // Pods are shared with what the probe holds, and there may be 10,000: a copy is made only of one that changes.
        if pod.message.is_empty() {
            continue;
        }
        if let Some(message) = clean(&pod.message) {
            *pod = Arc::new(Pod {
                message,
                ..(**pod).clone()
            });
        }
    }
}

fn wash_prerequisites(seen: &mut Prerequisites, clean: Clean<'_>) {
    for (_, _, there) in &mut seen.secrets {
        part(there, clean);
    }
    for names in [&mut seen.ingress_classes, &mut seen.groups]
        .into_iter()
        .flatten()
    {
        part(names, clean);
    }
    part(&mut seen.controllers, clean);
    part(&mut seen.nodes, clean);
    part(&mut seen.chart, clean);
    part(&mut seen.image.1, clean);
    for (_, key) in &mut seen.keys {
        part(key, clean);
    }
}

fn wash_role(role: &mut RoleRights, clean: Clean<'_>) {
    part(&mut role.role, clean);
    part(&mut role.trust, clean);
    part(&mut role.session, clean);
    part(&mut role.simulated, clean);
    if let Ok(session) = &mut role.session {
        if let Some(why) = &mut session.refused {
            text(why, clean);
        }
        for read in &mut session.reads {
            part(&mut read.outcome, clean);
        }
    }
    for why in role.simulated.iter_mut().flat_map(|one| &mut one.unsure) {
        text(why, clean);
    }
}

fn wash_tls(tls: &mut Tls, clean: Clean<'_>) {
    part(&mut tls.known, clean);
    for way in &mut tls.ways {
        match way {
            Way::Acm { found, .. } => part(found, clean),
            Way::Issuer { found, .. } => {
                part(found, clean);
                if let Ok(issuer) = found {
                    text(&mut issuer.ready.words, clean);
                    if let Some(made) = &mut issuer.certificate {
                        text(&mut made.ready.words, clean);
                    }
                }
            }
            Way::Secret { found, .. } => part(found, clean),
            Way::Acme => {}
        }
    }
}

fn kept<T>(kept: &mut Kept<T>, clean: Clean<'_>) {
    part(&mut kept.value, clean);
    if let Some(failure) = &mut kept.lapsed {
        failure.wash(clean);
    }
}

fn wash_box(seen: &mut BlackBox, clean: Clean<'_>) {
    kept(&mut seen.records, clean);
    kept(&mut seen.load_balancer, clean);
    kept(&mut seen.pins, clean);
    kept(&mut seen.release, clean);
    kept(&mut seen.deployments, clean);
    kept(&mut seen.roles, clean);
    kept(&mut seen.primary_uid, clean);
    kept(&mut seen.recovery_uid, clean);
    for table in [&mut seen.state_table, &mut seen.audit_table] {
        kept(table, clean);
        if let Ok(table) = &mut table.value {
            wash_table(table, clean);
        }
    }
    if let Some(agents) = &mut seen.agents {
        kept(agents, clean);
    }
    if let Some(copied) = &mut seen.copied {
        part(copied, clean);
    }
}

fn wash_door(door: &mut DoorFact, clean: Clean<'_>) {
    for gap in &mut door.gaps {
        gap.wash(clean);
    }
    let behind = door.forwarded.as_mut().map(|forwarded| &mut forwarded.seen);
    let behind = behind.and_then(|seen| {
        part(seen, clean);
        seen.as_mut().ok()
    });
    for address in door.addresses.iter_mut().chain(behind) {
        part(&mut address.tcp, clean);
        part(&mut address.tls, clean);
        part(&mut address.ping, clean);
        part(&mut address.find, clean);
        part(&mut address.pins, clean);
        part(&mut address.wildcard, clean);
        if let Ok(wildcard) = &mut address.wildcard {
            part(&mut wildcard.answer, clean);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::incident::{
        Address, ClusterEvent, ClusterKind, Component, Door, FailureKind, Forwarded, Gap, Moment,
        Recordings, Side, StoredObject, Subject, Table, TableRole, Vault,
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
