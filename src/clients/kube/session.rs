//! Whether a kube context leads through a Teleport cluster: read from the kubeconfig, nothing is asked or run.

use ::kube::config::{AuthInfo, Cluster, Kubeconfig};

use super::connect::read;
use crate::{incident::Failure, plan::KubePlan};

/// What a context says of its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// Through the named cluster: how that shows.
    Through(String),
    /// Through some Teleport cluster; which one it does not say.
    Doubt(String),
    /// Not through the named cluster.
    Elsewhere,
}

/// How the plan's context of a side gets to its API server. `name` is the Teleport cluster's name. Blocks on disk.
///
/// # Errors
/// If the kubeconfig cannot be read.
pub fn way(plan: &KubePlan, name: &str) -> Result<Way, Failure> {
    let Some(context) = &plan.context else {
        return Ok(Way::Elsewhere);
    };
    let (_, kubeconfig) =
        read(plan).map_err(|(file, error)| super::failure::kubeconfig(&file, context, &error))?;
    Ok(judge(&kubeconfig, context, name))
}

fn judge(kubeconfig: &Kubeconfig, context: &str, name: &str) -> Way {
    let used = kubeconfig
        .contexts
        .iter()
        .find(|one| one.name == context)
        .and_then(|one| one.context.as_ref());
    let Some(used) = used else {
        return Way::Elsewhere;
    };
    let cluster = kubeconfig
        .clusters
        .iter()
        .find(|one| one.name == used.cluster)
        .and_then(|one| one.cluster.as_ref());
    let account = kubeconfig
        .auth_infos
        .iter()
        .find(|one| Some(&one.name) == used.user.as_ref())
        .and_then(|one| one.auth_info.as_ref());
    if let Some(host) = cluster.and_then(|cluster| host_within(cluster, name)) {
        return Way::Through(format!(
            "kube context {context} goes through Teleport (its server is {host})"
        ));
    }
    account.map_or(Way::Elsewhere, |account| plugin(account, context, name))
}

/// How the plan's context of a side needs a region: by the cluster that it leads to, or by where its plugin asks. Blocks on
/// disk.
///
/// # Errors
/// If the kubeconfig cannot be read.
pub fn needs_region(plan: &KubePlan, region: &str) -> Result<Option<String>, Failure> {
    let Some(context) = &plan.context else {
        return Ok(None);
    };
    let (file, kubeconfig) =
        read(plan).map_err(|(file, error)| super::failure::kubeconfig(&file, context, &error))?;
    let used = kubeconfig
        .contexts
        .iter()
        .find(|one| one.name == *context)
        .and_then(|one| one.context.as_ref());
    let Some(used) = used else {
        return Ok(None);
    };
    let server = kubeconfig
        .clusters
        .iter()
        .find(|one| one.name == used.cluster)
        .and_then(|one| one.cluster.as_ref()?.server.as_deref());
    if server.and_then(super::eks::region_of).as_deref() == Some(region) {
        return Ok(Some(format!(
            "kube context {context} leads to a cluster in {region} ({file})"
        )));
    }
    let exec = kubeconfig
        .auth_infos
        .iter()
        .find(|one| Some(&one.name) == used.user.as_ref())
        .and_then(|one| one.auth_info.as_ref()?.exec.as_ref());
    let Some(exec) = exec else {
        return Ok(None);
    };
    let args = exec.args.iter().flatten();
    let vars = exec.env.iter().flatten().filter_map(|one| one.get("value"));
    let named = args
        .chain(vars)
        .any(|word| word == region || word.ends_with(&format!("={region}")));
    Ok(named.then(|| {
        format!("kube context {context} signs in by a plugin that is told {region} ({file})")
    }))
}

/// The host of the server, or its TLS name, that is the Teleport cluster's name or below it.
fn host_within(cluster: &Cluster, name: &str) -> Option<String> {
    let server = cluster.server.as_deref().and_then(host);
    let tls = cluster.tls_server_name.clone();
    // Behind a local proxy of tsh, only the TLS name tells.
    [server, tls]
        .into_iter()
        .flatten()
        .find(|host| within(host, name))
}

