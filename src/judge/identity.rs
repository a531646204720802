//! Who we are at AWS, whether that is who the plan wants, and until when.

use std::time::Duration;

use super::{Assessment, Glance, Sight, glance};
use crate::incident::{Fact, Finding, Health, Identity, Side, Subject, brief};

/// Credentials that end sooner than this are said to: the longest step takes half an hour.
const SOON: Duration = Duration::from_mins(30);

/// The credentials of a side belong to the planned account.
#[must_use]
pub fn account(side: Side, sight: &Sight<'_>) -> Finding {
    let subject = Subject::Identity(side);
    let Some(planned) = &sight.plan.side(side).account else {
        return Finding::unknown(format!(
            "the plan names no account for the {side} region: add account to [{side}]"
        ));
    };
    match glance(&subject, sight) {
        Glance::Fresh(Fact::Identity(seen), _) if &seen.account == planned => Finding::pass(
            format!(
                "{} in {} is account {planned}",
                short(&seen.arn),
                seen.region
            ),
            vec![subject],
        ),
        Glance::Fresh(Fact::Identity(seen), _) => {
            Finding::fail(wrong(seen, planned), vec![subject])
        }
        Glance::Fresh(..) => Finding::unknown("the reading is of another kind"),
        Glance::Stale(_, age) => Finding::unknown(format!(
            "the {side} credentials were last seen {} ago",
            brief(age)
        )),
        Glance::Failed(failure, _) => Finding::unknown(failure.to_string()),
        Glance::Never => Finding::unknown(format!("the {side} credentials were not looked at yet")),
    }
}

/// Why this is the wrong account, by the last look that told: a later look that failed does not make it the right one.
#[must_use]
pub fn misplaced(side: Side, sight: &Sight<'_>) -> Option<String> {
    let planned = sight.plan.side(side).account.as_ref()?;
    match sight
        .instruments
        .get(&Subject::Identity(side))?
        .good
        .as_ref()
    {
        Some((_, Fact::Identity(seen))) if seen.account != *planned => Some(wrong(seen, planned)),
        _ => None,
    }
}

/// Who we are on a side, in a few words.
#[must_use]
pub fn assessment(side: Side, sight: &Sight<'_>) -> Assessment {
    let (seen, age, stale) = match glance(&Subject::Identity(side), sight) {
        Glance::Fresh(Fact::Identity(seen), age) => (seen, age, None),
        Glance::Stale(Fact::Identity(seen), age) => (seen, age, Some("stale".to_owned())),
        Glance::Failed(failure, Some((Fact::Identity(seen), age))) => {
            (seen, age, Some(failure.kind.word().to_owned()))
        }
        Glance::Failed(failure, _) => {
            return Assessment::new(Health::Unknown, failure.to_string(), None);
        }
        _ => return Assessment::new(Health::Unknown, "not looked at yet", None),
    };
    let planned = sight.plan.side(side).account.as_deref();
    let mut health = Health::Ok;
    let mut words = match planned {
        Some(planned) if planned != seen.account => {
            health = Health::Down;
            wrong(seen, planned)
        }
        _ => format!("{} in account {}", short(&seen.arn), seen.account),
    };
    if planned.is_none() {
        health = Health::Unknown;
        words.push_str(", which the plan does not name");
    }
    if let Some(expires) = seen.expires.filter(|_| !seen.renews) {
        let left = expires.since(sight.now);
        if left.is_zero() {
            health = Health::Down;
            words.push_str(", credentials EXPIRED: renew them");
        } else {
            words = format!("{words}, credentials end in {}", brief(left));
            if left < SOON {
                health = health.max(Health::Degraded);
            }
        }
    }
    if let Some(why) = stale {
        health = health.max(Health::Unknown);
        words = format!("{words} ({why})");
    }
    Assessment::new(health, words, Some(age))
}

/// The credentials of a side end before something that takes so long would be done, as far as anybody knows. Credentials of
/// which no end is known, and those that renew themselves, are no reason to wait. UNKNOWN and no FAIL: what is begun is not
/// undone by their end, and a step may be done sooner than it ever was.
#[must_use]
pub fn outlived(side: Side, takes: Duration, sight: &Sight<'_>) -> Option<Finding> {
    let reading = sight.instruments.get(&Subject::Identity(side))?;
    let Some((_, Fact::Identity(seen))) = &reading.good else {
        return None;
    };
    let left = seen.expires.filter(|_| !seen.renews)?.since(sight.now);
    (left < takes).then(|| {
        Finding::unknown(format!(
            "the {side} credentials ({}) end in {}, and this takes up to {} here: renew them first (L, or in another \
             terminal), they are read again by themselves",
            short(&seen.arn),
            brief(left),
            brief(takes)
        ))
    })
}

