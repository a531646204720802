//! What a name under the cluster's gets at an address: whether applications could be reached by the same certificate and
//! the same proxies. They themselves come back only with their agents, so that any answer of HTTP will do.

use std::{io, net::IpAddr, net::SocketAddr};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    time::{Instant, timeout_at},
};

use super::{TOTAL, Web, connect, failure};
use crate::incident::{Failure, FailureKind, Part, Wildcard};

/// Longest status line that is read, in bytes.
const LINE: usize = 512;

impl Web {
    /// Asks an address for a name under the cluster's, as SNI and Host: its certificate, and the status of `GET /`. What
    /// is sent is nothing that anybody could misuse, whatever the certificate.
    ///
    /// # Errors
    /// If no certificate is presented.
    pub async fn wildcard(&self, ip: IpAddr, name: &str) -> Part<Wildcard> {
        let deadline = Instant::now() + TOTAL;
        let socket = SocketAddr::new(ip, self.inner.port);
        let (stream, _) = connect(socket, deadline).await?;
        let of = "a name under the cluster's";
        let (tls, stream) = self.handshake(name, of, stream, socket, deadline).await?;
        let place = format!("GET / of {name} at {socket}");
        let answer = match stream {
            None => Err(Failure::new(
                FailureKind::Tls,
                format!("{place}: there was no handshake to the end"),
            )),
            Some(stream) => {
                let began = Instant::now();
                let host = format!("{name}:{}", self.inner.port);
                timeout_at(deadline, status(stream, &host))
                    .await
                    .map_or_else(
                        |_| Err(failure::silence(&place, began.elapsed())),
                        |read| read.map_err(|error| failure::spoken(&error, &place)),
                    )
            }
        };
        Ok(Wildcard {
            asked: name.to_owned(),
            tls,
            answer,
        })
    }
}

/// The status of `GET /`, read off the first line of the answer.
async fn status(mut stream: impl AsyncRead + AsyncWrite + Unpin, host: &str) -> io::Result<u16> {
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: relight/{}\r\nAccept: */*\r\nConnection: close\r\n\r\n",
        env!("CARGO_PKG_VERSION")
    );
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut line = Vec::new();
    while line.len() < LINE && !line.contains(&b'\n') {
        if stream.read_buf(&mut line).await? == 0 {
            break;
        }
    }
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    of_line(&line).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no answer of HTTP"))
}

/// `HTTP/1.1 302 Found`.
fn of_line(line: &[u8]) -> Option<u16> {
    let line = line.split(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?.strip_prefix("HTTP/1.")?;
    let status = line.split_ascii_whitespace().nth(1)?.parse().ok()?;
    (100..600).contains(&status).then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_status_of_http_is_an_answer_and_nothing_else_is() {
        let cases: [(&[u8], Option<u16>); 7] = [
            (b"HTTP/1.1 302 Found\r\nlocation: x\r\n", Some(302)),
            (b"HTTP/1.0 404 Not Found\r\n", Some(404)),
            (b"HTTP/1.1 503\r\n", Some(503)),
            (b"HTTP/1.1 99 x\r\n", None),
            (b"HTTP/2 200\r\n", None),
            (b"SSH-2.0-Teleport\r\n", None),
            (b"\xff\xfe\r\n", None),
        ];
        for (line, status) in cases {
            assert_eq!(of_line(line), status, "{:?}", String::from_utf8_lossy(line));
        }
    }
}
