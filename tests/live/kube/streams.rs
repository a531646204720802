//! Logs and exec through the real API server: the rig's proof, for the panes and steps that will use them.

use std::{
    io::Write as _,
    process::{Output, Stdio},
};

use relight::incident::Side;

use crate::live::rig::{
    helm::{self, Helm, kubectl},
    kube::ControlPlane,
    release::{Release, done, told},
    server::until,
};

/// What an Auth that has found its tables says, in CRI's format.
const LOG: &str = "\
2026-11-23T08:00:00.000000000Z stderr F INFO [DYNAMODB] Initializing backend. table:teleport-dr-state
2026-11-23T08:00:01.000000000Z stderr F INFO [DYNAMODB] Connection established to DynamoDB state database table:teleport-dr-state region:us-west-2
2026-11-23T08:00:02.000000000Z stderr F INFO [AUTH] Auth service is starting.
";

#[test]
#[ignore = "tests/live/run"]
fn logs_and_exec_go_through_the_api_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let plane = ControlPlane::start(Side::Recovery, folder.path());
    let release = Release::new(folder.path(), Helm::Three, &[&plane]);
    release.recovery_values("");
    done(&helm::install(&release.plan));
    std::fs::write(plane.folder().join("teleport.log"), LOG).expect("written");
    // It reads a line and not to the end: KWOK does not pass on that the input has ended.
    plane.put_program("tctl", "read -r line; echo \"tctl $* got $line\"; exit 3");

    let ask = |args: &str, input: &str| -> Output {
        let mut child = kubectl()
            .arg("--kubeconfig")
            .arg(folder.path().join("kubeconfig"))
            .args(["--context", "recovery", "--namespace", "teleport"])
            .args(args.split(' '))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kubectl");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(input.as_bytes()).expect("written");
        drop(stdin);
        child.wait_with_output().expect("ended")
    };
    let log = until("the log", || {
        let asked = ask("logs deploy/teleport-cluster-auth -c teleport", "");
        asked.status.success().then(|| told(&asked))
    });
    assert!(
        log.contains("Connection established to DynamoDB state database table:teleport-dr-state region:us-west-2"),
        "{log}"
    );
    assert!(
        !log.contains("stderr F"),
        "CRI's marks are taken off: {log}"
    );

    let ran = ask(
        "exec -i deploy/teleport-cluster-auth -c teleport -- tctl status",
        "a line\n",
    );
    let said = String::from_utf8_lossy(&ran.stdout);
    assert_eq!(said, "tctl status got a line\n", "{}", told(&ran));
    // A kubelet would pass the 3 on; KWOK makes an internal error of it, which names it.
    assert!(!ran.status.success(), "{}", told(&ran));
    assert!(told(&ran).contains("exit status 3"), "{}", told(&ran));
}
