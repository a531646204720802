//! Who owns names, by the TXT records that external-dns keeps beside them (its registry `txt`).
//!
//! They lie at the name itself, or with the record's type before its first label (`cname-teleport.example.com`), and with
//! whatever `--txt-prefix`, `--txt-suffix` and `--txt-wildcard-replacement` say: so the whole zone is listed, a page of 300
//! a call, rather than names guessed.

use aws_sdk_route53::{
    Client,
    types::{ResourceRecordSet, RrType},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{explain, place, plain};
use crate::{
    clients::kube::text::clean,
    incident::{Failure, FailureKind, Ownership},
};

/// Record sets a page, which is the most that Route 53 gives.
const PAGE: i32 = 300;
/// Pages read: so many calls a look are what a busy account can spare.
const PAGES: usize = 10;
/// What external-dns writes before a label to tell the type of the record.
const KINDS: [&str; 3] = ["aaaa-", "a-", "cname-"];

/// The owner of a record that is encrypted.
const SEALED: &str = "(encrypted)";
/// An encrypted record is no shorter: 12 bytes of nonce, 16 of seal and the shortest text, in Base64.
const SEAL: usize = 80;

/// What is written of the owners of names.
///
/// # Errors
/// If Route 53 cannot be asked or says no, or the zone is too large to be listed.
pub(super) async fn fetch(
    client: &Client,
    id: &str,
    names: &[String],
) -> Result<Vec<Ownership>, Failure> {
    let mut sets: Vec<ResourceRecordSet> = Vec::new();
    let mut from = client.list_resource_record_sets().hosted_zone_id(id);
    for _ in 0..PAGES {
        let said = from
            .max_items(PAGE)
            .send()
            .await
            .map_err(|error| explain("Route 53 ListResourceRecordSets", &place(id), &error))?;
        sets.extend_from_slice(said.resource_record_sets());
        if !said.is_truncated() {
            return Ok(read(&sets, names));
        }
        from = client
            .list_resource_record_sets()
            .hosted_zone_id(id)
            .set_start_record_name(said.next_record_name().map(str::to_owned))
            .set_start_record_type(said.next_record_type().cloned())
            .set_start_record_identifier(said.next_record_identifier().map(str::to_owned));
    }
    let most = PAGES * usize::try_from(PAGE).unwrap_or_default();
    Err(Failure::new(
        FailureKind::Other,
        format!(
            "{} has more than {most} record sets, and no more are listed: look there yourself for TXT records with heritage=external-dns beside {}",
            place(id),
            names.join(" and ")
        ),
    ))
}

/// The ownership records of names among the record sets of a zone.
fn read(sets: &[ResourceRecordSet], names: &[String]) -> Vec<Ownership> {
    // What has records of its own is no affix of another name.
    let others: Vec<String> = sets
        .iter()
        .filter(|set| !matches!(set.r#type(), RrType::Txt))
        .map(|set| plain(set.name()))
        .collect();
    let texts = sets
        .iter()
        .filter(|set| matches!(set.r#type(), RrType::Txt));
    let mut found = Vec::new();
    for set in texts {
        let record = plain(set.name());
        let mut values = set.resource_records().iter();
        let told = values.find_map(|value| {
            heritage(value.value())
                .or_else(|| sealed(value.value()).then(|| (SEALED.to_owned(), None)))
        });
        let Some((owner, resource)) = told else {
            continue;
        };
        if let Some(name) = owned(&record, names, &others) {
            found.push(Ownership {
                name: name.clone(),
                record,
                owner,
                resource,
            });
        }
    }
    found
}

/// Owner and resource of `"heritage=external-dns,external-dns/owner=X,external-dns/resource=Y"`.
fn heritage(value: &str) -> Option<(String, Option<String>)> {
    let value = value.trim_matches('"');
    let of = |key: &str| {
        let mut parts = value.split(',');
        let found = parts.find_map(|part| part.trim().strip_prefix(key)?.strip_prefix('='));
        found.map(|text| clean(text, 120))
    };
    (of("heritage")? == "external-dns")
        .then(|| Some((of("external-dns/owner")?, of("external-dns/resource"))))?
}

/// Whether it is what `--txt-encrypt-enabled` leaves of an ownership record: Base64 of a nonce, the text and its seal. Who
/// it names cannot be read, and nobody is not it.
fn sealed(value: &str) -> bool {
    let value = value.trim_matches('"');
    value.len() >= SEAL && STANDARD.decode(value).is_ok()
}

/// The name that an ownership record is of: the record's own, or one with an affix to its first label. A star may be
/// replaced by any word: what is nobody else's there is the wildcard's.
fn owned<'a>(record: &str, names: &'a [String], others: &[String]) -> Option<&'a String> {
    if let Some(name) = names.iter().find(|name| *name == record) {
        return Some(name);
    }
    let (label, parent) = record.split_once('.')?;
    let bare = KINDS
        .iter()
        .find_map(|kind| label.strip_prefix(kind))
        .unwrap_or(label);
    let beside = |name: &&String| {
        name.split_once('.')
            .is_some_and(|(_, above)| above == parent)
    };
    let first = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    // Of several, the longest label that is in it: teleport2 is not teleport.
    let within = others
        .iter()
        .chain(names)
        .filter(beside)
        .filter(|name| bare.contains(&first(name)))
        .max_by_key(|name| first(name).len());
    match within {
        Some(known) => names.iter().find(|name| *name == known),
        None => names
            .iter()
            .filter(beside)
            .find(|name| name.starts_with("*.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ownership_record_is_found_whatever_stands_before_the_name() {
        let names = ["tele.example.com", "*.tele.example.com"].map(str::to_owned);
        let others = [
            "tele.example.com",
            "tele2.example.com",
            "*.tele.example.com",
            "grafana.tele.example.com",
        ]
        .map(str::to_owned);
        let cases = [
            ("tele.example.com", Some(0)),
            ("cname-tele.example.com", Some(0)),
            ("a-tele.example.com", Some(0)),
            ("extdns-cname-tele.example.com", Some(0)),
            ("cname-tele-txt.example.com", Some(0)),
            ("*.tele.example.com", Some(1)),
            ("cname-*.tele.example.com", Some(1)),
            ("cname-any.tele.example.com", Some(1)),
            ("cname-tele2.example.com", None),
            ("cname-grafana.tele.example.com", None),
            ("cname-www.example.com", None),
            ("tele.example.org", None),
        ];
        for (record, at) in cases {
            let found = owned(record, &names, &others);
            assert_eq!(found, at.map(|at: usize| &names[at]), "{record}");
        }
    }

    #[test]
    fn an_encrypted_record_has_an_owner_that_nobody_can_read() {
        let text = "heritage=external-dns,external-dns/owner=east";
        let made = format!(
            "\"{}\"",
            STANDARD.encode(format!("{}{text}", "\u{1}".repeat(28)))
        );
        assert!(sealed(&made), "{made}");
        for other in [
            "\"v=spf1 include:_spf.example.com include:mail.example.net include:other.example.org -all\"",
            "\"google-site-verification=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"",
            "\"AAAA\"",
        ] {
            assert!(!sealed(other), "{other}");
        }
    }

    #[test]
    fn only_the_heritage_of_external_dns_counts() {
        let told =
            "\"heritage=external-dns,external-dns/owner=east,external-dns/resource=service/t/t\"";
        let wanted = ("east".to_owned(), Some("service/t/t".to_owned()));
        assert_eq!(heritage(told), Some(wanted));
        for other in [
            "\"v=spf1 -all\"",
            "\"heritage=other,external-dns/owner=east\"",
            "\"heritage=external-dns\"",
            "",
        ] {
            assert_eq!(heritage(other), None, "{other}");
        }
    }
}
