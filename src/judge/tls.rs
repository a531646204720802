//! Whether the recovery cluster's proxies will have a certificate that clients trust.

use std::time::Duration;

use super::{Glance, Sight, glance};
use crate::incident::{
    Certificate, Fact, Failure, FailureKind, Finding, Moment, Subject, Tls, brief,
    tls::{Acm, Issuer, Way, lacking},
};

/// A certificate that ends sooner than this is said to.
const SOON: Duration = Duration::from_hours(14 * 24);

/// Every way to a certificate that the recovery values name is ready; at least one is named.
#[must_use]
pub fn ready(sight: &Sight<'_>) -> Finding {
    let tls = match seen(sight) {
        Ok(tls) => tls,
        Err(unknown) => return unknown,
    };
    let evidence = vec![Subject::Tls];
    let mut good = Vec::new();
    let mut unclear = None;
    for way in &tls.ways {
        match judge(way, tls, sight) {
            Ok(words) => good.push(words),
            Err(Some(why)) => return Finding::fail(why, evidence),
            Err(None) => unclear = unclear.or(Some(unknown(way, sight))),
        }
    }
    match unclear {
        Some(why) => Finding::unknown(why),
        None if good.is_empty() => Finding::fail(nothing(tls), evidence),
        None => Finding::pass(good.join("; "), evidence),
    }
}

/// ACM has a certificate for the names that is issued, or says by which record it is validated.
#[must_use]
pub fn requested(sight: &Sight<'_>) -> Finding {
    let tls = match seen(sight) {
        Ok(tls) => tls,
        Err(unknown) => return unknown,
    };
    let evidence = vec![Subject::Tls];
    let known = match &tls.known {
        Ok(known) => known,
        Err(failure) => return Finding::unknown(failure.to_string()),
    };
    match known.first() {
        Some(acm) if acm.issued() => {
            Finding::pass(format!("{} is issued in {}", acm.arn, tls.region), evidence)
        }
        Some(acm) if acm.status == "PENDING_VALIDATION" => match record(acm) {
            Some(record) => Finding::pass(
                format!("{} waits for its record {record}", acm.arn),
                evidence,
            ),
            None => Finding::unknown(format!("{} has no validation record yet", acm.arn)),
        },
        _ => Finding::fail(
            format!(
                "ACM has no certificate for {} in {}",
                sight.plan.cluster.names().join(" and "),
                tls.region
            ),
            evidence,
        ),
    }
}

pub(super) fn seen<'a>(sight: &Sight<'a>) -> Result<&'a Tls, Finding> {
    match glance(&Subject::Tls, sight) {
        Glance::Fresh(Fact::Tls(tls), _) => Ok(tls),
        Glance::Stale(_, age) => Err(Finding::unknown(format!(
            "the certificate was last looked at {} ago",
            brief(age)
        ))),
        Glance::Failed(failure, _) => Err(Finding::unknown(failure.to_string())),
        Glance::Never | Glance::Fresh(..) => Err(Finding::unknown(
            "the certificate has not been looked at yet",
        )),
    }
}

/// Good with words, bad with words, or not to be told.
type Judged = Result<String, Option<String>>;

fn judge(way: &Way, tls: &Tls, sight: &Sight<'_>) -> Judged {
    match way {
        Way::Acm { arn, found } => acm(arn, found, tls, sight),
        Way::Issuer { name, found } => match found {
            Ok(found) => issuer(name, found, sight),
            Err(failure) => Err(certain(failure)),
        },
        Way::Secret { name, found } => match found {
            Ok(found) => secret(name, found, sight),
            Err(failure) => Err(certain(failure)),
        },
        Way::Acme => Err(None),
    }
}

/// A failure that is an answer: what is looked for is not there, or is not what it should be.
fn certain(failure: &Failure) -> Option<String> {
    matches!(failure.kind, FailureKind::NotFound | FailureKind::Garbage)
        .then(|| failure.detail.clone())
}

