//! The runs' side of the loop: a thread that starts and cancels runs, watches them, and reads their output.

use std::{
    collections::BTreeMap,
    io::{self, Write as _},
    path::PathBuf,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use tokio::sync::{mpsc::Sender, watch};

use crate::{
    incident::{Action, Moment, RunId, Runbook},
    journal::{ArmedStep, Folder, files},
    plan::Plan,
    run::{self, Cancel, Direction, Found, RunDir, Watch, spec},
    state::{Event, Output, OutputLine, Wanted},
    term::clip,
};

/// How often a live run is looked at.
const LIVE: Duration = Duration::from_millis(100);
/// How often it is looked whether there is a live one that another cockpit has started.
const QUIET: Duration = Duration::from_secs(1);
/// Lines that are given to the screen at once: more than any terminal has rows.
const WINDOW: u64 = 400;
/// Bytes searched before it is looked whether something more urgent is asked for.
const STRIDE: u64 = 64 * 1024 * 1024;

#[derive(Debug)]
enum Ask {
    Launch(Box<ArmedStep>, u64, String),
    Cancel(RunId),
    Fetch(RunId, Wanted),
    Find(Search),
    Save(RunId),
    Settle(RunId),
    Operator(bool),
}

#[derive(Debug)]
struct Search {
    run: RunId,
    text: String,
    from: u64,
    forward: bool,
}

/// The loop's end of the thread.
#[derive(Debug)]
pub struct Runs {
    asks: mpsc::Sender<Ask>,
}

impl Runs {
    /// Starts the thread.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(
        plan: Arc<Plan>,
        runbook: Arc<Runbook>,
        folder: watch::Receiver<Option<Folder>>,
        events: Sender<Event>,
    ) -> io::Result<Self> {
        let (asks, inbox) = mpsc::channel();
        thread::Builder::new()
            .name("runs".to_owned())
            .spawn(move || {
                let mut keeper = Keeper {
                    plan,
                    runbook,
                    folder,
                    events,
                    watch: None,
                    operator: false,
                    open: BTreeMap::new(),
                };
                keeper.serve(&inbox);
            })?;
        Ok(Self { asks })
    }

    /// Starts the runner of a confirmed run, under the fencing token of the record that confirmed it, with this process's
    /// environment and so its credentials; `by` is who that is.
    pub fn launch(&self, armed: &ArmedStep, token: u64, by: String) {
        self.ask(Ask::Launch(Box::new(armed.clone()), token, by));
    }

    /// Asks a run to end; asked again, it is killed.
    pub fn cancel(&self, run: RunId) {
        self.ask(Ask::Cancel(run));
    }

    /// Fetches a part of a run's output.
    pub fn fetch(&self, run: RunId, wanted: Wanted) {
        self.ask(Ask::Fetch(run, wanted));
    }

    /// Searches a run's output.
    pub fn find(&self, run: RunId, text: String, from: u64, forward: bool) {
        self.ask(Ask::Find(Search {
            run,
            text,
            from,
            forward,
        }));
    }

    /// Finds out what became of a run that was confirmed before this cockpit attached.
    pub fn settle(&self, run: RunId) {
        self.ask(Ask::Settle(run));
    }

    /// Whether this cockpit is the operator's: only then are runs adopted whose runner was killed.
    pub fn operate(&self, operator: bool) {
        self.ask(Ask::Operator(operator));
    }

    /// Saves the whole output of a run, as it is shown, and says where.
    pub fn save(&self, run: RunId) {
        self.ask(Ask::Save(run));
    }

    fn ask(&self, ask: Ask) {
        let _ = self.asks.send(ask);
    }
}

struct Keeper {
    plan: Arc<Plan>,
    runbook: Arc<Runbook>,
    folder: watch::Receiver<Option<Folder>>,
    events: Sender<Event>,
    watch: Option<Watch>,
    operator: bool,
    open: BTreeMap<RunId, run::Output>,
}

impl Keeper {
    fn serve(&mut self, inbox: &mpsc::Receiver<Ask>) {
        loop {
            let live = self.watch.as_ref().is_some_and(Watch::is_live);
            match inbox.recv_timeout(if live { LIVE } else { QUIET }) {
                Ok(ask) => self.answer(ask, inbox),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
            }
            if !self.look() {
                return;
            }
        }
    }

