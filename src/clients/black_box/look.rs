//! Every part of a black box, asked for at once and each by itself: what does not answer leaves the rest.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use futures::future::join_all;
use serde::Deserialize;

use crate::{
    clients::{
        agents,
        aws::{
            Aws, not_planned, tables,
            zone::{accelerated, place, plain, record, record_sets},
        },
        dns::Lookup,
        kube::{self, HelmRelease, Kube, Query, WireDeployment, raw, text::clean},
        web::Web,
    },
    incident::{
        Address, BlackBox, Deployment, Failure, FailureKind, LoadBalancer, Moment, Part, Sealed,
        Side, Table, TableRole,
        agents::{Headcount, Roll},
        black_box::{Kept, OldRecord, OldRecords, OldRole, Place},
    },
    plan::Plan,
};

/// How long one list of Kubernetes objects may take.
const PATIENCE: Duration = Duration::from_secs(8);
/// Most addresses of the old load balancer that are asked for their authorities.
const ADDRESSES: usize = 16;
/// Where the role of a service account's pods stands (IAM roles for service accounts).
const ROLE: &str = "eks.amazonaws.com/role-arn";

/// Looks at everything once. What could not be seen is taken from the box `before`, where there is one, and what that
/// lacks, from the plan. It takes as long as the slowest part, each of which has a limit of its own.
pub async fn look(plan: &Plan, host: &str, before: Option<Sealed>) -> Sealed {
    let at = Moment::now();
    let aws = Aws::new(plan);
    let (primary, recovery) = tokio::join!(
        Box::pin(kube::connect(&plan.primary.kube)),
        Box::pin(kube::connect(&plan.recovery.kube)),
    );
    let (objects, new, zone, state, audit, recovery_uid) = tokio::join!(
        Box::pin(objects(plan, &primary)),
        Box::pin(balancer(plan, &recovery)),
        Box::pin(records(plan, &aws)),
        Box::pin(table(plan, &aws, TableRole::State)),
        Box::pin(table(plan, &aws, TableRole::Audit)),
        Box::pin(uid(&recovery)),
    );
    let balancer = objects.balancer;
    let (pins, agents) = tokio::join!(
        Box::pin(pins(plan, balancer.as_ref().ok())),
        Box::pin(agents::before(plan, aws.side(Side::Primary))),
    );
    let (agents, roll) = counted(agents, at, &plan.primary.region);
    let context = |side: Side| {
        let context = plan.side(side).kube.context.as_deref();
        format!("context {}", context.unwrap_or("(not in the plan)"))
    };
    let old = context(Side::Primary);
    let zone_id = plan.dns.zone_id.as_deref().unwrap_or("(not in the plan)");
    let region = &plan.primary.region;
    let (release, values) = match objects.release {
        Ok(HelmRelease {
            release,
            secret,
            values,
        }) => {
            let source = format!("Secret {secret}, {old}");
            (
                Kept::new(source.clone(), at, Ok(release)),
                Kept::new(source, at, Ok(values)),
            )
        }
        Err(why) => (
            Kept::new(old.clone(), at, Err(why.clone())),
            Kept::new(old.clone(), at, Err(why)),
        ),
    };
    let records = zone.and_then(|records| still_old(records, new.ok().as_ref(), plan));
    let seen = BlackBox {
        cluster: plan.cluster.name.clone(),
        at,
        host: host.to_owned(),
        place: Place::Kept,
        path: String::new(),
        records: Kept::new(format!("Route 53, zone {zone_id}"), at, records),
        load_balancer: Kept::new(old.clone(), at, balancer),
        pins: Kept::new("/webapi/auth/export at the old load balancer", at, pins),
        release,
        deployments: Kept::new(old.clone(), at, objects.deployments),
        state_table: Kept::new(format!("DynamoDB in {region}"), at, state),
        audit_table: Kept::new(format!("DynamoDB in {region}"), at, audit),
        roles: Kept::new(old.clone(), at, objects.roles),
        primary_uid: Kept::new(old, at, objects.uid),
        recovery_uid: Kept::new(context(Side::Recovery), at, recovery_uid),
        agents: Some(agents),
        copied: None,
    };
    let sealed = Sealed {
        format: Sealed::FORMAT,
        seen,
        values,
        roll: Some(roll),
    };
    let sealed = match before {
        Some(before) => sealed.or(before),
        None => sealed,
    };
    planned(plan, at, sealed)
}

