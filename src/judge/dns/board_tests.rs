use super::*;
use crate::judge::dns::fixture::{NAMES, Readings, answer, changed, plan};

const OLD: &[&str] = &["192.0.2.1"];
const NEW: &[&str] = &["198.51.100.1"];

fn title(readings: &Readings) -> (Health, String) {
    let plan = plan();
    let assessment = board(&readings.sight(&plan)).assessment;
    (assessment.health, assessment.sentence)
}

#[test]
fn the_title_tells_both_clocks() {
    let mut switched = Readings::all(NEW);
    for name in NAMES {
        let mut old = answer(OLD);
        old.ttl = Some(46);
        switched.put("10.0.0.2", name, 4, old);
    }
    let mut half = Readings::all(OLD);
    half.put("ns-1", NAMES[0], 1, answer(NEW));
    let mut failing = Readings::all(NEW);
    for name in NAMES {
        failing.silent("10.0.0.2", name, 1);
    }
    let cases = [
        (Readings::default(), Health::Unknown, "no answer seen yet"),
        (
            Readings::all(OLD),
            Health::Degraded,
            "authority 0/2 NEW · caches 0/2 NEW",
        ),
        (
            half,
            Health::Degraded,
            "authority 0/2 NEW, 1 MIXED · caches 0/2 NEW",
        ),
        (
            switched,
            Health::Degraded,
            "authority 2/2 NEW · caches 1/2 NEW · last old copy dies ≤ 42s",
        ),
        (
            failing,
            Health::Ok,
            "authority 2/2 NEW · caches 1/2 NEW, 1 TIMEOUT",
        ),
        (
            Readings::all(NEW),
            Health::Ok,
            "authority 2/2 NEW · caches 2/2 NEW",
        ),
        (
            Readings::all(&[]),
            Health::Down,
            "authority 0/2 NEW, 2 EMPTY · caches 0/2 NEW, 2 EMPTY",
        ),
    ];
    for (readings, health, sentence) in cases {
        assert_eq!(title(&readings), (health, sentence.to_owned()));
    }
}

#[test]
fn an_old_copy_beyond_every_honest_ttl_is_named() {
    let mut readings = Readings::all(OLD);
    for name in NAMES {
        for server in ["ns-1", "ns-2"] {
            readings.put(server, name, 1, changed(70, 60, NEW));
        }
    }
    assert!(
        title(&readings)
            .1
            .contains("PAST-TTL 10.0.0.1 office, 10.0.0.2")
    );
    for name in NAMES {
        for server in ["ns-1", "ns-2"] {
            readings.put(server, name, 0, changed(50, 60, NEW));
        }
    }
    assert!(!title(&readings).1.contains("PAST-TTL"));
}

#[test]
fn rows_stand_in_the_order_of_the_pane_and_their_ttl_runs_out() {
    let (readings, plan) = (Readings::all(OLD), plan());
    let rows = board(&readings.sight(&plan)).rows;
    let order: Vec<_> = rows
        .iter()
        .map(|row| (row.label.as_str(), row.name.as_str()))
        .collect();
    assert_eq!(
        order,
        [
            ("10.0.0.1 office", NAMES[0]),
            ("10.0.0.1 office", NAMES[1]),
            ("10.0.0.2", NAMES[0]),
            ("10.0.0.2", NAMES[1]),
            ("ns-1", NAMES[0]),
            ("ns-1", NAMES[1]),
            ("ns-2", NAMES[0]),
            ("ns-2", NAMES[1]),
        ]
    );
    assert_eq!(rows[0].ttl, Some(55), "seen 5 s ago with 60");
    assert_eq!(rows[4].ttl, Some(60), "an authority's TTL does not run out");
    let fraction = rows[0].fraction.expect("a bar");
    assert!((fraction - 55.0 / 60.0).abs() < 0.001, "{fraction}");
    assert_eq!(
        rows[0].dies,
        Some(readings.sight(&plan).now.plus(Duration::from_secs(55)))
    );
}

#[test]
fn what_is_stale_is_unknown_and_keeps_its_age() {
    let mut readings = Readings::default();
    readings.put("10.0.0.1", NAMES[0], 40, answer(NEW));
    let plan = plan();
    let rows = board(&readings.sight(&plan)).rows;
    assert_eq!(rows[0].class, Class::Unknown);
    assert_eq!(rows[0].age, Some(Duration::from_secs(40)));
    assert_eq!(rows[0].ttl, Some(20));
}

#[test]
fn a_server_that_is_no_longer_asked_leaves_the_pane() {
    let mut readings = Readings::all(NEW);
    readings.put("ns-gone", NAMES[0], 300, answer(OLD));
    let plan = plan();
    let rows = board(&readings.sight(&plan)).rows;
    assert!(rows.iter().all(|row| row.label != "ns-gone"));
}

#[test]
fn a_control_plane_that_does_not_answer_comes_first_until_the_switch_is_made() {
    use crate::incident::{Failure, FailureKind, Observation, Subject};
    let mut plan = plan();
    plan.dns.zone_id = Some("Z1".to_owned());
    let told = |addresses: &[&str]| {
        let mut readings = Readings::all(addresses);
        readings.0.take(Observation {
            subject: Subject::Zone,
            at: crate::judge::dns::fixture::NOW,
            took: std::time::Duration::ZERO,
            outcome: Err(Failure::new(FailureKind::Timeout, "no answer in 8 s")),
        });
        board(&readings.sight(&plan)).assessment
    };
    let before = told(OLD);
    assert!(
        before
            .sentence
            .starts_with("Route 53 no answer: a switch may not be possible now · authority"),
        "{}",
        before.sentence
    );
    let after = told(NEW);
    assert!(
        after.sentence.starts_with("authority 2/2 NEW"),
        "{}",
        after.sentence
    );
    assert_eq!(after.health, Health::Ok);
}
