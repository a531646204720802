//! One question over TCP, for answers that do not fit into a datagram (RFC 7766).

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Largest answer taken. A message could have 64 KiB; addresses of one name never come near this.
const MOST: usize = 16 * 1024;

/// Sends one message and reads one. The caller bounds the time.
///
/// # Errors
/// If the connection fails, or the answer is larger than 16 KiB.
pub async fn exchange(server: SocketAddr, message: &[u8]) -> io::Result<Vec<u8>> {
    let length = u16::try_from(message.len())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "the question is over 64 KiB"))?;
    let mut stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    // One write: some servers want length and message in one segment (RFC 7766 section 8).
    let mut framed = Vec::with_capacity(message.len() + 2);
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(message);
    stream.write_all(&framed).await?;
    let length = usize::from(stream.read_u16().await?);
    if length > MOST {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("an answer of {length} bytes is more than the {MOST} that are taken"),
        ));
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}
