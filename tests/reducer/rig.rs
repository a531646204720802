//! An edge that keeps its promises: what is to be recorded is on disk at once, and what is to be started is noted.

use std::{path::Path, sync::Arc};

use relight::{
    cockpit,
    incident::{Moment, Person, RunId, StepId},
    journal::{Author, Entry, Holder, Kind, Record, Request, Wish},
    plan::{Plan, isolated_text},
    state::{
        Access, Effect, Event, Holding, Intent, Overlay, Pane, Prepared, RunEvent, State, StepState,
    },
    step::expand,
};

use super::facts;

/// When the scenarios begin.
pub const BEGIN: i64 = 1_795_000_000;

/// What is restored: the table, and how many seconds before the beginning its data is of.
const RESTORES: [(&str, i64); 2] = [("teleport-state-dr", 540), ("teleport-events-dr", 720)];

pub const PLAN: &str = include_str!("plan.toml");

/// A state with its edge.
pub struct Rig {
    pub state: State,
    pub records: Vec<Record>,
    started: Vec<String>,
    /// What was asked of the operator's cockpit, and the phrase of a take-over.
    asked: Vec<String>,
    cancelled: Vec<String>,
    disk: Option<String>,
}

impl Rig {
    pub fn new(access: Option<&str>) -> Self {
        Self::with(access, "", "")
    }

    /// The same, with steps of the operator's own, and with more in the plan.
    pub fn with(access: Option<&str>, own: &str, more: &str) -> Self {
        let text = format!("{PLAN}\n{more}");
        let plan = Plan::parse(Path::new("/plans/relight.toml"), &text).expect("plan.toml");
        Self::of(plan, access, own, Kind::Incident)
    }

    /// An isolated drill by the same plan, with steps of the operator's own.
    pub fn isolated(own: &str) -> Self {
        let text = isolated_text(PLAN, Path::new("/plans/relight.toml"), "20261125t163354z");
        let plan = Plan::parse(Path::new("/state/drill/plan.toml"), &text).expect("its plan");
        Self::of(plan, None, own, Kind::Isolated)
    }

