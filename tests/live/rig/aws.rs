//! AWS: `ministack` for both regions, and before each region a door of its own (nginx) that can be killed and frozen.
//!
//! One `ministack` keeps the regions apart by the credential scope, and S3 replication copies within it, so there is
//! one. What fails in an outage is the way into a region, and when that is back, its data is still there: so the doors
//! are what is killed, not the data behind them. Route 53 is asked through the recovery door.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
};

use relight::{
    clients::aws::{Aws as Clients, Reach, zone},
    incident::{RecordSet, Side},
    plan::{self, Plan, Service},
};
use tokio::runtime::Runtime;
use toml::Table;

use super::{cache, dns::Source, folder, front, parts, server::Server, world};

/// The account: an access key of twelve digits is one for `ministack`.
pub const ACCOUNT: &str = "111122223333";
/// The hosted zone's name.
pub const ZONE: &str = "example.com";

const PORT: u16 = 4566;
const BEHIND: Ipv4Addr = Ipv4Addr::new(127, 41, 2, 1);

/// Both regions and the hosted zone.
pub struct Aws {
    _ministack: Server,
    pub zone_id: String,
    doors: [Server; 2],
    folder: PathBuf,
    runtime: Runtime,
    clients: Clients,
}

/// The region of a side.
pub const fn region(side: Side) -> &'static str {
    match side {
        Side::Primary => "us-east-1",
        Side::Recovery => "us-west-2",
    }
}

/// The door of a side's region.
pub const fn address(side: Side) -> SocketAddr {
    let last = match side {
        Side::Primary => 11,
        Side::Recovery => 12,
    };
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 41, 2, last)), PORT)
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

impl Aws {
    /// Starts both regions and makes the world of before the outage: tables with data, buckets, and a zone whose name
    /// and wildcard lead to `balancer`, with a TTL in seconds.
    pub fn start(within: &Path, cluster: &str, balancer: &str, ttl: i64) -> Self {
        let dir = folder(within, "aws");
        let key =
            format!("[default]\naws_access_key_id = {ACCOUNT}\naws_secret_access_key = live\n");
        std::fs::write(dir.join("credentials"), key).expect("credentials");
        let behind = SocketAddr::new(IpAddr::V4(BEHIND), PORT);
        let mut ministack = start(&dir, behind);
        ministack.ready(|| std::net::TcpStream::connect(behind).ok());
        let doors = Side::BOTH.map(|side| {
            let servers = format!(
                "    log_format calls escape=json '$status\\t$http_x_amz_target\\t$request\\t$request_body';\n    \
                 server {{\n        listen {};\n        access_log door-{side}.calls calls;\n        \
                 client_body_buffer_size 1m;\n        client_max_body_size 0;\n        location / {{\n            \
                 proxy_pass {};\n            proxy_set_header Host $http_host;\n            proxy_http_version 1.1;\n            \
                 proxy_set_header Connection \"\";\n            proxy_buffering off;\n        }}\n    }}\n",
                address(side),
                url(behind)
            );
            front::start(&format!("door-{side}"), &dir, address(side), &servers)
        });
        let direct = part(&dir, [url(behind), url(behind)]);
        let cluster_part =
            parts::part(&format!("practice = true\n[cluster]\nname = \"{cluster}\""));
        let direct = plan_of(&dir, [cluster_part, direct]);
        let runtime = runtime();
        let clients = Clients::new(&direct);
        let zone_id = runtime.block_on(world::make(&clients, cluster, balancer, ttl));
        Self {
            _ministack: ministack,
            zone_id,
            doors,
            folder: dir,
            runtime,
            clients,
        }
    }

    /// The door of a side's region: what is killed and frozen.
    pub const fn door(&mut self, side: Side) -> &mut Server {
        match side {
            Side::Primary => &mut self.doors[0],
            Side::Recovery => &mut self.doors[1],
        }
    }

    /// Starts a door again and waits until it is open.
    pub fn reopen(&mut self, side: Side) {
        let door = self.door(side);
        door.restart();
        front::ready(door, address(side));
    }

