//! `freeze-changes` and `lift-freeze`: roles that may change something are locked while the cluster is taken to another
//! region, and unlocked by the names of those locks and by nothing else (guide, "Imposing a change freeze").

use std::time::Duration;

use futures::future::BoxFuture;

use super::{
    Context, Native, StepError,
    seen::{failed, only_confirmed, planned_cluster},
};
use crate::{
    clients::{
        freeze::{self, Memory},
        kube::{self, Kube},
    },
    incident::{Fact, Freeze, HeldLock, Instruments, Moment, Side, Subject},
    plan::Plan,
};

/// How long an API server may take to say which cluster it is.
const PATIENCE: Duration = Duration::from_secs(5);
/// Where a freeze acts: on the primary while its Auth Service answers, else on the recovery cluster.
const FREEZING: [Side; 2] = [Side::Primary, Side::Recovery];
/// Where it is lifted: in the recovery cluster, or in the primary on the way back.
const LIFTING: [Side; 2] = [Side::Recovery, Side::Primary];

/// The row of [`super::natives`] that locks.
#[must_use]
pub const fn native() -> Native {
    Native {
        name: "freeze-changes",
        needs: &["cluster.release", "cluster.namespace", "primary.context"],
        calls,
        seen: Some(seen),
        run,
    }
}

/// The row of [`super::natives`] that unlocks.
#[must_use]
pub const fn lift_native() -> Native {
    Native {
        name: "lift-freeze",
        needs: &["cluster.release", "cluster.namespace", "recovery.context"],
        calls: lift_calls,
        seen: Some(lift_seen),
        run: |context| Box::pin(lift(context)),
    }
}

fn calls(plan: &Plan) -> Vec<String> {
    vec![format!(
        "{} exec deploy/{}-auth: tctl get roles, tctl get locks; then the locks below and no others. A lock ends the \
         sessions of everybody who holds the role, the local Auth admin (kubectl exec) is not bound by it",
        plan.tools.kubectl, plan.cluster.release
    )]
}

fn lift_calls(plan: &Plan) -> Vec<String> {
    vec![format!(
        "{} exec deploy/{}-auth: tctl rm lock/ID for each lock that freeze.json of this incident remembers and that is \
         there; nobody else's",
        plan.tools.kubectl, plan.cluster.release
    )]
}

/// `tctl rm lock/ID (on editor)`
fn rm(held: &HeldLock) -> String {
    format!("tctl rm lock/{} (on {})", held.id, held.role)
}

/// The Auth Service that is asked, as it told last: the first of two sides that does.
fn asked(order: [Side; 2], instruments: &Instruments) -> Result<(Moment, &Freeze), StepError> {
    let mut why = Vec::new();
    for side in order {
        match instruments.get(&Subject::Freeze(side)) {
            Some(reading) => match &reading.last.outcome {
                Ok(Fact::Freeze(seen)) => return Ok((reading.last.at, seen)),
                Err(failure) => why.push(format!("{side}: {failure}")),
                Ok(_) => {}
            },
            None => why.push(format!("{side}: the Auth Service was not asked yet")),
        }
    }
    Err(StepError(format!(
        "roles and locks cannot be read. {}",
        why.join("; ")
    )))
}

/// The locks that are to be removed, by their names, and those remembered that are not there.
fn lift_seen(_: &Plan, instruments: &Instruments) -> Result<Vec<String>, StepError> {
    let (_, seen) = asked(LIFTING, instruments)?;
    if seen.held.is_empty() {
        return Ok(vec![
            "nothing: this incident's freeze has locked no role".to_owned(),
        ]);
    }
    let there = |held: &&HeldLock| seen.locks.iter().any(|lock| lock.id == held.id);
    let (going, absent): (Vec<_>, Vec<_>) = seen.held.iter().partition(there);
    let mut lines: Vec<String> = going.into_iter().map(rm).collect();
    lines.extend(absent.into_iter().map(|held| absence(held, &seen.context)));
    Ok(lines)
}

/// The locks that a way back removes wherever they are, as far as an Auth Service has told them.
pub(super) fn remembered(plan: &Plan, instruments: &Instruments) -> Vec<String> {
    match asked(LIFTING, instruments) {
        Ok((_, seen)) => seen.held.iter().map(rm).collect(),
        Err(_) => lift_calls(plan),
    }
}

fn absence(held: &HeldLock, context: &str) -> String {
    format!(
        "lock {} on {}, made in context {}, is not in context {context}",
        held.id, held.role, held.context
    )
}

