//! A row as text, for the clipboard: what it is, how it is judged, and how old that is.

use std::time::Duration;

use super::{RowKey, State, StepState};
use crate::{
    incident::{Address, Fact, Health, Part, Pod, Side, Step, Subject, brief, plain::is_unsafe},
    judge::{self, Glance, glance},
};

impl State {
    /// A row as text, for the clipboard. It is pasted into the incident's channel, away from the screen: so it says by
    /// itself what it is about, with health, sentence and age, and holds nothing that another terminal would act on.
    #[must_use]
    pub fn row_text(&self, row: &RowKey) -> String {
        printable(&self.row_told(row))
    }

    fn row_told(&self, row: &RowKey) -> String {
        let sight = self.sight();
        match row {
            RowKey::Step(id) => {
                let step = self.runbook.get(id);
                step.map_or_else(String::new, |step| self.step_told(step))
            }
            RowKey::Pod(side, key) => self.pod_told(*side, key.pod()),
            RowKey::Cluster(side) => {
                let seen = judge::cluster::assess(*side, &sight);
                let age = self.seen(&Subject::Cluster(*side));
                format!("{side} cluster: {} {} · {age}", seen.health, seen.sentence)
            }
            RowKey::Event(side, id) => {
                let subject = Subject::Cluster(*side);
                let known = match self.good(&subject) {
                    Some(Fact::Cluster(cluster)) => cluster.events.iter().find(|e| e.id() == *id),
                    _ => None,
                };
                known.map_or_else(
                    || format!("{side} event {id}"),
                    |event| {
                        let ago = brief(self.now.since(event.at));
                        let (what, said) = (&event.object, &event.message);
                        format!("{side} event {ago} ago: {} {what}: {said}", event.reason)
                    },
                )
            }
            RowKey::Source(name) => {
                let mut lines = judge::backups::lines(&sight).into_iter();
                let line = lines.find(|line| line.label == *name);
                line.map_or_else(
                    || name.clone(),
                    |line| {
                        let (health, said) = (line.health, line.sentence);
                        let age = aged(line.age);
                        format!("{name}: {health} {said} · needs {} · {age}", line.needs)
                    },
                )
            }
            RowKey::Answer(server, name) => {
                let subject = Subject::Answer {
                    server: server.clone(),
                    name: name.clone(),
                };
                let rows = judge::dns::board(&sight).rows;
                let row = rows.into_iter().find(|row| row.subject == subject);
                row.map_or_else(
                    || format!("{server} {name}"),
                    |row| {
                        let (place, class) = (row.place.word(), row.class.word());
                        let ttl = row
                            .ttl
                            .map_or_else(String::new, |ttl| format!(" ttl {ttl}s"));
                        let age = self.seen(&subject);
                        format!(
                            "{place} {}: {class} for {name}: {}{ttl} · {age}",
                            row.label, row.answer
                        )
                    },
                )
            }
            RowKey::Door(door) => {
                let subject = Subject::Door(*door);
                let seen = judge::doors::assess(*door, &sight);
                let host = match self.good(&subject) {
                    Some(Fact::Door(fact)) => fact.host.as_str(),
                    _ => "",
                };
                let (health, said) = (seen.health, seen.sentence);
                format!(
                    "{door} door {host}: {health} {said} · {}",
                    self.seen(&subject)
                )
            }
            RowKey::Address(door, ip) => {
                let subject = Subject::Door(*door);
                let address = match self.good(&subject) {
                    Some(Fact::Door(fact)) => fact.addresses.iter().find(|known| known.ip == *ip),
                    _ => None,
                };
                let told = address.map_or_else(|| ip.to_string(), reached);
                let was = match glance(&subject, &sight) {
                    Glance::Fresh(..) => "",
                    _ => "was ",
                };
                format!("{door} door {was}{told} · {}", self.seen(&subject))
            }
        }
    }

    fn pod_told(&self, side: Side, pod: &Pod) -> String {
        let subject = Subject::Cluster(side);
        let (mut health, mut said) = judge::pod::judge(pod);
        // What was seen last is history while the cluster gives no answer.
        if !matches!(glance(&subject, &self.sight()), Glance::Fresh(..)) {
            (health, said) = (Health::Unknown, format!("was {said}"));
        }
        let ready = format!("{}/{} {}", pod.ready, pod.containers, pod.phase);
        let node = pod.node.as_deref().unwrap_or("no node");
        let message = if pod.message.is_empty() {
            String::new()
        } else {
            format!(" · {}", pod.message)
        };
        let seen = self.seen(&subject);
        format!(
            "{side} pod {}: {health} {said} · {ready} on {node}{message} · {seen}",
            pod.name
        )
    }

    fn step_told(&self, step: &Step) -> String {
        let state = self.step_state(step);
        let text = format!("{}: {}", step.title, state.word());
        match (&state, state.why()) {
            (StepState::Running(since), _) => {
                format!("{text} for {}", brief(self.now.since(*since)))
            }
            (_, Some(why)) => format!("{text}, {why}"),
            (_, None) => text,
        }
    }

    fn good(&self, subject: &Subject) -> Option<&Fact> {
        let reading = self.instruments.get(subject)?;
        reading.good.as_ref().map(|(_, fact)| fact)
    }

    /// Whether a subject still answers, and how old what is known of it is.
    fn seen(&self, subject: &Subject) -> String {
        let sight = self.sight();
        match glance(subject, &sight) {
            Glance::Fresh(_, age) => aged(Some(age)),
            Glance::Failed(failure, known) => {
                let last = aged(known.map(|(_, age)| age));
                format!("no longer: {}, {last}", failure.kind.word())
            }
            Glance::Stale(_, age) => format!("stale, {}", aged(Some(age))),
            Glance::Never => aged(None),
        }
    }
}

fn aged(age: Option<Duration>) -> String {
    age.map_or_else(
        || "never seen".to_owned(),
        |age| format!("seen {} ago", brief(age)),
    )
}

/// How far an address was reached.
fn reached(address: &Address) -> String {
    let stage = |name: &str, failed: Option<&str>| format!("{name} {}", failed.unwrap_or("ok"));
    let ping = match &address.ping {
        Ok(ping) => {
            let version = ping.server_version.as_deref().unwrap_or("no version");
            format!("ping {} {version}", ping.status)
        }
        Err(failure) => format!("ping {}", failure.kind.word()),
    };
    let (tcp, tls) = (
        stage("tcp", word(&address.tcp)),
        stage("tls", word(&address.tls)),
    );
    format!("{}:{}: {tcp} · {tls} · {ping}", address.ip, address.port)
}

fn word<T>(part: &Part<T>) -> Option<&'static str> {
    part.as_ref().err().map(|failure| failure.kind.word())
}

/// The text in one line, without control characters and marks that turn the direction of writing: names, answers and
/// messages come from outside, and what is pasted goes to a terminal again.
fn printable(text: &str) -> String {
    let kept = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c });
    let kept: String = kept.filter(|c| !is_unsafe(*c)).collect();
    kept.split(' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
