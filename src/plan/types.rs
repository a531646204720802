//! The plan as the other rooms see it: validated, paths made absolute, gaps as `None`.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use super::Diagnostic;
use crate::incident::{Risk, Side, StepId, TableRole, source::Means};

/// What the operator declared beforehand.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Where it was read from.
    pub path: PathBuf,
    /// SHA-256 of the text, in hex: the journal names the plan it was made under.
    pub digest: String,
    /// `[cluster]`
    pub cluster: ClusterPlan,
    /// `[primary]`
    pub primary: RegionPlan,
    /// `[recovery]`
    pub recovery: RegionPlan,
    /// `[dns]`
    pub dns: DnsPlan,
    /// `[web]`
    pub web: WebPlan,
    /// `[objectives]`
    pub objectives: Objectives,
    /// `[black_box]`
    pub black_box: BlackBoxPlan,
    /// `[freeze]`
    pub freeze: FreezePlan,
    /// `[approvals]`
    pub approvals: ApprovalsPlan,
    /// `[watch]`
    pub watch: WatchPlan,
    /// `[coordination]`; `None` where incidents are this machine's alone.
    pub coordination: Option<CoordinationPlan>,
    /// `[resources]`
    pub resources: ResourcesPlan,
    /// `[tools]`
    pub tools: Tools,
    /// `[drill]`
    pub drill: DrillPlan,
    /// `[runbook] file`: the operator's own steps, see [`super::runbook`].
    pub runbook: Option<PathBuf>,
    /// `practice = true`: written by the practice region; the banner says so and nothing leaves loopback.
    pub practice: bool,
    /// What is odd but not wrong, and what is missing: shown by `relight plan check`.
    pub warnings: Vec<Diagnostic>,
}

impl Plan {
    /// The region of a side.
    #[must_use]
    pub const fn side(&self, side: Side) -> &RegionPlan {
        match side {
            Side::Primary => &self.primary,
            Side::Recovery => &self.recovery,
        }
    }
}

/// `[cluster]`: the Teleport cluster, the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterPlan {
    /// `name`: the cluster name, a fully qualified domain name that never changes.
    pub name: String,
    /// `release`: Helm release, `teleport-cluster` unless said.
    pub release: String,
    /// `namespace`: Kubernetes namespace, `teleport` unless said.
    pub namespace: String,
    /// `chart`: `teleport/teleport-cluster`, a path to a `.tgz` or an `oci://` reference.
    pub chart: String,
    /// `version`: chart version, pinned.
    pub version: Option<String>,
    /// `values`: the operator's values file.
    pub values: Option<PathBuf>,
    /// `port`: the port of the public address, 443 unless said.
    pub port: u16,
    /// `ca_pins`: pins of the host CA as `sha256:…`, recorded beforehand (`tctl status`).
    pub ca_pins: Vec<String>,
    /// `tsh_home`: the folder of `tsh` that is read where nothing else tells the authorities; `TELEPORT_HOME` or `~/.tsh`
    /// unless said.
    pub tsh_home: Option<PathBuf>,
    /// `agent_config`: configurations of this cluster's agents whose `ca_pin` is read where nothing else tells;
    /// `/etc/teleport.yaml` unless said.
    pub agent_config: Vec<PathBuf>,
    /// `agents`: how many agents (nodes, applications, databases, Kubernetes clusters, desktop services) there usually
    /// are, for where no black box has counted them.
    pub agents: Option<u32>,
}

impl ClusterPlan {
    /// The names that the proxies' certificate must be for: the cluster's, and its wildcard for web applications.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        vec![self.name.clone(), format!("*.{}", self.name)]
    }
}