fn wrong(seen: &Identity, planned: &str) -> String {
    format!(
        "WRONG ACCOUNT: {} in {} is account {}, the plan says {planned}: use other credentials or correct the plan",
        short(&seen.arn),
        seen.region,
        seen.account
    )
}

/// `assumed-role/dr-operator/alice` of an ARN: the account is said beside it.
fn short(arn: &str) -> &str {
    arn.splitn(6, ':').nth(5).unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::{Failure, FailureKind, Instruments, Moment, Observation, Outcome};
    use crate::plan::Plan;

    const NOW: i64 = 100_000;

    fn plan() -> Plan {
        crate::judge::backups::tests::plan()
    }

    fn seen(outcome: Result<Identity, Failure>, at: i64) -> Instruments {
        let mut instruments = Instruments::default();
        instruments.take(Observation {
            subject: Subject::Identity(Side::Recovery),
            at: Moment::from_secs(at),
            took: Duration::from_millis(5),
            outcome: outcome.map(Fact::Identity),
        });
        instruments
    }

    fn identity(account: &str, expires: Option<i64>) -> Identity {
        Identity {
            arn: format!("arn:aws:sts::{account}:assumed-role/dr/alice"),
            account: account.to_owned(),
            region: "us-west-2".to_owned(),
            expires: expires.map(Moment::from_secs),
            renews: false,
        }
    }

    #[test]
    fn accounts_are_judged_by_fresh_readings_only() {
        let plan = plan();
        let timeout = Failure::new(FailureKind::Timeout, "no answer");
        let cases = [
            (Ok(identity("111122223333", None)), NOW, Outcome::Pass),
            (Ok(identity("999999999999", None)), NOW, Outcome::Fail),
            (
                Ok(identity("111122223333", None)),
                NOW - 4000,
                Outcome::Unknown,
            ),
            (Err(timeout), NOW, Outcome::Unknown),
        ];
        for (outcome, at, wanted) in cases {
            let instruments = seen(outcome, at);
            let sight = Sight {
                instruments: &instruments,
                plan: &plan,
                now: Moment::from_secs(NOW),
                since: None,
                outage: None,
            };
            let finding = account(Side::Recovery, &sight);
            assert_eq!(finding.outcome, wanted, "{}", finding.sentence);
        }
    }

    #[test]
    fn the_words_say_wrong_account_and_expiry() {
        let plan = plan();
        let cases = [
            (
                identity("111122223333", None),
                Health::Ok,
                "assumed-role/dr/alice in account 111122223333",
            ),
            (
                identity("111122223333", Some(NOW + 7200)),
                Health::Ok,
                "credentials end in 2h00m",
            ),
            (
                identity("111122223333", Some(NOW + 60)),
                Health::Degraded,
                "credentials end in 1m00s",
            ),
            (
                identity("111122223333", Some(NOW - 1)),
                Health::Down,
                "EXPIRED",
            ),
            (
                identity("999999999999", None),
                Health::Down,
                "WRONG ACCOUNT",
            ),
        ];
        for (who, health, words) in cases {
            let instruments = seen(Ok(who), NOW);
            let sight = Sight {
                instruments: &instruments,
                plan: &plan,
                now: Moment::from_secs(NOW),
                since: None,
                outage: None,
            };
            let said = assessment(Side::Recovery, &sight);
            assert_eq!(said.health, health, "{}", said.sentence);
            assert!(said.sentence.contains(words), "{}", said.sentence);
        }
    }

    #[test]
    fn credentials_that_end_too_soon_are_told_and_what_is_not_known_is_no_reason() {
        let plan = plan();
        let takes = Duration::from_mins(20);
        let cases = [
            (
                Some(NOW + 540),
                false,
                Some("end in 9m00s, and this takes up to 20m"),
            ),
            (Some(NOW - 10), false, Some("end in 0s")),
            (Some(NOW + 540), true, None),
            (Some(NOW + 1200), false, None),
            (None, false, None),
        ];
        for (expires, renews, words) in cases {
            let who = Identity {
                renews,
                ..identity("111122223333", expires)
            };
            let instruments = seen(Ok(who), NOW);
            let sight = Sight {
                instruments: &instruments,
                plan: &plan,
                now: Moment::from_secs(NOW),
                since: None,
                outage: None,
            };
            let finding = outlived(Side::Recovery, takes, &sight);
            let said = finding.as_ref().map(|finding| finding.sentence.as_str());
            assert_eq!(
                said.is_some(),
                words.is_some(),
                "{expires:?} {renews}: {said:?}"
            );
            if let (Some(said), Some(words)) = (said, words) {
                assert!(said.contains(words), "{said}");
            }
            assert!(finding.is_none_or(|finding| finding.outcome == Outcome::Unknown));
        }
    }
}
