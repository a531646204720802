//! An incident in one archive: for the post-mortem, for support, for another machine.
//!
//! What goes in is listed here and nothing else does: values files, the black box, listeners and issued tokens stay where
//! they are, unredacted and 0600. Everything that goes in is cleaned once more on its way.

mod archive;

use std::{
    borrow::Cow,
    collections::BTreeMap,
    io::{self, BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
};

use archive::Archive;

use super::{
    edge::{outgoing, redacted},
    past::{BROKEN, NONE, Past, find},
};
use crate::{
    incident::{Observation, plain},
    journal::{Folder, Track, files},
    report::account::{Account, Form, Handover, Material},
    run::{self, Output, RunDir, Spec},
    step::expand,
};

/// Longest line of a record that is passed on; the journal's own cap.
const LINE: u64 = 8 * 1024 * 1024;
/// Longest plan, and longest word of a runner, that is passed on.
const TEXT: u64 = 1024 * 1024;
/// Lines of output that are cleaned at once.
const WINDOW: usize = 4096;

const ABOUT: &str = "\
What Relight kept of an incident, without its secrets.

report.md, report.html, report.json   the incident, told
handover.md                           done, running, next and risks
journal.jsonl                         every record; each names the SHA-256 of the line before it
track.jsonl, track.old.jsonl          what the probes saw change, not chained
plan.toml                             the plan as it was when the incident was declared
runs/ID/output.log                    what a run wrote, each line with its time
runs/ID/events.jsonl, spec.json       what became of the run, and what it was
SHA256SUMS                            check with: sha256sum -c SHA256SUMS

Control characters and secrets were taken out once more while packing. Not in here, on purpose: values files, the black
box, what was shut at the old load balancer, issued tokens.
";

/// An archive that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Where it is.
    pub path: PathBuf,
    /// Its SHA-256, in hex.
    pub sha256: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// How many files are in it.
    pub files: usize,
    /// What is to be known of it.
    pub remarks: Vec<String>,
    /// The exit code: 0 packed, 1 packed from a journal that is not as it was written.
    pub code: u8,
}

/// Packs an incident.
///
/// # Errors
/// In words, with the exit code: 2 if there is none, 64 if the archive cannot be written.
pub fn export(
    state_dir: Option<&Path>,
    wanted: Option<&str>,
    output: Option<&Path>,
) -> Result<Exported, (String, u8)> {
    let opened = find(state_dir, wanted).and_then(Past::open);
    let mut past = opened.map_err(|why| (why, NONE))?;
    let name = past.folder.name();
    let path = output.map_or_else(
        || PathBuf::from(format!("relight-{name}.tar.gz")),
        Path::to_owned,
    );
    let packed = pack(&mut past, &name, &path);
    packed.map_err(|error| {
        let remedy = match error.kind() {
            io::ErrorKind::AlreadyExists => "an existing file is never overwritten",
            _ => "name another place with --output",
        };
        let path = path.display();
        (format!("cannot write {path}: {error}; {remedy}"), 64)
    })
}

fn pack(past: &mut Past, name: &str, path: &Path) -> io::Result<Exported> {
    let track: Vec<Observation> = Track::read(&past.folder).collect();
    let state = past.end(&track);
    let locks = past.locks();
    let told = state.now;
    let material = Material {
        name,
        state: &state,
        records: &past.records,
        track: &track,
        planned: past.planned,
        remarks: &past.remarks,
        locks: &locks,
        told,
        clean: &redacted,
    };
    let account = Account::of(&material);
    let seconds = u64::try_from(told.secs()).unwrap_or(0);
    let mut archive = Archive::create(path, name, seconds)?;
    archive.text("README.txt", ABOUT)?;
    for (file, form) in [
        ("report.md", Form::Markdown),
        ("report.html", Form::Html),
        ("report.json", Form::Json),
    ] {
        archive.text(file, &account.render(form))?;
    }
    let handover = Handover::of(&material).render(Form::Markdown);
    archive.text("handover.md", &handover)?;
    let mut remarks = Vec::new();
    let folder = &past.folder;
    for file in ["journal.jsonl", "track.old.jsonl", "track.jsonl"] {
        records(&mut archive, folder.path(), "", file, &mut remarks)?;
    }
    text(&mut archive, folder.path(), "", "plan.toml")?;
    runs(&mut archive, folder, &mut remarks)?;
    let (sha256, bytes, files) = archive.finish()?;
    Ok(Exported {
        path: path.to_owned(),
        sha256,
        bytes,
        files,
        remarks,
        code: if past.broken { BROKEN } else { 0 },
    })
}

