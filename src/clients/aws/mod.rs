//! AWS: one configuration per region, profile, role and credentials file, and from it one client per service.
//!
//! Nothing is loaded until the first call, which comes from a probe or a step and never from the loop: an AWS
//! configuration costs 7 to 48 ms. Every side has its own configuration, connections and credentials, so that a region
//! that gives no answer delays nobody but itself.

pub mod arc;
pub mod balancer;
pub mod certificates;
mod config;
pub mod coordination;
mod credentials;
mod failure;
pub mod identity;
pub mod keys;
mod moment;
pub mod recordings;
pub mod tables;
pub mod vault;
pub mod zone;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use aws_config::SdkConfig;
use tokio::sync::OnceCell;

pub use failure::{explain, not_planned};
pub use moment::{from_sdk, to_sdk};

use crate::{
    incident::{Moment, Side},
    plan::{Plan, RegionPlan, Service},
};

/// What decides which configuration is used.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    region: String,
    profile: Option<String>,
    role: Option<String>,
    credentials_file: Option<PathBuf>,
    /// STS is asked by the configuration itself when it assumes a role.
    sts: Option<String>,
}

/// A configuration that is made when it is first needed.
#[derive(Debug)]
struct Lazy {
    key: Key,
    made: OnceCell<SdkConfig>,
    /// When the credentials in use end, as their provider said last.
    expires: Arc<Mutex<Option<Moment>>>,
}

/// The way to AWS of one side, or of the hosted zone.
#[derive(Clone, Debug)]
pub struct Reach {
    lazy: Arc<Lazy>,
    endpoints: BTreeMap<Service, String>,
}

/// Every way to AWS that a plan needs.
#[derive(Clone, Debug)]
pub struct Aws {
    primary: Reach,
    recovery: Reach,
    zone: Reach,
}

impl Aws {
    /// The ways of a plan. Cheap: nothing is read and nobody is asked.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let primary = Reach::new(key(&plan.primary), plan.primary.endpoints.clone());
        let recovery = Reach::new(key(&plan.recovery), plan.recovery.endpoints.clone());
        let mut endpoints = plan.recovery.endpoints.clone();
        if let Some(endpoint) = &plan.dns.endpoint {
            endpoints.insert(Service::Route53, endpoint.clone());
        }
        let zone = zone_key(plan);
        // The same configuration need not be loaded, nor a role assumed, twice.
        let zone = if zone == recovery.lazy.key {
            Reach {
                lazy: Arc::clone(&recovery.lazy),
                endpoints,
            }
        } else {
            Reach::new(zone, endpoints)
        };
        Self {
            primary,
            recovery,
            zone,
        }
    }

    /// The way to the region of a side.
    #[must_use]
    pub const fn side(&self, side: Side) -> &Reach {
        match side {
            Side::Primary => &self.primary,
            Side::Recovery => &self.recovery,
        }
    }

    /// The way to the hosted zone, which is often in an account of its own.
    #[must_use]
    pub const fn zone(&self) -> &Reach {
        &self.zone
    }
}

fn key(region: &RegionPlan) -> Key {
    Key {
        region: region.region.clone(),
        profile: region.profile.clone(),
        role: region.role.clone(),
        credentials_file: region.credentials_file.clone(),
        sts: region.endpoints.get(&Service::Sts).cloned(),
    }
}

/// The hosted zone's credentials: its own profile or role where the plan names one, else the recovery side's. Roles are
/// assumed in the recovery region, never in the one that failed.
fn zone_key(plan: &Plan) -> Key {
    let base = key(&plan.recovery);
    match (&plan.dns.profile, &plan.dns.role) {
        (None, None) => base,
        (profile, role) => Key {
            profile: profile.clone().or(base.profile),
            role: role.clone(),
            ..base
        },
    }
}

impl Reach {
    fn new(key: Key, endpoints: BTreeMap<Service, String>) -> Self {
        let lazy = Lazy {
            key,
            made: OnceCell::new(),
            expires: Arc::default(),
        };
        Self {
            lazy: Arc::new(lazy),
            endpoints,
        }
    }

