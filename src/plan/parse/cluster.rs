//! `[cluster]`, `[web]`, `[objectives]`, `[black_box]`, `[tools]` and `[runbook]`.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    aims,
    reader::{Found, Reader, Span},
    rules,
    section::Section,
};
use crate::plan::{
    BlackBoxPlan, ClusterPlan, CoordinationPlan, FreezePlan, Objectives, ResourcesPlan, Tools,
    WatchPlan, WebPlan,
};

/// `[cluster]` with the place of its name.
pub(super) fn cluster(
    top: &mut Section<'_, '_>,
    reader: &mut Reader<'_>,
    folder: &Path,
) -> (ClusterPlan, Span) {
    let mut section = top.section(reader, "cluster");
    let place = section.span.clone();
    let name = section.parsed(reader, "name", |text| rules::domain(text, false));
    if !section.has("name") {
        reader.missing(
            &place,
            "[cluster] has no name",
            "write name = \"teleport.example.com\": the clusterName of the values file, which never changes",
        );
    }
    let release = section.parsed(reader, "release", rules::argument);
    let namespace = section.parsed(reader, "namespace", rules::argument);
    let chart = section.parsed(reader, "chart", rules::argument);
    let version = section.parsed(reader, "version", rules::argument);
    let values = section.path(reader, "values", folder);
    let port = section.number(reader, "port", (1, u32::from(u16::MAX)));
    let ca_pins = section.list(reader, "ca_pins", rules::pin);
    let tsh_home = section.path(reader, "tsh_home", folder);
    let agent_config = section.list(reader, "agent_config", |text| rules::path(text, folder));
    let agents = section.number(reader, "agents", (0, 10_000_000));
    section.finish(reader);

    if version.is_none() {
        reader.gap(
            &place,
            "[cluster] version is not declared: installing the chart is locked",
            "pin the chart version that runs now (helm list): v18 and up refuse a backend that a newer version has written",
        );
    }
    if values.is_none() {
        reader.gap(
            &place,
            "[cluster] values is not declared: writing the recovery values and installing are locked",
            "name the values file that the cluster was installed with",
        );
    }
    let ca_pins: Vec<String> = ca_pins
        .unwrap_or_default()
        .into_iter()
        .map(|pin| pin.value)
        .collect();
    if ca_pins.is_empty() {
        reader.warning(
            &place,
            "[cluster] has no ca_pins: whether the new cluster has the old one's certificate authorities can only be \
             told if the old one is seen answering first",
            "record the lines after \"CA pins\" of `tctl status` now",
        );
    }
    let span = name.as_ref().map_or(place, |name| name.span.clone());
    let plan = ClusterPlan {
        name: name.map(|name| name.value).unwrap_or_default(),
        release: release.map_or_else(|| "teleport-cluster".to_owned(), |found| found.value),
        namespace: namespace.map_or_else(|| "teleport".to_owned(), |found| found.value),
        chart: chart.map_or_else(
            || "teleport/teleport-cluster".to_owned(),
            |found| chart_path(found.value, folder),
        ),
        version: version.map(|found| found.value),
        values: values.map(|found| found.value),
        port: port
            .and_then(|found| u16::try_from(found.value).ok())
            .unwrap_or(443),
        ca_pins,
        tsh_home: tsh_home.map(|found| found.value),
        agent_config: agent_config
            .unwrap_or_default()
            .into_iter()
            .map(|path| path.value)
            .collect(),
        agents: agents.map(|found| found.value),
    };
    (plan, span)
}

/// A chart that is a file is taken from the plan's folder; `repository/chart` and `oci://` stay as they are.
fn chart_path(chart: String, folder: &Path) -> String {
    let archive = Path::new(&chart)
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("tgz"));
    let file = archive || chart.starts_with("./") || chart.starts_with("../");
    if file && !chart.contains("://") {
        folder.join(chart).to_string_lossy().into_owned()
    } else {
        chart
    }
}

/// `[web]`
pub(super) fn web(top: &mut Section<'_, '_>, reader: &mut Reader<'_>, folder: &Path) -> WebPlan {
    let mut section = top.section(reader, "web");
    let ca_file = section
        .path(reader, "ca_file", folder)
        .map(|found| found.value);
    section.finish(reader);
    WebPlan { ca_file }
}

/// `[objectives]`: one hour, 15 minutes and 95 % of the agents unless said.
pub(super) fn objectives(top: &mut Section<'_, '_>, reader: &mut Reader<'_>) -> Objectives {
    let mut section = top.section(reader, "objectives");
    let rto = section.duration(reader, "rto");
    let rpo = section.duration(reader, "rpo");
    let agents = section.parsed(reader, "agents", aims::percent);
    let within = section.duration(reader, "agents_within");
    section.finish(reader);
    Objectives {
        rto: rto.map_or(Duration::from_hours(1), |found| found.value),
        rpo: rpo.map_or(Duration::from_mins(15), |found| found.value),
        agents: agents.map_or(95, |found| found.value),
        agents_within: within.map_or(Duration::from_mins(10), |found| found.value),
    }
}

