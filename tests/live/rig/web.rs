//! Teleport's web API: an nginx with TLS for each load balancer, answering in the shapes of versions 12 to 18, with key
//! material made by `openssl`.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Command,
};

use toml::Table;

use super::{folder, front, parts, program, server::Server};

/// The cluster, as it calls itself.
pub const CLUSTER: &str = "teleport.example.com";
/// The port of both load balancers: high, since nobody is root.
pub const PORT: u16 = 8443;
/// The old load balancer's host and address.
pub const OLD: (&str, Ipv4Addr) = (
    "old-1a2b3c.elb.us-east-1.amazonaws.com",
    Ipv4Addr::new(127, 41, 1, 1),
);
/// The new load balancer's host and address.
pub const NEW: (&str, Ipv4Addr) = (
    "new-4d5e6f.elb.us-west-2.amazonaws.com",
    Ipv4Addr::new(127, 41, 1, 2),
);
/// The major versions whose shapes are served.
pub const VERSIONS: [u32; 5] = [12, 14, 16, 17, 18];

/// Which certificate is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// For the name and its wildcard, from the authority that the plan trusts.
    Good,
    /// The same, but over.
    Expired,
    /// For another name.
    OtherName,
    /// Signed by nobody.
    SelfSigned,
}

/// How the Auth Service behind the proxy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// It answers.
    Up,
    /// It does not: ping and export end in this status, find goes on.
    Down(u16),
}

/// What a proxy is.
#[derive(Clone, Copy, Debug)]
pub struct Proxy {
    /// Major version, of [`VERSIONS`].
    pub version: u32,
    pub shows: Shows,
    pub auth: Auth,
    /// The name it knows itself by: a request for another is sent to the launcher.
    pub name: &'static str,
    /// Whose state it runs on: the first cluster's, or one that it has made anew because its table was empty.
    pub anew: bool,
}

impl Proxy {
    /// A sound one.
    pub const SOUND: Self = Self {
        version: 17,
        shows: Shows::Good,
        auth: Auth::Up,
        name: CLUSTER,
        anew: false,
    };
}

/// Both load balancers.
pub struct Web {
    folder: PathBuf,
    servers: [Server; 2],
}

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Balancer {
    Old,
    New,
}

impl Balancer {
    const BOTH: [Self; 2] = [Self::Old, Self::New];

    const fn name(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
        }
    }

    /// Where it listens.
    pub const fn address(self) -> SocketAddr {
        let (_, ip) = match self {
            Self::Old => OLD,
            Self::New => NEW,
        };
        SocketAddr::new(IpAddr::V4(ip), PORT)
    }
}

impl Web {
    /// Starts both as sound proxies of the same cluster.
    pub fn start(within: &Path) -> Self {
        let dir = folder(within, "web");
        keys(&dir);
        let servers = Balancer::BOTH.map(|which| {
            let text = serve(&dir, which, Proxy::SOUND);
            front::start(which.name(), &dir, which.address(), &text)
        });
        Self {
            folder: dir,
            servers,
        }
    }

    /// The server behind a load balancer: what is killed and frozen.
    pub const fn server(&mut self, which: Balancer) -> &mut Server {
        &mut self.servers[which as usize]
    }

    /// Starts a load balancer again with something else behind it.
    pub fn becomes(&mut self, which: Balancer, proxy: Proxy) {
        let text = serve(&self.folder, which, proxy);
        front::configure(which.name(), &self.folder, &text);
        let server = self.server(which);
        server.restart();
        front::ready(server, which.address());
    }

    /// The pin of the host authority, of the first cluster or of the one made anew, computed by `openssl` alone as
    /// `tctl status` would show it.
    pub fn pin(&self, anew: bool) -> String {
        pin(&self.folder, anew)
    }

    /// This rig's part of a plan. The new load balancer is not in it: its address comes from the cluster.
    pub fn plan(&self) -> Table {
        parts::part(&format!(
            "[cluster]\nname = \"{CLUSTER}\"\nport = {PORT}\nca_pins = [\"{}\"]\n[dns]\nold = [\"{}\"]\n\
             [web]\nca_file = \"{}\"\n",
            self.pin(false),
            OLD.0,
            self.folder.join("ca.pem").display()
        ))
    }
}

