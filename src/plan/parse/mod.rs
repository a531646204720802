//! Text → plan, with every error at once.
//!
//! Each `[section]` is read by the file of its noun through a [`section::Section`], which knows its keys by their being
//! asked for. [`rules`] says what a value must look like, [`across`] what must fit together. Nothing stops at the first
//! error: syntax errors too are collected, and whatever could be read is judged.

mod across;
mod aims;
mod approvals;
mod arc;
mod cluster;
mod dns;
mod drill;
mod nearest;
mod reader;
mod region;
mod rules;
pub(super) mod runbook;
mod section;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use toml::de::DeTable;

use self::{
    reader::{Found, Reader},
    section::Section,
};
use super::{Diagnostic, Plan};
use crate::incident::Side;

impl Plan {
    /// Reads a plan. `path` is used for messages and as the base of relative paths; nothing is read from disk but the
    /// name of the current folder, and that only if `path` is relative.
    ///
    /// # Errors
    /// With every error found, in the order of the text, each with line, column, offending text and remedy.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut reader = Reader::new(path, text);
        let (document, syntax) = DeTable::parse_recoverable(text);
        for error in &syntax {
            reader.syntax(&error.span().unwrap_or(0..0), error.message());
        }
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let plan = read(&mut reader, document.get_ref(), path, text);
        let (failed, findings) = reader.finish();
        if failed {
            return Err(findings);
        }
        Ok(Self {
            warnings: findings,
            ..plan
        })
    }
}

fn read(reader: &mut Reader<'_>, document: &DeTable<'_>, path: PathBuf, text: &str) -> Plan {
    let own = path.parent().unwrap_or(Path::new("/")).to_owned();
    let mut top = Section::top(document);
    let practice = top.flag(reader, "practice");
    let drill = drill::drill(&mut top, reader);
    let folder = drill.folder(&own).to_owned();
    let (cluster, place) = cluster::cluster(&mut top, reader, &folder);
    let (primary, primary_places) = region::region(&mut top, reader, Side::Primary, &folder);
    let (recovery, recovery_places) = region::region(&mut top, reader, Side::Recovery, &folder);
    let name = Found {
        value: cluster.name.clone(),
        span: place,
    };
    let (mut dns, dns_places) = dns::dns(&mut top, reader, &name);
    let web = cluster::web(&mut top, reader, &folder);
    let resources = cluster::resources(&mut top, reader, &folder);
    let objectives = cluster::objectives(&mut top, reader);
    let black_box = cluster::black_box(&mut top, reader);
    let freeze = cluster::freeze(&mut top, reader);
    let approvals = approvals::approvals(&mut top, reader);
    let watch = cluster::watch(&mut top, reader, &folder);
    let coordination = cluster::coordination(&mut top, reader);
    let tools = cluster::tools(&mut top, reader, &folder);
    let runbook = cluster::runbook(&mut top, reader, &folder);
    top.finish(reader);
    if practice {
        // Unless said, three public resolvers are asked: never in a practice.
        dns.public_resolvers.get_or_insert_default();
    }
    let mut recovery = recovery;
    if recovery.values.is_none() {
        recovery.values = cluster.values.as_deref().map(beside);
    }
    let mut plan = Plan {
        path,
        digest: digest(text),
        cluster,
        primary,
        recovery,
        dns,
        web,
        objectives,
        resources,
        black_box,
        freeze,
        approvals,
        watch,
        coordination,
        tools,
        drill,
        runbook,
        practice,
        warnings: Vec::new(),
    };
    let places = across::Places {
        sides: [primary_places, recovery_places],
        dns: dns_places,
    };
    across::check(&plan, &places, reader);
    super::drill::isolate(&mut plan);
    plan
}

/// Where the recovery values go unless said: `values.yaml` → `values.recovery.yaml`, beside the operator's file.
fn beside(values: &Path) -> PathBuf {
    let stem = values.file_stem().unwrap_or_default().to_string_lossy();
    let end = values.extension().map_or_else(
        || "yaml".to_owned(),
        |end| end.to_string_lossy().into_owned(),
    );
    values.with_file_name(format!("{stem}.recovery.{end}"))
}

fn digest(text: &str) -> String {
    use std::fmt::Write as _;

    Sha256::digest(text.as_bytes())
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}
