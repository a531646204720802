//! Readings → rulings, as data; and that nothing of the runbook is forgotten.

use std::collections::BTreeSet;

use super::*;
use crate::{
    incident::{
        Drill, Fact, Failure, FailureKind, Instruments, Moment, Observation, RecordSet, Risk,
        Runbook, Side, TableRole, Zone, black_box::sample::sealed, prerequisites::tests as wanted,
    },
    plan::{Plan, sample},
};

const NOW: Moment = Moment::from_secs(1_795_000_000);
const DAY: u64 = 86_400;

/// What steps make, which no day before can hold: each with why.
const OF_STEPS: &[(Condition, &str)] = &[
    (Condition::PrimarySilent, "the outage itself"),
    (
        Condition::ReconcilersPaused,
        "paused on the day, not before",
    ),
    (Condition::OldClusterGone, "of a step"),
    (Condition::OldDoorShut, "of a step"),
    (Condition::LoadBalancerKnown, "made by the install"),
    (Condition::NewDoorAnswers, "made by the install"),
    (Condition::NewDoorSteady, "made by the install"),
    (Condition::WildcardAnswers, "made by the install"),
    (
        Condition::NamesHeld,
        "whoever owns the names is paused on the day",
    ),
    (Condition::DnsControlSilent, "the outage itself"),
    (Condition::ResourcesReconciled, "of the relaunched cluster"),
    (Condition::PublicVersion, "of the relaunched cluster"),
    (Condition::PublicAuthorities, "of the relaunched cluster"),
    (Condition::AuditFlows, "of the relaunched cluster"),
    (Condition::RecordingReadable, "of the relaunched cluster"),
    (Condition::AgentsBack, "of the relaunched cluster"),
    (Condition::DrillGone, "of an isolated drill"),
    (Condition::BotsKnown, "of the relaunched cluster"),
    (
        Condition::SameAuthorities,
        "its pins are asked for beforehand",
    ),
    (Condition::AuthLogClean, "of the install"),
    (Condition::PodsReady, "of the install"),
    (Condition::DnsPublished, "of the switch"),
    (Condition::PublicPing, "of the switch"),
    (Condition::DnsConverged, "of the switch"),
    (Condition::OldDoorAnswers, "of the way back"),
    (Condition::OldSideAnswers, "of the way back"),
    (Condition::NamesBack, "of the way back"),
];

fn take(instruments: &mut Instruments, subject: Subject, outcome: Result<Fact, Failure>) {
    instruments.take(Observation {
        subject,
        at: NOW.minus(Duration::from_secs(4)),
        took: Duration::ZERO,
        outcome,
    });
}

fn ask(instruments: &Instruments, plan: &Plan, drills: &Drills) -> Vec<Row> {
    rows(&Inquiry {
        sight: Sight {
            instruments,
            plan,
            now: NOW,
            since: None,
            outage: None,
        },
        drills,
        relaunch: Relaunch {
            takes: Duration::from_mins(20),
            incidents: 2,
        },
    })
}

/// The one row of that name.
fn row(name: &str, instruments: &Instruments, plan: &Plan) -> Row {
    let rows = ask(instruments, plan, &Drills::Never);
    let mut named = rows.into_iter().filter(|row| row.name == name);
    let row = named.next();
    assert!(named.next().is_none(), "{name} stands twice");
    row.unwrap_or_else(|| unreachable!("no row {name}"))
}

#[test]
fn what_nobody_has_looked_at_is_unknown_and_never_ready() {
    let plan = sample::plan();
    let rows = ask(&Instruments::default(), &plan, &Drills::Unread);
    assert!(rows.len() > 20, "{rows:?}");
    for row in rows {
        // The plan is read as it stands: it needs no look.
        let by_plan = row.name == "plan";
        let known = if by_plan {
            Outcome::Pass
        } else {
            Outcome::Unknown
        };
        let lacks = row.name == "CA pins";
        let known = if lacks { Outcome::Fail } else { known };
        assert_eq!(row.outcome, known, "{}: {}", row.name, row.sentence);
        assert_eq!(row.remedy.is_empty(), known == Outcome::Pass, "{row:?}");
    }
}

#[test]
fn every_precondition_and_every_look_of_the_runbook_is_asked_beforehand() {
    let runbook = Runbook::parse(Runbook::EMBEDDED).expect("the embedded runbook");
    let mut wanted = BTreeSet::new();
    for step in &runbook.steps {
        wanted.extend(&step.pre);
        if step.risk == Risk::Look {
            wanted.extend(&step.post);
        }
    }
    let asked: BTreeSet<Condition> = QUESTIONS
        .iter()
        .flat_map(|question| question.conditions)
        .copied()
        .collect();
    let made: BTreeSet<Condition> = OF_STEPS.iter().map(|(condition, _)| *condition).collect();
    for condition in wanted {
        assert!(
            asked.contains(&condition) || made.contains(&condition),
            "{condition} is asked by no question, and OF_STEPS does not say why"
        );
    }
    assert!(asked.is_disjoint(&made));
}

