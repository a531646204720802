//! A world in which every server is hostile, met by the binary: AWS, Kubernetes, DNS, a proxy with its certificate, and an
//! exec plugin.

use std::{fmt::Write as _, fs, net::Ipv4Addr, path::Path, process::Stdio, sync::Arc};

use hickory_proto::{
    op::{Message, MessageType},
    rr::{Name, RData, Record, rdata::CNAME},
};
use relight::{incident::Side, plan::Service};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, UdpSocket},
};

use super::{SECRET, foul, strings};

const PROGRAM: &str = env!("CARGO_BIN_EXE_relight");
const EVIL: &str = "\u{1b}[2J\u{1b}]52;c;aGk=\u{7}\u{9b}31mevil\u{202e}gpj\u{200b}";
/// The same for a file that is YAML, which takes no C1.
const NAMED: &str = "\u{1b}[2J\u{1b}]52;c;aGk=\u{7}evil\u{202e}gpj\u{200b}";

/// A text as a hostile server says it: with a presigned URL in it.
fn said() -> String {
    format!(
        "{EVIL} denied: https://b.s3.amazonaws.com/x?X-Amz-Credential={SECRET}%2F1&X-Amz-Signature=fe5f80f77d5fa3beca038a248ff027d0 password=hunter2hunter2"
    )
}

/// Everything of this that must not be told.
const SECRETS: [&str; 3] = [SECRET, "fe5f80f77d5fa3beca038a248ff027d0", "hunter2hunter2"];

/// What a request gets.
fn answer(request: &str) -> (u16, String) {
    let path = request.split(' ').nth(1).unwrap_or_default();
    let kube = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/kube");
    let file = ["pods", "events", "deployments", "services", "nodes"]
        .into_iter()
        .find(|kind| path.starts_with("/api") && path.contains(&format!("/{kind}")));
    if path.starts_with("/webapi") {
        let body = json!({"server_version": said(), "cluster_name": said(),
            "auth": {"type": EVIL}, "min_client_version": EVIL});
        return (200, body.to_string());
    }
    if let Some(file) = file {
        let text = fs::read_to_string(kube.join(format!("{file}.json"))).expect("a fixture");
        let mut body: Value = serde_json::from_str(&text).expect("JSON");
        poison(&mut body);
        return (200, body.to_string());
    }
    if path.starts_with("/api") {
        let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": said(),
            "reason": EVIL, "code": 403});
        return (403, body.to_string());
    }
    if request.contains("x-amz-json") {
        let body = json!({"__type": format!("com.amazonaws#{EVIL}Exception"), "message": said(), "Message": said()});
        return (400, body.to_string());
    }
    let xml = said()
        .replace('&', "&amp;")
        .replace(['\u{1b}', '\u{7}'], "&#x9b;");
    let body = format!(
        "<ErrorResponse><Error><Code>Evil{xml}</Code><Message>{xml}</Message></Error><RequestId>x</RequestId></ErrorResponse>"
    );
    (403, body)
}

fn poison(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(poison),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text)
                        if ["message", "reason", "note"].contains(&name.as_str()) =>
                    {
                        *text = said();
                    }
                    Value::String(text)
                        if ["name", "hostname", "nodeName", "node"].contains(&name.as_str()) =>
                    {
                        text.push_str(EVIL);
                    }
                    value => poison(value),
                }
            }
        }
        _ => {}
    }
}

async fn speak(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut seen = Vec::new();
    let mut chunk = [0; 4096];
    while !seen.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return,
            Ok(n) => seen.extend_from_slice(&chunk[..n]),
        }
    }
    let (status, body) = answer(&String::from_utf8_lossy(&seen));
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    // The client may have gone: that is its business.
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(body.as_bytes()).await;
    let _ = stream.shutdown().await;
}

async fn plain() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a port");
    let port = listener.local_addr().expect("bound").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(speak(stream));
        }
    });
    port
}

/// A proxy whose certificate names are hostile, and its own authority.
async fn proxy(folder: &Path) -> u16 {
    let mut params =
        rcgen::CertificateParams::new(vec!["teleport.example.com".to_owned()]).expect("names");
    let evil: rcgen::string::Ia5String =
        "\u{1b}[2Jevil\u{7}.example.com".try_into().expect("ASCII");
    params.subject_alt_names.push(rcgen::SanType::DnsName(evil));
    for kind in [rcgen::DnType::CommonName, rcgen::DnType::OrganizationName] {
        params.distinguished_name.push(kind, said());
    }
    let key = rcgen::KeyPair::generate().expect("a key");
    let leaf = params.self_signed(&key).expect("a certificate");
    fs::write(folder.join("ca.pem"), leaf.pem()).expect("written");
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], private)
        .expect("a configuration");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a port");
    let port = listener.local_addr().expect("bound").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    speak(stream).await;
                }
            });
        }
    });
    port
}

