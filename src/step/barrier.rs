//! `fence-old-cluster`: where the old cluster's Kubernetes API is dead and AWS answers, its load balancer is shut at AWS:
//! its listeners are deleted, each written down first, or it gets the plan's closed security group alone.

mod back;

pub(super) use back::{lines as back_lines, put_back};

use std::{
    fs, io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use futures::future::BoxFuture;
use serde_json::{Map, Value, json};

use super::{
    Context, Native, StepError,
    seen::{failed, only_confirmed},
};
use crate::{
    clients::aws::{
        Aws,
        balancer::{self, Found, NAME},
    },
    incident::{
        Fact, Instruments, Moment, Reading, Side, Subject,
        barrier::{Balancer, Barrier, Listener},
    },
    plan::Plan,
};

/// The row of [`super::natives`].
#[must_use]
pub const fn native() -> Native {
    Native {
        name: "fence-old-cluster",
        needs: &[],
        calls,
        seen: Some(seen),
        run,
    }
}

fn calls(plan: &Plan) -> Vec<String> {
    vec![
        format!(
            "ELB DescribeLoadBalancers, DescribeListeners in {}: the one whose DNS name led to the old cluster",
            plan.primary.region
        ),
        format!(
            "write {NAME} in the incident's folder (0600): listeners and security groups as they are; then:"
        ),
    ]
}

/// One call.
#[derive(Debug, PartialEq, Eq)]
enum Deed<'a> {
    /// The load balancer gets this security group alone.
    Group(&'a Balancer, &'a str),
    /// A listener goes.
    Listener(&'a Listener),
}

impl Deed<'_> {
    fn line(&self) -> String {
        match self {
            Self::Group(one, group) => format!(
                "SetSecurityGroups {}: {group} alone (was {})",
                one.arn,
                one.groups.join(", ")
            ),
            Self::Listener(one) => {
                format!(
                    "DeleteListener {} (port {} {})",
                    one.arn, one.port, one.protocol
                )
            }
        }
    }
}

/// What is to be done to shut what was found; nothing where it is shut already.
fn deeds<'a>(plan: &'a Plan, barrier: &'a Barrier) -> Result<Vec<Deed<'a>>, StepError> {
    if barrier.balancers.is_empty() {
        return Err(StepError(format!(
            "no load balancer in {} has the DNS name {}: check load_balancer and account in [primary]",
            barrier.region,
            barrier.missing.join(", ")
        )));
    }
    let mut deeds = Vec::new();
    for one in &barrier.balancers {
        if let Some(group) = &plan.primary.fence_group {
            if one.groups.is_empty() && !one.listeners.is_empty() {
                return Err(StepError(format!(
                    "{} was made without security groups and takes none: take fence_security_group out of [primary], then its \
                     listeners are deleted instead",
                    one.arn
                )));
            }
            if !one.behind(group) && !one.listeners.is_empty() {
                deeds.push(Deed::Group(one, group));
            }
            continue;
        }
        if one.kind != "network" && !one.listeners.is_empty() {
            return Err(StepError(format!(
                "{} is of type {}, whose rules would go with its listeners and are not written down: name a closed \
                 security group as fence_security_group in [primary]",
                one.arn, one.kind
            )));
        }
        for listener in &one.listeners {
            if let Some(what) = &listener.unkept {
                return Err(StepError(format!(
                    "{} could not be made again ({what} is not written down): name a closed security group as \
                     fence_security_group in [primary]",
                    listener.arn
                )));
            }
            deeds.push(Deed::Listener(listener));
        }
    }
    Ok(deeds)
}

fn seen(plan: &Plan, instruments: &Instruments) -> Result<Vec<String>, StepError> {
    let reading = instruments.get(&Subject::Barrier);
    let Some((_, Fact::Barrier(barrier))) = reading.and_then(|reading| reading.good.as_ref())
    else {
        return Err(StepError(reading.and_then(Reading::failure).map_or_else(
            || "the old load balancer has not been looked at AWS yet".to_owned(),
            ToString::to_string,
        )));
    };
    Ok(deeds(plan, barrier)?.iter().map(Deed::line).collect())
}

