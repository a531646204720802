//! From the plan's context to a client: never the current context, never a prompt, short time-outs.

use std::{path::PathBuf, sync::Arc, time::Duration};

use kube::{
    Client, Config,
    config::{ExecInteractiveMode, KubeConfigOptions, Kubeconfig, KubeconfigError},
};

use super::{eks, failure};
use crate::{
    incident::{Failure, FailureKind},
    plan::KubePlan,
};

/// Time to connect: an API server farther than this is not usable anyway.
const CONNECT: Duration = Duration::from_secs(3);
/// How long an exec plugin may take (`aws eks get-token` starts a Python interpreter and may assume a role).
const PLUGIN: Duration = Duration::from_secs(20);

/// A client of one Kubernetes cluster. Cheap to clone.
#[derive(Clone)]
pub struct Kube {
    /// kube's own client: one connection pool.
    pub client: Client,
    /// The context it was built from.
    pub context: Arc<str>,
    /// What to call it in a sentence: `the Kubernetes API of context dr (https://…)`.
    pub place: Arc<str>,
}

impl std::fmt::Debug for Kube {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Kube").field(&self.place).finish()
    }
}

/// Builds the client of a context. Runs its exec plugin, if it has one, on a thread of its own: kube does that
/// synchronously.
///
/// # Errors
/// If the plan names no context, the kubeconfig does not have it, or its exec plugin gives no credentials.
pub async fn connect(plan: &KubePlan) -> Result<Kube, Failure> {
    let Some(context) = plan.context.clone() else {
        return Err(Failure::new(
            FailureKind::NotPlanned,
            "the plan names no kube context for this side; set `context` in its [….kube] section",
        ));
    };
    let (file, kubeconfig) =
        read(plan).map_err(|(file, error)| failure::kubeconfig(&file, &context, &error))?;
    let options = KubeConfigOptions {
        context: Some(context.clone()),
        ..KubeConfigOptions::default()
    };
    let explicit_proxy = has_proxy(&kubeconfig, &context);
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|error| failure::kubeconfig(&file, &context, &error))?;
    config.connect_timeout = Some(CONNECT);
    // kube would otherwise try a 503 fifteen times, waiting up to 1,000 s in between, and report nothing meanwhile.
    config.default_retry = false;
    if let Some(exec) = &mut config.auth_info.exec {
        // Otherwise the plugin is given our standard input and error: it would draw over the cockpit and eat keys.
        exec.interactive_mode = Some(ExecInteractiveMode::Never);
        if let Some(program) = own_program() {
            eks::stand_in(exec, Some(&config.cluster_url.to_string()), &program);
        }
    }
    if !explicit_proxy && bypasses_proxy(&config.cluster_url, no_proxy().as_deref()) {
        config.proxy_url = None;
    }
    let place: Arc<str> = format!(
        "the Kubernetes API of context {context} ({})",
        config.cluster_url
    )
    .into();
    // One rustls provider for the whole process; whoever comes first sets it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Handle::current();
    let built = tokio::task::spawn_blocking(move || {
        let _inside = runtime.enter();
        Client::try_from(config)
    });
    let client = match tokio::time::timeout(PLUGIN, built).await {
        Ok(Ok(Ok(client))) => client,
        Ok(Ok(Err(error))) => return Err(failure::request(&place, "sign in", &error)),
        Ok(Err(_)) => {
            return Err(Failure::new(
                FailureKind::Other,
                format!("the client of {place} could not be built: a defect in Relight or kube"),
            ));
        }
        Err(_) => {
            return Err(Failure::new(
                FailureKind::Credentials,
                format!(
                    "the exec plugin of {place} gave no credentials in {}s; run it by hand to see what it waits for",
                    PLUGIN.as_secs()
                ),
            ));
        }
    };
    Ok(Kube {
        client,
        context: context.into(),
        place,
    })
}

/// This binary, where it is one that can be asked for a token: not a test, nor another program that has us as a library.
fn own_program() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let name = program.file_name()?.to_str()?;
    (name == "relight").then_some(program)
}

