//! Copies, tables and recordings, before they are needed.

use super::{Inquiry, Ruling};
use crate::{
    incident::{
        Fact, FailureKind, Health, Outcome, Pitr, Recordings, Side, Subject, Table, TableRole,
        Vault, brief,
    },
    judge::{
        Glance, Sight,
        backups::{self, absent, unseen},
        glance, tables,
    },
};

/// How often copies of each table come into the recovery region's vault, by the copies that are there.
pub(super) fn frequency(inquiry: &Inquiry<'_>) -> Vec<(String, Ruling)> {
    let sight = &inquiry.sight;
    let one = |role: TableRole| {
        let subject = Subject::Vault(role);
        let ruling = match glance(&subject, sight) {
            _ if let Some(ruling) = fed(role, sight) => ruling,
            Glance::Fresh(Fact::Vault(vault), _) => cadence(vault, &subject, sight),
            other => Ruling::unknown(unseen("vault", other)),
        };
        (format!("how often {role} copies are made"), ruling)
    };
    TableRole::BOTH.map(one).into()
}

/// A table in the recovery region that is written all the time needs no copies to be as new as the RPO wants.
fn fed(role: TableRole, sight: &Sight<'_>) -> Option<Ruling> {
    let found = backups::search(role, sight);
    let best = found.copies.first()?;
    let loss = best.loss(sight);
    (!best.restore && loss <= sight.plan.objectives.rpo).then(|| {
        let sentence = format!(
            "{} was {} behind when it was measured",
            best.what,
            brief(loss)
        );
        Ruling::on(
            Outcome::Pass,
            sentence,
            std::slice::from_ref(&best.subject),
            sight,
        )
    })
}

fn cadence(vault: &Vault, subject: &Subject, sight: &Sight<'_>) -> Ruling {
    let rpo = sight.plan.objectives.rpo;
    let Some(every) = vault.cadence() else {
        return Ruling::unknown(format!(
            "vault {} holds {} copies of it: how often they are made takes two to tell",
            vault.vault,
            vault.points.len()
        ));
    };
    let outcome = if every <= rpo {
        Outcome::Pass
    } else {
        Outcome::Fail
    };
    let sentence = format!(
        "one every {} in vault {}, the RPO is {}",
        brief(every),
        vault.vault,
        brief(rpo)
    );
    Ruling::on(outcome, sentence, std::slice::from_ref(subject), sight)
}

/// Tables of the planned names that are in the recovery region already must be the right ones. That none is there is no
/// fault: they are restored on the day.
pub(super) fn recovery_tables(inquiry: &Inquiry<'_>) -> Ruling {
    let sight = &inquiry.sight;
    let subjects = TableRole::BOTH.map(|role| Subject::Table(Side::Recovery, role));
    let seen = subjects.each_ref().map(|subject| glance(subject, sight));
    let gone = |at: usize| matches!(seen[at], Glance::Failed(failure, _) if absent(failure, &subjects[at], sight));
    if gone(0) && gone(1) {
        let sentence = "none is there: they are restored on the day, which takes twenty minutes and more; restored \
                        beforehand, that time is saved";
        return Ruling::on(Outcome::Pass, sentence, &subjects, sight);
    }
    if gone(0) || gone(1) {
        let which = if gone(0) { "audit" } else { "state" };
        let sentence = format!(
            "only the {which} table is there: restored beside it later, the two tell of different moments"
        );
        return Ruling::on(Outcome::Fail, sentence, &subjects, sight);
    }
    let right = Ruling::of(tables::right(sight), sight);
    if right.outcome != Outcome::Pass {
        return right;
    }
    let repaired = Ruling::of(tables::repaired(sight), sight);
    Ruling {
        sentence: format!("{}; {}", right.sentence, repaired.sentence),
        ..repaired
    }
}

/// Whether the primary's tables can be deleted by mistake, and restored to a moment.
pub(super) fn protection(inquiry: &Inquiry<'_>) -> Vec<(String, Ruling)> {
    let sight = &inquiry.sight;
    let one = |role: TableRole| {
        let subject = Subject::Table(Side::Primary, role);
        let ruling = match glance(&subject, sight) {
            Glance::Fresh(Fact::Table(table), _) => guarded(table, &subject, sight),
            other => Ruling::unknown(unseen("table", other)),
        };
        (format!("protection of the {role} table"), ruling)
    };
    TableRole::BOTH.map(one).into()
}

fn guarded(table: &Table, subject: &Subject, sight: &Sight<'_>) -> Ruling {
    let (mut good, mut bad, mut unclear) = (Vec::new(), Vec::new(), Vec::new());
    match &table.settings {
        Ok(settings) if settings.protected => good.push("deletion protection is on".to_owned()),
        Ok(_) => bad.push("deletion protection is OFF".to_owned()),
        Err(why) => unclear.push(format!("deletion protection: {why}")),
    }
    match &table.pitr {
        Ok(Pitr { enabled: true, .. }) => good.push("point-in-time recovery is on".to_owned()),
        Ok(_) => bad.push("point-in-time recovery is OFF".to_owned()),
        Err(why) => unclear.push(format!("point-in-time recovery: {why}")),
    }
    let (outcome, words) = match (bad.is_empty(), unclear.is_empty()) {
        (false, _) => (Outcome::Fail, bad),
        (true, false) => (Outcome::Unknown, unclear),
        (true, true) => (Outcome::Pass, good),
    };
    let sentence = format!("{} in {}: {}", table.name, table.region, words.join(", "));
    Ruling::on(outcome, sentence, std::slice::from_ref(subject), sight)
}

/// The bucket of the recovery region: there, versioned, and not behind.
pub(super) fn recordings(inquiry: &Inquiry<'_>) -> Ruling {
    let sight = &inquiry.sight;
    let subject = Subject::Recordings(Side::Recovery);
    let Glance::Fresh(Fact::Recordings(seen), _) = glance(&subject, sight) else {
        return Ruling::of(backups::recordings_ready(sight), sight);
    };
    by_health(seen, backups::bucket(seen, sight), &subject, sight)
}

/// The rule that copies the primary's recordings.
pub(super) fn replication(inquiry: &Inquiry<'_>) -> Ruling {
    let sight = &inquiry.sight;
    let subject = Subject::Recordings(Side::Primary);
    match glance(&subject, sight) {
        Glance::Fresh(Fact::Recordings(seen), _) => {
            by_health(seen, backups::replication(seen, sight), &subject, sight)
        }
        Glance::Failed(failure, _) if failure.kind == FailureKind::NotFound => Ruling::on(
            Outcome::Fail,
            failure.detail.clone(),
            std::slice::from_ref(&subject),
            sight,
        ),
        other => Ruling::unknown(unseen("the primary's bucket", other)),
    }
}

fn by_health(
    seen: &Recordings,
    (health, words): (Health, String),
    subject: &Subject,
    sight: &Sight<'_>,
) -> Ruling {
    let outcome = match health {
        Health::Ok => Outcome::Pass,
        Health::Unknown => Outcome::Unknown,
        Health::Degraded | Health::Down => Outcome::Fail,
    };
    let sentence = format!("{} in {}: {words}", seen.bucket, seen.region);
    Ruling::on(outcome, sentence, std::slice::from_ref(subject), sight)
}
