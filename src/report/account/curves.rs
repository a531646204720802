//! What changed in the world meanwhile: samples of the track at equal distances.
//!
//! The track holds changes only, so that a value stands until the next one: but only while a cockpit was looking. Where
//! none was, and where a look gave nothing, there is no value.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Material,
    clean::Wash,
    model::{Curve, Point},
};
use crate::{
    incident::{Door, DoorFact, Fact, Instruments, Moment, Observation, Side, Subject},
    journal::{Entry, Record},
    judge::{
        self, Sight,
        dns::{Class, Place},
    },
};

/// How many samples a curve has.
const SAMPLES: u32 = 120;

/// A stretch in which a cockpit looked.
type Watch = (Moment, Moment);

/// The curves; none where the track holds nothing.
pub(super) fn curves(material: &Material<'_>, wash: Wash<'_>) -> Vec<Curve> {
    let mut looks: Vec<&Observation> = material.track.iter().collect();
    let evidence = material
        .records
        .iter()
        .flat_map(|record| match &record.entry {
            Entry::Judged { evidence, .. } => evidence.as_slice(),
            _ => &[],
        });
    looks.extend(evidence);
    looks.sort_by_key(|look| look.at);
    let (Some(first), Some(last)) = (looks.first(), looks.last()) else {
        return Vec::new();
    };
    let watches = watches(material.records, &looks);
    let from = watches
        .first()
        .map_or(first.at, |watch| watch.0.min(first.at));
    let until = watches.last().map_or(last.at, |watch| watch.1.max(last.at));
    let step = until.since(from) / SAMPLES;
    if step.is_zero() {
        return Vec::new();
    }
    let mut curves = Sampled::ALL.map(|kind| Curve {
        name: wash.line(kind.name()),
        about: wash.line(kind.about()),
        points: Vec::new(),
    });
    let mut newest: BTreeMap<&Subject, &Observation> = BTreeMap::new();
    let mut ahead = looks.into_iter().peekable();
    for sample in 0..=SAMPLES {
        let at = if sample == SAMPLES {
            until
        } else {
            from.plus(step * sample)
        };
        while let Some(look) = ahead.next_if(|look| look.at <= at) {
            newest.insert(&look.subject, look);
        }
        let looked = watches
            .iter()
            .any(|(from, until)| (*from..=*until).contains(&at));
        let seen = looked.then(|| as_of(at, &newest));
        for (curve, kind) in curves.iter_mut().zip(Sampled::ALL) {
            let value = seen
                .as_ref()
                .and_then(|instruments| kind.value(&sight(material, instruments, at)));
            curve.points.push(Point { at, value });
        }
    }
    let told = |curve: &Curve| curve.points.iter().any(|point| point.value.is_some());
    curves.into_iter().filter(told).collect()
}

/// The readings as a cockpit had them at a moment.
fn as_of(at: Moment, newest: &BTreeMap<&Subject, &Observation>) -> Instruments {
    let mut instruments = Instruments::default();
    for look in newest.values() {
        instruments.take(Observation {
            at,
            took: Duration::ZERO,
            ..(*look).clone()
        });
    }
    instruments
}

fn sight<'a>(material: &'a Material<'_>, instruments: &'a Instruments, now: Moment) -> Sight<'a> {
    let declared = material.state.story.declared.as_ref();
    Sight {
        instruments,
        plan: &material.state.plan,
        now,
        since: None,
        outage: declared.map(|declared| declared.outage),
    }
}

/// When a cockpit was looking: from taking the incident to letting it go. One that was killed did not say so, and counts
/// to the last that is known of it.
fn watches(records: &[Record], looks: &[&Observation]) -> Vec<Watch> {
    let mut watches: Vec<Watch> = Vec::new();
    let mut open: Option<Watch> = None;
    let last_look = |before: Moment| {
        let end = looks.partition_point(|look| look.at < before);
        end.checked_sub(1).map(|place| looks[place].at)
    };
    for record in records {
        match (&record.entry, &mut open) {
            (Entry::Declared { .. } | Entry::Attached | Entry::Took { .. }, before) => {
                if let Some((from, until)) = before.take() {
                    let seen = last_look(record.at).unwrap_or(until);
                    watches.push((from, until.max(seen)));
                }
                open = Some((record.at, record.at));
            }
            (Entry::Detached | Entry::HandedOver { .. }, before) => {
                watches.extend(before.take().map(|(from, _)| (from, record.at)));
            }
            (_, Some((_, until))) => *until = record.at,
            (_, None) => {}
        }
    }
    if let Some((from, until)) = open {
        let seen = looks.last().map_or(until, |look| look.at);
        watches.push((from, until.max(seen)));
    }
    watches
}

