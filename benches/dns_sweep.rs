//! One sweep of many resolvers, as `rigs/dns_rig.py` measures it:
//!
//! ```text
//! dns_rig.py --k 1000 --custom 'relight=…/dns_sweep {list} {port} {timeout_ms}'
//! ```
//!
//! Without arguments it starts servers of its own on 127.8.0.0/16, 20 ms away and 5 % of them dead, and sweeps them 20
//! times. The servers share the machine with the sweep, so the rig's numbers, with servers in C, are the ones that count.
#![expect(clippy::print_stdout, reason = "a benchmark tells its numbers")]

use std::{
    error::Error,
    fs,
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use relight::clients::dns::{Kind, Patience, Question, sweep};
use tokio::net::UdpSocket;

/// How far away the own servers are.
const AWAY: Duration = Duration::from_millis(20);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // cargo bench passes flags of its own.
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with("--"))
        .collect();
    if let [list, port, timeout] = &args[..] {
        let port: u16 = port.parse()?;
        let list = fs::read_to_string(list)?;
        let servers: Result<Vec<SocketAddr>, _> = list
            .lines()
            .map(|line| line.parse().map(|ip| SocketAddr::new(ip, port)))
            .collect();
        run(&servers?, Duration::from_millis(timeout.parse()?)).await?;
        return Ok(());
    }
    let mut servers = Vec::new();
    for host in 0..1000_u16 {
        let [high, low] = host.to_be_bytes();
        servers.push(serve(Ipv4Addr::new(127, 8, high, low), host % 20 == 7).await?);
    }
    for _ in 0..20 {
        run(&servers, Duration::from_secs(1)).await?;
    }
    Ok(())
}

/// Sweeps once and prints when the last answer came, how long it took, and how many answered.
async fn run(servers: &[SocketAddr], timeout: Duration) -> Result<(), Box<dyn Error>> {
    let questions: Result<Vec<Question>, _> = servers
        .iter()
        .map(|server| Question::new(*server, "example.test", Kind::A, true))
        .collect();
    let patience = Patience {
        again: timeout * 2 / 5,
        timeout,
    };
    let (began, mut answered, mut last) = (Instant::now(), 0_usize, Duration::ZERO);
    let questions = questions.map_err(|failure| failure.to_string())?;
    sweep(questions, patience, |outcome| {
        if outcome.reply.is_ok() {
            answered += 1;
            last = began.elapsed();
        }
    })
    .await;
    println!(
        "{answered} of {} answered, the last after {:.1} ms, sweep {:.1} ms",
        servers.len(),
        last.as_secs_f64() * 1e3,
        began.elapsed().as_secs_f64() * 1e3,
    );
    Ok(())
}

/// Answers every question after a while with the question itself, marked as an answer without records.
async fn serve(ip: Ipv4Addr, dead: bool) -> Result<SocketAddr, Box<dyn Error>> {
    let socket = std::sync::Arc::new(UdpSocket::bind((ip, 0)).await?);
    let address = socket.local_addr()?;
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            if dead || length < 12 {
                continue;
            }
            let mut answer = buffer[..length].to_vec();
            answer[2] |= 0x80;
            let socket = std::sync::Arc::clone(&socket);
            tokio::spawn(async move {
                tokio::time::sleep(AWAY).await;
                // The one who asked may have gone.
                let _ = socket.send_to(&answer, from).await;
            });
        }
    });
    Ok(address)
}