/// The locks, from what the Auth Service told last.
fn seen(plan: &Plan, instruments: &Instruments) -> Result<Vec<String>, StepError> {
    let (at, seen) = asked(FREEZING, instruments)?;
    let locks = locks(plan, seen, at)?;
    let mut lines: Vec<String> = locks.into_iter().map(|(_, line)| line).collect();
    lines.extend(spared(plan, seen));
    Ok(lines)
}

/// The roles to lock with the line that is shown and done.
fn locks(plan: &Plan, seen: &Freeze, now: Moment) -> Result<Vec<(String, String)>, StepError> {
    let only = plan.freeze.roles.as_deref();
    let absent = only
        .unwrap_or_default()
        .iter()
        .find(|name| !seen.roles.iter().any(|role| role.name == **name));
    if let Some(absent) = absent {
        return Err(StepError(format!(
            "[freeze] roles names {absent}, and context {} has no role of that name that may change anything: correct {}",
            seen.context,
            plan.path.display()
        )));
    }
    let (ticked, _) = seen.choose(only, &plan.freeze.exclude);
    let open = ticked.into_iter().filter(|role| {
        seen.holds(&role.name, now).is_none() && unremembered(plan, seen, &role.name, now).is_none()
    });
    Ok(open
        .map(|role| {
            let line = format!("context {}: tctl {}", seen.context, shown(plan, &role.name));
            (role.name.clone(), line)
        })
        .collect())
}

/// A lock that says what ours say and is not remembered: the run that made it was cut off before it could write it down.
fn unremembered<'a>(plan: &Plan, seen: &'a Freeze, role: &str, now: Moment) -> Option<&'a str> {
    let message = message(plan);
    let found = seen.locks.iter().find(|lock| {
        lock.role == role && lock.message == message && seen.standing(&lock.id, now).is_some()
    });
    found.map(|lock| lock.id.as_str())
}

/// `not locked: bot-ci (token (create)): a bot's role: a lock would stop it`
fn spared(plan: &Plan, seen: &Freeze) -> Vec<String> {
    let (_, left) = seen.choose(plan.freeze.roles.as_deref(), &plan.freeze.exclude);
    left.into_iter()
        .map(|(role, why)| format!("not locked: {} ({}): {why}", role.name, role.told()))
        .collect()
}

fn message(plan: &Plan) -> String {
    let usual = || format!("relight change freeze of {}", plan.cluster.name);
    plan.freeze.message.clone().unwrap_or_else(usual)
}

fn args(plan: &Plan, role: &str) -> Vec<String> {
    vec![
        "lock".to_owned(),
        format!("--role={role}"),
        format!("--message={}", message(plan)),
        format!("--ttl={}", ttl(plan.freeze.ttl)),
    ]
}

fn shown(plan: &Plan, role: &str) -> String {
    format!(
        "lock --role={role} --message=\"{}\" --ttl={}",
        message(plan),
        ttl(plan.freeze.ttl)
    )
}

/// As Go writes durations: `24h`, `90m`, `45s`.
fn ttl(ttl: Duration) -> String {
    match ttl.as_secs() {
        secs if secs.is_multiple_of(3600) => format!("{}h", secs / 3600),
        secs if secs.is_multiple_of(60) => format!("{}m", secs / 60),
        secs => format!("{secs}s"),
    }
}

/// The first of two sides whose Auth Service answers, if its cluster is the planned one.
async fn auth(context: &Context, order: [Side; 2]) -> Result<(Side, Kube, Freeze), StepError> {
    let plan = &context.plan;
    let mut why = Vec::new();
    for side in order {
        let asked = async {
            let kube = kube::connect(&plan.side(side).kube).await?;
            let uid = kube::identity(&kube, PATIENCE).await?;
            Ok((kube, uid, freeze::look(plan, side).await?))
        };
        match asked.await {
            Ok((kube, uid, seen)) => {
                planned_cluster(context, side, &kube, uid.as_deref())?;
                return Ok((side, kube, Freeze { uid, ..seen }));
            }
            Err(failure) => {
                let failure: crate::incident::Failure = failure;
                why.push(format!("{side}: {failure}"));
            }
        }
    }
    Err(StepError(format!(
        "nothing was changed: no Auth Service answers. {}",
        why.join("; ")
    )))
}

fn memory(context: &Context) -> Result<Memory, StepError> {
    if context.incident.as_os_str().is_empty() {
        return if context.dry_run {
            Ok(Memory::default())
        } else {
            Err(StepError(
                "nothing was changed: there is no incident's folder to remember the locks in"
                    .to_owned(),
            ))
        };
    }
    Memory::read(&context.incident).map_err(|error| {
        StepError(format!(
            "nothing was changed: what was locked is unknown: {error}"
        ))
    })
}