    /// Tells what runs have written since; false once the loop is gone.
    fn look(&mut self) -> bool {
        let Some(folder) = self.folder.borrow().clone() else {
            return !self.events.is_closed();
        };
        let operator = self.operator;
        let watch = self
            .watch
            .get_or_insert_with(|| Watch::new(folder, operator));
        let told = watch.poll();
        told.into_iter().all(|event| self.tell(event)) && !self.events.is_closed()
    }

    /// Tells the loop what a run has said; false once the loop is gone.
    fn tell(&self, event: run::RunEvent) -> bool {
        use crate::state::RunEvent;

        let event = match event {
            run::RunEvent::Started { run, of, pid, .. } => RunEvent::Started { run, of, pid },
            run::RunEvent::Exited {
                run, of, code, how, ..
            } => RunEvent::Exited { run, of, code, how },
            run::RunEvent::ContactLost { run, why, .. } => RunEvent::ContactLost { run, why },
            run::RunEvent::Progress { run, lines, .. } => RunEvent::Grew { run, lines },
            run::RunEvent::Stopping { run, how, .. } => {
                return self.notice(format!("{run}: {how}"));
            }
            run::RunEvent::Gap { run, what, .. } => {
                return self.notice(format!("output of {run}: {what}"));
            }
            run::RunEvent::Orphaned { run } => {
                return self.notice(format!(
                    "the runner of {run} is gone; its command goes on and is adopted"
                ));
            }
        };
        self.events.blocking_send(Event::Run(event)).is_ok()
    }

    fn notice(&self, text: impl Into<String>) -> bool {
        self.events
            .blocking_send(Event::Notice(text.into(), Moment::now()))
            .is_ok()
    }

    fn dir(&self, run: &RunId) -> Option<RunDir> {
        self.folder
            .borrow()
            .as_ref()
            .map(|folder| RunDir::of(folder, run))
    }

    fn answer(&mut self, ask: Ask, inbox: &mpsc::Receiver<Ask>) {
        match ask {
            Ask::Launch(armed, token, by) => self.launch(&armed, token, by),
            Ask::Cancel(run) => self.cancel(&run),
            Ask::Fetch(run, wanted) => self.fetch(&run, wanted),
            Ask::Find(search) => self.find(search, inbox),
            Ask::Save(run) => {
                let (text, last) = match self.save(&run) {
                    Ok((path, last)) => {
                        let (lines, at) = (last.lines().count(), path.display());
                        let text = format!(
                            "output of {run}: last {lines} lines sent to the terminal, all saved at {at}"
                        );
                        (text, last)
                    }
                    Err(error) => (format!("output of {run} not saved: {error}"), String::new()),
                };
                let saved = Event::Saved(text, last, Moment::now());
                let _ = self.events.blocking_send(saved);
            }
            Ask::Settle(run) => self.settle(run),
            Ask::Operator(operator) => {
                // What was told to one who looks on was told to nobody: whoever begins to write hears all of it again.
                if operator && !self.operator {
                    self.watch = None;
                }
                self.operator = operator;
                if let Some(watch) = &mut self.watch {
                    watch.set_operator(operator);
                }
            }
        }
    }

