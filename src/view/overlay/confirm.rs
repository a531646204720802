//! Run it or not: what will be done, in full, and what will be looked at to tell whether it worked.

use super::{field::input, open};
use crate::{
    incident::{Condition, Risk},
    state::{Confirm, Focus},
    theme::Role,
    view::{Canvas, widget::clean},
};

/// Draws the dialog.
pub fn draw(canvas: &mut Canvas<'_>, confirm: &Confirm) {
    let width = canvas.area.width.saturating_sub(4).clamp(20, 100);
    let room = usize::from(width.saturating_sub(4));
    let armed = &confirm.armed;
    let body = body(confirm, room);
    // Buttons or phrase, and a row between.
    let foot: u16 = if armed.phrase.is_some() { 5 } else { 2 };
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
    for (row, (text, role)) in body.iter().enumerate() {
        let Ok(row) = u16::try_from(row) else { break };
        if row + 1 >= last && body.len() > usize::from(last) {
            let more = body.len() - usize::from(row);
            let text = format!("… {more} more lines: C copies the command, i shows all");
            inside.line(row, &text, Role::Warning);
            break;
        }
        inside.line(row, text, *role);
    }
    match &armed.phrase {
        Some(phrase) => ask_phrase(&mut inside, last, confirm, phrase),
        None => buttons(&mut inside, last + 1, confirm),
    }
}

fn body(confirm: &Confirm, room: usize) -> Vec<(String, Role)> {
    let armed = &confirm.armed;
    let (risk, role) = match armed.risk {
        Risk::Look => ("LOOK: reads only", Role::Ok),
        Risk::Change => ("CHANGE: this changes the world", Role::Warning),
        Risk::Destroy => ("DESTROY: this takes something down for good", Role::Danger),
    };
    let mut lines = vec![(risk.to_owned(), role)];
    let mut add = |text: &str, role: Role, indent: &str| {
        for line in clean::wrap(text, room.saturating_sub(indent.len()), 40) {
            lines.push((format!("{indent}{line}"), role));
        }
    };
    add("", Role::Text, "");
    add("Will be run, exactly:", Role::Heading, "");
    for call in &armed.calls {
        add(call, Role::Strong, "  ");
    }
    add("", Role::Text, "");
    if armed.observes.is_empty() {
        add("Nothing is observed afterwards.", Role::Warning, "");
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
        Condition::TablesReady => "both tables in the recovery region are ACTIVE",
        Condition::BackupsFresh => "both tables have a usable copy within the RPO",
        Condition::RecordingsReady => "the recordings bucket answers and is versioned",
        Condition::OldClusterGone => "no pod and no release of the old cluster is left",
        Condition::OldDoorShut => "the old load balancer no longer answers as this cluster",
        Condition::ValuesWritten => {
            "the recovery values file names the recovery region's resources"
        }
        Condition::ReleaseAbsent => "no release of that name is in the recovery cluster",
        Condition::ReleaseDeployed => "the release is deployed in the recovery cluster",
        Condition::PodsReady => "every Auth and Proxy Deployment is available as desired",
        Condition::LoadBalancerKnown => "the recovery load balancer has an address",
        Condition::NewDoorAnswers => "the new load balancer answers ping with a valid certificate",
        Condition::SameAuthorities => "the new cluster has the old certificate authorities",
        Condition::DnsPublished => "every authority serves the new target for every name",
        Condition::DnsConverged => "no watched resolver gives the old target any more",
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

fn ask_phrase(canvas: &mut Canvas<'_>, row: u16, confirm: &Confirm, phrase: &str) {
    let (text, strong) = (canvas.style(Role::Text), canvas.style(Role::Down));
    canvas
        .pen(row)
        .put("To run it, type exactly: ", text)
        .put(phrase, strong);
    input(canvas, row + 1, "> ", &confirm.typed);
    let (told, role) = if confirm.typed.trim() == phrase {
        ("enter RUNS it   esc leaves without running", Role::Danger)
    } else if phrase.starts_with(confirm.typed.trim_start()) {
        ("esc leaves without running", Role::Muted)
    } else {
        (
            "that is not the phrase   esc leaves without running",
            Role::Warning,
        )
    };
    canvas.line(row + 3, told, role);
}
