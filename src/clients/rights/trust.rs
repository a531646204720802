//! Whether a role may be taken by the recovery cluster's pods: its trust policy names the cluster's OIDC provider with
//! this service account, or EKS Pod Identity and an association exists.

use serde_json::Value;

use super::{
    needs::partition,
    policy::{Statement, matches, statements, words},
};
use crate::{
    clients::{
        aws::{Reach, explain},
        kube::{account::AUDIENCE, text::clean},
    },
    incident::{Failure, FailureKind, Part, rights::Trust},
};

/// The principal of EKS Pod Identity.
const PODS: &str = "pods.eks.amazonaws.com";

/// The trust policy of a role, by its ARN.
///
/// # Errors
/// If IAM does not answer, refuses, or there is no such role.
pub(super) async fn policy(reach: &Reach, arn: &str) -> Part<Value> {
    let name = arn.rsplit('/').next().unwrap_or(arn);
    let place = format!("role {name}");
    let said = reach.iam().await.get_role().role_name(name).send().await;
    let said = said.map_err(|error| explain("IAM GetRole", &place, &error))?;
    let found = said
        .role()
        .and_then(|role| role.assume_role_policy_document())
        .unwrap_or_default();
    serde_json::from_str(&unescape(found)).map_err(|error| {
        Failure::new(
            FailureKind::Garbage,
            format!("IAM GetRole of {place} gave a trust policy that is no JSON: {error}"),
        )
    })
}

/// Whether IAM knows the cluster's OIDC provider, with STS among its audiences; in words why not.
///
/// # Errors
/// If IAM does not answer or refuses.
pub(super) async fn provider(reach: &Reach, arn: &str) -> Part<Option<String>> {
    let said = reach
        .iam()
        .await
        .get_open_id_connect_provider()
        .open_id_connect_provider_arn(arn)
        .send()
        .await;
    match said {
        Ok(said) if said.client_id_list().iter().any(|id| id == AUDIENCE) => Ok(None),
        Ok(_) => Ok(Some(format!(
            "the OIDC provider {arn} does not list {AUDIENCE} as an audience: add it"
        ))),
        Err(error) => match explain("IAM GetOpenIDConnectProvider", arn, &error) {
            failure if failure.kind == FailureKind::NotFound => Ok(Some(format!(
                "IAM has no OIDC provider {arn}: create it for the recovery cluster (eksctl utils associate-iam-oidc-provider)"
            ))),
            failure => Err(failure),
        },
    }
}

/// The ARN of the provider of an issuer, in the account of a role.
pub(super) fn provider_arn(role: &str, issuer: &str, region: &str) -> String {
    let account = role.split(':').nth(4).unwrap_or_default();
    format!(
        "arn:{}:iam::{account}:oidc-provider/{}",
        partition(region),
        host(issuer)
    )
}

fn host(issuer: &str) -> &str {
    issuer.trim_start_matches("https://").trim_end_matches('/')
}

/// What a trust policy says of a service account's tokens by an issuer.
pub(super) fn by_token(
    policy: &Value,
    provider: &str,
    issuer: &str,
    account: &str,
    old_region: &str,
) -> Trust {
    let subject = format!("system:serviceaccount:{account}");
    let mut others = Vec::new();
    let mut reasons = Vec::new();
    for statement in statements(policy) {
        if statement.text("Effect") != Some("Allow")
            || !statement.covers("Action", "sts:AssumeRoleWithWebIdentity", false)
        {
            continue;
        }
        let named = statement.principals("Federated");
        if !named.iter().any(|one| *one == provider || *one == "*") {
            others.extend(named.into_iter().map(str::to_owned));
            continue;
        }
        match unfit(&statement, host(issuer), &subject) {
            None => {
                return Trust {
                    through: format!("the OIDC provider {}", host(issuer)),
                    refused: None,
                };
            }
            Some(why) => reasons.push(why),
        }
    }
    let why = match (reasons.first(), others.first()) {
        (Some(why), _) => why.clone(),
        (None, Some(other)) => {
            let other = clean(other, 200);
            let old = if other.contains(old_region) {
                format!(", a cluster of {old_region}")
            } else {
                String::new()
            };
            format!(
                "its trust policy names {other}{old}, not the recovery cluster's provider {provider}: add that to it"
            )
        }
        (None, None) => {
            format!("its trust policy lets no web identity take it: add the provider {provider}")
        }
    };
    Trust {
        through: format!("the OIDC provider {}", host(issuer)),
        refused: Some(why),
    }
}

