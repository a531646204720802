//! `relight check`: what is to be ready before the day.

use std::{io, process::ExitCode};

use relight::{
    cli::{self, Check, Open},
    cockpit,
    report::Format,
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
