//! How the operator got here: the environment that a Teleport session leaves, and the kubeconfigs of the plan.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::BoxFuture;

use crate::{
    clients::kube::session::{Way, host, way, within},
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
    session
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
