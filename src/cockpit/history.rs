//! How long steps took before: read off the loop, once, from the other incidents in the state folder.

use std::path::Path;

use crate::{
    incident::{Drill, Drills, History},
    journal::{Entry, Folder, Kind, Replay, StateDir},
    plan::Plan,
    state::{Story, clocks},
};

/// So many incidents are read, the newest: a journal of 50,000 records takes a quarter of a second.
const MOST: usize = 50;

/// What the incidents and drills of the plan's cluster tell, but the one that is open now. A practice goes by practices and
/// nothing else does: nothing in them takes as long as it does. What cannot be read is passed over: a forecast is a
/// convenience.
pub(super) fn history(plan: &Plan, state_dir: Option<&Path>) -> History {
    let mut history = History::default();
    let Ok(state) = StateDir::locate(state_dir) else {
        return history;
    };
    let open = state.find_open(plan).unwrap_or_default();
    let open = open.first().map(|open| open.folder.clone());
    let Ok(folders) = state.incidents() else {
        return history;
    };
    let earlier = folders
        .into_iter()
        .filter(|folder| Some(folder) != open.as_ref());
    history.drills = Drills::Never;
    gather(&mut history, plan, earlier);
    history
}

/// What those tell that were declared before an incident: what its forecast rested on.
pub(super) fn before(plan: &Plan, incident: &Folder) -> History {
    let mut history = History::default();
    let beside = incident.path().parent().map(StateDir::at);
    let Some(Ok(state)) = beside else {
        return history;
    };
    let folders = state.incidents().unwrap_or_default();
    let earlier = folders
        .into_iter()
        .filter(|folder| folder.name() < incident.name());
    gather(&mut history, plan, earlier);
    history
}

fn gather(history: &mut History, plan: &Plan, folders: impl Iterator<Item = Folder>) {
    // Of what is over, only whether all of it was done depends on the runbook.
    let runbook = super::runbook(plan).ok();
    let isolated = runbook.clone().and_then(|runbook| runbook.isolated().ok());
    for folder in folders.take(MOST) {
        let Some(story) = story(&folder, plan) else {
            continue;
        };
        history.add(story.durations());
        let drilled = story
            .declared
            .as_ref()
            .filter(|declared| declared.what != Kind::Incident);
        // Newest first: the first is the last. What an isolated one took is no time of a whole recovery.
        if let Some(declared) = drilled {
            let beside = declared.what == Kind::Isolated;
            let steps = if beside { &isolated } else { &runbook };
            let done = steps
                .as_ref()
                .and_then(|steps| clocks::recovered(steps, &story));
            let drill = Drill {
                incident: folder.name(),
                at: declared.at,
                took: done.map(|done| done.since(declared.outage)),
            };
            history.drills = match (std::mem::take(&mut history.drills), beside) {
                (Drills::Never, true) => Drills::Isolated(drill),
                (Drills::Never | Drills::Isolated(_), false) => Drills::Last(drill),
                (known, _) => known,
            };
        }
    }
}

