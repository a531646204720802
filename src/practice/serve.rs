//! The practice process: claims a network, starts every face, writes the plan, ends by lease.

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use thiserror::Error;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    task::JoinSet,
};

use super::{
    aws, dns, folder, kube,
    lease::Lease,
    plan,
    ready::{self, Ready},
    teleport,
    world::{Addresses, Scenario, ScenarioError, Shared, World},
};
use crate::incident::{Moment, Side};

/// How many networks are tried before giving up.
const TRIES: usize = 64;
/// How long the folder's lock may be busy: somebody who asks whether a practice is alive holds it for a moment.
const PATIENCE: Duration = Duration::from_secs(1);

/// Between two ticks of the world: what it does by itself (an Auth Service that starts to write) nobody asks for.
const TICK: Duration = Duration::from_millis(100);

/// Why there is no practice.
#[derive(Debug, Error)]
pub enum PracticeError {
    /// Not one of the scenarios.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// A file of the practice cannot be written.
    #[error("cannot write {} for the practice: {error}. Name another folder with --dir", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The folder is taken.
    #[error("a practice already runs in {}: stop it with `relight practice stop`, or name another folder with --dir", .0.display())]
    Taken(PathBuf),
    /// The folder belongs to somebody else.
    #[error("{} is a link or belongs to another user, who could change the plan in it: name a folder of your own with --dir", .0.display())]
    Foreign(PathBuf),
    /// No network is free.
    #[error(
        "no loopback network of 127.64.0.0/10 is free for a practice (last tried {tried}: {error}). It needs the \
         whole of 127.0.0.0/8 on the loopback interface, as Linux has it"
    )]
    NoNetwork {
        /// The address tried last.
        tried: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// A face cannot listen.
    #[error(
        "the practice's {face} face cannot listen: {error}. Another program holds its port: start again"
    )]
    Listen {
        /// Which face.
        face: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// No certificates.
    #[error(transparent)]
    Certificates(#[from] teleport::AuthorityError),
    /// A face ended while the practice was in use.
    #[error("the practice's {0} face has ended: start the practice again")]
    FaceEnded(&'static str),
    /// The process could not be started, or did not come up.
    #[error("the practice did not start: {0}")]
    NotStarted(String),
}

/// A practice in this process. Dropping it ends every face.
#[derive(Debug)]
pub struct Practice {
    ready: Ready,
    world: Shared,
    faces: JoinSet<&'static str>,
    dir: PathBuf,
    _dns: dns::DnsFace,
    _claim: TcpListener,
    _held: fs::File,
}

impl Practice {
    /// Starts a practice in a folder, with `helm` standing for Helm. When this returns, every face listens and
    /// `ready.json` is written.
    ///
    /// # Errors
    /// If the scenario is unknown, the folder taken or not to be written, or a face cannot listen.
    pub async fn begin(dir: &Path, scenario: &str, helm: &Path) -> Result<Self, PracticeError> {
        let scenario = Scenario::named(scenario)?;
        let dir = std::path::absolute(dir).map_err(write(dir))?;
        folder::make(&dir)?;
        let lock = hold(&dir).await?;
        Ready::remove(&dir);
        let healed = folder::healed(&dir);
        let _ = std::fs::remove_file(&healed);
        let (claim, net) = claim().await?;
        let addresses = Addresses::within(net, &scenario);
        let world = Shared::new(World::new(scenario, addresses.clone(), Moment::now()));

        let public = teleport::PublicAuthority::new()?;
        {
            let mut world = world.lock();
            let certificate = public.certificate(&world.scenario.release.cluster)?;
            world.provision(&certificate, Moment::now());
        }
        let mut faces = JoinSet::new();
        let dns = dns::serve(&world).await.map_err(listen("DNS"))?;
        for side in Side::BOTH {
            let listener = bind(addresses.aws(side), "AWS").await?;
            let shared = world.clone();
            faces.spawn(async move {
                aws::serve(shared, side, listener).await;
                "AWS"
            });
            let listener = bind(addresses.kube(side), "Kubernetes").await?;
            let shared = world.clone();
            faces.spawn(async move {
                // Whatever the listener failed of, the face is gone: the caller says so.
                let _ = kube::serve(shared, side, listener).await;
                "Kubernetes"
            });
            let cluster = world.lock().scenario.release.cluster.clone();
            let tls = public.acceptor(&cluster)?;
            let (shared, address) = (world.clone(), addresses.load_balancer(side));
            faces.spawn(async move {
                teleport::serve(shared, side, address, tls).await;
                "Teleport"
            });
        }
        let shared = world.clone();
        faces.spawn(async move {
            let mut ticks = tokio::time::interval(TICK);
            loop {
                ticks.tick().await;
                let (mut world, _) = shared.now();
                if healed.exists() {
                    world.heal();
                }
            }
        });
        let ready = {
            let world = world.lock();
            leave(&dir, &world, &public.pem(), helm)?;
            Ready {
                pid: std::process::id(),
                scenario: world.scenario.name.clone(),
                about: world.scenario.about.trim().to_owned(),
                began: world.began,
                plan: dir.join("relight.toml"),
                addresses,
            }
        };
        Lease::of(&dir).touch().map_err(write(&dir))?;
        ready.write(&dir).map_err(write(&dir))?;
        Ok(Self {
            ready,
            world,
            faces,
            dir,
            _dns: dns,
            _claim: claim,
            _held: lock,
        })
    }

    /// Where it is.
    #[must_use]
    pub const fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Its world.
    #[must_use]
    pub const fn world(&self) -> &Shared {
        &self.world
    }

    /// Returns when a face has ended, which none does by itself.
    async fn broken(&mut self) -> &'static str {
        match self.faces.join_next().await {
            Some(Ok(face)) => face,
            _ => "protocol",
        }
    }
}

impl Drop for Practice {
    fn drop(&mut self) {
        Ready::remove(&self.dir);
    }
}

/// `relight practice serve`: runs a practice until nobody has touched its lease for `limit`, or until TERM or INT. The
/// process leaves its caller's session, so that it outlives a killed cockpit.
///
/// # Errors
/// If the practice cannot begin, or if one of its faces ends.
pub async fn serve(dir: &Path, scenario: &str, limit: Duration) -> Result<(), PracticeError> {
    // A process group leader, as one started by hand is, cannot: then the terminal keeps hold of it.
    let _ = rustix::process::setsid();
    let watch = |kind| signal(kind).map_err(|error| PracticeError::NotStarted(error.to_string()));
    let (mut term, mut int) = (
        watch(SignalKind::terminate())?,
        watch(SignalKind::interrupt())?,
    );
    // Taken and not answered: a hang-up is meant for the cockpit.
    let _hup = watch(SignalKind::hangup())?;
    let helm = std::env::current_exe().map_err(|error| {
        PracticeError::NotStarted(format!("where this program lies is unknown: {error}"))
    })?;
    let mut practice = Practice::begin(dir, scenario, &helm).await?;
    let lease = Lease::of(dir);
    tokio::select! {
        () = lease.run_out(limit) => Ok(()),
        _ = term.recv() => Ok(()),
        _ = int.recv() => Ok(()),
        face = practice.broken() => Err(PracticeError::FaceEnded(face)),
    }
}

/// Finds a network that no other practice holds, and holds it.
async fn claim() -> Result<(TcpListener, Ipv4Addr), PracticeError> {
    let mut tried = 0;
    loop {
        let net = Ipv4Addr::new(127, fastrand::u8(64..128), fastrand::u8(..), 0);
        let at = Addresses::claim(net);
        match TcpListener::bind(at).await {
            Ok(listener) => return Ok((listener, net)),
            Err(error) if tried == TRIES => {
                return Err(PracticeError::NoNetwork { tried: at, error });
            }
            Err(_) => tried += 1,
        }
    }
}

async fn hold(dir: &Path) -> Result<fs::File, PracticeError> {
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        match ready::hold(dir) {
            Ok(held) => return Ok(held),
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                return Err(write(&dir.join("lock"))(error));
            }
            Err(_) if tokio::time::Instant::now() >= until => {
                return Err(PracticeError::Taken(dir.to_owned()));
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn bind(at: SocketAddr, face: &'static str) -> Result<TcpListener, PracticeError> {
    TcpListener::bind(at).await.map_err(listen(face))
}

/// Writes what the clients need.
fn leave(dir: &Path, world: &World, ca: &str, helm: &Path) -> Result<(), PracticeError> {
    let site = &world.scenario.primary;
    let cluster = &world.scenario.release.cluster;
    let storage = &world.primary.storage;
    let pins = storage
        .host_authority(&site.state_table, cluster)
        .map_or_else(Vec::new, |seed| teleport::pins_for(&seed));
    let put = |name: &str, text: &str| {
        let path = dir.join(name);
        fs::write(&path, text).map_err(write(&path))
    };
    put("relight.toml", &plan::plan(world, &pins))?;
    put("kubeconfig", &plan::kubeconfig(world))?;
    put("credentials", &plan::credentials(world))?;
    put("values.yaml", &plan::values(world))?;
    put("ca.pem", ca)?;
    let seed = storage.host_authority(&site.state_table, cluster);
    if let Some(seed) = seed {
        let cas = dir.join("tsh/keys").join(cluster).join("cas");
        fs::create_dir_all(&cas).map_err(write(&cas))?;
        let path = cas.join(format!("{cluster}.pem"));
        let pem = teleport::HostAuthority::new(&seed)?.pem(cluster)?;
        fs::write(&path, pem).map_err(write(&path))?;
    }
    // What an earlier practice left would look like a step that is done.
    remove(&dir.join(plan::RECOVERY_VALUES))?;
    let bin = dir.join("bin");
    fs::create_dir_all(&bin).map_err(write(&bin))?;
    for name in ["helm", "kubectl"] {
        let link = bin.join(name);
        remove(&link)?;
        std::os::unix::fs::symlink(helm, &link).map_err(write(&link))?;
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), PracticeError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(write(path)(error)),
        _ => Ok(()),
    }
}

pub(super) fn write(path: &Path) -> impl Fn(io::Error) -> PracticeError {
    let path = path.to_owned();
    move |error| PracticeError::Write {
        path: path.clone(),
        error,
    }
}

fn listen(face: &'static str) -> impl Fn(io::Error) -> PracticeError {
    move |error| PracticeError::Listen { face, error }
}
