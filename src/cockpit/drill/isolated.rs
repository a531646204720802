//! `relight drill isolated`: a recovery of its own beside all that is real, with a plan of its own in its folder, so that
//! the operator's plan stays free for the day that comes meanwhile.

use super::{REFUSED, Setup, begin, beside, history, never, phrase, refused};
use crate::{
    incident::Moment,
    journal::{Folder, Kind, StateDir, files},
    plan::{Plan, isolated_text},
    step::expand,
};

/// What it would make, cost, leave alone and risk; declared by its phrase, `drill CLUSTER`. `again` is the command line
/// that opens the cockpit on the operator's plan.
///
/// # Errors
/// In words, if the state folder cannot be used or the declaration cannot be written.
pub fn declare(setup: &Setup, yes: Option<&str>, again: &str) -> Result<(String, u8), String> {
    // To be told what it would be, nothing is in the way, but a plan that is a drill's already.
    if let Some(why) = never(setup).filter(|_| yes.is_some() || setup.plan.isolated().is_some()) {
        return Ok(refused(&why));
    }
    let real = &setup.plan;
    let dir = setup.open.state_dir.as_deref();
    let state = StateDir::locate(dir).map_err(|error| error.to_string())?;
    if let Some(open) = open_one(&state, real) {
        let text = format!(
            "an isolated drill of {} is open: {}\n  go on with: {}",
            real.cluster.name,
            open.path().display(),
            on(setup, &open)
        );
        return Ok((text, 0));
    }
    let found = state.find_open(real).map_err(|error| error.to_string())?;
    if let Some(open) = found.first() {
        let (text, _) = beside(open, again);
        return Ok((text, REFUSED));
    }
    let text = std::fs::read_to_string(&real.path)
        .map_err(|error| format!("cannot read the plan {}: {error}", real.path.display()))?;
    let now = Moment::now();
    let stamp = stamp(now);
    let made = isolated_text(&text, &real.path, &stamp);
    // In the folder that it would have, to be told by what it would be.
    let parse = |folder: &Folder| {
        Plan::parse(&folder.plan(), &made).map_err(|wrong| {
            let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
            format!(
                "{} cannot be made into the plan of a drill:\n{}",
                real.path.display(),
                wrong.join("\n")
            )
        })
    };
    let wanted = phrase(real);
    if yes.map(str::trim) != Some(wanted.as_str()) {
        let plan = parse(&Folder::at(&state.path().join(&stamp)))?;
        let told = told(setup, &plan);
        return Ok(match yes {
            None => (
                format!("{told}\n\ndeclare it: {again} drill isolated --yes \"{wanted}\"\n"),
                0,
            ),
            Some(_) => refused(&format!(
                "{told}\nit asks for its phrase: --yes \"{wanted}\""
            )),
        });
    }
    let folder = state
        .create(&real.cluster.name, now)
        .map_err(|error| error.to_string())?;
    let plan = parse(&folder)?;
    files::write_atomic(&folder.plan(), made.as_bytes())
        .map_err(|error| format!("cannot write {}: {error}", folder.plan().display()))?;
    begin(setup, &plan, Kind::Isolated, &folder, now)?;
    let text = format!(
        "DRILL isolated of {} declared at {now}: {}\n  its own plan is {}; {} stays free for a real incident\n  \
         the clock runs; go on with: {}\n  take it down with the step \"Take the drill down\", then close it with E",
        plan.cluster.name,
        folder.path().display(),
        folder.plan().display(),
        real.path.display(),
        on(setup, &folder)
    );
    Ok((text, 0))
}

/// An isolated drill of this plan that is not closed.
fn open_one(state: &StateDir, real: &Plan) -> Option<Folder> {
    let all = state.incidents().unwrap_or_default().into_iter();
    let mut open = all.filter(|folder| {
        let plan = std::fs::read_to_string(folder.plan()).ok();
        let plan = plan.and_then(|text| Plan::parse(&folder.plan(), &text).ok());
        let of = plan.as_ref().and_then(Plan::isolated);
        of.is_some_and(|drill| drill.of == real.path) && !folder.closed()
    });
    open.next()
}