fn run(context: Context) -> BoxFuture<'static, Result<(), StepError>> {
    Box::pin(async move {
        let plan = &context.plan;
        let ends: Vec<String> = match context.shelf().read() {
            Ok(sealed) => sealed.seen.ends().into_iter().map(str::to_owned).collect(),
            Err(why) => {
                context.say(format!("without a black box: {why}"));
                Vec::new()
            }
        };
        let hosts = balancer::hosts(plan, &ends).map_err(|why| failed(&why))?;
        let aws = Aws::new(plan);
        let reach = aws.side(Side::Primary);
        let found = balancer::fetch(reach, &hosts).await;
        let found = found.map_err(|why| failed(&why))?;
        for host in &found.barrier.missing {
            context.say(format!(
                "WARNING: no load balancer in {} has the DNS name {host}",
                found.barrier.region
            ));
        }
        let deeds = deeds(plan, &found.barrier)?;
        if deeds.is_empty() {
            context.say("nothing to do: the old load balancer is shut already");
            return Ok(());
        }
        let lines: Vec<String> = deeds.iter().map(Deed::line).collect();
        for line in &lines {
            context.say(line);
        }
        if context.dry_run {
            context.say("dry run: nothing was changed");
            return Ok(());
        }
        only_confirmed(&lines, &context.confirmed)?;
        context.fence.look()?;
        let path = write(&context, &found)?;
        context.say(format!(
            "{} holds what they were (0600): by it they can be made again. Further certificates (SNI) and attributes of a \
             listener are not in it",
            path.display()
        ));
        for deed in &deeds {
            context.fence.look()?;
            let done = match deed {
                Deed::Group(one, group) => {
                    balancer::set_groups(reach, &one.arn, &[(*group).to_owned()]).await
                }
                Deed::Listener(one) => balancer::delete_listener(reach, &one.arn).await,
            };
            done.map_err(|why| failed(&why))?;
            context.say(format!("done: {}", deed.line()));
        }
        Ok(())
    })
}

