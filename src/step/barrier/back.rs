//! The way back from the fence: what it shut at AWS is opened again, by what it wrote down before.

use crate::{
    clients::aws::{
        Aws,
        balancer::{self, Written},
    },
    incident::{
        BlackBox, Fact, Instruments, Reading, Side, Subject,
        barrier::{Barrier, TakenListener},
    },
    plan::Plan,
    step::{
        Context, StepError,
        seen::{failed, only_confirmed},
    },
};

/// One call.
#[derive(Debug, PartialEq, Eq)]
enum Deed<'a> {
    /// The load balancer gets the security groups back that it had.
    Groups(&'a str, &'a [String]),
    /// A listener is made again.
    Listener(&'a TakenListener),
}

impl Deed<'_> {
    fn line(&self) -> String {
        match self {
            Self::Groups(arn, groups) => {
                format!("SetSecurityGroups {arn}: {}, as before", groups.join(", "))
            }
            Self::Listener(one) => format!(
                "CreateListener on {}: port {} {}, as before",
                one.balancer, one.port, one.protocol
            ),
        }
    }
}

/// What is to be done, and what cannot be: a load balancer that is gone has been replaced by another one, which nobody
/// shut. Groups come back only where the plan's closed one is what stands there.
fn deeds<'a>(plan: &Plan, seen: &'a Barrier) -> (Vec<Deed<'a>>, Vec<String>) {
    let (mut deeds, mut gone) = (Vec::new(), Vec::new());
    let there = |arn: &str| seen.balancers.iter().find(|one| one.arn == arn);
    for (arn, groups) in &seen.taken.groups {
        let closed = plan.primary.fence_group.as_deref();
        match there(arn) {
            Some(one)
                if closed.is_some_and(|group| one.behind(group))
                    && one.groups != *groups
                    && !groups.is_empty() =>
            {
                deeds.push(Deed::Groups(arn, groups));
            }
            Some(_) => {}
            None => gone.push(arn.clone()),
        }
    }
    let mut made: Vec<(&str, u16)> = Vec::new();
    for one in &seen.taken.listeners {
        let Some(balancer) = there(&one.balancer) else {
            gone.push(one.balancer.clone());
            continue;
        };
        let place = (one.balancer.as_str(), one.port);
        let listens = balancer.listeners.iter().any(|now| now.port == one.port);
        if !listens && !made.contains(&place) {
            made.push(place);
            deeds.push(Deed::Listener(one));
        }
    }
    gone.sort();
    gone.dedup();
    (deeds, gone)
}

/// The calls, as the load balancer was seen last; where it could not be, what that means.
pub(in crate::step) fn lines(plan: &Plan, instruments: &Instruments) -> Vec<String> {
    let reading = instruments.get(&Subject::Barrier);
    if let Some(Ok(Fact::Barrier(seen))) = reading.map(|reading| &reading.last.outcome) {
        let (deeds, _) = deeds(plan, seen);
        return deeds.iter().map(Deed::line).collect();
    }
    let why = reading
        .and_then(Reading::failure)
        .map_or_else(|| "not looked at yet".to_owned(), ToString::to_string);
    vec![format!(
        "read  {}: what Fence old cluster shut is opened first, which needs AWS of {} to answer (the old load balancer \
         there: {why})",
        balancer::NAME,
        plan.primary.region
    )]
}

/// Opens again what the fence of this incident shut. Run again, it does what is left.
///
/// # Errors
/// If what was shut cannot be read, AWS does not answer or refuses, or other calls were confirmed.
pub(in crate::step) async fn put_back(
    context: &Context,
    found: &BlackBox,
) -> Result<(), StepError> {
    let plan = &context.plan;
    let written = if context.incident.as_os_str().is_empty() {
        None
    } else {
        Written::read(&context.incident).map_err(|why| failed(&why))?
    };
    let Some(written) = written else {
        context.say("this incident has shut none");
        return Ok(());
    };
    let ends: Vec<String> = found.ends().into_iter().map(str::to_owned).collect();
    let hosts = balancer::hosts(plan, &ends).map_err(|why| failed(&why))?;
    let aws = Aws::new(plan);
    let reach = aws.side(Side::Primary);
    let now = balancer::fetch(reach, &hosts).await;
    let now = Barrier {
        taken: written.taken(),
        ..now.map_err(|why| failed(&why))?.barrier
    };
    let (deeds, gone) = deeds(plan, &now);
    for arn in gone {
        context.say(format!(
            "{arn} is no longer there: what was shut went with it, and the old release has another one or gets it"
        ));
    }
    let lines: Vec<String> = deeds.iter().map(Deed::line).collect();
    if !context.dry_run {
        only_confirmed(confirmable(&lines, &context.confirmed), &context.confirmed)?;
    }
    if deeds.is_empty() {
        context.say("it is as it was before");
    }
    for (deed, line) in deeds.iter().zip(&lines) {
        context.say(line);
        if context.dry_run {
            continue;
        }
        context.fence.look()?;
        match deed {
            Deed::Groups(arn, groups) => balancer::set_groups(reach, arn, groups).await,
            Deed::Listener(one) => match written.listener(&one.arn) {
                Some(kept) => balancer::create_listener(reach, kept).await,
                None => continue,
            },
        }
        .map_err(|why| failed(&why))?;
    }
    Ok(())
}

