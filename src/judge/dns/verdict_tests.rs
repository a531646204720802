use super::*;
use crate::{
    incident::{Failure, FailureKind, Moment, Outcome},
    judge::dns::fixture::{NAMES, NOW, Readings, answer, plan},
};

const OLD: &[&str] = &["192.0.2.1"];
const NEW: &[&str] = &["198.51.100.1"];
const STRANGE: &[&str] = &["203.0.113.1"];

fn both(readings: &Readings) -> (Finding, Finding) {
    let plan = plan();
    let sight = readings.sight(&plan);
    (published(&sight), converged(&sight))
}

/// All NEW, but for what `change` does.
fn new_but(change: impl FnOnce(&mut Readings)) -> Readings {
    let mut readings = Readings::all(NEW);
    change(&mut readings);
    readings
}

#[test]
fn published_and_converged_are_told_apart() {
    use Outcome::{Fail, Pass, Unknown};
    let silent = |servers: &'static [&str]| {
        new_but(|readings| {
            for server in servers {
                for name in NAMES {
                    readings.silent(server, name, 1);
                }
            }
        })
    };
    let cases: Vec<(&str, Readings, Outcome, Outcome)> = vec![
        ("nothing seen", Readings::default(), Unknown, Unknown),
        ("all old", Readings::all(OLD), Fail, Fail),
        ("all new", Readings::all(NEW), Pass, Pass),
        (
            "the wildcard forgotten at one authority",
            new_but(|r| r.put("ns-2", NAMES[1], 1, answer(OLD))),
            Fail,
            Pass,
        ),
        (
            "one cache behind",
            new_but(|r| r.put("10.0.0.2", NAMES[0], 1, answer(OLD))),
            Pass,
            Fail,
        ),
        (
            "one cache remembers that there was nothing",
            new_but(|r| r.put("10.0.0.2", NAMES[0], 1, answer(&[]))),
            Pass,
            Fail,
        ),
        (
            "one cache points elsewhere",
            new_but(|r| r.put("10.0.0.2", NAMES[0], 1, answer(STRANGE))),
            Pass,
            Unknown,
        ),
        ("one authority silent", silent(&["ns-1"]), Unknown, Pass),
        ("one resolver silent", silent(&["10.0.0.2"]), Pass, Pass),
        (
            "all resolvers silent",
            silent(&["10.0.0.1", "10.0.0.2"]),
            Pass,
            Unknown,
        ),
    ];
    for (what, readings, one, other) in cases {
        let (published, converged) = both(&readings);
        assert_eq!(published.outcome, one, "published, {what}: {published:?}");
        assert_eq!(converged.outcome, other, "converged, {what}: {converged:?}");
    }
}

#[test]
fn an_answer_without_authority_is_not_published() {
    let plan = plan();
    let readings = new_but(|readings| {
        let mut lame = answer(NEW);
        lame.authority = true;
        let fact = crate::incident::Fact::Answer(std::sync::Arc::new(lame));
        readings.raw("ns-1", NAMES[0], 1, Ok(fact));
    });
    let finding = published(&readings.sight(&plan));
    assert_eq!(finding.outcome, Outcome::Fail);
    assert!(
        finding
            .sentence
            .contains("ns-1 tele.example.com not authoritative")
    );
}

#[test]
fn readings_from_before_the_switch_are_no_evidence() {
    let (plan, readings) = (plan(), Readings::all(NEW));
    let mut sight = readings.sight(&plan);
    sight.since = Some(Moment::from_secs(NOW.secs() - 2));
    assert_eq!(published(&sight).outcome, Outcome::Unknown);
    assert_eq!(converged(&sight).outcome, Outcome::Unknown);
}

#[test]
fn failing_resolvers_are_named_and_the_wait_is_told() {
    let readings = new_but(|readings| {
        readings.silent("10.0.0.1", NAMES[0], 1);
        readings.put("10.0.0.2", NAMES[1], 1, answer(OLD));
    });
    let (_, finding) = both(&readings);
    assert!(
        finding.sentence.contains("dies in ≤ 59s"),
        "{}",
        finding.sentence
    );
    let readings = new_but(|readings| readings.silent("10.0.0.1", NAMES[0], 1));
    let (_, finding) = both(&readings);
    assert!(
        finding
            .sentence
            .contains("failing: 10.0.0.1 office tele.example.com TIMEOUT"),
        "{}",
        finding.sentence
    );
}