fn unknown(way: &Way, sight: &Sight<'_>) -> String {
    match way {
        Way::Acm {
            found: Err(failure),
            ..
        }
        | Way::Issuer {
            found: Err(failure),
            ..
        }
        | Way::Secret {
            found: Err(failure),
            ..
        } => failure.to_string(),
        Way::Issuer {
            name,
            found: Ok(found),
        } => {
            format!("{name} is neither ready nor failed: {}", found.ready.words)
        }
        Way::Acme => format!(
            "acme is on: the proxies ask Let's Encrypt only when {} points to them, so the new cluster has no certificate \
             before the switch; a Secret or an issuer with DNS-01 would have one",
            sight.plan.cluster.name
        ),
        Way::Acm { arn, .. } => format!("{arn} cannot be judged"),
        Way::Secret { name, .. } => format!("Secret {name} cannot be judged"),
    }
}

fn nothing(tls: &Tls) -> String {
    let known = tls.known.as_ref().ok().and_then(|known| known.first());
    let remedy = match known {
        Some(acm) => format!(
            "ACM has {} ({}): name it as certificate in [recovery], with its annotation in the values",
            acm.arn, acm.status
        ),
        None => "request one (Request certificate), or name a Secret or an issuer in the values"
            .to_owned(),
    };
    format!(
        "the values name no certificate, so the proxies would make one that nobody trusts: {remedy}"
    )
}

fn acm(arn: &str, found: &Result<Acm, Failure>, tls: &Tls, sight: &Sight<'_>) -> Judged {
    let region = arn.split(':').nth(3).unwrap_or_default();
    if region != tls.region {
        return Err(Some(format!(
            "{arn} is of {region}, and a load balancer in {} takes none from there: name one of its own as certificate in \
             [recovery]",
            tls.region
        )));
    }
    let acm = found.as_ref().map_err(certain)?;
    if !acm.issued() {
        let why = match (acm.status.as_str(), record(acm), &acm.reason) {
            ("PENDING_VALIDATION", Some(record), _) => {
                format!(
                    "waits for the record {record} in the zone{}",
                    control_plane(sight)
                )
            }
            (_, _, Some(reason)) => format!("failed ({reason}): request another"),
            _ => "cannot be used: request another".to_owned(),
        };
        return Err(Some(format!("{arn} is {} and {why}", acm.status)));
    }
    let words = covering(&format!("ACM {}", short(arn)), &acm.names, acm.until, sight)?;
    let renewal = if acm.kind == "IMPORTED" {
        ", imported, so that nobody renews it"
    } else {
        ""
    };
    Ok(format!(
        "{words}{renewal}; it is issued, so Route 53 is not needed today"
    ))
}

fn secret(name: &str, found: &Certificate, sight: &Sight<'_>) -> Judged {
    let words = covering(
        &format!("Secret {name}"),
        &found.names,
        Some(found.not_after),
        sight,
    )?;
    Ok(format!(
        "{words}; nothing is issued, so Route 53 is not needed"
    ))
}

fn issuer(name: &str, found: &Issuer, sight: &Sight<'_>) -> Judged {
    if let Some(made) = &found.certificate
        && made.ready.status == Some(true)
    {
        return covering(
            &format!("{name}'s Certificate"),
            &made.names,
            made.until,
            sight,
        );
    }
    match found.ready.status {
        Some(true) => {
            let how = if found.route53 {
                format!("it issues by records in Route 53{}", control_plane(sight))
            } else if found.http {
                "it proves names by HTTP, which works only after the switch".to_owned()
            } else {
                "issuing does not need Route 53".to_owned()
            };
            Ok(format!(
                "{name} is ready, the chart's Certificate is made with the install; {how}"
            ))
        }
        Some(false) => Err(Some(format!("{name} is not ready: {}", found.ready.words))),
        None => Err(None),
    }
}