#[test]
fn every_question_names_who_asks_and_what_to_do() {
    let mut names = BTreeSet::new();
    for question in QUESTIONS {
        assert!(!question.basis.is_empty() && !question.remedy.is_empty());
        assert!(
            names.insert(question.name),
            "{} stands twice",
            question.name
        );
    }
    let topics: BTreeSet<Topic> = QUESTIONS.iter().map(|question| question.topic).collect();
    assert!(topics.into_iter().eq(Topic::ALL));
}

fn zone(sets: &[(&str, Option<i64>, bool)], private: bool) -> Fact {
    let records = sets.iter().map(|(name, ttl, alias)| RecordSet {
        name: (*name).to_owned(),
        kind: "A".to_owned(),
        ttl: *ttl,
        values: vec!["old.elb.example".to_owned()],
        alias_zone: alias.then(|| "Z35".to_owned()),
    });
    Fact::Zone(
        Zone {
            id: "Z1".to_owned(),
            name: "example.com".to_owned(),
            private,
            records: records.collect(),
            ..Zone::default()
        }
        .into(),
    )
}

#[test]
fn a_ttl_is_held_against_what_the_plan_writes_and_a_relaunch_takes() {
    use Outcome::{Fail, Pass, Unknown};
    let name = "teleport.example.com";
    let cases = [
        (
            Some(zone(&[(name, Some(60), false)], false)),
            Pass,
            "1m00s, low; a relaunch takes 20m by 2 earlier",
        ),
        (
            Some(zone(&[(name, None, true)], false)),
            Pass,
            "an alias: its load balancer's own",
        ),
        (
            Some(zone(
                &[
                    (name, Some(30), false),
                    ("*.teleport.example.com", Some(300), false),
                ],
                false,
            )),
            Fail,
            "5m00s, more than the plan's record_ttl",
        ),
        (
            Some(zone(&[(name, Some(3600), false)], false)),
            Fail,
            "clients would go on to the old region",
        ),
        (Some(zone(&[], false)), Unknown, "no record of the names"),
        (None, Unknown, "the hosted zone"),
    ];
    let plan = sample::plan();
    for (fact, outcome, words) in cases {
        let mut instruments = Instruments::default();
        if let Some(fact) = fact {
            take(&mut instruments, Subject::Zone, Ok(fact));
        }
        let row = row("TTL", &instruments, &plan);
        assert_eq!(row.outcome, outcome, "{}", row.sentence);
        assert!(row.sentence.contains(words), "{}", row.sentence);
    }
    // What Route 53 does not tell now, a box may have kept: with its age, and not as if it were seen.
    let mut instruments = Instruments::default();
    let before = NOW.minus(Duration::from_secs(DAY));
    let found = sealed(before).seen;
    take(
        &mut instruments,
        Subject::BlackBox,
        Ok(Fact::BlackBox(found.into())),
    );
    let row = row("TTL", &instruments, &plan);
    assert_eq!(
        (row.outcome, row.age),
        (Fail, Some(Duration::from_secs(DAY)))
    );
    assert!(
        row.sentence.contains("the black box; now"),
        "{}",
        row.sentence
    );
}

#[test]
fn what_moves_the_names_without_edits_is_named() {
    let fact = |accelerated: Option<&str>| match zone(&[("a", Some(60), false)], false) {
        Fact::Zone(zone) => Fact::Zone(
            Zone {
                accelerated: accelerated.map(str::to_owned),
                ..Zone::clone(&zone)
            }
            .into(),
        ),
        other => other,
    };
    let mut with_arc = sample::plan();
    with_arc.dns.arc = Some(crate::plan::ArcPlan::default());
    let silent = Failure::new(FailureKind::Timeout, "no answer in 5 s");
    for (outcome, plan, verdict, words) in [
        (
            Ok(fact(None)),
            sample::plan(),
            Outcome::Pass,
            "nothing moves the names",
        ),
        (
            Ok(fact(Some("DISABLED"))),
            sample::plan(),
            Outcome::Pass,
            "nothing moves the names",
        ),
        (
            Ok(fact(Some("ENABLED"))),
            sample::plan(),
            Outcome::Pass,
            "accelerated recovery, within",
        ),
        (
            Ok(fact(None)),
            with_arc,
            Outcome::Pass,
            "ARC routing controls",
        ),
        (
            Err(silent),
            sample::plan(),
            Outcome::Unknown,
            "no answer in 5 s",
        ),
    ] {
        let mut instruments = Instruments::default();
        take(&mut instruments, Subject::Zone, outcome);
        let row = row("Route 53's control plane", &instruments, &plan);
        assert_eq!(row.outcome, verdict, "{}", row.sentence);
        assert!(row.sentence.contains(words), "{}", row.sentence);
    }
}

