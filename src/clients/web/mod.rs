//! Ways to a Teleport proxy, stage by stage: TCP, TLS, HTTP, each with its own failure.
//!
//! A [`Web`] always speaks to the cluster's name (SNI and Host) and connects to the address it is told: a proxy sends
//! any other Host away with a redirect, and its certificate is for that name alone. One HTTP client per address and no
//! idle pool, since a shared pool keys on the host name and would answer from the old load balancer. No proxies, no
//! redirects, HTTP/1.1, bodies up to 256 KiB.

mod answer;
mod failure;
pub mod paths;
mod wildcard;

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use reqwest::Client;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

pub use answer::{Reply, find, ping};

use super::{certificate, tls::Tls};
use crate::{
    incident::{Address, Certificate, Failure, FailureKind, Part},
    plan::Plan,
};

/// What the certificates looked at are for, in words.
const CLUSTER_NAME: &str = "the cluster name";

/// Time for connecting, and again for the TLS handshake.
const CONNECT: Duration = Duration::from_secs(3);

/// Time for everything at one address.
const TOTAL: Duration = Duration::from_secs(6);

/// Largest body read, in bytes: ping takes about 1 KiB, an export of authorities a few.
const BODY: usize = 256 * 1024;

/// Most clients kept: the doors have a few addresses each.
const CLIENTS: usize = 32;

/// The cluster's proxies, at whatever address. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Web {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    tls: Tls,
    cluster: String,
    port: u16,
    /// One client for each address and each kind of trust.
    clients: Mutex<HashMap<(IpAddr, bool), Client>>,
}

impl Web {
    /// A reader of the plan's cluster. Reads the system's roots and `[web] ca_file` from disk: call it off the loop.
    #[must_use]
    pub fn load(plan: &Plan) -> Self {
        Self::new(
            Tls::load(plan.web.ca_file.as_deref()),
            &plan.cluster.name,
            plan.cluster.port,
        )
    }

    /// A reader of the cluster of that name, with that trust.
    #[must_use]
    pub fn new(tls: Tls, cluster: &str, port: u16) -> Self {
        Self {
            inner: Arc::new(Inner {
                tls,
                cluster: cluster.to_owned(),
                port,
                clients: Mutex::default(),
            }),
        }
    }

    /// The same proxies at another port: what a port-forward opens on this machine.
    #[must_use]
    pub fn at(&self, port: u16) -> Self {
        Self::new(self.inner.tls.clone(), &self.inner.cluster, port)
    }

    /// Looks at one address: connects, shakes hands, asks ping and find at once; within six seconds. The pins are left
    /// [`FailureKind::NotPlanned`]: they are asked for by [`Self::pins`], and seldom.
    pub async fn visit(&self, ip: IpAddr) -> Address {
        let deadline = Instant::now() + TOTAL;
        let socket = SocketAddr::new(ip, self.inner.port);
        let (stream, took) = match connect(socket, deadline).await {
            Ok(connected) => connected,
            Err(failure) => return self.stopped(ip, Err(failure.clone()), &failure),
        };
        let shaken = self.handshake(&self.inner.cluster, CLUSTER_NAME, stream, socket, deadline);
        let certificate = match shaken.await {
            Ok((certificate, _)) => certificate,
            Err(failure) => return self.stopped(ip, Ok(took), &failure),
        };
        let sound = certificate.problem.is_none();
        let (ping, find) = futures::join!(
            self.get(ip, sound, paths::PING, deadline),
            self.get(ip, sound, paths::FIND, deadline),
        );
        let ping = ping.and_then(|reply| answer::ping(&reply));
        let unasked = match &ping {
            Ok(_) => Failure::new(
                FailureKind::NotPlanned,
                "the host authorities have not been asked for yet",
            ),
            Err(failure) => failure.clone(),
        };
        Address {
            ip,
            port: self.inner.port,
            tcp: Ok(took),
            tls: Ok(certificate),
            ping,
            find: find.and_then(|reply| answer::find(&reply)),
            pins: Err(unasked),
            steady: Vec::new(),
            wildcard: crate::incident::not_asked(),
        }
    }

    fn stopped(&self, ip: IpAddr, tcp: Part<Duration>, failure: &Failure) -> Address {
        Address::stopped(ip, self.inner.port, tcp, failure)
    }

    /// The pins of the host authorities that an address exports, sorted. The call is rate limited by Teleport and goes
    /// through to the Auth Service: ask once a stage.
    ///
    /// # Errors
    /// If there is no answer, or none that is an export.
    pub async fn pins(&self, ip: IpAddr, trusted: bool) -> Part<Vec<String>> {
        let deadline = Instant::now() + TOTAL;
        let reply = self.get(ip, trusted, paths::EXPORT, deadline).await?;
        let body = answer::accepted(&reply)?;
        certificate::pins(body)
    }

