//! `[primary]` and `[recovery]`.

use std::{collections::BTreeMap, path::Path};

use super::{
    reader::{Reader, Span},
    rules,
    section::Section,
};
use crate::{
    incident::{Side, TableRole},
    plan::{KubePlan, RegionPlan, Service},
};

/// Where the parts of a region stand in the text, for the checks across regions.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    /// The region's name, or its table.
    pub(super) region: Span,
    /// `state_table` and `audit_table`.
    pub(super) tables: [Option<Span>; 2],
    /// `recordings_bucket`
    pub(super) bucket: Option<Span>,
    /// `[….kube] context`
    pub(super) context: Option<Span>,
    /// `[….kube] uid`
    pub(super) uid: Option<Span>,
    /// `values`
    pub(super) values: Option<Span>,
    /// Endpoint overrides.
    pub(super) endpoints: BTreeMap<Service, Span>,
    /// `load_balancer`, entry by entry.
    pub(super) load_balancer: Vec<Span>,
}

/// One side's table.
pub(super) fn region(
    top: &mut Section<'_, '_>,
    reader: &mut Reader<'_>,
    side: Side,
    folder: &Path,
) -> (RegionPlan, Places) {
    let mut section = top.section(reader, side.word());
    let mut places = Places {
        region: section.span.clone(),
        ..Places::default()
    };
    let region = section.parsed(reader, "region", rules::region);
    if !section.has("region") {
        reader.missing(
            &section.span,
            format!("[{side}] has no region"),
            "write region = \"us-west-2\", the AWS Region of this side",
        );
    }
    if let Some(region) = &region {
        places.region = region.span.clone();
    }
    let account = section.parsed(reader, "account", rules::account);
    let profile = section.text(reader, "profile");
    let role = section.parsed(reader, "role", rules::role);
    let credentials_file = section.path(reader, "credentials_file", folder);
    let state_table = section.parsed(reader, "state_table", rules::table);
    let audit_table = section.parsed(reader, "audit_table", rules::table);
    let bucket = section.parsed(reader, "recordings_bucket", rules::bucket);
    let backup_vault = section.text(reader, "backup_vault");
    let backup_role = section.parsed(reader, "backup_role", rules::role);
    let table_key = section.parsed(reader, "table_key", rules::key);
    let restore_from = section.parsed(reader, "restore_from", rules::way);
    let kms_keys = section.list(reader, "kms_keys", rules::text);
    let certificate = section.parsed(reader, "certificate", rules::certificate);
    let auth_role = section.parsed(reader, "auth_role", rules::role);
    let proxy_role = section.parsed(reader, "proxy_role", rules::role);
    let issuer = section.text(reader, "issuer");
    let values = section.path(reader, "values", folder);
    let load_balancer = section.list(reader, "load_balancer", rules::target);
    let fence_group = section.parsed(reader, "fence_security_group", rules::security_group);
    let start = section.span.clone();
    let (kube, context_place, uid_place) = kube(&mut section, reader, folder);
    let set = section
        .section(reader, "set")
        .settings(reader, rules::setting);
    let endpoints = endpoints(&mut section, reader, &mut places);
    section.finish(reader);

    places.tables = [
        state_table.as_ref().map(|found| found.span.clone()),
        audit_table.as_ref().map(|found| found.span.clone()),
    ];
    places.bucket = bucket.as_ref().map(|found| found.span.clone());
    places.context = context_place;
    places.uid = uid_place;
    places.values = values.as_ref().map(|found| found.span.clone());
    let load_balancer = load_balancer.unwrap_or_default();
    places.load_balancer = load_balancer
        .iter()
        .map(|found| found.span.clone())
        .collect();
    let plan = RegionPlan {
        region: region.map(|found| found.value).unwrap_or_default(),
        account: account.map(|found| found.value),
        profile: profile.map(|found| found.value),
        role: role.map(|found| found.value),
        credentials_file: credentials_file.map(|found| found.value),
        kube,
        state_table: state_table.map(|found| found.value),
        audit_table: audit_table.map(|found| found.value),
        bucket: bucket.map(|found| found.value),
        backup_vault: backup_vault.map(|found| found.value),
        backup_role: backup_role.map(|found| found.value),
        table_key: table_key.map(|found| found.value),
        restore_from: restore_from.map(|found| found.value),
        kms_keys: kms_keys
            .unwrap_or_default()
            .into_iter()
            .map(|found| found.value)
            .collect(),
        certificate: certificate.map(|found| found.value),
        auth_role: auth_role.map(|found| found.value),
        proxy_role: proxy_role.map(|found| found.value),
        issuer: issuer.map(|found| found.value),
        set,
        values: values.map(|found| found.value),
        load_balancer: load_balancer.into_iter().map(|found| found.value).collect(),
        fence_group: fence_group.map(|found| found.value),
        endpoints,
    };
    gaps(reader, side, &plan, &start);
    (plan, places)
}

