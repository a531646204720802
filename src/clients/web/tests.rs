//! Real TLS servers over real sockets.

use std::net::Ipv4Addr;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use super::*;

const NAME: &str = "teleport.example.com";
const PING: &str = include_str!("../../../tests/fixtures/web/ping-18.json");
const EXPORT: &str = include_str!("../../../tests/fixtures/web/host-ca.pem");

/// What a server does with a connection once there is TLS.
#[derive(Clone, Copy)]
enum Does {
    Answer,
    AuthDown,
    Hang,
    Garbage,
    Huge,
    Close,
}

/// A private authority, trusted by the [`Web`] that [`Rig::web`] makes.
struct Rig {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

impl Rig {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "a private authority");
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).expect("a file");
        Self { issuer, folder }
    }

    fn web(&self, port: u16) -> Web {
        let tls = Tls::load(Some(&self.folder.path().join("ca.pem")));
        Web::new(tls, NAME, port)
    }

    /// Starts a server with a certificate for `name`, or for more, separated by spaces; gives its port.
    async fn serve(&self, name: &str, expired: bool, trusted: bool, does: Does) -> u16 {
        let mut params =
            CertificateParams::new(name.split(' ').map(str::to_owned).collect::<Vec<_>>())
                .expect("names");
        if expired {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        }
        let key = KeyPair::generate().expect("a key");
        let leaf = if trusted {
            params.signed_by(&key, &self.issuer)
        } else {
            params.self_signed(&key)
        };
        let leaf = leaf.expect("a certificate");
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], private)
            .expect("a configuration");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        listen(move |stream| {
            let acceptor = acceptor.clone();
            async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    speak(stream, does).await;
                }
            }
        })
        .await
    }
}

/// Accepts on a loopback port and gives each connection to `with`.
async fn listen<F, D>(with: F) -> u16
where
    F: Fn(TcpStream) -> D + Send + 'static,
    D: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(with(stream));
        }
    });
    port
}