/// The name of the EKS cluster behind a context: the plan's, or that of an ARN where context or cluster is named by one, as
/// `aws eks update-kubeconfig` does; or what the exec plugin is told. Reads the kubeconfig.
#[must_use]
pub fn eks_cluster(plan: &KubePlan) -> Option<String> {
    if plan.eks_cluster.is_some() {
        return plan.eks_cluster.clone();
    }
    let name = |arn: &str| {
        let name = arn.strip_prefix("arn:")?.split_once(":cluster/")?.1;
        (arn.contains(":eks:") && !name.is_empty()).then(|| name.to_owned())
    };
    let wanted = plan.context.as_deref()?;
    if let Some(found) = name(wanted) {
        return Some(found);
    }
    let (_, kubeconfig) = read(plan).ok()?;
    let context = kubeconfig
        .contexts
        .iter()
        .find(|named| named.name == wanted)
        .and_then(|named| named.context.as_ref())?;
    if let Some(found) = name(&context.cluster) {
        return Some(found);
    }
    let user = context.user.as_deref()?;
    let exec = kubeconfig
        .auth_infos
        .iter()
        .find(|named| named.name == user)
        .and_then(|named| named.auth_info.as_ref()?.exec.as_ref())?;
    let args = exec.args.as_deref().unwrap_or_default();
    let at = args
        .iter()
        .position(|arg| matches!(arg.as_str(), "--cluster-name" | "--cluster-id" | "-i"))?;
    args.get(at + 1).cloned()
}

/// The kubeconfig, and what to call it.
pub(super) fn read(plan: &KubePlan) -> Result<(String, Kubeconfig), (String, KubeconfigError)> {
    if let Some(path) = &plan.kubeconfig {
        let name = path.display().to_string();
        return match Kubeconfig::read_from(path) {
            Ok(read) => Ok((name, read)),
            Err(error) => Err((name, error)),
        };
    }
    let name = std::env::var("KUBECONFIG").unwrap_or_else(|_| "~/.kube/config".to_owned());
    match Kubeconfig::read() {
        Ok(read) => Ok((name, read)),
        Err(error) => Err((name, error)),
    }
}

/// Whether the kubeconfig itself gives the context's cluster a proxy.
fn has_proxy(kubeconfig: &Kubeconfig, context: &str) -> bool {
    let cluster = kubeconfig
        .contexts
        .iter()
        .find(|named| named.name == context)
        .and_then(|named| named.context.as_ref())
        .map(|context| context.cluster.as_str());
    kubeconfig
        .clusters
        .iter()
        .filter(|named| Some(named.name.as_str()) == cluster)
        .filter_map(|named| named.cluster.as_ref())
        .any(|cluster| {
            cluster
                .proxy_url
                .as_deref()
                .is_some_and(|url| !url.is_empty())
        })
}

fn no_proxy() -> Option<String> {
    std::env::var("NO_PROXY")
        .or_else(|_| std::env::var("no_proxy"))
        .ok()
}

