//! Both regions as an operator has them: clusters, AWS, DNS, load balancers, one plan over all of it, and the release
//! running in the primary.

use std::{
    fmt::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

use relight::{incident::Side, plan};

use super::{
    aws::Aws,
    cloud::{Cloud, Standing},
    dns::Dns,
    helm::{self, Helm},
    kube::{ControlPlane, kubeconfig},
    parts, provision,
    release::done,
    server::until,
    web::{Balancer, CLUSTER, NEW, OLD, Proxy, Web},
    world,
};

/// TTL of the records before the switch, in seconds: long enough that caches are seen to hold the old answer.
const TTL: i64 = 10;

/// Everything that runs. Dropped, it ends.
pub struct Regions {
    // Dropped first: they act on what follows.
    _clouds: [Cloud; 2],
    pub planes: [ControlPlane; 2],
    pub aws: Aws,
    pub dns: Dns,
    web: Arc<Mutex<Web>>,
    /// The plan's file.
    pub plan: PathBuf,
    folder: tempfile::TempDir,
}

impl Regions {
    /// Starts all of it and installs the release in the primary.
    pub fn start(helm: Helm) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (primary, recovery) = ControlPlane::both(folder.path());
        let aws = Aws::start(folder.path(), CLUSTER, OLD.0, TTL);
        let dns = Dns::start(folder.path(), &[OLD, NEW], aws.source());
        let web = Web::start(folder.path());
        kubeconfig(&folder.path().join("kubeconfig"), &[&primary, &recovery]);
        std::fs::write(folder.path().join("values.yaml"), values()).expect("values");
        aws.with(Side::Recovery, async |reach| {
            let trust = provision::trust("teleport-cluster");
            let policy = provision::policy(&["us-east-1", "us-west-2"]);
            provision::role(reach, &trust, &policy).await;
        });
        provision::issuer(&recovery);
        recovery.auth_reaches(world::state(Side::Recovery), "us-west-2");
        let own = own_part(helm, &primary, &recovery);
        let plan = parts::write(folder.path(), [own, aws.plan(), Dns::plan(), web.plan()]);
        let web = Arc::new(Mutex::new(web));
        for which in [Balancer::Old, Balancer::New] {
            web.lock().expect("no poison").server(which).kill();
        }
        let clouds = [
            cloud(&primary, OLD.0, &web, Balancer::Old, Side::Primary),
            cloud(&recovery, NEW.0, &web, Balancer::New, Side::Recovery),
        ];
        let regions = Self {
            _clouds: clouds,
            planes: [primary, recovery],
            aws,
            dns,
            web,
            plan,
            folder,
        };
        regions.install();
        regions
    }

    /// The folder of it all.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The load balancers.
    pub fn web(&self) -> MutexGuard<'_, Web> {
        self.web.lock().expect("no poison")
    }

    /// The cluster of a side.
    pub fn plane(&mut self, side: Side) -> &mut ControlPlane {
        &mut self.planes[usize::from(side == Side::Recovery)]
    }

    /// The release as it ran before the outage: with the primary's values and context.
    fn install(&self) {
        let mut plan = plan::load(&self.plan).unwrap_or_else(|errors| unreachable!("{errors}"));
        plan.recovery.kube = plan.primary.kube.clone();
        plan.recovery.values.clone_from(&plan.cluster.values);
        done(&helm::install(&plan));
        until("the old load balancer to answer", || {
            std::net::TcpStream::connect(Balancer::Old.address()).ok()
        });
    }
}

/// The cloud of a side: its load balancer answers while pods of both kinds serve, on the state that the release names.
fn cloud(
    plane: &ControlPlane,
    host: &str,
    web: &Arc<Mutex<Web>>,
    which: Balancer,
    side: Side,
) -> Cloud {
    let web = Arc::clone(web);
    Cloud::telling(plane, host, move |standing: &Standing| {
        let mut web = web.lock().expect("no poison");
        if standing.auth && standing.proxy {
            // Teleport makes an empty table anew where the name is wrong, and certificate authorities with it.
            let anew = !standing.config.contains(world::state(side));
            web.becomes(
                which,
                Proxy {
                    anew,
                    ..Proxy::SOUND
                },
            );
        } else {
            web.server(which).kill();
        }
    })
}

/// The plan's part that no single rig knows.
fn own_part(helm: Helm, primary: &ControlPlane, recovery: &ControlPlane) -> toml::Table {
    let mut text = format!(
        "practice = true\n[cluster]\nname = \"{CLUSTER}\"\nchart = \"{}\"\nversion = \"18.2.4\"\nvalues = \"values.yaml\"\n\
         [tools]\nhelm = \"{}\"\n[dns]\nhot_names = [\"app.{CLUSTER}\"]\nrecord_ttl = 5\ninterval = \"2s\"\n\
         [objectives]\nrto = \"1h\"\nrpo = \"15m\"\n",
        helm::chart().display(),
        helm.program().display()
    );
    for (side, plane) in [(Side::Primary, primary), (Side::Recovery, recovery)] {
        let _ = write!(
            text,
            "[{side}.kube]\ncontext = \"{side}\"\nkubeconfig = \"kubeconfig\"\nuid = \"{}\"\n",
            plane.uid
        );
    }
    parts::part(&text)
}

/// The operator's values file, that of the primary.
fn values() -> String {
    format!(
        "# The operator's own.\nchartMode: aws\nclusterName: {CLUSTER}\nproxyListenerMode: multiplex\naws:\n  \
         region: us-east-1\n  backendTable: {}\n  auditLogTable: {}\n  sessionRecordingBucket: {} # versioned\n\
         highAvailability:\n  replicaCount: 2\n  minReadySeconds: 1\n  certManager:\n    enabled: true\n    \
         issuerName: {}\n{}",
        world::state(Side::Primary),
        world::audit(Side::Primary),
        world::bucket(Side::Primary),
        provision::ISSUER,
        provision::annotation(),
    )
}

/// Whether something listens there.
pub fn listens(address: SocketAddr) -> bool {
    std::net::TcpStream::connect(address).is_ok()
}