/// Every run: what it was, what became of it and what it wrote.
fn runs(archive: &mut Archive, folder: &Folder, remarks: &mut Vec<String>) -> io::Result<()> {
    for dir in run::all(folder)? {
        let Some(run) = dir.run() else { continue };
        let place = format!("runs/{run}/");
        spec(archive, &dir, &place)?;
        records(archive, dir.path(), &place, "events.jsonl", remarks)?;
        text(archive, dir.path(), &place, "runner.log")?;
        output(archive, &dir, &place)?;
        if dir.is_live()? {
            remarks.push(format!(
                "{run} is still running: its output is as it was now"
            ));
        }
    }
    Ok(())
}

/// What a run was. Its argv goes in as one line: word by word, nothing tells that what follows `--password` is one.
fn spec(archive: &mut Archive, dir: &RunDir, place: &str) -> io::Result<()> {
    let Ok(mut spec) = Spec::load(dir) else {
        return Ok(());
    };
    spec.argv = vec![expand::shown(&spec.argv)];
    for (name, value) in &mut spec.env {
        let pair = outgoing(&format!("{name}={value}"));
        *value = pair
            .split_once('=')
            .map_or_else(|| pair.clone(), |(_, value)| value.to_owned());
    }
    let told = serde_json::to_string(&spec)?;
    let told = plain::clean_line(&told, &redacted).unwrap_or(told);
    archive.text(&format!("{place}spec.json"), &(told + "\n"))
}

/// What a run wrote, as it is shown: a gigabyte is never in memory.
fn output(archive: &mut Archive, dir: &RunDir, place: &str) -> io::Result<()> {
    let Some(output) = Output::open(dir)? else {
        return Ok(());
    };
    let total = output.lines();
    archive.add(&format!("{place}output.log"), &mut |out| {
        let mut from = 0;
        while from < total {
            let count = usize::try_from(total - from).unwrap_or(WINDOW);
            let lines = output.window(from, count.min(WINDOW))?;
            let Some(last) = lines.last() else { break };
            from = last.number + 1;
            for line in &lines {
                writeln!(out, "{} {}", line.at, line.text)?;
            }
        }
        Ok(())
    })
}

/// A file of records, one a line. A line that has to be changed breaks the chain, and is named.
fn records(
    archive: &mut Archive,
    folder: &Path,
    place: &str,
    file: &str,
    remarks: &mut Vec<String>,
) -> io::Result<()> {
    let Some(mut reader) = open(&folder.join(file))?.map(BufReader::new) else {
        return Ok(());
    };
    let mut told = String::new();
    let mut changed: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for number in 1_u64.. {
        let mut line = Vec::new();
        if reader.by_ref().take(LINE).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.len() as u64 == LINE && line.last() != Some(&b'\n') {
            reader.skip_until(b'\n')?;
            changed
                .entry("left out")
                .or_default()
                .push(number.to_string());
            told.push('\n');
            continue;
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end_matches('\n');
        let clean = plain::clean_line(line, &redacted);
        if clean.is_some() {
            changed
                .entry("cleaned")
                .or_default()
                .push(number.to_string());
        }
        told.push_str(&clean.map_or(Cow::Borrowed(line), Cow::Owned));
        told.push('\n');
    }
    for (what, lines) in changed {
        let shown = lines
            .iter()
            .take(20)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        let more = if lines.len() > 20 { ", …" } else { "" };
        remarks.push(format!(
            "{place}{file}: {what}: line {shown}{more}; the line after each does not have its hash"
        ));
    }
    archive.text(&format!("{place}{file}"), &told)
}

/// A text file of ours, if it is there.
fn text(archive: &mut Archive, folder: &Path, place: &str, file: &str) -> io::Result<()> {
    let Some(found) = open(&folder.join(file))? else {
        return Ok(());
    };
    let mut bytes = Vec::new();
    found.take(TEXT).read_to_end(&mut bytes)?;
    let told = outgoing(&String::from_utf8_lossy(&bytes));
    archive.text(&format!("{place}{file}"), &told)
}

/// A file, no link; `None` if it is not there.
fn open(path: &Path) -> io::Result<Option<std::fs::File>> {
    match files::private().read(true).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io::Error::new(
            error.kind(),
            format!("{}: {error}", path.display()),
        )),
    }
}