/// `[primary]` or `[recovery]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionPlan {
    /// `region`: AWS Region.
    pub region: String,
    /// `account`: twelve digits. Credentials of another account lock everything above `look`.
    pub account: Option<String>,
    /// `profile`: named profile of the AWS configuration.
    pub profile: Option<String>,
    /// `role`: ARN of a role to assume on top of the profile.
    pub role: Option<String>,
    /// `credentials_file`: an AWS shared credentials file instead of the default one.
    pub credentials_file: Option<PathBuf>,
    /// `[….kube]`
    pub kube: KubePlan,
    /// `state_table`
    pub state_table: Option<String>,
    /// `audit_table`
    pub audit_table: Option<String>,
    /// `recordings_bucket`
    pub bucket: Option<String>,
    /// `backup_vault`: AWS Backup vault; on the recovery side the one that holds the copies.
    pub backup_vault: Option<String>,
    /// `backup_role`: role that AWS Backup restores with.
    pub backup_role: Option<String>,
    /// `table_key`: ARN of the KMS key that restored tables are encrypted with; a key that AWS owns unless said.
    pub table_key: Option<String>,
    /// `restore_from`: the one kind of copy that tables are restored from; the best that answers unless said.
    pub restore_from: Option<Means>,
    /// `kms_keys`: keys that tables, bucket or authorities depend on.
    pub kms_keys: Vec<String>,
    /// `certificate`: ARN of the ACM certificate.
    pub certificate: Option<String>,
    /// `auth_role`: ARN of the IAM role that the Auth Service's pods work with.
    pub auth_role: Option<String>,
    /// `proxy_role`: ARN of the IAM role of the Proxy Service's pods, where they have one of their own.
    pub proxy_role: Option<String>,
    /// `issuer`: name of the cert-manager Issuer (`highAvailability.certManager.issuerName`).
    pub issuer: Option<String>,
    /// `[….set]`: further values by their path, for what nothing else here says. Recovery side only.
    pub set: BTreeMap<Vec<String>, String>,
    /// `values`: where the recovery values are written; beside the operator's file unless said. Recovery side only.
    pub values: Option<PathBuf>,
    /// `load_balancer`: host name or address of the proxy's load balancer, where it is known beforehand.
    pub load_balancer: Vec<String>,
    /// `fence_security_group`: a security group without rules that the old load balancer gets instead of losing its
    /// listeners. Primary side only.
    pub fence_group: Option<String>,
    /// `[….endpoints]`: endpoint overrides by service.
    pub endpoints: BTreeMap<Service, String>,
}

impl RegionPlan {
    /// The table of that role.
    #[must_use]
    pub fn table(&self, role: TableRole) -> Option<&str> {
        match role {
            TableRole::State => self.state_table.as_deref(),
            TableRole::Audit => self.audit_table.as_deref(),
        }
    }
}

/// `[primary.kube]` or `[recovery.kube]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KubePlan {
    /// `context`: name of the kube context. Never the current one by default: two clusters are in play.
    pub context: Option<String>,
    /// `kubeconfig`: file that holds it; `KUBECONFIG` or `~/.kube/config` unless said.
    pub kubeconfig: Option<PathBuf>,
    /// `uid`: UID of the `kube-system` namespace, which pins the cluster behind the context.
    pub uid: Option<String>,
    /// `eks_cluster`: name of the EKS cluster, where the context is no ARN of it.
    pub eks_cluster: Option<String>,
}

/// An AWS service that has an endpoint of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// AWS Certificate Manager.
    Acm,
    /// AWS Backup.
    Backup,
    /// Amazon `DynamoDB`.
    DynamoDb,
    /// Amazon EKS.
    Eks,
    /// AWS IAM: one endpoint for the world, with its control plane in us-east-1.
    Iam,
    /// AWS KMS.
    Kms,
    /// Elastic Load Balancing v2.
    LoadBalancing,
    /// Amazon Route 53.
    Route53,
    /// Amazon S3.
    S3,
    /// AWS STS.
    Sts,
}

impl Service {
    /// Every service, by name.
    pub const ALL: [Self; 10] = [
        Self::Acm,
        Self::Backup,
        Self::DynamoDb,
        Self::Eks,
        Self::LoadBalancing,
        Self::Iam,
        Self::Kms,
        Self::Route53,
        Self::S3,
        Self::Sts,
    ];

    /// The key in `[….endpoints]`.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Acm => "acm",
            Self::Backup => "backup",
            Self::DynamoDb => "dynamodb",
            Self::Eks => "eks",
            Self::LoadBalancing => "elasticloadbalancing",
            Self::Iam => "iam",
            Self::Kms => "kms",
            Self::Route53 => "route53",
            Self::S3 => "s3",
            Self::Sts => "sts",
        }
    }
}