    fn of(mut plan: Plan, access: Option<&str>, own: &str, what: Kind) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("runbook.toml");
        std::fs::write(&file, own).expect("written");
        plan.runbook = Some(file);
        let plan = Arc::new(plan);
        let runbook = Arc::new(cockpit::runbook(&plan).expect("the runbook"));
        let access = match access {
            None => Access::Operator,
            Some("read-only") => Access::ReadOnly("opened with --read-only".to_owned()),
            Some(other) => Access::Observer(other.to_owned()),
        };
        let for_phrases = Arc::clone(&plan);
        let prepare = Arc::new(move |step: &relight::incident::Step, _dry: bool, _: &_| {
            let phrase = step
                .phrase
                .as_deref()
                .map(|text| expand::text(text, &for_phrases));
            let phrase = phrase.transpose().map_err(|error| error.to_string())?;
            let mut calls = vec![format!("call {}", step.id)];
            if step.id.as_str() == "restore-tables" {
                calls.extend(RESTORES.map(|(target, before)| {
                    let data = Moment::from_secs(BEGIN - before);
                    format!("StartRestoreJob arn:copy to {target}, data of {data}")
                }));
            }
            Ok(Prepared { calls, phrase })
        });
        let mut state = State::new(plan, runbook, access, Moment::from_secs(BEGIN), prepare);
        state.desk.size = (120, 40);
        state.me = person("alice", None);
        let mut rig = Self {
            state,
            records: Vec::new(),
            started: Vec::new(),
            asked: Vec::new(),
            cancelled: Vec::new(),
            disk: None,
        };
        let declared = rig.record(Entry::Declared {
            what,
            cluster: "teleport.example.com".to_owned(),
            plan: "/plans/relight.toml".to_owned(),
            digest: String::new(),
            outage: Moment::from_secs(BEGIN),
        });
        rig.feed(Event::Replayed(vec![declared]));
        rig
    }

    pub fn forget(&mut self) {
        self.started.clear();
        self.asked.clear();
        self.cancelled.clear();
    }

    pub fn feed(&mut self, event: Event) {
        let mut waiting = self.state.decide(event);
        while !waiting.is_empty() {
            let effects = std::mem::take(&mut waiting);
            for effect in effects {
                waiting.extend(self.perform(effect));
            }
        }
    }

    fn perform(&mut self, effect: Effect) -> Vec<Effect> {
        match effect {
            Effect::Record(entry) => {
                if let Some(why) = &self.disk {
                    return self.state.decide(Event::DiskFailed(why.clone()));
                }
                let last = matches!(entry, Entry::HandedOver { .. });
                let record = self.record(entry);
                let mut effects = self.state.decide(Event::Recorded(record));
                if last {
                    // The lock is let go with it: nothing more is written from here.
                    self.disk = Some("this cockpit only observes the incident".to_owned());
                    let access = Access::Observer("handed over".to_owned());
                    effects.extend(self.state.decide(Event::Access(access)));
                }
                effects
            }
            Effect::Ask(wish) => {
                self.asked.push(match wish {
                    Wish::Accept { offer } => format!("accept {offer}"),
                    Wish::Approve { phrase, .. } => phrase,
                });
                Vec::new()
            }
            Effect::TakeOver(phrase, silent) => {
                self.asked
                    .push(format!("{phrase}, silent {}s", silent.as_secs()));
                Vec::new()
            }
            Effect::Start(armed) => {
                self.started.push(armed.step.to_string());
                self.state.decide(Event::Run(RunEvent::Started {
                    run: armed.run,
                    of: 1,
                    pid: 7,
                }))
            }
            Effect::Cancel(run) => {
                let step = self
                    .state
                    .story
                    .runs
                    .get(&run)
                    .map(|run| run.armed.step.to_string());
                self.cancelled.extend(step);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    pub fn record(&mut self, entry: Entry) -> Record {
        let seq = self.records.len() as u64 + 1;
        let author = Author {
            operator: "alice".to_owned(),
            host: "bastion".to_owned(),
            token: 1,
        };
        let record = Record {
            seq,
            at: self.state.now,
            author,
            prev: String::new(),
            entry,
        };
        self.records.push(record.clone());
        record
    }

    /// Moves the clock, second by second, as the loop does.
    pub fn at(&mut self, secs: i64) {
        let until = BEGIN + secs;
        while self.state.now.secs() < until {
            let next = Moment::from_secs(self.state.now.secs() + 1);
            self.feed(Event::Tick(next));
        }
    }

    pub fn see(&mut self, name: &str) {
        let now = self.state.now;
        self.feed(Event::Observed(facts::named(name, now), now));
    }

    /// An intent by name: `run STEP`, `number N`, `accept`, `dismiss`, `button`, `type TEXT`, `paste TEXT`, `skip STEP`, `skip-needs STEP` (all it waits for), `override STEP`,
    /// `other-way STEP`, `previous-run`, `next-run`,
    /// `cancel STEP`, `dry STEP`, `drawn`, `enter` on the runbook's row, `filter TEXT`, `outage TIME`, `close`, `size COLUMNSxROWS`.
    pub fn press(&mut self, key: &str) {
        let (verb, rest) = key.split_once(' ').unwrap_or((key, ""));
        let step = || StepId::try_from(rest.to_owned()).expect("a step id");
        match verb {
            "run" => self.intend(Intent::Run(Some(step()))),
            "number" => self.intend(Intent::RunNumber(rest.parse().expect("a number"))),
            "accept" => self.intend(Intent::Accept),
            "dismiss" => self.intend(Intent::Dismiss),
            "button" => self.intend(Intent::Button),
            "type" => rest.chars().for_each(|c| self.intend(Intent::Insert(c))),
            "paste" => self.intend(Intent::Paste(rest.to_owned())),
            "drawn" => self.feed(Event::Drawn),
            "skip" => self.on(step(), Intent::Skip),
            "skip-needs" => self.skip_needs(&step()),
            "other-way" => self.on(step(), Intent::OtherWay),
            "previous-run" => self.intend(Intent::NextRun(false)),
            "next-run" => self.intend(Intent::NextRun(true)),
            "override" => self.on(step(), Intent::Override),
            "cancel" => self.on(step(), Intent::Cancel),
            "dry" => self.on(step(), Intent::DryRun),
            "enter" => self.intend(Intent::Run(None)),
            "filter" => {
                self.intend(Intent::Filter);
                rest.chars().for_each(|c| self.intend(Intent::Insert(c)));
                self.intend(Intent::Accept);
            }
            "outage" => {
                self.intend(Intent::Outage);
                rest.chars().for_each(|c| self.intend(Intent::Insert(c)));
                self.intend(Intent::Accept);
            }
            "close" => self.intend(Intent::Close),
            "offer" => self.intend(Intent::Offer),
            "accept-offer" => self.intend(Intent::AcceptOffer),
            "take-over" => self.intend(Intent::TakeOver),
            "approve" => self.intend(Intent::Approve),
            "size" => {
                let (columns, rows) = rest.split_once('x').expect("a size");
                let size = (
                    columns.parse().expect("columns"),
                    rows.parse().expect("rows"),
                );
                self.feed(Event::Resize(size.0, size.1));
            }
            other => unreachable!("no such key in a scenario: {other}"),
        }
    }

    /// Skips whatever a step waits for, so that a scenario about it need not know the rest of the runbook.
    fn skip_needs(&mut self, id: &StepId) {
        let step = self.state.runbook.get(id).expect("a step of the runbook");
        for need in step.needs.clone() {
            self.skip_needs(&need);
            let step = self.state.runbook.get(&need).expect("a need");
            if !self.state.step_state(step).is_done() {
                self.on(need, Intent::Skip);
                self.press("type not told here");
                self.intend(Intent::Accept);
            }
        }
    }

    fn on(&mut self, step: StepId, intent: Intent) {
        self.state.desk.pane_mut(Pane::Runbook).selected = Some(relight::state::RowKey::Step(step));
        self.intend(intent);
    }

    pub fn intend(&mut self, intent: Intent) {
        self.feed(Event::Intent(intent, self.state.now));
    }

    /// What comes from other cockpits: `offered`, `handed over to bob`, `declined`, records of the operator's; `taken by bob`,
    /// `held`, `spoke`, `awaits STEP`, `awaits nothing`, `operator`; and `bob accepts`, `bob accepts 7`, `bob approves`,
    /// `bob approves something else`, asked of this one.
    pub fn hear(&mut self, told: &str) {
        match told.split(' ').collect::<Vec<_>>()[..] {
            ["offered"] => self.replayed(Entry::Offered),
            ["handed", "over", "to", who] => {
                let entry = Entry::HandedOver {
                    to: self.named(who),
                    request: "1-7-a".to_owned(),
                };
                self.replayed(entry);
            }
            ["declined"] => {
                let entry = Entry::Declined {
                    request: "1-7-a".to_owned(),
                    by: self.state.me.clone(),
                    why: "the offer does not stand any more".to_owned(),
                };
                self.replayed(entry);
            }
            ["taken", "by", who] => {
                self.disk = Some("this cockpit only observes the incident".to_owned());
                let why = format!("{who} on bastion took this incident over");
                self.feed(Event::Access(Access::Observer(why)));
            }
            ["operator"] => {
                self.disk = None;
                self.feed(Event::Access(Access::Operator));
            }
            [how @ ("held" | "spoke")] => self.held(how == "spoke"),
            ["awaits", "nothing"] => self.feed(Event::Awaiting(Vec::new())),
            ["awaits", step] => {
                let step = StepId::try_from(step.to_owned()).expect("a step id");
                let run = RunId::new(&step, 1, Moment::from_secs(BEGIN));
                self.feed(Event::Awaiting(vec![run]));
            }
            [who, "accepts"] => {
                let offer = self.state.story.offer.as_ref().map_or(0, |offer| offer.seq);
                self.ask(who, Wish::Accept { offer });
            }
            [who, "accepts", seq] => {
                let offer = seq.parse().expect("a number");
                self.ask(who, Wish::Accept { offer });
            }
            [who, "approves", ref rest @ ..] => {
                let Some(run) = self.state.story.in_order().next_back() else {
                    return;
                };
                let mut armed = run.armed.clone();
                let phrase = armed.approval_phrase();
                if !rest.is_empty() {
                    armed.calls.push("something else".to_owned());
                }
                let wish = Wish::Approve {
                    run: armed.run.clone(),
                    digest: armed.digest(),
                    phrase,
                };
                self.ask(who, wish);
            }
            _ => unreachable!("no such thing is heard in a scenario: {told}"),
        }
    }

    fn replayed(&mut self, entry: Entry) {
        let record = self.record(entry);
        self.feed(Event::Replayed(vec![record]));
    }

    fn held(&mut self, spoke: bool) {
        let holder = Holder {
            token: 1,
            operator: "arn:aws:sts::111122223333:assumed-role/dr/cay (ec2-user)".to_owned(),
            host: "bastion-2".to_owned(),
            pid: 9,
            at: Moment::from_secs(BEGIN),
            honours: 0,
            spoke: if spoke {
                self.state.now
            } else {
                Moment::from_secs(BEGIN)
            },
            held: true,
        };
        let live = Vec::new();
        self.feed(Event::Held(Box::new(Holding { holder, live })));
    }

    /// `alice` is who sits here, `nobody` has no ARN, everybody else has one of their own.
    fn named(&self, who: &str) -> Person {
        match who {
            "alice" => self.state.me.clone(),
            "nobody" => person("nobody", None),
            who => person(who, Some(&format!("arn:aws:iam::111122223333:user/{who}"))),
        }
    }

    fn ask(&mut self, who: &str, wish: Wish) {
        let request = Request::new(1, self.named(who), wish);
        self.feed(Event::Asked(Box::new(request)));
    }

    pub fn asked(&self) -> &[String] {
        &self.asked
    }

    /// Kinds of the records from one on.
    pub fn wrote(&self, from: usize) -> Vec<String> {
        let kinds = self.records[from..].iter().map(|record| {
            let entry = serde_json::to_value(&record.entry).expect("JSON");
            entry["kind"].as_str().expect("a kind").to_owned()
        });
        kinds.collect()
    }

    fn run_of(&self, step: &str) -> RunId {
        let newest = self
            .state
            .story
            .in_order()
            .rev()
            .find(|run| run.armed.step.as_str() == step);
        newest.expect("a run of that step").armed.run.clone()
    }

    pub fn exit(&mut self, step: &str, code: i32) {
        let (run, how) = (self.run_of(step), format!("exit code {code}"));
        self.feed(Event::Run(RunEvent::Exited {
            run,
            of: 2,
            code: Some(code),
            how,
        }));
    }

    pub fn lose(&mut self, step: &str) {
        let (run, why) = (self.run_of(step), "its runner was killed".to_owned());
        self.feed(Event::Run(RunEvent::ContactLost { run, why }));
    }

    /// What steps took in an earlier incident.
    pub fn took(&mut self, took: &std::collections::BTreeMap<String, u64>) {
        let mut history = relight::incident::History::default();
        history.add(took.iter().map(|(step, secs)| {
            let id = StepId::try_from(step.clone()).expect("a step id");
            (id, std::time::Duration::from_secs(*secs))
        }));
        self.feed(Event::History(history));
    }

    /// Whether the newest run of a step repeats one whose end nobody saw.
    pub fn repeats(&self, step: &str) -> bool {
        let run = self.run_of(step);
        self.state.story.runs[&run].armed.again.is_some()
    }

    /// Nothing can be written any more; by an empty reason it can again.
    pub fn break_disk(&mut self, why: &str) {
        self.disk = (!why.is_empty()).then(|| why.to_owned());
    }

    fn step_state(&self, step: &str) -> StepState {
        let id = StepId::try_from(step.to_owned()).expect("a step id");
        let step = self.state.runbook.get(&id).expect("a step of the runbook");
        self.state.step_state(step)
    }

    pub fn step_word(&self, step: &str) -> String {
        self.step_state(step).word().to_owned()
    }

    pub fn step_why(&self, step: &str) -> String {
        match self.step_state(step) {
            StepState::Locked(why)
            | StepState::Settling(why)
            | StepState::Failed(why)
            | StepState::Unclear(why)
            | StepState::Told(_, why)
            | StepState::Skipped(why) => why,
            _ => String::new(),
        }
    }

    pub fn notice(&self) -> &str {
        self.state
            .desk
            .notice
            .as_ref()
            .map_or("", |notice| notice.text.as_str())
    }

    pub fn alarms(&self) -> Vec<String> {
        let alarms = self.state.alarms();
        alarms.into_iter().map(|alarm| alarm.text).collect()
    }

    pub fn started(&self) -> &[String] {
        &self.started
    }

    pub fn cancelled(&self) -> &[String] {
        &self.cancelled
    }

    /// What a step asks to be typed, as it is expanded here; a word where it asks for nothing.
    pub fn phrase(&self, step: &str) -> String {
        let id = StepId::try_from(step.to_owned()).expect("a step id");
        let step = self.state.runbook.get(&id).expect("a step of the runbook");
        let phrase = step.phrase.as_deref();
        phrase.map_or_else(
            || "x".to_owned(),
            |text| expand::text(text, &self.state.plan).expect("a phrase"),
        )
    }

    pub fn since_begin(&self) -> i64 {
        self.state.now.secs() - BEGIN
    }

    pub fn overlay(&self) -> &'static str {
        match &self.state.desk.overlay {
            None => "nothing",
            Some(Overlay::Confirm(_)) => "confirm",
            Some(Overlay::Override(_)) => "override",
            Some(Overlay::Reason(_)) => "reason",
            Some(Overlay::Vouch(_)) => "vouch",
            Some(_) => "other",
        }
    }
}

/// Somebody at a cockpit; on a bastion everyone is the same user.
fn person(who: &str, arn: Option<&str>) -> Person {
    Person {
        arn: arn.map(str::to_owned),
        user: "ec2-user".to_owned(),
        uid: 1000,
        host: "bastion".to_owned(),
        pid: who.bytes().map(u32::from).sum(),
    }
}
