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
use aws_sdk_sts::config::{IdentityCache, SharedHttpClient};
use aws_smithy_http_client::{
    Builder, Connector,
    proxy::ProxyConfig,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use futures::FutureExt as _;

use super::{
    Key,
    credentials::{Ends, Remembering},
};
use crate::clients::proxy::Ways;

/// Until the TCP and TLS connection must stand.
const CONNECT: Duration = Duration::from_secs(3);
/// For one attempt, from connecting to the last byte.
const ATTEMPT: Duration = Duration::from_secs(5);
/// For an operation with its retries: less than a probe's own limit, so that the sentence is ours.
pub(super) const OPERATION: Duration = Duration::from_secs(8);

/// Loads a configuration. Reads the environment and the profile files; asks nobody before the first call.
pub(super) async fn load(key: &Key, ends: Arc<Mutex<Option<Ends>>>) -> SdkConfig {
    let region = Region::new(key.region.clone());
    let http = http_client(&Ways::of_environment());
    let base = {
        let (key, http) = (key.clone(), http.clone());
        move || base_credentials(key.clone(), http.clone())
    };
    let base = Remembering::new(Box::new(move || base().boxed()), Arc::clone(&ends));
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(region)
        .http_client(http)
        .timeout_config(timeouts())
        .retry_config(retries())
        // Answers are small, and the operation's own limit is shorter than the grace of that protection.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .credentials_provider(base)
        // What is held is held by our own, which can be told to read again.
        .identity_cache(IdentityCache::no_cache());
    if let Some(profile) = &key.profile {
        loader = loader.profile_name(profile);
    }
    let config = loader.load().await;
    match &key.role {
        None => config,
        Some(role) => assume(config, role, key.sts.as_deref(), ends).await,
    }
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build()
}

fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(2)
        .with_initial_backoff(Duration::from_millis(300))
        .with_max_backoff(Duration::from_secs(1))
}

/// Where the credentials come from. What the plan names goes before the environment; else the standard chain. Made anew
/// whenever they are read again: each keeps what it has read of the profile files for good.
async fn base_credentials(key: Key, http: SharedHttpClient) -> SharedCredentialsProvider {
    let config = ProviderConfig::without_region()
        .with_region(Some(Region::new(key.region.clone())))
        .with_behavior_version(Some(BehaviorVersion::latest()))
        .with_http_client(http)
        .with_retry_config(retries())
        .with_timeout_config(timeouts());
    if key.profile.is_none() && key.credentials_file.is_none() {
        let chain = DefaultCredentialsChain::builder()
            .configure(config)
            .build()
            .await;
        return SharedCredentialsProvider::new(chain);
    }
    let mut builder = ProfileFileCredentialsProvider::builder().configure(&config);
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
    ends: Arc<Mutex<Option<Ends>>>,
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
    let provider = SharedCredentialsProvider::new(provider);
    // It keeps nothing of its own: what it assumes the role with is read again by the base.
    let make = move || futures::future::ready(provider.clone()).boxed();
    let assumed = Remembering::new(Box::new(make), ends);
    config
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(assumed))
        .build()
}

/// An HTTP client of its own for each configuration: no pool is shared between regions. It goes through `HTTPS_PROXY`,
/// unless `NO_PROXY` or loopback say otherwise.
fn http_client(ways: &Ways) -> SharedHttpClient {
    // Without any certificate, the library would stop a debug build instead of failing the call.
    let trusted = !rustls_native_certs::load_native_certs().certs.is_empty();
    let context = TlsContext::builder()
        .with_trust_store(TrustStore::empty().with_native_roots(trusted))
        .build()
        .unwrap_or_default();
    let provider = Provider::Rustls(CryptoMode::Ring);
    let Some(proxy) = proxy(ways) else {
        return Builder::new()
            .tls_provider(provider)
            .tls_context(context)
            .build_https();
    };
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder()
            .tls_provider(provider.clone())
            .tls_context(context.clone())
            .proxy_config(proxy.clone());
        connector.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        connector.build()
    })
}

/// The proxy of the environment; one that is no address counts as none.
fn proxy(ways: &Ways) -> Option<ProxyConfig> {
    let config = ProxyConfig::https(ways.https()?).ok()?;
    Some(config.no_proxy(ways.without()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::proxy::tests::{Proxy, ways};

    /// Asks STS at an address by a client that knows a proxy. Whatever comes of it: the proxy opens no way.
    async fn ask(ways: &Ways, url: Option<&str>) {
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-west-2"))
            .http_client(http_client(ways))
            .timeout_config(timeouts())
            .retry_config(RetryConfig::disabled())
            .credentials_provider(SharedCredentialsProvider::new(
                aws_credential_types::Credentials::new("AKIA", "secret", None, None, "test"),
            ));
        config.set_endpoint_url(url.map(str::to_owned));
        let client = aws_sdk_sts::Client::new(&config.build());
        client
            .get_caller_identity()
            .send()
            .await
            .expect_err("there is nobody behind it");
    }

    #[tokio::test]
    async fn a_region_is_asked_through_the_proxy_and_loopback_and_listed_hosts_are_not() {
        let proxy = Proxy::start().await;
        let sts = "sts.us-west-2.amazonaws.com:443";
        ask(&ways(Some(&proxy.url), None), None).await;
        assert_eq!(proxy.asked(), [sts]);
        // Nobody listens there: it is asked directly, and not through the proxy.
        ask(&ways(Some(&proxy.url), None), Some("https://127.0.0.1:9")).await;
        ask(
            &ways(Some(&proxy.url), Some("listed.invalid")),
            Some("https://listed.invalid"),
        )
        .await;
        assert_eq!(proxy.asked(), [sts]);
    }
}