/// Whether names and dates are right.
fn covering(what: &str, names: &[String], until: Option<Moment>, sight: &Sight<'_>) -> Judged {
    let wanted = sight.plan.cluster.names();
    let lacking = lacking(&wanted, names);
    if !lacking.is_empty() {
        return Err(Some(format!(
            "{what} is for {} and not for {}",
            names.join(", "),
            lacking.join(" and ")
        )));
    }
    let Some(until) = until else {
        return Ok(format!("{what} is for name and wildcard"));
    };
    let left = until.since(sight.now);
    if left.is_zero() {
        return Err(Some(format!("{what} ended at {until}: renew it")));
    }
    let soon = if left < SOON { ", which is SOON" } else { "" };
    Ok(format!(
        "{what} is for name and wildcard, valid for another {}{soon}",
        brief(left)
    ))
}

/// Whether new records can be made today.
fn control_plane(sight: &Sight<'_>) -> &'static str {
    match glance(&Subject::Zone, sight) {
        Glance::Failed(..) => ", whose control plane does not answer now",
        Glance::Fresh(..) => ", which answers",
        Glance::Stale(..) | Glance::Never => "",
    }
}

/// The record that the first name not yet proven waits for.
fn record(acm: &Acm) -> Option<String> {
    let waiting = acm
        .validation
        .iter()
        .find(|one| one.status != "SUCCESS" && one.record.is_some())
        .or_else(|| acm.validation.iter().find(|one| one.record.is_some()))?;
    waiting.record.as_ref().map(|record| record.join(" "))
}

fn short(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::incident::{
        Instruments, Observation, Outcome,
        tls::{Managed, Readiness, Validation},
    };

    const NOW: i64 = 1_000_000;

    fn names() -> Vec<String> {
        vec![
            "teleport.example.com".to_owned(),
            "*.teleport.example.com".to_owned(),
        ]
    }

    fn acm(region: &str, status: &str) -> Acm {
        Acm {
            arn: format!("arn:aws:acm:{region}:1:certificate/x"),
            status: status.to_owned(),
            kind: "AMAZON_ISSUED".to_owned(),
            names: names(),
            until: Some(Moment::from_secs(NOW).plus(SOON * 2)),
            reason: None,
            validation: vec![Validation {
                record: Some(["_a".to_owned(), "CNAME".to_owned(), "_b".to_owned()]),
                status: "PENDING_VALIDATION".to_owned(),
                ..Validation::default()
            }],
        }
    }

    fn by_acm(acm: Acm) -> Way {
        Way::Acm {
            arn: acm.arn.clone(),
            found: Ok(acm),
        }
    }

    fn in_secret(left: Duration, names: Vec<String>) -> Way {
        Way::Secret {
            name: "teleport-tls".to_owned(),
            found: Ok(Certificate {
                issuer: "CN=x".to_owned(),
                names,
                not_before: Moment::default(),
                not_after: Moment::from_secs(NOW).plus(left),
                problem: None,
            }),
        }
    }

    fn by_issuer(ready: Option<bool>, route53: bool, made: Option<bool>) -> Way {
        let readiness = |status| Readiness {
            status,
            words: "its words".to_owned(),
        };
        Way::Issuer {
            name: "Issuer dr".to_owned(),
            found: Ok(Issuer {
                ready: readiness(ready),
                route53,
                http: false,
                certificate: made.map(|status| Managed {
                    ready: readiness(Some(status)),
                    names: names(),
                    until: None,
                }),
            }),
        }
    }

    fn judged(ways: Vec<Way>, known: Result<Vec<Acm>, Failure>) -> (Finding, Finding) {
        let mut instruments = Instruments::default();
        let tls = Tls {
            region: "us-west-2".to_owned(),
            ways,
            known,
        };
        for (subject, outcome) in [
            (Subject::Tls, Ok(Fact::Tls(Arc::new(tls)))),
            (
                Subject::Zone,
                Err(Failure::new(FailureKind::Timeout, "no answer")),
            ),
        ] {
            instruments.take(Observation {
                subject,
                at: Moment::from_secs(NOW),
                took: Duration::ZERO,
                outcome,
            });
        }
        let sight = Sight {
            instruments: &instruments,
            plan: &crate::plan::sample::plan(),
            now: Moment::from_secs(NOW),
            since: None,
            outage: None,
        };
        (ready(&sight), requested(&sight))
    }

    #[test]
    fn each_way_is_ready_or_says_why_not() {
        use Outcome::{Fail, Pass, Unknown};
        let failed = |kind| Way::Secret {
            name: "teleport-tls".to_owned(),
            found: Err(Failure::new(kind, "there is no Secret")),
        };
        let day = Duration::from_hours(24);
        let cases = [
            (
                vec![by_acm(acm("us-west-2", "ISSUED"))],
                Pass,
                "Route 53 is not needed today",
            ),
            (
                vec![by_acm(acm("us-east-1", "ISSUED"))],
                Fail,
                "takes none from there",
            ),
            (
                vec![by_acm(acm("us-west-2", "PENDING_VALIDATION"))],
                Fail,
                "waits for the record _a CNAME _b in the zone, whose control plane does not answer now",
            ),
            (vec![in_secret(day, names())], Pass, "which is SOON"),
            (
                vec![in_secret(SOON * 3, names())],
                Pass,
                "valid for another",
            ),
            (vec![in_secret(Duration::ZERO, names())], Fail, "ended at"),
            (
                vec![in_secret(day, vec!["teleport.example.com".to_owned()])],
                Fail,
                "not for *.teleport.example.com",
            ),
            (
                vec![failed(FailureKind::NotFound)],
                Fail,
                "there is no Secret",
            ),
            (
                vec![failed(FailureKind::Timeout)],
                Unknown,
                "there is no Secret",
            ),
            (
                vec![by_issuer(Some(true), true, None)],
                Pass,
                "control plane does not answer",
            ),
            (vec![by_issuer(Some(false), true, None)], Fail, "its words"),
            (
                vec![by_issuer(None, true, None)],
                Unknown,
                "neither ready nor failed",
            ),
            (
                vec![by_issuer(Some(false), true, Some(true))],
                Pass,
                "Certificate is for name and wildcard",
            ),
            (vec![Way::Acme], Unknown, "acme is on"),
            (vec![], Fail, "nobody trusts"),
            // One good way does not excuse another.
            (
                vec![in_secret(day, names()), failed(FailureKind::NotFound)],
                Fail,
                "there is no Secret",
            ),
        ];
        for (ways, outcome, words) in cases {
            let (finding, _) = judged(ways, Ok(Vec::new()));
            assert_eq!(finding.outcome, outcome, "{}", finding.sentence);
            assert!(
                finding.sentence.contains(words),
                "{words}: {}",
                finding.sentence
            );
        }
    }

    #[test]
    fn a_request_is_seen_in_acm_with_its_record() {
        use Outcome::{Fail, Pass, Unknown};
        let mut bare = acm("us-west-2", "PENDING_VALIDATION");
        bare.validation.clear();
        let silent = Failure::new(FailureKind::Timeout, "no answer");
        for (known, outcome) in [
            (Ok(vec![acm("us-west-2", "ISSUED")]), Pass),
            (Ok(vec![acm("us-west-2", "PENDING_VALIDATION")]), Pass),
            (Ok(vec![bare]), Unknown),
            (Ok(vec![acm("us-west-2", "FAILED")]), Fail),
            (Ok(vec![]), Fail),
            (Err(silent), Unknown),
        ] {
            let (_, finding) = judged(Vec::new(), known);
            assert_eq!(finding.outcome, outcome, "{}", finding.sentence);
        }
    }
}
