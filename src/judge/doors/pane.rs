//! What the Web pane says: each door in a few words, and all three in its title.

use std::time::Duration;

use super::{
    Authorities, authorities, belongs, fault,
    look::{Answers, Look, answers, behind, known, last, look},
    steady::remark,
    version,
};
use crate::{
    incident::{Address, Door, DoorFact, FailureKind, Health},
    judge::{Assessment, Sight},
};

/// A certificate that ends within this time is worth a word.
const ENDS_SOON: Duration = Duration::from_hours(7 * 24);

/// All doors, as in `old: no answer · new: 200 17.0.2, same CAs · public: old`. The health is that of the public name,
/// since that is what users have; other certificate authorities at the new door outweigh it and come first.
#[must_use]
pub fn pane(sight: &Sight<'_>) -> Assessment {
    let doors = Door::ALL.map(|door| (door, assess(door, sight)));
    let parts: Vec<String> = doors
        .iter()
        .map(|(door, seen)| format!("{door}: {}", seen.sentence))
        .collect();
    let age = doors.iter().filter_map(|(_, seen)| seen.age).max();
    let health = doors[2].1.health;
    if authorities(sight).verdict == Authorities::Other {
        return Assessment::new(
            Health::Down,
            format!(
                "OTHER CERTIFICATE AUTHORITIES at the new door · {}",
                parts.join(" · ")
            ),
            age,
        );
    }
    Assessment::new(health, parts.join(" · "), age)
}

/// One door in a few words.
#[must_use]
pub fn assess(door: Door, sight: &Sight<'_>) -> Assessment {
    let age = last(door, sight).map(|(_, age)| age);
    let fact = match look(door, &everything(sight)) {
        Look::Seen(fact) => fact,
        Look::Failed(failure) => {
            let (health, words) = match failure.kind {
                FailureKind::NotPlanned => (Health::Unknown, "not known yet"),
                // A name that is gone is seen to be: at the public name it is the outage itself.
                // The same, in the shape of October 2025: the name is there, and empty.
                kind @ (FailureKind::Unresolved | FailureKind::Empty) => {
                    (Health::Down, kind.word())
                }
                kind => (Health::Unknown, kind.word()),
            };
            return Assessment::new(health, words, age);
        }
        Look::Old(_) => return Assessment::new(Health::Unknown, "stale", age),
        Look::Never => return Assessment::new(Health::Unknown, "not looked yet", None),
    };
    let (mut health, mut words) = answer(fact, sight);
    match door {
        Door::New => {
            if let Some((_, seen)) = behind(&everything(sight)) {
                words = format!("{words} from here, by port-forward {}", one(seen, sight).1);
            }
            if let Some((worse, more)) = trust(sight) {
                health = health.max(worse);
                words = format!("{words}, {more}");
            }
            if health <= Health::Degraded
                && let Some((worse, more)) = remark(fact, sight)
            {
                health = health.max(worse);
                words = format!("{words}, {more}");
            }
        }
        Door::Public => {
            let target = belongs(
                &fact.addresses,
                &known(Door::Old, sight),
                &known(Door::New, sight),
            );
            words = if health == Health::Ok {
                target.to_owned()
            } else {
                format!("{target}, {words}")
            };
        }
        Door::Old => {}
    }
    Assessment::new(health, words, age)
}

/// What is answered, over all addresses: the worst, and how many answer where that differs.
fn answer(fact: &DoorFact, sight: &Sight<'_>) -> (Health, String) {
    let judged: Vec<(Health, String)> = fact
        .addresses
        .iter()
        .map(|address| one(address, sight))
        .collect();
    let Some(worst) = judged.iter().max_by_key(|(health, _)| *health).cloned() else {
        return (Health::Unknown, "no address".to_owned());
    };
    let fine = judged
        .iter()
        .filter(|(health, _)| *health <= Health::Degraded)
        .count();
    if fine == 0 || fine == judged.len() {
        return worst;
    }
    // Some answer: a client that tries another address gets through.
    (
        Health::Degraded,
        format!("{fine} of {} answer, {}", judged.len(), worst.1),
    )
}

fn one(address: &Address, sight: &Sight<'_>) -> (Health, String) {
    match answers(address, sight.plan) {
        Answers::Ours => {
            let words = format!("200 {}", version(std::slice::from_ref(address)));
            if let Some(problem) = fault(address, sight.plan) {
                return (Health::Down, format!("{words}, {problem}"));
            }
            let left = address
                .tls
                .as_ref()
                .map_or(Duration::MAX, |tls| tls.not_after.since(sight.now));
            if left < ENDS_SOON {
                let days = left.as_secs() / 86_400;
                return (
                    Health::Degraded,
                    format!("{words}, certificate ends in {days}d"),
                );
            }
            (Health::Ok, words)
        }
        Answers::ProxyOnly => (Health::Degraded, "proxy up, Auth down".to_owned()),
        Answers::Stranger(name) => (Health::Down, format!("another cluster, {name}")),
        Answers::Odd(_) => {
            let words = address
                .ping
                .as_ref()
                .err()
                .map_or("odd answer", |failure| failure.kind.word());
            (Health::Down, words.to_owned())
        }
        Answers::Shut => (Health::Down, "shut".to_owned()),
        Answers::Silent => (Health::Unknown, "no answer".to_owned()),
    }
}

/// The same readings, as evidence of whatever they show: a pane has no floor.
const fn everything<'a>(sight: &Sight<'a>) -> Sight<'a> {
    Sight {
        since: None,
        ..*sight
    }
}

/// What is known of the new door's authorities, once it answers.
fn trust(sight: &Sight<'_>) -> Option<(Health, String)> {
    let words = match authorities(&everything(sight)).verdict {
        Authorities::Same => (Health::Ok, "same CAs".to_owned()),
        Authorities::Grown(more) => (Health::Degraded, format!("same CAs and {more} more")),
        Authorities::Partly => (Health::Unknown, "only some CAs as before".to_owned()),
        Authorities::Other => (Health::Down, "OTHER CAs".to_owned()),
        Authorities::Young(_) => (Health::Down, "CAs YOUNGER THAN THE OUTAGE".to_owned()),
        Authorities::NoBaseline => (Health::Unknown, "CAs unknown".to_owned()),
        Authorities::NotSeen(_) => return None,
    };
    Some(words)
}
