//! `helm install` and `helm upgrade`: hooks first, then the objects of the chart.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{api::Api, args::Args, say, summary};
use crate::{
    incident::outline::Outline,
    practice::world::cluster::{Release, Resource},
};

const POLL: Duration = Duration::from_millis(100);

pub(super) async fn run(args: &Args) -> Result<(), String> {
    let name = args.name(0, "helm install")?;
    let chart = args.name(1, "helm install")?;
    let deadline = Instant::now() + args.timeout()?;
    if std::path::Path::new(&chart)
        .extension()
        .is_some_and(|end| end == "tgz")
        && !std::path::Path::new(&chart).exists()
    {
        return Err(format!("path {chart:?} not found"));
    }
    let api = Api::connect(args).await?;
    let release = release(args, &name, &api.namespace)?;
    if api.release(&name).await?.is_some() {
        return Err("cannot re-use a name that is still in use".to_owned());
    }
    if args.has("dry-run") {
        rendered(&release);
        return Ok(());
    }
    if api
        .get(Resource::Namespaces, &api.namespace)
        .await?
        .is_none()
    {
        if !args.has("create-namespace") {
            return Err(format!(
                "create: failed to create: namespaces {:?} not found",
                api.namespace
            ));
        }
        let namespace =
            json!({"metadata": {"name": api.namespace, "labels": {"name": api.namespace}}});
        api.create(Resource::Namespaces, &namespace).await?;
    }
    let written = put(&api, &release, 1, "pending-install", deadline).await?;
    if args.has("wait") {
        wait_ready(&api, &name, deadline).await?;
    }
    say(&summary(
        &name,
        &api.namespace,
        &written,
        "Install complete",
    ));
    say("TEST SUITE: None");
    Ok(())
}

