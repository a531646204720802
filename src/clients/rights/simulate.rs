//! Every action that the chart needs, simulated by IAM against the recovery region's ARNs, and weighed with the policies of
//! tables and bucket.

use std::collections::BTreeMap;

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, EvaluationResult};
use serde_json::Value;

use super::{
    needs::{Holder, Need, needs, table_arn},
    policy::{Says, says},
};
use crate::{
    clients::{
        aws::{Reach, explain},
        kube::text::clean,
    },
    incident::{
        Failure, FailureKind, Part,
        rights::{Action, Denial, Simulated},
    },
    plan::Plan,
};

/// What IAM says of one action.
struct Verdict {
    action: String,
    /// `None` if it is allowed.
    denied: Option<String>,
    /// A policy says so with a `Deny`, which nothing can outweigh.
    explicit: bool,
    /// Keys of conditions that the simulation has no values for.
    missing: Vec<String>,
}

/// Simulates it all.
///
/// # Errors
/// If IAM does not answer, or we may not ask it.
pub(super) async fn simulate(
    plan: &Plan,
    reach: &Reach,
    role: &str,
    account: &str,
) -> Part<Simulated> {
    let mut result = Simulated::default();
    let mut policies: BTreeMap<String, Part<Option<Value>>> = BTreeMap::new();
    for need in needs(plan, account) {
        let actions: Vec<&str> = need.actions.iter().copied().chain(need.makes).collect();
        // The first answer that fails ends it: in an outage of IAM each of these would wait for its own.
        let verdicts = ask(plan, reach, role, &actions, &need.arn).await?;
        let key = match &need.holder {
            Holder::Table(arn) => arn.clone(),
            Holder::Bucket => plan.recovery.bucket.clone().unwrap_or_default(),
            Holder::Key => need.arn.clone(),
        };
        if !policies.contains_key(&key) {
            let policy = resource_policy(reach, &need.holder, &key).await;
            if let Err(failure) = &policy {
                result
                    .unsure
                    .push(format!("the policy of {key} could not be read: {failure}"));
            }
            policies.insert(key.clone(), policy);
        }
        let policy = policies
            .get(&key)
            .and_then(|policy| policy.as_ref().ok()?.as_ref());
        let same_account = role.split(':').nth(4) == Some(account);
        for verdict in verdicts {
            weigh(&mut result, &need, verdict, (policy, role, same_account));
        }
    }
    if result
        .denied
        .iter()
        .any(|denial| denial.what.name.starts_with("dynamodb:"))
    {
        result.fault = fault(plan, reach, role, account).await?;
    }
    Ok(result)
}

/// Takes one verdict in.
fn weigh(
    result: &mut Simulated,
    need: &Need,
    verdict: Verdict,
    (policy, role, same_account): (Option<&Value>, &str, bool),
) {
    let what = Action {
        name: verdict.action.clone(),
        on: need.arn.clone(),
    };
    if need.makes == Some(verdict.action.as_str()) {
        match verdict.denied {
            Some(_) => result.spared.push(what),
            None => result.makes.push(what),
        }
        return;
    }
    result.asked += 1;
    let says = policy.map_or(Says::Nothing, |policy| {
        says(policy, role, &verdict.action, &need.arn)
    });
    match (says, verdict.denied) {
        (Says::Denies(statement), _) => result.denied.push(Denial {
            what,
            why: format!("{statement} in the resource's own policy denies it"),
        }),
        // Within one account the policy of either is enough.
        (Says::Allows, Some(_)) if same_account && !verdict.explicit => {}
        (_, Some(_)) if !verdict.missing.is_empty() => result.unsure.push(format!(
            "{what} depends on {}, which a simulation does not have",
            verdict.missing.join(", ")
        )),
        (_, Some(why)) => result.denied.push(Denial { what, why }),
        (Says::MayDeny(statement), None) => {
            let said = format!(
                "{statement} in the policy of {} denies under a condition",
                need.arn
            );
            if !result.unsure.contains(&said) {
                result.unsure.push(said);
            }
        }
        (Says::Allows | Says::Nothing, None) => {}
    }
}

