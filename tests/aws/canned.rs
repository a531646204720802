//! A server that gives recorded answers, and a plan that leads there.

use std::{fmt::Write as _, net::Ipv4Addr, path::Path};

use relight::{incident::Side, plan::Plan, plan::Service};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// What is answered to requests that contain a text: the answers in turn, and the last one from then on.
pub struct Rule {
    pub when: &'static str,
    pub answers: Vec<(u16, String)>,
}

/// A rule with one answer.
pub fn rule(when: &'static str, status: u16, body: &str) -> Rule {
    Rule {
        when,
        answers: vec![(status, body.to_owned())],
    }
}

/// Serves the rules, the first that fits; 501 for everything else. Gives the URL.
pub async fn serve(mut rules: Vec<Rule>) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let request = read(&mut stream).await;
            let rule = rules.iter_mut().find(|rule| request.contains(rule.when));
            let (status, body) = match rule {
                Some(rule) if rule.answers.len() > 1 => rule.answers.remove(0),
                Some(rule) => rule.answers[0].clone(),
                None => (501, String::new()),
            };
            let answer = format!(
                "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            // The client may have gone: that is its business.
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    url
}

async fn read(stream: &mut TcpStream) -> String {
    let mut seen = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&seen).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .to_ascii_lowercase()
                .split("content-length: ")
                .nth(1)
                .and_then(|rest| rest.split("\r\n").next()?.trim().parse::<usize>().ok());
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return text,
            Ok(n) => seen.extend_from_slice(&chunk[..n]),
        }
    }
}

/// A plan whose every endpoint is the URL, with credentials in the folder.
pub fn plan(dir: &Path, url: &str, zone: &str) -> Plan {
    let credentials = "[default]\naws_access_key_id = 111122223333\naws_secret_access_key = x\n";
    std::fs::write(dir.join("credentials"), credentials).expect("written");
    let mut text = "[cluster]\nname = \"tele.example.com\"\n".to_owned();
    for side in Side::BOTH {
        let (region, table) = match side {
            Side::Primary => ("us-east-1", "teleport-state-old"),
            Side::Recovery => ("us-west-2", "teleport-state"),
        };
        let _ = write!(
            text,
            "[{side}]\nregion = \"{region}\"\naccount = \"111122223333\"\ncredentials_file = \"credentials\"\nstate_table = \"{table}\"\naudit_table = \"teleport-audit\"\nrecordings_bucket = \"rec-{side}\"\n[{side}.endpoints]\n"
        );
        for service in Service::ALL {
            let _ = writeln!(text, "{} = \"{url}\"", service.key());
        }
    }
    let _ = write!(
        text,
        "[dns]\nzone_id = \"{zone}\"\nzone = \"example.com\"\npublic_resolvers = []\nnew = [\"new.elb.example\"]\n"
    );
    let mut plan = Plan::parse(&dir.join("relight.toml"), &text).expect("a valid plan");
    plan.practice = true;
    plan
}
