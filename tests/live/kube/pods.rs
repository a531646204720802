//! Pods that do not become Ready, each for a reason that the product must name, and pods that nobody can vouch for.

use std::{fmt::Write as _, process::Stdio};

use relight::{
    incident::{
        Cluster,
        Component::{self, Auth, Proxy},
        Condition, Health, Moment, Outcome, Pod, Side,
    },
    judge,
};

use crate::live::rig::{
    cloud::Cloud,
    helm::{self, Helm},
    kube::ControlPlane,
    release::{Release, done},
    server::until,
    watch::{Watch, all_serve, pods_of},
};

/// What a component is told to do, and what the product must say of one of its pods.
struct Play {
    component: Component,
    /// Values of the component.
    values: &'static str,
    phase: &'static str,
    reason: &'static str,
    message: &'static str,
    health: Health,
}

fn play(
    component: Component,
    values: &'static str,
    seen: [&'static str; 3],
    health: Health,
) -> Play {
    let [phase, reason, message] = seen;
    Play {
        component,
        values,
        phase,
        reason,
        message,
        health,
    }
}

fn shown(cluster: &Cluster, play: &Play) -> bool {
    let as_played = |pod: &Pod| {
        (pod.phase.as_str(), pod.reason.as_str()) == (play.phase, play.reason)
            && pod.message.contains(play.message)
            && pod.ready == 0
            && judge::pod::judge(pod).0 == play.health
    };
    pods_of(cluster, play.component).any(as_played)
}

#[test]
#[ignore = "tests/live/run"]
fn each_reason_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let recovery = ControlPlane::start(Side::Recovery, folder.path());
    let _cloud = Cloud::over(&recovery, "127.40.2.9");
    let release = Release::new(folder.path(), Helm::Four, &[&recovery]);
    let mut eyes = Watch::clusters(&release.plan, &[Side::Recovery]);
    let scenes = [
        [
            play(
                Auth,
                "crash-loop",
                [
                    "Running",
                    "CrashLoopBackOff",
                    "last ended with Error (exit code 1)",
                ],
                Health::Down,
            ),
            play(
                Proxy,
                "image",
                ["Pending", "ImagePullBackOff", "Back-off pulling image"],
                Health::Down,
            ),
        ],
        [
            play(
                Auth,
                "",
                ["Pending", "Unschedulable", "0/2 nodes are available"],
                Health::Degraded,
            ),
            play(
                Proxy,
                "init",
                ["Pending", "Init:0/1", "wait-auth-update"],
                Health::Degraded,
            ),
        ],
        [
            play(Auth, "unready", ["Running", "", ""], Health::Degraded),
            play(
                Proxy,
                "creating",
                ["Pending", "ContainerCreating", ""],
                Health::Degraded,
            ),
        ],
    ];
    for scene in scenes {
        let mut more = String::new();
        for play in &scene {
            let key = if play.component == Auth {
                "auth"
            } else {
                "proxy"
            };
            let values = match play.values {
                "" => "nodeSelector: {disk: none}".to_owned(),
                name => format!("annotations: {{pod: {{relight.test/play: {name}}}}}"),
            };
            let _ = writeln!(more, "{key}: {{{values}}}");
        }
        release.recovery_values(&more);
        done(&helm::install(&release.plan));
        let cluster = eyes.until(Side::Recovery, &format!("what {more} makes"), |cluster| {
            scene.iter().all(|play| shown(cluster, play))
        });
        let finding = eyes.condition(Condition::PodsReady);
        assert_eq!(finding.outcome, Outcome::Fail, "{}", finding.sentence);
        for play in scene.iter().filter(|play| play.reason == "Unschedulable") {
            let event = cluster
                .events
                .iter()
                .find(|event| event.reason == "FailedScheduling");
            assert!(
                event.is_some(),
                "{:?} of {:?}",
                cluster.events,
                play.component
            );
        }
        let began = Moment::now();
        done(&release.uninstall_in_recovery());
        until("the release to be gone", || {
            let gone = eyes.judge(Some(began), |sight| {
                judge::cluster::gone(Side::Recovery, sight)
            });
            (gone.outcome == Outcome::Pass).then_some(())
        });
    }
}

