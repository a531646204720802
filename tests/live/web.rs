//! The doors and their judges against TLS servers in the shapes of Teleport's versions 12 to 18, with real key material.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use relight::incident::{
    Address, Condition, Door, DoorFact, Fact, Failure, FailureKind, Outcome, Part, RecordSet,
    Subject,
};

use super::rig::{
    dns::Dns,
    eyes::Eyes,
    parts,
    server::until,
    web::{Auth, Balancer, CLUSTER, NEW, OLD, Proxy, Shows, VERSIONS, Web},
};

struct Rig {
    _dir: tempfile::TempDir,
    _dns: Dns,
    web: Web,
    path: PathBuf,
    /// Where the public name leads.
    zone: Arc<Mutex<Vec<RecordSet>>>,
}

fn leads_to(host: &str) -> Vec<RecordSet> {
    [CLUSTER.to_owned(), format!("*.{CLUSTER}")]
        .map(|name| RecordSet {
            name,
            kind: "CNAME".to_owned(),
            ttl: Some(1),
            values: vec![host.to_owned()],
            alias_zone: None,
        })
        .to_vec()
}

impl Rig {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let zone = Arc::new(Mutex::new(leads_to(OLD.0)));
        let served = Arc::clone(&zone);
        let source = Box::new(move || served.lock().ok().map(|records| records.clone()));
        let dns = Dns::start(dir.path(), &[OLD, NEW], source);
        let web = Web::start(dir.path());
        let own = parts::part(&format!(
            "practice = true\n[primary]\nregion = \"us-east-1\"\n[recovery]\nregion = \"us-west-2\"\n\
             load_balancer = [\"{}\"]\n",
            NEW.0
        ));
        let path = parts::write(dir.path(), [own, Dns::plan(), web.plan()]);
        Self {
            _dir: dir,
            _dns: dns,
            web,
            path,
            zone,
        }
    }

    /// Fresh eyes: a door asks for the authorities of one address at most every ten seconds.
    fn eyes(&self) -> Eyes {
        let mut eyes = Eyes::open(&self.path, &["web"]);
        let late = |part: &Failure| part.kind == FailureKind::Timeout;
        becomes(&mut eyes, Door::New, |new| {
            !new.find.as_ref().is_err_and(late)
        });
        eyes
    }
}

fn door(eyes: &Eyes, door: Door) -> DoorFact {
    let reading = eyes.of(&Subject::Door(door));
    match reading.fresh() {
        Some(Fact::Door(fact)) => fact.as_ref().clone(),
        _ => unreachable!("{door}: {:?}", reading.failure()),
    }
}

