//! `helm uninstall`: the record says so first, the objects go, then the record.

use serde_json::json;

use super::{api::Api, args::Args, say};
use crate::practice::world::cluster::Resource;

pub(super) async fn run(args: &Args) -> Result<(), String> {
    let name = args.name(0, "helm uninstall")?;
    // Nothing here takes long enough for it, but a wrong one is refused.
    args.timeout()?;
    let api = Api::connect(args).await?;
    let Some(secret) = api.release(&name).await? else {
        return Err(format!(
            "uninstall: Release not loaded: {name}: release: not found"
        ));
    };
    let record = secret["metadata"]["name"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let patch = json!({"metadata": {"labels": {"status": "uninstalling"}}});
    api.patch(Resource::Secrets, &record, &patch).await?;
    let selector = format!("app.kubernetes.io/instance={name}");
    for resource in [
        Resource::Services,
        Resource::Ingresses,
        Resource::Deployments,
        Resource::Jobs,
        Resource::ConfigMaps,
        Resource::ServiceAccounts,
    ] {
        for object in api.list(resource, &selector).await? {
            if let Some(object) = object["metadata"]["name"].as_str() {
                api.delete(resource, object).await?;
            }
        }
    }
    // `--wait` waits for what the chart names, and that is gone by now. Pods belong to the Deployments: Helm 3 and 4 both
    // return while they still terminate (seen in tests/live).
    for revision in api
        .list(Resource::Secrets, &format!("owner=helm,name={name}"))
        .await?
    {
        let revision = revision["metadata"]["name"].as_str().unwrap_or_default();
        api.delete(Resource::Secrets, revision).await?;
    }
    say(&format!("release \"{name}\" uninstalled"));
    Ok(())
}