    /// The calls that went through a side's door: status, `x-amz-target`, request line and body of each.
    pub fn calls(&self, side: Side) -> Vec<[String; 4]> {
        let log = self.folder.join(format!("door-{side}.calls"));
        let text = std::fs::read_to_string(log).expect("a log");
        let line = |line: &str| {
            let mut parts = line.splitn(4, '\t').map(str::to_owned);
            [(); 4].map(|()| parts.next().unwrap_or_default())
        };
        text.lines().map(line).collect()
    }

    /// Does something with the clients behind the doors, whatever state those are in.
    pub fn with<T>(&self, side: Side, work: impl AsyncFnOnce(&Reach) -> T) -> T {
        self.runtime.block_on(work(self.clients.side(side)))
    }

    /// This rig's part of a plan: both regions with their endpoints, and the hosted zone.
    pub fn plan(&self) -> Table {
        let doors = Side::BOTH.map(|side| url(address(side)));
        let dns = format!(
            "[dns]\nzone_id = \"{}\"\nzone = \"{ZONE}\"\nendpoint = \"{}\"\n",
            self.zone_id, doors[1]
        );
        parts::joined([part(&self.folder, doors), parts::part(&dns)])
    }

    /// The records of the hosted zone, for authoritative servers to follow: read behind the doors, since Route 53's
    /// data plane lives on when a region does not.
    pub fn source(&self) -> Source {
        let (reach, id, runtime) = (self.clients.zone().clone(), self.zone_id.clone(), runtime());
        Box::new(move || {
            let client = runtime.block_on(reach.route53());
            let listed = client
                .list_resource_record_sets()
                .hosted_zone_id(&id)
                .max_items(300);
            let said = runtime.block_on(listed.send()).ok()?;
            Some(
                said.resource_record_sets()
                    .iter()
                    .filter_map(zone::record)
                    .collect(),
            )
        })
    }

    /// The record sets of the zone now.
    pub fn records(&self) -> Vec<RecordSet> {
        self.source()().expect("ministack answers")
    }
}

/// A runtime for calls from outside of any.
pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

fn start(dir: &Path, at: SocketAddr) -> Server {
    let text = |name: &str| dir.join(name).to_string_lossy().into_owned();
    let vars = [
        ("BIND_HOST", at.ip().to_string()),
        ("GATEWAY_PORT", at.port().to_string()),
        ("LOG_LEVEL", "WARNING".to_owned()),
        ("S3_DATA_DIR", text("s3")),
        ("STATE_DIR", text("state")),
        ("TMPDIR", dir.to_string_lossy().into_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value));
    Server::start(
        "ministack",
        dir,
        &cache().join("aws/bin/ministack"),
        &[],
        &vars,
    )
}

fn part(dir: &Path, urls: [String; 2]) -> Table {
    let credentials = dir.join("credentials");
    parts::joined(Side::BOTH.iter().zip(urls).map(|(side, url)| {
        let endpoints = Service::ALL.map(|service| format!("{} = \"{url}\"\n", service.key()));
        let endpoints = endpoints.concat();
        parts::part(&format!(
            "[{side}]\nregion = \"{}\"\naccount = \"{ACCOUNT}\"\ncredentials_file = \"{}\"\nstate_table = \"{}\"\n\
             audit_table = \"{}\"\nrecordings_bucket = \"{}\"\nbackup_vault = \"{}\"\n[{side}.endpoints]\n{endpoints}",
            region(*side),
            credentials.display(),
            world::state(*side),
            world::audit(*side),
            world::bucket(*side),
            world::VAULT,
        ))
    }))
}

/// A plan of parts, without a file of its own.
fn plan_of(dir: &Path, all: impl IntoIterator<Item = Table>) -> Arc<Plan> {
    let path = parts::write(dir, all);
    Arc::new(plan::load(&path).unwrap_or_else(|errors| unreachable!("{errors}")))
}
