//! The stand-in for helm: this binary under another name. It speaks to the Kubernetes API of the context that it is
//! given, as helm does, prints what helm prints, and fails as helm fails. Only the flags that the runbook uses exist.

mod api;
mod args;
mod install;
pub mod kubectl;
mod uninstall;

use std::io::Write as _;

use serde_json::{Value, json};

use self::{api::Api, args::Args};
use crate::incident::Moment;

/// Runs as `helm ARGS` (without the program's name) and returns the exit code. Called by `main` when the program's
/// file name is `helm`.
pub async fn main(args: Vec<String>) -> i32 {
    match run(&args).await {
        Ok(()) => 0,
        Err(why) => {
            let _ = writeln!(std::io::stderr().lock(), "Error: {why}");
            1
        }
    }
}

async fn run(args: &[String]) -> Result<(), String> {
    let args = Args::read(args)?;
    match args.command.as_str() {
        "version" => {
            say(if args.has("short") {
                "v4.1.4+relight-practice"
            } else {
                "version.BuildInfo{Version:\"v4.1.4\", GitCommit:\"relight-practice\", GitTreeState:\"clean\", GoVersion:\"none\", KubeClientVersion:\"v1.33\"}"
            });
            Ok(())
        }
        "install" => install::run(&args)
            .await
            .map_err(|why| format!("INSTALLATION FAILED: {why}")),
        "upgrade" => install::upgrade(&args)
            .await
            .map_err(|why| format!("UPGRADE FAILED: {why}")),
        "rollback" => install::rollback(&args).await,
        "uninstall" => uninstall::run(&args).await,
        "show" => show(&args),
        "status" => status(&args).await,
        "list" => list(&args).await,
        other => Err(format!("unknown command {other:?} for \"helm\"")),
    }
}

/// `helm show chart`: the one chart that there is, at the version asked for.
fn show(args: &Args) -> Result<(), String> {
    let what = args.name(0, "helm show")?;
    if what != "chart" {
        return Err(format!("unknown command {what:?} for \"helm show\""));
    }
    let chart = args.name(1, "helm show chart")?;
    if !chart.ends_with("teleport-cluster") {
        return Err(format!("chart {chart:?} not found"));
    }
    let version = args
        .get("version")
        .unwrap_or("18.2.4")
        .trim_start_matches('v');
    say(&format!(
        "apiVersion: v2\nappVersion: {version}\nname: teleport-cluster\nversion: {version}"
    ));
    Ok(())
}

async fn status(args: &Args) -> Result<(), String> {
    let name = args.name(0, "helm status")?;
    let api = Api::connect(args).await?;
    let secret = api.release(&name).await?.ok_or("release: not found")?;
    say(&summary(&name, &api.namespace, &secret, ""));
    Ok(())
}

async fn list(args: &Args) -> Result<(), String> {
    let api = Api::connect(args).await?;
    let rows: Vec<Value> = api
        .releases()
        .await?
        .iter()
        .map(|secret| {
            let labels = &secret["metadata"]["labels"];
            let chart = secret["metadata"]["annotations"]["relight/chart"].as_str().unwrap_or("teleport-cluster");
            json!({"name": labels["name"], "namespace": api.namespace, "revision": labels["version"],
                "updated": secret["metadata"]["creationTimestamp"], "status": labels["status"], "chart": chart,
                "app_version": chart.rsplit('-').next()})
        })
        .collect();
    if args.get("output") == Some("json") {
        say(&Value::Array(rows).to_string());
        return Ok(());
    }
    say("NAME\tNAMESPACE\tREVISION\tUPDATED\tSTATUS\tCHART\tAPP VERSION");
    for row in rows {
        let field = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let fields = [
            "name",
            "namespace",
            "revision",
            "updated",
            "status",
            "chart",
            "app_version",
        ]
        .map(field);
        say(&fields.join("\t"));
    }
    Ok(())
}

/// What helm prints of a release.
fn summary(name: &str, namespace: &str, secret: &Value, description: &str) -> String {
    let labels = &secret["metadata"]["labels"];
    let mut text = format!(
        "NAME: {name}\nLAST DEPLOYED: {}\nNAMESPACE: {namespace}\nSTATUS: {}\nREVISION: {}",
        secret["metadata"]["creationTimestamp"]
            .as_str()
            .map_or_else(|| Moment::now().to_string(), str::to_owned),
        labels["status"].as_str().unwrap_or("unknown"),
        labels["version"].as_str().unwrap_or("1"),
    );
    if !description.is_empty() {
        text.push_str("\nDESCRIPTION: ");
        text.push_str(description);
    }
    text
}

/// One line on standard output. Nobody reading it is no reason to stop.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}
