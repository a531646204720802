//! The old side of a way back: its release as the black box has it, its load balancer, and the names.

use std::{
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{PATIENCE, run_helm};
use crate::{
    clients::{
        black_box::doors,
        kube::{self, Kube, Query, WireDeployment, raw},
    },
    incident::{BlackBox, Deployment, Failure, Moment, Sealed, brief},
    plan::Plan,
    step::{Context, Say, StepError, dns, expand, seen::failed},
};

/// How long the old load balancer may take to answer: one that is made anew takes minutes.
const ANSWERS: Duration = Duration::from_mins(20);
/// Between two looks at it.
const POLL: Duration = Duration::from_secs(5);
/// The same in the practice region.
const POLL_PRACTICE: Duration = Duration::from_millis(500);
/// Where the values of the box are put for Helm, in the incident's folder.
const VALUES: &str = "old-values.json";

/// The addresses of the old load balancer by the box.
pub(super) fn addresses(found: &BlackBox) -> Vec<String> {
    let balancer = found.load_balancer.good();
    balancer.map_or_else(Vec::new, |balancer| balancer.addresses.clone())
}

/// What is waited for.
pub(super) fn wait_line(found: &BlackBox) -> String {
    let pins = found.pins.good().map_or(0, Vec::len);
    format!(
        "wait  until the old load balancer answers as {} with the {pins} CA pins of the black box",
        found.cluster
    )
}

/// What brings the old release to what the box has: nothing, its replicas, or its install. `there`: whether anything of
/// it is recorded or runs.
pub(super) fn lines(
    plan: &Plan,
    found: &BlackBox,
    there: bool,
    deployments: &[Deployment],
) -> Result<Vec<String>, StepError> {
    if !there {
        return Ok(vec![expand::shown(&install(
            plan,
            found,
            Path::new("INCIDENT").join(VALUES).as_path(),
        )?)]);
    }
    Ok(scaled(found, deployments)
        .into_iter()
        .map(|(name, now, was)| {
            format!("PATCH deployments/{name}: spec.replicas = {was} (is {now})")
        })
        .collect())
}

/// Refuses a release whose install or removal was cut short: Helm neither installs over it, nor is it the old one. To
/// remove it is a person's decision.
pub(super) fn whole(plan: &Plan, status: Option<&str>) -> Result<(), StepError> {
    let Some(status) = status.filter(|status| !matches!(*status, "deployed" | "superseded")) else {
        return Ok(());
    };
    let (cluster, kube) = (&plan.cluster, &plan.primary.kube);
    let context = kube.context.as_deref().unwrap_or_default();
    Err(StepError(format!(
        "the old release {} in context {context} is {status}: what was begun on it was not finished, so it cannot be \
         brought up as it was. Remove what is left ({} uninstall {} --namespace {} --kube-context {context}), then run this \
         step again: it installs the release of the black box",
        cluster.release, plan.tools.helm, cluster.release, cluster.namespace
    )))
}

/// Deployments that were scaled down, with what they have and had.
fn scaled(found: &BlackBox, deployments: &[Deployment]) -> Vec<(String, u32, u32)> {
    let before = found.deployments.good().into_iter().flatten();
    before
        .filter_map(|was| {
            let now = deployments.iter().find(|now| now.name == was.name)?;
            (now.desired < was.desired).then(|| (was.name.clone(), now.desired, was.desired))
        })
        .collect()
}

/// The argv that installs the old release again, at the version of the box.
fn install(plan: &Plan, found: &BlackBox, values: &Path) -> Result<Vec<String>, StepError> {
    let release = found.release.value.as_ref().map_err(|why| {
        StepError(format!(
            "the old release is gone, and the black box holds none to install again: {why}"
        ))
    })?;
    let template = [
        "{tools.helm}",
        "install",
        "{cluster.release}",
        "{cluster.chart}",
        "--version",
        &release.version,
        "--values",
        &values.to_string_lossy(),
        "--namespace",
        "{cluster.namespace}",
        "--create-namespace",
        "--kube-context",
        "{primary.context}",
        "--kubeconfig",
        "{primary.kubeconfig?}",
        "--timeout",
        "15m",
    ];
    expand::argv(&template.map(str::to_owned), plan).map_err(|why| StepError(why.to_string()))
}

/// Brings the old release up.
///
/// # Errors
/// If the API or Helm says no, or the box holds no release to install.
pub(super) async fn bring_up(
    context: &Context,
    sealed: &Sealed,
    kube: &Kube,
    say: Say<'_>,
) -> Result<(), StepError> {
    let plan = &context.plan;
    let (namespace, release) = (&plan.cluster.namespace, &plan.cluster.release);
    let query = Query::deployments(namespace, release);
    let deployments = kube::list::<WireDeployment>(kube, &query, PATIENCE).await;
    let deployments = deployments.map_err(|why| failed(&why))?;
    let deployments: Vec<_> = deployments.items.iter().map(WireDeployment::read).collect();
    let recorded = kube::release_status(kube, namespace, release).await;
    let recorded = recorded.map_err(|why| failed(&why))?;
    whole(plan, recorded.as_deref())?;
    let there = !deployments.is_empty() || recorded.is_some();
    if there {
        let fewer = scaled(&sealed.seen, &deployments);
        if fewer.is_empty() {
            say("it is there, with the replicas of the black box");
        }
        for (name, now, was) in fewer {
            say(&format!(
                "PATCH deployments/{name}: spec.replicas = {was} (is {now})"
            ));
            if context.dry_run {
                continue;
            }
            context.fence.look()?;
            raw::scale(kube, namespace, &name, was)
                .await
                .map_err(|why| failed(&why))?;
        }
        return Ok(());
    }
    let values = sealed.values.value.as_ref().map_err(|why| {
        StepError(format!(
            "the old release is gone, and the black box holds no values to install it with: {why}"
        ))
    })?;
    let path = context.incident.join(VALUES);
    let argv = install(plan, &sealed.seen, &path)?;
    if !context.dry_run {
        write(&path, values)
            .map_err(|error| StepError(format!("{} cannot be written: {error}", path.display())))?;
        say(&format!(
            "wrote {} (0600): the values of the black box",
            path.display()
        ));
    }
    run_helm(context, &argv, say).await
}

/// A file of our own alone; one that is there is replaced.
fn write(path: &PathBuf, text: &str) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = std::fs::File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The addresses of the load balancer that the old release has now.
async fn balancer(context: &Context, kube: &Kube) -> Result<Vec<String>, Failure> {
    let plan = &context.plan;
    let found = kube::load_balancer(kube, &plan.cluster.namespace, &plan.cluster.release).await?;
    Ok(found.map_or_else(Vec::new, |found| found.addresses))
}

/// Waits until the old load balancer answers as this cluster, with the pins of the box.
///
/// # Errors
/// If it does not in time, or answers with other authorities.
pub(super) async fn wait(
    context: &Context,
    found: &BlackBox,
    kube: &Kube,
    say: Say<'_>,
) -> Result<(), StepError> {
    let pins = found.pins.value.as_ref().map_err(|why| {
        StepError(format!(
            "the black box holds no CA pins, so there is no telling whether the old cluster is the one from before: {why}"
        ))
    })?;
    let began = tokio::time::Instant::now();
    let pause = if context.plan.practice {
        POLL_PRACTICE
    } else {
        POLL
    };
    let mut last = String::new();
    while began.elapsed() < ANSWERS {
        let why = match look(context, kube, pins).await {
            Ok(seen) => {
                say(&format!(
                    "{seen} answers with the CA pins of {} ago",
                    brief(Moment::now().since(found.pins.at))
                ));
                return Ok(());
            }
            Err(Waits::For(why)) => why,
            Err(Waits::Never(why)) => {
                return Err(StepError(format!(
                    "{why}: the old cluster is not the one from before. The names stay where they are, and the recovery release stays"
                )));
            }
        };
        if why != last {
            say(&format!("waiting: {why}"));
            last = why;
        }
        tokio::time::sleep(pause).await;
    }
    Err(StepError(format!(
        "the old load balancer does not answer as before in {} ({last}). The names stay where they are, and the recovery release stays",
        brief(ANSWERS)
    )))
}

enum Waits {
    For(String),
    Never(String),
}

async fn look(context: &Context, kube: &Kube, pins: &[String]) -> Result<String, Waits> {
    let wait = |why: Failure| Waits::For(why.to_string());
    let hosts = balancer(context, kube).await.map_err(wait)?;
    if hosts.is_empty() {
        return Err(Waits::For(
            "the old release has no load balancer address yet".to_owned(),
        ));
    }
    let doors = doors(&context.plan, &hosts).await.map_err(wait)?;
    if doors.is_empty() {
        return Err(Waits::For(format!("{} has no address", hosts.join(", "))));
    }
    for (address, seen) in doors {
        match seen {
            Ok(seen) if !seen.is_empty() && pins.iter().all(|pin| seen.contains(pin)) => {}
            Ok(_) => {
                return Err(Waits::Never(format!(
                    "{} answers with OTHER CERTIFICATE AUTHORITIES than the black box has",
                    address.ip
                )));
            }
            Err(why) => return Err(Waits::For(format!("{}: {why}", address.ip))),
        }
    }
    Ok(hosts.join(", "))
}

/// Points the names back: exactly as the box has them, or to the load balancer that the old release has now, where that
/// is another one.
///
/// # Errors
/// If Route 53 says no, or there is no address to point to.
pub(super) async fn names(
    context: &Context,
    found: &BlackBox,
    kube: &Kube,
    say: Say<'_>,
) -> Result<(), StepError> {
    let now = balancer(context, kube).await.map_err(|why| failed(&why))?;
    let before = addresses(found);
    if now.is_empty() || before.is_empty() || now.iter().all(|host| before.contains(host)) {
        return dns::put_back(context, found, say).await;
    }
    say(&format!(
        "the old release has another load balancer than the black box has ({} instead of {}): the names go to that one",
        now.join(", "),
        before.join(", ")
    ));
    dns::point(context, &now, say).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{incident::black_box::sample::sealed, plan::sample::plan};

    #[test]
    fn a_release_that_was_scaled_down_gets_its_replicas_back() {
        let found = sealed(Moment::from_secs(7)).seen;
        let mut deployments = found.deployments.good().expect("Deployments").clone();
        let plan = plan();
        assert_eq!(
            lines(&plan, &found, true, &deployments).expect("lines"),
            Vec::<String>::new()
        );
        deployments[0].desired = 0;
        assert_eq!(
            lines(&plan, &found, true, &deployments).expect("lines"),
            ["PATCH deployments/teleport-cluster-auth: spec.replicas = 2 (is 0)"]
        );
    }

    #[test]
    fn a_release_that_was_cut_short_is_not_taken_for_the_old_one() {
        let plan = plan();
        for status in [None, Some("deployed"), Some("superseded")] {
            assert!(whole(&plan, status).is_ok(), "{status:?}");
        }
        for status in ["failed", "pending-install", "uninstalling"] {
            let told = whole(&plan, Some(status)).expect_err("refused").to_string();
            for part in [status, "--kube-context east", "run this step again"] {
                assert!(told.contains(part), "{told}");
            }
        }
    }

    #[test]
    fn values_for_helm_are_for_their_owner_alone() {
        use std::os::unix::fs::MetadataExt as _;

        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(VALUES);
        for text in ["{\"a\":1}", "{}"] {
            write(&path, text).expect("written");
            assert_eq!(std::fs::read_to_string(&path).expect("read"), text);
        }
        let mode = std::fs::metadata(&path).expect("meta").mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
