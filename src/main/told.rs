//! `relight report`, `incidents`, `replay` and `watch`: an incident is told, and nothing is changed.

use std::{
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    process::ExitCode,
    time::Duration,
};

use relight::{
    cli::{self, Incidents, Open, Replay, Report},
    cockpit,
    report::{Format, Watched, account::Form},
    term::{Caps, put},
};

use crate::{runtime, say};

/// There is no such incident.
const NONE: u8 = 2;

/// Tells an incident, on the standard output or into a file.
pub fn report(open: &Open, wanted: &Report) -> Result<ExitCode, String> {
    let form = match open.format {
        cli::Format::Text | cli::Format::Markdown => Form::Markdown,
        cli::Format::Json => Form::Json,
        cli::Format::Html => Form::Html,
    };
    let state = open.state_dir.as_deref();
    let told = cockpit::report(state, wanted.incident.as_deref(), form, wanted.brief);
    let (text, code) = match told {
        Ok(told) => told,
        Err((why, code)) => {
            say(&mut io::stderr(), &format!("relight: {why}"));
            return Ok(ExitCode::from(code));
        }
    };
    match &wanted.output {
        None => say(&mut io::stdout(), text.trim_end()),
        Some(path) => {
            write(path, &text)?;
            say(&mut io::stdout(), &format!("wrote {}", path.display()));
        }
    }
    Ok(ExitCode::from(code))
}

/// Packs an incident into one archive.
pub fn export(open: &Open, wanted: &cli::Export) -> ExitCode {
    let state = open.state_dir.as_deref();
    let exported = cockpit::export(state, wanted.incident.as_deref(), wanted.output.as_deref());
    let done = match exported {
        Ok(done) => done,
        Err((why, code)) => {
            say(&mut io::stderr(), &format!("relight: {why}"));
            return ExitCode::from(code);
        }
    };
    let (sum, path) = (&done.sha256, done.path.display());
    // As `sha256sum -c` takes it.
    say(&mut io::stdout(), &format!("{sum}  {path}"));
    let (files, bytes) = (done.files, done.bytes);
    let mut text = format!("relight: wrote {path}: {files} files, {bytes} bytes, 0600");
    for remark in &done.remarks {
        text.extend(["\n  ", remark]);
    }
    say(&mut io::stderr(), &text);
    ExitCode::from(done.code)
}

/// Takes an incident to another disk.
pub fn moved(open: &Open, folder: &Path) -> Result<ExitCode, String> {
    let state = open.state_dir.as_deref();
    for line in cockpit::move_incident(folder, state)? {
        say(&mut io::stdout(), &line);
    }
    let again = state.map_or_else(String::new, |dir| dir.display().to_string());
    let text = format!("go on there: relight --plan PLAN --state-dir {again}");
    say(&mut io::stdout(), &text);
    Ok(ExitCode::SUCCESS)
}

/// Lists the incidents.
pub fn incidents(open: &Open, wanted: Incidents) -> Result<ExitCode, String> {
    let json = wanted.json || open.format == cli::Format::Json;
    let (text, code) = cockpit::incidents(open.state_dir.as_deref(), json)?;
    say(&mut io::stdout(), text.trim_end());
    Ok(ExitCode::from(code))
}

/// Plays an incident until it is left.
pub fn replay(open: Open, wanted: &Replay) -> Result<ExitCode, String> {
    let caps = Caps::detect();
    if !caps.draws {
        return Err(
            "a replay needs a terminal that can be drawn on; `relight report` tells the same as text"
                .to_owned(),
        );
    }
    let opened = cockpit::open_replay(open, caps, wanted.incident.as_deref(), wanted.speed);
    let replay = match opened {
        Ok(replay) => replay,
        Err(why) => {
            say(&mut io::stderr(), &format!("relight: {why}"));
            return Ok(ExitCode::from(NONE));
        }
    };
    let runtime = runtime()?;
    let left = runtime.block_on(cockpit::play(replay));
    runtime.shutdown_background();
    let left = left.map_err(|error| format!("cannot use the terminal: {error}"))?;
    if left.hung_up {
        return Ok(ExitCode::from(129));
    }
    let text = format!(
        "relight: replay of {}, left at {}\n",
        left.incident, left.at
    );
    let _ = put(text.as_bytes());
    Ok(ExitCode::SUCCESS)
}

/// Watches until it is left.
pub fn watch(open: Open, wanted: &cli::Watch) -> Result<ExitCode, String> {
    let format = match open.format {
        cli::Format::Text => Format::Text,
        cli::Format::Json => Format::Json,
        cli::Format::Markdown | cli::Format::Html => {
            return Err("a watch is told as text or JSON".to_owned());
        }
    };
    let setup = cockpit::setup(open, Caps::detect())?;
    let wanted = cockpit::Wanted {
        incident: wanted.incident.clone(),
        within: wanted.within.map(Duration::from_secs),
        until_alarm: wanted.until_alarm,
    };
    let runtime = runtime()?;
    let mut tell = |at, watched: &Watched| say(&mut io::stdout(), &watched.render(at, format));
    let code = runtime.block_on(cockpit::watch(&setup, &wanted, &mut tell));
    // Probes may be in the middle of a call that will not come back: nobody waits for them.
    runtime.shutdown_background();
    Ok(ExitCode::from(code.unwrap_or_else(|(why, code)| {
        say(&mut io::stderr(), &format!("relight: {why}"));
        code
    })))
}

/// Writes down how to fail back.
pub fn failback(
    open: Open,
    output: Option<&Path>,
    swapped: Option<&Path>,
) -> Result<ExitCode, String> {
    let setup = cockpit::setup(open, Caps::detect())?;
    if let Some(path) = swapped {
        write(path, &cockpit::turned(&setup)?)?;
        say(&mut io::stderr(), &format!("wrote {}", path.display()));
    }
    let runtime = runtime()?;
    let (text, code) = runtime.block_on(cockpit::failback(&setup, swapped));
    // Probes may be in the middle of a call that will not come back: nobody waits for them.
    runtime.shutdown_background();
    match output {
        None => say(&mut io::stdout(), text.trim_end()),
        Some(path) => {
            write(path, &text)?;
            say(&mut io::stdout(), &format!("wrote {}", path.display()));
        }
    }
    Ok(ExitCode::from(code))
}

/// A file of this user alone: a report names people, hosts and addresses.
fn write(path: &Path, text: &str) -> Result<(), String> {
    let file = std::fs::File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        format!(
            "cannot write {}: {error}; an existing file is never overwritten",
            path.display()
        )
    })
}
