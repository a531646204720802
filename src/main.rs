//! `relight`: parse, dispatch, closing summary, exit code.
#![forbid(unsafe_code)]

#[path = "main/ready.rs"]
mod ready;
#[path = "main/token.rs"]
mod token;
#[path = "main/told.rs"]
mod told;

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::Parser as _;
use relight::{
    cli::{self, Cli, Command, Exec, Open, PlanCommand, StepCommand},
    clients::aws::coordination::Shared,
    cockpit::{self, Answer, Ending, Order, Script, Setup, Through},
    incident::{RunId, StepId, Way},
    journal::Folder,
    plan,
    report::{Format, Listing, StepDetail, Told, printable},
    run::{self, RunDir, Spec, runner},
    step,
    term::{Caps, put},
};

/// A defect in Relight itself: `EX_SOFTWARE`.
const DEFECT: u8 = 70;
/// Bad input: a plan, a command line, a file that is there already.
const USAGE: u8 = 64;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    if let (Some("runner"), Some(dir)) = (
        args.next().as_deref().and_then(std::ffi::OsStr::to_str),
        args.next(),
    ) {
        let code = relight::run::runner::main(std::path::Path::new(&dir));
        return ExitCode::from(u8::try_from(code).unwrap_or(1));
    }
    #[cfg(feature = "practice")]
    if let Some(code) = stand_in() {
        return code;
    }
    let cli = Cli::parse();
    let result = match cli.command {
        None => {
            let again = by_plan(&cli.open);
            open(cli.open, &again)
        }
        #[cfg(feature = "practice")]
        Some(Command::Practice(practice)) => rehearse(cli.open, &practice),
        Some(Command::Init { path }) => init(&path),
        Some(Command::Plan {
            command: PlanCommand::Check,
        }) => ready::plan(&cli.open),
        Some(Command::Plan {
            command: PlanCommand::Failback { output, write_plan },
        }) => told::failback(cli.open, output.as_deref(), write_plan.as_deref()),
        Some(Command::BlackBox { command }) => ready::black_box(&cli.open, command),
        Some(Command::Check(wanted)) => ready::check(cli.open, wanted),
        Some(Command::Drill { command }) => {
            let again = by_plan(&cli.open);
            ready::drill(cli.open, command.as_ref(), &again)
        }
        Some(Command::Step { command }) => {
            let again = by_plan(&cli.open);
            step(cli.open, &command, again)
        }
        Some(Command::Report(wanted)) => told::report(&cli.open, &wanted),
        Some(Command::Export(wanted)) => Ok(told::export(&cli.open, &wanted)),
        Some(Command::Move { folder }) => told::moved(&cli.open, &folder),
        Some(Command::Incidents(wanted)) => told::incidents(&cli.open, wanted),
        Some(Command::Replay(wanted)) => told::replay(cli.open, &wanted),
        Some(Command::Watch(wanted)) => told::watch(cli.open, &wanted),
        Some(Command::EksToken(of)) => token::print(of),
        Some(Command::Runner { folder }) => {
            return ExitCode::from(u8::try_from(runner::main(&folder)).unwrap_or(1));
        }
    };
    result.unwrap_or_else(|error| {
        say(&mut io::stderr(), &format!("relight: {error}"));
        ExitCode::from(USAGE)
    })
}

/// Writes a line; a reader that has gone is no reason to fail.
///
/// Whatever put the text together, nothing in it moves the cursor or turns a line around.
fn say(out: &mut dyn io::Write, text: &str) {
    let _ = writeln!(out, "{}", printable(text));
}

