//! A Teleport release in clusters of the rig: the plan for it, its values, and the chart installed where a test wants it.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
};

use relight::plan::{KubePlan, Plan};

use super::{
    helm::{self, Helm},
    kube::{ControlPlane, kubeconfig},
};

/// Where the recovery values are written to.
const RECOVERY_VALUES: &str = "values.recovery.yaml";

/// A plan whose files lie in a folder.
pub struct Release {
    /// The plan.
    pub plan: Arc<Plan>,
    folder: PathBuf,
}

impl Release {
    /// Writes kubeconfig, values and plan for these clusters. A side without a cluster has no context.
    pub fn new(folder: &Path, helm: Helm, planes: &[&ControlPlane]) -> Self {
        kubeconfig(&folder.join("kubeconfig"), planes);
        let sides = [
            ("primary", "us-east-1", "teleport"),
            ("recovery", "us-west-2", "teleport-dr"),
        ];
        let mut text = format!(
            "[cluster]\nname = \"teleport.example.com\"\nchart = \"{}\"\nversion = \"18.2.4\"\nvalues = \"values.yaml\"\n\
             [tools]\nhelm = \"{}\"\n[dns]\npublic_resolvers = []\n",
            helm::chart().display(),
            helm.program().display()
        );
        for (side, region, stem) in sides {
            let _ = writeln!(
                text,
                "[{side}]\nregion = {region:?}\naccount = \"111122223333\"\nstate_table = \"{stem}-state\"\n\
                 audit_table = \"{stem}-audit\"\nrecordings_bucket = \"{stem}-recordings\""
            );
            if side == "recovery" {
                let _ = writeln!(text, "values = {RECOVERY_VALUES:?}");
            }
            if let Some(plane) = planes.iter().find(|plane| plane.side.word() == side) {
                let _ = writeln!(
                    text,
                    "[{side}.kube]\ncontext = {side:?}\nkubeconfig = \"kubeconfig\"\nuid = {:?}",
                    plane.uid
                );
            }
        }
        let path = folder.join("relight.toml");
        std::fs::write(&path, &text).expect("written");
        let release = Self {
            plan: Arc::new(Plan::parse(&path, &text).expect("a plan")),
            folder: folder.to_owned(),
        };
        release.values("");
        release
    }

    /// Writes the operator's values file, those of the primary, with more lines at its end.
    pub fn values(&self, more: &str) {
        std::fs::write(
            self.folder.join("values.yaml"),
            values("us-east-1", "teleport", more),
        )
        .expect("written");
    }

    /// Writes the recovery values file as the runbook would, with more lines at its end.
    pub fn recovery_values(&self, more: &str) {
        std::fs::write(
            self.recovery_values_file(),
            values("us-west-2", "teleport-dr", more),
        )
        .expect("written");
    }

    /// Where the recovery values are.
    pub fn recovery_values_file(&self) -> PathBuf {
        self.folder.join(RECOVERY_VALUES)
    }

    /// A plan that differs.
    pub fn changed(&self, change: impl FnOnce(&mut Plan)) -> Arc<Plan> {
        let mut plan = (*self.plan).clone();
        change(&mut plan);
        Arc::new(plan)
    }

    /// A kube plan of another user: `primary-limited`, `recovery-limited`.
    pub fn as_user(&self, context: &str) -> KubePlan {
        KubePlan {
            context: Some(context.to_owned()),
            kubeconfig: Some(self.folder.join("kubeconfig")),
            uid: None,
            eks_cluster: None,
        }
    }

    /// Installs the chart in the primary, with the primary's values and context.
    pub fn install_in_primary(&self) -> Output {
        let there = self.changed(|plan| {
            plan.recovery.kube = plan.primary.kube.clone();
            plan.recovery.values.clone_from(&plan.cluster.values);
        });
        helm::install(&there)
    }

    /// Uninstalls in the recovery cluster, by Helm itself: the runbook's step stops the primary's.
    pub fn uninstall_in_recovery(&self) -> Output {
        let kube = &self.plan.recovery.kube;
        let context = kube.context.as_deref().expect("a context");
        let mut helm = Command::new(&self.plan.tools.helm);
        helm.args(["uninstall", &self.plan.cluster.release, "--wait"])
            .args(["--namespace", &self.plan.cluster.namespace])
            .args(["--kube-context", context, "--kubeconfig"])
            .arg(kube.kubeconfig.as_deref().expect("a kubeconfig"));
        helm::at_home(&self.plan, &mut helm);
        helm.output().expect("helm")
    }
}

/// The values file of an operator who runs two of each.
fn values(region: &str, stem: &str, more: &str) -> String {
    format!(
        "# The operator's own.\nchartMode: aws\nclusterName: teleport.example.com\nproxyListenerMode: multiplex\naws:\n  \
         region: {region}\n  backendTable: {stem}-state\n  auditLogTable: {stem}-audit\n  sessionRecordingBucket: \
         {stem}-recordings\nhighAvailability:\n  replicaCount: 2\n  minReadySeconds: 1\n  certManager:\n    enabled: true\n    \
         issuerName: letsencrypt\n{more}"
    )
}

/// What a program printed, for a message.
pub fn told(output: &Output) -> String {
    format!(
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// A program that must have done its work.
pub fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}", told(output));
    told(output)
}