async fn ask(
    plan: &Plan,
    reach: &Reach,
    role: &str,
    actions: &[&str],
    arn: &str,
) -> Part<Vec<Verdict>> {
    // Many policies hold for one region only, by this key.
    let region = ContextEntry::builder()
        .context_key_name("aws:RequestedRegion")
        .context_key_type(ContextKeyTypeEnum::String)
        .context_key_values(&plan.recovery.region)
        .build();
    let said = reach
        .iam()
        .await
        .simulate_principal_policy()
        .policy_source_arn(role)
        .set_action_names(Some(
            actions.iter().map(|&action| action.to_owned()).collect(),
        ))
        .resource_arns(arn)
        .context_entries(region)
        .send()
        .await
        .map_err(|error| explain("IAM SimulatePrincipalPolicy", role, &error))?;
    let verdicts: Vec<Verdict> = said.evaluation_results().iter().map(verdict).collect();
    let complete = actions
        .iter()
        .all(|action| verdicts.iter().any(|verdict| verdict.action == *action));
    if said.is_truncated() || !complete {
        return Err(Failure::new(
            FailureKind::Garbage,
            format!(
                "IAM SimulatePrincipalPolicy of {role} answered for {} of {} actions on {arn}",
                verdicts.len(),
                actions.len()
            ),
        ));
    }
    Ok(verdicts)
}

fn verdict(result: &EvaluationResult) -> Verdict {
    let decision = result.eval_decision().as_str();
    let by = || {
        let named: Vec<String> = result
            .matched_statements()
            .iter()
            .filter_map(|statement| statement.source_policy_id())
            .map(|id| clean(id, 120))
            .collect();
        if named.is_empty() {
            String::new()
        } else {
            format!(" by {}", named.join(", "))
        }
    };
    let outside = if result
        .organizations_decision_detail()
        .is_some_and(|detail| !detail.allowed_by_organizations())
    {
        Some("a policy of the organisation does not allow it".to_owned())
    } else if result
        .permissions_boundary_decision_detail()
        .is_some_and(|detail| !detail.allowed_by_permissions_boundary())
    {
        Some("the role's permissions boundary does not allow it".to_owned())
    } else {
        None
    };
    let denied = match decision {
        "allowed" => outside.clone(),
        "explicitDeny" => Some(format!("explicitly denied{}", by())),
        _ => Some(
            outside
                .clone()
                .unwrap_or_else(|| "no policy of the role allows it".to_owned()),
        ),
    };
    Verdict {
        action: result.eval_action_name().to_owned(),
        explicit: decision == "explicitDeny" || outside.is_some(),
        missing: result
            .missing_context_values()
            .iter()
            .map(|key| clean(key, 120))
            .collect(),
        denied,
    }
}

/// The classic faults: the policy still names the failed region, or the old table.
async fn fault(plan: &Plan, reach: &Reach, role: &str, account: &str) -> Part<Option<String>> {
    let (old, new) = (&plan.primary, &plan.recovery);
    let (Some(table), Some(before)) = (&new.state_table, &old.state_table) else {
        return Ok(None);
    };
    let candidates = [
        (
            table_arn(&old.region, account, before),
            format!("still names {}: table ARNs hold the region", old.region),
        ),
        (
            table_arn(&old.region, account, table),
            format!("still names {}: table ARNs hold the region", old.region),
        ),
        (
            table_arn(&new.region, account, before),
            format!("still names the table {before}"),
        ),
    ];
    for (arn, words) in candidates {
        let now = table_arn(&new.region, account, table);
        if arn == now {
            continue;
        }
        let told = ask(plan, reach, role, &["dynamodb:DescribeTable"], &arn).await?;
        if told.iter().any(|verdict| verdict.denied.is_none()) {
            return Ok(Some(format!(
                "the role's policy {words}; add {now} and what is below it"
            )));
        }
    }
    Ok(None)
}