fn run(context: Context) -> BoxFuture<'static, Result<(), StepError>> {
    Box::pin(async move {
        let plan = &context.plan;
        let mut memory = memory(&context)?;
        let (side, kube, seen) = auth(&context, FREEZING).await?;
        let seen = Freeze {
            held: memory.held.clone(),
            ..seen
        };
        let now = Moment::now();
        let locks = locks(plan, &seen, now)?;
        for line in spared(plan, &seen) {
            context.say(line);
        }
        let (ticked, _) = seen.choose(plan.freeze.roles.as_deref(), &plan.freeze.exclude);
        for role in &ticked {
            if let Some(held) = seen.holds(&role.name, now) {
                context.say(format!("{} is locked already, by {}", role.name, held.id));
            } else if let Some(id) = unremembered(plan, &seen, &role.name, now) {
                context.say(format!(
                    "{} is locked already, by {id}, which this incident does not remember: remove it by hand at the end \
                     (tctl rm lock/{id})",
                    role.name
                ));
            }
        }
        may_exec(&context, &kube).await;
        if !context.dry_run {
            only_confirmed(locks.iter().map(|(_, line)| line), &context.confirmed)?;
        }
        for (role, line) in &locks {
            context.say(line);
            if context.dry_run {
                continue;
            }
            context.fence.look()?;
            let said = freeze::tctl(plan, side, &args(plan, role))
                .await
                .map_err(|why| failed(&why))?;
            let Some(id) = freeze::created(&said) else {
                return Err(StepError(format!(
                    "tctl lock told no name of a lock on {role}; it may be there: see `tctl get locks` in context {}",
                    seen.context
                )));
            };
            context.say(format!("  locked by {id}"));
            let lock = HeldLock {
                id: id.clone(),
                role: role.clone(),
                context: seen.context.clone(),
            };
            memory.add(lock).map_err(|error| {
                StepError(format!(
                    "{role} is locked by {id}, which could not be written down: {error}. Remove it by hand at the end (tctl \
                     rm lock/{id})"
                ))
            })?;
        }
        if ticked.is_empty() {
            context.say("no role is to be locked");
        }
        context.say(if context.dry_run {
            "dry run: nothing was changed"
        } else if side == Side::Primary {
            "These locks lie in the primary's state table. A copy made before them holds none: where the freeze is to \
             last after the relaunch, run this step again then, and it acts on the recovery cluster"
        } else {
            "These locks lie in the recovery cluster's state table"
        });
        Ok(())
    })
}

/// Says whom no lock binds.
async fn may_exec(context: &Context, kube: &Kube) {
    match freeze::execs(kube, &context.plan.cluster.namespace).await {
        Ok(who) if who.is_empty() => {
            context.say("nobody may run commands in the Auth pods by a role of RBAC");
        }
        Ok(who) => {
            context.say("not bound by any lock, since they may run tctl in the Auth pods:");
            for one in who {
                context.say(format!("  {one}"));
            }
        }
        Err(failure) => context.say(format!(
            "who may run commands in the Auth pods, whom no lock binds, cannot be told: {failure}"
        )),
    }
}

