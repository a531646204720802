//! The recovery values file: does it name the recovery region's things, and only those.

use super::{Glance, Sight, glance};
use crate::incident::{
    Component, Fact, Finding, Subject, Values, brief,
    values::{Field, MOST_AUTHS},
};

/// The file is there and its region, tables and bucket are those of the recovery side; the cluster name is the planned
/// one. The guide's step 3 names these four fields. Whatever else belongs to a region and the plan can tell must have
/// moved with them; what only a person can tell is said.
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
                "{} names the recovery region's tables and bucket{}",
                values.path,
                remarks(values)
            ),
            evidence,
        )
    } else {
        Finding::fail(format!("{}: {}", values.path, wrong.join("; ")), evidence)
    }
}

/// What passes and is still to be looked at.
fn remarks(values: &Values) -> String {
    let mut remarks = String::new();
    if let [first, rest @ ..] = values.leftovers.as_slice() {
        let more = if rest.is_empty() {
            String::new()
        } else {
            format!(" and {} more", rest.len())
        };
        remarks = format!("; line {} still names {}{more}", first.line, first.names);
    }
    let misplaced = values
        .settings
        .iter()
        .any(|setting| Field::of(&setting.path) == Some(Field::MisplacedIssuer));
    if misplaced {
        remarks.push_str(
            "; certManager.issuerName is not where the chart looks (highAvailability.certManager)",
        );
    }
    remarks
}

fn differences(values: &Values, sight: &Sight<'_>) -> Vec<String> {
    let recovery = &sight.plan.recovery;
    // A file that keeps its audit events in Athena alone has no table for them.
    let athena = values.audit_table.is_none()
        && values.get(Component::Auth, &["aws", "athenaURL"]).is_some();
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
        .filter(|(field, ..)| !(athena && *field == "aws.auditLogTable"))
        .filter_map(|(field, is, wanted)| match (is.as_deref(), wanted) {
            (_, None) => Some(format!("the plan does not say what {field} should be")),
            (None, Some(wanted)) => Some(format!("{field} is missing and should be {wanted}")),
            (Some(is), Some(wanted)) if is != wanted => {
                Some(format!("{field} is {is:?} and should be {wanted:?}"))
            }
            _ => None,
        })
        .collect();
    let four = |path: &[String]| path.len() == 2 && path[0] == "aws";
    wrong.extend(values.settings.iter().filter_map(|setting| {
        let wanted = sight.plan.moved(setting, values)?;
        // The four have been said; of the others, `auth.teleportConfig` wins over what the chart makes of them.
        let said = four(&setting.path) && !matches!(Field::of(&setting.path), Some(Field::Athena));
        (!said).then(|| {
            format!(
                "{} is {:?} and should be {wanted:?}",
                setting.path.join("."),
                setting.value
            )
        })
    }));
    match values.auths() {
        Ok(auths) if auths > MOST_AUTHS => wrong.push(format!(
            "{auths} Auth instances would run and a DynamoDB table serves at most {MOST_AUTHS}"
        )),
        Ok(_) => {}
        Err(why) => wrong.push(why),
    }
    if values.state_table.is_some() && values.state_table == values.audit_table {
        wrong.push(
            "aws.backendTable and aws.auditLogTable are the same table, which Teleport refuses"
                .to_owned(),
        );
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        incident::{Instruments, Moment, Observation, Outcome},
        plan::{Plan, sample},
    };

    fn judged(text: &str, plan: &Plan) -> Finding {
        let mut values = Values::read("v.yaml", text).expect("values");
        values.leftovers = plan.leftovers(text);
        let mut instruments = Instruments::default();
        instruments.take(Observation {
            subject: Subject::Values,
            at: Moment::from_secs(100),
            took: std::time::Duration::ZERO,
            outcome: Ok(Fact::Values(values)),
        });
        written(&Sight {
            instruments: &instruments,
            plan,
            now: Moment::from_secs(100),
            since: None,
            outage: None,
        })
    }

    const GOOD: &str = "clusterName: teleport.example.com\naws: {region: us-west-2, backendTable: west-state, auditLogTable: west-audit, sessionRecordingBucket: west-recordings}\n";

    #[test]
    fn all_that_must_move_has_moved() {
        let mut plan = sample::plan();
        plan.recovery.auth_role = Some("arn:aws:iam::1:role/west".to_owned());
        let good = judged(GOOD, &plan);
        assert_eq!(good.outcome, Outcome::Pass, "{}", good.sentence);
        let cases = [
            (
                "auth: {teleportConfig: {teleport: {storage: {table_name: east-state}}}}\n",
                "table_name is \"east-state\" and should be \"west-state\"",
            ),
            (
                "annotations: {serviceAccount: {eks.amazonaws.com/role-arn: 'arn:aws:iam::1:role/east'}}\n",
                "should be \"arn:aws:iam::1:role/west\"",
            ),
            ("highAvailability: {replicaCount: 3}\n", "3 Auth instances"),
            (
                "auth: {teleportConfig: {auth_service: {ca_key_params: {aws_kms: {region: us-east-1}}}}}\n",
                "aws_kms.region",
            ),
        ];
        for (more, words) in cases {
            let bad = judged(&format!("{GOOD}{more}"), &plan);
            assert_eq!(bad.outcome, Outcome::Fail, "{}", bad.sentence);
            assert!(bad.sentence.contains(words), "{}", bad.sentence);
        }
    }

    #[test]
    fn what_only_a_person_can_tell_passes_with_its_line() {
        let said = judged(
            &format!("{GOOD}extra: s3://x-us-east-1\ncertManager: {{issuerName: i}}\n"),
            &sample::plan(),
        );
        assert_eq!(said.outcome, Outcome::Pass, "{}", said.sentence);
        assert!(
            said.sentence.contains("line 3 still names us-east-1")
                && said.sentence.contains("not where the chart looks"),
            "{}",
            said.sentence
        );
    }
}
