//! `teardown`: an isolated drill takes down what it made and nothing else. What that is stands in `drill.json`, written
//! before each thing was asked for; that a thing is the drill's is looked at again right before it goes.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::TableDescription;
use futures::future::BoxFuture;

use super::{
    Context, Native, Say, StepError, expand, helm,
    seen::{failed, only_confirmed, planned},
};
use crate::{
    clients::{
        aws::{Aws, Reach, explain},
        drill::{Ledger, folder, look, namespace, namespace_path, table},
        kube::{self, Kube, Query, object},
    },
    incident::{
        Fact, Failure, FailureKind, Instruments, Made, Reading, Side, Subject, brief,
        made::{Standing, Thing, What},
    },
    plan::{Isolated, Plan},
};

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks at what is going.
const LOOK: Duration = Duration::from_secs(1);
/// How long pods, a namespace or a table may take to go: load balancers behind a namespace are taken down first.
const GOING: Duration = Duration::from_mins(10);

/// The row of [`super::natives`].
#[must_use]
pub const fn native() -> Native {
    Native {
        name: "teardown",
        needs: &[
            "tools.helm",
            "cluster.release",
            "cluster.namespace",
            "recovery.context",
        ],
        calls,
        seen: Some(seen),
        run,
    }
}

fn calls(plan: &Plan) -> Vec<String> {
    let stamp = plan.isolated().map_or("", |drill| drill.stamp.as_str());
    vec![format!(
        "what drill.json lists, looked at in {} and in context {}: it must say {}={stamp}; then these and no others:",
        plan.recovery.region,
        plan.recovery.kube.context.as_deref().unwrap_or_default(),
        Isolated::TAG
    )]
}

/// What takes a thing down, as it is shown and confirmed.
fn line(plan: &Plan, thing: &Thing) -> Result<String, StepError> {
    Ok(match thing.what {
        What::Release => expand::shown(&helm::uninstall(plan, Side::Recovery)?),
        What::Namespace => format!(
            "DELETE namespaces/{} in context {}, with all that is in it",
            thing.name,
            plan.recovery.kube.context.as_deref().unwrap_or_default()
        ),
        What::Table => format!(
            "DynamoDB DeleteTable {} in {}, its deletion protection switched off before",
            thing.name, plan.recovery.region
        ),
    })
}

fn lines(plan: &Plan, made: &Made) -> Result<Vec<String>, StepError> {
    made.ours().map(|thing| line(plan, thing)).collect()
}

fn seen(plan: &Plan, instruments: &Instruments) -> Result<Vec<String>, StepError> {
    let reading = instruments.get(&Subject::Made);
    let Some(Fact::Made(made)) = reading.and_then(Reading::fresh) else {
        return Err(StepError(reading.and_then(Reading::failure).map_or_else(
            || "what this drill made has not been looked at yet".to_owned(),
            ToString::to_string,
        )));
    };
    let mut all = lines(plan, made)?;
    if all.is_empty() {
        all.push("nothing of this drill is there: no call is made".to_owned());
    }
    all.extend(made.stays());
    Ok(all)
}

fn run(context: Context) -> BoxFuture<'static, Result<(), StepError>> {
    Box::pin(async move {
        let say = |line: &str| context.say(line);
        Box::pin(take_down(&context, &say)).await
    })
}

async fn take_down(context: &Context, say: Say<'_>) -> Result<(), StepError> {
    let plan = &context.plan;
    let aws = Aws::new(plan);
    let made = Box::pin(look(plan, &aws))
        .await
        .map_err(|why| failed(&why))?;
    let lines = lines(plan, &made)?;
    for line in lines.iter().chain(&made.stays()) {
        say(line);
    }
    if context.dry_run {
        say("dry run: nothing was changed");
        return Ok(());
    }
    only_confirmed(&lines, &context.confirmed)?;
    let ledger = Ledger::read(folder(plan).map_err(|why| failed(&why))?);
    let ledger = ledger.map_err(|error| StepError(error.to_string()))?;
    for thing in made.ours() {
        if !ledger.lists(thing.what, &thing.name) {
            return Err(StepError(format!(
                "{thing} is not listed in drill.json: it stays"
            )));
        }
        match thing.what {
            What::Release => Box::pin(uninstall(context, say)).await?,
            What::Namespace => Box::pin(empty(context, &thing.name, say)).await?,
            What::Table => {
                let reach = aws.side(Side::Recovery);
                Box::pin(drop_table(context, reach, &thing.name, say)).await?;
            }
        }
    }
    say("what this drill made is taken down");
    Ok(())
}

