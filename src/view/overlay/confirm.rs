//! Run it or not: what will be done, in full, and what will be looked at to tell whether it worked.

use super::{field::input, open};
use crate::{
    incident::{Condition, Evidence, Risk, person::short},
    journal::ArmedStep,
    state::{Confirm, Focus, State},
    theme::Role,
    view::{Canvas, widget::clean},
};

/// The most lines that a body is wrapped to: the edits of a large zone are all there, a runaway text is not.
const MOST: usize = 4000;

/// Draws the dialog. What does not fit is scrolled to: nothing that will be run is hidden from who answers.
pub fn draw(canvas: &mut Canvas<'_>, confirm: &Confirm) {
    let width = canvas.area.width.saturating_sub(4).clamp(20, 100);
    let room = usize::from(width.saturating_sub(4));
    let armed = &confirm.armed;
    let mut body = armed_lines(armed, room);
    body.extend(second_person(canvas.state, armed, room));
    let phrase = armed.phrase.as_deref().filter(|_| confirm.note.is_none());
    let asked = phrase.map(|phrase| {
        let most = usize::from(canvas.area.height.saturating_sub(2));
        Asked::of(confirm, phrase, room, most)
    });
    // Phrase, note or buttons, and a row between.
    let foot = match &confirm.note {
        Some(_) => NOTE,
        None => asked.as_ref().map_or(2, Asked::height),
    };
    let rows = u16::try_from(body.len()).unwrap_or(u16::MAX);
    let height = rows
        .saturating_add(foot + 2)
        .min(canvas.area.height)
        .max(foot + 3);
    let title = canvas
        .state
        .runbook
        .get(&armed.step)
        .map_or_else(|| armed.step.to_string(), |step| step.title.clone());
    let title = format!("{title}, attempt {}", armed.attempt);
    let mut inside = open(canvas, (width, height), &title);
    let last = inside.area.height.saturating_sub(foot);
    scroll(&mut inside, &body, confirm.top, last);
    match (&confirm.note, &asked) {
        (Some(note), _) => ask_note(&mut inside, last, note),
        (None, Some(asked)) => ask_phrase(&mut inside, last, asked),
        (None, None) => buttons(&mut inside, last + 1, confirm),
    }
}

/// Rows that a note takes: what is asked, the field, the hint.
const NOTE: u16 = 3;

fn ask_note(canvas: &mut Canvas<'_>, row: u16, note: &str) {
    canvas.line(
        row,
        "What was done, and how is it known? It stands in the journal:",
        Role::Text,
    );
    input(canvas, row + 1, "note: ", note);
    let hint = "enter says that it is done   esc leaves";
    canvas.line(row + 2, hint, Role::Muted);
}

/// The lines of the body that fit into `rows`, from `top` on; if that is not all of them, the last row says which they
/// are and how the others are read.
pub(super) fn scroll(canvas: &mut Canvas<'_>, body: &[(String, Role)], top: u16, rows: u16) {
    let all = body.len();
    let fits = all <= usize::from(rows);
    let shown = if fits { rows } else { rows.saturating_sub(1) };
    let top = usize::from(top).min(all.saturating_sub(shown.into()));
    for (row, (text, role)) in (0..shown).zip(body.iter().skip(top)) {
        canvas.line(row, text, *role);
    }
    if !fits {
        let below = all.saturating_sub(top + usize::from(shown));
        let text = if below == 0 {
            format!("the end: line {all} of {all}   ↑↓ pgup pgdn scroll")
        } else {
            format!("… {below} of {all} lines below   ↑↓ pgup pgdn scroll")
        };
        canvas.line(shown, &text, Role::Warning);
    }
}

/// How it stands with the second person that the plan asks for; nothing where it asks for none.
fn second_person(state: &State, armed: &ArmedStep, room: usize) -> Vec<(String, Role)> {
    let (text, role) = match state.approval(armed) {
        Ok(None) => return Vec::new(),
        Ok(Some(approval)) => (
            format!(
                "✔ approved by {} on {}, until {}",
                short(&approval.by.name()),
                approval.by.host,
                approval.until.clock()
            ),
            Role::Ok,
        ),
        Err(why) => (format!("SECOND PERSON: {why}"), Role::Warning),
    };
    let mut lines: Vec<_> = clean::wrap(&text, room, MOST)
        .into_iter()
        .map(|line| (line, role))
        .collect();
    lines.push((String::new(), Role::Text));
    lines
}

