//! Whether the recovery cluster's Auth Service has started as it should.

use super::{Glance, Sight, glance};
use crate::incident::{AuthLog, Fact, Finding, Mark, Subject, brief};

/// An Auth pod says that it reached the planned state table in the planned region, and none says what must stop a
/// recovery: that it made a table or authorities, has another name, version or other keys.
#[must_use]
pub fn clean(sight: &Sight<'_>) -> Finding {
    let log = match glance(&Subject::AuthLog, sight) {
        Glance::Fresh(Fact::AuthLog(log), _) => log,
        Glance::Stale(_, age) => {
            return Finding::unknown(format!(
                "the logs of the Auth pods were last read {} ago",
                brief(age)
            ));
        }
        Glance::Failed(failure, _) => return Finding::unknown(failure.to_string()),
        Glance::Never | Glance::Fresh(..) => {
            return Finding::unknown("the logs of the Auth pods have not been read yet");
        }
    };
    if let Some(found) = danger(log, sight) {
        return Finding::fail(format!("STOP: {found}"), vec![Subject::AuthLog]);
    }
    let Some(table) = sight.plan.recovery.state_table.as_deref() else {
        return Finding::unknown(
            "the plan has no state_table for the recovery region to compare with what Auth says",
        );
    };
    let Some(start) = log.reached(table) else {
        return Finding::unknown(not_reached(log, table));
    };
    let mut notes: Vec<String> = Vec::new();
    for start in &log.pods {
        notes.extend(start.gap.clone());
        let buckets = start
            .marks
            .iter()
            .filter(|mark| matches!(mark, Mark::Bucket(_)));
        notes.extend(buckets.map(|mark| format!("{} {}", start.pod, mark.told())));
    }
    let notes = if notes.is_empty() {
        String::new()
    } else {
        format!("; but {}", notes.join("; "))
    };
    Finding::pass(
        format!(
            "{} reached {table} in {}, and no Auth pod made anything new{notes}",
            start.pod, sight.plan.recovery.region
        ),
        vec![Subject::AuthLog],
    )
}

/// What must stop the recovery, by whatever was read last of the logs.
#[must_use]
pub fn stop(sight: &Sight<'_>) -> Option<String> {
    match glance(&Subject::AuthLog, sight).known() {
        Some((Fact::AuthLog(log), _)) => danger(log, sight),
        _ => None,
    }
}

fn danger(log: &AuthLog, sight: &Sight<'_>) -> Option<String> {
    let recovery = &sight.plan.recovery;
    let table = recovery.state_table.as_deref()?;
    log.danger(table, &recovery.region)
}

fn not_reached(log: &AuthLog, table: &str) -> String {
    if let Some(gap) = log.pods.iter().find_map(|start| start.gap.as_ref()) {
        return format!("whether Auth reached {table} cannot be read: {gap}");
    }
    match log.pods.len() {
        0 => "there is no Auth pod yet".to_owned(),
        1 => format!("the Auth pod has not said yet that it reached {table}"),
        many => format!("none of the {many} Auth pods has said yet that it reached {table}"),
    }
}
