//! The way home, written down: what has to be done in which order, and why the names are not simply pointed back.

use std::{fmt::Write as _, path::Path};

use super::Line;
use crate::{
    incident::{Moment, Side},
    judge::{
        Sight,
        failback::{Divergence, divergence},
        region,
    },
    state::State,
};

/// The ordered plan as Markdown, and how the tables stand.
#[must_use]
pub fn failback(
    state: &State,
    outage: Option<Moment>,
    swapped: Option<&Path>,
) -> (String, Divergence) {
    let sight = Sight {
        outage: outage.or(state.sight().outage),
        ..state.sight()
    };
    let found = divergence(&sight);
    let mut out = String::new();
    let plan = &state.plan;
    let (home, here) = (&plan.primary.region, &plan.recovery.region);
    let _ = writeln!(
        out,
        "# {}: failing back from {here} to {home}\n\nWritten {}. Nothing was changed.\n",
        plan.cluster.name, state.now
    );
    just_dns(&mut out, state, &found);
    let _ = writeln!(
        out,
        "## The order\n\nFailing back is a second recovery, in the other direction and on a day of your choice, with a plan of its own.\n"
    );
    for (number, (title, text)) in before(state, &sight, swapped).iter().enumerate() {
        let _ = writeln!(out, "{}. **{title}.** {text}", number + 1);
    }
    on_the_day(&mut out, state, swapped);
    after(&mut out, state);
    (out, found)
}

/// Whether the names may simply be pointed back: the first thing that everybody asks.
fn just_dns(out: &mut String, state: &State, found: &Divergence) {
    let (home, here) = (&state.plan.primary.region, &state.plan.recovery.region);
    let _ = match found {
        Divergence::Diverged(_) => writeln!(
            out,
            "## Just switching DNS back: REFUSED\n\nThe tables diverged. On those of {home} everything that was written in {here} since is missing: users, roles, tokens, locks, certificates of agents. Two clusters with the same authorities would go on with two states.\n"
        ),
        Divergence::Unknown(_) => writeln!(
            out,
            "## Just switching DNS back: REFUSED\n\nWhether the tables diverged cannot be told, and as long as it cannot they count as diverged.\n"
        ),
        Divergence::Same(_) => writeln!(
            out,
            "## Just switching DNS back: possible\n\nNothing was written in {here} that the tables of {home} do not have. While the old cluster answers with the old authorities, the steps `revert-dns` and `abort` of the runbook do it, with their guards. It holds as long as nobody is let in: look again right before.\n"
        ),
    };
    for why in found.reasons() {
        let _ = writeln!(out, "* {}", Line::from(why));
    }
    out.push('\n');
}

/// What is done in the days before, while everything runs where it is.
fn before(state: &State, sight: &Sight<'_>, swapped: Option<&Path>) -> Vec<(String, String)> {
    let plan = &state.plan;
    let (home, here) = (&plan.primary.region, &plan.recovery.region);
    let named = |name: &Option<String>| name.clone().unwrap_or_else(|| "(not declared)".to_owned());
    let stand = region::assess(Side::Primary, sight);
    let made = match swapped {
        Some(path) => format!("It is written at `{}`.", path.display()),
        None => "`relight plan failback --write-plan FILE` writes it.".to_owned(),
    };
    let ttl = plan.dns.record_ttl;
    [
        (
            format!("Wait until {home} has been well for days"),
            format!(
                "A service that is back is not a region that is back: in October 2025 load balancers flapped for hours after DynamoDB answered. Now: {} {}.",
                stand.health,
                Line::from(&stand.sentence)
            ),
        ),
        (
            format!("Never start the old release on the old tables of {home}"),
            format!(
                "`{}` and `{}` are stale. Keep them for the audit until their retention ends, and let nothing open them: the fence stays shut.",
                named(&plan.primary.state_table),
                named(&plan.primary.audit_table)
            ),
        ),
        (
            "Turn the plan round".to_owned(),
            format!(
                "The same plan with its regions in each other's place, and new names for the tables to restore. {made} Look through it; `plan check` tells what it lacks."
            ),
        ),
        (
            "Turn the backups round".to_owned(),
            format!(
                "`{}` and `{}` of {here} need point-in-time recovery and a backup plan that copies into a vault of {home}{}. Without a copy over there the way back is the same gamble that the way here would have been.",
                named(&plan.recovery.state_table),
                named(&plan.recovery.audit_table),
                plan.primary.backup_vault.as_ref().map_or_else(String::new, |vault| format!(" (`{vault}`)"))
            ),
        ),
        (
            "Turn the recordings round".to_owned(),
            format!(
                "A replication rule from `{}` to `{}`, with `SseKmsEncryptedObjects` where they are encrypted by KMS; S3 Batch Replication for what was recorded since, which no rule takes along.",
                named(&plan.recovery.bucket),
                named(&plan.primary.bucket)
            ),
        ),
        (
            format!("See that {home} is ready"),
            "Rights, trust, KMS keys, certificate, Secrets, chart and image, by the turned plan: `check-rights`, `check-certificate` and `check-prerequisites` look without changing anything.".to_owned(),
        ),
        (
            "Lower the TTL".to_owned(),
            format!(
                "To {ttl} s, one old TTL before the day at the latest; an alias has its target's."
            ),
        ),
        (
            "Choose the day, and tell everybody".to_owned(),
            format!(
                "The cluster is down from the stop in {here} until the names are switched: as long as the recovery took, at least an hour by the guide. Rehearse it in a drill with the turned plan."
            ),
        ),
    ]
    .into()
}

/// The runbook under the turned plan: a planned outage, with everything that answers.
fn on_the_day(out: &mut String, state: &State, swapped: Option<&Path>) {
    let plan = &state.plan;
    let (home, here) = (&plan.primary.region, &plan.recovery.region);
    let file = swapped.map_or_else(|| "FILE".to_owned(), |path| path.display().to_string());
    let _ = writeln!(
        out,
        "\n## On the day: `relight --plan {file}`\n\nIts old side is {here}, which answers: every step goes its graceful way. *Freeze changes* is not optional now, and the last copy of both tables is made, at one time, after it and before *Stop old cluster*: then nothing is lost.\n"
    );
    let way = state.runbook.steps.iter().filter(|step| !step.aside);
    for (number, step) in way.enumerate() {
        let optional = if step.optional { ", optional" } else { "" };
        let _ = writeln!(
            out,
            "{}. {} (`{}`, {}{optional})",
            number + 1,
            step.title,
            step.id,
            step.risk.word()
        );
    }
    let _ = writeln!(
        out,
        "\nUntil *Switch DNS*, `abort` leads back to {here}. After it, the recovery has been turned round: {home} serves."
    );
}

fn after(out: &mut String, state: &State) {
    let (home, here) = (&state.plan.primary.region, &state.plan.recovery.region);
    let _ = writeln!(
        out,
        "\n## Afterwards\n\n1. Make the tables of {home} that were restored the planned ones, in values and plan; delete no table of {here} before its copies have aged out.\n2. Backups, replication of recordings and `relight black-box record` in the old direction again.\n3. A drill: what has been turned round twice is rehearsed before it is relied on."
    );
}
