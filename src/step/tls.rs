//! `check-certificate`: where the recovery cluster's proxies get their certificate from; and `request-certificate`, which
//! asks ACM for one and shows the record that proves the names.

use std::time::Duration;

use futures::future::BoxFuture;

use super::{Context, Native, StepError};
use crate::{
    clients::{
        aws::{Aws, certificates},
        issued::look,
        kube, values,
    },
    incident::{
        Moment, Side, brief,
        tls::{Acm, Tls, Way},
    },
    plan::Plan,
};

/// Between two looks at a certificate that has no validation record yet.
const LOOK: Duration = Duration::from_secs(2);
/// How often: ACM makes the record up within seconds.
const LOOKS: u32 = 30;

/// The row of `check-certificate`.
#[must_use]
pub const fn check() -> Native {
    Native {
        name: "check-certificate",
        needs: &[],
        calls: check_calls,
        seen: None,
        run: check_run,
    }
}

/// The row of `request-certificate`.
#[must_use]
pub const fn request() -> Native {
    Native {
        name: "request-certificate",
        needs: &[],
        calls: request_calls,
        seen: None,
        run: request_run,
    }
}

fn check_calls(plan: &Plan) -> Vec<String> {
    vec![
        format!(
            "ACM DescribeCertificate, ListCertificates in {}",
            plan.recovery.region
        ),
        "Kubernetes GET of the Issuer and Certificate, or of the Secret's public part, as the values name them".to_owned(),
    ]
}

fn check_run(context: Context) -> BoxFuture<'static, Result<(), StepError>> {
    Box::pin(async move {
        let plan = &context.plan;
        if context.dry_run {
            for line in check_calls(plan) {
                context.say(line);
            }
            return Ok(());
        }
        let values = values::expected(plan).await;
        if let Ok(values) = &values {
            context.say(format!("as {} names it", values.path));
        }
        let kube = kube::connect(&plan.recovery.kube).await;
        let aws = Aws::new(plan);
        let seen = Box::pin(look(plan, &values, &kube, aws.side(Side::Recovery))).await;
        let tls = seen.map_err(|failure| StepError(failure.to_string()))?;
        for line in lines(&tls, Moment::now()) {
            context.say(line);
        }
        Ok(())
    })
}

fn lines(tls: &Tls, now: Moment) -> Vec<String> {
    let mut lines = Vec::new();
    for way in &tls.ways {
        match way {
            Way::Acm { arn, found } => match found {
                Ok(acm) => lines.extend(of_acm(acm, now)),
                Err(failure) => lines.push(format!("{arn}: {failure}")),
            },
            Way::Issuer { name, found } => match found {
                Ok(found) => {
                    lines.push(format!("{name}: {}", found.ready.words));
                    if found.route53 {
                        lines.push(
                            "it proves names by records in Route 53, whose control plane is in us-east-1".to_owned(),
                        );
                    }
                    lines.push(match &found.certificate {
                        Some(made) => format!("its Certificate: {}", made.ready.words),
                        None => "its Certificate is made by the chart, with the install".to_owned(),
                    });
                }
                Err(failure) => lines.push(format!("{name}: {failure}")),
            },
            Way::Secret { name, found } => match found {
                Ok(found) => lines.push(format!(
                    "Secret {name}: for {}; {}",
                    found.names.join(", "),
                    until(Some(found.not_after), now)
                )),
                Err(failure) => lines.push(format!("Secret {name}: {failure}")),
            },
            Way::Acme => lines.push(
                "acme: Let's Encrypt is asked when the name points to the proxies".to_owned(),
            ),
        }
    }
    if tls.ways.is_empty() {
        lines.push(
            "the values name no certificate: neither annotation, issuer, Secret nor acme"
                .to_owned(),
        );
    }
    match &tls.known {
        Ok(known) if known.is_empty() => {
            lines.push(format!("ACM in {} has none for these names", tls.region));
        }
        Ok(known) => lines.extend(
            known
                .iter()
                .map(|acm| format!("ACM in {} has {} ({})", tls.region, acm.arn, acm.status)),
        ),
        Err(failure) => lines.push(failure.to_string()),
    }
    lines
}

