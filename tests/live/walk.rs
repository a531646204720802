//! The recovery as the runbook stands, by keys in a real terminal: real API servers, Helm, AWS calls, name servers and
//! proxies, killed, frozen and restarted on the way.

use std::path::PathBuf;

use relight::incident::Side;

use super::rig::{
    cache,
    dns::Cache,
    helm::Helm,
    regions::{Regions, listens},
    server::until,
    web::Balancer,
};
use crate::pty::{confirm, passes, picture, row, run, terminal::Terminal};

/// A session: the regions, and where the pictures go.
struct Session {
    regions: Regions,
    pictures: PathBuf,
}

impl Session {
    fn start(helm: Helm) -> Self {
        let pictures = std::env::var_os("RELIGHT_PICTURES")
            .map_or_else(|| cache().join("pictures"), PathBuf::from);
        std::fs::create_dir_all(&pictures).expect("a folder");
        Self {
            regions: Regions::start(helm),
            pictures,
        }
    }

    /// Opens the cockpit on the plan, in a terminal of this size.
    fn open(&self, size: (u16, u16)) -> Terminal {
        let plan = self.regions.plan.to_str().expect("a path");
        Terminal::start(&["--plan", plan], size, &[], self.regions.path())
    }

    /// Opens it in tmux, in such a terminal.
    fn open_in_tmux(&self, size: (u16, u16)) -> Terminal {
        let socket = self.regions.path().join("tmux");
        let line = format!(
            "{} --plan {}",
            env!("CARGO_BIN_EXE_relight"),
            self.regions.plan.display()
        );
        let socket = socket.to_str().expect("a path");
        let args = ["-S", socket, "-f", "/dev/null", "new-session", &line];
        Terminal::run("tmux", &args, size, &[], self.regions.path())
    }

    /// The exit code and what is printed by another call of the program on this plan.
    fn told(&self, args: &[&str]) -> (i32, String) {
        let plan = ["--plan", self.regions.plan.to_str().expect("a path")];
        crate::told::relight(&[args, &plan].concat(), self.regions.path())
    }

    /// Keeps the screen as text and as a picture.
    fn keep(&self, terminal: &Terminal, name: &str) {
        let (text, svg) = (terminal.text(), picture::svg(terminal));
        std::fs::write(self.pictures.join(format!("{name}.txt")), text).expect("written");
        std::fs::write(self.pictures.join(format!("{name}.svg")), svg).expect("written");
    }
}

/// A `look` step by its title.
fn looks(terminal: &mut Terminal, title: &str) {
    run(terminal, title);
    passes(terminal, title);
}

/// The `destroy` step: its phrase is typed.
fn uninstall(terminal: &mut Terminal) {
    confirm(terminal, "Record the black");
    looks(terminal, "Check prerequisites");
    confirm(terminal, "Pause what would");
    terminal.wait("the old cluster to be stoppable", |screen| {
        row(screen, "Stop old cluster").contains("ready")
    });
    run(terminal, "Stop old cluster");
    terminal.wait_for("type exactly");
    terminal.keys("uninstall teleport-cluster in primary\r");
    passes(terminal, "Stop old cluster");
}

/// The tables are brought in order: the regions have them ready, so they are adopted.
fn tables(terminal: &mut Terminal) {
    confirm(terminal, "Restore tables");
    confirm(terminal, "Repair tables");
    looks(terminal, "Check state");
}

/// Closes the incident with a reason, and leaves.
fn close(mut terminal: Terminal, asked: &str) {
    terminal.keys("E");
    terminal.wait_for(asked);
    terminal.keys("users get in by us-west-2\r");
    terminal.wait_for("the incident is closed");
    terminal.keys("q");
    assert!(terminal.end().success());
}

/// Nothing answers there: it is done by hand, elsewhere, and noted.
fn by_hand(terminal: &mut Terminal, title: &str, becomes: &str) {
    run(terminal, title);
    terminal.wait_for("note");
    terminal.keys("us-east-1 does not answer\r");
    terminal.wait("the note", |screen| row(screen, title).contains(becomes));
}

