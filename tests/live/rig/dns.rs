//! DNS: two delegated authorities (knot, nsd) that follow the hosted zone, and three caches (unbound, bind9,
//! knot-resolver) in front of them.
//!
//! All on high ports, so a delegation cannot be followed to them: the caches are told where the authorities are, for
//! every name there is, so that nothing leaves loopback. DNSSEC validation is off. bind9 listens only on addresses that
//! an interface has, so it is told apart by its port.

mod conf;

use std::{
    net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use relight::incident::RecordSet;
use toml::Table;

use super::{folder, parts, server::Server};

/// Where the records of the hosted zone come from; `None` while they cannot be had.
pub type Source = Box<dyn FnMut() -> Option<Vec<RecordSet>> + Send>;

/// The zone's name.
pub const ZONE: &str = "example.com";
const PORT: u16 = 5353;
/// How often the hosted zone is read.
const FOLLOW: Duration = Duration::from_millis(100);

/// The authorities, in the order of the plan.
pub const AUTHORITIES: [(&str, Ipv4Addr); 2] = [
    ("ns-1.example.com", Ipv4Addr::new(127, 41, 0, 1)),
    ("ns-2.example.com", Ipv4Addr::new(127, 41, 0, 2)),
];

/// A cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cache {
    Unbound,
    Bind,
    Knot,
}

impl Cache {
    pub const ALL: [Self; 3] = [Self::Unbound, Self::Bind, Self::Knot];

    /// Where it listens.
    pub const fn address(self) -> SocketAddr {
        let ip = match self {
            Self::Unbound => Ipv4Addr::new(127, 41, 0, 11),
            Self::Bind => Ipv4Addr::LOCALHOST,
            Self::Knot => Ipv4Addr::new(127, 41, 0, 13),
        };
        SocketAddr::V4(SocketAddrV4::new(ip, PORT))
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Unbound => "unbound",
            Self::Bind => "bind9",
            Self::Knot => "knot-resolver",
        }
    }
}

/// The servers, and the thread that keeps the authorities in step with the hosted zone.
pub struct Dns {
    folder: PathBuf,
    authorities: [Server; 2],
    caches: [Server; 3],
    stop: Arc<AtomicBool>,
    follower: Option<JoinHandle<()>>,
}

impl Dns {
    /// Starts all five. `hosts` are the load balancers' own names; each is served in the zone above it.
    pub fn start(within: &Path, hosts: &[(&str, Ipv4Addr)], mut source: Source) -> Self {
        let dir = folder(within, "dns");
        let mut known = source().expect("records to begin with");
        let hosts: Vec<_> = hosts
            .iter()
            .map(|(host, at)| ((*host).to_owned(), *at))
            .collect();
        let mut serial = 1;
        conf::zone(&dir, serial, &known, &hosts);
        let zones = conf::hosts(&dir, &hosts);
        let authorities = [start_knot(&dir, &zones), start_nsd(&dir, &zones)];
        let caches = Cache::ALL.map(|cache| start_cache(&dir, cache, &zones));
        let stop = Arc::new(AtomicBool::new(false));
        let (halt, place) = (Arc::clone(&stop), dir.clone());
        let follower = std::thread::spawn(move || {
            let mut behind = [false; 2];
            while !halt.load(Ordering::Relaxed) {
                if let Some(now) = source().filter(|now| *now != known) {
                    serial += 1;
                    conf::zone(&place, serial, &now, &hosts);
                    known = now;
                    behind = [true; 2];
                }
                // One that is dead or frozen is told again until it has heard.
                for (at, behind) in behind.iter_mut().enumerate() {
                    *behind = *behind && !reload(&place, at);
                }
                std::thread::park_timeout(FOLLOW);
            }
        });
        Self {
            folder: dir,
            authorities,
            caches,
            stop,
            follower: Some(follower),
        }
    }

    /// An authority by its place in [`AUTHORITIES`]. The second (nsd) is several processes: it can be killed, but
    /// freezing it does not keep it from answering.
    pub const fn authority(&mut self, at: usize) -> &mut Server {
        &mut self.authorities[at]
    }

    /// A cache.
    pub const fn cache(&mut self, which: Cache) -> &mut Server {
        &mut self.caches[which as usize]
    }

    /// Starts an authority again and waits until it listens.
    pub fn restart_authority(&mut self, at: usize) {
        let server = self.authority(at);
        server.restart();
        listens(server, authority(at));
    }

