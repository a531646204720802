//! The mind, walked by data: each file in `scenarios/` is an incident told as events, with what must come of them.
//!
//! ```toml
//! about = "Exit code 0 with crash-looping pods never passes"
//!
//! [[then]]
//! at = 5                              # seconds since the beginning
//! see = ["recovery pods looping"]     # readings, by the names in facts.rs
//! took = { install = 1200 }           # seconds that steps took in an earlier incident
//! disk = "the disk is full"           # from here on nothing can be written; "" makes room again
//! press = ["run wait-for-pods"]       # intents, by the names in rig.rs
//! exit = { step = "wait-for-pods", code = 0 }
//! steps = { wait-for-pods = "FAIL" }  # expected: where steps stand
//! says = "CrashLoopBackOff"           # expected: part of the notice line
//! why = { wait-for-pods = "Crash" }   # expected: part of the sentence of a step that is locked, settling or failed
//! starts = ["wait-for-pods"]          # expected: exactly these runs were started by this entry
//! repeats = { stop-old-cluster = true } # expected: whether a step's newest run repeats one whose end nobody saw
//! elapsed = 720                       # expected: seconds on the recovery's clock
//! next = "pause-reconcilers"          # expected: the step that is next
//! loses = 720                         # expected: seconds of data that are lost
//! shown = "wait-for-pods"             # expected: whose output is shown
//! alarms = ["IS BACK"]               # expected: exactly these alarms, each a part of one, in their order
//! hear = ["bob accepts"]              # what comes from other cockpits, by the names in rig.rs, after the keys
//! wrote = ["handed_over"]             # expected: kinds of exactly the records of this entry
//! asks = ["accept 7"]                 # expected: exactly this was asked of the operator's cockpit
//! overlay = "confirm"                 # expected: what lies over the panes
//! ```

mod approvals;
pub mod facts;
mod gates;
mod isolated;
pub mod properties;
pub mod rig;

use std::{collections::BTreeMap, path::Path};

use relight::judge;
use rig::Rig;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    about: String,
    #[serde(default)]
    access: Option<String>,
    /// Steps of the operator's own.
    #[serde(default)]
    own: String,
    /// More of the plan.
    #[serde(default)]
    plan: String,
    then: Vec<Then>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Then {
    at: Option<i64>,
    see: Vec<String>,
    press: Vec<String>,
    hear: Vec<String>,
    wrote: Option<Vec<String>>,
    asks: Vec<String>,
    exit: Option<Exit>,
    lost: Option<String>,
    disk: Option<String>,
    steps: BTreeMap<String, String>,
    why: BTreeMap<String, String>,
    says: Option<String>,
    starts: Vec<String>,
    cancels: Vec<String>,
    shown: Option<String>,
    repeats: BTreeMap<String, bool>,
    took: BTreeMap<String, u64>,
    elapsed: Option<u64>,
    loses: Option<u64>,
    next: Option<String>,
    overlay: Option<String>,
    alarms: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exit {
    step: String,
    code: i32,
}

#[test]
fn every_scenario_comes_out_as_told() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reducer/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("tests/reducer/scenarios")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no scenario in {}", folder.display());
    let failed: Vec<String> = files.iter().filter_map(|file| walk(file).err()).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Walks one scenario to its first entry that comes out otherwise, and names it.
fn walk(file: &Path) -> Result<(), String> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let text = std::fs::read_to_string(file).map_err(|error| format!("{name}: {error}"))?;
    let scenario: Scenario =
        toml::from_str(&text).map_err(|error| format!("{name} is no scenario: {error}"))?;
    if scenario.about.is_empty() {
        return Err(format!("{name} says nothing of itself"));
    }
    let mut rig = Rig::with(scenario.access.as_deref(), &scenario.own, &scenario.plan);
    for (index, then) in scenario.then.iter().enumerate() {
        rig.forget();
        let from = rig.records.len();
        if let Some(why) = &then.disk {
            rig.break_disk(why);
        }
        if let Some(at) = then.at {
            rig.at(at);
        }
        if !then.took.is_empty() {
            rig.took(&then.took);
        }
        for name in &then.see {
            rig.see(name);
        }
        for key in &then.press {
            rig.press(key);
        }
        if let Some(exit) = &then.exit {
            rig.exit(&exit.step, exit.code);
        }
        if let Some(step) = &then.lost {
            rig.lose(step);
        }
        for told in &then.hear {
            rig.hear(told);
        }
        if let Some(wanted) = &then.wrote
            && rig.wrote(from) != *wanted
        {
            let got = rig.wrote(from);
            return Err(format!(
                "{name}, entry {}: wrote {got:?}, not {wanted:?}",
                index + 1
            ));
        }
        if rig.asked() != then.asks {
            let got = rig.asked();
            return Err(format!(
                "{name}, entry {}: asked {got:?}, not {:?}: {}",
                index + 1,
                then.asks,
                rig.notice()
            ));
        }
        check(then, &rig).map_err(|text| format!("{name}, entry {}: {text}", index + 1))?;
    }
    Ok(())
}