/// Removes the locks that this incident made and that are there.
///
/// # Errors
/// If no Auth Service answers or refuses, or other locks were confirmed.
pub(super) async fn lift(context: Context) -> Result<(), StepError> {
    let memory = memory(&context)?;
    if memory.held.is_empty() {
        context.say("this incident's freeze has locked no role: there is nothing to lift");
        return Ok(());
    }
    let (side, _, seen) = auth(&context, LIFTING).await?;
    // One that has expired goes too.
    let there = |held: &&HeldLock| seen.locks.iter().any(|lock| lock.id == held.id);
    let (going, absent): (Vec<_>, Vec<_>) = memory.held.iter().partition(there);
    for held in absent {
        context.say(absence(held, &seen.context));
    }
    let lines: Vec<String> = going.iter().map(|held| rm(held)).collect();
    if !context.dry_run {
        only_confirmed(&lines, &context.confirmed)?;
    }
    for (held, line) in going.into_iter().zip(&lines) {
        context.say(format!("context {}: {line}", seen.context));
        if context.dry_run {
            continue;
        }
        context.fence.look()?;
        let args = ["rm".to_owned(), format!("lock/{}", held.id)];
        freeze::tctl(&context.plan, side, &args)
            .await
            .map_err(|why| failed(&why))?;
    }
    if context.dry_run {
        context.say("dry run: nothing was changed");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        incident::{FreezeRole, RoleLock},
        plan::sample,
    };

    const NOW: Moment = Moment::from_secs(10_000);

    fn seen() -> Freeze {
        let role = |name: &str| FreezeRole {
            name: name.to_owned(),
            writes: vec![("role".to_owned(), vec!["create".to_owned()])],
        };
        Freeze {
            context: "east".to_owned(),
            roles: vec![role("bot-ci"), role("editor")],
            ..Freeze::default()
        }
    }

    #[test]
    fn a_role_is_locked_once_by_a_line_that_says_all() {
        let plan = sample::plan();
        let mut seen = seen();
        let found = locks(&plan, &seen, NOW).expect("lines");
        assert_eq!(
            found,
            [(
                "editor".to_owned(),
                "context east: tctl lock --role=editor --message=\"relight change freeze of teleport.example.com\" \
                 --ttl=24h"
                    .to_owned()
            )]
        );
        assert!(spared(&plan, &seen)[0].starts_with("not locked: bot-ci (role (create))"));
        let lock = |message: &str, until| RoleLock {
            id: "a".to_owned(),
            role: "editor".to_owned(),
            message: message.to_owned(),
            expires: Some(Moment::from_secs(until)),
        };
        // Somebody else's is no reason not to lock; ours is, remembered or not, until it expires.
        for (message, until, open) in [
            ("other", 20_000, 1),
            (&*super::message(&plan), 20_000, 0),
            (&*super::message(&plan), 9_000, 1),
        ] {
            seen.locks = vec![lock(message, until)];
            assert_eq!(
                locks(&plan, &seen, NOW).expect("lines").len(),
                open,
                "{message} {until}"
            );
        }
        seen.held = vec![HeldLock {
            id: "a".to_owned(),
            role: "editor".to_owned(),
            context: "east".to_owned(),
        }];
        seen.locks = vec![lock("other", 20_000)];
        assert!(locks(&plan, &seen, NOW).expect("lines").is_empty());
    }

    #[test]
    fn each_lock_to_be_removed_is_shown_by_its_name() {
        let plan = sample::plan();
        let none = Instruments::default();
        let why = lift_seen(&plan, &none).expect_err("nobody asked");
        assert!(why.to_string().contains("not asked yet"), "{why}");
        assert_eq!(remembered(&plan, &none), lift_calls(&plan));
        let held = |id: &str| HeldLock {
            id: id.to_owned(),
            role: "editor".to_owned(),
            context: "east".to_owned(),
        };
        let told = |held: Vec<HeldLock>| {
            let mut instruments = Instruments::default();
            let lock = |id: &str| RoleLock {
                id: id.to_owned(),
                role: "editor".to_owned(),
                message: String::new(),
                expires: None,
            };
            instruments.take(crate::incident::Observation {
                subject: Subject::Freeze(Side::Recovery),
                at: NOW,
                took: Duration::ZERO,
                outcome: Ok(Fact::Freeze(std::sync::Arc::new(Freeze {
                    context: "west".to_owned(),
                    held,
                    locks: vec![lock("a"), lock("somebody-elses")],
                    ..Freeze::default()
                }))),
            });
            instruments
        };
        let both = told(vec![held("a"), held("b")]);
        assert_eq!(
            lift_seen(&plan, &both).expect("lines"),
            [
                "tctl rm lock/a (on editor)",
                "lock b on editor, made in context east, is not in context west"
            ]
        );
        // A way back removes them on whichever side they are then.
        assert_eq!(
            remembered(&plan, &both),
            ["tctl rm lock/a (on editor)", "tctl rm lock/b (on editor)"]
        );
        let nothing = lift_seen(&plan, &told(Vec::new())).expect("a line");
        assert!(nothing[0].contains("locked no role"), "{nothing:?}");
    }

    #[test]
    fn a_role_that_the_plan_names_and_nobody_has_is_an_error() {
        let mut plan = sample::plan();
        plan.freeze.roles = Some(vec!["edtor".to_owned()]);
        let told = locks(&plan, &seen(), NOW).expect_err("no such role");
        assert!(told.to_string().contains("names edtor"), "{told}");
    }

    #[test]
    fn durations_are_written_as_tctl_reads_them() {
        for (secs, told) in [(86_400, "24h"), (5400, "90m"), (45, "45s")] {
            assert_eq!(ttl(Duration::from_secs(secs)), told);
        }
    }
}
