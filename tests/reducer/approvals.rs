//! The two-person rule: whatever is pressed, seen and asked for, no step under it starts without another person's approval of
//! exactly what was armed.

use proptest::prelude::*;
use relight::{
    incident::{Moment, Person, Risk},
    journal::{Entry, Record},
};

use super::{
    properties::{Move, in_order, moves, play, sound},
    rig::{BEGIN, Rig},
};

const PLAN: &str =
    "[approvals]\nsteps = [\"destroy\", \"install\", \"write-values\"]\nexpires = \"20s\"\n";

const UNDER: [&str; 2] = ["install", "write-values"];

/// Another cockpit does something, or this one's step is armed and answered.
#[derive(Clone, Debug)]
enum Turn {
    Play(Move),
    Hear(&'static str),
    Try(&'static str),
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let heard = prop::sample::select(vec![
        "bob approves",
        "bob approves",
        "cay approves",
        "alice approves",
        "nobody approves",
        "bob approves something else",
    ]);
    let tried = prop::sample::select(vec!["write-values", "stop-old-cluster", "install"]);
    let one = prop_oneof![
        2 => moves().prop_map(|moves| Turn::Play(moves.into_iter().next().unwrap_or(Move::Wait(1)))),
        3 => heard.prop_map(Turn::Hear),
        4 => tried.prop_map(Turn::Try),
        1 => (1_i64..40).prop_map(|secs| Turn::Play(Move::Wait(secs))),
    ];
    prop::collection::vec(one, 1..60)
}

/// Everything that a destroy and two changes wait for.
fn ready() -> Rig {
    let mut rig = Rig::with(None, "", PLAN);
    for seen in [
        "accounts",
        "old cluster",
        "recovery storage",
        "session elsewhere",
    ] {
        rig.see(seen);
    }
    for step in ["stop-old-cluster", "write-values"] {
        rig.press(&format!("skip-needs {step}"));
    }
    rig
}

fn attempt(rig: &mut Rig, step: &str) {
    if rig.overlay() == "nothing" {
        rig.press(&format!("run {step}"));
        rig.press("drawn");
        rig.press("type uninstall teleport-cluster in east");
        rig.press("button");
    } else {
        rig.press("accept");
    }
}

/// Whether what was confirmed is under the rule and had its approval then.
fn approved(records: &[Record], at: usize, me: &Person) -> Result<bool, TestCaseError> {
    let Entry::Confirmed { run, .. } = &records[at].entry else {
        return Ok(false);
    };
    let armed = records[..at].iter().find_map(|before| match &before.entry {
        Entry::Armed(armed) if armed.run == *run => Some(armed),
        _ => None,
    });
    let armed = armed.ok_or_else(|| TestCaseError::fail("confirmed, never armed"))?;
    let under = armed.risk == Risk::Destroy || UNDER.contains(&armed.step.as_str());
    if armed.dry_run || !under {
        return Ok(false);
    }
    let good = records[..at].iter().any(|before| match &before.entry {
        Entry::Approved {
            run: of,
            digest,
            by,
            until,
            ..
        } => {
            of == run
                && *digest == armed.digest()
                && *until >= records[at].at
                && by.arn.is_some()
                && by.arn != me.arn
        }
        _ => false,
    });
    prop_assert!(
        good,
        "{run} was confirmed without another person's approval"
    );
    Ok(true)
}

fn walk(turns: &[Turn]) -> Result<(usize, Rig), TestCaseError> {
    let mut rig = ready();
    for turn in turns {
        match turn {
            Turn::Play(one) => play(&mut rig, std::slice::from_ref(one), false),
            Turn::Hear(told) => rig.hear(told),
            Turn::Try(step) => attempt(&mut rig, step),
        }
    }
    let mut started = 0;
    for at in 0..rig.records.len() {
        started += usize::from(approved(&rig.records, at, &rig.state.me)?);
    }
    Ok((started, rig))
}

#[test]
fn with_an_approval_it_starts() {
    let turns = [
        Turn::Try("stop-old-cluster"),
        Turn::Hear("bob approves"),
        Turn::Try("stop-old-cluster"),
    ];
    let (started, rig) = walk(&turns).expect("approved");
    assert_eq!(started, 1, "{}", rig.notice());
    assert!(rig.state.now >= Moment::from_secs(BEGIN));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_under_the_rule_starts_alone(turns in turns()) {
        let (_, rig) = walk(&turns)?;
        sound(&rig.records)?;
        in_order(&rig.records, &rig.state.runbook)?;
    }
}