/// How many agents there were and who, told with where host names come from.
fn counted(
    agents: Part<(Headcount, Roll, Part<()>)>,
    at: Moment,
    region: &str,
) -> (Kept<Headcount>, Kept<Roll>) {
    let table = format!("heartbeats, DynamoDB in {region}");
    match agents {
        Ok((counts, roll, names)) => {
            let source = match names {
                Ok(()) => format!("{table}; host names by tctl"),
                Err(why) => format!("{table}; without host names: {why}"),
            };
            (
                Kept::new(source.clone(), at, Ok(counts)),
                Kept::new(source, at, Ok(roll)),
            )
        }
        Err(why) => (
            Kept::new(table.clone(), at, Err(why.clone())),
            Kept::new(table, at, Err(why)),
        ),
    }
}

/// What nobody has told, the plan may say.
fn planned(plan: &Plan, at: Moment, mut sealed: Sealed) -> Sealed {
    let seen = &mut sealed.seen;
    let listed = [&plan.primary.load_balancer, &plan.dns.old];
    if let (Err(why), Some(listed)) = (
        seen.load_balancer.value.clone(),
        listed.into_iter().find(|listed| !listed.is_empty()),
    ) {
        let balancer = LoadBalancer {
            source: "the plan".to_owned(),
            addresses: listed.clone(),
        };
        seen.load_balancer = Kept::new("the plan", at, Ok(balancer));
        seen.load_balancer.lapsed = Some(why);
    }
    if let Err(why) = seen.pins.value.clone()
        && !plan.cluster.ca_pins.is_empty()
    {
        let mut pins = plan.cluster.ca_pins.clone();
        pins.sort();
        seen.pins = Kept::new("ca_pins of the plan", at, Ok(pins));
        seen.pins.lapsed = Some(why);
    }
    sealed
}

/// What the primary's Kubernetes API tells.
struct Objects {
    release: Part<HelmRelease>,
    deployments: Part<Vec<Deployment>>,
    roles: Part<Vec<OldRole>>,
    balancer: Part<LoadBalancer>,
    uid: Part<String>,
}

async fn objects(plan: &Plan, kube: &Result<Kube, Failure>) -> Objects {
    let (namespace, name) = (&plan.cluster.namespace, &plan.cluster.release);
    let kube = match kube {
        Ok(kube) => kube,
        Err(why) => {
            return Objects {
                release: Err(why.clone()),
                deployments: Err(why.clone()),
                roles: Err(why.clone()),
                balancer: Err(why.clone()),
                uid: Err(why.clone()),
            };
        }
    };
    let connected = Ok(kube.clone());
    let query = Query::deployments(namespace, name);
    let (release, deployments, roles, balancer, uid) = tokio::join!(
        Box::pin(kube::release(kube, namespace, name)),
        Box::pin(kube::list::<WireDeployment>(kube, &query, PATIENCE)),
        Box::pin(roles(kube, namespace, name)),
        Box::pin(old_balancer(plan, kube)),
        Box::pin(uid(&connected)),
    );
    let deployments = deployments.and_then(|list| {
        let found: Vec<_> = list.items.iter().map(WireDeployment::read).collect();
        // An empty list is a fact of a cluster that is stopped, and no "as before".
        if found.is_empty() {
            Err(Failure::new(
                FailureKind::NotFound,
                format!("{} has no Deployment of release {name}", kube.place),
            ))
        } else {
            Ok(found)
        }
    });
    Objects {
        release,
        deployments,
        roles,
        balancer,
        uid,
    }
}

#[derive(Deserialize)]
struct Accounts {
    #[serde(default)]
    items: Vec<Account>,
}

#[derive(Deserialize)]
struct Account {
    metadata: AccountMeta,
}

