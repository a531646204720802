//! Records as they are and a target → the edits of one batch.

use std::{fmt, net::IpAddr};

use aws_sdk_route53::{
    error::BuildError,
    types::{AliasTarget, Change, ChangeAction, ResourceRecord, ResourceRecordSet, RrType},
};

use super::target::Target;
use crate::{
    clients::aws::zone::plain,
    incident::{
        RecordSet,
        black_box::{OldRecord, OldRecords},
    },
    step::StepError,
};

/// One edit.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Edit {
    pub action: ChangeAction,
    pub set: ResourceRecordSet,
}

impl Edit {
    pub fn change(&self) -> Result<Change, StepError> {
        Change::builder()
            .action(self.action.clone())
            .resource_record_set(self.set.clone())
            .build()
            .map_err(|error| broken(&error))
    }
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = &self.set;
        write!(
            f,
            "{} {} {}",
            self.action.as_str(),
            plain(set.name()),
            set.r#type().as_str()
        )?;
        if let Some(alias) = set.alias_target() {
            return write!(f, " alias {}", plain(alias.dns_name()));
        }
        let values: Vec<_> = set
            .resource_records()
            .iter()
            .map(|r| plain(r.value()))
            .collect();
        write!(
            f,
            " {} ttl {}",
            values.join(", "),
            set.ttl().unwrap_or_default()
        )
    }
}

/// A record set of a reading, as Route 53 lists it. Health evaluation and routing are not in a reading: they are in no
/// line that is shown, and the batch itself is made from what Route 53 lists then.
pub(super) fn as_listed(record: &RecordSet) -> Result<ResourceRecordSet, StepError> {
    let kind = RrType::from(record.kind.as_str());
    let made = if let Some(zone) = &record.alias_zone {
        let alias = AliasTarget::builder()
            .hosted_zone_id(zone)
            .dns_name(record.values.first().map_or("", String::as_str))
            .evaluate_target_health(false)
            .build()
            .map_err(|error| broken(&error))?;
        ResourceRecordSet::builder()
            .name(&record.name)
            .r#type(kind)
            .alias_target(alias)
            .build()
    } else {
        let ttl = u32::try_from(record.ttl.unwrap_or_default()).unwrap_or(u32::MAX);
        return set(&record.name, kind, &record.values, ttl);
    };
    made.map_err(|error| broken(&error))
}

