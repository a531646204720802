//! One load balancer address: listens while a proxy is ready behind it, and breaks as the scenario says.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::answer::{Face, router};
use crate::{
    incident::{Moment, Side},
    practice::world::{Fault, Shared},
};

/// How often the world is asked whether a proxy is ready.
const POLL: Duration = Duration::from_millis(100);

/// Longest that a client may take for its side of the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// Connections that may wait between handshake and answer.
const WAITING: usize = 64;

/// Serves the proxies of a side on its load balancer's address, until dropped. Binds and lets go of the address itself,
/// as the world changes: a load balancer without targets refuses.
pub async fn serve(world: Shared, side: Side, address: SocketAddr, tls: TlsAcceptor) {
    let face = Face::new(world, side);
    loop {
        turned(&face, true).await;
        match TcpListener::bind(address).await {
            Ok(listener) => {
                tokio::select! {
                    () = answer(listener, &face, &tls) => {}
                    () = turned(&face, false) => {}
                }
            }
            // The address is still taken by connections of before, or by somebody else: tried again.
            Err(_) => tokio::time::sleep(POLL).await,
        }
    }
}

/// Waits until the load balancer has a ready target, or none.
async fn turned(face: &Face, ready: bool) {
    while face.ready() != ready {
        tokio::time::sleep(POLL).await;
    }
}

/// Answers until something is wrong with the listener.
async fn answer(listener: TcpListener, face: &Face, tls: &TlsAcceptor) {
    let Ok(local) = listener.local_addr() else {
        return;
    };
    let (shaken, ready) = mpsc::channel(WAITING);
    let accepting = accept(listener, face.clone(), tls.clone(), shaken);
    let served = axum::serve(Shaken { ready, local }, router(face.clone()));
    tokio::select! {
        () = accepting => {}
        _ = served => {}
    }
}

/// Accepts connections and shakes hands with each in a task of its own, so that a slow client holds nobody up. The
/// tasks end with this future.
async fn accept(
    listener: TcpListener,
    face: Face,
    tls: TlsAcceptor,
    shaken: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let mut tasks = tokio::task::JoinSet::new();
    loop {
        while tasks.try_join_next().is_some() {}
        let Ok((stream, peer)) = listener.accept().await else {
            // Out of file descriptors, or a client that has gone again.
            tokio::time::sleep(POLL).await;
            continue;
        };
        let (fault, tls, shaken) = (face.fault(Moment::now()), tls.clone(), shaken.clone());
        tasks.spawn(async move {
            if let Some(stream) = broken(fault, stream).await
                && let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await
            {
                let _ = shaken.send((stream, peer)).await;
            }
        });
    }
}

/// Does what a fault says below HTTP; gives the connection back where there is none.
async fn broken(fault: Fault, mut stream: TcpStream) -> Option<TcpStream> {
    match fault {
        Fault::None | Fault::Unavailable | Fault::Forbidden => return Some(stream),
        // Until the client gives up: what it sends goes nowhere.
        Fault::Hang => {
            let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
        }
        Fault::Reset => {
            let _ = stream.set_zero_linger();
        }
        Fault::Garbage => {
            let _ = stream.write_all(b"\x00\x01 this is not TLS\r\n").await;
        }
    }
    None
}

/// Connections that have shaken hands, as axum takes them.
struct Shaken {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    local: SocketAddr,
}

impl axum::serve::Listener for Shaken {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            // The acceptor is gone, and with it, in a moment, this server.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.local)
    }
}
