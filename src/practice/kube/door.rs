//! The listener with its faults: a reset closes a connection before anything is read from it.

use std::net::SocketAddr;

use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};

use super::{Face, Fault};

pub(super) struct Door {
    listener: TcpListener,
    face: Face,
}

impl Door {
    pub(super) const fn new(listener: TcpListener, face: Face) -> Self {
        Self { listener, face }
    }
}

impl Listener for Door {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, from) = Listener::accept(&mut self.listener).await;
            if self.face.fault() != Fault::Reset {
                return (stream, from);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}