/// The edits that make every name point to the target. Types that would be in the way are deleted exactly as they are
/// in the same batch, so that there is no moment without a record.
pub(super) fn edits(
    before: &[ResourceRecordSet],
    names: &[String],
    target: &Target,
    ttl: u32,
    apex: &str,
) -> Result<Vec<Edit>, StepError> {
    let mut edits = Vec::new();
    for name in names {
        let have: Vec<_> = before
            .iter()
            .filter(|set| &plain(set.name()) == name)
            .filter(|set| matches!(set.r#type(), RrType::A | RrType::Aaaa | RrType::Cname))
            .collect();
        if let Some(routed) = have.iter().find(|set| set.set_identifier().is_some()) {
            return Err(StepError(format!(
                "{name} {} has a routing policy (record {:?}): a plain record beside it is refused. Switch it where its policy is kept, such as a health check, a weight or a routing control (\"Route by ARC\"), and skip this step",
                routed.r#type().as_str(),
                plain(routed.set_identifier().unwrap_or_default()),
            )));
        }
        let wanted = wanted(name, target, ttl, apex)?;
        for set in &have {
            if !wanted.iter().any(|new| new.r#type() == set.r#type()) {
                edits.push(Edit {
                    action: ChangeAction::Delete,
                    set: (*set).clone(),
                });
            }
        }
        edits.extend(wanted.into_iter().map(|set| {
            let replaces = have.is_empty() || have.iter().any(|old| old.r#type() == set.r#type());
            Edit {
                action: if replaces {
                    ChangeAction::Upsert
                } else {
                    ChangeAction::Create
                },
                set,
            }
        }));
    }
    Ok(edits)
}

/// The edits that make every name say again what the black box has: what is in the way is deleted exactly as it is, in
/// the same batch. Nothing where a name says so already.
pub(super) fn back(now: &[ResourceRecordSet], old: &OldRecords) -> Result<Vec<Edit>, StepError> {
    let mut edits = Vec::new();
    for name in &old.names {
        let have: Vec<_> = now
            .iter()
            .filter(|set| &plain(set.name()) == name)
            .filter(|set| matches!(set.r#type(), RrType::A | RrType::Aaaa | RrType::Cname))
            .collect();
        let was: Vec<_> = old
            .sets
            .iter()
            .filter(|old| &old.set.name == name)
            .collect();
        let routed = have.iter().any(|set| set.set_identifier().is_some())
            || was.iter().any(|old| old.routed.is_some());
        if routed {
            return Err(StepError(format!(
                "{name} has or had a routing policy, which one record set does not tell: put it back where its policy is kept, such as a health check or a weight"
            )));
        }
        let was = was
            .into_iter()
            .map(as_before)
            .collect::<Result<Vec<_>, _>>()?;
        for set in &have {
            if !was.iter().any(|old| old.r#type() == set.r#type()) {
                edits.push(Edit {
                    action: ChangeAction::Delete,
                    set: (*set).clone(),
                });
            }
        }
        for set in was {
            let there = have.iter().find(|now| now.r#type() == set.r#type());
            if there.is_some_and(|now| same(now, &set)) {
                continue;
            }
            let replaces = have.is_empty() || there.is_some();
            edits.push(Edit {
                action: if replaces {
                    ChangeAction::Upsert
                } else {
                    ChangeAction::Create
                },
                set,
            });
        }
    }
    Ok(edits)
}

/// A record set exactly as it was.
fn as_before(old: &OldRecord) -> Result<ResourceRecordSet, StepError> {
    let mut set = as_listed(&old.set)?;
    if let Some(alias) = set.alias_target.as_mut() {
        alias.evaluate_target_health = old.evaluate;
    }
    Ok(set)
}

/// Whether two record sets of one name and type say the same: the order of values means nothing. Of an alias the health
/// evaluation is not compared, since a reading does not tell it.
fn same(a: &ResourceRecordSet, b: &ResourceRecordSet) -> bool {
    let values = |set: &ResourceRecordSet| {
        let records = set.resource_records().iter();
        let mut values: Vec<_> = records.map(|record| plain(record.value())).collect();
        values.sort();
        let alias = set.alias_target();
        let alias = alias.map(|to| (to.hosted_zone_id().to_owned(), plain(to.dns_name())));
        (values, alias)
    };
    a.ttl() == b.ttl() && values(a) == values(b)
}

fn wanted(
    name: &str,
    target: &Target,
    ttl: u32,
    apex: &str,
) -> Result<Vec<ResourceRecordSet>, StepError> {
    match target {
        Target::Host(host) if name == plain(apex) => Err(StepError(format!(
            "{name} is the apex of the zone and cannot be a CNAME to {host}: make it an alias of the load balancer in the Route 53 console (A, alias, {host}), or set new in [dns] to its addresses"
        ))),
        Target::Host(host) => Ok(vec![set(
            name,
            RrType::Cname,
            std::slice::from_ref(host),
            ttl,
        )?]),
        Target::Addresses(addresses) => {
            let of = |v4: bool| -> Vec<String> {
                addresses
                    .iter()
                    .filter(|address: &&IpAddr| address.is_ipv4() == v4)
                    .map(ToString::to_string)
                    .collect()
            };
            let mut sets = Vec::new();
            for (kind, values) in [(RrType::A, of(true)), (RrType::Aaaa, of(false))] {
                if !values.is_empty() {
                    sets.push(set(name, kind, &values, ttl)?);
                }
            }
            Ok(sets)
        }
    }
}

fn set(
    name: &str,
    kind: RrType,
    values: &[String],
    ttl: u32,
) -> Result<ResourceRecordSet, StepError> {
    let records = values
        .iter()
        .map(|value| ResourceRecord::builder().value(value).build())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| broken(&error))?;
    ResourceRecordSet::builder()
        .name(name)
        .r#type(kind)
        .ttl(ttl.into())
        .set_resource_records(Some(records))
        .build()
        .map_err(|error| broken(&error))
}

fn broken(error: &BuildError) -> StepError {
    StepError(format!(
        "a record could not be made: {error}. This is a defect in Relight"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "tele.example.com";

    fn old(kind: RrType, value: &str) -> ResourceRecordSet {
        set(&format!("{NAME}."), kind, &[value.to_owned()], 300).expect("a set")
    }

    fn lines(before: &[ResourceRecordSet], target: &Target) -> Vec<String> {
        edits(before, &[NAME.to_owned()], target, 60, "example.com.")
            .expect("edits")
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn the_kind_stays_where_it_can_and_changes_within_the_batch_where_it_must() {
        let host = Target::Host("new.elb.example".to_owned());
        let address = Target::Addresses(vec![[192, 0, 2, 7].into()]);
        let cname = old(RrType::Cname, "old.elb.example");
        let a = old(RrType::A, "192.0.2.1");
        let v6 = old(RrType::Aaaa, "2001:db8::1");
        let to_host = "CNAME new.elb.example ttl 60";
        let to_address = "A 192.0.2.7 ttl 60";
        let cases: [(Vec<ResourceRecordSet>, &Target, Vec<String>); 6] = [
            (vec![], &host, vec![format!("UPSERT {NAME} {to_host}")]),
            (
                vec![cname.clone()],
                &host,
                vec![format!("UPSERT {NAME} {to_host}")],
            ),
            (
                vec![a.clone()],
                &address,
                vec![format!("UPSERT {NAME} {to_address}")],
            ),
            (
                vec![a.clone()],
                &host,
                vec![
                    format!("DELETE {NAME} A 192.0.2.1 ttl 300"),
                    format!("CREATE {NAME} {to_host}"),
                ],
            ),
            (
                vec![cname],
                &address,
                vec![
                    format!("DELETE {NAME} CNAME old.elb.example ttl 300"),
                    format!("CREATE {NAME} {to_address}"),
                ],
            ),
            // An old IPv6 address would go on leading to the failed region.
            (
                vec![a, v6],
                &address,
                vec![
                    format!("DELETE {NAME} AAAA 2001:db8::1 ttl 300"),
                    format!("UPSERT {NAME} {to_address}"),
                ],
            ),
        ];
        for (before, target, wanted) in cases {
            assert_eq!(lines(&before, target), wanted);
        }
    }

    #[test]
    fn an_alias_is_deleted_exactly_as_it_is() {
        let alias = AliasTarget::builder()
            .hosted_zone_id("Z26RNL4JYFTOTI")
            .dns_name("dualstack.old.elb.example.")
            .evaluate_target_health(true)
            .build()
            .expect("an alias");
        let old = ResourceRecordSet::builder()
            .name(format!("{NAME}."))
            .r#type(RrType::A)
            .alias_target(alias)
            .build()
            .expect("a set");
        let host = Target::Host("new.elb.example".to_owned());
        let made = edits(
            std::slice::from_ref(&old),
            &[NAME.to_owned()],
            &host,
            60,
            "example.com.",
        )
        .expect("edits");
        assert_eq!(
            (&made[0].action, &made[0].set),
            (&ChangeAction::Delete, &old)
        );
        assert_eq!(made[1].action, ChangeAction::Create);
    }

    /// A record set as a black box has it.
    fn boxed(set: &ResourceRecordSet) -> OldRecord {
        OldRecord {
            set: crate::clients::aws::zone::record(set).expect("an address"),
            evaluate: set
                .alias_target()
                .is_some_and(AliasTarget::evaluate_target_health),
            routed: None,
        }
    }

    #[test]
    fn the_way_back_makes_exactly_what_was() {
        let cname = |value: &str| old(RrType::Cname, value);
        let a = old(RrType::A, "192.0.2.1");
        let v6 = old(RrType::Aaaa, "2001:db8::1");
        let cases: [(Vec<ResourceRecordSet>, Vec<ResourceRecordSet>, Vec<String>); 5] = [
            (
                vec![cname("old.elb.example")],
                vec![cname("old.elb.example")],
                vec![],
            ),
            (
                vec![cname("old.elb.example")],
                vec![cname("new.elb.example")],
                vec![format!("UPSERT {NAME} CNAME old.elb.example ttl 300")],
            ),
            // The type changed with the switch: deleted exactly as it is, made again in the same batch.
            (
                vec![a.clone(), v6],
                vec![cname("new.elb.example")],
                vec![
                    format!("DELETE {NAME} CNAME new.elb.example ttl 300"),
                    format!("CREATE {NAME} A 192.0.2.1 ttl 300"),
                    format!("CREATE {NAME} AAAA 2001:db8::1 ttl 300"),
                ],
            ),
            (
                vec![a],
                vec![],
                vec![format!("UPSERT {NAME} A 192.0.2.1 ttl 300")],
            ),
            // A name that had no record has none again.
            (
                vec![],
                vec![cname("new.elb.example")],
                vec![format!("DELETE {NAME} CNAME new.elb.example ttl 300")],
            ),
        ];
        for (was, now, wanted) in cases {
            let old = OldRecords {
                zone: "Z1".to_owned(),
                apex: "example.com".to_owned(),
                names: vec![NAME.to_owned()],
                sets: was.iter().map(boxed).collect(),
                accelerated: None,
            };
            let edits = back(&now, &old).expect("edits");
            let lines: Vec<String> = edits.iter().map(ToString::to_string).collect();
            assert_eq!(lines, wanted);
        }
    }

    #[test]
    fn an_alias_comes_back_with_its_health_evaluation_and_a_routed_record_is_refused() {
        let alias = AliasTarget::builder()
            .hosted_zone_id("Z26RNL4JYFTOTI")
            .dns_name("dualstack.old.elb.example.")
            .evaluate_target_health(true)
            .build()
            .expect("an alias");
        let was = ResourceRecordSet::builder()
            .name(format!("{NAME}."))
            .r#type(RrType::A)
            .alias_target(alias)
            .build()
            .expect("a set");
        let mut old = OldRecords {
            zone: "Z1".to_owned(),
            apex: "example.com".to_owned(),
            names: vec![NAME.to_owned()],
            sets: vec![boxed(&was)],
            accelerated: None,
        };
        let edits = back(&[], &old).expect("edits");
        let made = edits[0].set.alias_target().expect("an alias");
        assert!(made.evaluate_target_health());
        assert_eq!(made.hosted_zone_id(), "Z26RNL4JYFTOTI");
        old.sets[0].routed = Some("primary".to_owned());
        let told = back(&[], &old).expect_err("routed");
        assert!(told.0.contains("routing policy"), "{told}");
    }

    #[test]
    fn what_cannot_be_done_says_what_to_do() {
        let host = Target::Host("new.elb.example".to_owned());
        let apex = ["example.com".to_owned()];
        let error = edits(&[], &apex, &host, 60, "example.com.").expect_err("apex");
        assert!(
            error.0.contains("apex") && error.0.contains("alias"),
            "{error}"
        );
        let routed = ResourceRecordSet::builder()
            .name(format!("{NAME}."))
            .r#type(RrType::A)
            .set_identifier("primary")
            .build()
            .expect("a set");
        let error =
            edits(&[routed], &[NAME.to_owned()], &host, 60, "example.com.").expect_err("routed");
        assert!(error.0.contains("routing policy"), "{error}");
    }
}