/// Why a statement does not fit a token with this subject and STS as its audience.
fn unfit(statement: &Statement<'_>, issuer: &str, subject: &str) -> Option<String> {
    for (operator, keys) in statement.conditions().into_iter().flatten() {
        let alike = operator.eq_ignore_ascii_case("StringLike")
            || operator.eq_ignore_ascii_case("ForAnyValue:StringLike");
        let equal = operator.eq_ignore_ascii_case("StringEquals")
            || operator.eq_ignore_ascii_case("ForAnyValue:StringEquals");
        for (key, value) in keys.as_object().into_iter().flatten() {
            let wanted = match key.rsplit_once(':') {
                Some((of, "sub")) if of.eq_ignore_ascii_case(issuer) => subject,
                Some((of, "aud")) if of.eq_ignore_ascii_case(issuer) => AUDIENCE,
                _ => {
                    return Some(format!(
                        "its trust policy holds only under {operator} {}, which cannot be told here",
                        clean(key, 120)
                    ));
                }
            };
            let said = words(value);
            let fits = said
                .iter()
                .any(|one| (equal && *one == wanted) || (alike && matches(one, wanted)));
            if !fits {
                return Some(format!(
                    "its trust policy wants {} {operator} {}, and the pods' is {wanted}: add it",
                    clean(key, 120),
                    clean(&said.join(" or "), 200)
                ));
            }
        }
    }
    None
}

/// What a trust policy says of EKS Pod Identity.
pub(super) fn by_pod_identity(policy: &Value, association: &str) -> Trust {
    let allows = |action: &str| {
        statements(policy).iter().any(|statement| {
            statement.text("Effect") == Some("Allow")
                && statement.covers("Action", action, false)
                && statement.principals("Service").contains(&PODS)
        })
    };
    let lacking: Vec<&str> = ["sts:AssumeRole", "sts:TagSession"]
        .into_iter()
        .filter(|action| !allows(action))
        .collect();
    Trust {
        through: format!("Pod Identity association {association}"),
        refused: (!lacking.is_empty()).then(|| {
            format!(
                "its trust policy does not allow {PODS} {}: add it",
                lacking.join(" and ")
            )
        }),
    }
}

/// Undoes the URL encoding that IAM gives policies in (RFC 3986).
fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        plain.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ROLE: &str = "arn:aws:iam::111122223333:role/auth";
    const ISSUER: &str = "https://oidc.eks.us-west-2.amazonaws.com/id/NEW";

    fn trusting(provider: &str, condition: &Value) -> Value {
        json!({"Statement": {"Effect": "Allow", "Principal": {"Federated": provider},
            "Action": "sts:AssumeRoleWithWebIdentity", "Condition": condition}})
    }

    #[test]
    fn trust_is_in_the_new_clusters_provider_this_account_and_sts() {
        let provider = provider_arn(ROLE, ISSUER, "us-west-2");
        assert_eq!(
            provider,
            "arn:aws:iam::111122223333:oidc-provider/oidc.eks.us-west-2.amazonaws.com/id/NEW"
        );
        let old = provider
            .replace("us-west-2", "us-east-1")
            .replace("NEW", "OLD");
        let host = "oidc.eks.us-west-2.amazonaws.com/id/NEW";
        let sub = |value: &str| json!({"StringEquals": {format!("{host}:sub"): value, format!("{host}:aud"): "sts.amazonaws.com"}});
        let good = sub("system:serviceaccount:teleport:teleport-cluster");
        let cases = [
            (trusting(&provider, &good), None),
            (
                trusting(
                    &provider,
                    &json!({"StringLike": {format!("{host}:sub"): "system:serviceaccount:teleport:*"}}),
                ),
                None,
            ),
            (trusting(&old, &good), Some("a cluster of us-east-1")),
            (
                trusting(&provider, &sub("system:serviceaccount:teleport:other")),
                Some("the pods' is system:serviceaccount:teleport:teleport-cluster"),
            ),
            (
                trusting(
                    &provider,
                    &json!({"StringEquals": {format!("{host}:sub"): "system:serviceaccount:teleport:*"}}),
                ),
                Some("StringEquals"),
            ),
            (
                trusting(
                    &provider,
                    &json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
                ),
                Some("cannot be told here"),
            ),
            (json!({"Statement": []}), Some("no web identity")),
        ];
        for (policy, refused) in cases {
            let trust = by_token(
                &policy,
                &provider,
                ISSUER,
                "teleport:teleport-cluster",
                "us-east-1",
            );
            match refused {
                None => assert_eq!(trust.refused, None, "{policy}"),
                Some(words) => {
                    let why = trust.refused.expect("refused");
                    assert!(why.contains(words), "{why}");
                }
            }
        }
    }

    #[test]
    fn pod_identity_needs_both_actions() {
        let policy = |actions: Value| json!({"Statement": [{"Effect": "Allow", "Principal": {"Service": PODS}, "Action": actions}]});
        let both = by_pod_identity(&policy(json!(["sts:AssumeRole", "sts:TagSession"])), "a-1");
        assert_eq!(both.refused, None);
        let one = by_pod_identity(&policy(json!("sts:AssumeRole")), "a-1");
        assert!(one.refused.expect("refused").contains("sts:TagSession"));
    }

    #[test]
    fn policies_are_unescaped() {
        assert_eq!(
            unescape("%7B%22a%22%3A%20%22%C3%BC%22%7D%"),
            "{\"a\": \"ü\"}%"
        );
    }
}