    /// One GET of the cluster's name at an address.
    async fn get(&self, ip: IpAddr, trusted: bool, path: &str, deadline: Instant) -> Part<Reply> {
        let place = format!("{path} at {}", SocketAddr::new(ip, self.inner.port));
        let client = self.client(ip, trusted).map_err(|why| {
            Failure::new(
                FailureKind::Other,
                format!("no HTTP client for {place}: {why}"),
            )
        })?;
        let url = format!("https://{}:{}{path}", self.inner.cluster, self.inner.port);
        let began = Instant::now();
        let answered = timeout_at(deadline, async {
            let mut response = client
                .get(url)
                .send()
                .await
                .map_err(|error| failure::http(&error, &place))?;
            let mut body = Vec::new();
            while let Some(chunk) = response
                .chunk()
                .await
                .map_err(|error| failure::http(&error, &place))?
            {
                if body.len() + chunk.len() > BODY {
                    return Err(Failure::new(
                        FailureKind::Garbage,
                        format!("{place} answered more than {} KiB", BODY / 1024),
                    ));
                }
                body.extend_from_slice(&chunk);
            }
            let location = response
                .headers()
                .get("location")
                .and_then(|value| value.to_str().ok())
                .map(ToOwned::to_owned);
            Ok(Reply {
                place: place.clone(),
                status: response.status().as_u16(),
                location,
                body,
                took: began.elapsed(),
            })
        });
        answered
            .await
            .unwrap_or_else(|_| Err(failure::silence(&place, began.elapsed())))
    }

    /// Shakes hands under a name. Gives the certificate presented, with the connection if it came about.
    async fn handshake(
        &self,
        name: &str,
        of: &'static str,
        stream: TcpStream,
        socket: SocketAddr,
        deadline: Instant,
    ) -> Part<(Certificate, Option<TlsStream<TcpStream>>)> {
        let began = Instant::now();
        let (config, recorder) = self.inner.tls.recording(of).map_err(|error| {
            Failure::new(
                FailureKind::Other,
                format!("TLS could not be set up: {error}"),
            )
        })?;
        let name = ServerName::try_from(name.to_owned()).map_err(|_| {
            Failure::new(
                FailureKind::Other,
                format!("{of} of the plan is no name that TLS can ask for"),
            )
        })?;
        let shaken = timeout_at(
            deadline.min(began + CONNECT),
            TlsConnector::from(Arc::new(config)).connect(name, stream),
        )
        .await;
        // A server may present its certificate and then fail: what was presented is read all the same.
        match (recorder.seen(), shaken) {
            (Some(presented), Ok(Ok(stream))) => {
                let certificate = certificate::read(&presented.leaf, presented.problem)?;
                Ok((certificate, Some(stream)))
            }
            (Some(presented), failed) => {
                let why = match failed {
                    Ok(Err(error)) => format!("the handshake failed after it: {error}"),
                    _ => "the handshake came to no end".to_owned(),
                };
                Ok((certificate::read(&presented.leaf, Some(why))?, None))
            }
            (None, Ok(Err(error))) => Err(failure::handshake(&error, socket)),
            (None, _) => Err(failure::silence(
                &format!("the TLS handshake with {socket}"),
                began.elapsed(),
            )),
        }
    }

    /// The client for an address. Where the certificate was not trusted, the answers are read all the same and shown
    /// beside what is wrong with it; nothing is sent that anybody could misuse.
    fn client(&self, ip: IpAddr, trusted: bool) -> Result<Client, String> {
        let mut clients = self
            .inner
            .clients
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&(ip, trusted)) {
            return Ok(client.clone());
        }
        let config = self.config(trusted).map_err(|error| error.to_string())?;
        let client = Client::builder()
            .tls_backend_preconfigured(config)
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT)
            .timeout(TOTAL)
            .resolve(&self.inner.cluster, SocketAddr::new(ip, self.inner.port))
            .user_agent(concat!("relight/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| error.to_string())?;
        if clients.len() >= CLIENTS {
            clients.clear();
        }
        clients.insert((ip, trusted), client.clone());
        Ok(client)
    }

    fn config(&self, trusted: bool) -> Result<ClientConfig, rustls::Error> {
        if trusted {
            self.inner.tls.strict()
        } else {
            self.inner
                .tls
                .recording(CLUSTER_NAME)
                .map(|(config, _)| config)
        }
    }
}

async fn connect(socket: SocketAddr, deadline: Instant) -> Result<(TcpStream, Duration), Failure> {
    let began = Instant::now();
    match timeout_at(deadline.min(began + CONNECT), TcpStream::connect(socket)).await {
        Ok(Ok(stream)) => Ok((stream, began.elapsed())),
        Ok(Err(error)) => Err(failure::tcp(&error, socket)),
        Err(_) => Err(failure::silence(
            &format!("TCP to {socket}"),
            began.elapsed(),
        )),
    }
}

#[cfg(test)]
mod tests;
