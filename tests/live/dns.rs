//! The DNS probes and judges against real authorities and real caches, while a zone in `ministack` is switched.

use std::{
    collections::BTreeSet,
    net::Ipv4Addr,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use relight::{
    incident::{Answer, Condition, Fact, Outcome, Rcode, RecordSet, Subject},
    judge::dns::{Class, Place, Row, board},
};

use super::rig::{
    aws::Aws,
    dns::{AUTHORITIES, Cache, Dns},
    eyes::Eyes,
    parts,
    server::until,
    step,
    web::{CLUSTER, NEW, OLD},
};

/// A name in use under the wildcard: what caches hold, while a random label is never cached.
const APP: &str = "app.teleport.example.com";
const WILDCARD: &str = "*.teleport.example.com";
const BIG: &str = "big.example.com";
const NOTHING: &str = "nothing.example.com";
/// Of the records, in seconds: long enough that a copy is seen to outlive the switch.
const TTL: i64 = 20;

fn plan(dir: &tempfile::TempDir, more: impl IntoIterator<Item = toml::Table>) -> PathBuf {
    let base = parts::part(&format!(
        "practice = true\n[cluster]\nname = \"{CLUSTER}\"\n[primary]\nregion = \"us-east-1\"\n[recovery]\n\
         region = \"us-west-2\"\n[dns]\nold = [\"{}\"]\nnew = [\"{}\"]\n",
        OLD.0, NEW.0
    ));
    parts::write(dir.path(), std::iter::once(base).chain(more))
}

fn rows(eyes: &Eyes) -> Vec<Row> {
    board(&eyes.sight()).rows
}

/// The classes at one kind of server for a name, in the order of the pane.
fn classes(eyes: &Eyes, place: Place, name: &str) -> Vec<Class> {
    rows(eyes)
        .iter()
        .filter(|row| row.place == place && row.name == name)
        .map(|row| row.class)
        .collect()
}

fn answer(eyes: &Eyes, server: &str, name: &str) -> Answer {
    let subject = Subject::Answer {
        server: server.into(),
        name: name.into(),
    };
    let reading = eyes.of(&subject);
    match reading.fresh() {
        Some(Fact::Answer(answer)) => answer.as_ref().clone(),
        _ => unreachable!("{subject}: {:?}", reading.failure()),
    }
}

fn at(cache: Cache) -> String {
    cache.address().to_string()
}

#[test]
#[ignore = "tests/live/run"]
fn a_switch_is_published_by_the_authorities_and_converges_cache_by_cache() {
    let dir = tempfile::tempdir().expect("a folder");
    let aws = Aws::start(dir.path(), CLUSTER, OLD.0, TTL);
    let _dns = Dns::start(dir.path(), &[OLD, NEW], aws.source());
    let own = parts::part(&format!(
        "[dns]\nhot_names = [\"{APP}\"]\nrecord_ttl = {TTL}\n"
    ));
    let path = plan(&dir, [aws.plan(), Dns::plan(), own]);
    let mut eyes = Eyes::open(&path, &["dns"]);
    let names = [CLUSTER, WILDCARD, APP];

    eyes.look();
    for name in names {
        assert_eq!(
            classes(&eyes, Place::Authority, name),
            [Class::Old; 2],
            "{name}"
        );
    }
    // A wildcard is asked of caches only when an authority has answered for it, so at the second look at the latest.
    eyes.look();
    for name in names {
        assert_eq!(
            classes(&eyes, Place::Resolver, name),
            [Class::Old; 3],
            "{name}"
        );
    }
    let labels: BTreeSet<String> = AUTHORITIES
        .iter()
        .map(|(server, _)| answer(&eyes, server, WILDCARD).asked)
        .chain(Cache::ALL.map(|cache| answer(&eyes, &at(cache), WILDCARD).asked))
        .collect();
    assert!(
        labels.iter().all(|label| label.ends_with(CLUSTER)),
        "{labels:?}"
    );
    assert!(!labels.contains(WILDCARD));

    // Copies run out where they are, second by second; an authority's TTL stays whole.
    for cache in Cache::ALL {
        until("a copy to run down", || {
            eyes.look();
            let left = answer(&eyes, &at(cache), CLUSTER).ttl.expect("a TTL");
            (i64::from(left) < TTL - 1).then_some(())
        });
    }
    assert_eq!(answer(&eyes, AUTHORITIES[0].0, CLUSTER).ttl, Some(20));
    assert_eq!(eyes.judge(Condition::DnsPublished).outcome, Outcome::Fail);
    assert_eq!(eyes.judge(Condition::DnsConverged).outcome, Outcome::Fail);

    // Caches are filled anew, so that their copies outlive the switch.
    until("a fresh copy in every cache", || {
        eyes.look();
        let young = Cache::ALL
            .iter()
            .all(|cache| answer(&eyes, &at(*cache), APP).ttl >= Some(15));
        young.then_some(())
    });
    let (told, fine) = step(&path, "switch-dns", false);
    assert!(fine && told.contains("is INSYNC"), "{told}");

    until("the authorities to publish", || {
        eyes.look();
        let finding = eyes.judge(Condition::DnsPublished);
        if finding.outcome != Outcome::Pass {
            assert_ne!(eyes.judge(Condition::DnsConverged).outcome, Outcome::Pass);
            return None;
        }
        Some(())
    });
    // The change is served, and copies live on: that is what the two clocks are for.
    assert!(
        classes(&eyes, Place::Resolver, APP).contains(&Class::Old),
        "{:?}",
        rows(&eyes)
    );
    let finding = eyes.judge(Condition::DnsConverged);
    assert_eq!(finding.outcome, Outcome::Fail, "{}", finding.sentence);
    assert!(
        finding.sentence.contains("the last honest copy dies in"),
        "{}",
        finding.sentence
    );
    let changed = answer(&eyes, AUTHORITIES[1].0, CLUSTER)
        .changed
        .expect("a change was seen");
    assert_eq!(changed.ttl_before, Some(20));

    every_cache_turns(&mut eyes);
    for name in names {
        assert_eq!(
            classes(&eyes, Place::Authority, name),
            [Class::New; 2],
            "{name}"
        );
        assert_eq!(
            classes(&eyes, Place::Resolver, name),
            [Class::New; 3],
            "{name}"
        );
    }
    assert_eq!(eyes.judge(Condition::DnsPublished).outcome, Outcome::Pass);
}

/// Looks until the judge says that no cache hands out the old answer any more; he must not say so earlier.
fn every_cache_turns(eyes: &mut Eyes) {
    until("every cache to turn", || {
        eyes.look();
        let old = rows(eyes).iter().any(|row| row.class.holds_old());
        let finding = eyes.judge(Condition::DnsConverged);
        assert!(
            !(old && finding.outcome == Outcome::Pass),
            "{} while a copy is old",
            finding.sentence
        );
        assert!(
            !rows(eyes).iter().any(|row| row.past_ttl),
            "{:?}",
            rows(eyes)
        );
        (finding.outcome == Outcome::Pass).then_some(())
    });
}

/// Records without a hosted zone behind them.
fn records(balancer: &str) -> Vec<RecordSet> {
    let set = |name: &str, kind: &str, values: Vec<String>| RecordSet {
        name: name.to_owned(),
        kind: kind.to_owned(),
        ttl: Some(2),
        values,
        alias_zone: None,
    };
    // More than 1,232 bytes, and not more than the 100 that bind9 keeps of one name.
    let many = (1..=90)
        .map(|last| Ipv4Addr::new(127, 41, 9, last).to_string())
        .collect();
    vec![
        set(CLUSTER, "CNAME", vec![balancer.to_owned()]),
        set(WILDCARD, "CNAME", vec![balancer.to_owned()]),
        set(BIG, "A", many),
    ]
}

/// Servers whose zone the test itself holds.
struct Rig {
    _dir: tempfile::TempDir,
    dns: Dns,
    eyes: Eyes,
}

impl Rig {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let zone = Arc::new(Mutex::new(records(OLD.0)));
        let source = Box::new(move || zone.lock().ok().map(|records| records.clone()));
        let dns = Dns::start(dir.path(), &[OLD, NEW], source);
        let own = parts::part(&format!("[dns]\nhot_names = [\"{BIG}\", \"{NOTHING}\"]\n"));
        let path = plan(&dir, [Dns::plan(), own]);
        let eyes = Eyes::open(&path, &["dns"]);
        Self {
            _dir: dir,
            dns,
            eyes,
        }
    }

    /// Looks until a cache's answer for a name is of one of these classes.
    fn becomes(&mut self, cache: Cache, name: &str, classes: &[Class]) {
        let label = at(cache);
        until(&format!("{cache:?} to be {classes:?} for {name}"), || {
            self.eyes.look();
            rows(&self.eyes)
                .iter()
                .any(|row| {
                    row.label.contains(&label) && row.name == name && classes.contains(&row.class)
                })
                .then_some(())
        });
    }

    /// Looks until the two authorities answer so, in their order.
    fn authorities_become(&mut self, seen: [Class; 2]) {
        until(&format!("the authorities to be {seen:?}"), || {
            self.eyes.look();
            (classes(&self.eyes, Place::Authority, CLUSTER) == seen).then_some(())
        });
    }
}