/// The release, and then its pods: an Auth Service that starts anew would make a table that is gone.
async fn uninstall(context: &Context, say: Say<'_>) -> Result<(), StepError> {
    let plan = &context.plan;
    let kube = planned(context, Side::Recovery).await?;
    context.fence.look()?;
    let argv = helm::uninstall(plan, Side::Recovery)?;
    let status = helm::command(&argv)?.status().await;
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => {
            return Err(StepError(format!(
                "Helm ended with {status}: what it printed above says why. Nothing else was taken down"
            )));
        }
        Err(error) => {
            return Err(StepError(format!(
                "{} cannot be run: {error}; set `helm` in [tools]. Nothing was taken down",
                plan.tools.helm
            )));
        }
    }
    let (namespace, release) = (&plan.cluster.namespace, &plan.cluster.release);
    let query = Query::pods(namespace, release);
    Watched::Pods(&kube, &query)
        .end(&format!("pods of {release}"), say)
        .await
}

async fn empty(context: &Context, name: &str, say: Say<'_>) -> Result<(), StepError> {
    let kube = planned(context, Side::Recovery).await?;
    let uid = ours(context, &kube, name).await?;
    context.fence.look()?;
    object::delete(&kube, &namespace_path(name), &uid)
        .await
        .map_err(|why| failed(&why))?;
    Watched::Namespace(&kube, name, stamp(context))
        .end(&format!("namespace {name}"), say)
        .await
}

/// The UID of a namespace that is this drill's at this moment.
async fn ours(context: &Context, kube: &Kube, name: &str) -> Result<String, StepError> {
    let found = namespace(kube, name, stamp(context)).await;
    match found.map_err(|why| failed(&why))? {
        (Standing::Ours, uid) => Ok(uid),
        (other, _) => Err(moved(&format!("namespace {name}"), &other)),
    }
}

async fn drop_table(
    context: &Context,
    reach: &Reach,
    name: &str,
    say: Say<'_>,
) -> Result<(), StepError> {
    let place = format!("{name} in {}", reach.region());
    let client = reach.dynamodb().await;
    whose(context, reach, name).await?;
    let said = client.describe_table().table_name(name).send().await;
    let said = said.map_err(|error| failed(&explain("DynamoDB DescribeTable", &place, &error)))?;
    let protected = said
        .table()
        .and_then(TableDescription::deletion_protection_enabled);
    if protected == Some(true) {
        context.fence.look()?;
        client
            .update_table()
            .table_name(name)
            .deletion_protection_enabled(false)
            .send()
            .await
            .map_err(|error| failed(&explain("DynamoDB UpdateTable", &place, &error)))?;
        say(&format!("{name}: deletion protection is off"));
        Watched::Change(reach, name)
            .end(&format!("change of {name}"), say)
            .await?;
        whose(context, reach, name).await?;
    }
    context.fence.look()?;
    client
        .delete_table()
        .table_name(name)
        .send()
        .await
        .map_err(|error| failed(&explain("DynamoDB DeleteTable", &place, &error)))?;
    Watched::Table(reach, name, stamp(context))
        .end(&format!("table {name}"), say)
        .await
}

/// Refuses a table that is not this drill's at this moment.
async fn whose(context: &Context, reach: &Reach, name: &str) -> Result<(), StepError> {
    match table(reach, name, stamp(context)).await {
        Ok(Standing::Ours) => Ok(()),
        Ok(other) => Err(moved(&format!("table {name}"), &other)),
        Err(failure) => Err(failed(&failure)),
    }
}