/// What is sampled.
#[derive(Clone, Copy)]
enum Sampled {
    Pods,
    Ping(Door),
    Resolvers,
    Agents,
}

impl Sampled {
    const ALL: [Self; 6] = [
        Self::Pods,
        Self::Ping(Door::Old),
        Self::Ping(Door::New),
        Self::Ping(Door::Public),
        Self::Resolvers,
        Self::Agents,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Pods => "pods ready",
            Self::Ping(Door::Old) => "ping, old",
            Self::Ping(Door::New) => "ping, new",
            Self::Ping(Door::Public) => "ping, public",
            Self::Resolvers => "resolvers NEW",
            Self::Agents => "agents back",
        }
    }

    const fn about(self) -> &'static str {
        match self {
            Self::Pods => "share of the recovery cluster's pods that serve",
            Self::Ping(Door::Old) => {
                "share of the old load balancer's addresses that answer ping with 200"
            }
            Self::Ping(Door::New) => {
                "share of the new load balancer's addresses that answer ping with 200"
            }
            Self::Ping(Door::Public) => {
                "share of the public name's addresses that answer ping with 200"
            }
            Self::Resolvers => "share of the watched resolvers that give the new target alone",
            Self::Agents => "share of the agents that have a heartbeat of since the relaunch",
        }
    }

    fn value(self, sight: &Sight<'_>) -> Option<f64> {
        match self {
            Self::Pods => pods(sight),
            Self::Ping(door) => ping(door, sight),
            Self::Resolvers => resolvers(sight),
            Self::Agents => agents(sight),
        }
    }
}

fn pods(sight: &Sight<'_>) -> Option<f64> {
    let reading = sight.instruments.get(&Subject::Cluster(Side::Recovery))?;
    let Some(Fact::Cluster(cluster)) = reading.fresh() else {
        return None;
    };
    let muster = judge::cluster::muster(cluster);
    Some(share(muster.ready, muster.members).unwrap_or(0.0))
}

fn ping(door: Door, sight: &Sight<'_>) -> Option<f64> {
    let reading = sight.instruments.get(&Subject::Door(door))?;
    let Some(Fact::Door(fact)) = reading.fresh() else {
        return None;
    };
    answering(fact)
}

/// An address that gives no answer counts as one that does not answer: that is what was seen of it.
fn answering(fact: &DoorFact) -> Option<f64> {
    let well = fact.addresses.iter().filter(|address| {
        let ping = address.ping.as_ref();
        ping.is_ok_and(|ping| ping.status == 200)
    });
    share(well.count(), fact.addresses.len())
}

fn resolvers(sight: &Sight<'_>) -> Option<f64> {
    let mut servers: BTreeMap<String, Vec<Class>> = BTreeMap::new();
    let rows = judge::dns::board(sight).rows.into_iter();
    for row in rows.filter(|row| row.place == Place::Resolver) {
        servers.entry(row.label).or_default().push(row.class);
    }
    let known = |classes: &&Vec<Class>| classes.iter().any(|class| *class != Class::Unknown);
    let known: Vec<&Vec<Class>> = servers.values().filter(known).collect();
    let new = known
        .iter()
        .filter(|classes| classes.iter().all(|class| *class == Class::New));
    share(new.count(), known.len())
}

/// None where nobody knows how many there were.
fn agents(sight: &Sight<'_>) -> Option<f64> {
    let reading = sight.instruments.get(&Subject::Agents)?;
    let Some(Fact::Agents(seen)) = reading.fresh() else {
        return None;
    };
    let compared = seen.compared(sight.plan)?;
    (compared.of > 0).then(|| f64::from(compared.back) / f64::from(compared.of))
}

fn share(part: usize, whole: usize) -> Option<f64> {
    let count = |number: usize| u32::try_from(number).map_or(f64::from(u32::MAX), f64::from);
    (whole > 0).then(|| count(part) / count(whole))
}
