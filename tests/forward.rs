//! A load balancer that cannot be reached from here, and what is behind it: the probe with its kubectl, over real sockets.

use std::{net::IpAddr, path::Path, sync::Arc};

use relight::{
    incident::{Condition, Door, Fact, Finding, Instruments, Moment, Outcome, Subject},
    judge::{self, Sight},
    plan::Plan,
    practice,
    probe::{self, Probe, Sink, Targets},
};

use crate::eyes::PROGRAM;

/// The plan of a practice whose new load balancer is one that nobody listens at, in front of the pods that run.
fn away(dir: &Path, nobody: IpAddr) -> Plan {
    let mut plan = relight::plan::load(&dir.join("relight.toml")).expect("the practice's plan");
    plan.recovery.kube = plan.primary.kube.clone();
    plan.recovery.load_balancer = vec![nobody.to_string()];
    plan.dns.new = Vec::new();
    plan
}

fn judged(
    condition: Condition,
    plan: &Plan,
    instruments: &Instruments,
    since: Option<Moment>,
) -> Finding {
    judge::condition(
        condition,
        &Sight {
            instruments,
            plan,
            now: Moment::now(),
            since,
            outage: None,
        },
    )
}

/// Port-forwards with the plan of this folder that still run.
fn left(dir: &Path) -> Vec<String> {
    let dir = dir.to_string_lossy().into_owned();
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
    processes
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains("port-forward") && line.contains(&dir))
        .collect()
}

#[tokio::test]
async fn the_authorities_are_known_by_a_port_forward_and_the_load_balancer_is_not() {
    let dir = tempfile::tempdir().expect("a folder");
    let ready = practice::start_by(Path::new(PROGRAM), dir.path(), "calm").expect("a practice");
    let [a, b, c, _] = ready.addresses.net.octets();
    let plan = Arc::new(away(dir.path(), [a, b, c, 99].into()));
    let mut probe: Box<dyn Probe> = probe::all(&plan, &Targets::default())
        .into_iter()
        .find(|probe| probe.name() == "web new")
        .expect("the new door's probe");
    let (sink, mut instruments) = (Sink::default(), Instruments::default());
    let since = Moment::now();
    probe.look(&sink).await.expect("a look");
    for seen in sink.take().await {
        instruments.take(seen);
    }
    let reading = instruments.get(&Subject::Door(Door::New)).expect("seen");
    let Some(Fact::Door(door)) = reading.fresh() else {
        unreachable!("{reading:?}")
    };
    let forwarded = door.forwarded.as_ref().expect("a port-forward");
    assert!(
        forwarded.through.contains("teleport-cluster-proxy"),
        "{forwarded:?}"
    );
    let seen = forwarded.seen.as_ref().expect("an answer");
    assert_eq!(seen.pins.as_ref(), Ok(&plan.cluster.ca_pins));
    assert_eq!(seen.tls.as_ref().map(|tls| tls.problem.clone()), Ok(None));
    assert_eq!(left(dir.path()), Vec::<String>::new(), "kubectl has ended");

    let judged = |condition| judged(condition, &plan, &instruments, Some(since));
    let same = judged(Condition::SameAuthorities);
    assert_eq!(same.outcome, Outcome::Pass, "{}", same.sentence);
    for condition in [Condition::NewDoorAnswers, Condition::NewDoorSteady] {
        let finding = judged(condition);
        assert_eq!(finding.outcome, Outcome::Unknown, "{}", finding.sentence);
        assert!(
            finding.sentence.contains("was not reached from here"),
            "{}",
            finding.sentence
        );
    }
    assert_eq!(judged(Condition::WildcardAnswers).outcome, Outcome::Unknown);
    practice::stop(dir.path()).expect("stopped");
}

#[tokio::test]
async fn where_no_pod_answers_either_it_is_a_fail_that_says_so() {
    let dir = tempfile::tempdir().expect("a folder");
    let ready = practice::start_by(Path::new(PROGRAM), dir.path(), "calm").expect("a practice");
    let [a, b, c, _] = ready.addresses.net.octets();
    let mut plan = away(dir.path(), [a, b, c, 99].into());
    "no-such-release".clone_into(&mut plan.cluster.release);
    let plan = Arc::new(plan);
    let mut probe = probe::all(&plan, &Targets::default())
        .into_iter()
        .find(|probe| probe.name() == "web new")
        .expect("the new door's probe");
    let (sink, mut instruments) = (Sink::default(), Instruments::default());
    probe.look(&sink).await.expect("a look");
    for seen in sink.take().await {
        instruments.take(seen);
    }
    let answers = judged(Condition::NewDoorAnswers, &plan, &instruments, None);
    assert_eq!(answers.outcome, Outcome::Fail, "{}", answers.sentence);
    let same = judged(Condition::SameAuthorities, &plan, &instruments, None);
    assert_eq!(same.outcome, Outcome::Unknown, "{}", same.sentence);
    assert!(
        same.sentence.contains("no-such-release-proxy"),
        "{}",
        same.sentence
    );
    assert_eq!(left(dir.path()), Vec::<String>::new(), "kubectl has ended");
    practice::stop(dir.path()).expect("stopped");
}