/// What is armed, in full.
pub(super) fn armed_lines(armed: &ArmedStep, room: usize) -> Vec<(String, Role)> {
    let (risk, role) = match armed.risk {
        Risk::Look => ("LOOK: reads only", Role::Ok),
        Risk::Change => ("CHANGE: this changes the world", Role::Warning),
        Risk::Destroy => ("DESTROY: this takes something down for good", Role::Danger),
    };
    let mut lines = vec![(risk.to_owned(), role)];
    let mut add = |text: &str, role: Role, indent: &str| {
        for line in clean::wrap(text, room.saturating_sub(indent.len()), MOST) {
            lines.push((format!("{indent}{line}"), role));
        }
    };
    if let Some(waiver) = &armed.waiver {
        add("", Role::Text, "");
        add("OVERRIDE: run although this is UNKNOWN:", Role::Danger, "");
        for waived in &waiver.waived {
            let text = format!("{}: {}", waived.condition, waived.sentence);
            add(&text, Role::Text, "  ");
        }
        add(&format!("because: {}", waiver.reason), Role::Text, "  ");
    }
    if !armed.because.is_empty() {
        add(
            &format!("{} way: {}", armed.way, armed.because),
            Role::Text,
            "",
        );
    }
    add("", Role::Text, "");
    if armed.by_hand {
        add(
            "Nothing is run. Done by hand, and then noted here:",
            Role::Heading,
            "",
        );
    } else {
        add("Will be run, exactly:", Role::Heading, "");
    }
    for call in &armed.calls {
        add(call, Role::Strong, "  ");
    }
    add("", Role::Text, "");
    if armed.observes.is_empty() {
        let text = match armed.evidence {
            Evidence::Unreachable => {
                "It then counts as UNREACHABLE, never as stopped: its addresses stay watched to the end."
            }
            _ => {
                "Nothing is observed afterwards: it never turns green, and what is told is shown as told."
            }
        };
        add(text, Role::Warning, "");
    } else {
        add("Turns green only when this is seen:", Role::Heading, "");
    }
    for name in &armed.observes {
        let text: &str = match condition(name) {
            Some(condition) => told(condition),
            None => name,
        };
        add(text, Role::Text, "  ");
    }
    add("", Role::Text, "");
    lines
}

fn condition(name: &str) -> Option<Condition> {
    Condition::ALL
        .iter()
        .find(|condition| condition.name() == name)
        .copied()
}

/// A condition in the operator's words.
const fn told(condition: Condition) -> &'static str {
    match condition {
        Condition::PrimaryAccount => "the primary's credentials are of the planned account",
        Condition::RecoveryAccount => {
            "the recovery region's credentials are of the planned account"
        }
        Condition::PrimaryContext => "the primary's kube context is the planned cluster",
        Condition::RecoveryContext => "the recovery kube context is the planned cluster",
        Condition::DnsControlSilent => "Route 53's control plane gives no answer",
        Condition::PrimarySilent => "the primary's Kubernetes API gives no answer",
        Condition::ReconcilersPaused => {
            "nothing in the primary would bring the old cluster back by itself"
        }
        Condition::FreezeHeld => "every role of this incident's freeze is locked",
        Condition::FreezeLifted => "no lock of this incident's freeze is left",
        Condition::ProxiesRestarted => "every proxy pod of the primary is younger than the restart",
        Condition::SessionElsewhere => "no way of yours goes through the Teleport cluster",
        Condition::TablesReady => "both tables in the recovery region are ACTIVE",
        Condition::CopiesUsable => "both tables can be restored, or are there already",
        Condition::RightTable => "the state table holds this cluster's host authority",
        Condition::TablesRepaired => "the tables have the settings that a restore drops",
        Condition::BackupsFresh => "both tables have a usable copy within the RPO",
        Condition::RecordingsReady => "the recordings bucket answers and is versioned",
        Condition::BlackBoxRecorded => "the black box lies in the incident's folder",
        Condition::PrerequisitesMet => "what the values need is there in the recovery region",
        Condition::OldClusterGone => "no pod and no release of the old cluster is left",
        Condition::OldDoorShut => "the old load balancer no longer answers as this cluster",
        Condition::OldFenced => "AWS lets nobody in through the old load balancer any more",
        Condition::ValuesWritten => {
            "the recovery values file names the recovery region's resources"
        }
        Condition::RightsGranted => "the pods' role may be taken and grants what the chart needs",
        Condition::CertificateReady => {
            "a certificate for name and wildcard is there or can be issued"
        }
        Condition::CertificateRequested => {
            "ACM has a certificate, or shows the record it waits for"
        }
        Condition::ReleaseInstallable => {
            "the recovery cluster has no such release, or one to upgrade"
        }
        Condition::ReleaseAbsent => "no release of that name is in the recovery cluster",
        Condition::DrillGone => "nothing that this drill made is there any more",
        Condition::ReleaseDeployed => "the release is deployed in the recovery cluster",
        Condition::PodsReady => "every Auth and Proxy Deployment is available as desired",
        Condition::AuthLogClean => {
            "Auth says that it reached the planned table, and made nothing new"
        }
        Condition::LoadBalancerKnown => "the recovery load balancer has an address",
        Condition::NewDoorAnswers => "the new load balancer answers ping with a valid certificate",
        Condition::NewDoorSteady => {
            "three looks in a row find the new load balancer in order, with the old authorities"
        }
        Condition::WildcardAnswers => {
            "names under the cluster's get a valid certificate and an answer at the new load balancer"
        }
        Condition::SameAuthorities => "the new cluster has the old certificate authorities",
        Condition::NamesHeld => "no external-dns would write the old records back",
        Condition::DnsPublished => "every authority serves the new target for every name",
        Condition::DnsConverged => "no watched resolver gives the old target any more",
        Condition::OldDoorAnswers => "the old load balancer answers with the old authorities",
        Condition::ResourcesReconciled => "the operator has reconciled every Teleport resource",
        Condition::BotsKnown => "bots, how they join and which are locked have been read",
        Condition::BotsUnlocked => "no lock is left that the restore made on a bot",
        Condition::PublicVersion => "the public name answers in the version of before",
        Condition::PublicAuthorities => "the public name has the old certificate authorities",
        Condition::AuditFlows => "an audit event is younger than the relaunch",
        Condition::RecordingReadable => "the newest recording can be read",
        Condition::AgentsBack => "the agents have sent heartbeats since the relaunch",
        Condition::OldSideAnswers => {
            "the old side's load balancer answers with the old authorities"
        }
        Condition::NamesBack => "the names lead to the old side again",
        Condition::ReconcilersResumed => "nothing in the primary is paused by Relight",
        Condition::AuthAnswers => "an Auth Service tells roles and locks",
        Condition::DnsReverted => "the zone has the records of the black box again",
        Condition::PublicPing => "the public name answers ping from the new load balancer",
    }
}

