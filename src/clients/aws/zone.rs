//! Route 53: the hosted zone and the record sets of names.

mod owners;

use aws_sdk_route53::{
    Client,
    operation::get_hosted_zone::GetHostedZoneOutput,
    types::{HostedZone, ResourceRecordSet, RrType},
};
use futures::future::try_join_all;

use super::{Reach, explain};
use crate::{
    clients::kube::text::clean,
    incident::{Failure, FailureKind, RecordSet, Routed, Zone},
};

/// Record sets read of one name: A, AAAA, CNAME and what else may lie there.
const SETS: i32 = 20;

/// Reads the zone and the record sets of the names.
///
/// # Errors
/// If Route 53 cannot be asked or says no.
pub async fn fetch(reach: &Reach, id: &str, names: &[String]) -> Result<Zone, Failure> {
    let client = reach.route53().await;
    let zone = async {
        let said = client.get_hosted_zone().id(id).send().await;
        said.map_err(|error| explain("Route 53 GetHostedZone", &place(id), &error))
    };
    let sets = try_join_all(names.iter().map(|name| record_sets(&client, id, name)));
    let (zone, sets) = tokio::try_join!(zone, sets)?;
    let mut seen = interpret(&zone, id)?;
    seen.records = sets.iter().flatten().filter_map(record).collect();
    seen.routed = sets.iter().flatten().filter_map(routed).collect();
    // After the others: five requests a second are all that an account has.
    seen.owners = Some(owners::fetch(&client, id, names).await);
    Ok(seen)
}

/// Every record set of a name, as Route 53 has it: what is to be deleted must be named exactly.
///
/// # Errors
/// If Route 53 cannot be asked or says no.
pub async fn record_sets(
    client: &Client,
    id: &str,
    name: &str,
) -> Result<Vec<ResourceRecordSet>, Failure> {
    let said = client
        .list_resource_record_sets()
        .hosted_zone_id(id)
        .start_record_name(name)
        .max_items(SETS)
        .send()
        .await
        .map_err(|error| explain("Route 53 ListResourceRecordSets", &place(id), &error))?;
    let mut sets = said.resource_record_sets.clone();
    // The list begins at the name and goes on to others.
    sets.retain(|set| plain(set.name()) == name);
    Ok(sets)
}

/// Where the zone is asked, for sentences.
#[must_use]
pub fn place(id: &str) -> String {
    format!("zone {id} (control plane in us-east-1)")
}

fn interpret(said: &GetHostedZoneOutput, id: &str) -> Result<Zone, Failure> {
    let Some(zone) = said.hosted_zone() else {
        return Err(Failure::new(
            FailureKind::Garbage,
            format!("Route 53 GetHostedZone of {id} named no zone: check for a wrong endpoint"),
        ));
    };
    Ok(Zone {
        id: id.to_owned(),
        name: plain(zone.name()),
        private: zone
            .config()
            .is_some_and(aws_sdk_route53::types::HostedZoneConfig::private_zone),
        nameservers: said
            .delegation_set()
            .map(|set| set.name_servers().iter().map(|name| plain(name)).collect())
            .unwrap_or_default(),
        accelerated: accelerated(zone),
        ..Zone::default()
    })
}

/// Whether the control plane may fail over for a zone, in Route 53's own word.
#[must_use]
pub fn accelerated(zone: &HostedZone) -> Option<String> {
    let status = zone.features()?.accelerated_recovery_status()?;
    Some(clean(status.as_str(), 40))
}

/// The routing policy of a record set that an address can be read from; `None` without one.
#[must_use]
pub fn routed(set: &ResourceRecordSet) -> Option<Routed> {
    let identifier = set.set_identifier()?;
    let seen = record(set)?;
    Some(Routed {
        name: seen.name,
        set: clean(identifier, 128),
        failover: set.failover().map(|role| clean(role.as_str(), 20)),
        health_check: set.health_check_id().map(|id| clean(id, 64)),
        values: seen.values,
    })
}

/// A record set that an address can be read from; `None` for other types.
#[must_use]
pub fn record(set: &ResourceRecordSet) -> Option<RecordSet> {
    if !matches!(set.r#type(), RrType::A | RrType::Aaaa | RrType::Cname) {
        return None;
    }
    let alias = set.alias_target();
    let values = match alias {
        Some(alias) => vec![plain(alias.dns_name())],
        None => set
            .resource_records()
            .iter()
            .take(20)
            .map(|record| plain(record.value()))
            .collect(),
    };
    Some(RecordSet {
        name: plain(set.name()),
        kind: set.r#type().as_str().to_owned(),
        ttl: set.ttl(),
        values,
        alias_zone: alias.map(|alias| clean(alias.hosted_zone_id(), 40)),
    })
}

/// A name as Relight writes it: lower case, without the final dot, `\052` as `*` (Route 53 escapes it so).
#[must_use]
pub fn plain(name: &str) -> String {
    let name = clean(name, 300).to_ascii_lowercase();
    name.trim_end_matches('.').replace("\\052", "*")
}

#[cfg(test)]
mod tests {
    use aws_sdk_route53::types::{AliasTarget, ResourceRecord};

    use super::*;

    #[test]
    fn a_wildcard_is_read_as_a_star() {
        let set = ResourceRecordSet::builder()
            .name("\\052.Tele.example.com.")
            .r#type(RrType::Cname)
            .ttl(60)
            .resource_records(
                ResourceRecord::builder()
                    .value("LB.elb.example.")
                    .build()
                    .expect("a value"),
            )
            .build()
            .expect("a record set");
        let seen = record(&set).expect("a CNAME counts");
        assert_eq!(seen.name, "*.tele.example.com");
        assert_eq!(seen.values, ["lb.elb.example"]);
    }

    #[test]
    fn an_alias_shows_its_target_and_has_no_ttl_of_its_own() {
        let alias = AliasTarget::builder()
            .hosted_zone_id("Z26RNL4JYFTOTI")
            .dns_name("dualstack.old.elb.example.")
            .evaluate_target_health(false)
            .build()
            .expect("an alias");
        let set = ResourceRecordSet::builder()
            .name("tele.example.com.")
            .r#type(RrType::A)
            .alias_target(alias)
            .build()
            .expect("a record set");
        let seen = record(&set).expect("an A counts");
        assert_eq!(seen.alias_zone.as_deref(), Some("Z26RNL4JYFTOTI"));
        assert_eq!((seen.ttl, seen.values.len()), (None, 1));
    }
}
