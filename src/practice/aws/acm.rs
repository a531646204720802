//! AWS Certificate Manager: certificates that were asked for. One is issued once its record is in the zone.

use serde_json::{Value, json};

use super::{answer::Answer, ask::Ask, dynamodb::seconds};
use crate::{
    incident::{Moment, Side},
    practice::world::{Requested, World},
};

pub(super) fn list(_ask: &Ask, side: Side, world: &mut World) -> Answer {
    let now = Moment::now();
    let all: Vec<Value> = world
        .side(side)
        .certificates
        .iter()
        .map(|one| {
            json!({"CertificateArn": one.arn, "DomainName": one.names[0], "Status": status(world, one, now)})
        })
        .collect();
    Answer::json(&json!({"CertificateSummaryList": all}))
}

pub(super) fn describe(ask: &Ask, side: Side, world: &mut World) -> Answer {
    let now = Moment::now();
    let wanted = ask.value();
    let found = world
        .side(side)
        .certificates
        .iter()
        .find(|one| wanted["CertificateArn"] == *one.arn);
    let Some(one) = found else {
        let said = "Could not find the certificate";
        return Answer::error(ask, 400, "ResourceNotFoundException", said);
    };
    let status = status(world, one, now);
    let issued = status == "ISSUED";
    let [name, value] = one.record();
    let validation: Vec<Value> = one
        .names
        .iter()
        .map(|domain| {
            json!({"DomainName": domain, "ValidationDomain": domain, "ValidationMethod": "DNS",
                "ValidationStatus": if issued { "SUCCESS" } else { "PENDING_VALIDATION" },
                "ResourceRecord": {"Name": name, "Type": "CNAME", "Value": value}})
        })
        .collect();
    let mut said = json!({"CertificateArn": one.arn, "DomainName": one.names[0], "SubjectAlternativeNames": one.names,
        "Status": status, "Type": "AMAZON_ISSUED", "CreatedAt": seconds(one.at), "DomainValidationOptions": validation});
    if issued {
        said["NotAfter"] = seconds(one.at.plus(std::time::Duration::from_hours(395 * 24)));
    }
    Answer::json(&json!({"Certificate": said}))
}

pub(super) fn request(ask: &Ask, side: Side, world: &mut World) -> Answer {
    let body = ask.value();
    let Some(domain) = body["DomainName"].as_str().map(str::to_owned) else {
        return Answer::error(ask, 400, "ValidationException", "DomainName is missing");
    };
    let token = body["IdempotencyToken"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let region = world.side_mut(side);
    let before = region
        .certificates
        .iter()
        .find(|one| !token.is_empty() && one.token == token);
    if let Some(one) = before {
        return Answer::json(&json!({"CertificateArn": one.arn}));
    }
    let others = body["SubjectAlternativeNames"].as_array();
    let others = others.into_iter().flatten().filter_map(Value::as_str);
    let mut names = vec![domain];
    names.extend(others.map(str::to_owned));
    let arn = format!(
        "arn:aws:acm:{}:{}:certificate/0b1ec0de-0000-4000-8000-{:012x}",
        region.name,
        region.account,
        region.certificates.len() + 1
    );
    let said = json!({"CertificateArn": arn});
    region.certificates.push(Requested {
        arn,
        names,
        at: Moment::now(),
        token,
    });
    Answer::json(&said)
}

fn status(world: &World, one: &Requested, now: Moment) -> &'static str {
    let [name, value] = one.record();
    let same = |a: &str, b: &str| a.trim_end_matches('.') == b.trim_end_matches('.');
    let proven =
        world.zone.published(now).iter().any(|set| {
            same(&set.name, &name) && set.values.iter().any(|found| same(found, &value))
        });
    if proven {
        "ISSUED"
    } else {
        "PENDING_VALIDATION"
    }
}
