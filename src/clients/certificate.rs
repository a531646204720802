//! Reading certificates: what is shown of a server's own, and the pins of Teleport's authorities. Pure.

use std::net::IpAddr;

use sha2::{Digest as _, Sha256};
use x509_parser::{
    extensions::GeneralName,
    pem::Pem,
    prelude::{FromDer as _, X509Certificate},
    x509::X509Name,
};

use crate::incident::{Certificate, Failure, FailureKind, Moment, plain::blanked};

/// Most names kept of a certificate.
const NAMES: usize = 32;

/// Longest text kept of a certificate, in characters (RFC 1035: a name has at most 253).
const LONGEST: usize = 253;

/// Most authorities that an export may hold: two during a rotation, a few more with KMS keys.
const AUTHORITIES: usize = 64;

/// Reads a server certificate. `problem` is what verification had against it.
///
/// # Errors
/// If the bytes are no certificate.
pub fn read(der: &[u8], problem: Option<String>) -> Result<Certificate, Failure> {
    let (_, certificate) = X509Certificate::from_der(der).map_err(|error| {
        Failure::new(
            FailureKind::Garbage,
            format!("the certificate presented cannot be read: {error}"),
        )
    })?;
    let names = certificate
        .subject_alternative_name()
        .ok()
        .flatten()
        .map(|extension| extension.value.general_names.as_slice())
        .unwrap_or_default()
        .iter()
        .filter_map(name)
        .take(NAMES)
        .collect();
    let validity = certificate.validity();
    Ok(Certificate {
        issuer: clean(&certificate.issuer().to_string()),
        names,
        not_before: Moment::from_secs(validity.not_before.timestamp()),
        not_after: Moment::from_secs(validity.not_after.timestamp()),
        problem: problem.map(|problem| clean(&problem)),
    })
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(clean(name)),
        GeneralName::IPAddress(bytes) => {
            let address = match bytes.len() {
                4 => IpAddr::from(<[u8; 4]>::try_from(*bytes).ok()?),
                _ => IpAddr::from(<[u8; 16]>::try_from(*bytes).ok()?),
            };
            Some(address.to_string())
        }
        _ => None,
    }
}

/// The pins of the authorities in an export of `/webapi/auth/export?type=tls-host`, sorted, each once: `sha256:` and
/// the SHA-256 of the certificate's `SubjectPublicKeyInfo` in hex, as `tctl status` prints them.
///
/// # Errors
/// If there is no certificate in it, or one that cannot be read: a part of the set would look like another cluster.
pub fn pins(pem: &[u8]) -> Result<Vec<String>, Failure> {
    pins_of(pem, None)
}

/// The same of a file that may hold authorities of several clusters: those whose subject names this one, perhaps none.
///
/// # Errors
/// As [`pins`]; also if `cluster` is `None` and there is no certificate in it.
pub fn pins_of(pem: &[u8], cluster: Option<&str>) -> Result<Vec<String>, Failure> {
    let garbage = |why: String| {
        Failure::new(
            FailureKind::Garbage,
            format!("the export of host authorities {why}"),
        )
    };
    let mut pins = Vec::new();
    for block in Pem::iter_from_buffer(pem) {
        let block = block.map_err(|error| garbage(format!("is not PEM: {error}")))?;
        if block.label != "CERTIFICATE" {
            continue;
        }
        let certificate = block.parse_x509().map_err(|error| {
            garbage(format!("holds a certificate that cannot be read: {error}"))
        })?;
        if cluster.is_some_and(|cluster| !names(certificate.subject(), cluster)) {
            continue;
        }
        pins.push(pin(certificate.tbs_certificate.subject_pki.raw));
        if pins.len() > AUTHORITIES {
            return Err(garbage(format!(
                "holds more than {AUTHORITIES} certificates"
            )));
        }
    }
    if pins.is_empty() && cluster.is_none() {
        return Err(garbage("holds no certificate".to_owned()));
    }
    pins.sort_unstable();
    pins.dedup();
    Ok(pins)
}

/// Whether a distinguished name is that of a cluster's authority: Teleport puts the cluster into organisation and common
/// name.
fn names(subject: &X509Name<'_>, cluster: &str) -> bool {
    subject
        .iter_common_name()
        .chain(subject.iter_organization())
        .filter_map(|part| part.as_str().ok())
        .any(|name| name.eq_ignore_ascii_case(cluster))
}

fn pin(spki: &[u8]) -> String {
    use std::fmt::Write as _;

    Sha256::digest(spki)
        .iter()
        .fold(String::from("sha256:"), |mut pin, byte| {
            let _ = write!(pin, "{byte:02x}");
            pin
        })
}

fn clean(text: &str) -> String {
    blanked(text, LONGEST)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, PublicKeyData as _};

    use super::*;

    fn certificate(names: &[&str]) -> (rcgen::Certificate, String) {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let key = KeyPair::generate().expect("a key");
        let pin = pin(&key.subject_public_key_info());
        let params = CertificateParams::new(names).expect("names");
        (params.self_signed(&key).expect("a certificate"), pin)
    }

    #[test]
    fn names_issuer_and_validity_are_read() {
        let (made, _) = certificate(&["t.example.com", "*.t.example.com", "192.0.2.1"]);
        let read = read(made.der(), Some("expired\u{1b}".to_owned())).expect("a certificate");
        assert_eq!(
            read.names,
            ["t.example.com", "*.t.example.com", "192.0.2.1"]
        );
        assert!(read.issuer.contains("rcgen"), "{}", read.issuer);
        assert!(read.not_before < read.not_after);
        assert_eq!(read.problem.as_deref(), Some("expired "));
    }

    #[test]
    fn pins_are_those_of_every_key_in_the_export() {
        let (one, first) = certificate(&["one"]);
        let (two, second) = certificate(&["two"]);
        let mut expected = vec![first, second];
        expected.sort();
        let export = format!("{}\n{}{}", one.pem(), two.pem(), one.pem());
        assert_eq!(pins(export.as_bytes()), Ok(expected));
    }

    #[test]
    fn a_pin_is_what_openssl_says() {
        // openssl x509 -noout -pubkey | openssl pkey -pubin -outform der | sha256sum
        let pem = include_bytes!("../../tests/fixtures/web/host-ca.pem");
        let expected = include_str!("../../tests/fixtures/web/host-ca.pin").trim();
        assert_eq!(pins(pem), Ok(vec![expected.to_owned()]));
    }

    #[test]
    fn what_is_no_export_has_no_pins() {
        let (made, _) = certificate(&["one"]);
        let torn = made.pem().replace('M', "!");
        for text in [
            "",
            "ssh-rsa AAAA",
            "{\"error\":{\"message\":\"unknown type\"}}",
            &torn,
        ] {
            let failure = pins(text.as_bytes()).expect_err("no pins");
            assert_eq!(failure.kind, FailureKind::Garbage, "{text}");
        }
    }
}
