//! `wait-for-pods`: says what each pod waits for until every Auth and Proxy Deployment is available as desired. A pod of
//! Auth that says what must stop a recovery ends it at once.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures::future::BoxFuture;

use super::{Context, Native, Say, StepError, starts::Starts};
use crate::{
    clients::kube::{self, Kube, Query, WireDeployment, WirePod},
    incident::{AuthLog, Component, Deployment, Failure, Pod, Side, brief},
    plan::Plan,
};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The row of [`super::natives`].
#[must_use]
pub fn native() -> Native {
    Native {
        name: "wait-for-pods",
        needs: &["recovery.context"],
        calls,
        seen: None,
        run,
    }
}

fn calls(plan: &Plan) -> Vec<String> {
    let context = plan
        .recovery
        .kube
        .context
        .as_deref()
        .unwrap_or("(no context in the plan)");
    let selector = format!(
        "-n {} -l app.kubernetes.io/instance={}",
        plan.cluster.namespace, plan.cluster.release
    );
    vec![
        format!("GET deployments {selector} in context {context}, every second"),
        format!("GET pods {selector} in context {context}, every second"),
        "GET the logs of its Auth pods until each has started: a wrong state table ends this step at once".to_owned(),
    ]
}

fn run(context: Context) -> BoxFuture<'static, Result<(), StepError>> {
    Box::pin(async move {
        let plan = &context.plan;
        let kube = kube::connect(&plan.side(Side::Recovery).kube)
            .await
            .map_err(|why| StepError(why.to_string()))?;
        if context.dry_run {
            for line in calls(plan) {
                context.say(line);
            }
            return Ok(());
        }
        let began = Instant::now();
        let mut rollout = Rollout::default();
        loop {
            let seen = rollout.look(&kube, plan, &|line| context.say(line)).await?;
            if seen.is_some_and(|(_, available)| available) {
                context.say(format!(
                    "Auth and Proxy are available as desired, after {}",
                    brief(began.elapsed())
                ));
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    })
}

/// The release as it comes up, said as it changes.
#[derive(Debug, Default)]
pub(super) struct Rollout {
    told: Told,
    /// How its Auth pods start.
    pub(super) starts: Starts,
}

impl Rollout {
    /// Looks once and says what is new. What Auth says, and whether every Deployment is there as it is wanted; `None`
    /// where the API did not answer.
    ///
    /// # Errors
    /// With what an Auth pod says that must stop a recovery.
    pub(super) async fn look(
        &mut self,
        kube: &Kube,
        plan: &Plan,
        say: Say<'_>,
    ) -> Result<Option<(AuthLog, bool)>, StepError> {
        match read(kube, plan).await {
            Ok((deployments, pods)) => {
                for line in self.told.changes(&deployments, &pods) {
                    say(&line);
                }
                let log = self.starts.look(kube, plan, &pods, say).await?;
                Ok(Some((log, available(&deployments))))
            }
            Err(failure) => {
                if let Some(line) = self.told.failure(&failure) {
                    say(&line);
                }
                Ok(None)
            }
        }
    }
}

async fn read(kube: &Kube, plan: &Plan) -> Result<(Vec<Deployment>, Vec<Pod>), Failure> {
    let (namespace, release) = (&plan.cluster.namespace, &plan.cluster.release);
    let deployments =
        kube::list::<WireDeployment>(kube, &Query::deployments(namespace, release), PATIENCE)
            .await?;
    let pods = kube::list::<WirePod>(kube, &Query::pods(namespace, release), PATIENCE).await?;
    Ok((
        deployments.items.iter().map(WireDeployment::read).collect(),
        pods.items.iter().map(|pod| pod.read(|_| None)).collect(),
    ))
}

/// Both are there, and each has what it wants in its newest form.
fn available(deployments: &[Deployment]) -> bool {
    [Component::Auth, Component::Proxy]
        .into_iter()
        .all(|component| {
            let mut of = deployments
                .iter()
                .filter(|one| one.component == component)
                .peekable();
            of.peek().is_some()
                && of.all(|one| {
                    one.observed
                        && one.desired > 0
                        && one.available == one.desired
                        && one.updated == one.desired
                })
        })
}

/// What has been said, so that only changes are.
#[derive(Debug, Default)]
struct Told {
    lines: BTreeMap<String, String>,
    failure: String,
}

impl Told {
    fn changes(&mut self, deployments: &[Deployment], pods: &[Pod]) -> Vec<String> {
        let mut now = BTreeMap::new();
        for one in deployments {
            now.insert(
                format!("Deployment {}", one.name),
                format!("{} of {} available", one.available, one.desired),
            );
        }
        // A hook's pod is of no interest once it has done its work.
        let done = |pod: &Pod| pod.component == Component::Hook && pod.phase == "Succeeded";
        for pod in pods.iter().filter(|pod| !done(pod)) {
            now.insert(format!("Pod {}", pod.name), words(pod));
        }
        if now.is_empty() {
            now.insert(
                "release".to_owned(),
                "no Deployment and no pod of it yet".to_owned(),
            );
        }
        let mut said: Vec<String> = now
            .iter()
            .filter(|(name, text)| self.lines.get(*name) != Some(text))
            .map(|(name, text)| format!("{name}: {text}"))
            .collect();
        if !self.failure.is_empty() {
            said.insert(0, "the API answers again".to_owned());
        }
        let gone = self
            .lines
            .keys()
            .filter(|name| !now.contains_key(*name) && *name != "release");
        said.extend(gone.map(|name| format!("{name}: gone")));
        self.lines = now;
        self.failure.clear();
        said
    }

    fn failure(&mut self, failure: &Failure) -> Option<String> {
        let text = failure.to_string();
        if self.failure == text {
            return None;
        }
        self.failure.clone_from(&text);
        Some(text)
    }
}

fn words(pod: &Pod) -> String {
    let ready = format!("{}/{} ready", pod.ready, pod.containers);
    let state = match (pod.deleting.is_some(), pod.reason.as_str()) {
        (true, _) => "terminating".to_owned(),
        (false, "") => pod.phase.clone(),
        (false, reason) => reason.to_owned(),
    };
    let message = if pod.message.is_empty() {
        String::new()
    } else {
        format!(": {}", pod.message)
    };
    format!("{ready}, {state}{message}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(component: Component, available: u32) -> Deployment {
        Deployment {
            name: format!("tc-{component:?}"),
            component,
            desired: 2,
            available,
            updated: 2,
            observed: true,
            restarted: None,
        }
    }

    #[test]
    fn both_must_be_there_and_complete() {
        let auth = deployment(Component::Auth, 2);
        let proxy = deployment(Component::Proxy, 2);
        assert!(available(&[auth.clone(), proxy.clone()]));
        assert!(!available(&[]));
        assert!(!available(std::slice::from_ref(&auth)));
        assert!(!available(&[auth.clone(), deployment(Component::Proxy, 1)]));
        assert!(!available(&[
            auth.clone(),
            Deployment {
                observed: false,
                restarted: None,
                ..proxy.clone()
            }
        ]));
        assert!(!available(&[
            auth,
            Deployment {
                desired: 0,
                available: 0,
                updated: 0,
                ..proxy
            }
        ]));
    }

    #[test]
    fn only_changes_are_said() {
        let mut told = Told::default();
        assert_eq!(
            told.changes(&[], &[]),
            ["release: no Deployment and no pod of it yet"]
        );
        assert!(told.changes(&[], &[]).is_empty());
        let one = [deployment(Component::Auth, 0)];
        assert_eq!(
            told.changes(&one, &[]),
            ["Deployment tc-Auth: 0 of 2 available"]
        );
        let failure = Failure::new(
            crate::incident::FailureKind::Timeout,
            "the API gave no answer",
        );
        assert!(told.failure(&failure).is_some() && told.failure(&failure).is_none());
        assert_eq!(told.changes(&one, &[]), ["the API answers again"]);
        assert_eq!(
            told.changes(&[], &[]),
            [
                "release: no Deployment and no pod of it yet",
                "Deployment tc-Auth: gone"
            ]
        );
    }
}
