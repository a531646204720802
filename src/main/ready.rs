//! `relight plan check`, `black-box`, `check` and `drill`: what is to be declared, kept, ready and tried before the day.

use std::{io, process::ExitCode};

use relight::{
    cli::{self, BlackBoxCommand, Check, DrillCommand, Open},
    cockpit, plan,
    report::Format,
    step,
    term::Caps,
};

use crate::{runtime, say};

/// Validates the plan and says what would be watched and what is missing.
pub fn plan(open: &Open) -> Result<ExitCode, String> {
    let plan = plan::load(&open.plan).map_err(|error| error.to_string())?;
    let mut out = io::stdout();
    for line in plan::describe(&plan) {
        say(&mut out, &line);
    }
    let runbook = cockpit::runbook(&plan)?;
    let own = runbook.steps.iter().filter(|step| step.own).count();
    say(&mut out, "");
    say(
        &mut out,
        &format!("runbook: {} steps, {own} of your own", runbook.steps.len()),
    );
    // A missing tool locks nothing here: the check may well run on another machine than the recovery.
    let tool = match runtime()?.block_on(relight::probe::check::helm(&plan)) {
        Ok(helm) => helm.to_string(),
        Err(failure) => failure.to_string(),
    };
    say(&mut out, "");
    say(&mut out, &format!("tools: {tool}"));
    Ok(ExitCode::SUCCESS)
}

/// Records the black box, or shows the one that counts.
pub fn black_box(open: &Open, command: BlackBoxCommand) -> Result<ExitCode, String> {
    let plan = plan::load(&open.plan).map_err(|error| error.to_string())?;
    let state = open.state_dir.as_deref();
    let (text, code) = match command {
        BlackBoxCommand::Record => runtime()?.block_on(cockpit::record_black_box(&plan, state))?,
        BlackBoxCommand::Show => cockpit::show_black_box(&plan, state, open.format)?,
    };
    say(&mut io::stdout(), text.trim_end());
    Ok(ExitCode::from(code))
}

/// Says whether everything is ready.
pub fn check(open: Open, wanted: Check) -> Result<ExitCode, String> {
    let format = match open.format {
        cli::Format::Text => Format::Text,
        cli::Format::Json => Format::Json,
        cli::Format::Markdown => Format::Markdown,
        cli::Format::Html => return Err("HTML is for `relight report` alone".to_owned()),
    };
    let setup = cockpit::setup(open, Caps::detect())?;
    let runtime = runtime()?;
    let (text, code) = runtime.block_on(cockpit::check(&setup, format, !wanted.no_black_box));
    // Probes may be in the middle of a call that will not come back: nobody waits for them.
    runtime.shutdown_background();
    say(&mut io::stdout(), text.trim_end());
    Ok(ExitCode::from(code))
}

/// Says what a drill would be, or declares it; `again` is the command line that comes back to it.
pub fn drill(
    open: Open,
    command: Option<&DrillCommand>,
    again: &[String],
) -> Result<ExitCode, String> {
    if open.format != cli::Format::Text {
        return Err("a drill is told as text".to_owned());
    }
    let setup = cockpit::setup(open, Caps::detect())?;
    let again = step::expand::shown(again);
    let (text, code) = match command {
        None => (cockpit::outline_drill(&setup, &again), 0),
        Some(DrillCommand::Full { yes }) => cockpit::declare_drill(&setup, yes.as_deref(), &again)?,
        Some(DrillCommand::Isolated { yes }) => {
            cockpit::isolated_drill(&setup, yes.as_deref(), &again)?
        }
    };
    say(&mut io::stdout(), text.trim_end());
    Ok(ExitCode::from(code))
}
