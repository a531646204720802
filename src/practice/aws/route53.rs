//! Amazon Route 53: the one hosted zone. Both faces give the same, as there is one control plane for the world.

use std::fmt::Write as _;

use super::{answer::Answer, ask::Ask, xml};
use crate::{
    incident::{Moment, RecordSet, Side},
    practice::world::{Change, Verb, World},
};

const SPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

pub(super) fn get_hosted_zone(ask: &Ask, _side: Side, world: &mut World) -> Answer {
    with_zone(ask, world, |world| {
        let zone = &world.zone;
        let mut servers = String::new();
        for name in &zone.nameservers {
            let _ = write!(servers, "<NameServer>{}</NameServer>", xml::escape(name));
        }
        Answer::xml(&format!(
            "<GetHostedZoneResponse xmlns=\"{SPACE}\"><HostedZone><Id>/hostedzone/{}</Id><Name>{}.</Name><CallerReference>practice</CallerReference><Config><PrivateZone>false</PrivateZone></Config><ResourceRecordSetCount>{}</ResourceRecordSetCount></HostedZone><DelegationSet><NameServers>{servers}</NameServers></DelegationSet></GetHostedZoneResponse>",
            zone.id,
            zone.name,
            zone.records().len()
        ))
    })
}

/// Records from a name on, in the order of names with their labels reversed, as Route 53 lists them.
pub(super) fn list_records(ask: &Ask, _side: Side, world: &mut World) -> Answer {
    with_zone(ask, world, |world| {
        let from = order(&plain(ask.param("name").unwrap_or_default()));
        let most = ask
            .param("maxitems")
            .and_then(|text| text.parse().ok())
            .unwrap_or(100);
        let mut sets: Vec<_> = world
            .zone
            .records()
            .iter()
            .map(|set| {
                let mut standby = world.zone.standby().iter();
                let paired = standby.any(|other| other.name == set.name && other.kind == set.kind);
                (set, paired.then_some("PRIMARY"))
            })
            .chain(
                world
                    .zone
                    .standby()
                    .iter()
                    .map(|set| (set, Some("SECONDARY"))),
            )
            .filter(|(set, _)| order(&set.name) >= from)
            .collect();
        sets.sort_by_key(|(set, role)| (order(&set.name), set.kind.clone(), *role));
        let more = sets.len() > most;
        let sets = sets.iter().take(most);
        let listed: String = sets.map(|(set, role)| record(set, *role)).collect();
        Answer::xml(&format!(
            "<ListResourceRecordSetsResponse xmlns=\"{SPACE}\"><ResourceRecordSets>{listed}</ResourceRecordSets><IsTruncated>{more}</IsTruncated><MaxItems>{most}</MaxItems></ListResourceRecordSetsResponse>"
        ))
    })
}

pub(super) fn change_records(ask: &Ask, _side: Side, world: &mut World) -> Answer {
    with_zone(ask, world, |world| {
        let batch: Option<Vec<_>> = xml::all(&ask.body, "Change")
            .into_iter()
            .map(change)
            .collect();
        let Some(batch) = batch.filter(|batch| !batch.is_empty()) else {
            return Answer::error(
                ask,
                400,
                "InvalidInput",
                "Invalid XML ; no change in the batch",
            );
        };
        let comment = xml::text(&ask.body, "Comment").unwrap_or_default();
        match world.zone.change(&batch, &comment, Moment::now()) {
            Ok(change) => status("ChangeResourceRecordSetsResponse", &change),
            Err(wrong) => {
                let said = format!("[{}]", wrong.join(", "));
                Answer::error(ask, 400, "InvalidChangeBatch", &said)
            }
        }
    })
}

pub(super) fn get_change(ask: &Ask, _side: Side, world: &mut World) -> Answer {
    let id = ask.path.get(2).map(String::as_str).unwrap_or_default();
    let Some(change) = world.zone.find_change(id) else {
        let said = format!("A change could not be found with id: {id}");
        return Answer::error(ask, 404, "NoSuchChange", &said);
    };
    status("GetChangeResponse", change)
}

