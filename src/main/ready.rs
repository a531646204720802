//! `relight check` and `relight drill`: what is to be ready and tried before the day.

use std::{io, process::ExitCode};

use relight::{
    cli::{self, Check, DrillCommand, Open},
    cockpit,
    report::Format,
    step,
    term::Caps,
};

use crate::{runtime, say};

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
    };
    say(&mut io::stdout(), text.trim_end());
    Ok(ExitCode::from(code))
}
