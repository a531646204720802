//! `relight`: parse, dispatch, closing summary, exit code.
#![forbid(unsafe_code)]

use std::{
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
    sync::Arc,
};

use clap::Parser as _;
use relight::{
    cli::{self, Cli, Command, Open, PlanCommand, StepCommand},
    cockpit::{self, Ending},
    incident::RunId,
    plan,
    report::Format,
    run::runner,
    step,
    term::Caps,
};

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
        None => open(cli.open),
        #[cfg(feature = "practice")]
        Some(Command::Practice(practice)) => rehearse(cli.open, &practice),
        Some(Command::Init { path }) => init(&path),
        Some(Command::Plan {
            command: PlanCommand::Check,
        }) => check(&cli.open),
        Some(Command::Step {
            command: StepCommand::Exec { name, run, dry_run },
        }) => exec(&cli.open, &name, &run, dry_run),
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
fn say(out: &mut dyn io::Write, text: &str) {
    let _ = writeln!(out, "{text}");
}

/// Under the name `helm`, this binary is the practice region's stand-in for it.
#[cfg(feature = "practice")]
fn stand_in() -> Option<ExitCode> {
    let mut args = std::env::args();
    let name = args.next()?;
    if Path::new(&name).file_name()? != "helm" {
        return None;
    }
    let code = runtime()
        .ok()?
        .block_on(relight::practice::helm::main(args.collect()));
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

fn open(open: Open) -> Result<ExitCode, String> {
    let caps = Caps::detect();
    let format = match open.format {
        cli::Format::Text => Format::Text,
        cli::Format::Json => Format::Json,
        cli::Format::Markdown => Format::Markdown,
    };
    let once = open.once || !caps.draws;
    let setup = cockpit::setup(open, caps)?;
    if once {
        let (text, code) = runtime()?.block_on(cockpit::once(&setup, format));
        say(&mut io::stdout(), text.trim_end());
        return Ok(ExitCode::from(code));
    }
    let runtime = runtime()?;
    let ending = runtime.block_on(cockpit::run(setup));
    // Probes may be in the middle of a call that will not come back: nobody waits for them.
    runtime.shutdown_background();
    let ending = ending.map_err(|error| format!("cannot use the terminal: {error}"))?;
    if ending.hung_up {
        return Ok(ExitCode::from(129));
    }
    summary(&ending);
    Ok(ExitCode::SUCCESS)
}

/// What stays on the terminal after the screen is gone: where things are kept and how to come back.
fn summary(ending: &Ending) {
    let mut out = io::stdout();
    let state = &ending.state;
    let Some(folder) = &ending.folder else {
        return say(
            &mut out,
            "relight: no incident was opened; nothing was written.",
        );
    };
    say(
        &mut out,
        &format!("relight: incident {}", folder.path().display()),
    );
    for run in state.live_runs() {
        say(
            &mut out,
            &format!("  still running: {run} (it goes on without this terminal)"),
        );
    }
    say(
        &mut out,
        &format!(
            "  attach again: relight --plan {}",
            state.plan.path.display()
        ),
    );
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

fn check(open: &Open) -> Result<ExitCode, String> {
    let plan = plan::load(&open.plan).map_err(|error| error.to_string())?;
    let mut out = io::stdout();
    for line in plan::describe(&plan) {
        say(&mut out, &line);
    }
    Ok(ExitCode::SUCCESS)
}

fn exec(open: &Open, name: &str, run: &str, dry_run: bool) -> Result<ExitCode, String> {
    let plan = Arc::new(plan::load(&open.plan).map_err(|error| error.to_string())?);
    let run = RunId::parse(run).ok_or_else(|| format!("{run:?} is no run id"))?;
    let native = step::natives()
        .into_iter()
        .find(|native| native.name == name);
    let native = native.ok_or_else(|| format!("there is no native step {name:?}"))?;
    let context = step::Context { plan, run, dry_run };
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

    let dir = practice.dir.clone().unwrap_or_else(default_dir);
    match practice.command {
        None => {
            let ready =
                region::start(&dir, &practice.scenario).map_err(|error| error.to_string())?;
            open.plan = ready.plan;
            // A world of its own has incidents of its own: a practice begun afresh does not attach to the last one's.
            let incidents = format!("incidents-{}", ready.began.millis());
            open.state_dir.get_or_insert_with(|| dir.join(incidents));
            self::open(open)
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
