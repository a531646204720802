//! The plan of an isolated drill: the operator's own, with everything that it would make or use put aside from what is
//! real. The primary goes on living meanwhile, the names point at it, and the recovery region may hold a warm release.
//!
//! Everything derives from the plan's text and a stamp, so that digest, runner, report and a cockpit that attaches later
//! see the same drill: [`isolated_text`] makes the text, [`isolate`] what follows from it.

use std::path::{Path, PathBuf};

use super::{DrillPlan, Isolated, Plan, ResourcesPlan};
use crate::incident::{
    outline::{self, Outline},
    values::Field,
};

/// Longest name of a Helm release.
const RELEASE: usize = 53;
/// Longest name of a Kubernetes namespace (RFC 1123).
const NAMESPACE: usize = 63;
/// Longest name of a `DynamoDB` table.
const TABLE: usize = 255;
/// Annotations that give a load balancer its name, at most 32 bytes long: two of one name are one.
const NAMED: [&str; 2] = [
    "service.beta.kubernetes.io/aws-load-balancer-name",
    "alb.ingress.kubernetes.io/load-balancer-name",
];
/// The annotation by which several Ingresses share a load balancer.
const GROUP: &str = "alb.ingress.kubernetes.io/group.name";
/// What a load balancer has for itself alone.
const FIXED: [&str; 3] = [
    "service.beta.kubernetes.io/aws-load-balancer-eip-allocations",
    "service.beta.kubernetes.io/aws-load-balancer-private-ipv4-addresses",
    "loadBalancerIP",
];
/// Where the chart takes the place of the recordings from, over what it makes of `aws.sessionRecordingBucket`.
const SESSIONS: [&str; 5] = [
    "auth",
    "teleportConfig",
    "teleport",
    "storage",
    "audit_sessions_uri",
];
/// external-dns passes over every object on which this says anything but `dns-controller`.
const CONTROLLER: &str = "external-dns.alpha.kubernetes.io/controller";

impl Isolated {
    /// The key and the value of the tag and the label by which the drill's things are known.
    pub const TAG: &str = "relight-drill";

    /// Where the drill's recordings lie in the recovery bucket.
    #[must_use]
    pub fn prefix(&self) -> String {
        format!("relight-drill/{}", self.stamp)
    }
}

impl Plan {
    /// The isolated drill that this is the plan of.
    #[must_use]
    pub const fn isolated(&self) -> Option<&Isolated> {
        self.drill.isolated.as_ref()
    }
}

/// The text of the plan of an isolated drill: the operator's, and which drill it is. Relative paths go on being taken from
/// where the operator's own plan lies.
#[must_use]
pub fn isolated_text(text: &str, plan: &Path, stamp: &str) -> String {
    let quoted = toml::Value::from(plan.to_string_lossy().into_owned());
    format!(
        "{}\n\n# Of one isolated drill, written by `relight drill isolated`.\n[drill.isolated]\nstamp = \"{stamp}\"\nof = {quoted}\n",
        text.trim_end()
    )
}

/// Puts what the drill makes and uses aside from what is real.
pub(super) fn isolate(plan: &mut Plan) {
    let Some(mut isolated) = plan.drill.isolated.take() else {
        return;
    };
    let end = format!("-drill-{}", isolated.stamp);
    isolated.release.clone_from(&plan.cluster.release);
    isolated.namespace.clone_from(&plan.cluster.namespace);
    let tables = [&plan.primary, &plan.recovery]
        .map(|side| [side.state_table.clone(), side.audit_table.clone()]);
    isolated.tables = tables.into_iter().flatten().flatten().collect();
    plan.cluster.release = ended(&plan.cluster.release, &end, RELEASE);
    let drill = &plan.drill;
    plan.cluster.namespace = drill
        .namespace
        .clone()
        .unwrap_or_else(|| ended(&plan.cluster.namespace, &end, NAMESPACE));
    let recovery = &mut plan.recovery;
    for table in [&mut recovery.state_table, &mut recovery.audit_table] {
        *table = table.as_deref().map(|name| ended(name, &end, TABLE));
    }
    // A key that others rest on is not shared: AWS's own unless the plan has one for drills.
    recovery.table_key.clone_from(&drill.table_key);
    for (role, own) in [
        (&mut recovery.auth_role, &drill.auth_role),
        (&mut recovery.proxy_role, &drill.proxy_role),
    ] {
        if own.is_some() {
            role.clone_from(own);
        }
    }
    recovery.set.extend(drill.set.clone());
    for (path, value) in &mut recovery.set {
        if Field::of(path) == Some(Field::Sessions) && !drill.set.contains_key(path) {
            *value = at_prefix(value, &isolated);
        }
    }
    // Beside the drill's own plan, in its own folder: the real recovery values stay as they are.
    recovery.values = plan
        .cluster
        .values
        .is_some()
        .then(|| plan.path.with_file_name("values.yaml"));
    // Known beforehand of the real recovery, and not of this one.
    recovery.load_balancer.clear();
    plan.dns.new.clear();
    plan.dns.arc = None;
    plan.black_box.copy_to = None;
    plan.resources = ResourcesPlan::default();
    // The row of the cluster's holder is for the day that comes meanwhile: a drill is this machine's.
    plan.coordination = None;
    // A drill is one machine's: the table that bastions share an incident by belongs to the real one.
    plan.coordination = None;
    plan.drill.isolated = Some(isolated);
}