/// `tsh kube credentials --proxy=…` as exec plugin.
fn plugin(user: &AuthInfo, context: &str, name: &str) -> Way {
    let Some(exec) = &user.exec else {
        return Way::Elsewhere;
    };
    let command = exec.command.as_deref().unwrap_or_default();
    let program = command.rsplit('/').next().unwrap_or_default();
    if program != "tsh" && program != "tbot" {
        return Way::Elsewhere;
    }
    let args = exec.args.clone().unwrap_or_default();
    let named: Vec<String> = args
        .iter()
        .enumerate()
        .filter_map(|(at, arg)| {
            let option = ["--proxy", "--teleport-cluster"]
                .into_iter()
                .find_map(|option| arg.strip_prefix(option))?;
            if option.is_empty() {
                args.get(at + 1).cloned()
            } else {
                option.strip_prefix('=').map(str::to_owned)
            }
        })
        .filter_map(|text| host(&text))
        .collect();
    if named.iter().any(|host| within(host, name)) {
        return Way::Through(format!(
            "kube context {context} signs in with {program} at {name}"
        ));
    }
    if named.is_empty() {
        return Way::Doubt(format!(
            "kube context {context} signs in with {program}, and does not say at which cluster"
        ));
    }
    Way::Elsewhere
}

/// The host of an address: `https://a.example:443/x`, `a.example:443`, `a.example`.
#[must_use]
pub fn host(address: &str) -> Option<String> {
    let rest = address
        .split_once("://")
        .map_or(address, |(_, rest)| rest)
        .split(['/', '?'])
        .next()?;
    let rest = rest.rsplit('@').next()?;
    let host = match rest.strip_prefix('[') {
        Some(inner) => inner.split(']').next()?,
        None => rest.split(':').next()?,
    };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    (!host.is_empty()).then_some(host)
}

/// Whether a host is the cluster's name or lies below it.
#[must_use]
pub fn within(host: &str, name: &str) -> bool {
    let (host, name) = (host.to_ascii_lowercase(), name.to_ascii_lowercase());
    host == name
        || host
            .strip_suffix(&name)
            .is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "teleport.example.com";

    fn told(cluster: &str, user: &str) -> Way {
        let text = format!(
            "apiVersion: v1\nkind: Config\nclusters: [{{name: c, cluster: {cluster}}}]\n\
             contexts: [{{name: dr, context: {{cluster: c, user: u}}}}]\nusers: [{{name: u, user: {user}}}]\n"
        );
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config");
        std::fs::write(&file, text).expect("written");
        let plan = KubePlan {
            eks_cluster: None,
            context: Some("dr".into()),
            kubeconfig: Some(file),
            uid: None,
        };
        way(&plan, NAME).expect("read")
    }

    #[test]
    fn a_context_tells_its_way_by_server_tls_name_and_plugin() {
        let direct = "{server: \"https://abc.gr7.us-east-1.eks.amazonaws.com\"}";
        let tsh = |args: &str| {
            format!("{{exec: {{apiVersion: v1, command: /usr/local/bin/tsh, args: {args}}}}}")
        };
        let through = |way: Way| matches!(way, Way::Through(_));
        assert_eq!(told(direct, "{}"), Way::Elsewhere);
        assert!(through(told(
            "{server: \"https://teleport.example.com:443\"}",
            "{}"
        )));
        assert!(through(told(
            "{server: \"https://kube.Teleport.example.com:3026/\"}",
            "{}"
        )));
        assert!(through(told(
            "{server: \"https://127.0.0.1:8888\", tls-server-name: kube-teleport-proxy-alpn.teleport.example.com}",
            "{}"
        )));
        assert_eq!(
            told("{server: \"https://myteleport.example.com\"}", "{}"),
            Way::Elsewhere
        );
        assert!(through(told(
            direct,
            &tsh("[kube, credentials, \"--proxy=teleport.example.com:443\"]")
        )));
        assert!(through(told(
            direct,
            &tsh("[kube, credentials, --teleport-cluster, teleport.example.com]")
        )));
        assert_eq!(
            told(direct, &tsh("[kube, \"--proxy=other.example.com\"]")),
            Way::Elsewhere
        );
        assert!(matches!(told(direct, &tsh("[kube]")), Way::Doubt(_)));
        assert_eq!(
            told(
                direct,
                "{exec: {apiVersion: v1, command: aws, args: [eks, get-token]}}"
            ),
            Way::Elsewhere
        );
    }
}