#[test]
#[ignore = "tests/live/run"]
fn a_big_answer_comes_over_tcp_and_a_missing_name_is_nxdomain() {
    let mut rig = Rig::new();
    rig.eyes.look();
    let servers = AUTHORITIES
        .map(|(server, _)| server.to_owned())
        .into_iter()
        .chain(Cache::ALL.map(at));
    for server in servers {
        let big = answer(&rig.eyes, &server, BIG);
        assert_eq!(big.transport, "tcp", "{server}");
        // Of the 90 as many as are shown.
        assert_eq!(big.addresses.len(), 64, "{server}");
        let small = answer(&rig.eyes, &server, CLUSTER);
        assert_eq!(small.transport, "udp", "{server}");
        assert_eq!(
            answer(&rig.eyes, &server, NOTHING).rcode,
            Rcode::NxDomain,
            "{server}"
        );
        assert_eq!(small.aa, server.starts_with("ns-"), "{server}");
    }
}

#[test]
#[ignore = "tests/live/run"]
fn what_gives_no_answer_is_told_apart_and_seen_to_recover() {
    let mut rig = Rig::new();
    for cache in Cache::ALL {
        rig.becomes(cache, CLUSTER, &[Class::Old]);
    }

    rig.dns.admit(false);
    rig.becomes(Cache::Bind, CLUSTER, &[Class::Refused]);
    rig.dns.admit(true);
    rig.becomes(Cache::Bind, CLUSTER, &[Class::Old]);

    for cache in [Cache::Unbound, Cache::Knot] {
        rig.dns.cache(cache).freeze();
        rig.becomes(cache, CLUSTER, &[Class::Timeout]);
        rig.dns.cache(cache).thaw();
        rig.becomes(cache, CLUSTER, &[Class::Old]);
        rig.dns.cache(cache).kill();
        rig.becomes(cache, CLUSTER, &[Class::Blocked]);
        rig.dns.restart_cache(cache);
        rig.becomes(cache, CLUSTER, &[Class::Old]);
    }

    // One authority of two is enough for caches; without any they say so when their copies have run out.
    rig.dns.authority(0).freeze();
    rig.authorities_become([Class::Timeout, Class::Old]);
    rig.dns.authority(0).thaw();
    rig.dns.authority(1).kill();
    rig.authorities_become([Class::Old, Class::Blocked]);
    rig.dns.authority(0).kill();
    for cache in [Cache::Unbound, Cache::Bind] {
        rig.becomes(cache, CLUSTER, &[Class::ServFail]);
    }
    // It may go on trying for longer than anybody waits.
    rig.becomes(Cache::Knot, CLUSTER, &[Class::ServFail, Class::Timeout]);
    rig.authorities_become([Class::Blocked; 2]);
    for at in [0, 1] {
        rig.dns.restart_authority(at);
    }
    for cache in Cache::ALL {
        rig.becomes(cache, CLUSTER, &[Class::Old]);
    }
    rig.authorities_become([Class::Old; 2]);
}
