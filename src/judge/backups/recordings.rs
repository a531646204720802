//! The session recordings: are they copied, and is the copy up to date?

use super::copies::{loss, loss_words};
use crate::{
    incident::{Fact, Health, Moment, Recordings, Replication, Side, StoredObject, Subject, brief},
    judge::{Sight, glance},
};

/// The bucket of the recovery region: versioned, and as new as the primary's. A quiet cluster records nothing, so that
/// an old recording alone is no sign of loss.
pub(super) fn bucket(seen: &Recordings, sight: &Sight<'_>) -> (Health, String) {
    let (health, words) = match seen.versioning.as_deref() {
        Ok("Enabled") => (Health::Ok, "versioned".to_owned()),
        Ok(_) => (Health::Degraded, "NOT versioned".to_owned()),
        Err(failure) => (
            Health::Unknown,
            format!("versioning unknown ({})", failure.kind.word()),
        ),
    };
    let (newest, told) = match &seen.newest {
        Ok(objects) => match objects.first() {
            Some(object) => up_to_date(object.modified, sight),
            None => (Health::Degraded, "no recording in it".to_owned()),
        },
        Err(failure) => (
            Health::Unknown,
            format!("not listed ({})", failure.kind.word()),
        ),
    };
    (health.max(newest), format!("{words}, {told}"))
}

/// How far the newest copy lies behind what was recorded, as far as that is known.
fn up_to_date(newest: Moment, sight: &Sight<'_>) -> (Health, String) {
    let rpo = sight.plan.objectives.rpo;
    let words = format!("newest seen {}", loss_words(newest, sight));
    let source = glance(&Subject::Recordings(Side::Primary), sight).known();
    let recorded = match source {
        Some((Fact::Recordings(primary), _)) => primary
            .newest
            .as_ref()
            .ok()
            .and_then(|objects| objects.first())
            .map(|object| object.modified),
        _ => None,
    };
    if let Some(recorded) = recorded.filter(|recorded| recorded.since(newest) > rpo) {
        let behind = brief(recorded.since(newest));
        return (
            Health::Degraded,
            format!("{words}, {behind} behind the primary's"),
        );
    }
    if loss(newest, None, sight) <= rpo {
        return (Health::Ok, words);
    }
    match recorded {
        Some(_) => (Health::Ok, format!("{words}, none newer in the primary")),
        None => (
            Health::Unknown,
            format!("{words}: over the RPO unless nothing was recorded since"),
        ),
    }
}

/// Whether the primary's bucket is copied to the recovery region's: by its rules, and by what the newest objects say.
pub(super) fn replication(seen: &Recordings, sight: &Sight<'_>) -> (Health, String) {
    let rules = match &seen.replication {
        Ok(rules) => rules,
        Err(failure) => {
            return (
                Health::Unknown,
                format!("rules unknown ({})", failure.kind.word()),
            );
        }
    };
    let Some(bucket) = &sight.plan.recovery.bucket else {
        let words = "the plan names no recordings_bucket in [recovery] to be copied to";
        return (Health::Unknown, words.to_owned());
    };
    let Some(rule) = choose(rules, bucket) else {
        let elsewhere = rules.iter().find(|rule| rule.enabled);
        let words = elsewhere.map_or_else(
            || "no enabled rule".to_owned(),
            |rule| {
                format!(
                    "no enabled rule copies to {bucket}: {} goes to {}",
                    rule.id, rule.destination
                )
            },
        );
        return (Health::Degraded, words);
    };
    let mut gaps = Vec::new();
    if !rule.kms {
        gaps.push("SSE-KMS objects are NOT copied, and Teleport writes no others".to_owned());
    }
    if !rule.delete_markers {
        gaps.push("delete markers are not copied".to_owned());
    }
    let mut unknown = Vec::new();
    match &seen.newest {
        Ok(objects) if objects.is_empty() => {
            unknown.push("no recording seen to tell by".to_owned());
        }
        Ok(objects) => weigh(objects, &mut gaps, &mut unknown),
        Err(failure) => unknown.push(format!("objects not listed ({})", failure.kind.word())),
    }
    let mut health = Health::Ok;
    if !gaps.is_empty() {
        health = Health::Degraded;
    }
    if !unknown.is_empty() {
        health = Health::Unknown;
    }
    gaps.extend(unknown);
    let what = match &rule.filter {
        None => format!("rule {}", rule.id),
        Some(filter) => format!("rule {} (only {filter})", rule.id),
    };
    if gaps.is_empty() {
        return (health, format!("{what} copies to {bucket}, newest copied"));
    }
    (health, format!("{what}: {}", gaps.join(", ")))
}

/// The enabled rule to that bucket that lacks least.
fn choose<'a>(rules: &'a [Replication], bucket: &str) -> Option<&'a Replication> {
    let name = format!(":::{bucket}");
    rules
        .iter()
        .filter(|rule| rule.enabled && rule.destination.ends_with(&name))
        .min_by_key(|rule| (!rule.kms, rule.filter.is_some(), !rule.delete_markers))
}