/// Whether `HTTPS_PROXY` does not count for a server: loopback, or listed in `NO_PROXY` as a host, a domain or `*`.
/// kube 5.0 holds `NO_PROXY` against the proxy's own address instead of the server's.
fn bypasses_proxy(server: &http::Uri, no_proxy: Option<&str>) -> bool {
    let Some(host) = server.host() else {
        return false;
    };
    let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
    if host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
    {
        return true;
    }
    no_proxy.unwrap_or_default().split(',').any(|entry| {
        let entry = entry.trim().to_ascii_lowercase();
        let domain = entry.trim_start_matches("*.").trim_start_matches('.');
        entry == "*"
            || !domain.is_empty()
                && (host == domain
                    || host
                        .strip_suffix(domain)
                        .is_some_and(|rest| rest.ends_with('.')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_and_listed_hosts_need_no_proxy() {
        let cases = [
            ("http://127.3.2.1:9000", None, true),
            ("https://[::1]:6443", None, true),
            ("https://abc.gr7.us-west-2.eks.amazonaws.com", None, false),
            (
                "https://abc.gr7.us-west-2.eks.amazonaws.com",
                Some(".eks.amazonaws.com"),
                true,
            ),
            (
                "https://abc.gr7.us-west-2.eks.amazonaws.com",
                Some("x, *.eks.amazonaws.com"),
                true,
            ),
            (
                "https://abc.gr7.us-west-2.eks.amazonaws.com",
                Some("ws.com"),
                false,
            ),
            (
                "https://abc.gr7.us-west-2.eks.amazonaws.com",
                Some("*"),
                true,
            ),
            (
                "https://abc.gr7.us-west-2.eks.amazonaws.com",
                Some(", ,"),
                false,
            ),
        ];
        for (server, list, bypass) in cases {
            let server: http::Uri = server.parse().expect("a URI");
            assert_eq!(bypasses_proxy(&server, list), bypass, "{server} {list:?}");
        }
    }

    #[test]
    fn the_name_of_an_eks_cluster_is_found_where_tools_write_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config");
        let text = r#"{"apiVersion":"v1","kind":"Config",
            "contexts":[{"name":"dr","context":{"cluster":"arn:aws:eks:us-west-2:1:cluster/west","user":"u"}},
              {"name":"plugin","context":{"cluster":"c","user":"p"}},{"name":"none","context":{"cluster":"c","user":"u"}}],
            "users":[{"name":"u","user":{}},{"name":"p","user":{"exec":{"apiVersion":"client.authentication.k8s.io/v1",
              "command":"aws","args":["eks","get-token","--cluster-name","by-plugin"]}}}]}"#;
        std::fs::write(&file, text).expect("written");
        for (context, said, name) in [
            ("dr", None, Some("west")),
            ("plugin", None, Some("by-plugin")),
            ("none", None, None),
            ("none", Some("planned"), Some("planned")),
            ("arn:aws:eks:us-west-2:1:cluster/here", None, Some("here")),
        ] {
            let plan = KubePlan {
                context: Some(context.to_owned()),
                kubeconfig: Some(file.clone()),
                eks_cluster: said.map(str::to_owned),
                ..KubePlan::default()
            };
            assert_eq!(eks_cluster(&plan).as_deref(), name, "{context}");
        }
    }

    #[tokio::test]
    async fn no_context_and_a_missing_one_say_what_to_do() {
        let nothing = connect(&KubePlan::default()).await.expect_err("no context");
        assert_eq!(nothing.kind, FailureKind::NotPlanned);
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config");
        std::fs::write(
            &file,
            "apiVersion: v1\nkind: Config\ncurrent-context: other\n",
        )
        .expect("written");
        let plan = KubePlan {
            context: Some("dr".into()),
            kubeconfig: Some(file.clone()),
            uid: None,
            eks_cluster: None,
        };
        let missing = connect(&plan).await.expect_err("missing");
        assert!(missing.detail.contains("\"dr\" is not in"), "{missing}");
        assert!(
            missing.detail.contains(&file.display().to_string()),
            "{missing}"
        );
    }

    #[tokio::test]
    async fn an_exec_plugin_is_never_interactive_and_its_output_is_not_shown() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config");
        let text = r#"{"apiVersion":"v1","kind":"Config",
            "clusters":[{"name":"c","cluster":{"server":"http://127.0.0.1:9"}}],
            "contexts":[{"name":"dr","context":{"cluster":"c","user":"u"}}],
            "users":[{"name":"u","user":{"exec":{"apiVersion":"client.authentication.k8s.io/v1","interactiveMode":"Always",
              "command":"sh","args":["-c","echo k8s-aws-v1.SECRET; cat; echo \"$KUBERNETES_EXEC_INFO\" >&2; exit 3"]}}}]}"#;
        std::fs::write(&file, text).expect("written");
        let plan = KubePlan {
            context: Some("dr".into()),
            kubeconfig: Some(file),
            uid: None,
            eks_cluster: None,
        };
        let failure = connect(&plan).await.expect_err("the plugin fails");
        assert_eq!(failure.kind, FailureKind::Credentials);
        assert!(
            failure.detail.contains("\"interactive\":false"),
            "{failure}"
        );
        assert!(!failure.detail.contains("SECRET"), "{failure}");
    }

    #[tokio::test]
    async fn the_kubeconfigs_own_proxy_is_gone_through() {
        let proxy = crate::clients::proxy::tests::Proxy::start().await;
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config");
        let text = format!(
            r#"{{"apiVersion":"v1","kind":"Config",
            "clusters":[{{"name":"c","cluster":{{"server":"https://abc.gr7.us-west-2.eks.amazonaws.com","proxy-url":"{}"}}}}],
            "contexts":[{{"name":"dr","context":{{"cluster":"c","user":"u"}}}}],"users":[{{"name":"u","user":{{}}}}]}}"#,
            proxy.url
        );
        std::fs::write(&file, text).expect("written");
        let plan = KubePlan {
            context: Some("dr".into()),
            kubeconfig: Some(file),
            uid: None,
            eks_cluster: None,
        };
        let kube = connect(&plan).await.expect("a client");
        super::super::identity(&kube, Duration::from_secs(10))
            .await
            .expect_err("the proxy opens no way");
        let asked = proxy.asked();
        assert!(!asked.is_empty(), "it was asked for nobody");
        assert!(
            asked
                .iter()
                .all(|host| host == "abc.gr7.us-west-2.eks.amazonaws.com:443"),
            "{asked:?}"
        );
    }
}
