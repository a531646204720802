//! A control plane of Kubernetes on a loopback address of its own, each part a server that can be killed, frozen and
//! started again, with KWOK playing the kubelets of two nodes.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use relight::incident::Side;
use serde_json::json;

use super::{
    cache,
    hand::Hand,
    pki::{Authority, Identity, pair},
    server::{Server, until},
};

/// A user who may do everything, and one who may do nothing until a test says so.
const ADMIN: &str = "admin";
/// See [`ADMIN`].
const LIMITED: &str = "limited";

/// A Kubernetes cluster of one side.
pub struct ControlPlane {
    /// The side that it plays.
    pub side: Side,
    /// Its address; ports are the usual ones.
    pub address: &'static str,
    /// etcd.
    pub store: Server,
    /// kube-apiserver.
    pub api: Server,
    /// kube-controller-manager.
    pub controllers: Server,
    /// kube-scheduler.
    pub scheduler: Server,
    /// KWOK: frozen or killed, every node stops to report.
    pub nodes: Server,
    /// The rig's own hand on it.
    pub hand: Hand,
    /// The UID of its `kube-system` namespace.
    pub uid: String,
    folder: PathBuf,
    users: [(&'static str, Identity); 2],
}

impl ControlPlane {
    /// Starts the cluster of a side in a folder of its own under `folder`, and waits until its two nodes are Ready.
    pub fn start(side: Side, folder: &Path) -> Self {
        let folder = folder.join(side.word());
        std::fs::create_dir_all(folder.join("bin")).expect("a folder");
        let address = match side {
            Side::Primary => "127.40.1.1",
            Side::Recovery => "127.40.2.1",
        };
        let authority = Authority::new(&folder, &format!("{} cluster", side.word()));
        let users = [
            (ADMIN, authority.user(ADMIN, "system:masters")),
            (LIMITED, authority.user(LIMITED, "observers")),
        ];
        let starting = Starting {
            side,
            folder: &folder,
            address,
            server: authority.server("server", &[address, "kubernetes", "localhost"]),
            authority: &authority,
            accounts: pair(&folder, "accounts"),
            kubeconfig: folder.join("kubeconfig"),
        };
        let context = side.word().to_owned();
        let entry = entry(&context, address, &folder, &users[0].1);
        // Its own programs are given no context, so this one has a current one.
        write_config(&starting.kubeconfig, &[entry], Some(&context));
        let store = starting.store();
        let mut api = starting.api();
        let hand = Hand::new(&starting.kubeconfig, &context);
        api.ready(|| hand.text("GET", "/readyz", None).ok());
        let controllers = starting.controllers();
        let scheduler = starting.scheduler();
        let nodes = starting.nodes();
        let mut plane = Self {
            side,
            address,
            store,
            api,
            controllers,
            scheduler,
            nodes,
            hand,
            uid: String::new(),
            folder: folder.clone(),
            users,
        };
        plane.uid = until("the namespace kube-system", || {
            let system = plane.hand.get("/api/v1/namespaces/kube-system").ok()?;
            Some(system["metadata"]["uid"].as_str()?.to_owned())
        });
        for name in ["node-a", "node-b"] {
            plane.add_node(name);
        }
        until("both nodes to be Ready", || {
            for part in [
                &mut plane.controllers,
                &mut plane.scheduler,
                &mut plane.nodes,
            ] {
                part.lives();
            }
            (plane.ready_nodes() == 2).then_some(())
        });
        plane
    }

    /// The clusters of both sides, started beside each other: primary, recovery.
    pub fn both(folder: &Path) -> (Self, Self) {
        std::thread::scope(|scope| {
            let primary = scope.spawn(|| Self::start(Side::Primary, folder));
            let recovery = Self::start(Side::Recovery, folder);
            (primary.join().expect("the primary cluster"), recovery)
        })
    }

    /// Where its files are: `teleport.log` and `config-check.log` (what `kubectl logs` gives, in CRI format), and `bin`,
    /// which comes first in the PATH of what `kubectl exec` runs.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A node, which KWOK plays.
    pub fn add_node(&self, name: &str) {
        let room = json!({"cpu": "8", "memory": "16Gi", "pods": "110"});
        let node = json!({"metadata": {"name": name, "annotations": {"kwok.x-k8s.io/node": "fake"},
            "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
            "status": {"allocatable": room, "capacity": room}});
        self.hand.make("/api/v1/nodes", &node);
    }

    /// How many nodes are Ready and may be given pods.
    pub fn ready_nodes(&self) -> usize {
        let nodes = self.hand.list("/api/v1/nodes");
        let ready = |node: &&serde_json::Value| {
            let conditions = node["status"]["conditions"].as_array();
            node["spec"]["taints"].is_null()
                && conditions.is_some_and(|all| {
                    all.iter()
                        .any(|one| one["type"] == "Ready" && one["status"] == "True")
                })
        };
        nodes.iter().filter(ready).count()
    }

    /// What the Auth Service says here from now on: that it reached a state table.
    pub fn auth_reaches(&self, table: &str, region: &str) {
        let lines = [
            format!("Initializing backend. table:{table}"),
            format!(
                "Connection established to DynamoDB state database table:{table} region:{region}"
            ),
            "Connection established to DynamoDB events database".to_owned(),
            "Auth service is starting.".to_owned(),
        ];
        let stamp = "2026-11-23T08:00:00.000000000Z stderr F INFO";
        let log: String = lines
            .iter()
            .flat_map(|line| [stamp, " [AUTH] ", line, "\n"])
            .collect();
        std::fs::write(self.folder.join("teleport.log"), log).expect("written");
    }

    /// A stand-in for a program in the containers: what `kubectl exec POD -- NAME` runs, as a shell script.
    pub fn put_program(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt as _;

        let path = self.folder.join("bin").join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    }
}

/// A kubeconfig for clusters: contexts `primary` and `recovery` (who may do everything), `primary-limited` and
/// `recovery-limited` (who may do nothing until a Role says so), and no current one.
pub fn kubeconfig(path: &Path, planes: &[&ControlPlane]) {
    let mut entries = Vec::new();
    for plane in planes {
        for (user, identity) in &plane.users {
            let context = match *user {
                ADMIN => plane.side.word().to_owned(),
                other => format!("{}-{other}", plane.side.word()),
            };
            entries.push(entry(&context, plane.address, &plane.folder, identity));
        }
    }
    write_config(path, &entries, None);
}

/// Cluster, user and context of one name.
fn entry(
    name: &str,
    address: &str,
    folder: &Path,
    user: &Identity,
) -> (String, [serde_json::Value; 3]) {
    let cluster = json!({"server": format!("https://{address}:6443"), "certificate-authority": folder.join("ca.crt")});
    let user = json!({"client-certificate": user.certificate, "client-key": user.key});
    let context = json!({"cluster": name, "user": name, "namespace": "default"});
    (name.to_owned(), [cluster, user, context])
}

fn write_config(path: &Path, entries: &[(String, [serde_json::Value; 3])], current: Option<&str>) {
    let of = |at: usize, what: &str| -> Vec<serde_json::Value> {
        let named = |(name, parts): &(String, [serde_json::Value; 3])| json!({"name": name, what: parts[at]});
        entries.iter().map(named).collect()
    };
    let config = json!({"apiVersion": "v1", "kind": "Config", "clusters": of(0, "cluster"),
        "users": of(1, "user"), "contexts": of(2, "context"), "current-context": current.unwrap_or_default()});
    std::fs::write(path, format!("{config:#}\n")).expect("written");
}

/// What the parts have in common when they are started.
struct Starting<'a> {
    side: Side,
    folder: &'a Path,
    address: &'static str,
    authority: &'a Authority,
    server: Identity,
    accounts: (PathBuf, PathBuf),
    kubeconfig: PathBuf,
}

impl Starting<'_> {
    fn start(&self, program: &Path, args: &str, vars: &[(String, String)]) -> Server {
        let args: Vec<String> = args.split_whitespace().map(str::to_owned).collect();
        let name = program.file_name().and_then(|name| name.to_str());
        Server::start(name.expect("a name"), self.folder, program, &args, vars)
    }

    fn program(name: &str) -> PathBuf {
        cache().join("kubernetes/bin").join(name)
    }

    fn store(&self) -> Server {
        let (address, folder) = (self.address, self.folder.display());
        let args = format!(
            "--data-dir {folder}/etcd --listen-client-urls http://{address}:2379 --advertise-client-urls http://{address}:2379 \
             --listen-peer-urls http://{address}:2380 --initial-advertise-peer-urls http://{address}:2380 \
             --initial-cluster default=http://{address}:2380 --unsafe-no-fsync --log-level warn"
        );
        self.start(&Self::program("etcd"), &args, &[])
    }

    fn api(&self) -> Server {
        let (address, folder) = (self.address, self.folder.display());
        let (certificate, key) = (self.server.certificate.display(), self.server.key.display());
        let (private, public) = (self.accounts.0.display(), self.accounts.1.display());
        let authority = self.authority.certificate();
        // A range for each side: nothing is routed, but the same addresses twice would be confusing to read.
        let range = match self.side {
            Side::Primary => "10.140.0.0/16",
            Side::Recovery => "10.141.0.0/16",
        };
        let args = format!(
            "--etcd-servers http://{address}:2379 --bind-address {address} --advertise-address {address} \
             --endpoint-reconciler-type none --secure-port 6443 --cert-dir {folder} --tls-cert-file {certificate} \
             --tls-private-key-file {key} --client-ca-file {} --service-account-key-file {public} \
             --service-account-signing-key-file {private} --service-account-issuer https://kubernetes.default.svc \
             --service-cluster-ip-range {range} --authorization-mode RBAC",
            authority.display()
        );
        self.start(&Self::program("kube-apiserver"), &args, &[])
    }

    fn controllers(&self) -> Server {
        // A node counts as lost after 10 s without a sign of life, not 50: tests wait for it.
        let args = format!(
            "--kubeconfig {} --service-account-private-key-file {} --root-ca-file {} --leader-elect=false --secure-port 0 \
             --use-service-account-credentials=false --node-monitor-period 1s --node-monitor-grace-period 10s",
            self.kubeconfig.display(),
            self.accounts.0.display(),
            self.authority.certificate().display()
        );
        self.start(&Self::program("kube-controller-manager"), &args, &[])
    }

    fn scheduler(&self) -> Server {
        let args = format!(
            "--kubeconfig {} --leader-elect=false --secure-port 0",
            self.kubeconfig.display()
        );
        self.start(&Self::program("kube-scheduler"), &args, &[])
    }

    fn nodes(&self) -> Server {
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/kubernetes");
        let kwok = cache().join("kwok");
        let folder = self.folder.display().to_string();
        let streams = std::fs::read_to_string(ours.join("streams.yaml")).expect("streams.yaml");
        let own = self.folder.join("streams.yaml");
        std::fs::write(&own, streams.replace("FOLDER", &folder)).expect("written");
        for log in ["teleport.log", "config-check.log"] {
            std::fs::write(self.folder.join(log), "").expect("written");
        }
        let mut args = format!(
            "--kubeconfig {} --manage-all-nodes=true --node-lease-duration-seconds 8 --node-ip {} --node-port 10250 \
             --server-address {}:10250 --tls-cert-file {} --tls-private-key-file {}",
            self.kubeconfig.display(),
            self.address,
            self.address,
            self.server.certificate.display(),
            self.server.key.display(),
        );
        let theirs = kwok.join("stage/node");
        for config in [
            theirs.join("fast/node-initialize.yaml"),
            theirs.join("heartbeat-with-lease/node-heartbeat-with-lease.yaml"),
            ours.join("stages.yaml"),
            own,
        ] {
            let _ = write!(args, " --config {}", config.display());
        }
        let path = std::env::var("PATH").unwrap_or_default();
        let path = ("PATH".to_owned(), format!("{folder}/bin:{path}"));
        self.start(&kwok.join("bin/kwok"), &args, &[path])
    }
}