#[test]
fn a_name_without_a_record_and_a_zone_of_another_kind_are_not_ready() {
    let plan = sample::plan();
    for (private, sets, outcome) in [
        (
            false,
            vec![("teleport.example.com", Some(60), false)],
            Outcome::Pass,
        ),
        (
            false,
            vec![("other.example.com", Some(60), false)],
            Outcome::Fail,
        ),
        (
            true,
            vec![("teleport.example.com", Some(60), false)],
            Outcome::Fail,
        ),
    ] {
        let mut instruments = Instruments::default();
        take(&mut instruments, Subject::Zone, Ok(zone(&sets, private)));
        let row = row("records", &instruments, &plan);
        assert_eq!(row.outcome, outcome, "{}", row.sentence);
    }
}

#[test]
fn the_version_that_runs_is_the_one_to_pin() {
    use Outcome::{Fail, Pass, Unknown};
    for (pinned, ran, outcome, words) in [
        (Some("17.7.3"), Some("17.7.3"), Pass, "as it runs"),
        (Some("v17.7.3"), Some("17.7.3"), Pass, "as it runs"),
        (Some("17.7.2"), Some("17.7.3"), Fail, "older than what runs"),
        (Some("18.0.0"), Some("17.7.3"), Fail, "an upgrade as well"),
        (Some("19.0.0"), Some("17.7.3"), Fail, "more than one major"),
        (None, Some("17.7.3"), Fail, "pins no version"),
        (Some("17.7.3"), None, Unknown, "in no black box"),
    ] {
        let mut plan = sample::plan();
        plan.cluster.version = pinned.map(str::to_owned);
        let mut instruments = Instruments::default();
        if let Some(ran) = ran {
            let mut found = sealed(NOW).seen;
            if let Ok(release) = &mut found.release.value {
                ran.clone_into(&mut release.version);
            }
            take(
                &mut instruments,
                Subject::BlackBox,
                Ok(Fact::BlackBox(found.into())),
            );
        }
        let row = row("version", &instruments, &plan);
        assert_eq!(row.outcome, outcome, "{pinned:?} {ran:?}: {}", row.sentence);
        assert!(row.sentence.contains(words), "{}", row.sentence);
    }
}

#[test]
fn a_box_is_young_whole_and_not_on_this_host_alone() {
    use Outcome::{Fail, Pass, Unknown};
    let gone = || Failure::new(FailureKind::Timeout, "no answer");
    let cases: [(&str, u64, Outcome, &str); 5] = [
        ("whole", 3_600, Pass, "recorded 1h00m ago, whole"),
        ("old", 3 * DAY, Fail, "the newest is 3d old"),
        ("here", 60, Fail, "on this host only"),
        ("lacking", 60, Fail, "lacks CA pins"),
        (
            "earlier",
            60,
            Unknown,
            "CA pins could not be seen this time",
        ),
    ];
    let plan = sample::plan();
    for (case, age, outcome, words) in cases {
        let at = NOW.minus(Duration::from_secs(age));
        let mut found = sealed(at).seen;
        found.copied = Some(Ok(crate::incident::black_box::Copied {
            to: "s3://kept/box".to_owned(),
            at,
        }));
        match case {
            "here" => found.copied = None,
            "lacking" => found.pins.value = Err(gone()),
            "earlier" => found.pins.lapsed = Some(gone()),
            _ => {}
        }
        let mut instruments = Instruments::default();
        take(
            &mut instruments,
            Subject::BlackBox,
            Ok(Fact::BlackBox(found.into())),
        );
        let row = row("black box", &instruments, &plan);
        assert_eq!(row.outcome, outcome, "{case}: {}", row.sentence);
        assert!(row.sentence.contains(words), "{case}: {}", row.sentence);
    }
}