    /// Starts a cache again, empty, and waits until it listens.
    pub fn restart_cache(&mut self, which: Cache) {
        let server = self.cache(which);
        server.restart();
        listens(server, which.address());
    }

    /// Starts bind9 again so that it answers everybody, or refuses everybody.
    pub fn admit(&mut self, anybody: bool) {
        let text = conf::bind(&self.folder, Cache::Bind.address(), anybody);
        std::fs::write(self.folder.join("bind9.conf"), text).expect("a configuration");
        self.restart_cache(Cache::Bind);
    }

    /// This rig's part of a plan. Relight's own look-ups go to unbound.
    pub fn plan() -> Table {
        let list = |all: &[(&str, SocketAddr)]| {
            let entries: Vec<String> = all
                .iter()
                .map(|(label, address)| {
                    format!("{{ label = \"{label}\", address = \"{address}\" }}")
                })
                .collect();
            entries.join(", ")
        };
        let authorities = [0, 1].map(|at| (AUTHORITIES[at].0, authority(at)));
        let caches = Cache::ALL.map(|cache| (cache.name(), cache.address()));
        parts::part(&format!(
            "[dns]\nzone = \"{ZONE}\"\npublic_resolvers = []\nlookup = [\"{}\"]\nnameservers = [{}]\nresolvers = [{}]\n",
            Cache::Unbound.address(),
            list(&authorities),
            list(&caches),
        ))
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(follower) = self.follower.take() {
            follower.thread().unpark();
            let _ = follower.join();
        }
    }
}

/// Where an authority listens.
pub const fn authority(at: usize) -> SocketAddr {
    SocketAddr::V4(SocketAddrV4::new(AUTHORITIES[at].1, PORT))
}

fn listens(server: &mut Server, at: SocketAddr) {
    server.ready(|| TcpStream::connect_timeout(&at, Duration::from_secs(1)).ok());
}

/// Starts a program with its configuration written beside it, and waits until it listens.
fn begin(
    dir: &Path,
    name: &str,
    program: &str,
    args: &[&str],
    text: &str,
    at: SocketAddr,
) -> Server {
    let conf = dir.join(format!("{name}.conf"));
    std::fs::write(&conf, text).expect("a configuration");
    let conf = conf.to_string_lossy().into_owned();
    let args: Vec<String> = args
        .iter()
        .map(|arg| {
            if *arg == "CONF" {
                conf.clone()
            } else {
                (*arg).to_owned()
            }
        })
        .collect();
    let mut server = Server::start(name, dir, &super::program(program), &args, &[]);
    listens(&mut server, at);
    server
}

fn start_knot(dir: &Path, zones: &[(String, String)]) -> Server {
    folder(dir, "knot");
    let text = conf::knot(dir, zones);
    begin(dir, "knot", "knotd", &["-c", "CONF"], &text, authority(0))
}

fn start_nsd(dir: &Path, zones: &[(String, String)]) -> Server {
    let text = conf::nsd(dir, zones);
    begin(
        dir,
        "nsd",
        "nsd",
        &["-d", "-c", "CONF"],
        &text,
        authority(1),
    )
}

fn start_cache(dir: &Path, cache: Cache, zones: &[(String, String)]) -> Server {
    let at = cache.address();
    let name = cache.name();
    match cache {
        Cache::Unbound => {
            let text = conf::unbound(dir, at, zones);
            begin(dir, name, "unbound", &["-d", "-c", "CONF"], &text, at)
        }
        Cache::Bind => {
            let text = conf::bind(dir, at, true);
            begin(
                dir,
                name,
                "named",
                &["-g", "-c", "CONF", "-n", "1", "-U", "1"],
                &text,
                at,
            )
        }
        Cache::Knot => {
            let place = folder(dir, "kresd");
            let text = conf::kresd(&place, at);
            let place = place.to_string_lossy().into_owned();
            begin(dir, name, "kresd", &["-n", "-c", "CONF", &place], &text, at)
        }
    }
}

/// Tells an authority to read the zone file again; whether it has heard.
fn reload(dir: &Path, at: usize) -> bool {
    let (program, args) = match at {
        0 => ("knotc", ["-s", "knot.ctl", "-t", "2", "zone-reload", ZONE]),
        // A time limit of its own it has not.
        _ => (
            "timeout",
            ["2", "nsd-control", "-c", "nsd.conf", "reload", ZONE],
        ),
    };
    Command::new(super::program(program))
        .args(args)
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