#[derive(Deserialize)]
struct AccountMeta {
    name: String,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

async fn roles(kube: &Kube, namespace: &str, release: &str) -> Part<Vec<OldRole>> {
    let label = raw::encode(&format!("app.kubernetes.io/instance={release}"));
    let path = format!(
        "/api/v1/namespaces/{}/serviceaccounts?limit=100&labelSelector={label}",
        raw::encode(namespace)
    );
    let accounts: Accounts = raw::read(kube, "list serviceaccounts", &path, PATIENCE).await?;
    if accounts.items.is_empty() {
        return Err(Failure::new(
            FailureKind::NotFound,
            format!("{} has no ServiceAccount of release {release}", kube.place),
        ));
    }
    let role = |account: &Account| {
        let arn = account.metadata.annotations.get(ROLE)?;
        Some(OldRole {
            account: clean(&account.metadata.name, 253),
            arn: clean(arn, 300),
        })
    };
    Ok(accounts.items.iter().filter_map(role).collect())
}

async fn uid(kube: &Result<Kube, Failure>) -> Part<String> {
    let kube = kube.as_ref().map_err(Clone::clone)?;
    kube::identity(kube, PATIENCE).await?.ok_or_else(|| {
        Failure::new(
            FailureKind::Garbage,
            format!("{} names no UID of kube-system", kube.place),
        )
    })
}

async fn balancer(plan: &Plan, kube: &Result<Kube, Failure>) -> Part<LoadBalancer> {
    let kube = kube.as_ref().map_err(Clone::clone)?;
    old_balancer(plan, kube).await
}

async fn old_balancer(plan: &Plan, kube: &Kube) -> Part<LoadBalancer> {
    let (namespace, release) = (&plan.cluster.namespace, &plan.cluster.release);
    let found = kube::load_balancer(kube, namespace, release).await?;
    found.ok_or_else(|| {
        Failure::new(
            FailureKind::NotFound,
            format!(
                "{} has no load balancer with an address for release {release}",
                kube.place
            ),
        )
    })
}

async fn table(plan: &Plan, aws: &Aws, role: TableRole) -> Part<Table> {
    let Some(name) = plan.primary.table(role) else {
        let key = format!("{role}_table to [primary]");
        return Err(not_planned(&format!("{role} table"), &key));
    };
    let reach = aws.side(Side::Primary);
    let asked = tables::Asked {
        name,
        role,
        cluster: &plan.cluster.name,
    };
    tables::fetch(
        reach,
        &asked,
        &mut tables::Measured::default(),
        Moment::now(),
    )
    .await
}

async fn records(plan: &Plan, aws: &Aws) -> Part<OldRecords> {
    let Some(id) = plan.dns.zone_id.as_deref() else {
        return Err(not_planned("hosted zone", "zone_id to [dns]"));
    };
    let client = aws.zone().route53().await;
    let zone = client.get_hosted_zone().id(id).send().await;
    let zone = zone.map_err(|error| {
        crate::clients::aws::explain("Route 53 GetHostedZone", &place(id), &error)
    })?;
    let accelerated = zone.hosted_zone().and_then(accelerated);
    let apex = zone.hosted_zone().map(|zone| plain(zone.name()));
    let mut sets = Vec::new();
    for name in &plan.dns.names {
        for set in record_sets(&client, id, name).await? {
            let Some(seen) = record(&set) else {
                continue;
            };
            sets.push(OldRecord {
                set: seen,
                evaluate: set
                    .alias_target()
                    .is_some_and(aws_sdk_route53::types::AliasTarget::evaluate_target_health),
                routed: set.set_identifier().map(|id| clean(id, 128)),
            });
        }
    }
    Ok(OldRecords {
        zone: id.to_owned(),
        apex: apex.unwrap_or_default(),
        names: plan.dns.names.clone(),
        sets,
        accelerated,
    })
}

/// Records that lead to the recovery region are not those of before: a box that is kept after a switch must not take
/// them for the old ones.
fn still_old(
    records: OldRecords,
    new: Option<&LoadBalancer>,
    plan: &Plan,
) -> Result<OldRecords, Failure> {
    let bare = |text: &str| {
        let text = text.trim_end_matches('.').to_ascii_lowercase();
        text.strip_prefix("dualstack.").unwrap_or(&text).to_owned()
    };
    let of_new: Vec<String> = plan
        .dns
        .new
        .iter()
        .chain(&plan.recovery.load_balancer)
        .chain(new.into_iter().flat_map(|balancer| &balancer.addresses))
        .map(|end| bare(end))
        .collect();
    let moved = records.sets.iter().find(|old| {
        let mut values = old.set.values.iter();
        values.any(|value| of_new.contains(&bare(value)))
    });
    match moved {
        None => Ok(records),
        Some(moved) => Err(Failure::new(
            FailureKind::Other,
            format!(
                "{} leads to the recovery region already ({}), so the zone no longer has the records of before",
                moved.set.name,
                moved.set.values.join(", ")
            ),
        )),
    }
}

/// The pins of the host authorities, at every address of the old load balancer that is this cluster beyond doubt.
async fn pins(plan: &Plan, balancer: Option<&LoadBalancer>) -> Part<Vec<String>> {
    let mut hosts: Vec<String> = plan
        .primary
        .load_balancer
        .iter()
        .chain(&plan.dns.old)
        .chain(balancer.into_iter().flat_map(|found| &found.addresses))
        .cloned()
        .collect();
    hosts.sort();
    hosts.dedup();
    let seen = doors(plan, &hosts).await?;
    let mut why = None;
    for (address, pins) in &seen {
        match pins {
            Ok(pins) if !pins.is_empty() => {
                let mut pins = pins.clone();
                pins.sort();
                pins.dedup();
                return Ok(pins);
            }
            Ok(_) => {}
            Err(failure) => {
                why.get_or_insert(Failure::new(
                    failure.kind,
                    format!("{}: {}", address.ip, failure.detail),
                ));
            }
        }
    }
    Err(why.unwrap_or_else(|| {
        Failure::new(
            FailureKind::NotPlanned,
            "no address of the old load balancer is known: declare [primary] load_balancer, or let the primary's \
             Kubernetes API answer",
        )
    }))
}

/// Every address of some hosts, as what it answers, and its pins where it is this cluster with a trusted certificate.
///
/// # Errors
/// If no host could be looked up.
pub async fn doors(
    plan: &Plan,
    hosts: &[String],
) -> Result<Vec<(Address, Part<Vec<String>>)>, Failure> {
    let owned = plan.clone();
    let tools = tokio::task::spawn_blocking(move || (Web::load(&owned), Lookup::new(&owned))).await;
    let (web, lookup) = tools.map_err(|_| {
        Failure::new(
            FailureKind::Other,
            "TLS could not be set up: a defect in Relight",
        )
    })?;
    let lookup = &lookup;
    let looked = join_all(hosts.iter().map(|host| async move {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![address]);
        }
        let lookup = lookup.as_ref().map_err(Clone::clone)?;
        Ok(lookup.lookup(host).await?.addresses)
    }))
    .await;
    let mut failed = None;
    let mut addresses: Vec<IpAddr> = Vec::new();
    for found in looked {
        match found {
            Ok(found) => addresses.extend(found),
            Err(why) => failed = Some(why),
        }
    }
    addresses.sort_unstable();
    addresses.dedup();
    addresses.truncate(ADDRESSES);
    if let (true, Some(why)) = (addresses.is_empty(), failed) {
        return Err(why);
    }
    let web = &web;
    let visits = addresses.iter().map(|ip| async move {
        let address = web.visit(*ip).await;
        let pins = ours(plan, &address);
        let pins = match pins {
            Ok(()) => web.pins(*ip, true).await,
            Err(why) => Err(why),
        };
        (address, pins)
    });
    Ok(join_all(visits).await)
}

