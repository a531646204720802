//! The tables in the recovery region: the right one, and with all that Teleport needs of it.
//!
//! *Right table* is the gate that nothing gets around: an Auth Service that starts on a state table without the host
//! certificate authority of its cluster makes new authorities, fails nowhere and looks healthy (`facts/teleport.md` 2.2).

use std::time::Duration;

use super::{
    Glance, Sight,
    backups::{absent, sentence, unseen},
    glance,
};
use crate::incident::{
    Fact, Finding, HostAuthorities, Moment, Side, Subject, Table, TableRole, brief,
    repair::{self, AUDIT_INDEX, Lack},
};

/// Longest that the row counts as seen: it is a billed read, made every five minutes.
const SEEN: Duration = Duration::from_mins(11);
/// Other clusters that are named.
const NAMED: usize = 5;

/// The recovery state table holds the host certificate authority of the cluster.
#[must_use]
pub fn right(sight: &Sight<'_>) -> Finding {
    let subject = Subject::Table(Side::Recovery, TableRole::State);
    match glance(&subject, sight) {
        Glance::Fresh(Fact::Table(table), _) => {
            if !table.usable() {
                return Finding::unknown(format!(
                    "{} in {} is {}: what is in it can be told when it is ACTIVE",
                    table.name,
                    table.region,
                    if table.restoring {
                        "being restored"
                    } else {
                        &table.status
                    },
                ));
            }
            match &table.authority {
                Ok(found) => owner(table, found, subject, sight),
                Err(failure) => Finding::unknown(format!(
                    "whose authorities {} in {} holds is not known: {failure}",
                    table.name, table.region
                )),
            }
        }
        Glance::Failed(failure, _) if absent(failure, &subject, sight) => Finding::fail(
            format!(
                "there is no state table yet, and Teleport would make an empty one and new certificate authorities: {}. Restore the tables first",
                failure.detail
            ),
            vec![subject],
        ),
        other => Finding::unknown(unseen("state table", other)),
    }
}

fn owner(table: &Table, found: &HostAuthorities, subject: Subject, sight: &Sight<'_>) -> Finding {
    let place = format!("{} in {}", table.name, table.region);
    let asked = sight.now.since(found.at);
    let early = sight.since.is_some_and(|since| found.at < since);
    let remade = table.created.is_some_and(|created| created > found.at);
    if early || remade || asked > SEEN {
        return Finding::unknown(format!(
            "{place} was last asked for its host authority {} ago; waiting for a new look",
            brief(asked)
        ));
    }
    let cluster = &sight.plan.cluster.name;
    let Some(own) = &found.own else {
        return Finding::fail(wrong(table, found, sight), vec![subject]);
    };
    let mut compared = String::new();
    if let (Some(revision), Some((before, at))) = (&own.revision, primary(sight)) {
        let from = &sight.plan.primary.region;
        let ago = brief(sight.now.since(at));
        compared = if before == *revision {
            format!(", the very object that {from} had {ago} ago")
        } else {
            format!(
                "; {from} had another revision of it {ago} ago, as after a rotation or another write since the copy"
            )
        };
    }
    let words = format!("{place} holds the host authority of {cluster}{compared}");
    Finding::pass(words, vec![subject])
}

/// What is wrong with the table, and what to do: there is no other way.
fn wrong(table: &Table, found: &HostAuthorities, sight: &Sight<'_>) -> String {
    let (cluster, plan) = (&sight.plan.cluster.name, sight.plan.path.display());
    let holds = if found.others.is_empty() {
        "no host authority at all".to_owned()
    } else {
        let more = if found.others.len() > NAMED {
            ", …"
        } else {
            ""
        };
        let named = &found.others[..found.others.len().min(NAMED)];
        format!("those of {}{more}", named.join(", "))
    };
    format!(
        "WRONG TABLE, no way round: {} in {} holds {holds}, not that of {cluster}. Teleport would make new certificate \
         authorities on it, and no agent, bot, database or user would be trusted any more. Correct state_table in \
         [recovery] of {plan} (a new name is restored anew), or cluster.name",
        table.name, table.region
    )
}

/// The revision of the primary's row as it was seen last, and when.
fn primary(sight: &Sight<'_>) -> Option<(String, Moment)> {
    let reading = sight
        .instruments
        .get(&Subject::Table(Side::Primary, TableRole::State))?;
    let (_, Fact::Table(table)) = reading.good.as_ref()? else {
        return None;
    };
    let found = table.authority.as_ref().ok()?;
    Some((found.own.as_ref()?.revision.clone()?, found.at))
}

/// The recovery tables have the settings that a restore drops.
#[must_use]
pub fn repaired(sight: &Sight<'_>) -> Finding {
    let (mut wrong, mut unclear, mut evidence) = (Vec::new(), Vec::new(), Vec::new());
    let mut notes = Vec::new();
    for role in TableRole::BOTH {
        let subject = Subject::Table(Side::Recovery, role);
        match glance(&subject, sight) {
            Glance::Fresh(Fact::Table(table), _) => {
                let Lack {
                    edits,
                    unclear: unread,
                    notes: more,
                } = repair::lack(table, repair::base(role, sight.instruments));
                wrong.extend(edits.iter().map(|edit| format!("lacking: {edit}")));
                unclear.extend(unread);
                unclear.extend(filling(table));
                notes.extend(more);
                evidence.push(subject);
            }
            Glance::Failed(failure, _) if absent(failure, &subject, sight) => {
                wrong.push(format!("{role} table: {}", failure.detail));
                evidence.push(subject);
            }
            other => unclear.push(unseen(&format!("{role} table"), other)),
        }
    }
    if !wrong.is_empty() {
        return Finding::fail(sentence(&wrong, &notes), evidence);
    }
    if !unclear.is_empty() {
        return Finding::unknown(sentence(&unclear, &notes));
    }
    let good = format!(
        "both tables in {} have what a restore drops",
        sight.plan.recovery.region
    );
    Finding::pass(sentence(&[good], &notes), evidence)
}

/// An index that is made is empty at first: the audit log is found when it is filled.
fn filling(table: &Table) -> Option<String> {
    let settings = table.settings.as_ref().ok()?;
    let status = settings.indexes.get(AUDIT_INDEX)?;
    (table.role == TableRole::Audit && status != "ACTIVE").then(|| {
        format!(
            "index {AUDIT_INDEX} of {} is {status}: it is being filled",
            table.name
        )
    })
}

#[cfg(test)]
mod tests;
