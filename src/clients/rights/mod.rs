//! What the chart's pods may do at AWS in the recovery region: which role they get, who may take it, what it grants.
//!
//! The best evidence is a session of their own (`session`); before the chart is installed its service account may not
//! exist, and then IAM's simulation is what there is (`simulate`). The trust policy is read in any case (`trust`).

mod needs;
mod policy;
mod session;
mod simulate;
mod trust;

use crate::{
    clients::{
        aws::{Reach, explain},
        kube::{self, Kube, account},
    },
    incident::{
        Component, Failure, FailureKind, Part, Rights, Values,
        rights::{Grant, GrantedBy, RoleRights, Simulated, Trust},
    },
    plan::Plan,
};

/// Looks at the rights of both kinds of pods. What could not be told is told as such, part by part.
pub async fn look(plan: &Plan, values: &Part<Values>, kube: &Part<Kube>, reach: &Reach) -> Rights {
    // On the heap: the SDK's futures are large.
    let auth = Box::pin(of(plan, values, kube, reach, Component::Auth)).await;
    let proxy = Box::pin(of(plan, values, kube, reach, Component::Proxy)).await;
    Rights {
        region: plan.recovery.region.clone(),
        auth,
        proxy,
    }
}

async fn of(
    plan: &Plan,
    values: &Part<Values>,
    kube: &Part<Kube>,
    reach: &Reach,
    component: Component,
) -> RoleRights {
    let release = &plan.cluster.release;
    let name = match component {
        Component::Proxy => format!("{release}-proxy"),
        _ => release.clone(),
    };
    let granted = grant(plan, values, reach, component, &name).await;
    let none = |why: &str| Failure::new(FailureKind::NotPlanned, why.to_owned());
    let mut rights = RoleRights {
        component,
        account: format!("{}:{name}", plan.cluster.namespace),
        role: granted.clone().map(|(grant, _)| grant),
        trust: Err(none("there is no role to look at")),
        session: Err(none("there is no role to take")),
        simulated: Err(none("there is no role to simulate")),
    };
    let Ok((grant, association)) = granted else {
        return rights;
    };
    let Some(role) = grant.arn.clone() else {
        return rights;
    };
    // The proxies need nothing at AWS: a role that they only inherit is not looked into.
    if component == Component::Proxy && rights.own_role().is_none() {
        return rights;
    }
    rights.trust = trust_of(
        plan,
        kube,
        reach,
        &role,
        (&grant, association),
        &rights.account,
    )
    .await;
    if component == Component::Proxy {
        let why = "what the proxies' own role grants is not Teleport's to say";
        (rights.session, rights.simulated) = (Err(none(why)), Err(none(why)));
        return rights;
    }
    rights.session = match (kube, grant.by) {
        (_, GrantedBy::PodIdentity | GrantedBy::Plan | GrantedBy::Node) => Err(none(
            "a role that is not taken by a token cannot be tried from here",
        )),
        (Err(failure), _) => Err(failure.clone()),
        (Ok(kube), _) => match account::token(kube, &plan.cluster.namespace, &name).await {
            Ok(token) => session::act(plan, reach, &role, &token).await,
            Err(failure) if failure.kind == FailureKind::NotFound => Err(Failure::new(
                FailureKind::NotFound,
                format!(
                    "ServiceAccount {} does not exist before the chart is installed, so the role cannot be tried yet",
                    rights.account
                ),
            )),
            Err(failure) => Err(failure),
        },
    };
    rights.simulated = simulated(plan, reach, &role).await;
    rights
}

async fn simulated(plan: &Plan, reach: &Reach, role: &str) -> Part<Simulated> {
    let own = role.split(':').nth(4).unwrap_or_default();
    let account = plan.recovery.account.as_deref().unwrap_or(own);
    simulate::simulate(plan, reach, role, account).await
}