/// A resolver that sends every name on to one with hostile labels.
async fn resolver() -> u16 {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a port");
    let port = socket.local_addr().expect("bound").port();
    let labels: [&[u8]; 4] = [
        b"\x1b[2Jevil",
        "\u{202e}gpj".as_bytes(),
        b"\x9b31m\xff\0",
        b"example",
    ];
    let target = Name::from_labels(labels).expect("a name");
    tokio::spawn(async move {
        let mut bytes = [0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut bytes).await {
            let Ok(mut message) = Message::from_vec(&bytes[..length]) else {
                continue;
            };
            let Some(asked) = message.queries.first().cloned() else {
                continue;
            };
            message.metadata.message_type = MessageType::Response;
            let alias = RData::CNAME(CNAME(target.clone()));
            message.add_answer(Record::from_rdata(asked.name().clone(), 60, alias));
            let address = RData::A(Ipv4Addr::LOCALHOST.into());
            message.add_answer(Record::from_rdata(target.clone(), 60, address));
            let _ = socket
                .send_to(&message.to_vec().expect("bytes"), from)
                .await;
        }
    });
    port
}

/// The plan of that world.
fn write_plan(folder: &Path, http: u16, tls: u16, dns: u16) {
    let credentials = "[default]\naws_access_key_id = x\naws_secret_access_key = x\n";
    fs::write(folder.join("credentials"), credentials).expect("written");
    let plugin = folder.join("plugin");
    let script = "#!/bin/sh\nprintf '\\033[2J\\033]52;c;aGk=\\007\\377\\376 password=hunter2hunter2 \\342\\200\\256gpj\\n' >&2\nexit 255\n";
    fs::write(&plugin, script).expect("written");
    fs::set_permissions(&plugin, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("set");
    let server = json!({"server": format!("http://127.0.0.1:{http}")});
    let exec = json!({"apiVersion": "client.authentication.k8s.io/v1", "command": plugin, "interactiveMode": "Never"});
    let config = json!({"apiVersion": "v1", "kind": "Config", "current-context": NAMED,
        "clusters": [{"name": "c", "cluster": server}, {"name": NAMED, "cluster": server}],
        "users": [{"name": "u", "user": {}}, {"name": NAMED, "user": {"exec": exec}}],
        "contexts": [{"name": "east", "context": {"cluster": "c", "user": "u"}},
            {"name": "west", "context": {"cluster": NAMED, "user": NAMED}}, {"name": NAMED, "context": {"cluster": NAMED, "user": NAMED}}]});
    fs::write(folder.join("kubeconfig"), config.to_string()).expect("written");
    let mut text = format!("[cluster]\nname = \"teleport.example.com\"\nport = {tls}\n");
    for side in Side::BOTH {
        let (region, context) = match side {
            Side::Primary => ("us-east-1", "east"),
            Side::Recovery => ("us-west-2", "west"),
        };
        let _ = write!(
            text,
            "[{side}]\nregion = \"{region}\"\naccount = \"111122223333\"\ncredentials_file = \"credentials\"\nstate_table = \"s-{side}\"\naudit_table = \"a-{side}\"\nrecordings_bucket = \"rec-{side}\"\n[{side}.kube]\ncontext = \"{context}\"\nkubeconfig = \"kubeconfig\"\n[{side}.endpoints]\n"
        );
        for service in Service::ALL {
            let _ = writeln!(text, "{} = \"http://127.0.0.1:{http}\"", service.key());
        }
    }
    let _ = write!(
        text,
        "[dns]\nzone_id = \"Z1\"\nzone = \"example.com\"\npublic_resolvers = []\nold = [\"127.0.0.1\"]\nnew = [\"127.0.0.2\"]\n[[dns.resolvers]]\naddress = \"127.0.0.1:{dns}\"\n"
    );
    fs::write(folder.join("relight.toml"), text).expect("written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_a_server_says_reaches_a_terminal() {
    let folder = tempfile::tempdir().expect("a folder");
    let (http, tls, dns) = (plain().await, proxy(folder.path()).await, resolver().await);
    write_plan(folder.path(), http, tls, dns);
    let ways: [&[&str]; 6] = [
        &["--once"],
        &["--once", "--format", "json"],
        &["--once", "--format", "markdown"],
        &["check"],
        &["step", "list"],
        &["step", "show", "verify-backups", "--format", "json"],
    ];
    let all = ways.map(|args| {
        let plan = folder.path().join("relight.toml");
        let told = tokio::process::Command::new(PROGRAM)
            .args(args)
            .args(["--plan", plan.to_str().expect("a path")])
            .env("HOME", folder.path())
            .env_remove("XDG_STATE_HOME")
            .stdin(Stdio::null())
            .output();
        async move { (args, told.await.expect("the binary")) }
    });
    let mut whole = String::new();
    for (args, done) in futures::future::join_all(all).await {
        let told = String::from_utf8(done.stdout).expect("UTF-8")
            + std::str::from_utf8(&done.stderr).expect("UTF-8");
        assert_eq!(foul(&told, true), None, "{args:?}: {told}");
        if args.contains(&"json") {
            let value: Value =
                serde_json::from_str(&told).unwrap_or_else(|wrong| unreachable!("{wrong}: {told}"));
            strings(&value, &mut |text| {
                assert_eq!(foul(text, true), None, "{args:?}: {text:?}");
            });
        }
        for secret in SECRETS {
            assert!(!told.contains(secret), "{args:?}: {secret} in {told}");
        }
        whole += &told;
    }
    // They were heard, each of them.
    for part in ["evil", "[redacted", "gpj", "[2jevil", "exec plugin"] {
        assert!(whole.contains(part), "{part} in {whole}");
    }
}