#[test]
fn without_a_target_nothing_passes() {
    let (mut plan, readings) = (plan(), Readings::all(NEW));
    plan.dns.new.clear();
    let sight = readings.sight(&plan);
    for finding in [published(&sight), converged(&sight)] {
        assert_eq!(finding.outcome, Outcome::Unknown);
        assert!(finding.sentence.contains("not known yet"));
    }
}

#[test]
fn a_server_without_an_address_is_one_that_was_not_seen() {
    let lost = Failure::new(FailureKind::Timeout, "looking up ns-3: no answer");
    let plan = {
        let mut plan = plan();
        plan.dns.nameservers.clear();
        plan
    };
    let readings = new_but(|readings| {
        for name in NAMES {
            readings.raw("ns-3", name, 1, Err(lost.clone()));
        }
    });
    let finding = published(&readings.sight(&plan));
    assert_eq!(finding.outcome, Outcome::Unknown, "{}", finding.sentence);
    assert!(finding.sentence.contains("ns-3"), "{}", finding.sentence);
}

#[test]
fn a_delegation_that_was_not_found_is_told_until_it_is() {
    let plan = {
        let mut plan = plan();
        plan.dns.nameservers.clear();
        plan
    };
    let failure = Failure::new(FailureKind::Unresolved, "no name server could be found");
    let mut readings = Readings::default();
    for name in NAMES {
        readings.raw(Subject::DELEGATION, name, 9, Err(failure.clone()));
    }
    let board = board(&readings.sight(&plan));
    let row = board
        .rows
        .iter()
        .find(|row| row.label == Subject::DELEGATION);
    let row = row.expect("a row of its own");
    assert_eq!(row.place, Place::Authority);
    assert!(row.answer.contains("no name server"), "{}", row.answer);
    assert_eq!(published(&readings.sight(&plan)).outcome, Outcome::Unknown);
    for server in ["ns-1", "ns-2"] {
        for name in NAMES {
            readings.put(server, name, 2, answer(NEW));
        }
    }
    let finding = published(&readings.sight(&plan));
    assert_eq!(finding.outcome, Outcome::Pass, "{}", finding.sentence);
}

#[test]
fn of_a_private_zone_the_plans_resolvers_decide() {
    let plan = {
        let mut plan = plan();
        plan.dns.private = true;
        plan.dns.nameservers.clear();
        plan
    };
    let resolvers = |addresses: &[&str]| {
        let mut readings = Readings::default();
        for server in ["10.0.0.1", "10.0.0.2"] {
            for name in NAMES {
                readings.put(server, name, 2, answer(addresses));
            }
        }
        readings
    };
    let readings = resolvers(NEW);
    let finding = published(&readings.sight(&plan));
    assert_eq!(finding.outcome, Outcome::Pass, "{}", finding.sentence);
    assert!(
        finding.sentence.contains("each of the plan's 2"),
        "{}",
        finding.sentence
    );
    assert_eq!(
        board(&readings.sight(&plan)).assessment.health,
        crate::incident::Health::Ok
    );
    let mut readings = resolvers(NEW);
    readings.put("10.0.0.2", NAMES[1], 1, answer(OLD));
    assert_eq!(published(&readings.sight(&plan)).outcome, Outcome::Fail);
    let mut readings = resolvers(NEW);
    readings.silent("10.0.0.2", NAMES[0], 1);
    assert_eq!(published(&readings.sight(&plan)).outcome, Outcome::Unknown);
    // What another resolver of this machine says is no evidence either way.
    let mut readings = resolvers(NEW);
    readings.put("10.9.9.9", NAMES[0], 1, answer(OLD));
    assert_eq!(published(&readings.sight(&plan)).outcome, Outcome::Pass);
    assert_eq!(
        published(&Readings::default().sight(&plan)).outcome,
        Outcome::Unknown
    );
}