/// The role of the pods, in the order in which the AWS SDK in them looks: web identity, Pod Identity, node. With an
/// association, its id too.
async fn grant(
    plan: &Plan,
    values: &Part<Values>,
    reach: &Reach,
    component: Component,
    account: &str,
) -> Part<(Grant, Option<String>)> {
    let values = values.as_ref().map_err(Clone::clone)?;
    if let Some(arn) = values.role(component) {
        let common = component == Component::Proxy && !values.proxies_have_their_own_role();
        let grant = Grant {
            arn: Some(arn.to_owned()),
            by: if common {
                GrantedBy::CommonAnnotation
            } else {
                GrantedBy::Annotation
            },
        };
        return Ok((grant, None));
    }
    let planned = match component {
        Component::Proxy => &plan.recovery.proxy_role,
        _ => &plan.recovery.auth_role,
    };
    let associated = match kube::eks_cluster(&plan.recovery.kube) {
        Some(cluster) => association(plan, reach, &cluster, account).await,
        None => Ok(None),
    };
    match (associated, planned) {
        (Ok(Some((id, arn))), _) => {
            let by = GrantedBy::PodIdentity;
            Ok((Grant { arn: Some(arn), by }, Some(id)))
        }
        (_, Some(arn)) => {
            let by = GrantedBy::Plan;
            let arn = Some(arn.clone());
            Ok((Grant { arn, by }, None))
        }
        (Ok(None), None) => {
            let by = GrantedBy::Node;
            Ok((Grant { arn: None, by }, None))
        }
        (Err(failure), None) => Err(failure),
    }
}

/// The Pod Identity association of a service account: its id and its role.
async fn association(
    plan: &Plan,
    reach: &Reach,
    cluster: &str,
    account: &str,
) -> Part<Option<(String, String)>> {
    let client = reach.eks().await;
    let place = format!("cluster {cluster} in {}", reach.region());
    let said = client
        .list_pod_identity_associations()
        .cluster_name(cluster)
        .namespace(&plan.cluster.namespace)
        .service_account(account)
        .send()
        .await
        .map_err(|error| explain("EKS ListPodIdentityAssociations", &place, &error))?;
    let Some(id) = said
        .associations()
        .first()
        .and_then(|found| found.association_id())
    else {
        return Ok(None);
    };
    let said = client
        .describe_pod_identity_association()
        .cluster_name(cluster)
        .association_id(id)
        .send()
        .await
        .map_err(|error| explain("EKS DescribePodIdentityAssociation", &place, &error))?;
    let role = said
        .association()
        .and_then(|found| found.role_arn())
        .ok_or_else(|| {
            Failure::new(
                FailureKind::Garbage,
                format!("EKS gave association {id} of {place} without a role"),
            )
        })?;
    Ok(Some((
        kube::text::clean(id, 120),
        kube::text::clean(role, 2048),
    )))
}

async fn trust_of(
    plan: &Plan,
    kube: &Part<Kube>,
    reach: &Reach,
    role: &str,
    (grant, association): (&Grant, Option<String>),
    account: &str,
) -> Part<Trust> {
    match grant.by {
        GrantedBy::Node | GrantedBy::Plan => Err(Failure::new(
            FailureKind::NotPlanned,
            "a node's role is taken by the node: its instance profile says so, not a trust in this cluster",
        )),
        GrantedBy::PodIdentity => {
            let policy = trust::policy(reach, role).await?;
            Ok(trust::by_pod_identity(
                &policy,
                &association.unwrap_or_default(),
            ))
        }
        GrantedBy::Annotation | GrantedBy::CommonAnnotation => {
            let issuer = issuer(plan, kube, reach).await?;
            let policy = trust::policy(reach, role).await?;
            let provider = trust::provider_arn(role, &issuer, &plan.recovery.region);
            let mut trust =
                trust::by_token(&policy, &provider, &issuer, account, &plan.primary.region);
            if trust.refused.is_none() {
                trust.refused = trust::provider(reach, &provider).await?;
            }
            Ok(trust)
        }
    }
}

/// Who issues the cluster's tokens: by its API server, else by EKS.
async fn issuer(plan: &Plan, kube: &Part<Kube>, reach: &Reach) -> Part<String> {
    let failure = match kube {
        Ok(kube) => match account::issuer(kube).await {
            Ok(issuer) => return Ok(issuer),
            Err(failure) => failure,
        },
        Err(failure) => failure.clone(),
    };
    let Some(cluster) = kube::eks_cluster(&plan.recovery.kube) else {
        return Err(failure);
    };
    let place = format!("{cluster} in {}", reach.region());
    let said = reach
        .eks()
        .await
        .describe_cluster()
        .name(&cluster)
        .send()
        .await
        .map_err(|error| explain("EKS DescribeCluster", &place, &error))?;
    said.cluster()
        .and_then(|found| found.identity()?.oidc()?.issuer())
        .map(|issuer| kube::text::clean(issuer, 512))
        .ok_or(failure)
}