fn check(then: &Then, rig: &Rig) -> Result<(), String> {
    for (step, wanted) in &then.steps {
        let got = rig.step_word(step);
        if &got != wanted {
            return Err(format!(
                "{step} is {got}, not {wanted}: {}",
                rig.step_why(step)
            ));
        }
    }
    for (step, wanted) in &then.why {
        let got = rig.step_why(step);
        if !got.contains(wanted.as_str()) {
            return Err(format!(
                "{step} says {got:?}, which does not hold {wanted:?}"
            ));
        }
    }
    if let Some(wanted) = &then.says {
        let got = rig.notice();
        if !got.contains(wanted.as_str()) {
            return Err(format!(
                "the notice is {got:?}, which does not hold {wanted:?}"
            ));
        }
    }
    if let Some(wanted) = &then.alarms {
        let got = rig.alarms();
        let fits = got.len() == wanted.len()
            && got
                .iter()
                .zip(wanted)
                .all(|(got, wanted)| got.contains(wanted));
        if !fits {
            return Err(format!("the alarms are {got:?}, not {wanted:?}"));
        }
    }
    for (step, wanted) in &then.repeats {
        if rig.repeats(step) != *wanted {
            return Err(format!("{step} repeats a lost run: {}", !wanted));
        }
    }
    if rig.started() != then.starts {
        return Err(format!(
            "started {:?}, not {:?}: {}",
            rig.started(),
            then.starts,
            rig.notice()
        ));
    }
    if rig.cancelled() != then.cancels {
        return Err(format!(
            "cancelled {:?}, not {:?}",
            rig.cancelled(),
            then.cancels
        ));
    }
    if let Some(wanted) = then.elapsed {
        let got = rig.state.elapsed().map(|elapsed| elapsed.as_secs());
        if got != Some(wanted) {
            return Err(format!("the clock says {got:?}, not {wanted}"));
        }
    }
    if let Some(wanted) = &then.next {
        let got = rig.state.next_step().map(|step| step.id.as_str());
        if got != Some(wanted) {
            return Err(format!("next is {got:?}, not {wanted}"));
        }
    }
    if let Some(wanted) = then.loses {
        let loss = judge::backups::worst_loss(&rig.state.sight(), rig.state.chosen());
        let got = loss.map(|loss| loss.as_secs());
        if got != Some(wanted) {
            return Err(format!("{got:?} seconds of data are lost, not {wanted}"));
        }
    }
    if let Some(wanted) = &then.shown {
        let got = rig.state.shown_run().map(|run| run.armed.step.as_str());
        if got != Some(wanted) {
            return Err(format!("the output of {got:?} is shown, not of {wanted}"));
        }
    }
    if let Some(wanted) = &then.overlay
        && rig.overlay() != wanted
    {
        return Err(format!(
            "over the panes lies {:?}, not {wanted:?}",
            rig.overlay()
        ));
    }
    Ok(())
}