#[test]
#[ignore = "tests/live/run"]
fn graceful_with_helm_4_and_servers_that_come_and_go() {
    let mut session = Session::start(Helm::Four);
    let mut terminal = session.open((160, 50));
    terminal.wait("facts in every pane", |screen| {
        ["primary 4/4 ready", "newest", "OLD ", "200 17"]
            .iter()
            .all(|fact| screen.contains(fact))
    });
    session.keep(&terminal, "watch");
    // A region that is half gone: AWS hangs, the Kubernetes API answers.
    session.regions.aws.door(Side::Primary).freeze();
    looks(&mut terminal, "Verify backups");
    uninstall(&mut terminal);
    until("the old proxies to be gone", || {
        (!listens(Balancer::Old.address())).then_some(())
    });
    tables(&mut terminal);
    confirm(&mut terminal, "Write recovery values");
    looks(&mut terminal, "Check rights");
    looks(&mut terminal, "Check certificate");

    // The recovery cluster's API server falls over and comes back: its step waits and is then ready.
    session.regions.plane(Side::Recovery).api.kill();
    terminal.wait_for("recovery unreachable");
    run(&mut terminal, "Install the chart");
    terminal.wait_for("Install the chart is locked");
    session.regions.plane(Side::Recovery).api.restart();
    terminal.wait("installing to be possible", |screen| {
        row(screen, "Install the chart").contains("ready")
    });
    run(&mut terminal, "Install the chart");
    terminal.wait_for("Cancel");
    session.keep(&terminal, "confirm");
    terminal.keys("\t\r");
    passes(&terminal, "Install the chart");

    // The link is cut while a step runs; in tmux, another terminal goes on with it.
    run(&mut terminal, "Wait for pods");
    terminal.wait("the wait to run", |screen| {
        let row = row(screen, "Wait for pods");
        ["running", "settling", "PASS"]
            .iter()
            .any(|word| row.contains(word))
    });
    terminal.hang_up();
    assert_eq!(terminal.end().exit_code(), 129);
    let mut terminal = session.open_in_tmux((160, 50));
    passes(&terminal, "Wait for pods");
    looks(&mut terminal, "Get load balancer");

    // One authority is frozen: what is published is not proven until it answers again.
    session.regions.dns.authority(0).freeze();
    run(&mut terminal, "Switch DNS");
    terminal.wait_for("Cancel");
    session.keep(&terminal, "switch");
    terminal.keys("\t\r");
    terminal.wait("the switch to wait for all authorities", |screen| {
        row(screen, "Switch DNS").contains("settling")
    });
    session.keep(&terminal, "settling");
    session.regions.dns.authority(0).thaw();
    passes(&terminal, "Switch DNS");

    // A cache that is killed is asked again when it is back.
    session.regions.dns.cache(Cache::Bind).kill();
    run(&mut terminal, "Confirm public ping");
    terminal.wait_for("bind9");
    session.regions.dns.restart_cache(Cache::Bind);
    passes(&terminal, "Confirm public ping");
    session.keep(&terminal, "recovered");
    for (columns, rows) in [(20, 5), (80, 24), (300, 90), (1, 1), (160, 50)] {
        terminal.resize(columns, rows);
    }
    passes(&terminal, "Confirm public ping");
    close(terminal, "Why may it be closed?");

    // What it came to can be told, from the first step to the reason for which it was closed.
    let (code, report) = session.told(&["report"]);
    assert_eq!(code, 0, "{report}");
    for part in [
        "# teleport.example.com: practice ",
        "us-east-1 → us-west-2",
        "Stop old cluster: PASS after",
        "PASS same-authorities: ",
        "Switch DNS: PASS after",
        "Confirm public ping: PASS after",
        "users get in by us-west-2",
    ] {
        assert!(report.contains(part), "{part}: {report}");
    }
}

#[test]
#[ignore = "tests/live/run"]
fn ungraceful_with_helm_3_and_a_primary_that_is_gone() {
    let mut session = Session::start(Helm::Three);
    let mut terminal = session.open((80, 24));
    terminal.wait("the old cluster", |screen| screen.contains("4/4 ready"));
    session.regions.aws.door(Side::Primary).freeze();
    session.regions.plane(Side::Primary).api.freeze();
    session.regions.web().server(Balancer::Old).freeze();
    terminal.wait("the outage to be seen", |screen| {
        // A frozen proxy's kernel still takes connections: that is no dead region yet.
        screen.contains("no answer") && !screen.contains("us-east-1 OK")
    });
    session.keep(&terminal, "outage-80");
    looks(&mut terminal, "Verify backups");
    confirm(&mut terminal, "Record the black");
    looks(&mut terminal, "Check prereq");
    by_hand(&mut terminal, "Pause what", "by hand");
    // Nothing can be run against it: it is declared UNREACHABLE, with a note, and stays watched.
    by_hand(&mut terminal, "Stop old", "UNREACH");
    tables(&mut terminal);
    confirm(&mut terminal, "Write recovery");
    looks(&mut terminal, "Check rights");
    looks(&mut terminal, "Check certificate");
    confirm(&mut terminal, "Install the");
    looks(&mut terminal, "Wait for pods");
    looks(&mut terminal, "Get load");
    confirm(&mut terminal, "Switch DNS");
    looks(&mut terminal, "Confirm public");
    session.keep(&terminal, "recovered-80");
    close(terminal, "NOT seen to be stopped");

    // Nobody has seen the old cluster stopped, so it is watched for: silence is no alarm, its return is one.
    let (code, told) = session.told(&["watch", "--for", "15"]);
    assert_eq!(code, 2, "{told}");
    assert!(told.contains("UNREACHABLE"), "{told}");
    session.regions.plane(Side::Primary).api.thaw();
    session.regions.web().server(Balancer::Old).thaw();
    let (code, told) = session.told(&["watch", "--until-alarm", "--for", "120"]);
    assert_eq!(code, 1, "{told}");
    let alarm = "ALARM THE OLD CLUSTER RUNS AND WAS NEVER STOPPED";
    assert!(told.contains(alarm), "{told}");
    let (code, told) = session.told(&["report", "--brief"]);
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("UNREACHABLE"), "{told}");
}