async fn speak(mut stream: tokio_rustls::server::TlsStream<TcpStream>, does: Does) {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut chunk = [0; 1024];
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return,
            Ok(read) => request.extend_from_slice(&chunk[..read]),
        }
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    assert!(
        request
            .lines()
            .any(|line| line.to_lowercase().starts_with("host: ") && line.contains(NAME)),
        "{request}"
    );
    let (status, body) = match does {
        Does::Hang => return std::future::pending().await,
        Does::Close => return,
        Does::Garbage => {
            let _ = stream.write_all(b"\x00\xff not HTTP at all\r\n\r\n").await;
            return;
        }
        Does::Huge => ("200 OK", "x".repeat(BODY + 1)),
        Does::AuthDown if request.contains("/find") => ("200 OK", PING.to_owned()),
        Does::AuthDown => (
            "504 Gateway Timeout",
            r#"{"error":{"message":"no auth"}}"#.to_owned(),
        ),
        Does::Answer if request.contains("/export") => ("200 OK", EXPORT.to_owned()),
        Does::Answer => ("200 OK", PING.to_owned()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(body.as_bytes()).await;
    let _ = stream.shutdown().await;
}

const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn kind<T>(part: &Part<T>) -> Option<FailureKind> {
    part.as_ref().err().map(|failure| failure.kind)
}

#[tokio::test]
async fn a_sound_proxy_is_read_through_every_stage() {
    let rig = Rig::new();
    let port = rig.serve(NAME, false, true, Does::Answer).await;
    let web = rig.web(port);
    let seen = web.visit(LOCAL).await;
    assert!(seen.tcp.is_ok());
    let certificate = seen.tls.expect("a certificate");
    assert_eq!(certificate.problem, None);
    assert_eq!(certificate.names, [NAME]);
    assert_eq!(
        seen.ping.expect("ping").server_version.as_deref(),
        Some("18.2.4")
    );
    assert_eq!(seen.find.expect("find").cluster_name.as_deref(), Some(NAME));
    let pin = include_str!("../../../tests/fixtures/web/host-ca.pin").trim();
    assert_eq!(web.pins(LOCAL, true).await, Ok(vec![pin.to_owned()]));
}

#[tokio::test]
async fn a_bad_certificate_is_shown_and_the_answer_behind_it_still_read() {
    let rig = Rig::new();
    let cases = [
        (NAME, true, true, "expired"),
        (
            "other.example.com",
            false,
            true,
            "not valid for the cluster name",
        ),
        (NAME, false, false, "issued by nobody this machine trusts"),
    ];
    for (name, expired, trusted, part) in cases {
        let port = rig.serve(name, expired, trusted, Does::Answer).await;
        let web = rig.web(port);
        let seen = web.visit(LOCAL).await;
        let certificate = seen.tls.expect(part);
        let problem = certificate.problem.expect(part);
        assert!(problem.contains(part), "{problem}");
        assert_eq!(certificate.names, [name]);
        assert!(seen.ping.is_ok(), "{part}: {:?}", seen.ping);
        // Whoever trusts only what should be trusted gets nothing.
        assert_eq!(
            kind(&web.pins(LOCAL, true).await),
            Some(FailureKind::Tls),
            "{part}"
        );
    }
}

#[tokio::test]
async fn what_answers_badly_is_told_apart() {
    let rig = Rig::new();
    let cases = [
        (Does::AuthDown, FailureKind::Server, None),
        (
            Does::Garbage,
            FailureKind::Garbage,
            Some(FailureKind::Garbage),
        ),
        (Does::Huge, FailureKind::Garbage, Some(FailureKind::Garbage)),
        (
            Does::Close,
            FailureKind::Unreachable,
            Some(FailureKind::Unreachable),
        ),
        (Does::Hang, FailureKind::Timeout, Some(FailureKind::Timeout)),
    ];
    let looks = cases.map(|(does, ping, find)| {
        let rig = &rig;
        async move {
            let port = rig.serve(NAME, false, true, does).await;
            let seen = rig.web(port).visit(LOCAL).await;
            assert!(seen.tls.is_ok());
            assert_eq!(kind(&seen.ping), Some(ping), "{:?}", seen.ping);
            assert_eq!(kind(&seen.find), find, "{:?}", seen.find);
        }
    });
    futures::future::join_all(looks).await;
}

#[tokio::test]
async fn what_is_no_tls_server_is_told_apart() {
    let rig = Rig::new();
    let plain = listen(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await;
    let seen = rig.web(plain).visit(LOCAL).await;
    assert!(seen.tcp.is_ok());
    assert_eq!(kind(&seen.tls), Some(FailureKind::Tls), "{:?}", seen.tls);
    assert_eq!(kind(&seen.ping), Some(FailureKind::Tls));

    let closing = listen(|stream| async move { drop(stream) }).await;
    let seen = rig.web(closing).visit(LOCAL).await;
    assert_eq!(
        kind(&seen.tls),
        Some(FailureKind::Unreachable),
        "{:?}",
        seen.tls
    );

    let silent = listen(|stream| async move {
        let _held = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let seen = rig.web(silent).visit(LOCAL).await;
    assert_eq!(
        kind(&seen.tls),
        Some(FailureKind::Timeout),
        "{:?}",
        seen.tls
    );

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let seen = rig.web(port).visit(LOCAL).await;
    assert_eq!(
        kind(&seen.tcp),
        Some(FailureKind::Unreachable),
        "{:?}",
        seen.tcp
    );
    assert_eq!(kind(&seen.tls), kind(&seen.tcp));
}

#[tokio::test]
async fn a_name_under_the_clusters_is_asked_by_itself_and_any_answer_is_one() {
    let rig = Rig::new();
    let both = format!("{NAME} *.{NAME}");
    let asked = format!("abcdefghijkl.{NAME}");
    let cases = [
        (both.as_str(), Does::Answer, None, Ok(200)),
        (both.as_str(), Does::AuthDown, None, Ok(504)),
        (
            NAME,
            Does::Answer,
            Some("not valid for a name under the cluster's"),
            Ok(200),
        ),
        (
            both.as_str(),
            Does::Garbage,
            None,
            Err(FailureKind::Garbage),
        ),
        (
            both.as_str(),
            Does::Close,
            None,
            Err(FailureKind::Unreachable),
        ),
        (both.as_str(), Does::Hang, None, Err(FailureKind::Timeout)),
    ];
    for (names, does, problem, answer) in cases {
        let port = rig.serve(names, false, true, does).await;
        let seen = rig.web(port).wildcard(LOCAL, &asked).await;
        let seen = seen.expect("a certificate");
        assert_eq!(seen.asked, asked);
        assert_eq!(seen.tls.problem.as_deref(), problem);
        assert_eq!(
            seen.answer.as_ref().map_err(|why| why.kind),
            answer.as_ref().map_err(|kind| *kind),
            "{:?}",
            seen.answer
        );
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let nobody = rig.web(port).wildcard(LOCAL, &asked).await;
    assert_eq!(kind(&nobody), Some(FailureKind::Unreachable));
}