#[test]
fn a_drill_is_lately_done_to_its_end_and_fast_enough() {
    use Outcome::{Fail, Pass, Unknown};
    let drill = |days: u64, mins: Option<u64>| {
        Drills::Last(Drill {
            incident: "x".to_owned(),
            at: NOW.minus(Duration::from_secs(days * DAY)),
            took: mins.map(Duration::from_mins),
        })
    };
    let plan = sample::plan();
    for (drills, outcome, words) in [
        (
            drill(41, Some(52)),
            Pass,
            "last drill 41d ago, 52m, objective 1h00m",
        ),
        (drill(41, Some(75)), Fail, "15m over the objective"),
        (drill(41, None), Fail, "not finished"),
        (drill(200, Some(52)), Fail, "longer ago than 92d"),
        (Drills::Never, Fail, "never drilled"),
        (Drills::Unread, Unknown, "cannot be read"),
    ] {
        let rows = ask(&Instruments::default(), &plan, &drills);
        let row = rows
            .iter()
            .find(|row| row.name == "last drill")
            .expect("a row");
        assert_eq!(row.outcome, outcome, "{}", row.sentence);
        assert!(row.sentence.contains(words), "{}", row.sentence);
    }
}

#[test]
fn keys_of_authorities_must_be_replicated_and_what_is_unseen_is_named() {
    use crate::incident::prerequisites::Key;
    let plan = |keys: &[&str]| {
        let mut plan = sample::plan();
        plan.recovery.kms_keys = keys.iter().map(|&key| key.to_owned()).collect();
        plan
    };
    let key = |multi_region| {
        vec![(
            "mrk-1".to_owned(),
            Ok(Key {
                arn: "arn:aws:kms:us-west-2:1:key/mrk-1".to_owned(),
                state: "Enabled".to_owned(),
                multi_region,
            }),
        )]
    };
    for (kms, keys, plan, outcome) in [
        (false, Vec::new(), plan(&[]), Outcome::Pass),
        (true, Vec::new(), plan(&[]), Outcome::Fail),
        (true, key(true), plan(&["mrk-1"]), Outcome::Pass),
        (true, key(false), plan(&["mrk-1"]), Outcome::Fail),
        (false, key(false), plan(&["mrk-1"]), Outcome::Pass),
    ] {
        let mut seen = wanted::met();
        seen.wants.kms = kms;
        seen.keys = keys;
        seen.image.1 = Err(Failure::new(FailureKind::Forbidden, "behind credentials"));
        let mut instruments = Instruments::default();
        take(
            &mut instruments,
            Subject::Prerequisites,
            Ok(Fact::Prerequisites(seen.into())),
        );
        let row = row("KMS keys", &instruments, &plan);
        assert_eq!(row.outcome, outcome, "{}", row.sentence);
        let inquiry = Inquiry {
            sight: Sight {
                instruments: &instruments,
                plan: &plan,
                now: NOW,
                since: None,
                outage: None,
            },
            drills: &Drills::Never,
            relaunch: Relaunch {
                takes: Duration::from_mins(20),
                incidents: 0,
            },
        };
        let unseen = not_looked_at(&inquiry);
        assert!(unseen.iter().any(|(what, _)| what == "image"), "{unseen:?}");
        assert!(rows(&inquiry).iter().all(|row| row.name != "image"));
    }
}

#[test]
fn a_table_that_may_be_deleted_by_mistake_is_not_ready() {
    use crate::incident::Pitr;
    let of = |protected: bool, pitr: Option<bool>| {
        let mut table = sealed_table();
        table.settings = Ok(settings(protected));
        table.pitr = match pitr {
            Some(enabled) => Ok(Pitr {
                enabled,
                earliest: None,
                latest: None,
            }),
            None => Err(Failure::new(FailureKind::Forbidden, "may not be asked")),
        };
        table
    };
    for (table, outcome, words) in [
        (
            of(true, Some(true)),
            Outcome::Pass,
            "deletion protection is on",
        ),
        (
            of(false, Some(true)),
            Outcome::Fail,
            "deletion protection is OFF",
        ),
        (
            of(true, Some(false)),
            Outcome::Fail,
            "point-in-time recovery is OFF",
        ),
        (of(true, None), Outcome::Unknown, "may not be asked"),
    ] {
        let mut instruments = Instruments::default();
        let subject = Subject::Table(Side::Primary, TableRole::State);
        take(&mut instruments, subject, Ok(Fact::Table(table.into())));
        let row = row(
            "protection of the state table",
            &instruments,
            &sample::plan(),
        );
        assert_eq!(row.outcome, outcome, "{}", row.sentence);
        assert!(row.sentence.contains(words), "{}", row.sentence);
    }
}

fn sealed_table() -> crate::incident::Table {
    let found = sealed(NOW).seen;
    found.state_table.good().expect("a table").clone()
}

fn settings(protected: bool) -> crate::incident::Settings {
    crate::incident::Settings {
        arn: "arn:aws:dynamodb:us-east-1:1:table/east-state".to_owned(),
        ttl: Ok(None),
        stream: None,
        billing: crate::incident::Billing::OnDemand,
        protected,
        tags: Ok(std::collections::BTreeMap::new()),
        indexes: std::collections::BTreeMap::new(),
        key: None,
    }
}