/// The story of an incident, if it is one to go by.
fn story(folder: &Folder, plan: &Plan) -> Option<Story> {
    let mut replay = Replay::open(&folder.journal()).ok()?;
    let mut records = replay.records();
    let first = records.next()?;
    let Entry::Declared { what, cluster, .. } = &first.entry else {
        return None;
    };
    if *cluster != plan.cluster.name || (*what == Kind::Practice) != plan.practice {
        return None;
    }
    let mut story = Story::default();
    story.apply(&first);
    for record in records {
        story.apply(&record);
    }
    Some(story)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        incident::{
            Evidence, Finding, Moment, Risk, RunId, Runbook, StepId, Subject, Verdict, Way,
        },
        journal::{ArmedStep, Claim, Lock, Tail, Writer},
        plan::sample,
    };

    fn step() -> StepId {
        StepId::try_from("install".to_owned()).expect("an id")
    }

    /// An incident in which the step took so many seconds to its verdict.
    fn incident(state: &StateDir, what: Kind, cluster: &str, took: u64, verdict: Verdict) {
        let at = Moment::from_secs(1_795_000_000);
        let folder = state.create("teleport.example.com", at).expect("made");
        let claim = Claim {
            operator: "ann".to_owned(),
            host: "bastion".to_owned(),
            floor: 0,
        };
        let lock = Lock::take(&folder, &claim).expect("free");
        let mut writer = Writer::open(&lock, folder.journal(), Tail::default()).expect("opened");
        let run = RunId::new(&step(), 1, at);
        let armed = ArmedStep {
            run: run.clone(),
            step: step(),
            attempt: 1,
            risk: Risk::Change,
            calls: Vec::new(),
            observes: Vec::new(),
            phrase: None,
            dry_run: false,
            way: Way::Graceful,
            because: String::new(),
            by_hand: false,
            evidence: Evidence::Seen,
            waiver: None,
            approval: None,
        };
        let entries = [
            (
                0,
                Entry::Declared {
                    what,
                    cluster: cluster.to_owned(),
                    plan: "/elsewhere/relight.toml".to_owned(),
                    digest: String::new(),
                    outage: at,
                },
            ),
            (0, Entry::Armed(Box::new(armed))),
            (
                0,
                Entry::Confirmed {
                    run: run.clone(),
                    phrase: None,
                    note: None,
                },
            ),
            (
                10,
                Entry::Started {
                    run: run.clone(),
                    of: 1,
                    pid: 7,
                },
            ),
            (
                10 + took,
                Entry::Judged {
                    run,
                    verdict,
                    findings: vec![Finding::pass("it holds", vec![Subject::Values])],
                    evidence: Vec::new(),
                },
            ),
        ];
        let steps = Runbook::parse(Runbook::EMBEDDED)
            .expect("the embedded runbook")
            .steps;
        let skipped = steps.into_iter().map(|step| Entry::Skipped {
            step: step.id,
            reason: "of the test".to_owned(),
        });
        // A drill that is done to its end; the others stop after the first step.
        let rest = skipped.filter(|_| matches!(what, Kind::Drill | Kind::Isolated));
        let rest = rest.map(|entry| (400, entry));
        for (secs, entry) in entries.into_iter().chain(rest) {
            let at = at.plus(Duration::from_secs(secs));
            writer.append(&lock, at, entry).expect("written");
        }
    }

    #[test]
    fn an_isolated_drill_is_told_apart_where_there_was_no_other() {
        let temp = tempfile::tempdir().expect("a folder");
        let state = StateDir::at(temp.path()).expect("made");
        incident(
            &state,
            Kind::Isolated,
            "teleport.example.com",
            200,
            Verdict::Pass,
        );
        let drills = history(&sample::plan(), Some(temp.path())).drills;
        let now = Moment::from_secs(1_795_000_400);
        let told = drills.told(now, Duration::from_hours(1)).expect("told");
        assert!(
            told.starts_with("never drilled in full, an isolated drill") && told.contains("6m40s"),
            "{told}"
        );
    }

    #[test]
    fn incidents_and_drills_of_the_cluster_are_gone_by_and_practices_are_not() {
        let temp = tempfile::tempdir().expect("a folder");
        let state = StateDir::at(temp.path()).expect("made");
        let cluster = "teleport.example.com";
        incident(&state, Kind::Incident, cluster, 100, Verdict::Pass);
        incident(&state, Kind::Drill, cluster, 300, Verdict::Pass);
        incident(&state, Kind::Practice, cluster, 1, Verdict::Pass);
        incident(
            &state,
            Kind::Incident,
            "other.example.com",
            9000,
            Verdict::Pass,
        );
        incident(&state, Kind::Incident, cluster, 9000, Verdict::Fail);
        let mut plan = sample::plan();
        let real = history(&plan, Some(temp.path()));
        let usual = real.usual(&step()).expect("done before");
        assert_eq!((usual.median.as_secs(), usual.p90.as_secs()), (100, 300));
        assert_eq!((usual.times, real.incidents), (2, 2));
        let declared = Moment::from_secs(1_795_000_000);
        let last = match &real.drills {
            Drills::Last(drill) => Some((drill.at, drill.took)),
            _ => None,
        };
        let took = Duration::from_secs(400);
        assert_eq!(last, Some((declared, Some(took))));
        // A younger isolated one is not told as the last: it stopped and switched nothing.
        incident(&state, Kind::Isolated, cluster, 200, Verdict::Pass);
        let beside = history(&plan, Some(temp.path()));
        assert_eq!(beside.drills, real.drills);
        assert_eq!(
            beside.incidents, 3,
            "its steps took their time all the same"
        );
        plan.practice = true;
        let practised = history(&plan, Some(temp.path()));
        // Of all its steps one was done.
        assert!(matches!(&practised.drills, Drills::Last(last) if last.took.is_none()));
        let usual = practised.usual(&step()).expect("done before");
        assert_eq!((usual.p90.as_secs(), usual.times), (1, 1));
        plan.cluster.name = "third.example.com".to_owned();
        assert_eq!(history(&plan, Some(temp.path())).drills, Drills::Never);
        let file = temp.path().join("file");
        std::fs::write(&file, "").expect("written");
        assert_eq!(history(&plan, Some(&file)).drills, Drills::Unread);
    }
}
