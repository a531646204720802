//! What this machine has of the cluster's certificate authorities: the operator's own `tsh` profile, and agents'
//! configurations. Two kinds of file are read, both public: certificates that `tsh` trusts, and `ca_pin`. No key file is
//! ever opened, and of a configuration nothing but pins is kept.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use super::{
    certificate,
    kube::session::{host, within},
};
use crate::{
    incident::{
        Baseline, Failure, FailureKind, Moment, Part,
        baseline::{Keeper, Kept},
        outline::Outline,
    },
    plan::Plan,
};

/// Largest file that is read, in bytes.
const CAP: u64 = 1 << 20;

/// Most profiles and configurations looked at.
const MOST: usize = 32;

/// Where an agent's configuration lies unless said (`teleport start`).
const AGENT: &str = "/etc/teleport.yaml";

/// Where to look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// The home folder of `tsh`.
    pub home: Option<PathBuf>,
    /// Configurations that the plan names as this cluster's agents'.
    pub named: Vec<PathBuf>,
    /// A configuration that may be any cluster's.
    pub usual: Option<PathBuf>,
}

impl Places {
    /// By the plan, else `TELEPORT_HOME` or `~/.tsh`, and `/etc/teleport.yaml`. A practice is nobody's: only what its plan
    /// names.
    #[must_use]
    pub fn of(plan: &Plan, var: impl Fn(&str) -> Option<String>) -> Self {
        let absolute = |name: &str| {
            var(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let usual = || absolute("TELEPORT_HOME").or_else(|| Some(absolute("HOME")?.join(".tsh")));
        let real = !plan.practice;
        let named = plan.cluster.agent_config.clone();
        Self {
            home: plan
                .cluster
                .tsh_home
                .clone()
                .or_else(|| real.then(usual).flatten()),
            usual: (real && named.is_empty()).then(|| PathBuf::from(AGENT)),
            named,
        }
    }
}

/// Looks there. Blocks: a home folder on a dead network mount must not hold others up.
#[must_use]
pub fn look(places: &Places, cluster: &str) -> Baseline {
    let mut baseline = Baseline::default();
    let mut take = |kept: Part<Option<Kept>>| match kept {
        Ok(kept) => baseline.found.extend(kept),
        Err(why) => baseline.gaps.push(why),
    };
    match &places.home {
        None => take(Err(not_planned(
            "no home folder of tsh is known: set TELEPORT_HOME, or tsh_home in [cluster]",
        ))),
        Some(home) => profiles(home, cluster).into_iter().for_each(&mut take),
    }
    for path in places.named.iter().take(MOST) {
        take(agent(path, None));
    }
    if let Some(path) = &places.usual {
        take(agent(path, Some(cluster)));
    }
    baseline
}

/// What each profile of `tsh` trusts for the cluster (`api/utils/keypaths`): `keys/PROXY/cas/CLUSTER.pem`, and in older
/// ones `keys/PROXY/certs.pem`, which holds those of leaf clusters, too.
fn profiles(home: &Path, cluster: &str) -> Vec<Part<Option<Kept>>> {
    let keys = home.join("keys");
    let proxies = match std::fs::read_dir(&keys) {
        Ok(entries) => entries,
        Err(error) => return vec![Err(unread(&keys, &error, "log in with tsh beforehand"))],
    };
    let mut proxies: Vec<PathBuf> = proxies.flatten().map(|entry| entry.path()).collect();
    proxies.sort();
    let mut found: Vec<Part<Option<Kept>>> = Vec::new();
    for proxy in proxies.into_iter().take(MOST) {
        let (own, all) = (
            proxy.join("cas").join(format!("{cluster}.pem")),
            proxy.join("certs.pem"),
        );
        let (path, of) = if own.exists() {
            (own, None)
        } else {
            (all, Some(cluster))
        };
        if !path.exists() {
            continue;
        }
        let kept = read(&path).and_then(|(text, written)| {
            let pins = certificate::pins_of(text.as_bytes(), of)?;
            Ok((!pins.is_empty()).then(|| kept(Keeper::Tsh, &path, written, pins)))
        });
        let place =
            |why: Failure| Failure::new(why.kind, format!("{}: {}", path.display(), why.detail));
        if !matches!(kept, Ok(None)) {
            found.push(kept.map_err(place));
        }
    }
    if found.is_empty() {
        let detail = format!(
            "the tsh profile in {} knows no cluster {cluster}",
            home.display()
        );
        found.push(Err(Failure::new(FailureKind::NotFound, detail)));
    }
    found
}

/// `ca_pin` of an agent's configuration: one, or a list. Where `of` is given, the agent must say that it joins there.
fn agent(path: &Path, of: Option<&str>) -> Part<Option<Kept>> {
    let (text, written) = read(path)?;
    let place = path.display();
    let outline = Outline::read(&text).map_err(|why| {
        // The parser tells lines and keys, never values; those could be tokens.
        Failure::new(FailureKind::Garbage, format!("{place}: {why}"))
    })?;
    let at = |key: &str| -> Vec<String> {
        let under = |path: &[String]| match path {
            [top, name] | [top, name, _] => top == "teleport" && name == key,
            _ => false,
        };
        let all = outline.all.iter().filter(|(path, _)| under(path));
        all.map(|(_, value)| value.clone()).collect()
    };
    if let Some(cluster) = of {
        let joins = ["proxy_server", "auth_server", "auth_servers"]
            .map(at)
            .concat();
        let ours = joins
            .iter()
            .filter_map(|address| host(address))
            .any(|host| within(&host, cluster));
        if !ours {
            return Err(Failure::new(
                FailureKind::NotFound,
                format!("the agent of {place} does not say that it joins {cluster}"),
            ));
        }
    }
    let mut pins: Vec<String> = at("ca_pin").iter().filter_map(|pin| whole(pin)).collect();
    pins.sort_unstable();
    pins.dedup();
    if pins.is_empty() {
        return Err(Failure::new(
            FailureKind::NotFound,
            format!("the agent's configuration {place} has no ca_pin"),
        ));
    }
    Ok(Some(kept(Keeper::Agent, path, written, pins)))
}

/// A pin, or nothing: a `ca_pin` may be a path, too.
fn whole(pin: &str) -> Option<String> {
    let pin = pin.trim().to_ascii_lowercase();
    let hex = pin.strip_prefix("sha256:")?;
    (hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(pin)
}

fn kept(by: Keeper, path: &Path, written: Moment, pins: Vec<String>) -> Kept {
    Kept {
        by,
        path: path.display().to_string(),
        written,
        pins,
    }
}

fn read(path: &Path) -> Part<(String, Moment)> {
    let fail = |error: std::io::Error| unread(path, &error, "let this user read it");
    let file = std::fs::File::open(path).map_err(fail)?;
    let written = file
        .metadata()
        .and_then(|meta| meta.modified())
        .map_err(fail)?;
    let written = written.duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut text = String::new();
    file.take(CAP).read_to_string(&mut text).map_err(fail)?;
    let millis = i64::try_from(written.as_millis()).unwrap_or(i64::MAX);
    Ok((text, Moment::from_millis(millis)))
}

fn unread(path: &Path, error: &std::io::Error, remedy: &str) -> Failure {
    let place = path.display();
    match error.kind() {
        std::io::ErrorKind::NotFound => {
            Failure::new(FailureKind::NotFound, format!("there is no {place}"))
        }
        std::io::ErrorKind::PermissionDenied => Failure::new(
            FailureKind::Forbidden,
            format!("{place} may not be read: {remedy}"),
        ),
        _ => Failure::new(
            FailureKind::Other,
            format!("{place} cannot be read: {error}"),
        ),
    }
}

fn not_planned(why: &str) -> Failure {
    Failure::new(FailureKind::NotPlanned, why)
}

#[cfg(test)]
#[path = "baseline_tests.rs"]
mod tests;
