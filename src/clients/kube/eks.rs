//! A kubeconfig's exec plugin for EKS, done by Relight itself: no aws CLI is needed, nor the Python that it runs in.

use std::path::Path;

use ::kube::config::ExecConfig;

use crate::clients::aws::TokenOf;

/// Options of `aws` that change nothing about a token.
const IGNORED: [&str; 4] = [
    "--output",
    "--color",
    "--cli-read-timeout",
    "--cli-connect-timeout",
];

/// Lets this binary stand in for a plugin that makes EKS tokens. Its variables stay, so that it is the same caller. A plugin
/// with anything in its words that is not known here is left as it is.
pub(super) fn stand_in(exec: &mut ExecConfig, server: Option<&str>, program: &Path) {
    let Some(of) = token_of(exec, server, |name| std::env::var(name).ok()) else {
        return;
    };
    let mut args: Vec<String> = [
        "eks-token",
        "--cluster",
        &of.cluster,
        "--region",
        &of.region,
    ]
    .map(str::to_owned)
    .into();
    for (option, value) in [("--profile", of.profile), ("--role", of.role)] {
        args.extend(
            value
                .into_iter()
                .flat_map(|value| [option.to_owned(), value]),
        );
    }
    exec.command = Some(program.to_string_lossy().into_owned());
    exec.args = Some(args);
}

/// Which token `aws eks get-token` or `aws-iam-authenticator token` is asked for; `None` if it is not that, or says more.
fn token_of(
    exec: &ExecConfig,
    server: Option<&str>,
    var: impl Fn(&str) -> Option<String>,
) -> Option<TokenOf> {
    let command = exec.command.as_deref()?.rsplit('/').next()?;
    let mut words: Vec<&str> = match command {
        "aws" => vec!["eks", "get-token"],
        "aws-iam-authenticator" => vec!["token"],
        _ => return None,
    };
    let mut of = TokenOf::default();
    let mut region = None;
    let mut args = exec.args.as_deref().unwrap_or_default().iter();
    while let Some(arg) = args.next() {
        if !arg.starts_with('-') {
            if words.first() != Some(&arg.as_str()) {
                return None;
            }
            words.remove(0);
            continue;
        }
        let (name, value) = match arg.split_once('=') {
            Some((name, value)) => (name, value.to_owned()),
            None if arg == "--no-cli-pager" => continue,
            None => (arg.as_str(), args.next()?.clone()),
        };
        match name {
            "--cluster-name" | "--cluster-id" | "-i" => of.cluster = value,
            "--region" => region = Some(value),
            "--role-arn" | "--role" | "-r" => of.role = Some(value),
            "--profile" => of.profile = Some(value),
            _ if IGNORED.contains(&name) => {}
            _ => return None,
        }
    }
    let own = |name: &str| {
        let mut all = exec.env.iter().flatten();
        let found = all.find(|one| one.get("name").is_some_and(|known| known == name));
        found.and_then(|one| one.get("value").cloned())
    };
    let of_env = |name: &str| {
        own(name)
            .or_else(|| var(name))
            .filter(|value| !value.is_empty())
    };
    of.region = region
        .or_else(|| server.and_then(region_of))
        .or_else(|| of_env("AWS_REGION"))
        .or_else(|| of_env("AWS_DEFAULT_REGION"))?;
    (words.is_empty() && !of.cluster.is_empty()).then_some(of)
}

/// The region in the name of an EKS endpoint: `https://ID.gr7.us-west-2.eks.amazonaws.com`.
pub(crate) fn region_of(server: &str) -> Option<String> {
    let host = super::session::host(server)?;
    let (before, _) = host.split_once(".eks.amazonaws.com")?;
    let region = before.rsplit('.').next()?;
    region.contains('-').then(|| region.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    const SERVER: &str = "https://ABC123.gr7.us-west-2.eks.amazonaws.com";

    fn exec(command: &str, args: &[&str]) -> ExecConfig {
        let text = serde_json::json!({"apiVersion": "client.authentication.k8s.io/v1beta1", "command": command, "args": args});
        serde_json::from_value(text).expect("an exec plugin")
    }

    #[test]
    fn what_tools_write_is_understood_and_anything_more_is_left_alone() {
        let of = |command: &str, args: &[&str], server: Option<&str>| {
            token_of(&exec(command, args), server, |_| None)
        };
        let usual = [
            "--region",
            "us-west-2",
            "eks",
            "get-token",
            "--cluster-name",
            "west",
            "--output",
            "json",
        ];
        let found = of("aws", &usual, None).expect("understood");
        assert_eq!(
            (found.cluster.as_str(), found.region.as_str()),
            ("west", "us-west-2")
        );
        let bare = [
            "eks",
            "get-token",
            "--cluster-name=west",
            "--role-arn",
            "arn:aws:iam::1:role/dr",
        ];
        let found = of("/usr/bin/aws", &bare, Some(SERVER)).expect("understood");
        assert_eq!(found.region, "us-west-2");
        assert_eq!(found.role.as_deref(), Some("arn:aws:iam::1:role/dr"));
        assert!(
            of(
                "aws-iam-authenticator",
                &["token", "-i", "west"],
                Some(SERVER)
            )
            .is_some()
        );
        let left: [(&str, &[&str], Option<&str>); 6] = [
            ("aws", &bare, None),
            ("aws", &["eks", "get-token"], Some(SERVER)),
            (
                "aws",
                &["sso", "login", "--cluster-name", "west"],
                Some(SERVER),
            ),
            (
                "aws",
                &[
                    "eks",
                    "get-token",
                    "--cluster-name",
                    "west",
                    "--endpoint-url",
                    "x",
                ],
                Some(SERVER),
            ),
            ("tsh", &["kube", "credentials"], Some(SERVER)),
            ("aws", &["eks", "get-token", "--cluster-name"], Some(SERVER)),
        ];
        for (command, args, server) in left {
            assert_eq!(of(command, args, server), None, "{command} {args:?}");
        }
    }

    #[test]
    fn this_binary_stands_in_with_the_plugins_own_variables() {
        let mut plugin = exec(
            "aws",
            &[
                "eks",
                "get-token",
                "--cluster-name",
                "west",
                "--profile",
                "dr",
            ],
        );
        let profile = HashMap::from([
            ("name".to_owned(), "AWS_REGION".to_owned()),
            ("value".to_owned(), "eu-west-1".to_owned()),
        ]);
        plugin.env = Some(vec![profile.clone()]);
        stand_in(
            &mut plugin,
            Some("https://10.0.0.1"),
            Path::new("/opt/relight"),
        );
        assert_eq!(plugin.command.as_deref(), Some("/opt/relight"));
        let args = plugin.args.expect("arguments");
        assert_eq!(
            args,
            [
                "eks-token",
                "--cluster",
                "west",
                "--region",
                "eu-west-1",
                "--profile",
                "dr"
            ]
        );
        assert_eq!(plugin.env, Some(vec![profile]));

        let mut other = exec("tsh", &["kube", "credentials"]);
        stand_in(&mut other, Some(SERVER), Path::new("/opt/relight"));
        assert_eq!(other.command.as_deref(), Some("tsh"));
    }
}