/// The policy that a table or the bucket has of its own.
async fn resource_policy(reach: &Reach, holder: &Holder, name: &str) -> Part<Option<Value>> {
    let place = format!("{name} in {}", reach.region());
    let text = match holder {
        Holder::Key => return Ok(None),
        Holder::Table(arn) => {
            let said = reach
                .dynamodb()
                .await
                .get_resource_policy()
                .resource_arn(arn)
                .send()
                .await;
            match said {
                Ok(said) => said.policy().map(str::to_owned),
                // A table that is not there yet has no policy either; that it is missing, another step says.
                Err(error)
                    if error.as_service_error().is_some_and(|known| {
                        known.is_policy_not_found_exception()
                            || known.is_resource_not_found_exception()
                    }) =>
                {
                    None
                }
                Err(error) => return Err(explain("DynamoDB GetResourcePolicy", &place, &error)),
            }
        }
        Holder::Bucket => {
            let said = reach
                .s3()
                .await
                .get_bucket_policy()
                .bucket(name)
                .send()
                .await;
            match said {
                Ok(said) => said.policy().map(str::to_owned),
                Err(error)
                    if error.as_service_error().is_some_and(|known| {
                        matches!(
                            known.meta().code(),
                            Some("NoSuchBucketPolicy" | "NoSuchBucket")
                        )
                    }) =>
                {
                    None
                }
                Err(error) => return Err(explain("S3 GetBucketPolicy", &place, &error)),
            }
        }
    };
    text.map(|text| {
        serde_json::from_str(&text).map_err(|error| {
            Failure::new(
                FailureKind::Garbage,
                format!("the policy of {place} is no JSON: {error}"),
            )
        })
    })
    .transpose()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn verdict(action: &str, denied: bool, explicit: bool, missing: &[&str]) -> Verdict {
        Verdict {
            action: action.to_owned(),
            denied: denied.then(|| "no policy of the role allows it".to_owned()),
            explicit,
            missing: missing.iter().map(|&key| key.to_owned()).collect(),
        }
    }

    #[test]
    fn what_makes_tables_is_no_need_and_either_policy_may_allow() {
        let role = "arn:aws:iam::123456789012:role/auth";
        let plan = crate::plan::sample::plan();
        let needs = needs(&plan, "123456789012");
        let policy = |effect: &str, more: Value| {
            let mut statement = json!({"Sid": "S", "Effect": effect, "Principal": {"AWS": role}, "Action": "*", "Resource": "*"});
            if !more.is_null() {
                statement["Condition"] = more;
            }
            json!({"Statement": [statement]})
        };
        let allow = policy("Allow", Value::Null);
        let deny = policy("Deny", Value::Null);
        let maybe = policy("Deny", json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}));
        // (verdict, policy, denied, unsure)
        let get = "dynamodb:GetItem";
        let cases = [
            (verdict(get, false, false, &[]), None, 0, 0),
            (verdict(get, true, false, &[]), None, 1, 0),
            (verdict(get, true, false, &[]), Some(&allow), 0, 0),
            (verdict(get, true, true, &[]), Some(&allow), 1, 0),
            (verdict(get, false, false, &[]), Some(&deny), 1, 0),
            (verdict(get, false, false, &[]), Some(&maybe), 0, 1),
            (verdict(get, true, false, &["aws:SourceVpce"]), None, 0, 1),
        ];
        for (verdict, policy, denied, unsure) in cases {
            let mut result = Simulated::default();
            weigh(&mut result, &needs[0], verdict, (policy, role, true));
            let got = (result.asked, result.denied.len(), result.unsure.len());
            assert_eq!(got, (1, denied, unsure), "{result:?}");
        }
        let mut result = Simulated::default();
        for denied in [true, false] {
            let made = verdict("dynamodb:CreateTable", denied, false, &[]);
            weigh(&mut result, &needs[0], made, (None, role, true));
        }
        assert_eq!(
            (result.asked, result.spared.len(), result.makes.len()),
            (0, 1, 1)
        );
    }
}