/// Under the name `helm` or `kubectl`, this binary is the practice region's stand-in for it.
#[cfg(feature = "practice")]
fn stand_in() -> Option<ExitCode> {
    let mut args = std::env::args();
    let name = args.next()?;
    let name = Path::new(&name).file_name()?.to_str()?;
    if !["helm", "kubectl"].contains(&name) {
        return None;
    }
    let runtime = runtime().ok()?;
    let code = if name == "helm" {
        runtime.block_on(relight::practice::helm::main(args.collect()))
    } else {
        runtime.block_on(relight::practice::helm::kubectl::main(args.collect()))
    };
    Some(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

fn runtime() -> Result<tokio::runtime::Runtime, String> {
    // The loop has the main thread to itself. Everything else waits for answers, mostly: a second worker would be waked
    // up to look for work that the first one has.
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start the runtime: {error}"))
}

/// Opens the cockpit; `again` is the command line that comes back to it.
fn open(open: Open, again: &[String]) -> Result<ExitCode, String> {
    let caps = Caps::detect();
    let format = match open.format {
        cli::Format::Text => Format::Text,
        cli::Format::Json => Format::Json,
        cli::Format::Markdown => Format::Markdown,
        cli::Format::Html => return Err("HTML is for `relight report` alone".to_owned()),
    };
    let once = open.once || !caps.draws;
    let setup = cockpit::setup(open, caps)?;
    if once {
        let (text, code) = runtime()?.block_on(cockpit::once(&setup, format));
        say(&mut io::stdout(), text.trim_end());
        return Ok(ExitCode::from(code));
    }
    let runtime = runtime()?;
    let log = setup.log();
    // The screen is given back while unwinding; then there is somebody to tell what happened and where it is written.
    let ending = catch_unwind(AssertUnwindSafe(|| runtime.block_on(cockpit::run(setup))));
    // Probes may be in the middle of a call that will not come back: nobody waits for them.
    runtime.shutdown_background();
    let again = step::expand::shown(again);
    let Ok(ending) = ending else {
        let log = log.map_or_else(String::new, |log| format!(", details in {}", log.display()));
        let text = format!(
            "relight: the cockpit ended by a defect of its own{log}; runs go on without it\n  attach again: {again}"
        );
        say(&mut io::stderr(), &text);
        return Ok(ExitCode::from(DEFECT));
    };
    let ending = ending.map_err(|error| format!("cannot use the terminal: {error}"))?;
    if ending.hung_up {
        return Ok(ExitCode::from(129));
    }
    summary(&ending, &again);
    Ok(ExitCode::SUCCESS)
}

/// Does what a script asks of the runbook; `again` is the command line up to `step` that comes back to it.
fn step(open: Open, command: &StepCommand, again: Vec<String>) -> Result<ExitCode, String> {
    if let StepCommand::Exec(ordered) = command {
        return exec(&open, ordered);
    }
    let format = match open.format {
        cli::Format::Text => Format::Text,
        cli::Format::Json => Format::Json,
        cli::Format::Markdown | cli::Format::Html => {
            return Err("a step is told as text or JSON".to_owned());
        }
    };
    let setup = cockpit::setup(open, Caps::detect())?;
    let order = match command {
        StepCommand::List | StepCommand::Exec(_) => return tell_step(&setup, None, format),
        StepCommand::Show { id } => return tell_step(&setup, Some(&setup.step(id)?), format),
        StepCommand::Run(run) => match &run.id {
            None => Order::DryRunAll,
            Some(id) if run.dry_run => Order::DryRun(setup.step(id)?),
            Some(id) => Order::Run {
                step: setup.step(id)?,
                answer: Answer {
                    yes: run.yes.clone(),
                    note: run.note.clone(),
                },
                way: run.way.map(|way| match way {
                    cli::Way::Graceful => Way::Graceful,
                    cli::Way::Ungraceful => Way::Ungraceful,
                }),
                wait: run.wait.map(Duration::from_secs),
                through: run.through.clone().map(|phrase| Through {
                    phrase,
                    reason: run.reason.clone().unwrap_or_default(),
                }),
            },
        },
        StepCommand::Wait { id } => Order::Wait(setup.step(id)?),
        StepCommand::Cancel { id } => Order::Cancel(setup.step(id)?),
        StepCommand::Skip { id, reason } => Order::Skip {
            step: setup.step(id)?,
            reason: reason.clone(),
        },
    };
    let script = Script { order, again };
    let runtime = runtime()?;
    let mut tell = |at, told: &Told| say(&mut io::stdout(), &told.render(at, format));
    let end = runtime.block_on(cockpit::headless(&setup, &script, &mut tell));
    // Probes may be in the middle of a call that will not come back: nobody waits for them.
    runtime.shutdown_background();
    let end = end.map_err(|error| format!("cannot run anything from here: {error}"))?;
    Ok(ExitCode::from(end.code()))
}

/// Prints the list of steps, or all that is known of one, by what is seen in one look.
fn tell_step(setup: &Setup, id: Option<&StepId>, format: Format) -> Result<ExitCode, String> {
    let runtime = runtime()?;
    let state = runtime.block_on(cockpit::look(setup));
    runtime.shutdown_background();
    let text = match id {
        None => Some(Listing::of(&state).render(format)),
        Some(id) => StepDetail::of(&state, id).map(|detail| detail.render(format)),
    };
    say(&mut io::stdout(), text.unwrap_or_default().trim_end());
    Ok(ExitCode::SUCCESS)
}

/// The command line by which this plan's cockpit is opened again, as this one was.
fn by_plan(open: &Open) -> Vec<String> {
    let mut again = vec![program(), "--plan".to_owned(), shown(&open.plan)];
    if let Some(dir) = &open.state_dir {
        again.extend(["--state-dir".to_owned(), shown(dir)]);
    }
    if open.read_only {
        again.push("--read-only".to_owned());
    }
    again
}

/// The program as it was called.
fn program() -> String {
    std::env::args()
        .next()
        .unwrap_or_else(|| "relight".to_owned())
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// What stays on the terminal after the screen is gone: where things are kept and how to come back. A terminal that
/// reads nothing does not keep the program.
fn summary(ending: &Ending, again: &str) {
    let state = &ending.state;
    let Some(folder) = &ending.folder else {
        let _ = put(b"relight: no incident was opened; nothing was written.\n");
        return;
    };
    let mut text = format!("relight: incident {}\n", folder.path().display());
    for run in state.live_runs() {
        let _ = writeln!(
            text,
            "  still running: {run} (it goes on without this terminal)"
        );
    }
    let next = if state.story.closed.is_some() {
        "closed; the next start begins another"
    } else {
        "attach again"
    };
    let _ = writeln!(text, "  {next}: {again}");
    if state.story.closed.is_some() && state.wants_watch() {
        let _ = writeln!(
            text,
            "  the old cluster was NOT seen to be stopped; keep watching for it: {again} watch {}",
            folder.name()
        );
    }
    let _ = put(printable(&text).as_bytes());
}

fn init(path: &Path) -> Result<ExitCode, String> {
    let file = std::fs::File::options()
        .write(true)
        .create_new(true)
        .open(path);
    let written = file.and_then(|mut file| file.write_all(plan::TEMPLATE.as_bytes()));
    written.map_err(|error| {
        format!(
            "cannot write {}: {error}; an existing file is never overwritten",
            path.display()
        )
    })?;
    say(
        &mut io::stdout(),
        &format!(
            "wrote {}: fill it in, then run `relight plan check`",
            path.display()
        ),
    );
    Ok(ExitCode::SUCCESS)
}

fn exec(open: &Open, ordered: &Exec) -> Result<ExitCode, String> {
    let plan = Arc::new(plan::load(&open.plan).map_err(|error| error.to_string())?);
    let (name, run) = (&ordered.name, &ordered.run);
    let run = RunId::parse(run).ok_or_else(|| format!("{run:?} is no run id"))?;
    let native = step::native(name).ok_or_else(|| format!("there is no native step {name:?}"))?;
    // Whoever asks: an isolated drill runs what it is allowed to and nothing else.
    let mut steps = cockpit::runbook(&plan)?.steps.into_iter();
    let of_drill = |step: &relight::incident::Step| {
        [Way::Graceful, Way::Ungraceful].into_iter().any(|way| {
            let action = &step.by(way).action;
            !step.barred && *action == relight::incident::Action::Native(name.clone())
        })
    };
    if plan.isolated().is_some() && !steps.any(|step| of_drill(&step)) {
        return Err(format!(
            "nothing was done: an isolated drill leaves {name} alone"
        ));
    }
    let incident = Folder::at(&ordered.incident);
    // What was confirmed is in the run's folder: without it nobody has said yes.
    let spec = Spec::load(&RunDir::of(&incident, &run)).map_err(|error| {
        format!(
            "there is no confirmed run {run} in {}: {error}",
            ordered.incident.display()
        )
    })?;
    if spec.digest != plan.digest {
        return Err(format!(
            "nothing was done: {} was changed after this run was confirmed; leave the cockpit, open it again and run the step again",
            plan.path.display()
        ));
    }
    let fence = run::Fence::new(incident.clone(), spec.token, Shared::of(&plan));
    let context = step::Context {
        plan,
        first: spec.again.unwrap_or_else(|| run.clone()),
        run,
        incident: incident.path().to_owned(),
        dry_run: ordered.dry_run || spec.dry_run,
        confirmed: spec.calls,
        fence: step::Fence::new(move || fence.may_go_on()),
    };
    let done = runtime()?.block_on((native.run)(context.clone()));
    Ok(match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            context.say(error.to_string());
            ExitCode::FAILURE
        }
    })
}

#[cfg(feature = "practice")]
fn rehearse(mut open: Open, practice: &relight::cli::Practice) -> Result<ExitCode, String> {
    use relight::{
        cli::PracticeCommand,
        practice::{self as region, lease, world::Scenario},
    };

    /// Starts the region, or finds it running, and points the cockpit at it.
    fn begin(open: &mut Open, dir: &Path, scenario: &str) -> Result<(), String> {
        let ready = region::start(dir, scenario).map_err(|error| error.to_string())?;
        open.plan = ready.plan;
        // A world of its own has incidents of its own: a practice begun afresh does not attach to the last one's.
        let incidents = format!("incidents-{}", ready.began.millis());
        open.state_dir.get_or_insert_with(|| dir.join(incidents));
        Ok(())
    }

    let dir = practice.dir.clone().unwrap_or_else(default_dir);
    match &practice.command {
        None => {
            begin(&mut open, &dir, &practice.scenario)?;
            self::open(open, &by_practice(practice))
        }
        Some(PracticeCommand::Step { command }) => {
            begin(&mut open, &dir, &practice.scenario)?;
            step(open, command, by_practice(practice))
        }
        Some(PracticeCommand::Check(wanted)) => {
            begin(&mut open, &dir, &practice.scenario)?;
            ready::check(open, *wanted)
        }
        Some(PracticeCommand::Watch(wanted)) => {
            begin(&mut open, &dir, &practice.scenario)?;
            told::watch(open, wanted)
        }
        Some(PracticeCommand::Report(wanted)) => {
            last_practice(&mut open, &dir);
            told::report(&open, wanted)
        }
        Some(PracticeCommand::Export(wanted)) => {
            last_practice(&mut open, &dir);
            Ok(told::export(&open, wanted))
        }
        Some(PracticeCommand::Incidents(wanted)) => {
            last_practice(&mut open, &dir);
            told::incidents(&open, *wanted)
        }
        Some(PracticeCommand::Replay(wanted)) => {
            last_practice(&mut open, &dir);
            told::replay(open, wanted)
        }
        Some(PracticeCommand::Serve) => {
            let served = runtime()?.block_on(region::serve(&dir, &practice.scenario, lease::LIMIT));
            served
                .map(|()| ExitCode::SUCCESS)
                .map_err(|error| error.to_string())
        }
        Some(PracticeCommand::Stop) => {
            let stopped = region::stop(&dir).map_err(|error| error.to_string())?;
            let text = if stopped {
                "stopped"
            } else {
                "was not running"
            };
            say(
                &mut io::stdout(),
                &format!("practice in {}: {text}", dir.display()),
            );
            Ok(ExitCode::SUCCESS)
        }
        Some(PracticeCommand::Heal) => {
            let healed = region::heal(&dir).map_err(|error| error.to_string())?;
            let text = if healed {
                "the primary comes back"
            } else {
                "is not running"
            };
            say(
                &mut io::stdout(),
                &format!("practice in {}: {text}", dir.display()),
            );
            Ok(ExitCode::SUCCESS)
        }
        Some(PracticeCommand::List) => {
            for name in Scenario::names() {
                let about = Scenario::named(name)
                    .map_err(|error| error.to_string())?
                    .about;
                say(&mut io::stdout(), &format!("{name:<14} {about}"));
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Points to the incidents of the region that a practice's folder had last, whether it runs or not: nothing is started to
/// look at what is over.
#[cfg(feature = "practice")]
fn last_practice(open: &mut Open, dir: &Path) {
    let listed = std::fs::read_dir(dir).into_iter().flatten();
    let kept = listed.filter_map(|entry| {
        let entry = entry.ok()?;
        let name = entry.file_name().into_string().ok()?;
        let began: i64 = name.strip_prefix("incidents-")?.parse().ok()?;
        Some((began, entry.path()))
    });
    let newest = kept.max_by_key(|(began, _)| *began);
    let newest = newest.map_or_else(|| dir.join("incidents"), |(_, path)| path);
    open.state_dir.get_or_insert(newest);
}

/// The command line by which a practice's cockpit is opened again.
#[cfg(feature = "practice")]
fn by_practice(practice: &relight::cli::Practice) -> Vec<String> {
    let mut again = vec![program(), "practice".to_owned()];
    if let Some(dir) = &practice.dir {
        again.extend(["--dir".to_owned(), shown(dir)]);
    }
    again
}

/// The practice folder of this user: the runtime folder is on this machine's memory and nobody else's.
#[cfg(feature = "practice")]
fn default_dir() -> std::path::PathBuf {
    match std::env::var_os("XDG_RUNTIME_DIR") {
        Some(dir) if Path::new(&dir).is_dir() => Path::new(&dir).join("relight-practice"),
        _ => {
            let uid = rustix::process::getuid().as_raw();
            std::env::temp_dir().join(format!("relight-practice-{uid}"))
        }
    }
}
