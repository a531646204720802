//! Whether there is anything to recover from: the tables themselves, copies beside the primary, or what only the primary
//! still has.

use std::time::Duration;

use super::{
    absent,
    copies::{Search, search},
    sentence, unseen,
};
use crate::{
    incident::{
        Fact, Finding, Side, Subject, Table, TableRole, Vault, brief,
        source::{self, apart},
    },
    judge::{Glance, Sight, glance},
};

/// A copy that is deleted so soon may be gone before it is restored, or wanted again.
const SOON: Duration = Duration::from_hours(24);

/// For both tables there is a copy to restore from, or the table itself is there already.
#[must_use]
pub fn copies_usable(sight: &Sight<'_>) -> Finding {
    let (mut good, mut wrong, mut unclear) = (Vec::new(), Vec::new(), Vec::new());
    let (mut notes, mut evidence) = (Vec::new(), Vec::new());
    for role in TableRole::BOTH {
        let found = search(role, sight);
        let table = there(role, sight);
        let of_copies = found.copies.iter().find(|copy| copy.restore);
        let from_primary = source::sources(role, sight.instruments)
            .into_iter()
            .any(|source| source.means != source::Means::Copy);
        if let Some(table) = table {
            good.push(format!("{role} table {} is there", table.name));
            evidence.push(Subject::Table(Side::Recovery, role));
        } else if let Some(copy) = of_copies {
            good.push(format!("{role} from the {}", copy.what));
            evidence.push(copy.subject.clone());
        } else if from_primary {
            let region = &sight.plan.primary.region;
            good.push(format!("{role} from {region}, while that answers"));
            notes.push(format!(
                "WARNING: every copy of the {role} table is in {region}"
            ));
            evidence.push(Subject::Table(Side::Primary, role));
        } else {
            lacking(role, &found, sight, (&mut wrong, &mut unclear));
            evidence.extend(found.seen.iter().cloned());
        }
        if let Glance::Fresh(Fact::Vault(vault), _) = glance(&Subject::Vault(role), sight) {
            notes.extend(warnings(vault, sight));
        }
    }
    notes.extend(pair(sight));
    if !wrong.is_empty() {
        return Finding::fail(sentence(&wrong, &notes), evidence);
    }
    if !unclear.is_empty() {
        return Finding::unknown(sentence(&unclear, &notes));
    }
    Finding::pass(sentence(&good, &notes), evidence)
}

/// The table, if it is there and can be used as it is.
fn there<'a>(role: TableRole, sight: &Sight<'a>) -> Option<&'a Table> {
    match glance(&Subject::Table(Side::Recovery, role), sight) {
        Glance::Fresh(Fact::Table(table), _) => {
            Some(table.as_ref()).filter(|table| table.usable() && !table.wrong())
        }
        _ => None,
    }
}

/// No copy at all, or none that could be seen. The first is the worst there is, and is said with what it means.
fn lacking(
    role: TableRole,
    found: &Search,
    sight: &Sight<'_>,
    (wrong, unclear): (&mut Vec<String>, &mut Vec<String>),
) {
    let primary = Subject::Table(Side::Primary, role);
    let seen = glance(&primary, sight);
    let settled = matches!(seen, Glance::Fresh(..))
        || matches!(seen, Glance::Failed(failure, _) if absent(failure, &primary, sight));
    if !found.unseen.is_empty() || !settled {
        let mut unseen_ones = found.unseen.clone();
        if !settled {
            unseen_ones.push(unseen("primary's table", seen));
        }
        unclear.push(format!(
            "no usable copy of the {role} table was seen: {}",
            unseen_ones.join(", ")
        ));
        return;
    }
    wrong.push(match role {
        TableRole::State => "NO USABLE BACKUP of the state table: a cluster without it has new certificate authorities, \
            which self-hosted databases, agents (ca_pin), tbot, trusted clusters and every user must be told to trust; \
            the output of this step lists them"
            .to_owned(),
        TableRole::Audit => "no usable backup of the audit table: the new cluster begins with an empty audit log"
            .to_owned(),
    });
}

/// What is odd about the copies of one table.
fn warnings(vault: &Vault, sight: &Sight<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let role = vault.role;
    let rpo = sight.plan.objectives.rpo;
    if let Some(every) = vault.cadence().filter(|every| *every > rpo) {
        found.push(format!(
            "{role} copies are made every {}, the RPO is {}",
            brief(every),
            brief(rpo)
        ));
    }
    let Some(newest) = vault.usable(sight.now).next() else {
        let cold = vault
            .points
            .iter()
            .any(|point| point.cold_at.is_some_and(|at| at <= sight.now));
        if cold {
            found.push(format!(
                "{role} copies are in cold storage only: a restore takes hours and more"
            ));
        }
        return found;
    };
    if let Some(at) = newest.delete_at.filter(|at| at.since(sight.now) < SOON) {
        found.push(format!(
            "the newest {role} copy is deleted in {}",
            brief(at.since(sight.now))
        ));
    }
    found
}

/// The pair that would be restored, and how far its halves lie apart.
fn pair(sight: &Sight<'_>) -> Option<String> {
    let sources = TableRole::BOTH.map(|role| source::sources(role, sight.instruments));
    let wanted = sources.each_ref().map(|all| Some(all.as_slice()));
    let [state, audit] = source::choose(wanted, None, sight.plan.recovery.restore_from);
    let (state, audit) = (state?, audit?);
    Some(format!(
        "to restore: state of {} and audit of {}, {} apart",
        state.data.clock(),
        audit.data.clock(),
        brief(apart(state.data, audit.data))
    ))
}
