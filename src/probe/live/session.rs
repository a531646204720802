//! How the operator got here: the environment that a Teleport session leaves, and the kubeconfigs of the plan.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::BoxFuture;

use crate::{
    clients::{
        credential_ways::{ProfileFile, hangs},
        kube::{
            session::{Way, host, needs_region, way, within},
            text::clean,
        },
    },
    incident::{Fact, Failure, FailureKind, Session, Side, Subject},
    plan::Plan,
    probe::{Pace, Probe, Sink},
};

/// What Teleport's SSH service sets in a session, and what `tsh` reads: each names a cluster or its proxy.
const SIGNS: [&str; 3] = [
    "SSH_TELEPORT_CLUSTER_NAME",
    "SSH_SESSION_WEBPROXY_ADDR",
    "TELEPORT_PROXY",
];
/// Longest file of profiles that is read, in bytes.
const CAP: u64 = 1 << 20;
/// Set in every Teleport session; names no cluster.
const USER: &str = "SSH_TELEPORT_USER";

/// Looks at this session's own ways.
#[derive(Debug)]
pub struct SessionProbe {
    plan: Arc<Plan>,
}

impl SessionProbe {
    /// The probe of a plan.
    #[must_use]
    pub const fn new(plan: Arc<Plan>) -> Self {
        Self { plan }
    }
}

impl Probe for SessionProbe {
    fn name(&self) -> String {
        "session".to_owned()
    }

    fn subjects(&self) -> Vec<Subject> {
        vec![Subject::Session]
    }

    fn pace(&self) -> Pace {
        Pace {
            interval: self.plan.interval(&Subject::Session),
            timeout: Some(Duration::from_secs(5)),
        }
    }

    fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async {
            let began = Instant::now();
            let plan = self.plan.clone();
            // A home folder on a dead network mount must not hold the other probes up.
            let looked =
                tokio::task::spawn_blocking(move || look(&plan, |name| std::env::var(name).ok()));
            let session = looked.await.map_err(|_| {
                Failure::new(
                    FailureKind::Other,
                    "looking at this session's ways ended in a defect of Relight",
                )
            })?;
            let outcome = Ok(Fact::Session(session));
            sink.put(Subject::Session, began.elapsed(), outcome);
            Ok(())
        })
    }
}

fn look(plan: &Plan, var: impl Fn(&str) -> Option<String>) -> Session {
    let name = &plan.cluster.name;
    let mut session = Session {
        looked: vec!["environment".to_owned()],
        ..Session::default()
    };
    let signs: Vec<(&str, String)> = SIGNS
        .into_iter()
        .filter_map(|sign| Some((sign, host(&var(sign)?)?)))
        .collect();
    for (sign, host) in &signs {
        if within(host, name) {
            let what = if *sign == "TELEPORT_PROXY" {
                "tsh and what it signs in for go through it"
            } else {
                "this shell is a session of it"
            };
            session.through.push(format!("{what} ({sign}={host})"));
        }
    }
    if var(USER).is_some() && !signs.iter().any(|(sign, _)| *sign != "TELEPORT_PROXY") {
        session.doubts.push(format!(
            "this shell is a Teleport session ({USER} is set) that does not say of which cluster"
        ));
    }
    for side in Side::BOTH {
        let kube = &plan.side(side).kube;
        if kube.context.is_none() {
            continue;
        }
        match way(kube, name) {
            Ok(Way::Through(how)) => session.through.push(how),
            Ok(Way::Doubt(how)) => session.doubts.push(how),
            Ok(Way::Elsewhere) => {}
            Err(failure) => session.doubts.push(failure.to_string()),
        }
        session.looked.push(format!("{side} kube context"));
    }
    hang(plan, &var, &mut session);
    session
}

