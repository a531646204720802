//! What must never happen, whatever is pressed and seen in whatever order.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use proptest::prelude::*;
use relight::{
    incident::{Evidence, Moment, Outcome, Risk, RunId, Runbook, StepId, Verdict},
    journal::{ArmedStep, Entry, Folder, Record},
    judge,
    plan::Plan,
    run::spec,
    state::Story,
};

use super::{
    facts,
    rig::{BEGIN, PLAN, Rig},
};

#[derive(Clone, Debug)]
pub(super) enum Move {
    See(usize),
    Press(String),
    Exit(usize, i32),
    Lose(usize),
    /// Everything that an override asks for, and the step's own dialog after it.
    Override(&'static str),
    Wait(i64),
    Break,
}

pub(super) fn moves() -> impl Strategy<Value = Vec<Move>> {
    let keys = prop::sample::select(vec![
        "accept",
        "dismiss",
        "button",
        "drawn",
        "type uninstall teleport-cluster in east",
        "type x",
        "paste y",
        "number 1",
        "number 2",
        "number 3",
        "number 4",
        "number 5",
        "number 6",
        "number 7",
        "number 8",
        "skip verify-backups",
        "skip stop-old-cluster",
        "cancel install",
        "dry stop-old-cluster",
        "dry install",
        "other-way stop-old-cluster",
        "run stop-old-cluster",
        "type nobody answers",
        "override stop-old-cluster",
        "override install",
        "override switch-dns",
        "type override stop-old-cluster",
        "type override install",
        "type override switch-dns",
    ]);
    let one = prop_oneof![
        4 => (0..facts::NAMES.len()).prop_map(Move::See),
        6 => keys.prop_map(|key| Move::Press(key.to_owned())),
        2 => (0_usize..8, prop::sample::select(vec![0, 1])).prop_map(|(step, code)| Move::Exit(step, code)),
        1 => (0_usize..8).prop_map(Move::Lose),
        2 => prop::sample::select(vec!["stop-old-cluster", "install", "switch-dns"]).prop_map(Move::Override),
        2 => (1_i64..40).prop_map(Move::Wait),
        1 => Just(Move::Break),
    ];
    prop::collection::vec(one, 1..60)
}

pub(super) fn play(rig: &mut Rig, moves: &[Move], breaks: bool) {
    let mut clock = rig.state.now.secs() - super::rig::BEGIN;
    for one in moves {
        match one {
            Move::See(index) => rig.see(facts::NAMES[*index]),
            Move::Press(key) => rig.press(key),
            Move::Exit(index, code) => {
                let step = rig.state.runbook.steps[*index].id.to_string();
                if rig
                    .state
                    .story
                    .in_order()
                    .any(|run| run.armed.step.as_str() == step)
                {
                    rig.exit(&step, *code);
                }
            }
            Move::Lose(index) => {
                let step = rig.state.runbook.steps[*index].id.to_string();
                if rig
                    .state
                    .story
                    .in_order()
                    .any(|run| run.armed.step.as_str() == step)
                {
                    rig.lose(&step);
                }
            }
            Move::Override(step) => {
                rig.press(&format!("override {step}"));
                for key in [
                    "drawn",
                    &format!("type override {step}"),
                    "accept",
                    "type because",
                    "accept",
                ] {
                    rig.press(key);
                }
                if rig.overlay() == "confirm" {
                    for key in [
                        "drawn",
                        "button",
                        "type uninstall teleport-cluster in east",
                        "accept",
                    ] {
                        rig.press(key);
                    }
                }
            }
            Move::Wait(secs) => {
                clock += secs;
                rig.at(clock);
            }
            Move::Break if breaks => rig.break_disk("disk full"),
            Move::Break => {}
        }
    }
}

/// A confirmation has what its dialog asked for.
fn answered(
    before: &[Record],
    run: &RunId,
    phrase: Option<&String>,
    note: Option<&String>,
) -> Result<(), TestCaseError> {
    let armed = before
        .iter()
        .rev()
        .find_map(|earlier| match &earlier.entry {
            Entry::Armed(armed) if armed.run == *run => Some(armed),
            _ => None,
        });
    let armed = armed.ok_or_else(|| TestCaseError::fail("confirmed, never armed"))?;
    prop_assert!(
        armed.risk != Risk::Destroy || phrase == armed.phrase.as_ref(),
        "{run}"
    );
    let noted = note.is_some_and(|note| !note.trim().is_empty());
    prop_assert!(!armed.by_hand || noted, "{run} without a note");
    Ok(())
}

/// Everything that must hold of any journal that a cockpit has written.
pub fn sound(records: &[Record]) -> Result<(), TestCaseError> {
    for (index, record) in records.iter().enumerate() {
        let before = &records[..index];
        match &record.entry {
            Entry::Started { run, .. } => {
                let confirmed = before.iter().find_map(|earlier| match &earlier.entry {
                    Entry::Confirmed {
                        run: of, phrase, ..
                    } if of == run => Some(phrase.clone()),
                    _ => None,
                });
                prop_assert!(
                    confirmed.is_some(),
                    "{run} started without a confirmation on disk"
                );
                let armed = before.iter().find_map(|earlier| match &earlier.entry {
                    Entry::Armed(armed) if armed.run == *run => Some(armed.clone()),
                    _ => None,
                });
                let Some(armed) = armed else {
                    return Err(TestCaseError::fail(format!(
                        "{run} started without being armed"
                    )));
                };
                if armed.risk == Risk::Destroy {
                    prop_assert_eq!(
                        confirmed.flatten(),
                        armed.phrase,
                        "{} without its phrase",
                        run
                    );
                }
                prop_assert!(
                    !before.iter().any(|earlier| matches!(&earlier.entry,
                    Entry::Started { run: of, .. } if of == run)),
                    "{run} started twice"
                );
            }
            Entry::Judged { run, .. }
                if before.iter().any(|earlier| {
                    matches!(&earlier.entry, Entry::Armed(armed)
                        if armed.run == *run && armed.evidence != Evidence::Seen)
                }) =>
            {
                return Err(TestCaseError::fail(format!(
                    "{run} has a verdict without a look"
                )));
            }
            Entry::Judged {
                verdict: Verdict::Pass,
                findings,
                evidence,
                run,
            } => {
                prop_assert!(!findings.is_empty(), "{run} passed on nothing");
                for finding in findings {
                    prop_assert_eq!(finding.outcome, Outcome::Pass);
                    prop_assert!(
                        !finding.evidence.is_empty(),
                        "{} passed without evidence: {}",
                        run,
                        finding.sentence
                    );
                }
                let ended = before.iter().find_map(|earlier| match &earlier.entry {
                    Entry::Exited { run: of, .. } | Entry::ContactLost { run: of, .. }
                        if of == run =>
                    {
                        Some(earlier.at)
                    }
                    _ => None,
                });
                prop_assert!(
                    ended.is_some() && !evidence.is_empty(),
                    "{run} passed without an end or without evidence in its record"
                );
                for seen in evidence {
                    prop_assert!(
                        Some(seen.at) >= ended,
                        "{run} passed on a look from before its end"
                    );
                }
            }
            Entry::Confirmed { run, phrase, note } => {
                answered(before, run, phrase.as_ref(), note.as_ref())?;
            }
            Entry::Armed(armed) if armed.waiver.is_some() => {
                let recorded = before.iter().any(|earlier| {
                    matches!(&earlier.entry, Entry::Overridden { step, waiver, phrase }
                        if *step == armed.step
                            && Some(waiver) == armed.waiver.as_ref()
                            && *phrase == format!("override {step}")
                            && !waiver.reason.trim().is_empty())
                });
                prop_assert!(recorded, "{} overridden without a record", armed.run);
            }
            _ => {}
        }
    }
    Ok(())
}

/// A step of which another needs that it passed or was passed over, as the journal alone tells.
#[derive(Default)]
struct Course {
    /// Steps whose newest real run passed.
    passed: BTreeSet<StepId>,
    /// Steps passed over and not run since.
    skipped: BTreeSet<StepId>,
    /// Real runs whose command may still be changing the world.
    live: Vec<ArmedStep>,
    armed: BTreeMap<RunId, ArmedStep>,
}

/// The order of the runbook was kept: nothing started before what it needs, a `destroy` step ran alone, and a dry run
/// was none.
pub fn in_order(records: &[Record], runbook: &Runbook) -> Result<(), TestCaseError> {
    let mut course = Course::default();
    for record in records {
        match &record.entry {
            Entry::Armed(armed) => {
                if armed.dry_run {
                    prop_assert_eq!((armed.risk, &armed.phrase), (Risk::Look, &None));
                }
                course.armed.insert(armed.run.clone(), (**armed).clone());
            }
            Entry::Skipped { step, .. } => {
                course.skipped.insert(step.clone());
            }
            Entry::Confirmed { run, .. } => course.confirmed(run, runbook)?,
            Entry::Exited { run, code, .. } => {
                course.live.retain(|live| live.run != *run);
                // Where nothing can be seen, an exit code or a person's word is all there is.
                let armed = &course.armed[run];
                if armed.evidence != Evidence::Seen && *code == Some(0) && !armed.dry_run {
                    course.passed.insert(armed.step.clone());
                }
            }
            Entry::ContactLost { run, .. } => course.live.retain(|live| live.run != *run),
            Entry::Judged { run, verdict, .. } => {
                let armed = &course.armed[run];
                prop_assert!(!armed.dry_run, "{run} was judged and did nothing");
                if *verdict == Verdict::Pass {
                    course.passed.insert(armed.step.clone());
                }
            }
            _ => {}
        }
    }
    Ok(())
}

impl Course {
    fn confirmed(&mut self, run: &RunId, runbook: &Runbook) -> Result<(), TestCaseError> {
        let armed = self.armed[run].clone();
        if armed.dry_run {
            return Ok(());
        }
        let step = runbook.get(&armed.step).expect("a step of the runbook");
        for need in &step.needs {
            prop_assert!(
                self.passed.contains(need) || self.skipped.contains(need),
                "{run} started before {need} had passed"
            );
        }
        let beside = self.live.iter().find(|live| {
            live.step != step.id && (live.risk == Risk::Destroy || armed.risk == Risk::Destroy)
        });
        prop_assert!(beside.is_none(), "{run} started beside {beside:?}");
        prop_assert!(
            self.live.iter().all(|live| live.step != step.id),
            "{run} started twice at a time"
        );
        self.passed.remove(&step.id);
        self.skipped.remove(&step.id);
        self.live.push(armed);
        Ok(())
    }
}

/// No run starts while a precondition of its step is seen to FAIL, whatever was overridden; and none while one is
/// UNKNOWN that was not waived by name.
fn unlocked(rig: &Rig, record: &Record) -> Result<(), TestCaseError> {
    let Entry::Confirmed { run, .. } = &record.entry else {
        return Ok(());
    };
    let Some(run) = rig.state.story.runs.get(run) else {
        return Ok(());
    };
    let step = rig.state.runbook.get(&run.armed.step).expect("a step");
    let step = step.by(run.armed.way);
    if run.armed.dry_run {
        return Ok(());
    }
    for pre in &step.pre {
        let finding = judge::condition(*pre, &rig.state.sight());
        let waived = run.armed.waiver.iter().flat_map(|waiver| &waiver.waived);
        let waived = waived.map(|waived| waived.condition.as_str());
        prop_assert!(
            finding.outcome == Outcome::Pass
                || finding.outcome == Outcome::Unknown
                    && waived.clone().any(|name| name == pre.name()),
            "{} was confirmed with {pre} {:?}: {}",
            run.armed.run,
            finding.outcome,
            finding.sentence
        );
    }
    Ok(())
}

/// Whatever a step does, the process of its dry run is told so, or nothing is started at all.
#[test]
fn the_child_of_a_dry_run_is_told_so() {
    let plan = Plan::parse(Path::new("/plans/relight.toml"), PLAN).expect("plan.toml");
    let runbook = Runbook::parse(Runbook::EMBEDDED).expect("the runbook");
    let nowhere = Folder::at(Path::new("/nowhere"));
    let mut made = 0;
    for step in &runbook.steps {
        let run = RunId::new(&step.id, 1, Moment::from_secs(BEGIN));
        for dry_run in [true, false] {
            // What the plan lacks locks the step, dry or not.
            let Ok(spec) = spec::for_step(step, &plan, &run, 1, &nowhere, dry_run) else {
                continue;
            };
            let told = spec.argv.last().is_some_and(|last| last == "--dry-run");
            assert_eq!(
                spec.dry_run && (told || spec.print_only),
                dry_run,
                "{}",
                step.id
            );
            made += 1;
        }
    }
    assert!(
        made >= runbook.steps.len(),
        "hardly a step was made: {made}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_start_without_confirmation_and_no_pass_without_evidence(moves in moves()) {
        let mut rig = Rig::new(None);
        play(&mut rig, &moves, true);
        sound(&rig.records)?;
        in_order(&rig.records, &rig.state.runbook)?;
    }

    #[test]
    fn nothing_starts_that_is_locked(moves in moves()) {
        let mut rig = Rig::new(None);
        let mut seen = rig.records.len();
        for one in &moves {
            play(&mut rig, std::slice::from_ref(one), false);
            for at in seen..rig.records.len() {
                unlocked(&rig, &rig.records[at])?;
            }
            seen = rig.records.len();
        }
        in_order(&rig.records, &rig.state.runbook)?;
    }

    #[test]
    fn dry_runs_start_no_step_for_real(moves in moves(), steps in prop::collection::vec(0_usize..8, 1..8)) {
        let mut rig = Rig::new(None);
        let ids: Vec<StepId> = rig.state.runbook.steps.iter().map(|step| step.id.clone()).collect();
        for (one, index) in moves.iter().zip(steps.iter().cycle()) {
            if !matches!(one, Move::Press(_) | Move::Override(_)) {
                play(&mut rig, std::slice::from_ref(one), false);
            }
            rig.press(&format!("dry {}", ids[*index]));
        }
        for record in &rig.records {
            prop_assert!(!matches!(record.entry, Entry::Judged { .. }), "a dry run was judged");
            if let Entry::Armed(armed) = &record.entry {
                prop_assert!(armed.dry_run && armed.risk == Risk::Look && armed.phrase.is_none());
            }
        }
    }

    #[test]
    fn no_override_of_a_fail(moves in moves()) {
        let mut rig = Rig::new(None);
        // Everything before the gates is skipped, so that they are what is left.
        for step in ["verify-backups", "stop-old-cluster", "write-values", "wait-for-pods", "load-balancer"] {
            rig.press(&format!("skip {step}"));
            rig.press("type x");
            rig.press("accept");
        }
        let mut seen = rig.records.len();
        for one in &moves {
            play(&mut rig, std::slice::from_ref(one), false);
            for at in seen..rig.records.len() {
                unlocked(&rig, &rig.records[at])?;
            }
            seen = rig.records.len();
        }
        sound(&rig.records)?;
    }

    #[test]
    fn a_journal_replays_to_the_same_story(moves in moves()) {
        let mut rig = Rig::new(None);
        play(&mut rig, &moves, false);
        prop_assert_eq!(Story::of(&rig.records), rig.state.story);
    }

    #[test]
    fn read_only_starts_nothing_above_look(moves in moves()) {
        let mut rig = Rig::new(Some("read-only"));
        play(&mut rig, &moves, false);
        for record in &rig.records {
            if let Entry::Armed(armed) = &record.entry {
                prop_assert!(armed.risk == Risk::Look, "{} was armed", armed.step);
            }
        }
    }

    #[test]
    fn an_observer_writes_nothing(moves in moves()) {
        let mut rig = Rig::new(Some("bob is the operator"));
        play(&mut rig, &moves, false);
        // The declaration was there before.
        prop_assert_eq!(rig.records.len(), 1);
    }
}