/// Writes what a proxy answers, and gives nginx's servers for it.
fn serve(dir: &Path, which: Balancer, proxy: Proxy) -> String {
    let place = folder(dir, &format!("{}.www", which.name()));
    let fixture = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures/web")
            .join(name);
        std::fs::read_to_string(path).expect("a recorded answer")
    };
    let here = format!("{CLUSTER}:{PORT}");
    let version = proxy.version;
    let ping = fixture(&format!("ping-{version}.json")).replace(&format!("{CLUSTER}:443"), &here);
    let find = fixture(if version < 16 {
        "find-12.json"
    } else {
        "find-18.json"
    });
    std::fs::write(place.join("ping"), ping).expect("an answer");
    std::fs::write(place.join("find"), find).expect("an answer");
    let authority = dir.join(host_authority(proxy.anew)).with_extension("pem");
    std::fs::copy(authority, place.join("tls-host")).expect("an answer");

    let (at, place) = (which.address(), place.display());
    let key = match proxy.shows {
        Shows::Good => "good",
        Shows::Expired => "expired",
        Shows::OtherName => "other-name",
        Shows::SelfSigned => "self-signed",
    };
    let tls = format!(
        "        listen {at} ssl;\n        ssl_certificate {key}.pem;\n        ssl_certificate_key {key}.key;\n"
    );
    let json = "default_type application/json;";
    let (ping, export) = match proxy.auth {
        Auth::Up => (
            format!("{json} alias {place}/ping;"),
            format!(
                "default_type application/x-pem-file; root {place}; try_files /$arg_type =404;"
            ),
        ),
        Auth::Down(status) => {
            let said = "failed to connect to any endpoints of type AuthService";
            let no = format!("{json} return {status} '{{\"error\":{{\"message\":\"{said}\"}}}}';");
            (no.clone(), no)
        }
    };
    let name = proxy.name;
    format!(
        "    server {{\n        listen {at} ssl default_server;\n        ssl_certificate {key}.pem;\n        \
         ssl_certificate_key {key}.key;\n        return 302 https://{name}/web/launch$request_uri;\n    }}\n    \
         server {{\n{tls}        server_name {name};\n        rewrite ^/v1(/.*)$ $1;\n        \
         location = /webapi/ping {{ {ping} }}\n        location = /webapi/find {{ {json} alias {place}/find; }}\n        \
         location = /webapi/auth/export {{ {export} }}\n        \
         location / {{ {json} return 404 '{{\"error\":{{\"message\":\"path not found\"}}}}'; }}\n    }}\n"
    )
}

const fn host_authority(anew: bool) -> &'static str {
    if anew { "host-anew" } else { "host" }
}

/// Makes an authority for the web certificates with four certificates, and two host authorities of Teleport's.
fn keys(dir: &Path) {
    let new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(
        dir,
        &format!("{new} -keyout ca.key -out ca.pem -days 30 -subj /CN=live-authority"),
    );
    for anew in [false, true] {
        let name = host_authority(anew);
        let subject = format!("-subj /O={CLUSTER}/CN={CLUSTER}");
        openssl(
            dir,
            &format!("{new} -keyout {name}.key -out {name}.pem -days 3650 {subject}"),
        );
    }
    let both = format!("DNS:{CLUSTER},DNS:*.{CLUSTER}");
    leaf(dir, "good", &both, "-days 30");
    leaf(dir, "other-name", "DNS:other.example.com", "-days 30");
    openssl(
        dir,
        &format!(
            "{new} -keyout self-signed.key -out self-signed.pem -days 30 -subj /CN=self -addext subjectAltName={both}"
        ),
    );
    leaf(dir, "expired", &both, "");
}

/// A certificate signed by the authority; without a length it is one whose time is over.
fn leaf(dir: &Path, name: &str, names: &str, length: &str) {
    let request = format!(
        "req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {name}.key -out {name}.csr \
         -subj /CN={name} -addext subjectAltName={names}"
    );
    openssl(dir, &request);
    if length.is_empty() {
        // Only `openssl ca` takes dates.
        let conf = "[ca]\ndefault_ca = d\n[d]\ndatabase = index.txt\nserial = serial\nnew_certs_dir = .\n\
                    default_md = sha256\npolicy = p\ncopy_extensions = copy\n[p]\ncommonName = supplied\n";
        std::fs::write(dir.join("ca.conf"), conf).expect("a file");
        std::fs::write(dir.join("index.txt"), "").expect("a file");
        std::fs::write(dir.join("serial"), "1000\n").expect("a file");
        openssl(
            dir,
            &format!(
                "ca -batch -config ca.conf -cert ca.pem -keyfile ca.key -in {name}.csr -out {name}.pem -notext \
                 -startdate 20200101000000Z -enddate 20210101000000Z"
            ),
        );
    } else {
        openssl(
            dir,
            &format!(
                "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -copy_extensions copy {length} -out {name}.pem"
            ),
        );
    }
}

/// Runs `openssl` in a folder with words that hold no spaces.
fn openssl(dir: &Path, words: &str) {
    let done = Command::new(program("openssl"))
        .args(words.split_whitespace())
        .current_dir(dir)
        .output()
        .expect("openssl");
    assert!(
        done.status.success(),
        "openssl {words}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
}

/// SHA-256 of the public key, by `openssl` and the shell alone.
fn pin(dir: &Path, anew: bool) -> String {
    let script = format!(
        "openssl x509 -in {}.pem -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -r",
        host_authority(anew)
    );
    let done = Command::new("/bin/sh")
        .args(["-c", &script])
        .current_dir(dir)
        .output()
        .expect("a shell");
    let said = String::from_utf8(done.stdout).expect("text");
    let hex = said.split_whitespace().next().expect("a digest");
    assert_eq!(hex.len(), 64, "{said}");
    format!("sha256:{hex}")
}
