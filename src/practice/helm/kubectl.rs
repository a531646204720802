//! The stand-in for kubectl: this binary under yet another name. It knows `exec` of `tctl` in an Auth Deployment, and
//! `port-forward` to a proxy Deployment.

use std::io::Write as _;

use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

use super::{api::Api, args::Args, say};

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
    let mut flags = Vec::new();
    let mut words = Vec::new();
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
            "-c" | "--address" => drop(value()?),
            word => words.push(word),
        }
    }
    let mut line = vec![words.first().copied().unwrap_or_default().to_owned()];
    line.extend(flags);
    let tctl = command.split_first().filter(|(first, _)| *first == "tctl");
    match (words.as_slice(), tctl) {
        (["exec", pod], Some((_, rest))) if pod.starts_with("deploy/") => {
            let api = Api::connect(&Args::read(&line)?).await?;
            let pod = pod.trim_start_matches("deploy/");
            api.tctl(&json!({"deployment": pod, "args": rest})).await
        }
        (["port-forward", pod, port], None) if pod.starts_with("deployment/") => {
            let api = Api::connect(&Args::read(&line)?).await?;
            let pod = api.forward(pod.trim_start_matches("deployment/")).await?;
            forward(&pod, port.trim_start_matches(':')).await
        }
        _ => Err(
            "practice knows only kubectl exec deploy/NAME -- tctl and kubectl port-forward deployment/NAME :PORT"
                .to_owned(),
        ),
    }
}

/// Forwards a port of this machine until it is ended.
async fn forward(pod: &str, port: &str) -> Result<String, String> {
    let told = |error: std::io::Error| error.to_string();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(told)?;
    let here = listener.local_addr().map_err(told)?;
    say(&format!("Forwarding from {here} -> {port}"));
    loop {
        let (mut near, _) = listener.accept().await.map_err(told)?;
        say(&format!("Handling connection for {}", here.port()));
        let pod = pod.to_owned();
        tokio::spawn(async move {
            if let Ok(mut far) = TcpStream::connect(pod).await {
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            }
        });
    }
}
