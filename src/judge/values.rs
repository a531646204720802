//! The recovery values file: does it name the recovery region's things, and only those.

use super::{Glance, Sight, glance};
use crate::incident::{Fact, Finding, Subject, Values, brief};

/// The file is there and its region, tables and bucket are those of the recovery side; the cluster name is the planned
/// one. The guide's step 3 names these four fields.
#[must_use]
pub fn written(sight: &Sight<'_>) -> Finding {
    let values = match glance(&Subject::Values, sight) {
        Glance::Fresh(Fact::Values(values), _) => values,
        Glance::Stale(_, age) => {
            return Finding::unknown(format!(
                "the recovery values were last read {} ago",
                brief(age)
            ));
        }
        Glance::Failed(failure, _) => return Finding::unknown(failure.to_string()),
        Glance::Never | Glance::Fresh(..) => {
            return Finding::unknown("the recovery values have not been read yet");
        }
    };
    let evidence = vec![Subject::Values];
    let wrong = differences(values, sight);
    if wrong.is_empty() {
        Finding::pass(
            format!(
                "{} names the recovery region's tables and bucket",
                values.path
            ),
            evidence,
        )
    } else {
        Finding::fail(format!("{}: {}", values.path, wrong.join("; ")), evidence)
    }
}

fn differences(values: &Values, sight: &Sight<'_>) -> Vec<String> {
    let recovery = &sight.plan.recovery;
    let fields = [
        (
            "clusterName",
            &values.cluster_name,
            Some(sight.plan.cluster.name.as_str()),
        ),
        ("aws.region", &values.region, Some(recovery.region.as_str())),
        (
            "aws.backendTable",
            &values.state_table,
            recovery.state_table.as_deref(),
        ),
        (
            "aws.auditLogTable",
            &values.audit_table,
            recovery.audit_table.as_deref(),
        ),
        (
            "aws.sessionRecordingBucket",
            &values.bucket,
            recovery.bucket.as_deref(),
        ),
    ];
    let mut wrong: Vec<String> = fields
        .into_iter()
        .filter_map(|(field, is, wanted)| match (is.as_deref(), wanted) {
            (_, None) => Some(format!("the plan does not say what {field} should be")),
            (None, Some(wanted)) => Some(format!("{field} is missing and should be {wanted}")),
            (Some(is), Some(wanted)) if is != wanted => {
                Some(format!("{field} is {is:?} and should be {wanted:?}"))
            }
            _ => None,
        })
        .collect();
    if values.state_table.is_some() && values.state_table == values.audit_table {
        wrong.push(
            "aws.backendTable and aws.auditLogTable are the same table, which Teleport refuses"
                .to_owned(),
        );
    }
    wrong
}
