//! Who of the cluster's agents is connected: heartbeats of the state table, held against the relaunch and against the
//! black box.

use std::{collections::HashMap, time::Duration};

use serde_json::Value;

use super::{
    aws::{Reach, not_planned, tables::beats},
    black_box::{Shelf, ShelfError},
    freeze::tctl,
    kube::{self, Kube, Query, WirePod, text::clean},
};
use crate::{
    incident::{
        Component, Failure, FailureKind, Moment, Pod, Side, TableRole,
        agents::{AgentKind, Agents, Beats, Before, Headcount, Roll},
        brief,
    },
    plan::Plan,
};

/// How long the list of pods may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// A cluster that runs writes heartbeats of its own each minute: older ones than this are of one that has stopped.
const ALIVE: Duration = Duration::from_mins(10);
/// Ids of one kind that are kept in a black box.
const KEPT: usize = 5_000;

/// Counts the agents that are back, once.
///
/// # Errors
/// If nothing was relaunched yet, the table cannot be read, or the black box is there and cannot be.
pub async fn look(plan: &Plan, reach: &Reach, shelf: &Shelf) -> Result<(Agents, usize), Failure> {
    let table = table(plan, Side::Recovery)?;
    let kube = kube::connect(&plan.recovery.kube).await?;
    let since = relaunched(plan, &kube).await?;
    let sealed = match shelf.read() {
        Ok(sealed) => Some(sealed),
        Err(ShelfError::None(_)) => None,
        Err(error) => return Err(Failure::new(FailureKind::Other, error.to_string())),
    };
    let (beats, cut) = beats(reach, table).await?;
    let known = sealed.as_ref().and_then(|sealed| {
        let kept = sealed.seen.agents.as_ref()?;
        let before = Before {
            at: kept.at,
            counts: kept.good()?.clone(),
        };
        let roll = sealed.roll.as_ref().and_then(|roll| roll.good());
        Some((before, roll))
    });
    let place = format!("{table} in {}", reach.region());
    let seen = Agents::count(place, &beats, since, Moment::now(), known);
    let rows = beats.values().map(Vec::len).sum();
    Ok((Agents { cut, ..seen }, rows))
}

/// When the recovery cluster was relaunched: its oldest Auth pod was made then.
///
/// # Errors
/// If the pods cannot be listed, or there is no Auth pod yet.
pub async fn relaunched(plan: &Plan, kube: &Kube) -> Result<Moment, Failure> {
    let (namespace, release) = (&plan.cluster.namespace, &plan.cluster.release);
    let pods = kube::list::<WirePod>(kube, &Query::pods(namespace, release), PATIENCE).await?;
    let pods: Vec<Pod> = pods.items.iter().map(|pod| pod.read(|_| None)).collect();
    oldest(&pods).ok_or_else(|| {
        Failure::new(
            FailureKind::NotFound,
            format!(
                "{} has no Auth pod of release {release}: nothing was relaunched there yet",
                kube.place
            ),
        )
    })
}

fn oldest(pods: &[Pod]) -> Option<Moment> {
    let auth = pods
        .iter()
        .filter(|pod| pod.component == Component::Auth && pod.deleting.is_none());
    auth.map(|pod| pod.created).min()
}

/// Who is connected while the old cluster runs, for the black box: how many, and who. Host names are told by `tctl`, where
/// that answers; `Err` in the third place says why they are not.
///
/// # Errors
/// If the primary's state table cannot be read whole, or nobody writes heartbeats there any more: then there would be too
/// few.
pub async fn before(
    plan: &Plan,
    reach: &Reach,
) -> Result<(Headcount, Roll, Result<(), Failure>), Failure> {
    let table = table(plan, Side::Primary)?;
    let place = format!("{table} in {}", reach.region());
    let (beats, cut) = beats(reach, table).await?;
    if cut {
        return Err(Failure::new(
            FailureKind::Other,
            format!("{place} holds more heartbeats than are read"),
        ));
    }
    let last = written(&beats, Moment::now(), &place)?;
    let names = names(plan).await;
    let mut counts = Headcount::new();
    let mut roll = Roll::default();
    for (kind, rows) in &beats {
        let live: Vec<_> = rows.iter().filter(|row| row.until > last).collect();
        counts.insert(*kind, u32::try_from(live.len()).unwrap_or(u32::MAX));
        if !kind.counts() {
            continue;
        }
        let members = live.iter().take(KEPT).map(|row| {
            let id = row.id.rsplit('/').next().unwrap_or_default();
            let name = names.as_ref().ok().filter(|_| *kind == AgentKind::Node);
            (
                row.id.clone(),
                name.and_then(|names| names.get(id).cloned()),
            )
        });
        roll.members.insert(*kind, members.collect());
    }
    Ok((counts, roll, names.map(drop)))
}

/// When the cluster last wrote a heartbeat of its own.
fn written(beats: &Beats, now: Moment, place: &str) -> Result<Moment, Failure> {
    let own = [AgentKind::Auth, AgentKind::Proxy];
    let own = own.iter().filter_map(|kind| beats.get(kind)).flatten();
    let last = own.filter_map(|row| row.at).max();
    let Some(last) = last else {
        return Err(Failure::new(
            FailureKind::NotFound,
            format!("{place} holds no heartbeat of an Auth server or a proxy"),
        ));
    };
    if now.since(last) > ALIVE {
        return Err(Failure::new(
            FailureKind::Other,
            format!(
                "no Auth server and no proxy has written to {place} for {}: heartbeats expire, so there would be too few",
                brief(now.since(last))
            ),
        ));
    }
    Ok(last)
}

/// Host names of nodes by their ids.
async fn names(plan: &Plan) -> Result<HashMap<String, String>, Failure> {
    let args = ["get", "nodes", "--format=json"].map(str::to_owned);
    let said = tctl(plan, Side::Primary, &args).await?;
    let nodes: Option<Vec<Value>> = serde_json::from_str(&said).map_err(|error| {
        Failure::new(
            FailureKind::Garbage,
            format!("`tctl get nodes` printed no list in JSON: {error}"),
        )
    })?;
    let text = |node: &Value, pointer: &str| -> Option<String> {
        let text = clean(node.pointer(pointer)?.as_str()?, 253);
        (!text.is_empty()).then_some(text)
    };
    let pairs = nodes
        .iter()
        .flatten()
        .filter_map(|node| Some((text(node, "/metadata/name")?, text(node, "/spec/hostname")?)));
    Ok(pairs.collect())
}

fn table(plan: &Plan, side: Side) -> Result<&str, Failure> {
    plan.side(side)
        .table(TableRole::State)
        .ok_or_else(|| not_planned("state table", &format!("state_table to [{side}]")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::agents::Beat;

    #[test]
    fn a_cluster_that_has_stopped_is_not_counted() {
        let now = Moment::from_secs(100_000);
        let beats = |at: i64| {
            let beat = Beat {
                id: "auth-0".to_owned(),
                at: Some(Moment::from_secs(at)),
                until: Moment::from_secs(at + 600),
            };
            Beats::from([(AgentKind::Auth, vec![beat])])
        };
        assert_eq!(
            written(&beats(99_900), now, "t").expect("alive"),
            Moment::from_secs(99_900)
        );
        let why = written(&beats(90_000), now, "t in east").expect_err("stopped");
        assert!(why.detail.contains("t in east for 2h46m"), "{why}");
        let none = written(&Beats::new(), now, "t").expect_err("none");
        assert_eq!(none.kind, FailureKind::NotFound);
    }
}
