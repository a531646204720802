//! Two kinds of certificate authority: the public one that the proxies' web certificate comes from, and Teleport's own
//! host authority, whose pins tell whether a cluster is still the same one.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_ED25519, PublicKeyData as _,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest as _, Sha256};
use tokio_rustls::TlsAcceptor;

/// Why there are no certificates: the cryptography said no, which on a sound machine it does not.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// Making a key or a certificate failed.
    #[error("cannot make a certificate for the practice: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The TLS server did not take it.
    #[error("cannot use the practice's certificate: {0}")]
    Tls(#[from] rustls::Error),
}

/// The authority that signs the web certificates of this practice; its PEM goes into `[web] ca_file` of the plan.
pub struct PublicAuthority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl PublicAuthority {
    /// A new authority, for this practice alone.
    ///
    /// # Errors
    /// If the key or the certificate cannot be made.
    pub fn new() -> Result<Self, AuthorityError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = named("Relight practice web authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Self { issuer })
    }

    /// Its certificate as PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate for the cluster name and its wildcard as PEM, as a Secret in both clusters holds one.
    ///
    /// # Errors
    /// If the certificate cannot be made.
    pub fn certificate(&self, cluster: &str) -> Result<String, AuthorityError> {
        let params = leaf(cluster)?;
        Ok(params.signed_by(&KeyPair::generate()?, &self.issuer)?.pem())
    }

    /// A TLS server with a certificate for the cluster name and its wildcard.
    ///
    /// # Errors
    /// If the certificate cannot be made or used.
    pub fn acceptor(&self, cluster: &str) -> Result<TlsAcceptor, AuthorityError> {
        self.acceptor_for(&leaf(cluster)?)
    }

    /// A TLS server with a certificate of these parameters.
    fn acceptor_for(&self, params: &CertificateParams) -> Result<TlsAcceptor, AuthorityError> {
        let key = KeyPair::generate()?;
        let leaf = params.signed_by(&key, &self.issuer)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(std::sync::Arc::new(config)))
    }
}

/// A Teleport host certificate authority whose key follows from a seed: the same table content gives the same pins.
pub struct HostAuthority {
    key: KeyPair,
}

impl HostAuthority {
    /// The authority of a seed, as [`Storage::host_authority`](crate::practice::world::Storage::host_authority) gives it.
    ///
    /// # Errors
    /// If the key cannot be made.
    pub fn new(seed: &str) -> Result<Self, AuthorityError> {
        // PKCS#8 version 1 of an Ed25519 key (RFC 8410 section 7) is this prefix and the 32 bytes of the key.
        let mut pkcs8 = vec![
            0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22,
            0x04, 0x20,
        ];
        pkcs8.extend_from_slice(&Sha256::digest(seed.as_bytes()));
        let key =
            KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(pkcs8), &PKCS_ED25519)?;
        Ok(Self { key })
    }

    /// `sha256:` and the SHA-256 of the `SubjectPublicKeyInfo` in hex, as `tctl status` prints it.
    #[must_use]
    pub fn pin(&self) -> String {
        use std::fmt::Write as _;

        let digest = Sha256::digest(self.key.subject_public_key_info());
        digest.iter().fold(String::from("sha256:"), |mut pin, b| {
            let _ = write!(pin, "{b:02x}");
            pin
        })
    }

    /// The authority's certificate as PEM, as `/webapi/auth/export?type=tls-host` gives it.
    ///
    /// # Errors
    /// If the certificate cannot be made.
    pub fn pem(&self, cluster: &str) -> Result<String, AuthorityError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = named(cluster);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(params.self_signed(&self.key)?.pem())
    }
}

/// A certificate for the cluster name and its wildcard, as a public authority issues them: for 90 days, 30 of them gone.
fn leaf(cluster: &str) -> Result<CertificateParams, AuthorityError> {
    let day = Duration::from_hours(24);
    let now = SystemTime::now();
    let mut params = CertificateParams::new(vec![cluster.to_owned(), format!("*.{cluster}")])?;
    params.not_before = (now - day * 30).into();
    params.not_after = (now + day * 60).into();
    Ok(params)
}

/// The CA pins of the host authority of a seed: what the practice's plan says in `[cluster] ca_pins`. Empty only if the
/// cryptography fails.
#[must_use]
pub fn pins_for(seed: &str) -> Vec<String> {
    HostAuthority::new(seed).map_or_else(|_| Vec::new(), |authority| vec![authority.pin()])
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}
