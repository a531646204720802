//! The one TLS stack: rustls on ring, trusting the system's roots and what the plan adds.
//!
//! [`Tls::strict`] is for everybody. [`Tls::recording`] is for the web probe alone: it takes any certificate, so that
//! an expired or wrong one is still read and shown, and records what is wrong with it. Nothing secret is ever sent
//! over such a connection.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        Resumption, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};

/// Largest file of authorities that is read, in bytes.
const CA_FILE_MAX: u64 = 1 << 20;

/// The trust of this machine and this plan. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tls {
    provider: Arc<CryptoProvider>,
    roots: Arc<RootCertStore>,
    verifier: Option<Arc<WebPkiServerVerifier>>,
    note: Option<Arc<str>>,
}

impl Tls {
    /// Reads the system's roots, and `ca_file` beside them. Reads files: call it off the loop, once.
    ///
    /// What cannot be read is not fatal, since a probe that sees a certificate tells more than one that sees none: it is
    /// kept in [`Self::note`] and said beside whatever is then not trusted.
    #[must_use]
    pub fn load(ca_file: Option<&Path>) -> Self {
        let mut roots = RootCertStore::empty();
        let native = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(native.certs);
        let mut notes = Vec::new();
        if roots.is_empty() {
            notes
                .push("this machine has no root certificates (install ca-certificates)".to_owned());
        }
        if let Some(path) = ca_file {
            match authorities(path) {
                Ok(certificates) => {
                    let (added, _) = roots.add_parsable_certificates(certificates);
                    if added == 0 {
                        notes.push(format!(
                            "[web] ca_file {} holds no certificate",
                            path.display()
                        ));
                    }
                }
                Err(error) => notes.push(format!(
                    "[web] ca_file {} cannot be read: {error}",
                    path.display()
                )),
            }
        }
        Self::trusting(roots, (!notes.is_empty()).then(|| notes.join("; ").into()))
    }

    fn trusting(roots: RootCertStore, note: Option<Arc<str>>) -> Self {
        let provider = Arc::new(ring::default_provider());
        let roots = Arc::new(roots);
        // Without any root there is no verifier, and nothing is trusted.
        let verifier = WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone())
            .build()
            .ok();
        Self {
            provider,
            roots,
            verifier,
            note,
        }
    }

    /// What of the trust could not be read, with the remedy.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// A configuration that trusts only what it should. HTTP/1.1.
    ///
    /// # Errors
    /// Never with the provider used here: it supports the default protocol versions.
    pub fn strict(&self) -> Result<ClientConfig, Error> {
        let mut config = ClientConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // A resumed session shows no certificate, and may come from another server behind the same name.
        config.resumption = Resumption::disabled();
        Ok(config)
    }

    /// A configuration that takes any certificate and records it, for one connection; `of` says in words which name it
    /// is for.
    ///
    /// # Errors
    /// As [`Self::strict`].
    pub fn recording(&self, of: &'static str) -> Result<(ClientConfig, Arc<Recorder>), Error> {
        let recorder = Arc::new(Recorder {
            of,
            provider: self.provider.clone(),
            verifier: self.verifier.clone(),
            note: self.note.clone(),
            seen: Mutex::default(),
        });
        let mut config = self.strict()?;
        config
            .dangerous()
            .set_certificate_verifier(recorder.clone());
        Ok((config, recorder))
    }
}

fn authorities(path: &Path) -> std::io::Result<Vec<CertificateDer<'static>>> {
    use std::io::Read as _;

    let mut text = Vec::new();
    std::fs::File::open(path)?
        .take(CA_FILE_MAX)
        .read_to_end(&mut text)?;
    Ok(CertificateDer::pem_slice_iter(&text)
        .filter_map(Result::ok)
        .collect())
}

/// A certificate as it was presented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    /// The server's own certificate, in DER.
    pub leaf: Vec<u8>,
    /// `None` if this machine trusts it for the name asked for, else why not.
    pub problem: Option<String>,
}

/// Takes any certificate and records it. The signature of the handshake is still verified: who presents a certificate
/// must have its key.
#[derive(Debug)]
pub struct Recorder {
    of: &'static str,
    provider: Arc<CryptoProvider>,
    verifier: Option<Arc<WebPkiServerVerifier>>,
    note: Option<Arc<str>>,
    seen: Mutex<Option<Presented>>,
}

impl Recorder {
    /// The certificate presented, once a handshake has come so far.
    #[must_use]
    pub fn seen(&self) -> Option<Presented> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let problem = match &self.verifier {
            None => Some("no root certificates to check it against".to_owned()),
            Some(verifier) => verifier
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
                .err()
                .map(|error| told(&error, self.of)),
        };
        let problem = problem.map(|problem| match &self.note {
            Some(note) => format!("{problem}; {note}"),
            None => problem,
        });
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(Presented {
            leaf: end_entity.to_vec(),
            problem,
        });
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// What is wrong with a certificate for a name, in the operator's words.
fn told(error: &Error, of: &str) -> String {
    let Error::InvalidCertificate(error) = error else {
        return error.to_string();
    };
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "expired".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "not valid yet".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("not valid for {of}")
        }
        // A wrong signature is another authority under a name that this machine knows.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "issued by nobody this machine trusts (a private authority goes into [web] ca_file)"
                .to_owned()
        }
        // The verifier's own error is wrapped, and only its name tells what it is.
        CertificateError::Other(inner) if format!("{inner:?}").contains("CaUsedAsEndEntity") => {
            "signed by itself, as Teleport does when it was given no certificate".to_owned()
        }
        CertificateError::Revoked => "revoked".to_owned(),
        CertificateError::BadEncoding => "not readable".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_in_words() {
        let cases = [
            (CertificateError::Expired, "expired"),
            (
                CertificateError::NotValidForName,
                "not valid for the cluster name",
            ),
            (CertificateError::NotValidYet, "not valid yet"),
        ];
        for (error, text) in cases {
            assert_eq!(
                told(&Error::InvalidCertificate(error), "the cluster name"),
                text
            );
        }
    }

    #[test]
    fn a_missing_authority_is_noted_and_not_fatal() {
        let tls = Tls::load(Some(Path::new("/nonexistent/ca.pem")));
        let note = tls.note().expect("a note");
        assert!(note.contains("/nonexistent/ca.pem"), "{note}");
        assert!(tls.strict().is_ok());
    }
}