fn until(at: Option<Moment>, now: Moment) -> String {
    match at {
        None => "no end is known".to_owned(),
        Some(at) if at <= now => format!("ENDED at {at}"),
        Some(at) => format!("valid for another {}", brief(at.since(now))),
    }
}

fn of_acm(acm: &Acm, now: Moment) -> Vec<String> {
    let mut lines = vec![format!(
        "{}: {} for {}; {}",
        acm.arn,
        acm.status,
        acm.names.join(", "),
        until(acm.until, now)
    )];
    lines.extend(records(acm));
    lines
}

/// The records that prove the names, each once.
fn records(acm: &Acm) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for one in &acm.validation {
        if let Some(record) = &one.record {
            let line = format!("  record to publish: {}", record.join(" "));
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    lines
}

fn request_calls(plan: &Plan) -> Vec<String> {
    vec![
        format!(
            "ACM ListCertificates in {}: where one is there already, nothing is asked for",
            plan.recovery.region
        ),
        format!(
            "ACM RequestCertificate in {} for {}, validated by DNS",
            plan.recovery.region,
            plan.cluster.names().join(" and ")
        ),
        "ACM DescribeCertificate until it shows the record to publish; nothing is written to Route 53".to_owned(),
    ]
}

fn request_run(context: Context) -> BoxFuture<'static, Result<(), StepError>> {
    Box::pin(async move {
        let plan = &context.plan;
        let aws = Aws::new(plan);
        let reach = aws.side(Side::Recovery);
        let names = plan.cluster.names();
        let step = |failure: crate::incident::Failure| StepError(failure.to_string());
        let there = certificates::of_names(reach, &names).await.map_err(step)?;
        let usable = there
            .iter()
            .find(|acm| acm.issued() || acm.status == "PENDING_VALIDATION");
        if let Some(acm) = usable {
            context.say(format!(
                "{} is there already ({}); nothing was requested",
                acm.arn, acm.status
            ));
            tell(&context, acm);
            return Ok(());
        }
        if context.dry_run {
            context.say(format!(
                "dry run: no certificate was requested for {} in {}",
                names.join(" and "),
                plan.recovery.region
            ));
            return Ok(());
        }
        context.fence.look()?;
        let arn = certificates::request(reach, &names, &context.token("certificate"))
            .await
            .map_err(step)?;
        context.say(format!("requested {arn}"));
        for _ in 0..LOOKS {
            let acm = certificates::describe(reach, &arn).await.map_err(step)?;
            if acm.issued()
                || acm.validation.iter().all(|one| one.record.is_some())
                    && !acm.validation.is_empty()
            {
                tell(&context, &acm);
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(StepError(format!(
            "{arn} was requested and shows no validation record yet; run Check certificate to see it"
        )))
    })
}

/// What is to be done with a certificate.
fn tell(context: &Context, acm: &Acm) {
    for line in of_acm(acm, Moment::now()) {
        context.say(line);
    }
    if !acm.issued() {
        context.say("publish that record in the zone (Route 53, or wherever it is hosted); ACM issues within minutes of seeing it");
    }
    context.say(format!(
        "then set certificate = \"{}\" in [recovery] and write the values again",
        acm.arn
    ));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::tls::Validation;

    #[test]
    fn a_record_for_two_names_is_shown_once() {
        let one = Validation {
            record: Some(["_a".to_owned(), "CNAME".to_owned(), "_b".to_owned()]),
            ..Validation::default()
        };
        let acm = Acm {
            validation: vec![one.clone(), one],
            ..Acm::default()
        };
        assert_eq!(records(&acm), ["  record to publish: _a CNAME _b"]);
    }
}