/// What the newest objects say of themselves. One without a status is covered by no rule.
fn weigh(objects: &[StoredObject], gaps: &mut Vec<String>, unknown: &mut Vec<String>) {
    let count = |status: &str| {
        objects
            .iter()
            .filter(|object| object.unread.is_none() && object.replication == status)
            .count()
    };
    for (status, words) in [
        ("FAILED", "of the newest FAILED"),
        ("PENDING", "of the newest PENDING"),
        ("", "of the newest NOT copied"),
    ] {
        let found = count(status);
        if found > 0 {
            gaps.push(format!("{found} {words}"));
        }
    }
    if let Some(failure) = objects.iter().find_map(|object| object.unread.as_ref()) {
        unknown.push(format!("status unknown ({})", failure.kind.word()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        incident::{Failure, FailureKind, Instruments, Observation},
        judge::backups::tests::plan,
    };

    const NOW: Moment = Moment::from_secs(1_795_000_000);

    fn failure() -> Failure {
        Failure::new(FailureKind::Forbidden, "ListBucket")
    }

    fn object(ago: u64, replication: &str) -> StoredObject {
        StoredObject {
            key: "a.tar".to_owned(),
            modified: NOW.minus(std::time::Duration::from_secs(ago)),
            replication: replication.to_owned(),
            unread: None,
        }
    }

    fn seen(newest: Result<Vec<StoredObject>, Failure>) -> Recordings {
        Recordings {
            read: None,
            bucket: "b".to_owned(),
            region: "us-east-1".to_owned(),
            versioning: Ok("Enabled".to_owned()),
            replication: Ok(Vec::new()),
            newest,
        }
    }

    fn told(
        judge: fn(&Recordings, &Sight<'_>) -> (Health, String),
        what: &Recordings,
        primary: Option<Recordings>,
    ) -> (Health, String) {
        let plan = plan();
        let mut instruments = Instruments::default();
        if let Some(primary) = primary {
            instruments.take(Observation {
                subject: Subject::Recordings(Side::Primary),
                at: NOW,
                took: std::time::Duration::ZERO,
                outcome: Ok(Fact::Recordings(primary.into())),
            });
        }
        let sight = Sight {
            instruments: &instruments,
            plan: &plan,
            now: NOW,
            outage: None,
            since: None,
        };
        judge(what, &sight)
    }

    #[test]
    fn a_bucket_is_not_green_by_absence() {
        use Health::{Degraded, Ok as Fine, Unknown};
        let minutes = |n: u64| Some(seen(Ok(vec![object(n * 60, "")])));
        let cases = [
            (Ok(vec![object(120, "REPLICA")]), None, Fine, "newest seen"),
            (Ok(Vec::new()), None, Degraded, "no recording in it"),
            (Err(failure()), None, Unknown, "not listed (forbidden)"),
            (Ok(vec![object(7200, "REPLICA")]), None, Unknown, "unless"),
            (
                Ok(vec![object(7200, "REPLICA")]),
                minutes(120),
                Fine,
                "none newer in the primary",
            ),
            (
                Ok(vec![object(7200, "REPLICA")]),
                minutes(5),
                Degraded,
                "1h55m behind the primary's",
            ),
        ];
        for (newest, primary, health, words) in cases {
            let said = told(bucket, &seen(newest), primary);
            assert_eq!(said.0, health, "{}", said.1);
            assert!(said.1.contains(words), "{} lacks {words}", said.1);
        }
    }

    #[test]
    fn copies_are_seen_and_not_assumed() {
        use Health::{Degraded, Ok as Fine, Unknown};
        let bucket = plan().recovery.bucket.expect("a bucket");
        let to = |bucket: &str| Replication {
            id: "dr".to_owned(),
            enabled: true,
            destination: format!("arn:aws:s3:::{bucket}"),
            kms: true,
            delete_markers: true,
            filter: None,
        };
        let off = Replication {
            enabled: false,
            ..to(&bucket)
        };
        let limited = Replication {
            filter: Some("prefix logs/".to_owned()),
            ..to(&bucket)
        };
        let copied = || Ok(vec![object(60, "COMPLETED"), object(90, "COMPLETED")]);
        let headless = StoredObject {
            unread: Some(failure()),
            ..object(60, "")
        };
        let (here, elsewhere) = (to(&bucket), to("somewhere-else"));
        let cases = [
            (vec![here.clone()], copied(), Fine, "newest copied"),
            (
                vec![here.clone()],
                Err(failure()),
                Unknown,
                "not listed (forbidden)",
            ),
            (
                vec![here.clone()],
                Ok(Vec::new()),
                Unknown,
                "no recording seen",
            ),
            (
                vec![here.clone()],
                Ok(vec![object(60, "COMPLETED"), object(90, "")]),
                Degraded,
                "1 of the newest NOT copied",
            ),
            (
                vec![here.clone()],
                Ok(vec![headless]),
                Unknown,
                "status unknown",
            ),
            (
                vec![elsewhere.clone()],
                copied(),
                Degraded,
                "goes to arn:aws:s3:::somewhere-else",
            ),
            (vec![elsewhere, here.clone()], copied(), Fine, "copies to"),
            (vec![off], copied(), Degraded, "no enabled rule"),
            (vec![limited.clone()], copied(), Fine, "only prefix logs/"),
            (vec![limited, here], copied(), Fine, "rule dr copies"),
        ];
        for (rules, newest, health, words) in cases {
            let what = Recordings {
                replication: Ok(rules),
                ..seen(newest)
            };
            let said = told(replication, &what, None);
            assert_eq!(said.0, health, "{}", said.1);
            assert!(said.1.contains(words), "{} lacks {words}", said.1);
        }
    }
}