fn kube(
    side: &mut Section<'_, '_>,
    reader: &mut Reader<'_>,
    folder: &Path,
) -> (KubePlan, Option<Span>, Option<Span>) {
    let mut section = side.section(reader, "kube");
    let context = section.parsed(reader, "context", rules::argument);
    let kubeconfig = section.path(reader, "kubeconfig", folder);
    let uid = section.parsed(reader, "uid", rules::uid);
    let eks_cluster = section.text(reader, "eks_cluster");
    section.finish(reader);
    let places = (
        context.as_ref().map(|found| found.span.clone()),
        uid.as_ref().map(|found| found.span.clone()),
    );
    let plan = KubePlan {
        context: context.map(|found| found.value),
        kubeconfig: kubeconfig.map(|found| found.value),
        uid: uid.map(|found| found.value),
        eks_cluster: eks_cluster.map(|found| found.value),
    };
    (plan, places.0, places.1)
}

fn endpoints(
    side: &mut Section<'_, '_>,
    reader: &mut Reader<'_>,
    places: &mut Places,
) -> BTreeMap<Service, String> {
    let mut section = side.section(reader, "endpoints");
    let mut endpoints = BTreeMap::new();
    for service in Service::ALL {
        if let Some(found) = section.parsed(reader, service.key(), rules::endpoint) {
            places.endpoints.insert(service, found.span);
            endpoints.insert(service, found.value);
        }
    }
    section.finish(reader);
    endpoints
}

/// What is not declared, and what is locked without it.
fn gaps(reader: &mut Reader<'_>, side: Side, plan: &RegionPlan, place: &Span) {
    let recovery = side == Side::Recovery;
    let mut gap = |key: &str, locked: &str, remedy: &str| {
        reader.gap(
            place,
            format!("[{side}] {key} is not declared: {locked}"),
            remedy,
        );
    };
    if plan.account.is_none() {
        let locked = if recovery {
            "credentials cannot be told from another account's, so installing is locked"
        } else {
            "credentials cannot be told from another account's"
        };
        gap(
            "account",
            locked,
            "write the twelve digits of the AWS account",
        );
    }
    for role in TableRole::BOTH {
        if plan.table(role).is_none() {
            let locked = if recovery {
                "verifying backups, writing the recovery values and installing are locked"
            } else {
                "the age of its data and its backups are not watched"
            };
            let remedy = match role {
                TableRole::State => "write the name of the table of aws.backendTable",
                TableRole::Audit => "write the name of the table of aws.auditLogTable",
            };
            gap(&format!("{role}_table"), locked, remedy);
        }
    }
    if plan.bucket.is_none() {
        let locked = if recovery {
            "verifying recordings and writing the recovery values are locked"
        } else {
            "replication of recordings is not watched"
        };
        gap(
            "recordings_bucket",
            locked,
            "write the bucket of aws.sessionRecordingBucket",
        );
    }
    if recovery && plan.backup_vault.is_none() {
        gap(
            "backup_vault",
            "copies in the recovery region are not watched",
            "name the AWS Backup vault that the copies go to",
        );
    }
    if recovery && plan.backup_vault.is_some() && plan.backup_role.is_none() {
        gap(
            "backup_role",
            "restoring tables from the vault is locked",
            "write the ARN of the role that AWS Backup restores with",
        );
    }
    if plan.kube.context.is_none() {
        let locked = if recovery {
            "installing the chart and watching its pods are locked"
        } else {
            "stopping the old cluster and watching its pods are locked"
        };
        gap(
            "kube.context",
            locked,
            "name the kube context; the current one is never used",
        );
    }
    if plan.kube.uid.is_none() {
        let locked = if recovery {
            "the context cannot be told from another cluster's, so installing is locked"
        } else {
            "the context cannot be told from another cluster's, so stopping the old cluster is locked"
        };
        gap(
            "kube.uid",
            locked,
            "read it with: kubectl --context CONTEXT get namespace kube-system -o jsonpath={.metadata.uid}",
        );
    }
}