    /// The region that is asked.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.lazy.key.region
    }

    /// When the credentials in use end; `None` for long-lived keys, and before the first signed call.
    #[must_use]
    pub fn expires(&self) -> Option<Moment> {
        *self
            .lazy
            .expires
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The same way to the same region with credentials of a session. They are held by what is returned and nowhere else.
    pub async fn with_session(&self, session: &aws_sdk_sts::types::Credentials) -> Self {
        let credentials = aws_credential_types::Credentials::new(
            session.access_key_id(),
            session.secret_access_key(),
            Some(session.session_token().to_owned()),
            std::time::SystemTime::try_from(*session.expiration()).ok(),
            "AssumeRoleWithWebIdentity",
        );
        let config = self
            .config()
            .await
            .clone()
            .into_builder()
            .credentials_provider(
                aws_credential_types::provider::SharedCredentialsProvider::new(credentials),
            )
            // A cache of its own: the one in the configuration holds the operator's credentials.
            .identity_cache(aws_sdk_sts::config::IdentityCache::lazy().build())
            .build();
        Self {
            lazy: Arc::new(Lazy {
                key: self.lazy.key.clone(),
                made: OnceCell::new_with(Some(config)),
                expires: Arc::default(),
            }),
            endpoints: self.endpoints.clone(),
        }
    }

    async fn config(&self) -> &SdkConfig {
        let lazy = &self.lazy;
        lazy.made
            .get_or_init(|| config::load(&lazy.key, Arc::clone(&lazy.expires)))
            .await
    }

    fn endpoint(&self, service: Service) -> Option<String> {
        self.endpoints.get(&service).cloned()
    }

    /// A client of AWS Certificate Manager.
    pub async fn acm(&self) -> aws_sdk_acm::Client {
        let mut builder = aws_sdk_acm::config::Builder::from(self.config().await);
        if let Some(url) = self.endpoint(Service::Acm) {
            builder = builder.endpoint_url(url);
        }
        aws_sdk_acm::Client::from_conf(builder.build())
    }

    /// A client of Amazon `DynamoDB`.
    pub async fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let mut builder = aws_sdk_dynamodb::config::Builder::from(self.config().await);
        if let Some(url) = self.endpoint(Service::DynamoDb) {
            builder = builder.endpoint_url(url);
        }
        aws_sdk_dynamodb::Client::from_conf(builder.build())
    }

    /// A client of ARC's routing control at one of a cluster's regional endpoints, signed for that region.
    pub async fn arc(&self, region: &str, url: &str) -> aws_sdk_route53recoverycluster::Client {
        let builder = aws_sdk_route53recoverycluster::config::Builder::from(self.config().await)
            .region(aws_sdk_route53recoverycluster::config::Region::new(
                region.to_owned(),
            ))
            .endpoint_url(url);
        aws_sdk_route53recoverycluster::Client::from_conf(builder.build())
    }

    /// A client of AWS Backup.
    pub async fn backup(&self) -> aws_sdk_backup::Client {
        let mut builder = aws_sdk_backup::config::Builder::from(self.config().await);
        if let Some(url) = self.endpoint(Service::Backup) {
            builder = builder.endpoint_url(url);
        }
        aws_sdk_backup::Client::from_conf(builder.build())
    }

    /// A client of Amazon EKS.
    pub async fn eks(&self) -> aws_sdk_eks::Client {
        let mut builder = aws_sdk_eks::config::Builder::from(self.config().await);
        if let Some(url) = self.endpoint(Service::Eks) {
            builder = builder.endpoint_url(url);
        }
        aws_sdk_eks::Client::from_conf(builder.build())
    }

    /// A client of Elastic Load Balancing v2.
    pub async fn load_balancing(&self) -> aws_sdk_elasticloadbalancingv2::Client {
        let mut builder =
            aws_sdk_elasticloadbalancingv2::config::Builder::from(self.config().await);
        if let Some(url) = self.endpoint(Service::LoadBalancing) {
            builder = builder.endpoint_url(url);
        }
        aws_sdk_elasticloadbalancingv2::Client::from_conf(builder.build())
    }

    /// A client of AWS IAM: one endpoint for the world, signed for us-east-1 where its control plane is.
    pub async fn iam(&self) -> aws_sdk_iam::Client {
        let mut builder = aws_sdk_iam::config::Builder::from(self.config().await);
        if let Some(url) = self.endpoint(Service::Iam) {
            builder = builder.endpoint_url(url);
        }
        aws_sdk_iam::Client::from_conf(builder.build())
    }

    /// A client of AWS KMS.
    pub async fn kms(&self) -> aws_sdk_kms::Client {
        let mut builder = aws_sdk_kms::config::Builder::from(self.config().await);
        if let Some(url) = self.endpoint(Service::Kms) {
            builder = builder.endpoint_url(url);
        }
        aws_sdk_kms::Client::from_conf(builder.build())
    }

    /// A client of AWS STS, at the region's own endpoint.
    pub async fn sts(&self) -> aws_sdk_sts::Client {
        let mut builder = aws_sdk_sts::config::Builder::from(self.config().await);
        if let Some(url) = self.endpoint(Service::Sts) {
            builder = builder.endpoint_url(url);
        }
        aws_sdk_sts::Client::from_conf(builder.build())
    }

    /// A client of Amazon Route 53: one endpoint for the world, with its control plane in us-east-1.
    pub async fn route53(&self) -> aws_sdk_route53::Client {
        let mut builder = aws_sdk_route53::config::Builder::from(self.config().await);
        if let Some(url) = self.endpoint(Service::Route53) {
            builder = builder.endpoint_url(url);
        }
        aws_sdk_route53::Client::from_conf(builder.build())
    }

    /// A client of Amazon S3. An endpoint that is not AWS's has no host name for each bucket: there the bucket goes
    /// into the path.
    pub async fn s3(&self) -> aws_sdk_s3::Client {
        let config = self.config().await;
        let mut builder = aws_sdk_s3::config::Builder::from(config);
        let from_env = config.endpoint_url().is_some()
            || ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]
                .iter()
                .any(|name| std::env::var_os(name).is_some());
        let own = self.endpoint(Service::S3);
        builder = builder.force_path_style(from_env || own.is_some());
        if let Some(url) = own {
            builder = builder.endpoint_url(url);
        }
        aws_sdk_s3::Client::from_conf(builder.build())
    }
}