    /// Starts what was confirmed, and nothing else: should the plan on disk no longer give the same calls, it is refused.
    fn launch(&mut self, armed: &ArmedStep, token: u64, by: String) {
        let Some(folder) = self.folder.borrow().clone() else {
            return;
        };
        let Some(step) = self.runbook.get(&armed.step) else {
            return;
        };
        let step = &*step.by(armed.way);
        let made = spec::for_step(step, &self.plan, &armed.run, token, &folder, armed.dry_run);
        let native = matches!(step.action, Action::Native(_));
        let started = match made {
            Ok(spec) if !native && spec.calls != armed.calls => {
                Err("what would be done has changed since it was confirmed".to_owned())
            }
            // A native step is held to what was confirmed by its own code, which looks at the world as it is then.
            Ok(spec) => run::start(&run::Spec {
                calls: armed.calls.clone(),
                again: armed.again.as_deref().cloned(),
                by,
                ..spec
            })
            .map(|_| ())
            .map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Some(watch) = &mut self.watch {
            watch.nudge();
        }
        if let Err(why) = started {
            let how = format!("could not start: {why}");
            let event = crate::state::RunEvent::Exited {
                run: armed.run.clone(),
                of: 0,
                code: None,
                how,
            };
            let _ = self.events.blocking_send(Event::Run(event));
        }
    }

    /// A confirmed run without a folder was never started: the cockpit ended between the record and the start.
    fn settle(&self, run: RunId) {
        let started = self.dir(&run).is_some_and(|dir| dir.spec().exists());
        if !started {
            let why =
                "it was confirmed, and the cockpit ended before it was started: nothing was done"
                    .to_owned();
            let event = crate::state::RunEvent::ContactLost { run, why };
            let _ = self.events.blocking_send(Event::Run(event));
        }
    }

    fn cancel(&self, run: &RunId) {
        let Some(dir) = self.dir(run) else { return };
        let how = if dir.cancel().exists() {
            Cancel::Kill
        } else {
            Cancel::Term
        };
        let text = match run::cancel(&dir, how) {
            Ok(()) if how == Cancel::Kill => format!("{run}: killed"),
            Ok(()) => format!("{run}: asked to stop (TERM); once more kills it"),
            Err(error) => format!("{run} cannot be cancelled: {error}"),
        };
        self.notice(text);
    }

    fn output(&mut self, run: &RunId) -> Option<&mut run::Output> {
        if !self.open.contains_key(run) {
            let output = run::Output::open(&self.dir(run)?).ok()??;
            // A handful of runs are looked at in turns; more are opened again.
            if self.open.len() >= 4 {
                self.open.pop_first();
            }
            self.open.insert(run.clone(), output);
        }
        let output = self.open.get_mut(run)?;
        output.refresh().ok()?;
        Some(output)
    }

    fn fetch(&mut self, run: &RunId, wanted: Wanted) {
        let Some(output) = self.output(run) else {
            return;
        };
        let total = output.lines();
        let from = match wanted {
            Wanted::Tail => total.saturating_sub(WINDOW),
            Wanted::Around(line) => line.saturating_sub(WINDOW / 2),
        };
        let Ok(lines) = output.window(from, usize::try_from(WINDOW).unwrap_or(400)) else {
            return;
        };
        let lines = lines.into_iter().map(|line| OutputLine {
            number: line.number,
            at: line.at,
            text: line.text,
        });
        let window = Output {
            total,
            lines: lines.collect(),
        };
        let _ = self
            .events
            .blocking_send(Event::Output(run.clone(), window));
    }

    /// Searches stride by stride, so that a search through a gigabyte holds nothing else up.
    fn find(&mut self, mut search: Search, inbox: &mpsc::Receiver<Ask>) {
        loop {
            let direction = if search.forward {
                Direction::Down
            } else {
                Direction::Up
            };
            let Some(output) = self.output(&search.run) else {
                return;
            };
            let found = output.find(&search.text, search.from, direction, STRIDE);
            let line = match found {
                Ok(Found::At(line)) => Some(line),
                Ok(Found::Nowhere) | Err(_) => None,
                Ok(Found::Further(from)) => {
                    search.from = from;
                    match inbox.try_recv() {
                        // A newer search takes the place of this one.
                        Ok(Ask::Find(newer)) => search = newer,
                        Ok(other) => self.answer(other, inbox),
                        Err(_) => {}
                    }
                    continue;
                }
            };
            let _ = self.events.blocking_send(Event::Found(search.run, line));
            return;
        }
    }

    fn save(&mut self, run: &RunId) -> io::Result<(PathBuf, String)> {
        let folder = self
            .folder
            .borrow()
            .as_ref()
            .map(|folder| folder.path().to_owned());
        let path = folder.unwrap_or_default().join(format!("output-{run}.txt"));
        let missing = || io::Error::from(io::ErrorKind::NotFound);
        let output = self.output(run).ok_or_else(missing)?;
        let file = files::private()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)?;
        let mut file = io::BufWriter::new(file);
        let (mut from, total) = (0, output.lines());
        let mut last = String::new();
        while from < total {
            let lines = output.window(from, 4096)?;
            let Some(end) = lines.last() else { break };
            from = end.number + 1;
            for line in &lines {
                let line = format!("{} {}\n", line.at, line.text);
                file.write_all(line.as_bytes())?;
                last.push_str(&line);
            }
            // What the terminal's clipboard takes of it, not the whole of a gigabyte.
            last = clip::last_lines(&last).to_owned();
        }
        file.flush()?;
        Ok((path, last))
    }
}