fn status(response: &str, change: &Change) -> Answer {
    let word = if Moment::now() >= change.effective {
        "INSYNC"
    } else {
        "PENDING"
    };
    Answer::xml(&format!(
        "<{response} xmlns=\"{SPACE}\"><ChangeInfo><Id>/change/{}</Id><Status>{word}</Status><SubmittedAt>{}</SubmittedAt><Comment>{}</Comment></ChangeInfo></{response}>",
        change.id,
        change.submitted,
        xml::escape(&change.comment)
    ))
}

fn with_zone(ask: &Ask, world: &mut World, answer: impl FnOnce(&mut World) -> Answer) -> Answer {
    let id = ask.path.get(2).map(String::as_str).unwrap_or_default();
    if id == world.zone.id {
        answer(world)
    } else {
        let said = format!("No hosted zone found with ID: {id}");
        Answer::error(ask, 404, "NoSuchHostedZone", &said)
    }
}

/// A record set; of a failover pair with its role, which hangs on a health check of that name.
fn record(set: &RecordSet, role: Option<&str>) -> String {
    let mut said = format!(
        "<ResourceRecordSet><Name>{}.</Name><Type>{}</Type>",
        xml::escape(&set.name).replace('*', "\\052"),
        set.kind
    );
    if let Some(role) = role {
        let _ = write!(
            said,
            "<SetIdentifier>{0}</SetIdentifier><Failover>{role}</Failover>",
            role.to_ascii_lowercase()
        );
    }
    if let (Some(zone), Some(target)) = (&set.alias_zone, set.values.first()) {
        let _ = write!(
            said,
            "<AliasTarget><HostedZoneId>{zone}</HostedZoneId><DNSName>{}.</DNSName><EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget>",
            xml::escape(target)
        );
    } else {
        let _ = write!(
            said,
            "<TTL>{}</TTL><ResourceRecords>",
            set.ttl.unwrap_or(300)
        );
        for value in &set.values {
            let _ = write!(
                said,
                "<ResourceRecord><Value>{}</Value></ResourceRecord>",
                xml::escape(value)
            );
        }
        said.push_str("</ResourceRecords>");
    }
    if let Some(role) = role {
        let _ = write!(
            said,
            "<HealthCheckId>practice-{}</HealthCheckId>",
            role.to_ascii_lowercase()
        );
    }
    said.push_str("</ResourceRecordSet>");
    said
}

fn change(said: &str) -> Option<(Verb, RecordSet)> {
    let verb = match xml::text(said, "Action")?.as_str() {
        "CREATE" => Verb::Create,
        "DELETE" => Verb::Delete,
        "UPSERT" => Verb::Upsert,
        _ => return None,
    };
    let alias = xml::all(said, "AliasTarget").first().copied();
    let values = match alias {
        Some(alias) => vec![plain(&xml::text(alias, "DNSName")?)],
        None => xml::all(said, "ResourceRecord")
            .into_iter()
            .filter_map(|record| xml::text(record, "Value"))
            .map(|value| plain(&value))
            .collect(),
    };
    let set = RecordSet {
        name: plain(&xml::text(said, "Name")?),
        kind: xml::text(said, "Type")?,
        ttl: xml::text(said, "TTL").and_then(|text| text.parse().ok()),
        values,
        alias_zone: alias.and_then(|alias| xml::text(alias, "HostedZoneId")),
    };
    Some((verb, set))
}

fn plain(name: &str) -> String {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name.replace("\\052", "*")
}

/// A name with its labels reversed: the order of a zone (RFC 4034 section 6.1); `*` sorts before letters.
fn order(name: &str) -> String {
    let labels: Vec<_> = name.rsplit('.').collect();
    labels.join("\u{1}")
}