fn stamp(context: &Context) -> &str {
    context
        .plan
        .isolated()
        .map_or("", |drill| drill.stamp.as_str())
}

fn moved(what: &str, stands: &Standing) -> StepError {
    let why = match stands {
        Standing::Foreign(lacks) => lacks.clone(),
        Standing::Gone => "it is gone already".to_owned(),
        Standing::Going => "it is being deleted already".to_owned(),
        Standing::Ours => "it has changed".to_owned(),
    };
    StepError(format!(
        "{what} was left alone: {why}. Run this step again to see what it would do now"
    ))
}

/// What is waited for until it is no longer there.
enum Watched<'a> {
    Pods(&'a Kube, &'a Query),
    Namespace(&'a Kube, &'a str, &'a str),
    Change(&'a Reach, &'a str),
    Table(&'a Reach, &'a str, &'a str),
}

impl Watched<'_> {
    async fn there(&self) -> Result<bool, Failure> {
        match *self {
            Self::Pods(kube, query) => kube::any(kube, query, PATIENCE).await,
            Self::Namespace(kube, name, stamp) => {
                let (stands, _) = namespace(kube, name, stamp).await?;
                Ok(stands != Standing::Gone)
            }
            Self::Change(reach, name) => {
                let place = format!("{name} in {}", reach.region());
                let client = reach.dynamodb().await;
                let said = client.describe_table().table_name(name).send().await;
                let said =
                    said.map_err(|error| explain("DynamoDB DescribeTable", &place, &error))?;
                let status = said.table().and_then(|table| table.table_status());
                Ok(status.is_none_or(|status| status.as_str() != "ACTIVE"))
            }
            Self::Table(reach, name, stamp) => {
                Ok(table(reach, name, stamp).await? != Standing::Gone)
            }
        }
    }

    /// Waits for the end. A look that fails is made again.
    async fn end(&self, what: &str, say: Say<'_>) -> Result<(), StepError> {
        let began = Instant::now();
        let mut told = String::new();
        while began.elapsed() < GOING {
            let words = match Box::pin(self.there()).await {
                Ok(false) => {
                    say(&format!("{what}: done after {}", brief(began.elapsed())));
                    return Ok(());
                }
                Ok(true) => format!("{what}: going"),
                Err(failure) if failure.kind == FailureKind::Forbidden => {
                    return Err(failed(&failure));
                }
                Err(failure) => format!("{what}: {failure}"),
            };
            if words != told {
                say(&words);
                told = words;
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(StepError(format!(
            "{what}: not done after {}; what was asked for goes on, run this step again to take down the rest",
            brief(GOING)
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        incident::{Moment, Part},
        plan::sample::plan,
    };

    #[test]
    fn what_is_not_the_drills_is_named_and_gets_no_call() {
        let thing = |what, name: &str, stands: Part<Standing>| Thing {
            what,
            name: name.to_owned(),
            at: Moment::default(),
            stands,
        };
        let foreign = Standing::Foreign("it has no tag relight-drill=1234".to_owned());
        let silent = Failure::new(FailureKind::Timeout, "no answer");
        let made = Made {
            things: vec![
                thing(What::Release, "tc-drill-1234", Ok(Standing::Ours)),
                thing(What::Namespace, "teleport", Ok(foreign)),
                thing(What::Table, "mine", Ok(Standing::Ours)),
                thing(What::Table, "gone", Ok(Standing::Gone)),
                thing(What::Table, "silent", Err(silent)),
            ],
            ..Made::default()
        };
        let lines = lines(&plan(), &made).expect("lines");
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].contains("uninstall teleport-cluster --namespace teleport"));
        assert!(
            lines[1].contains("DeleteTable mine in us-west-2"),
            "{}",
            lines[1]
        );
        let stays = made.stays();
        assert_eq!(stays.len(), 2);
        assert!(stays[0].contains("namespace teleport stays: it has no tag"));
        let why = seen(&plan(), &Instruments::default()).expect_err("unseen");
        assert!(why.0.contains("not been looked at"), "{why}");
    }
}