/// `[dns]`
#[derive(Clone, Debug, PartialEq)]
pub struct DnsPlan {
    /// `zone_id`: Route 53 hosted zone id.
    pub zone_id: Option<String>,
    /// `zone`: name of the hosted zone; it must own every name.
    pub zone: Option<String>,
    /// `private`: a private hosted zone.
    pub private: bool,
    /// `profile`: the zone is often in another account.
    pub profile: Option<String>,
    /// `role`
    pub role: Option<String>,
    /// `endpoint`: override of Route 53's endpoint.
    pub endpoint: Option<String>,
    /// `names`: the names to switch: the cluster name and its wildcard, unless said.
    pub names: Vec<String>,
    /// `hot_names`: names under the wildcard that are in use, so that caches hold them.
    pub hot_names: Vec<String>,
    /// `record_ttl`: TTL of the records written, in seconds; 60 unless said.
    pub record_ttl: u32,
    /// `resolvers`: own resolvers first.
    pub resolvers: Vec<ResolverPlan>,
    /// `public_resolvers`: ids from `assets/resolvers.toml`; three large ones unless said, none for an empty list.
    pub public_resolvers: Option<Vec<String>>,
    /// `nameservers`: the authorities by address, where they are not to be found from the parent.
    pub nameservers: Vec<ResolverPlan>,
    /// `lookup`: servers for Relight's own look-ups; the system's unless said.
    pub lookup: Vec<SocketAddr>,
    /// `old`: addresses or host names that the names point to before.
    pub old: Vec<String>,
    /// `new`: addresses or host names that they are to point to, where known beforehand.
    pub new: Vec<String>,
    /// `interval`: seconds between two sweeps; 10 unless said.
    pub interval: Duration,
    /// `[dns.arc]`: routing controls that move the names without Route 53's control plane.
    pub arc: Option<ArcPlan>,
}

/// `[dns.arc]`: Amazon Application Recovery Controller (ARC) routing control.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArcPlan {
    /// `[dns.arc.endpoints]`: the cluster's regional endpoints, URL by region. There are five, and any one will do.
    pub endpoints: BTreeMap<String, String>,
    /// `on`: ARNs of the routing controls that are On once the names lead to the recovery region.
    pub on: Vec<String>,
    /// `off`: ARNs of those that are Off then.
    pub off: Vec<String>,
    /// `safety_rules_to_override`: ARNs of safety rules that may be overridden if they refuse; none unless said.
    pub overridable: Vec<String>,
}

impl ArcPlan {
    /// The endpoints in the order in which they are asked: the recovery region's first, the failed region's last.
    #[must_use]
    pub fn rotation(&self, failed: &str, recovery: &str) -> Vec<(&str, &str)> {
        let mut all: Vec<(&str, &str)> = self
            .endpoints
            .iter()
            .map(|(region, url)| (region.as_str(), url.as_str()))
            .collect();
        all.sort_by_key(|(region, _)| (*region == failed, *region != recovery));
        all
    }
}

impl DnsPlan {
    /// Whether resolvers alone can tell what a name says: no authority of a private zone can be asked from outside its
    /// networks, unless the plan lists some.
    #[must_use]
    pub fn by_resolvers(&self) -> bool {
        self.private && self.nameservers.is_empty()
    }
}

/// A DNS server with the name it is listed under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolverPlan {
    /// What the pane calls it.
    pub label: String,
    /// Its address.
    pub address: SocketAddr,
}

/// `[web]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebPlan {
    /// `ca_file`: PEM of a private authority to trust for the proxy's certificate, beside the system's.
    pub ca_file: Option<PathBuf>,
}

/// `[objectives]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Objectives {
    /// `rto`: recovery time objective; one hour unless said ("at least an hour", the guide).
    pub rto: Duration,
    /// `rpo`: recovery point objective; 15 minutes unless said.
    pub rpo: Duration,
    /// `agents`: how much of the agents must be back, in percent; 95 unless said.
    pub agents: u8,
    /// `agents_within`: how long another agent is waited for before the rest counts as gone; ten minutes unless said.
    pub agents_within: Duration,
}

/// `[black_box]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlackBoxPlan {
    /// `copy_to`: where in the recovery region a copy goes; `None`: it lies on this host only.
    pub copy_to: Option<CopyTo>,
}