/// The one address behind a door.
fn address(eyes: &Eyes, which: Door) -> Address {
    let mut all = door(eyes, which).addresses;
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

fn failed<T>(part: &Part<T>, kind: FailureKind, says: &str) {
    let failure = part.as_ref().err().expect("a failure");
    assert_eq!(failure.kind, kind, "{failure}");
    assert!(failure.detail.contains(says), "{failure} lacks {says:?}");
}

/// Looks until a condition is judged so, in these words.
fn judged(eyes: &mut Eyes, condition: Condition, outcome: Outcome, says: &str) {
    until(&format!("{condition} to be {outcome:?}, {says:?}"), || {
        let finding = eyes.judge(condition);
        let so = finding.outcome == outcome && finding.sentence.contains(says);
        if !so {
            eyes.look();
        }
        so.then_some(())
    });
}

/// Looks until an address is as wanted.
fn becomes(eyes: &mut Eyes, which: Door, wanted: impl Fn(&Address) -> bool) {
    until(&format!("the door {which}"), || {
        eyes.look();
        wanted(&address(eyes, which)).then_some(())
    });
}

#[test]
#[ignore = "tests/live/run"]
fn every_version_is_read_and_its_authorities_are_compared() {
    let mut rig = Rig::new();
    let pin = rig.web.pin(false);
    for version in VERSIONS {
        let proxy = Proxy {
            version,
            ..Proxy::SOUND
        };
        rig.web.becomes(Balancer::New, proxy);
        let mut eyes = rig.eyes();
        let new = address(&eyes, Door::New);
        assert_eq!(
            (new.ip, new.port),
            (NEW.1.into(), Balancer::New.address().port())
        );
        assert!(new.tcp.is_ok());
        let shown = new.tls.expect("a certificate");
        assert_eq!(shown.problem, None);
        assert_eq!(shown.names, [CLUSTER.to_owned(), format!("*.{CLUSTER}")]);
        assert_eq!(shown.issuer, "CN=live-authority");
        let begins = format!("{version}.");
        let ping = new.ping.expect("ping");
        assert!(
            ping.server_version
                .is_some_and(|text| text.starts_with(&begins)),
            "{version}"
        );
        assert_eq!(ping.cluster_name.as_deref(), Some(CLUSTER));
        let here = format!("{CLUSTER}:{}", new.port);
        assert_eq!(
            ping.public_addr.as_deref(),
            Some(here.as_str()),
            "{version}"
        );
        let find = new.find.expect("find");
        assert!(find.server_version.is_some(), "{version}");
        assert_eq!(new.pins, Ok(vec![pin.clone()]), "{version}");
        judged(&mut eyes, Condition::NewDoorAnswers, Outcome::Pass, &begins);
        judged(
            &mut eyes,
            Condition::SameAuthorities,
            Outcome::Pass,
            "old one's certificate authorities",
        );
        judged(
            &mut eyes,
            Condition::NewDoorSteady,
            Outcome::Pass,
            "The last 3 looks",
        );
        judged(
            &mut eyes,
            Condition::WildcardAnswers,
            Outcome::Pass,
            "a valid certificate and an answer",
        );
        let under = new.wildcard.expect("a name under it");
        assert_eq!((under.tls.problem, under.answer), (None, Ok(302)));
        judged(
            &mut eyes,
            Condition::OldDoorShut,
            Outcome::Fail,
            "still answers as this cluster",
        );
        judged(
            &mut eyes,
            Condition::PublicPing,
            Outcome::Fail,
            "still leads to the old load balancer",
        );
    }
}

#[test]
#[ignore = "tests/live/run"]
fn a_cluster_made_anew_has_other_authorities_and_is_the_worst_outcome() {
    let mut rig = Rig::new();
    let proxy = Proxy {
        anew: true,
        ..Proxy::SOUND
    };
    rig.web.becomes(Balancer::New, proxy);
    let mut eyes = rig.eyes();
    assert_eq!(address(&eyes, Door::New).pins, Ok(vec![rig.web.pin(true)]));
    assert_ne!(rig.web.pin(true), rig.web.pin(false));
    // It is healthy in every other respect.
    judged(&mut eyes, Condition::NewDoorAnswers, Outcome::Pass, CLUSTER);
    judged(
        &mut eyes,
        Condition::SameAuthorities,
        Outcome::Fail,
        "STOP: the new cluster has OTHER CERTIFICATE AUTHORITIES",
    );
}

#[test]
#[ignore = "tests/live/run"]
fn a_bad_certificate_is_shown_with_what_is_wrong_and_the_answers_behind_it() {
    let mut rig = Rig::new();
    for (shows, says, name) in [
        (Shows::Expired, "expired", CLUSTER),
        (
            Shows::OtherName,
            "not valid for the cluster name",
            "other.example.com",
        ),
        (Shows::SelfSigned, "signed by itself", CLUSTER),
    ] {
        let proxy = Proxy {
            shows,
            ..Proxy::SOUND
        };
        rig.web.becomes(Balancer::New, proxy);
        let eyes = rig.eyes();
        let new = address(&eyes, Door::New);
        let shown = new.tls.expect("a certificate");
        let problem = shown.problem.expect("a problem");
        assert!(problem.contains(says), "{problem}");
        assert_eq!(shown.names[0], name);
        assert_eq!(
            new.ping.expect("ping").cluster_name.as_deref(),
            Some(CLUSTER)
        );
        for condition in [
            Condition::NewDoorAnswers,
            Condition::NewDoorSteady,
            Condition::WildcardAnswers,
        ] {
            let finding = eyes.judge(condition);
            assert_eq!(finding.outcome, Outcome::Fail, "{}", finding.sentence);
        }
    }
}

#[test]
#[ignore = "tests/live/run"]
fn a_proxy_without_auth_or_of_another_name_is_told_apart() {
    let mut rig = Rig::new();
    for status in [502, 504] {
        let proxy = Proxy {
            auth: Auth::Down(status),
            ..Proxy::SOUND
        };
        rig.web.becomes(Balancer::New, proxy);
        let eyes = rig.eyes();
        let new = address(&eyes, Door::New);
        failed(
            &new.ping,
            FailureKind::Server,
            &format!("HTTP {status}, failed to connect to any endpoints"),
        );
        assert!(new.find.is_ok(), "{:?}", new.find);
        let finding = eyes.judge(Condition::NewDoorAnswers);
        assert_eq!(finding.outcome, Outcome::Fail, "{}", finding.sentence);
        let finding = eyes.judge(Condition::SameAuthorities);
        assert_eq!(finding.outcome, Outcome::Unknown, "{}", finding.sentence);
    }
    let proxy = Proxy {
        name: "other.example.com",
        ..Proxy::SOUND
    };
    rig.web.becomes(Balancer::New, proxy);
    let eyes = rig.eyes();
    let new = address(&eyes, Door::New);
    failed(
        &new.ping,
        FailureKind::Other,
        "redirected (302) to https://other.example.com/web/launch",
    );
    failed(
        &new.find,
        FailureKind::Other,
        "does not know itself by this name",
    );
}

#[test]
#[ignore = "tests/live/run"]
fn doors_are_killed_frozen_and_reached_again_and_the_public_name_moves() {
    let mut rig = Rig::new();
    let mut eyes = rig.eyes();
    for which in [Door::Old, Door::Public] {
        assert_eq!(address(&eyes, which).ip, OLD.1);
        assert!(address(&eyes, which).ping.is_ok());
    }

    // The old one, as in an outage: first it hangs, then it is gone.
    rig.web.server(Balancer::Old).freeze();
    eyes.look();
    for which in [Door::Old, Door::Public] {
        let old = address(&eyes, which);
        assert!(old.tcp.is_ok(), "the kernel still answers: {:?}", old.tcp);
        failed(
            &old.tls,
            FailureKind::Timeout,
            "the TLS handshake with 127.41.1.1:8443",
        );
        failed(&old.ping, FailureKind::Timeout, "");
    }
    becomes(&mut eyes, Door::New, |new| new.ping.is_ok());
    judged(
        &mut eyes,
        Condition::OldDoorShut,
        Outcome::Unknown,
        "gives no answer, which is not the same as shut",
    );
    rig.web.server(Balancer::Old).kill();
    becomes(&mut eyes, Door::Old, |old| old.tcp.is_err());
    let old = address(&eyes, Door::Old);
    failed(&old.tcp, FailureKind::Unreachable, "127.41.1.1:8443");
    judged(
        &mut eyes,
        Condition::OldDoorShut,
        Outcome::Pass,
        "No address of the old load balancer answers",
    );

    // The name moves, and with it the public door.
    judged(
        &mut eyes,
        Condition::PublicPing,
        Outcome::Fail,
        "still leads to the old load balancer",
    );
    *rig.zone.lock().expect("a lock") = leads_to(NEW.0);
    until("the public name to lead to the new load balancer", || {
        eyes.look();
        (address(&eyes, Door::Public).ip == NEW.1).then_some(())
    });
    // What the new cluster's authorities are, both doors must have been asked in their turn.
    until("the public ping", || {
        eyes.look();
        (eyes.judge(Condition::PublicPing).outcome == Outcome::Pass).then_some(())
    });
    judged(
        &mut eyes,
        Condition::SameAuthorities,
        Outcome::Pass,
        "old one's",
    );

    // The new one too may fail for a while.
    rig.web.server(Balancer::New).freeze();
    eyes.look();
    failed(
        &address(&eyes, Door::Public).tls,
        FailureKind::Timeout,
        "the TLS handshake",
    );
    rig.web.server(Balancer::New).thaw();
    becomes(&mut eyes, Door::Public, |public| public.ping.is_ok());
    rig.web.server(Balancer::New).kill();
    becomes(&mut eyes, Door::New, |new| new.tcp.is_err());
    failed(
        &address(&eyes, Door::New).tcp,
        FailureKind::Unreachable,
        "127.41.1.2:8443",
    );
    rig.web.becomes(Balancer::New, Proxy::SOUND);
    until("the authorities of the one that is back", || {
        eyes.look();
        (eyes.judge(Condition::SameAuthorities).outcome == Outcome::Pass).then_some(())
    });
}