/// The command line that opens the cockpit on a drill.
fn on(setup: &Setup, folder: &Folder) -> String {
    let program = std::env::args().next();
    let mut argv = vec![
        program.unwrap_or_else(|| "relight".to_owned()),
        "--plan".to_owned(),
    ];
    argv.push(folder.plan().to_string_lossy().into_owned());
    if let Some(dir) = &setup.open.state_dir {
        argv.extend(["--state-dir".to_owned(), dir.to_string_lossy().into_owned()]);
    }
    expand::shown(&argv)
}

/// `20261125t163354z`: what all of the drill's names end in.
fn stamp(at: Moment) -> String {
    let text = at.to_string().to_ascii_lowercase();
    let whole = text.split('.').next().unwrap_or_default();
    let kept = whole.chars().filter(|c| c.is_ascii_digit() || *c == 't');
    kept.chain(['z']).collect()
}

/// What would be made, what stays as it is, and what is dangerous about it.
fn told(setup: &Setup, plan: &Plan) -> String {
    let real = &setup.plan;
    let (region, cluster) = (&plan.recovery.region, &plan.cluster);
    let not_planned = || "(not in the plan)".to_owned();
    let name = |name: &Option<String>| name.clone().unwrap_or_else(not_planned);
    let history = history::history(real, setup.open.state_dir.as_deref());
    let drilled = history.drills.told(Moment::now(), real.objectives.rto);
    let context = name(&plan.recovery.kube.context);
    let prefix = plan
        .isolated()
        .map_or_else(String::new, crate::plan::Isolated::prefix);
    let own = plan.drill.namespace.is_none();
    let role = plan.recovery.auth_role.as_ref();
    let lines = [
        format!("an isolated drill of {}: a recovery of its own in {region}, beside all that is real", cluster.name),
        drilled.unwrap_or_else(|| "when it was last drilled is not known".to_owned()),
        format!("MADE in {region}: tables {} and {}, restored from the copies", name(&plan.recovery.state_table), name(&plan.recovery.audit_table)),
        format!(
            "MADE in context {context}: release {} in namespace {}{}, with a load balancer; recordings, if any, under s3://{}/{prefix}",
            cluster.release,
            cluster.namespace,
            if own { " of its own" } else { ", which was prepared and stays" },
            name(&plan.recovery.bucket)
        ),
        "it costs a restore of both tables by their size, their storage, a load balancer and pods, until it is taken down".to_owned(),
        format!(
            "LEFT ALONE: the cluster in {}, the names {}, release {} in namespace {} of {region}, and {}, {} and {}; every \
             step that would touch them is locked",
            real.primary.region,
            real.dns.names.join(", "),
            real.cluster.release,
            real.cluster.namespace,
            name(&real.recovery.state_table),
            name(&real.recovery.audit_table),
            real.recovery.values.as_ref().map_or_else(not_planned, |path| path.display().to_string())
        ),
        match &plan.recovery.table_key {
            Some(key) => format!("its tables are encrypted with {key}, as [drill] says"),
            None => "its tables are encrypted with a key that AWS owns: the key of the real ones is not shared".to_owned(),
        },
        format!(
            "NEEDED: the role{} of its pods trusts system:serviceaccount:{}:{} (StringLike with a * for the end), and may \
             use tables that end in -drill-*; Check rights says what is missing",
            role.map_or_else(String::new, |role| format!(" {role}")),
            cluster.namespace,
            cluster.release
        ),
        if own {
            "NEEDED: Secrets that the values name (licence, image pull, certificate) are not in a namespace of its own: prepare \
             one and name it as namespace in [drill], where there are any"
                .to_owned()
        } else {
            format!("NEEDED: the Secrets that the values name are in namespace {}", cluster.namespace)
        },
        "DANGER: trusted clusters and plugins in the restored state reach out as the real cluster's do: Check state table names \
         them; keep its pods from them by a network policy"
            .to_owned(),
        format!(
            "DANGER: it has the real certificate authorities: whoever reaches its load balancer under the name {} meets a \
             cluster that is trusted, with the data of the copies. Let no name lead to it",
            cluster.name
        ),
        "a certificate that cert-manager issues for it counts against the issuer's limits; a KMS key that holds the authorities \
         themselves is used as by the real cluster"
            .to_owned(),
        "at its end the step \"Take the drill down\" deletes what drill.json of its folder lists, and nothing else".to_owned(),
        "an incident may be declared on the real plan meanwhile: they do not know each other".to_owned(),
    ];
    lines.join("\n  ")
}