/// A place in S3, in the recovery region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyTo {
    /// The bucket.
    pub bucket: String,
    /// What keys begin with: empty, or with a slash at its end.
    pub prefix: String,
}

/// `[freeze]`: the change freeze.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreezePlan {
    /// `roles`: the roles to lock, and no others; `None`: every role that may change something but those of bots, of the
    /// operator, and those that change locks alone.
    pub roles: Option<Vec<String>>,
    /// `exclude`: roles that are never locked.
    pub exclude: Vec<String>,
    /// `ttl`: how long a lock holds; 24 hours unless said.
    pub ttl: Duration,
    /// `message`: what the locked are told.
    pub message: Option<String>,
}

impl Default for FreezePlan {
    fn default() -> Self {
        Self {
            roles: None,
            exclude: Vec::new(),
            ttl: Duration::from_hours(24),
            message: None,
        }
    }
}

/// `[approvals]`: what a second person has to approve before it is confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalsPlan {
    /// `steps`: risks and steps; none unless said.
    pub steps: Vec<Approved>,
    /// `expires`: how long an approval is good; ten minutes unless said.
    pub expires: Duration,
}

impl Default for ApprovalsPlan {
    fn default() -> Self {
        Self {
            steps: Vec::new(),
            expires: Duration::from_mins(10),
        }
    }
}

impl ApprovalsPlan {
    /// Whether a step of this risk needs an approval.
    #[must_use]
    pub fn covers(&self, step: &str, risk: Risk) -> bool {
        self.steps.iter().any(|approved| match approved {
            Approved::Risk(named) => *named == risk,
            Approved::Step(id) => id.as_str() == step,
        })
    }
}

/// What `[approvals] steps` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Approved {
    /// Every step of a risk: `destroy` or `change`.
    Risk(Risk),
    /// One step, by its id.
    Step(StepId),
}

/// `[coordination]`: a table by which several bastions share one incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoordinationPlan {
    /// `table`: a `DynamoDB` table of the recovery region with the keys `incident` (S) and `seq` (N).
    pub table: String,
    /// `lease`: how long a holder may be silent before another may take over without asking; 20 seconds unless said.
    pub lease: Duration,
}

/// `[watch]`: what `relight watch` does beside telling.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchPlan {
    /// `on_event`: a program with its arguments that is run at every alarm and when one is over; empty for none.
    pub on_event: Vec<String>,
}

/// `[resources]`: Teleport's dynamic resources, applied once the recovery cluster runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourcesPlan {
    /// `manifests`: files and folders with the operator's custom resources.
    pub manifests: Vec<PathBuf>,
    /// `flux`: Kustomizations of Flux in the recovery cluster that apply them, as `namespace/name`.
    pub flux: Vec<String>,
}

/// `[drill]`: what an isolated drill uses instead of what is real.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DrillPlan {
    /// `namespace`: one that was prepared for drills, with the Secrets that the values name; one of the drill's own
    /// unless said.
    pub namespace: Option<String>,
    /// `auth_role`: ARN of the IAM role that the Auth Service's pods of a drill work with; the recovery side's unless said.
    pub auth_role: Option<String>,
    /// `proxy_role`: the same of the Proxy Service's pods.
    pub proxy_role: Option<String>,
    /// `table_key`: ARN of the KMS key that a drill's tables are encrypted with; a key that AWS owns unless said.
    pub table_key: Option<String>,
    /// `[drill.set]`: further values by their path, over those of `[recovery.set]`.
    pub set: BTreeMap<Vec<String>, String>,
    /// `[drill.isolated]`: the drill that this is the plan of; in nobody's own plan.
    pub isolated: Option<Isolated>,
}

/// `[drill.isolated]`, written by `relight drill isolated` into the plan of the drill, and what it put aside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Isolated {
    /// `stamp`: what all of the drill's names end in.
    pub stamp: String,
    /// `of`: the operator's own plan, from whose folder relative paths are taken.
    pub of: PathBuf,
    /// The release that is real.
    pub release: String,
    /// Its namespace.
    pub namespace: String,
    /// The tables of both sides that are real.
    pub tables: Vec<String>,
}

/// `[tools]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tools {
    /// `helm`: path or name of the Helm binary.
    pub helm: String,
    /// `kubectl`: path or name of kubectl, for `tctl` in the Auth pods.
    pub kubectl: String,
}