/// A name with an end, cut before it where it would be too long.
fn ended(name: &str, end: &str, most: usize) -> String {
    let room = most.saturating_sub(end.len());
    let mut cut = name.len().min(room);
    while !name.is_char_boundary(cut) {
        cut -= 1;
    }
    format!("{}{end}", name[..cut].trim_end_matches(['-', '.']))
}

/// What the values of an isolated drill have otherwise, beyond what moves with the region.
///
/// # Errors
/// In words, if they name something that only one cluster may use, and `[drill.set]` does not say what a drill uses
/// instead.
pub(super) fn values(
    plan: &Plan,
    outline: &Outline,
) -> Result<Vec<(outline::Path, String)>, String> {
    let Some(isolated) = plan.isolated() else {
        return Ok(Vec::new());
    };
    let own = &plan.drill.set;
    let mut set = Vec::new();
    let mut put = |path: &[&str], value: String| {
        let path: outline::Path = path.iter().map(|&key| key.to_owned()).collect();
        if !own.contains_key(&path) {
            set.push((path, value));
        }
    };
    for kind in ["service", "ingress"] {
        put(
            &["annotations", kind, CONTROLLER],
            "relight-drill".to_owned(),
        );
    }
    let set_anyhow = &plan.recovery.set;
    let there = |path: &[&str]| {
        let key: outline::Path = path.iter().map(|&key| key.to_owned()).collect();
        outline.get(path).is_some() || set_anyhow.contains_key(&key)
    };
    if !there(&SESSIONS) {
        let bucket = plan.recovery.bucket.as_deref().unwrap_or_default();
        put(&SESSIONS, format!("s3://{bucket}/{}", isolated.prefix()));
    }
    let written = outline.scalars.iter();
    let written = written.map(|(path, scalar)| (path, scalar.value.as_str()));
    let wanted = set_anyhow
        .iter()
        .map(|(path, value)| (path, value.as_str()));
    for (path, value) in written.chain(wanted) {
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        let last = words.last().copied().unwrap_or_default();
        if matches!(value, "" | "~" | "null") || own.contains_key(path) {
            continue;
        }
        match words.as_slice() {
            // It would reconcile the restored resources, and its custom resources are the whole cluster's.
            ["operator", "enabled"] | ["aws", "dynamoAutoScaling"] if value != "false" => {
                put(&words, "false".to_owned());
            }
            [.., "athenaURL"] => return Err(shared(path, "where the real audit events are kept")),
            _ if NAMED.contains(&last) => put(&words, format!("drill-{}", isolated.stamp)),
            _ if last == GROUP => put(&words, format!("relight-drill-{}", isolated.stamp)),
            _ if FIXED.contains(&last) => {
                return Err(shared(
                    path,
                    "an address that one load balancer alone can have",
                ));
            }
            _ => {}
        }
    }
    let events = |path: &&outline::Path| path.last().is_some_and(|key| key == "audit_events_uri");
    let lists = outline.lists.iter().find(events);
    if let Some(path) = lists.or_else(|| outline.scalars.keys().find(events)) {
        return Err(shared(path, "where the real audit events are kept"));
    }
    Ok(set)
}

/// Where recordings go, with the drill's own prefix; without the key that the real ones are encrypted with, which a drill
/// does not share.
pub(super) fn at_prefix(uri: &str, isolated: &Isolated) -> String {
    let (head, query) = uri.split_once('?').unwrap_or((uri, ""));
    let prefix = isolated.prefix();
    let head = match head.trim_end_matches('/') {
        head if head.ends_with(&prefix) => head.to_owned(),
        head => format!("{head}/{prefix}"),
    };
    let query: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("sse_kms_key="))
        .collect();
    if query.is_empty() {
        head
    } else {
        format!("{head}?{}", query.join("&"))
    }
}

fn shared(path: &[String], what: &str) -> String {
    format!(
        "{} names {what}, which an isolated drill must leave alone: say in [drill.set] what a drill uses instead, or leave \
         it out of the values",
        path.join(".")
    )
}

/// The first value of a drill's values that names what is real: nothing of the drill may lead there.
pub(super) fn stranger(plan: &Plan, outline: &Outline) -> Option<String> {
    let isolated = plan.isolated()?;
    let mine = [&plan.recovery.state_table, &plan.recovery.audit_table];
    outline.all.iter().find_map(|(path, value)| {
        let rest = mine
            .into_iter()
            .flatten()
            .fold(value.clone(), |rest, name| rest.replace(name.as_str(), ""));
        let named = isolated.tables.iter().find(|name| rest.contains(name.as_str()))?;
        Some(format!(
            "{} names the real table {named}, which an isolated drill must leave alone: say in [drill.set] what a drill uses \
             instead",
            path.join(".")
        ))
    })
}

impl DrillPlan {
    /// Where relative paths of a plan are taken from: the folder of the operator's own.
    pub(super) fn folder<'p>(&'p self, own: &'p Path) -> &'p Path {
        let of = self.isolated.as_ref().map(|isolated| isolated.of.as_path());
        of.and_then(Path::parent).unwrap_or(own)
    }
}

/// Whether a text can be a stamp: it goes into names of every kind.
pub(super) fn is_stamp(text: &str) -> bool {
    (4..=20).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// An absolute path.
pub(super) fn absolute(text: &str) -> Option<PathBuf> {
    let path = PathBuf::from(text);
    (path.is_absolute() && path.parent().is_some()).then_some(path)
}

#[cfg(test)]
#[path = "drill_tests.rs"]
mod tests;
