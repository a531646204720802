//! `relight drill`: an incident declared as an exercise on the real regions. From its first record on it is worked, watched and
//! told like any other; that it is a drill stands in that record, and so in the header and in every report.

pub mod isolated;

use std::fmt::Write as _;

use super::{
    Setup, history,
    memory::{declaration, keep_plan},
};
use crate::{
    incident::{Moment, brief},
    journal::{Claim, Entry, Folder, Kind, Lock, OpenIncident, StateDir, Tail, Writer},
    plan::Plan,
};

/// Nothing was declared; as the exit code of a step that is refused.
const REFUSED: u8 = 3;

/// The phrase by which a drill is declared.
fn phrase(plan: &Plan) -> String {
    format!("drill {}", plan.cluster.name)
}

/// What a full drill would be, who is cut off by it, and how it is declared. `again` is the command line that opens the
/// cockpit on the plan.
#[must_use]
pub fn outline(setup: &Setup, again: &str) -> String {
    let plan = &setup.plan;
    let mut text = told(setup);
    let _ = write!(
        text,
        "\n\ndeclare it: {again} drill full --yes \"{}\"\nbeside all that is real, which it leaves alone: {again} drill isolated\n",
        phrase(plan)
    );
    text
}

/// What is really done.
fn told(setup: &Setup) -> String {
    let plan = &setup.plan;
    let (cluster, primary, recovery) = (&plan.cluster.name, &plan.primary, &plan.recovery);
    let history = history::history(plan, setup.open.state_dir.as_deref());
    let drilled = history.drills.told(Moment::now(), plan.objectives.rto);
    let drilled = drilled.unwrap_or_else(|| "when it was last drilled is not known".to_owned());
    let lines = [
        format!("a full drill of {cluster}: stop in {}, redeploy in {}", primary.region, recovery.region),
        drilled,
        format!(
            "REALLY DONE, on the real regions: release {} is stopped in {}, tables are restored and the chart is installed in {}, \
             the names {} are switched",
            plan.cluster.release,
            primary.region,
            recovery.region,
            plan.dns.names.join(", ")
        ),
        format!(
            "users, agents and bots of {cluster} are cut off from the stop to the switch; what is written after the copies were \
             made is lost: the RPO is {}, the RTO {}",
            brief(plan.objectives.rpo),
            brief(plan.objectives.rto)
        ),
        "the way back is the step Abort, and after the cut-over Revert DNS".to_owned(),
        "declaring it changes nothing: each step asks as on the day; `relight check` before it says what is not ready".to_owned(),
    ];
    lines.join("\n  ")
}

/// Declares a full drill. The text, and the exit code: 0 declared or open already, 3 refused.
///
/// # Errors
/// In words, if the state folder cannot be used or the declaration cannot be written.
pub fn declare(setup: &Setup, yes: Option<&str>, again: &str) -> Result<(String, u8), String> {
    let plan = &setup.plan;
    if let Some(why) = never(setup) {
        return Ok(refused(&why));
    }
    let dir = setup.open.state_dir.as_deref();
    let state = StateDir::locate(dir).map_err(|error| error.to_string())?;
    let found = state.find_open(plan).map_err(|error| error.to_string())?;
    if let Some(open) = found.first() {
        return Ok(beside(open, again));
    }
    let wanted = phrase(plan);
    if yes.map(str::trim) != Some(wanted.as_str()) {
        return Ok(refused(&format!(
            "{}\nit asks for its phrase: --yes \"{wanted}\"",
            told(setup)
        )));
    }
    let now = Moment::now();
    let folder = state
        .create(&plan.cluster.name, now)
        .map_err(|error| error.to_string())?;
    keep_plan(plan, &folder);
    begin(setup, plan, Kind::Drill, &folder, now)?;
    let text = format!(
        "DRILL of {} declared at {now}: {}\n  the clock runs; go on with: {again}\n  close it with E in the cockpit",
        plan.cluster.name,
        folder.path().display()
    );
    Ok((text, 0))
}

/// Why no drill can be declared from here, whichever.
fn never(setup: &Setup) -> Option<String> {
    if setup.open.read_only {
        return Some("opened with --read-only".to_owned());
    }
    if setup.plan.practice {
        return Some(
            "this is a practice, which is one from its first step: drills are for real regions"
                .to_owned(),
        );
    }
    setup.plan.isolated().map(|drill| {
        format!(
            "this is the plan of isolated drill {}, made of {}: declare another with that one",
            drill.stamp,
            drill.of.display()
        )
    })
}

fn refused(why: &str) -> (String, u8) {
    (format!("refused: {why}; nothing was declared"), REFUSED)
}

/// Writes the first record of a drill into its folder.
fn begin(
    setup: &Setup,
    plan: &Plan,
    what: Kind,
    folder: &Folder,
    now: Moment,
) -> Result<(), String> {
    let claim = Claim {
        operator: setup.me.name(),
        host: setup.me.host.clone(),
        floor: 0,
    };
    let lock = Lock::take(folder, &claim).map_err(|error| error.to_string())?;
    let mut writer = Writer::open(&lock, folder.journal(), Tail::default())
        .map_err(|error| error.to_string())?;
    for entry in [declaration(plan, what, now), Entry::Detached] {
        writer
            .append(&lock, now, entry)
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// What is open already: a drill is gone on with, and nothing is declared beside an incident.
fn beside(open: &OpenIncident, again: &str) -> (String, u8) {
    let name = open.folder.name();
    if open.what == Kind::Drill {
        let text = format!(
            "drill {name} is open since {}; go on with: {again}",
            open.at
        );
        return (text, 0);
    }
    let text = format!(
        "refused: {name} is open and is no drill but {}: close it first; nothing was declared",
        open.what.word()
    );
    (text, REFUSED)
}