/// Whether an address is this cluster beyond doubt: name and trusted certificate.
fn ours(plan: &Plan, address: &Address) -> Result<(), Failure> {
    let ping = address.ping.as_ref().map_err(Clone::clone)?;
    let tls = address.tls.as_ref().map_err(Clone::clone)?;
    let name = ping.cluster_name.as_deref().unwrap_or_default();
    if !name.eq_ignore_ascii_case(&plan.cluster.name) {
        return Err(Failure::new(
            FailureKind::Other,
            format!("it answers as {name:?}, which is another cluster"),
        ));
    }
    match &tls.problem {
        None => Ok(()),
        Some(problem) => Err(Failure::new(
            FailureKind::Tls,
            format!("its certificate is {problem}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        incident::black_box::sample::{sealed, silence},
        plan::sample::plan,
    };

    #[test]
    fn records_that_have_been_switched_are_not_taken_for_the_old_ones() {
        let records = sealed(Moment::from_secs(1)).seen.records;
        let records = records.good().expect("records").clone();
        let mut plan = plan();
        assert!(still_old(records.clone(), None, &plan).is_ok());
        let new = LoadBalancer {
            source: "Service".to_owned(),
            addresses: vec!["OLD.elb.example.".to_owned()],
        };
        let told = still_old(records.clone(), Some(&new), &plan).expect_err("switched");
        assert!(
            told.detail.contains("leads to the recovery region"),
            "{told}"
        );
        plan.dns.new = vec!["dualstack.old.elb.example".to_owned()];
        assert!(still_old(records, None, &plan).is_err());
    }

    #[test]
    fn the_plan_speaks_only_where_nobody_else_does() {
        let at = Moment::from_secs(9);
        let mut plan = plan();
        plan.cluster.ca_pins = vec!["sha256:00".to_owned()];
        plan.primary.load_balancer = vec!["planned.example".to_owned()];
        let whole = sealed(Moment::from_secs(1));
        assert_eq!(planned(&plan, at, whole.clone()), whole);
        let mut silent = whole;
        silent.seen.pins.value = Err(silence());
        silent.seen.load_balancer.value = Err(silence());
        let told = planned(&plan, at, silent).seen;
        assert_eq!(told.pins.good(), Some(&plan.cluster.ca_pins));
        assert_eq!(told.pins.lapsed, Some(silence()));
        let balancer = told.load_balancer.good().expect("planned");
        assert_eq!(balancer.addresses, ["planned.example"]);
    }
}
