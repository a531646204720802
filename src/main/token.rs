//! `relight eks-token`: a token for an EKS cluster, signed here.

use std::{io, process::ExitCode};

use relight::{
    cli,
    clients::aws::{self, TokenOf},
};

use super::{runtime, say};

/// An `ExecCredential` for whoever reads a kubeconfig, in the version that was asked for.
pub fn print(of: cli::EksToken) -> Result<ExitCode, String> {
    let asked = std::env::var("KUBERNETES_EXEC_INFO").ok();
    let asked = asked.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
    let version = asked
        .as_ref()
        .and_then(|info| info["apiVersion"].as_str())
        .unwrap_or("client.authentication.k8s.io/v1beta1");
    let of = TokenOf {
        cluster: of.cluster,
        region: of.region,
        profile: of.profile,
        role: of.role,
    };
    let made = runtime()?.block_on(aws::cluster_token(&of));
    let made = made.map_err(|failure| failure.to_string())?;
    let credential = serde_json::json!({"kind": "ExecCredential", "apiVersion": version, "spec": {},
        "status": {"token": made.token, "expirationTimestamp": made.until.to_string()}});
    say(&mut io::stdout(), &credential.to_string());
    Ok(ExitCode::SUCCESS)
}
