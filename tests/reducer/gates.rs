//! The gate before the names: a cluster with other certificate authorities does not get them, whatever else is seen and
//! pressed. (The guide, "Misconfigured backend connections"; facts/teleport.md 4.6.)

use proptest::prelude::*;
use relight::{incident::Condition, journal::Entry};

use super::{
    facts,
    properties::{Move, moves, play},
    rig::Rig,
};

/// Everything that a switch of the names waits for, but for the door.
fn before_the_switch() -> Rig {
    let mut rig = Rig::new(None);
    for seen in [
        "accounts",
        "old cluster gone",
        "recovery storage",
        "values",
        "recovery pods ready",
        "names unowned",
    ] {
        rig.see(seen);
    }
    rig.press("skip-needs switch-dns");
    rig
}

/// Asks for each step that moves the names, in every way there is.
fn ask(rig: &mut Rig) {
    for step in ["switch-dns", "route-by-arc"] {
        for key in [
            &*format!("run {step}"),
            "drawn",
            "button",
            "accept",
            "dismiss",
        ] {
            rig.press(key);
        }
        for key in [
            &*format!("override {step}"),
            "drawn",
            &*format!("type override {step}"),
            "accept",
            "type because I say so",
            "accept",
            "drawn",
            "button",
            "accept",
            "dismiss",
        ] {
            rig.press(key);
        }
    }
}

/// How many runs were confirmed that move the names.
fn moved(rig: &Rig) -> usize {
    let names = |run| {
        let run = rig.state.story.runs.get(run);
        let run = run.filter(|run| !run.armed.dry_run);
        let step = run.and_then(|run| rig.state.runbook.get(&run.armed.step));
        step.is_some_and(|step| {
            step.risk > relight::incident::Risk::Look
                && step.post.contains(&Condition::DnsPublished)
        })
    };
    let confirmed = rig.records.iter().filter(|record| match &record.entry {
        Entry::Confirmed { run, .. } => names(run),
        _ => false,
    });
    confirmed.count()
}

#[test]
fn the_old_authorities_get_the_names() {
    let mut rig = before_the_switch();
    rig.see("new door");
    ask(&mut rig);
    assert!(moved(&rig) > 0, "else what is below says nothing");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn other_authorities_never_do(moves in moves()) {
        let mut rig = before_the_switch();
        rig.see("new door with new authorities");
        ask(&mut rig);
        for one in &moves {
            // Other things may be seen of the world, and no other door.
            let door = matches!(one, Move::See(index) if facts::NAMES[*index].starts_with("new door"));
            if !door {
                play(&mut rig, std::slice::from_ref(one), false);
            }
            rig.see("new door with new authorities");
            ask(&mut rig);
        }
        prop_assert_eq!(moved(&rig), 0);
    }
}
