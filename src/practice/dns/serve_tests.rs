use std::{net::Ipv4Addr, path::Path};

use tokio::time::{Instant, timeout};

use super::*;
use crate::{
    clients::dns::{Kind, Lookup, Outcome, Patience, Question, sweep},
    incident::{Moment, Rcode, RecordSet, Side},
    practice::world::{Addresses, CacheFault, Scenario, Verb, World},
};

/// A practice's DNS on a network of its own, with a short TTL and changes that are published at once.
async fn practice(last: u8, resolvers: Vec<CacheSpec>) -> (Shared, Addresses, DnsFace) {
    let mut scenario = Scenario::named("calm").expect("a scenario");
    scenario.resolvers = resolvers;
    scenario.dns.record_ttl = 2;
    scenario.dns.insync = Duration::ZERO;
    let addresses = Addresses::within(Ipv4Addr::new(127, 9, last, 0), &scenario);
    let world = Shared::new(World::new(scenario, addresses.clone(), Moment::now()));
    let face = serve(&world).await.expect("bound");
    (world, addresses, face)
}

async fn ask(server: SocketAddr, host: &str, recurse: bool) -> Outcome {
    let question = Question::new(server, host, Kind::A, recurse).expect("a question");
    let mut outcome = None;
    sweep(vec![question], Patience::default(), |seen| {
        outcome = Some(seen);
    })
    .await;
    outcome.expect("one outcome for each question")
}

fn address(outcome: &Outcome) -> Option<String> {
    let reply = outcome.reply.as_ref().ok()?;
    reply.addresses.first().map(ToString::to_string)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_switch_reaches_the_authorities_at_once_and_a_cache_when_its_copy_has_run_out() {
    let (world, addresses, _face) = practice(51, vec![CacheSpec::honest("office")]).await;
    let (name, cache) = {
        let world = world.lock();
        (
            world.scenario.release.cluster.clone(),
            addresses.resolvers[0].1,
        )
    };
    let old = addresses.load_balancers[0].to_string();
    let before = ask(cache, &name, true).await;
    assert_eq!(address(&before).as_ref(), Some(&old), "{before:?}");
    let ttl = before.reply.as_ref().ok().and_then(|reply| reply.ttl);
    assert_eq!(ttl, Some(2));
    let held = Instant::now();

    let record = |name: &str| RecordSet {
        name: name.to_owned(),
        kind: "A".to_owned(),
        ttl: Some(2),
        values: vec!["198.51.100.1".to_owned()],
        alias_zone: None,
    };
    {
        let mut world = world.lock();
        let records = world.zone.records().to_vec();
        let mut batch: Vec<_> = records.into_iter().map(|set| (Verb::Delete, set)).collect();
        batch.push((Verb::Upsert, record(&name)));
        batch.push((Verb::Upsert, record(&format!("*.{name}"))));
        world
            .zone
            .change(&batch, "", Moment::now())
            .expect("accepted");
    }
    for (label, authority) in &addresses.authorities {
        for asked in [name.clone(), format!("random.{name}")] {
            let seen = ask(*authority, &asked, false).await;
            assert_eq!(
                address(&seen).as_deref(),
                Some("198.51.100.1"),
                "{label} {asked}"
            );
            assert!(seen.reply.expect("an answer").aa, "{label}");
        }
    }
    // The cache goes on with its copy until that has run out, and not a moment longer than that.
    let switched = timeout(Duration::from_secs(20), async {
        loop {
            let seen = ask(cache, &name, true).await;
            if address(&seen).as_deref() == Some("198.51.100.1") {
                break held.elapsed();
            }
            assert_eq!(address(&seen).as_ref(), Some(&old), "{seen:?}");
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    })
    .await
    .expect("the copy runs out");
    // Time is told in milliseconds, and the copy was taken a little before `held`.
    assert!(switched > Duration::from_millis(1900), "{switched:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resolvers_are_as_the_scenario_says() {
    let with = |label: &str, fault| CacheSpec {
        fault,
        ..CacheSpec::honest(label)
    };
    let slow = CacheSpec {
        delay: 150,
        ..CacheSpec::honest("slow")
    };
    let resolvers = vec![
        with("broken", CacheFault::Servfail),
        with("closed", CacheFault::Refused),
        with("dead", CacheFault::Dead),
        slow,
    ];
    let (world, addresses, _face) = practice(52, resolvers).await;
    let name = world.lock().scenario.release.cluster.clone();
    let mut seen = Vec::new();
    for (_, address) in &addresses.resolvers {
        seen.push(ask(*address, &name, true).await);
    }
    let codes: Vec<Option<Rcode>> = seen
        .iter()
        .map(|outcome| outcome.reply.as_ref().ok().map(|reply| reply.rcode))
        .collect();
    let expected = [
        Some(Rcode::ServFail),
        Some(Rcode::Refused),
        None,
        Some(Rcode::NoError),
    ];
    assert_eq!(codes, expected);
    assert!(seen[3].rtt >= Duration::from_millis(150));
    let reply = seen[3].reply.as_ref().expect("slow, but an answer");
    assert!(!reply.aa, "a cache has no authority");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_machines_own_look_ups_find_the_load_balancers() {
    let (world, addresses, _face) = practice(53, Vec::new()).await;
    let (old, new) = {
        let world = world.lock();
        let host = |side| world.scenario.site(side).load_balancer.clone();
        (host(Side::Primary), host(Side::Recovery))
    };
    let text = format!(
        "practice = true\n[cluster]\nname = \"tele.example.com\"\n[primary]\nregion = \"us-east-1\"\n\
         [recovery]\nregion = \"us-west-2\"\n[dns]\nlookup = [\"{}\"]\n",
        addresses.lookup
    );
    let plan = crate::plan::Plan::parse(Path::new("relight.toml"), &text).expect("a plan");
    let lookup = Lookup::new(&plan).expect("a resolver");
    let found = lookup.lookup(&old).await.expect("the old one stands");
    assert_eq!(
        found.addresses,
        [std::net::IpAddr::from(addresses.load_balancers[0])]
    );
    let failure = lookup.lookup(&new).await.expect_err("not made yet");
    assert_eq!(
        failure.kind,
        crate::incident::FailureKind::Unresolved,
        "{failure}"
    );
    let same = lookup.lookup("192.0.2.7").await.expect("its own answer");
    assert_eq!(same.addresses.len(), 1);
}
