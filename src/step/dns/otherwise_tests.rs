use super::*;
use crate::{
    incident::{RecordSet, Routed, black_box::OldRecord},
    plan::{ArcPlan, sample},
};

const NOW: Moment = Moment::from_secs(10_000);
const THEN: Moment = Moment::from_secs(10_000 - 720);

fn text(plan: &Plan, zone: Option<&Zone>, kept: Option<&OldRecords>) -> Vec<String> {
    order(
        plan,
        zone.map(|zone| (THEN, zone)),
        kept.map(|kept| (THEN, kept)),
        Some("new.elb.example"),
        NOW,
    )
}

#[test]
fn the_order_is_kept_and_what_is_not_known_is_called_that() {
    let lines = text(&sample::plan(), None, None);
    let first: Vec<&str> = lines.iter().map(|line| &line[..2]).collect();
    assert_eq!(first, ["1.", "2.", "3.", "4.", "5.", "6."]);
    for (line, words) in lines.iter().zip([
        "not known here, the records were never read",
        "not in the plan ([dns.arc])",
        "none is known here",
        "not known here; where it is",
        "registrar",
        "an address of new.elb.example",
    ]) {
        assert!(line.contains(words), "{line}");
    }
}

#[test]
fn what_the_zone_and_the_plan_told_before_stands_beside_it() {
    let mut plan = sample::plan();
    plan.dns.arc = Some(ArcPlan {
        endpoints: [("eu-west-1".to_owned(), "https://e.example".to_owned())].into(),
        ..ArcPlan::default()
    });
    let zone = Zone {
        routed: vec![Routed {
            name: "tele.example.com".to_owned(),
            set: "east".to_owned(),
            failover: Some("PRIMARY".to_owned()),
            health_check: Some("hc-1".to_owned()),
            values: vec!["old.elb.example".to_owned()],
        }],
        accelerated: Some("ENABLED".to_owned()),
        ..Zone::default()
    };
    let lines = text(&plan, Some(&zone), None);
    for (line, words) in lines.iter().zip([
        "as read 12m ago, tele.example.com PRIMARY \"east\" to old.elb.example, health check hc-1",
        "in the plan, with 1 endpoints: run \"Route by ARC\"",
        "the records hang on hc-1",
        "is ENABLED for the zone, as read 12m ago",
    ]) {
        assert!(line.contains(words), "{line}");
    }
    let bare = text(&plan, Some(&Zone::default()), None);
    assert!(bare[0].contains("there are none, as read 12m"), "{bare:?}");
    assert!(bare[3].contains("is not enabled for the zone"), "{bare:?}");
}

#[test]
fn a_black_box_tells_where_the_zone_was_never_read() {
    let old = OldRecords {
        zone: "Z1".to_owned(),
        apex: "example.com".to_owned(),
        names: Vec::new(),
        accelerated: Some("DISABLED".to_owned()),
        sets: vec![OldRecord {
            set: RecordSet {
                name: "tele.example.com".to_owned(),
                kind: "A".to_owned(),
                ttl: Some(60),
                values: Vec::new(),
                alias_zone: None,
            },
            evaluate: false,
            routed: Some("east".to_owned()),
        }],
    };
    let lines = text(&sample::plan(), None, Some(&old));
    assert!(
        lines[0].contains("tele.example.com \"east\" with a routing policy"),
        "{lines:?}"
    );
    assert!(lines[3].contains("is DISABLED"), "{lines:?}");
}
