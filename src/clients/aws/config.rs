//! How an AWS configuration is made: bounded in every direction, since a region that hangs is what Relight is for.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_config::{
    BehaviorVersion, Region, SdkConfig, default_provider::credentials::DefaultCredentialsChain,
    profile::ProfileFileCredentialsProvider, provider_config::ProviderConfig, retry::RetryConfig,
    stalled_stream_protection::StalledStreamProtectionConfig, sts::AssumeRoleProvider,
    timeout::TimeoutConfig,
};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sts::config::SharedHttpClient;
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};

use super::{Key, credentials::Remembering};
use crate::incident::Moment;

/// Until the TCP and TLS connection must stand.
const CONNECT: Duration = Duration::from_secs(3);
/// For one attempt, from connecting to the last byte.
const ATTEMPT: Duration = Duration::from_secs(5);
/// For an operation with its retries: less than a probe's own limit, so that the sentence is ours.
pub(super) const OPERATION: Duration = Duration::from_secs(8);

/// Loads a configuration. Reads the environment and the profile files; asks nobody before the first call.
pub(super) async fn load(key: &Key, expires: Arc<Mutex<Option<Moment>>>) -> SdkConfig {
    let region = Region::new(key.region.clone());
    let http = http_client();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build();
    let retries = RetryConfig::standard()
        .with_max_attempts(2)
        .with_initial_backoff(Duration::from_millis(300))
        .with_max_backoff(Duration::from_secs(1));
    let provider_config = ProviderConfig::without_region()
        .with_region(Some(region.clone()))
        .with_behavior_version(Some(BehaviorVersion::latest()))
        .with_http_client(http.clone())
        .with_retry_config(retries.clone())
        .with_timeout_config(timeouts.clone());
    let base = base_credentials(key, &provider_config).await;
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(region)
        .http_client(http)
        .timeout_config(timeouts)
        .retry_config(retries)
        // Answers are small, and the operation's own limit is shorter than the grace of that protection.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .credentials_provider(Remembering::new(base, Arc::clone(&expires)));
    if let Some(profile) = &key.profile {
        loader = loader.profile_name(profile);
    }
    let config = loader.load().await;
    match &key.role {
        None => config,
        Some(role) => assume(config, role, key.sts.as_deref(), expires).await,
    }
}

/// Where the credentials come from. What the plan names goes before the environment; else the standard chain.
async fn base_credentials(key: &Key, config: &ProviderConfig) -> SharedCredentialsProvider {
    if key.profile.is_none() && key.credentials_file.is_none() {
        let chain = DefaultCredentialsChain::builder()
            .configure(config.clone())
            .build()
            .await;
        return SharedCredentialsProvider::new(chain);
    }
    let mut builder = ProfileFileCredentialsProvider::builder().configure(config);
    if let Some(profile) = &key.profile {
        builder = builder.profile_name(profile);
    }
    if let Some(file) = &key.credentials_file {
        builder = builder.profile_files(files(file));
    }
    SharedCredentialsProvider::new(builder.build())
}

#[expect(
    deprecated,
    reason = "the names moved to aws-runtime, which is no dependency of ours; the types are the same"
)]
fn files(credentials: &std::path::Path) -> aws_config::profile::profile_file::ProfileFiles {
    use aws_config::profile::profile_file::{ProfileFileKind, ProfileFiles};

    ProfileFiles::builder()
        .include_default_config_file(true)
        .with_file(ProfileFileKind::Credentials, credentials)
        .build()
}

/// The same configuration with a role assumed on top, at the STS endpoint of its own region.
async fn assume(
    config: SdkConfig,
    role: &str,
    sts: Option<&str>,
    expires: Arc<Mutex<Option<Moment>>>,
) -> SdkConfig {
    let mut at = config.clone().into_builder();
    if let Some(url) = sts {
        at = at.endpoint_url(url);
    }
    let provider = AssumeRoleProvider::builder(role)
        .session_name("relight")
        .configure(&at.build())
        .build()
        .await;
    let assumed = Remembering::new(SharedCredentialsProvider::new(provider), expires);
    config
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(assumed))
        // A cache of its own: the one in `config` holds the credentials from before the role.
        .identity_cache(aws_sdk_sts::config::IdentityCache::lazy().build())
        .build()
}

/// An HTTP client of its own for each configuration: no pool is shared between regions.
fn http_client() -> SharedHttpClient {
    // Without any certificate, the library would stop a debug build instead of failing the call.
    let trusted = !rustls_native_certs::load_native_certs().certs.is_empty();
    let context = TlsContext::builder()
        .with_trust_store(TrustStore::empty().with_native_roots(trusted))
        .build()
        .unwrap_or_default();
    Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context)
        .build_https()
}
