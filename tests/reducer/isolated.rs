//! An isolated drill runs beside all that is real: whatever is pressed and seen in whatever order, nothing is started that
//! it is not allowed to run, and it is not closed while what it made is there.

use proptest::prelude::*;

use super::{
    facts,
    properties::{Move, moves, play},
    rig::Rig,
};

/// What an isolated drill may run: spelled out, since the list is what everything rests on.
const MAY: [&str; 14] = [
    "verify-backups",
    "record-black-box",
    "check-prerequisites",
    "restore-tables",
    "repair-tables",
    "check-state-table",
    "write-values",
    "check-rights",
    "check-certificate",
    "install",
    "wait-for-pods",
    "load-balancer",
    "teardown",
    // The operator's own, which says that it is safe.
    "of-drills",
];

/// Steps of the operator's own: one says nothing, one says that a drill may run it.
const OWN: &str = r#"
[[step]]
id = "of-incidents"
title = "Scale the agents up"
about = "They go through this cluster."
risk = "change"
argv = ["scale", "{cluster.release}"]
evidence = "exit"
before = "verify-backups"

[[step]]
id = "of-drills"
title = "Write it down"
about = "It touches nothing."
risk = "look"
argv = ["note", "{cluster.release}"]
evidence = "exit"
isolated = true
after = "of-incidents"
"#;

fn begun() -> Rig {
    let mut rig = Rig::isolated(OWN);
    for seen in ["accounts", "empty recovery", "old cluster", "drill there"] {
        rig.see(seen);
    }
    rig
}

/// Asks for a step in every way there is.
fn ask(rig: &mut Rig, step: &str) {
    let phrase = rig.phrase(step);
    for way in ["", "other-way"] {
        if !way.is_empty() {
            rig.press(&format!("{way} {step}"));
        }
        for key in [
            format!("run {step}"),
            "drawn".to_owned(),
            "button".to_owned(),
            format!("type {phrase}"),
            "accept".to_owned(),
            "dismiss".to_owned(),
            format!("override {step}"),
            "drawn".to_owned(),
            format!("type override {step}"),
            "accept".to_owned(),
            "type because I say so".to_owned(),
            "accept".to_owned(),
            "drawn".to_owned(),
            "button".to_owned(),
            format!("type {phrase}"),
            "accept".to_owned(),
            "dismiss".to_owned(),
        ] {
            rig.press(&key);
        }
    }
}

fn steps(rig: &Rig) -> Vec<String> {
    let steps = rig.state.runbook.steps.iter();
    steps.map(|step| step.id.to_string()).collect()
}

fn barred(rig: &Rig) -> Option<&String> {
    rig.started()
        .iter()
        .find(|step| !MAY.contains(&step.as_str()))
}

#[test]
fn what_is_locked_says_why_and_what_is_allowed_runs() {
    let mut rig = begun();
    for step in steps(&rig) {
        let word = rig.step_word(&step);
        if MAY.contains(&step.as_str()) {
            continue;
        }
        assert_eq!(word, "locked", "{step}");
        let why = rig.step_why(&step);
        assert!(why.contains("isolated drill leaves"), "{step}: {why}");
    }
    for step in [
        "of-drills",
        "verify-backups",
        "restore-tables",
        "write-values",
        "teardown",
    ] {
        rig.press(&format!("skip-needs {step}"));
        ask(&mut rig, step);
        assert!(
            rig.started().contains(&step.to_owned()),
            "{step}: {}",
            rig.notice()
        );
        rig.exit(step, 1);
        rig.at(rig.since_begin() + 400);
        rig.see("accounts");
        rig.see("empty recovery");
    }
}

#[test]
fn it_goes_on_past_what_is_locked_to_its_own_end() {
    let mut rig = begun();
    let mut way = Vec::new();
    while let Some(next) = rig.state.next_step().map(|step| step.id.to_string()) {
        assert!(way.len() < 40, "{way:?}");
        way.push(next.clone());
        if next == "teardown" {
            break;
        }
        rig.press(&format!("skip {next}"));
        rig.press("type of the test");
        rig.press("accept");
    }
    let expected: Vec<&str> = ["of-drills"].into_iter().chain(MAY).take(14).collect();
    assert_eq!(way, expected);
    // The way is what is before the teardown: its time is not a part of what the recovery took.
    assert!(rig.state.recovered().is_some());
}

#[test]
fn it_is_closed_when_what_it_made_is_gone_or_left_with_a_reason() {
    let mut rig = begun();
    rig.press("close");
    assert_eq!(rig.overlay(), "nothing");
    let notice = rig.notice();
    assert!(
        notice.contains("not taken down (still there: table"),
        "{notice}"
    );
    rig.see("drill gone");
    rig.press("close");
    assert_eq!(rig.overlay(), "reason");
    rig.press("dismiss");

    rig.see("drill there");
    rig.press("skip teardown");
    rig.press("accept");
    assert!(
        rig.notice().contains("a reason is needed"),
        "{}",
        rig.notice()
    );
    rig.press("type somebody looks at it");
    rig.press("accept");
    assert!(rig.state.leaves_things());
    rig.press("close");
    assert_eq!(rig.overlay(), "reason");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_else_is_ever_started(moves in moves(), asked in prop::collection::vec(0_usize..60, 1..12)) {
        let mut rig = begun();
        let steps = steps(&rig);
        let mut asked = asked.iter().cycle();
        for one in &moves {
            // What a real incident sees is seen here, too, and every step is asked for on the way.
            play(&mut rig, std::slice::from_ref(one), !matches!(one, Move::Break));
            if let Some(step) = asked.next().and_then(|at| steps.get(at % steps.len())) {
                rig.press(&format!("skip-needs {step}"));
                ask(&mut rig, step);
            }
            prop_assert_eq!(barred(&rig), None);
        }
        prop_assert!(facts::NAMES.contains(&"drill there"));
    }
}