/// The lines that must have been confirmed one by one: none where the dialog could only say that the file is read.
fn confirmable<'a>(lines: &'a [String], confirmed: &[String]) -> &'a [String] {
    let file = format!("read  {}", balancer::NAME);
    if confirmed.iter().any(|line| line.starts_with(&file)) {
        &[]
    } else {
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        incident::barrier::{Balancer, Listener, Taken},
        plan::sample,
    };

    fn listener(arn: &str, balancer: &str, port: u16) -> TakenListener {
        TakenListener {
            arn: arn.to_owned(),
            balancer: balancer.to_owned(),
            port,
            protocol: "TLS".to_owned(),
        }
    }

    fn seen(groups: &[&str], ports: &[u16], taken: Taken) -> Barrier {
        let listeners = ports.iter().map(|port| Listener {
            port: *port,
            ..Listener::default()
        });
        Barrier {
            balancers: vec![Balancer {
                arn: "arn:lb".to_owned(),
                groups: groups.iter().map(|&group| group.to_owned()).collect(),
                listeners: listeners.collect(),
                ..Balancer::default()
            }],
            taken,
            ..Barrier::default()
        }
    }

    fn told(plan: &Plan, seen: &Barrier) -> Vec<String> {
        deeds(plan, seen).0.iter().map(Deed::line).collect()
    }

    #[test]
    fn each_port_that_listens_no_longer_is_opened_once() {
        let plan = sample::plan();
        let taken = Taken {
            listeners: vec![
                listener("arn:l1", "arn:lb", 443),
                // Made again, shut again: written down under another ARN.
                listener("arn:l2", "arn:lb", 443),
                listener("arn:l3", "arn:lb", 3024),
                listener("arn:l4", "arn:gone", 443),
            ],
            groups: [("arn:lb".to_owned(), vec!["sg-1".to_owned()])].into(),
        };
        let shut = seen(&["sg-1"], &[3024], taken.clone());
        assert_eq!(
            told(&plan, &shut),
            ["CreateListener on arn:lb: port 443 TLS, as before"]
        );
        assert_eq!(deeds(&plan, &shut).1, ["arn:gone"]);
        let open = seen(&["sg-1"], &[3024, 443], taken);
        assert!(told(&plan, &open).is_empty());
        assert!(told(&plan, &seen(&[], &[], Taken::default())).is_empty());
    }

    #[test]
    fn groups_come_back_only_in_the_place_of_the_closed_one() {
        let mut plan = sample::plan();
        plan.primary.fence_group = Some("sg-0".to_owned());
        let taken = Taken {
            groups: [(
                "arn:lb".to_owned(),
                vec!["sg-1".to_owned(), "sg-2".to_owned()],
            )]
            .into(),
            ..Taken::default()
        };
        let shut = seen(&["sg-0"], &[443], taken.clone());
        assert_eq!(
            told(&plan, &shut),
            ["SetSecurityGroups arn:lb: sg-1, sg-2, as before"]
        );
        // Somebody has given it others since.
        assert!(told(&plan, &seen(&["sg-9"], &[443], taken)).is_empty());
    }

    #[test]
    fn what_was_not_shown_is_not_done_unless_the_dialog_said_so() {
        let lines = ["CreateListener on arn:lb: port 443 TLS, as before".to_owned()];
        let shown = ["something".to_owned()];
        assert!(only_confirmed(confirmable(&lines, &shown), &shown).is_err());
        let read = [format!("read  {}: …", balancer::NAME)];
        assert!(only_confirmed(confirmable(&lines, &read), &read).is_ok());
    }
}
