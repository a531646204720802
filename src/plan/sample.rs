//! A full plan for the tests of other rooms.

use std::time::Duration;

use super::{
    BlackBoxPlan, ClusterPlan, DnsPlan, FreezePlan, KubePlan, Objectives, Plan, RegionPlan,
    ResourcesPlan, Tools, WatchPlan, WebPlan,
};

fn region(region: &str, name: &str) -> RegionPlan {
    RegionPlan {
        region: region.to_owned(),
        account: Some("123456789012".to_owned()),
        profile: None,
        role: None,
        credentials_file: None,
        kube: KubePlan {
            context: Some(name.to_owned()),
            kubeconfig: Some(format!("/etc/kube/{name}").into()),
            uid: None,
            eks_cluster: None,
        },
        state_table: Some(format!("{name}-state")),
        audit_table: Some(format!("{name}-audit")),
        bucket: Some(format!("{name}-recordings")),
        backup_vault: Some(name.to_owned()),
        backup_role: Some("arn:aws:iam::123456789012:role/backup".to_owned()),
        fence_group: None,
        table_key: None,
        restore_from: None,
        kms_keys: Vec::new(),
        certificate: None,
        auth_role: None,
        proxy_role: None,
        issuer: None,
        set: std::collections::BTreeMap::new(),
        values: Some(format!("/etc/{name}-values.yaml").into()),
        load_balancer: Vec::new(),
        endpoints: std::collections::BTreeMap::new(),
    }
}

/// A plan in which nothing is missing that the runbook's argv needs.
#[must_use]
pub(crate) fn plan() -> Plan {
    Plan {
        path: "/etc/relight.toml".into(),
        digest: String::new(),
        cluster: ClusterPlan {
            name: "teleport.example.com".to_owned(),
            release: "teleport-cluster".to_owned(),
            namespace: "teleport".to_owned(),
            chart: "teleport/teleport-cluster".to_owned(),
            version: Some("17.0.2".to_owned()),
            values: Some("/etc/values.yaml".into()),
            port: 443,
            ca_pins: Vec::new(),
            tsh_home: None,
            agent_config: Vec::new(),
            agents: None,
        },
        primary: region("us-east-1", "east"),
        recovery: region("us-west-2", "west"),
        dns: DnsPlan {
            arc: None,
            zone_id: Some("Z1".to_owned()),
            zone: Some("example.com".to_owned()),
            private: false,
            profile: None,
            role: None,
            endpoint: None,
            names: vec!["teleport.example.com".to_owned()],
            hot_names: Vec::new(),
            record_ttl: 60,
            resolvers: Vec::new(),
            public_resolvers: None,
            nameservers: Vec::new(),
            lookup: Vec::new(),
            old: Vec::new(),
            new: Vec::new(),
            interval: Duration::from_secs(10),
        },
        web: WebPlan::default(),
        objectives: Objectives {
            rto: Duration::from_hours(1),
            rpo: Duration::from_mins(15),
            agents: 95,
            agents_within: Duration::from_mins(10),
        },
        black_box: BlackBoxPlan::default(),
        freeze: FreezePlan::default(),
        approvals: super::ApprovalsPlan::default(),
        watch: WatchPlan::default(),
        coordination: None,
        resources: ResourcesPlan::default(),
        tools: Tools {
            helm: "helm".to_owned(),
            kubectl: "kubectl".to_owned(),
        },
        runbook: None,
        drill: super::DrillPlan::default(),
        practice: false,
        warnings: Vec::new(),
    }
}