fn buttons(canvas: &mut Canvas<'_>, row: u16, confirm: &Confirm) {
    let style = |role: Role, focus: Focus| {
        if confirm.focus == focus {
            role
        } else {
            Role::Muted
        }
    };
    let run = if confirm.armed.risk == Risk::Destroy {
        Role::Danger
    } else {
        Role::Button
    };
    let mark = |focus: Focus| if confirm.focus == focus { "▸" } else { " " };
    let parts = [
        (
            format!("{} Cancel ", mark(Focus::Cancel)),
            style(Role::Button, Focus::Cancel),
        ),
        ("   ".to_owned(), Role::Text),
        (format!("{} Run ", mark(Focus::Run)), style(run, Focus::Run)),
        (
            "     tab other button   enter answers   esc leaves".to_owned(),
            Role::Muted,
        ),
    ];
    let parts = parts.map(|(text, role)| (text, canvas.style(role)));
    let mut pen = canvas.pen(row);
    for (text, style) in &parts {
        pen.put(text, *style);
    }
}

/// A phrase asked for, on as many rows as it has: of a context that is an ARN every letter has to be read to be typed.
struct Asked {
    phrase: Vec<String>,
    /// What has been typed so far, and empty rows for the rest; its last rows where there is no room for all.
    typed: Vec<String>,
    told: (&'static str, Role),
}

/// What stands before the text being typed.
const PROMPT: &str = "> ";

/// The phrase stands right above what is typed of it, letter over letter.
const INDENT: u16 = 2;

impl Asked {
    /// `room` columns wide, and where it can be at most `most` rows high.
    fn of(confirm: &Confirm, phrase: &str, room: usize, most: usize) -> Self {
        let told = if confirm.typed.trim() == phrase {
            ("enter RUNS it   esc leaves without running", Role::Danger)
        } else if phrase.starts_with(confirm.typed.trim_start()) {
            ("esc leaves without running", Role::Muted)
        } else {
            (
                "that is not the phrase   esc leaves without running",
                Role::Warning,
            )
        };
        let room = room.saturating_sub(PROMPT.len() + 1);
        let (lines, mut typed) = (clean::cut(phrase, room), clean::cut(&confirm.typed, room));
        // Heading, phrase, field, hint, and two rows of the body.
        let left = most.saturating_sub(lines.len() + 4).max(1);
        typed.drain(..typed.len().saturating_sub(left));
        // The field is as high as the phrase from the start, so that the dialog does not grow under the typing.
        let field = lines.len().min(left).max(typed.len());
        typed.resize(field, String::new());
        Self {
            phrase: lines,
            typed,
            told,
        }
    }

    fn height(&self) -> u16 {
        let rows = self.phrase.len() + self.typed.len() + 2;
        u16::try_from(rows).unwrap_or(u16::MAX)
    }
}

fn ask_phrase(canvas: &mut Canvas<'_>, row: u16, asked: &Asked) {
    canvas.line(row, "To run it, type exactly:", Role::Text);
    let mut row = row + 1;
    for line in &asked.phrase {
        let style = canvas.style(Role::Down);
        canvas.pen(row).skip(INDENT).put(line, style);
        row += 1;
    }
    let last = asked.typed.iter().rposition(|line| !line.is_empty());
    for (at, line) in asked.typed.iter().enumerate() {
        let before = if at == 0 { PROMPT } else { "  " };
        if at == last.unwrap_or(0) {
            input(canvas, row, before, line);
        } else {
            let (key, field) = (canvas.style(Role::Key), canvas.style(Role::Field));
            canvas.pen(row).put(before, key).put(line, field);
        }
        row += 1;
    }
    canvas.line(row, asked.told.0, asked.told.1);
}