/// `[black_box]`
pub(super) fn black_box(top: &mut Section<'_, '_>, reader: &mut Reader<'_>) -> BlackBoxPlan {
    let mut section = top.section(reader, "black_box");
    let copy_to = section.parsed(reader, "copy_to", rules::copy_to);
    if !section.has("copy_to") {
        reader.warning(
            &section.span,
            "[black_box] copy_to is not declared: the black box lies on this host only, and is lost with it",
            "write copy_to = \"s3://bucket/prefix\", a bucket in the recovery region such as that of the recordings",
        );
    }
    section.finish(reader);
    BlackBoxPlan {
        copy_to: copy_to.map(|found| found.value),
    }
}

/// `[freeze]`
pub(super) fn freeze(top: &mut Section<'_, '_>, reader: &mut Reader<'_>) -> FreezePlan {
    let mut section = top.section(reader, "freeze");
    let roles = section.list(reader, "roles", rules::argument);
    let exclude = section.list(reader, "exclude", rules::argument);
    let ttl = section.duration(reader, "ttl");
    let message = section.text(reader, "message");
    section.finish(reader);
    let names = |found: Vec<Found<String>>| found.into_iter().map(|found| found.value).collect();
    let usual = FreezePlan::default();
    FreezePlan {
        roles: roles.map(names),
        exclude: exclude.map(names).unwrap_or_default(),
        ttl: ttl.map_or(usual.ttl, |found| found.value),
        message: message.map(|found| found.value),
    }
}

/// `[watch]`
pub(super) fn watch(
    top: &mut Section<'_, '_>,
    reader: &mut Reader<'_>,
    folder: &Path,
) -> WatchPlan {
    let mut section = top.section(reader, "watch");
    let words = section.list(reader, "on_event", rules::text);
    section.finish(reader);
    let mut on_event: Vec<String> = words
        .unwrap_or_default()
        .into_iter()
        .map(|found| found.value)
        .collect();
    if let Some(program) = on_event.first_mut().filter(|name| name.contains('/')) {
        *program = folder.join(&*program).to_string_lossy().into_owned();
    }
    WatchPlan { on_event }
}

/// `[coordination]`
pub(super) fn coordination(
    top: &mut Section<'_, '_>,
    reader: &mut Reader<'_>,
) -> Option<CoordinationPlan> {
    let there = top.has("coordination");
    let mut section = top.section(reader, "coordination");
    let table = section.parsed(reader, "table", rules::argument);
    let lease = section.duration(reader, "lease");
    if there && table.is_none() {
        reader.error(
            &section.span,
            "[coordination] names no table".to_owned(),
            "add table = \"…\", a DynamoDB table of the recovery region with the keys incident (S) and seq (N)",
        );
    }
    section.finish(reader);
    // Shorter than a slow answer it would be lost at once, longer it would keep a successor waiting for nothing.
    let bounds = Duration::from_secs(10)..=Duration::from_mins(5);
    let lease = lease.map_or(Duration::from_secs(20), |found| {
        if !bounds.contains(&found.value) {
            reader.error(
                &found.span,
                "[coordination] lease is out of range".to_owned(),
                "give 10 seconds to 5 minutes",
            );
        }
        found.value
    });
    Some(CoordinationPlan {
        table: table?.value,
        lease,
    })
}

/// `[resources]`: relative paths are taken from the plan's folder.
pub(super) fn resources(
    top: &mut Section<'_, '_>,
    reader: &mut Reader<'_>,
    folder: &Path,
) -> ResourcesPlan {
    let mut section = top.section(reader, "resources");
    let manifests = section.list(reader, "manifests", |text| rules::path(text, folder));
    let flux = section.list(reader, "flux", aims::kustomization);
    section.finish(reader);
    let values = manifests.unwrap_or_default().into_iter();
    ResourcesPlan {
        manifests: values.map(|found| found.value).collect(),
        flux: flux
            .unwrap_or_default()
            .into_iter()
            .map(|found| found.value)
            .collect(),
    }
}

/// `[tools]`: a name is looked up in `PATH`; a relative path is taken from the plan's folder.
pub(super) fn tools(top: &mut Section<'_, '_>, reader: &mut Reader<'_>, folder: &Path) -> Tools {
    let mut section = top.section(reader, "tools");
    let mut tool = |name: &'static str| {
        let found = section.parsed(reader, name, rules::argument);
        let tool = found.map_or_else(|| name.to_owned(), |found| found.value);
        if tool.contains('/') {
            folder.join(tool).to_string_lossy().into_owned()
        } else {
            tool
        }
    };
    let tools = Tools {
        helm: tool("helm"),
        kubectl: tool("kubectl"),
    };
    section.finish(reader);
    tools
}

/// `[runbook]`: the file with the operator's own steps.
pub(super) fn runbook(
    top: &mut Section<'_, '_>,
    reader: &mut Reader<'_>,
    folder: &Path,
) -> Option<PathBuf> {
    let mut section = top.section(reader, "runbook");
    let file = section.path(reader, "file", folder);
    section.finish(reader);
    file.map(|found| found.value)
}