/// What the recovery side's credentials and kubeconfig need of the primary region. Where both sides lie in one region there is
/// nothing to be asked.
fn hang(plan: &Plan, var: impl Fn(&str) -> Option<String>, session: &mut Session) {
    let (region, recovery) = (&plan.primary.region, &plan.recovery);
    if *region == recovery.region {
        return;
    }
    let home = var("HOME").map(PathBuf::from);
    let named = |name: &str, usual: &str| {
        let said = var(name).filter(|value| !value.is_empty());
        said.map(PathBuf::from)
            .or_else(|| home.as_ref().map(|home| home.join(usual)))
    };
    let paths = [
        named("AWS_CONFIG_FILE", ".aws/config"),
        recovery
            .credentials_file
            .clone()
            .or_else(|| named("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials")),
    ];
    let mut files = Vec::new();
    for path in paths.into_iter().flatten() {
        let name = clean(&path.display().to_string(), 200);
        match read_to_string(&path) {
            Ok(text) => files.push(ProfileFile { name, text }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => session
                .unsure
                .push(format!("{name} cannot be read: {error}")),
        }
    }
    let found = hangs(&files, recovery.profile.as_deref(), region, &var);
    session.hangs.extend(found.on);
    session.unsure.extend(found.doubts);
    match needs_region(&recovery.kube, region) {
        Ok(how) => session.hangs.extend(how),
        Err(failure) => session.unsure.push(failure.to_string()),
    }
}

/// A file of profiles is short: more than a mebibyte is none.
fn read_to_string(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    let read = File::open(path)?.take(CAP + 1).read_to_end(&mut bytes)?;
    if read as u64 > CAP {
        return Err(io::Error::other("it is longer than 1 MiB"));
    }
    // What is no text cannot be a key or a section either, and is told by its line.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::sample;

    type Vars = &'static [(&'static str, &'static str)];

    fn told(vars: &[(&str, &str)]) -> Session {
        let mut plan = sample::plan();
        plan.primary.kube.context = None;
        plan.recovery.kube.context = None;
        look(&plan, |name| {
            let found = vars.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_session_of_this_cluster_is_told_from_one_of_another() {
        let cases: [(Vars, usize, usize); 6] = [
            (&[], 0, 0),
            (
                &[
                    ("SSH_TELEPORT_CLUSTER_NAME", "teleport.example.com"),
                    (USER, "alice"),
                ],
                1,
                0,
            ),
            (
                &[
                    ("SSH_TELEPORT_CLUSTER_NAME", "emergency.example.com"),
                    (USER, "alice"),
                ],
                0,
                0,
            ),
            (
                &[("SSH_SESSION_WEBPROXY_ADDR", "teleport.example.com:443")],
                1,
                0,
            ),
            (&[("TELEPORT_PROXY", "https://teleport.example.com")], 1, 0),
            (&[(USER, "alice")], 0, 1),
        ];
        for (vars, through, doubts) in cases {
            let session = told(vars);
            assert_eq!(session.through.len(), through, "{vars:?}: {session:?}");
            assert_eq!(session.doubts.len(), doubts, "{vars:?}: {session:?}");
        }
    }

    #[test]
    fn what_the_recovery_credentials_need_of_the_primary_region_is_told() {
        let home = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(home.path().join(".aws")).expect("a folder");
        let config = "[profile dr]\nsso_region = us-east-1\nwhat is this\n";
        std::fs::write(home.path().join(".aws/config"), config).expect("written");
        let file = home.path().join("kube");
        let text = r#"{"apiVersion":"v1","kind":"Config","contexts":[{"name":"dr","context":{"cluster":"c","user":"u"}}],
            "clusters":[{"name":"c","cluster":{"server":"https://A.gr7.us-east-1.eks.amazonaws.com"}}],
            "users":[{"name":"u","user":{}}]}"#;
        std::fs::write(&file, text).expect("written");
        let mut plan = sample::plan();
        plan.primary.kube.context = None;
        plan.recovery.profile = Some("dr".to_owned());
        plan.recovery.kube.context = Some("dr".to_owned());
        plan.recovery.kube.kubeconfig = Some(file);
        let var = |name: &str| (name == "HOME").then(|| home.path().to_string_lossy().into_owned());
        let session = look(&plan, var);
        assert_eq!(session.hangs.len(), 2, "{session:?}");
        assert!(
            session.hangs[1].contains("leads to a cluster in us-east-1"),
            "{session:?}"
        );
        assert_eq!(session.unsure.len(), 1, "{session:?}");
        assert!(session.unsure[0].contains("line 3"), "{session:?}");
    }

    #[test]
    fn a_kubeconfig_that_cannot_be_read_is_a_doubt() {
        let mut plan = sample::plan();
        plan.primary.kube.kubeconfig = Some("/nowhere/config".into());
        plan.recovery.kube.context = None;
        let session = look(&plan, |_| None);
        assert_eq!(
            (session.through.len(), session.doubts.len()),
            (0, 1),
            "{session:?}"
        );
    }
}
