//! Predicates over the instruments, by the names that the runbook uses.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! conditions {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// A predicate over observations: may a step start, did the world change. Judged in [`crate::judge`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Condition {
            $($(#[doc = $doc])+ #[serde(rename = $name)] $variant,)+
        }

        impl Condition {
            /// Every condition, in the order of this file.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name used in the runbook.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

conditions! {
    /// The credentials of the primary belong to the planned account.
    PrimaryAccount = "primary-account",
    /// The credentials of the recovery region belong to the planned account.
    RecoveryAccount = "recovery-account",
    /// The primary's kube context reaches the planned cluster (UID of `kube-system`).
    PrimaryContext = "primary-context",
    /// The recovery region's kube context reaches the planned cluster (UID of `kube-system`).
    RecoveryContext = "recovery-context",
    /// The primary's Kubernetes API was asked and gave no answer.
    PrimarySilent = "primary-silent",
    /// Route 53's control plane was asked and gave no answer.
    DnsControlSilent = "dns-control-silent",
    /// Nothing in the primary's cluster would bring the old cluster back or undo the change of names by itself.
    ReconcilersPaused = "reconcilers-paused",
    /// An Auth Service, the primary's or the recovery's, tells roles and locks.
    AuthAnswers = "auth-answers",
    /// Every role that this incident's freeze locked has one of its locks, unexpired.
    FreezeHeld = "freeze-held",
    /// No lock that this incident's freeze made is left.
    FreezeLifted = "freeze-lifted",
    /// Every proxy pod of the primary is younger than a restart since the outage began.
    ProxiesRestarted = "proxies-restarted",
    /// Neither this session nor a kube context of the plan goes through the Teleport cluster.
    SessionElsewhere = "session-elsewhere",
    /// State and audit table exist in the recovery region, ACTIVE and not restoring.
    TablesReady = "tables-ready",
    /// For both tables there is a copy to restore from without the primary, or the table itself is there already.
    CopiesUsable = "copies-usable",
    /// The recovery state table holds the host certificate authority of the cluster. A FAIL has no way round.
    RightTable = "right-table",
    /// The recovery tables have the settings that a restore drops.
    TablesRepaired = "tables-repaired",
    /// For both tables a usable copy is reachable without the primary and within the RPO.
    BackupsFresh = "backups-fresh",
    /// The recordings bucket of the recovery region answers and is versioned.
    RecordingsReady = "recordings-ready",
    /// The black box lies in the incident's folder, with what a way back needs.
    BlackBoxRecorded = "black-box-recorded",
    /// Secrets, controllers, CRDs, node capacity, chart, image and keys that the values need are there.
    PrerequisitesMet = "prerequisites-met",
    /// No pod and no release of the old cluster is left.
    OldClusterGone = "old-cluster-gone",
    /// No address of the old load balancer answers as this cluster.
    OldDoorShut = "old-door-shut",
    /// The old load balancer, as AWS has it, has no listener or only the security group that the plan calls closed.
    OldFenced = "old-fenced",
    /// The recovery values file exists and names the recovery region's tables, bucket and region.
    ValuesWritten = "values-written",
    /// The role of the Auth Service's pods may be taken by them and grants all that the chart needs on the recovery
    /// region's tables, bucket and keys; the proxies' own, where they have one, may be taken.
    RightsGranted = "rights-granted",
    /// The certificate that the recovery values name is there for name and wildcard and valid, or its issuer is ready.
    CertificateReady = "certificate-ready",
    /// ACM of the recovery region has a certificate for name and wildcard that is issued, or shows what it waits for.
    CertificateRequested = "certificate-requested",
    /// No release of that name is in the recovery cluster yet.
    ReleaseAbsent = "release-absent",
    /// Nothing that this isolated drill made is there any more.
    DrillGone = "drill-gone",
    /// There is no release of that name in the recovery cluster, or one that Helm can upgrade.
    ReleaseInstallable = "release-installable",
    /// The release is deployed in the recovery cluster.
    ReleaseDeployed = "release-deployed",
    /// Every Auth and Proxy Deployment of the recovery cluster is available as desired, no pod crash-looping.
    PodsReady = "pods-ready",
    /// An Auth pod has reached the planned state table, and none has made a table, authorities or anything else that must
    /// stop a recovery.
    AuthLogClean = "auth-log-clean",
    /// The recovery cluster's load balancer has an address.
    LoadBalancerKnown = "load-balancer-known",
    /// Through the new load balancer, the cluster name answers ping with a valid certificate and the planned name.
    NewDoorAnswers = "new-door-answers",
    /// Three looks in a row, each at every address, found the new load balancer answering ping with the old cluster's
    /// authorities.
    NewDoorSteady = "new-door-steady",
    /// Through the new load balancer, a name under the cluster's gets a valid certificate and an answer of the proxy.
    WildcardAnswers = "wildcard-answers",
    /// The new load balancer's CA pins are those of the old cluster.
    SameAuthorities = "same-authorities",
    /// No external-dns that owns the names would write their old records back.
    NamesHeld = "names-held",
    /// Every authority serves the new target for every watched name.
    DnsPublished = "dns-published",
    /// No watched resolver gives the old target any more.
    DnsConverged = "dns-converged",
    /// The old load balancer answers as this cluster, with the pins of the black box.
    OldDoorAnswers = "old-door-answers",
    /// The hosted zone has the records that the black box has, and every authority serves them.
    DnsReverted = "dns-reverted",
    /// The old side's load balancer, the one of before or the one that its release has now, answers as this cluster, with
    /// the pins of the black box.
    OldSideAnswers = "old-side-answers",
    /// The hosted zone has the records that the black box has, or they lead to the load balancer that the old release has
    /// now; and every authority serves them.
    NamesBack = "names-back",
    /// Nothing in the primary's cluster is paused by Relight any more.
    ReconcilersResumed = "reconcilers-resumed",
    /// The public name answers ping from the new load balancer.
    PublicPing = "public-ping",
    /// The Teleport operator has reconciled every custom resource in the recovery cluster.
    ResourcesReconciled = "resources-reconciled",
    /// The public name answers as this cluster in the version that ran before.
    PublicVersion = "public-version",
    /// The public name has the certificate authorities of the old cluster, at each address.
    PublicAuthorities = "public-authorities",
    /// The recovery audit table holds an event of since the relaunch.
    AuditFlows = "audit-flows",
    /// The newest recording in the recovery region's bucket can be read.
    RecordingReadable = "recording-readable",
    /// As many agents as the plan asks for have a heartbeat of since the relaunch.
    AgentsBack = "agents-back",
    /// Bots, how they join and which are locked have been read.
    BotsKnown = "bots-known",
    /// No lock is left that a restore made on a bot.
    BotsUnlocked = "bots-unlocked",
}

impl Condition {
    /// A gate: behind it lies the outcome that looks healthy and locks everybody out, a cluster with other certificate
    /// authorities. No FAIL of any condition can be overridden; of a gate the dialog says besides what it stands for.
    #[must_use]
    pub const fn is_gate(self) -> bool {
        matches!(self, Self::RightTable | Self::SameAuthorities)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
