use std::{sync::Arc, time::Duration};

use super::*;
use crate::{
    incident::{Failure, FailureKind, Observation, Outcome, ReconcilerKind},
    judge::dns::fixture::{NAMES, NOW, Readings, plan},
};

/// An external-dns with its owner id, policy and registry.
fn one(id: &str, policy: &str, registry: &str, acts: bool) -> Reconciler {
    Reconciler {
        kind: ReconcilerKind::ExternalDns,
        api: "/apis/apps/v1".to_owned(),
        plural: "deployments".to_owned(),
        namespace: "dns".to_owned(),
        name: "external-dns".to_owned(),
        why: "owns example.com".to_owned(),
        acts: acts.then(|| "1".to_owned()),
        before: None,
        owner: None,
        dns: Some(ExternalDns {
            owner: id.to_owned(),
            policy: policy.to_owned(),
            registry: registry.to_owned(),
            sources: Vec::new(),
            filters: Vec::new(),
        }),
    }
}

fn owned_by(id: &str) -> Vec<Ownership> {
    NAMES
        .map(|name| Ownership {
            name: name.to_owned(),
            record: format!("cname-{name}"),
            owner: id.to_owned(),
            resource: None,
        })
        .into()
}

type Seen = Option<(Vec<Reconciler>, &'static [&'static str])>;

/// The finding over a zone with these owners and what is seen in both clusters; `None` is a cluster without an answer.
fn judged(owners: Part<Vec<Ownership>>, primary: Seen, recovery: Seen) -> Finding {
    let silent = || Failure::new(FailureKind::Timeout, "its API gave no answer");
    let zone = Zone {
        id: "Z1".to_owned(),
        name: "example.com".to_owned(),
        owners: Some(owners),
        ..Zone::default()
    };
    let cluster = |context: &str, seen: Seen| {
        let (found, asked) = seen.ok_or_else(silent)?;
        let hostnames =
            (!found.is_empty()).then(|| Ok(asked.iter().map(ToString::to_string).collect()));
        Ok(Fact::Reconcilers(Arc::new(Reconcilers {
            context: context.to_owned(),
            found,
            hostnames,
            ..Reconcilers::default()
        })))
    };
    let mut readings = Readings::default();
    for (subject, outcome) in [
        (Subject::Zone, Ok(Fact::Zone(zone.into()))),
        (
            Subject::Reconcilers(Side::Primary),
            cluster("east", primary),
        ),
        (
            Subject::Reconcilers(Side::Recovery),
            cluster("west", recovery),
        ),
    ] {
        readings.0.take(Observation {
            subject,
            at: NOW.minus(Duration::from_secs(3)),
            took: Duration::ZERO,
            outcome,
        });
    }
    held(&readings.sight(&plan()))
}

#[test]
fn who_would_write_the_names_back_is_told_with_the_reason() {
    for (owners, primary, recovery, outcome, words) in cases() {
        let finding = judged(Ok(owners), primary, recovery);
        assert_eq!(finding.outcome, outcome, "{}", finding.sentence);
        assert!(finding.sentence.contains(words), "{}", finding.sentence);
    }
}

type Case = (Vec<Ownership>, Seen, Seen, Outcome, &'static str);

fn cases() -> [Case; 14] {
    let nothing = || Some((vec![], &[][..]));
    let with = |one: Reconciler, asked: &'static [&'static str]| Some((vec![one], asked));
    let both: &'static [&str] = &NAMES;
    [
        (
            vec![],
            nothing(),
            nothing(),
            Outcome::Pass,
            "no external-dns has written",
        ),
        // The primary is gone and nobody has written anything down.
        (
            vec![],
            None,
            nothing(),
            Outcome::Pass,
            "no external-dns has written",
        ),
        (
            owned_by("east"),
            None,
            nothing(),
            Outcome::Unknown,
            "when us-east-1 returns",
        ),
        (vec![], nothing(), None, Outcome::Unknown, "gave no answer"),
        (
            owned_by("east"),
            with(one("east", "upsert-only", "txt", true), &[]),
            nothing(),
            Outcome::Fail,
            "would write the old record back",
        ),
        (
            owned_by("east"),
            with(one("east", "upsert-only", "txt", false), &[]),
            nothing(),
            Outcome::Pass,
            "is paused",
        ),
        (
            owned_by("east"),
            with(one("east", "create-only", "txt", true), &[]),
            nothing(),
            Outcome::Pass,
            "create-only",
        ),
        (
            vec![],
            with(one("east", "sync", "txt", true), &[]),
            nothing(),
            Outcome::Pass,
            "leaves the names alone: its owner id is east",
        ),
        (
            vec![],
            with(one("x", "sync", "noop", true), &[]),
            nothing(),
            Outcome::Fail,
            "registry noop",
        ),
        (
            vec![],
            with(one("x", "sync", "dynamodb", true), &[]),
            nothing(),
            Outcome::Unknown,
            "registry dynamodb",
        ),
        // The same id on both sides: who is asked for the names writes them, who is not deletes them.
        (
            owned_by("both"),
            with(one("both", "sync", "txt", false), &[]),
            with(one("both", "sync", "txt", true), &[]),
            Outcome::Fail,
            "would DELETE the records. Pause it: kubectl --context west -n dns",
        ),
        (
            owned_by("both"),
            with(one("both", "sync", "txt", false), &[]),
            with(one("both", "sync", "txt", true), both),
            Outcome::Pass,
            "it writes the new load balancer",
        ),
        // Asked for the name alone, it would delete the wildcard.
        (
            owned_by("both"),
            nothing(),
            with(one("both", "sync", "txt", true), &both[..1]),
            Outcome::Fail,
            "would DELETE",
        ),
        (
            owned_by("hub"),
            nothing(),
            with(one("west", "sync", "txt", true), &[]),
            Outcome::Unknown,
            "external-dns hub (cname-tele.example.com, cname-*.tele.example.com), which is in neither",
        ),
    ]
}

#[test]
fn a_zone_that_is_not_read_proves_nothing() {
    let forbidden = Failure::new(FailureKind::Forbidden, "list record sets");
    let finding = judged(Err(forbidden), Some((vec![], &[])), Some((vec![], &[])));
    assert_eq!(finding.outcome, Outcome::Unknown, "{}", finding.sentence);
    assert!(
        finding.sentence.contains("forbidden"),
        "{}",
        finding.sentence
    );
    let plan = plan();
    let finding = held(&Readings::default().sight(&plan));
    assert_eq!(finding.outcome, Outcome::Unknown, "{}", finding.sentence);
}
