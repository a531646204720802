//! The stand-in for kubectl: this binary under yet another name. It knows `exec` of `tctl` in an Auth Deployment alone.

use std::io::Write as _;

use serde_json::json;

use super::{api::Api, args::Args};

/// Runs as `kubectl ARGS` (without the program's name) and returns the exit code.
pub async fn main(args: Vec<String>) -> i32 {
    match run(&args).await {
        Ok(said) => {
            let _ = write!(std::io::stdout().lock(), "{said}");
            0
        }
        Err(why) => {
            let _ = writeln!(std::io::stderr().lock(), "error: {why}");
            1
        }
    }
}

async fn run(args: &[String]) -> Result<String, String> {
    let (own, command) = match args.iter().position(|arg| arg == "--") {
        Some(at) => (&args[..at], &args[at + 1..]),
        None => (args, &[][..]),
    };
    let mut flags = vec!["exec".to_owned()];
    let mut pod = None;
    let mut own = own.iter();
    while let Some(arg) = own.next() {
        let mut value = || {
            own.next()
                .cloned()
                .ok_or_else(|| format!("flag needs an argument: {arg}"))
        };
        match arg.as_str() {
            "--context" => flags.extend(["--kube-context".to_owned(), value()?]),
            "--kubeconfig" | "-n" => flags.extend([arg.clone(), value()?]),
            "-c" => drop(value()?),
            "exec" => {}
            other => pod = other.strip_prefix("deploy/").map(str::to_owned),
        }
    }
    let (Some(pod), Some(("tctl", rest))) = (
        pod,
        command
            .split_first()
            .map(|(first, rest)| (first.as_str(), rest)),
    ) else {
        return Err("practice knows only kubectl exec deploy/NAME -- tctl".to_owned());
    };
    let api = Api::connect(&Args::read(&flags)?).await?;
    api.tctl(&json!({"deployment": pod, "args": rest})).await
}