#[test]
#[ignore = "tests/live/run"]
fn pods_on_nodes_that_do_not_report_are_hearsay() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut recovery = ControlPlane::start(Side::Recovery, folder.path());
    let _cloud = Cloud::over(&recovery, "127.40.2.9");
    let release = Release::new(folder.path(), Helm::Four, &[&recovery]);
    release.recovery_values("");
    let mut eyes = Watch::clusters(&release.plan, &[Side::Recovery]);
    done(&helm::install(&release.plan));
    eyes.until(Side::Recovery, "the cluster", all_serve);

    recovery.nodes.freeze();
    eyes.until(Side::Recovery, "lost nodes", |cluster| {
        cluster.pods.len() == 4
            && cluster.pods.iter().all(|pod| {
                pod.node_ready == Some(false) && judge::pod::judge(pod).0 == Health::Unknown
            })
    });
    let pane = eyes.judge(None, |sight| judge::cluster::assess(Side::Recovery, sight));
    assert_eq!(pane.health, Health::Unknown, "{}", pane.sentence);
    let ready = eyes.condition(Condition::PodsReady);
    assert_ne!(ready.outcome, Outcome::Pass, "{}", ready.sentence);
    let gone = eyes.judge(None, |sight| judge::cluster::gone(Side::Recovery, sight));
    assert_ne!(gone.outcome, Outcome::Pass, "{}", gone.sentence);

    recovery.nodes.thaw();
    eyes.until(Side::Recovery, "the nodes again", all_serve);
    recovery.nodes.restart();
    let began = Moment::now();
    eyes.until_pass(Condition::PodsReady, began);
}

#[test]
#[ignore = "tests/live/run"]
fn a_hook_that_hangs_is_seen_and_is_no_member() {
    let folder = tempfile::tempdir().expect("a folder");
    let recovery = ControlPlane::start(Side::Recovery, folder.path());
    let release = Release::new(folder.path(), Helm::Four, &[&recovery]);
    // As where the license Secret is missing: the check's pod waits for it until Helm gives up.
    release.recovery_values("annotations: {pod: {relight.test/play: creating}}\n");
    let mut eyes = Watch::clusters(&release.plan, &[Side::Recovery]);
    let mut install = helm_in_the_background(&release);
    let cluster = eyes.until(Side::Recovery, "the hook's pod", |cluster| {
        pods_of(cluster, Component::Hook).any(|pod| pod.reason == "ContainerCreating")
    });
    assert_eq!(
        pods_of(&cluster, Component::Hook).count(),
        cluster.pods.len()
    );
    let gone = eyes.judge(None, |sight| judge::cluster::gone(Side::Recovery, sight));
    assert_eq!(gone.outcome, Outcome::Fail, "{}", gone.sentence);
    let deployed = eyes.condition(Condition::ReleaseDeployed);
    assert_eq!(deployed.outcome, Outcome::Fail);
    assert!(
        deployed.sentence.contains("pending-install"),
        "{}",
        deployed.sentence
    );
    // Helm is killed, as by a cancelled run: the release stays pending, and the product goes on saying so.
    install.kill().expect("killed");
    install.wait().expect("ended");
    let absent = eyes.condition(Condition::ReleaseAbsent);
    assert!(
        absent.sentence.contains("pending-install"),
        "{}",
        absent.sentence
    );
    done(&release.uninstall_in_recovery());
    eyes.until_pass(Condition::ReleaseAbsent, Moment::now());
}

fn helm_in_the_background(release: &Release) -> std::process::Child {
    helm::by_hand(&release.plan)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("helm")
}