/// Writes down what is there, beside what an earlier run wrote: of each thing the first state stays.
fn write(context: &Context, found: &Found) -> Result<PathBuf, StepError> {
    if context.incident.as_os_str().is_empty() {
        return Err(StepError(
            "nothing was changed: there is no incident's folder to write the listeners down in; run it within an incident"
                .to_owned(),
        ));
    }
    let path = context.incident.join(NAME);
    let told = |did: &str, why: &dyn std::fmt::Display| {
        StepError(format!(
            "nothing was changed: {} cannot be {did}: {why}; make room, or move it away and keep it",
            path.display()
        ))
    };
    let before = match fs::read(&path) {
        Ok(bytes) => Some(serde_json::from_slice(&bytes).map_err(|why| told("read", &why))?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(told("read", &error)),
    };
    let merged = merged(before, found, Moment::now());
    let bytes = serde_json::to_vec_pretty(&merged).map_err(|why| told("written", &why))?;
    atomic(&path, &bytes).map_err(|why| told("written", &why))?;
    Ok(path)
}

/// `{"listeners": {ARN: …}, "security_groups": {ARN of the load balancer: […]}}`
fn merged(before: Option<Map<String, Value>>, found: &Found, now: Moment) -> Value {
    let mut whole = before.unwrap_or_default();
    whole.insert("at".to_owned(), json!(now.to_string()));
    whole.insert("region".to_owned(), json!(found.barrier.region));
    let listeners = found.kept.iter().cloned();
    let groups = found
        .barrier
        .balancers
        .iter()
        .map(|one| (one.arn.clone(), json!(one.groups)));
    add(&mut whole, "listeners", listeners);
    add(&mut whole, "security_groups", groups);
    Value::Object(whole)
}

fn add(whole: &mut Map<String, Value>, name: &str, more: impl Iterator<Item = (String, Value)>) {
    let place = whole.entry(name).or_insert_with(|| json!({}));
    if !place.is_object() {
        *place = json!({});
    }
    for (arn, value) in more {
        if let Some(known) = place.as_object_mut() {
            known.entry(arn).or_insert(value);
        }
    }
}

fn atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use io::Write as _;

    let beside = path.with_file_name(format!(".{NAME}.{}.new", std::process::id()));
    let written = (|| {
        let mut options = fs::OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::plan::sample;

    fn barrier(kind: &str, groups: &[&str], unkept: Option<&str>) -> Barrier {
        Barrier {
            region: "us-east-1".to_owned(),
            balancers: vec![Balancer {
                arn: "arn:lb".to_owned(),
                kind: kind.to_owned(),
                groups: groups.iter().map(|&group| group.to_owned()).collect(),
                listeners: vec![Listener {
                    arn: "arn:l".to_owned(),
                    port: 443,
                    protocol: "TLS".to_owned(),
                    unkept: unkept.map(str::to_owned),
                }],
                ..Balancer::default()
            }],
            ..Barrier::default()
        }
    }

    fn told(barrier: &Barrier, group: Option<&str>) -> Result<Vec<String>, String> {
        let mut plan = sample::plan();
        plan.primary.fence_group = group.map(str::to_owned);
        let deeds = deeds(&plan, barrier).map_err(|why| why.to_string())?;
        Ok(deeds.iter().map(Deed::line).collect())
    }

    #[test]
    fn listeners_go_or_the_closed_group_comes() {
        let network = barrier("network", &["sg-1"], None);
        assert_eq!(
            told(&network, None).expect("lines"),
            ["DeleteListener arn:l (port 443 TLS)"]
        );
        assert_eq!(
            told(&network, Some("sg-0")).expect("lines"),
            ["SetSecurityGroups arn:lb: sg-0 alone (was sg-1)"]
        );
        let shut = barrier("network", &["sg-0"], None);
        assert!(told(&shut, Some("sg-0")).expect("none").is_empty());
        let mut none = barrier("application", &[], None);
        none.balancers[0].listeners.clear();
        assert!(told(&none, None).expect("none").is_empty());
    }

    #[test]
    fn what_could_not_be_put_back_is_not_taken_away() {
        for (seen, group, why) in [
            (barrier("application", &["sg-1"], None), None, "rules"),
            (barrier("network", &[], Some("x")), None, "made again"),
            (barrier("network", &[], None), Some("sg-0"), "takes none"),
            (Barrier::default(), None, "no load balancer"),
        ] {
            let said = told(&seen, group).expect_err("refused");
            assert!(said.contains(why), "{said}");
        }
    }

    #[test]
    fn the_first_state_stays_written_down_and_nobody_else_may_read_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let run = crate::incident::RunId::parse("fence-old-cluster-1-1").expect("an id");
        let mut context = Context::new(std::sync::Arc::new(sample::plan()), run, false);
        let mut found = Found {
            barrier: barrier("network", &["sg-1"], None),
            kept: vec![("arn:l".to_owned(), json!({"Port": 443}))],
        };
        assert!(write(&context, &found).is_err(), "no folder");
        folder.path().clone_into(&mut context.incident);
        let path = write(&context, &found).expect("written");
        found.barrier.balancers[0].groups = vec!["sg-0".to_owned()];
        found.kept = vec![("arn:m".to_owned(), json!({"Port": 3024}))];
        write(&context, &found).expect("written again");
        let text = fs::read_to_string(&path).expect("read");
        let kept: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(kept["listeners"]["arn:l"]["Port"], 443);
        assert_eq!(kept["listeners"]["arn:m"]["Port"], 3024);
        assert_eq!(kept["security_groups"]["arn:lb"], json!(["sg-1"]));
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(&path, "{").expect("torn");
        assert!(
            write(&context, &found).is_err(),
            "a torn one is not overwritten"
        );
    }
}