/// `helm upgrade`: only of what is deployed; its record stays as superseded.
pub(super) async fn upgrade(args: &Args) -> Result<(), String> {
    let name = args.name(0, "helm upgrade")?;
    args.name(1, "helm upgrade")?;
    let deadline = Instant::now() + args.timeout()?;
    let api = Api::connect(args).await?;
    let release = release(args, &name, &api.namespace)?;
    let records = api.releases().await?;
    let label = |record: &Value, label: &str| {
        record["metadata"]["labels"][label]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let deployed = records
        .iter()
        .find(|record| label(record, "name") == name && label(record, "status") == "deployed");
    let Some(deployed) = deployed else {
        return Err(format!("{name:?} has no deployed releases"));
    };
    if args.has("dry-run") {
        rendered(&release);
        return Ok(());
    }
    let revision = label(deployed, "version").parse().unwrap_or(1) + 1;
    let written = put(&api, &release, revision, "pending-upgrade", deadline).await?;
    let old = deployed["metadata"]["name"].as_str().unwrap_or_default();
    let patch = json!({"metadata": {"labels": {"status": "superseded"}}});
    api.patch(Resource::Secrets, old, &patch).await?;
    say(&format!(
        "Release {name:?} has been upgraded. Happy Helming!"
    ));
    say(&summary(
        &name,
        &api.namespace,
        &written,
        "Upgrade complete",
    ));
    Ok(())
}

/// `helm rollback`: the objects are left as they are, since the practice has one set of values; the records say what
/// Helm's would.
pub(super) async fn rollback(args: &Args) -> Result<(), String> {
    let name = args.name(0, "helm rollback")?;
    let to = args.name(1, "helm rollback")?;
    let api = Api::connect(args).await?;
    let records = api.releases().await?;
    let label = |record: &Value, label: &str| {
        record["metadata"]["labels"][label]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let own: Vec<&Value> = records
        .iter()
        .filter(|record| label(record, "name") == name)
        .collect();
    let Some(target) = own.iter().find(|record| label(record, "version") == to) else {
        return Err(format!("release has no {to} version"));
    };
    let newest = own
        .iter()
        .filter_map(|record| label(record, "version").parse::<u32>().ok())
        .max()
        .unwrap_or_default();
    let mut next = (*target).clone();
    next["metadata"] = json!({"name": format!("sh.helm.release.v1.{name}.v{}", newest + 1),
        "labels": {"owner": "helm", "name": name, "status": "deployed", "version": (newest + 1).to_string()},
        "annotations": target["metadata"]["annotations"]});
    api.create(Resource::Secrets, &next).await?;
    let patch = json!({"metadata": {"labels": {"status": "superseded"}}});
    for record in own {
        let secret = record["metadata"]["name"].as_str().unwrap_or_default();
        api.patch(Resource::Secrets, secret, &patch).await?;
    }
    say("Rollback was a success! Happy Helming!");
    Ok(())
}

/// `--dry-run`: the manifests, and nothing is made.
fn rendered(release: &Release) {
    for (_, object) in release.objects() {
        say(&format!("---\n{object}"));
    }
}

/// Records a revision, brings its objects about, and records how that went.
async fn put(
    api: &Api,
    release: &Release,
    revision: u32,
    pending: &str,
    deadline: Instant,
) -> Result<Value, String> {
    let mut secret = release.secret(revision, pending);
    secret["metadata"]["annotations"] =
        json!({"relight/chart": format!("teleport-cluster-{}", release.version)});
    api.create(Resource::Secrets, &secret).await?;
    let done = install(api, release, deadline).await;
    let status = if done.is_ok() { "deployed" } else { "failed" };
    let record = secret["metadata"]["name"].as_str().unwrap_or_default();
    let patch = json!({"metadata": {"labels": {"status": status}}});
    let written = api.patch(Resource::Secrets, record, &patch).await?;
    done.map(|()| written)
}

async fn install(api: &Api, release: &Release, deadline: Instant) -> Result<(), String> {
    for job in release.hooks() {
        let name = job["metadata"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        api.delete(Resource::Jobs, &name).await?;
        api.create(Resource::Jobs, &job).await?;
        loop {
            let now = api.get(Resource::Jobs, &name).await?.unwrap_or(Value::Null);
            if now["status"]["succeeded"] == 1 {
                break;
            }
            if Instant::now() >= deadline {
                return Err("failed pre-install: 1 error occurred:\n\t* timed out waiting for the condition".to_owned());
            }
            tokio::time::sleep(POLL).await;
        }
        // Its delete policy is hook-succeeded.
        api.delete(Resource::Jobs, &name).await?;
    }
    for (resource, object) in release.objects() {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        match api.get(resource, name).await? {
            Some(there) => {
                let mut object = object.clone();
                // What the cloud has given it stays.
                object["status"] = there["status"].clone();
                api.patch(resource, name, &object).await?
            }
            None => api.create(resource, &object).await?,
        };
    }
    Ok(())
}

async fn wait_ready(api: &Api, name: &str, deadline: Instant) -> Result<(), String> {
    let selector = format!("app.kubernetes.io/instance={name}");
    loop {
        let deployments = api.list(Resource::Deployments, &selector).await?;
        if deployments
            .iter()
            .all(|one| one["status"]["availableReplicas"] == one["spec"]["replicas"])
        {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err("context deadline exceeded".to_owned());
        }
        tokio::time::sleep(POLL).await;
    }
}

/// The values that the chart requires, with its own words where one is missing.
fn release(args: &Args, name: &str, namespace: &str) -> Result<Release, String> {
    let path = args.get("values").unwrap_or_default();
    let text = if path.is_empty() {
        String::new()
    } else {
        std::fs::read_to_string(path).map_err(|error| format!("open {path}: {error}"))?
    };
    let values =
        Outline::read(&text).map_err(|error| format!("failed to parse {path}: {error}"))?;
    let need = |path: &[&str]| {
        values.get(path).map(str::to_owned).ok_or_else(|| {
            format!(
                "execution error at (teleport-cluster/templates/auth/config.yaml): {} is required in chartMode aws",
                path.join(".")
            )
        })
    };
    let state_table = need(&["aws", "backendTable"])?;
    let audit_table = need(&["aws", "auditLogTable"])?;
    if state_table == audit_table {
        return Err("execution error at (teleport-cluster/templates/auth/config.yaml): aws.auditLogTable must differ from aws.backendTable".to_owned());
    }
    Ok(Release {
        name: name.to_owned(),
        namespace: namespace.to_owned(),
        version: args
            .get("version")
            .unwrap_or("18.2.4")
            .trim_start_matches('v')
            .to_owned(),
        cluster_name: need(&["clusterName"])?,
        region: need(&["aws", "region"])?,
        state_table,
        audit_table,
        bucket: need(&["aws", "sessionRecordingBucket"])?,
        image: values.get(&["image"]).map(str::to_owned),
        replicas: values
            .get(&["highAvailability", "replicaCount"])
            .and_then(|count| count.parse().ok())
            .unwrap_or(1)
            .min(10),
    })
}
