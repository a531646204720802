//! ACM: a certificate by its ARN, those of a name, and asking for a new one.

use aws_sdk_acm::types::{
    CertificateDetail, CertificateStatus, CertificateType, DomainStatus, Filters, KeyAlgorithm,
    ValidationMethod,
};

use super::{Reach, explain, from_sdk};
use crate::{
    clients::kube::text::clean,
    incident::{
        Failure, FailureKind, Part,
        tls::{Acm, Validation, lacking},
    },
};

/// Most certificates looked into of those that carry the name.
const MOST: usize = 5;
/// Pages of the list.
const PAGES: usize = 10;

/// What ACM says of a certificate.
///
/// # Errors
/// If ACM does not answer, refuses, or has no such certificate in the region that is asked.
pub async fn describe(reach: &Reach, arn: &str) -> Part<Acm> {
    let place = format!("{arn} in {}", reach.region());
    let said = reach
        .acm()
        .await
        .describe_certificate()
        .certificate_arn(arn)
        .send()
        .await
        .map_err(|error| explain("ACM DescribeCertificate", &place, &error))?;
    said.certificate().map(interpret).ok_or_else(|| {
        Failure::new(
            FailureKind::Garbage,
            format!("ACM DescribeCertificate of {place} gave none"),
        )
    })
}

/// The certificates in the region that are for all of some names; those that are issued or on the way first.
///
/// # Errors
/// If ACM does not answer or refuses.
pub async fn of_names(reach: &Reach, names: &[String]) -> Part<Vec<Acm>> {
    let client = reach.acm().await;
    let place = format!("certificates in {}", reach.region());
    // Unless asked for all kinds of keys, ACM lists RSA of up to 2048 bits alone.
    let kinds = Filters::builder()
        .set_key_types(Some(vec![
            KeyAlgorithm::Rsa1024,
            KeyAlgorithm::Rsa2048,
            KeyAlgorithm::Rsa3072,
            KeyAlgorithm::Rsa4096,
            KeyAlgorithm::EcPrime256v1,
            KeyAlgorithm::EcSecp384r1,
            KeyAlgorithm::EcSecp521r1,
        ]))
        .build();
    let mut arns = Vec::new();
    let mut next = None;
    for _ in 0..PAGES {
        let said = client
            .list_certificates()
            .includes(kinds.clone())
            .set_next_token(next)
            .send()
            .await
            .map_err(|error| explain("ACM ListCertificates", &place, &error))?;
        arns.extend(
            said.certificate_summary_list()
                .iter()
                // Either of the names may be the one that a certificate is called by.
                .filter(|one| {
                    one.domain_name().is_some_and(|domain| {
                        names.iter().any(|name| name.eq_ignore_ascii_case(domain))
                    })
                })
                .filter_map(|one| one.certificate_arn().map(str::to_owned)),
        );
        next = said.next_token().map(str::to_owned);
        if next.is_none() {
            break;
        }
    }
    let mut found = Vec::new();
    for arn in arns.iter().take(MOST) {
        let one = describe(reach, arn).await?;
        if lacking(names, &one.names).is_empty() {
            found.push(one);
        }
    }
    found.sort_by_key(|one| (!one.issued(), one.status != "PENDING_VALIDATION"));
    Ok(found)
}

/// Asks for a certificate that is validated by DNS; gives its ARN. Asked twice with one token, ACM gives the same one.
///
/// # Errors
/// If ACM does not answer or refuses.
pub async fn request(reach: &Reach, names: &[String], token: &str) -> Part<String> {
    let (domain, others) = names.split_first().ok_or_else(|| {
        Failure::new(FailureKind::NotPlanned, "the plan names nothing to certify")
    })?;
    let place = format!("{domain} in {}", reach.region());
    let said = reach
        .acm()
        .await
        .request_certificate()
        .domain_name(domain)
        .set_subject_alternative_names((!others.is_empty()).then(|| others.to_vec()))
        .validation_method(ValidationMethod::Dns)
        .idempotency_token(token)
        .send()
        .await
        .map_err(|error| explain("ACM RequestCertificate", &place, &error))?;
    said.certificate_arn().map(str::to_owned).ok_or_else(|| {
        Failure::new(
            FailureKind::Garbage,
            format!("ACM RequestCertificate of {place} gave no ARN"),
        )
    })
}

fn interpret(said: &CertificateDetail) -> Acm {
    let text = |text: Option<&str>| clean(text.unwrap_or_default(), 2048);
    let mut names: Vec<String> = said
        .subject_alternative_names()
        .iter()
        .map(|name| clean(name, 253))
        .collect();
    let domain = text(said.domain_name());
    if !domain.is_empty() && !names.contains(&domain) {
        names.insert(0, domain);
    }
    Acm {
        arn: text(said.certificate_arn()),
        status: text(said.status().map(CertificateStatus::as_str)),
        kind: text(said.r#type().map(CertificateType::as_str)),
        names,
        until: said.not_after().and_then(from_sdk),
        reason: said
            .failure_reason()
            .map(|reason| clean(reason.as_str(), 200)),
        validation: said
            .domain_validation_options()
            .iter()
            .map(|one| Validation {
                name: clean(one.domain_name(), 253),
                method: text(one.validation_method().map(ValidationMethod::as_str)),
                status: text(one.validation_status().map(DomainStatus::as_str)),
                record: one.resource_record().map(|record| {
                    [record.name(), record.r#type().as_str(), record.value()]
                        .map(|part| clean(part, 512))
                }),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_acm::types::{DomainValidation, RecordType, ResourceRecord};

    use super::*;

    #[test]
    fn a_pending_certificate_shows_the_record_it_waits_for() {
        let record = ResourceRecord::builder()
            .name("_x.t.example.com.")
            .r#type(RecordType::Cname)
            .value("_y.acm-validations.aws.")
            .build()
            .expect("a record");
        let said = CertificateDetail::builder()
            .domain_name("t.example.com")
            .status(CertificateStatus::PendingValidation)
            .domain_validation_options(
                DomainValidation::builder()
                    .domain_name("t.example.com")
                    .validation_method(ValidationMethod::Dns)
                    .validation_status(DomainStatus::PendingValidation)
                    .resource_record(record)
                    .build()
                    .expect("a validation"),
            )
            .build();
        let acm = interpret(&said);
        assert_eq!(acm.names, ["t.example.com"]);
        assert!(!acm.issued() && acm.until.is_none());
        let record = acm.validation[0].record.as_ref().expect("a record");
        assert_eq!(record[1], "CNAME");
    }
}
