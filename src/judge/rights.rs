//! What the recovery cluster's pods may do at AWS: enough for the chart, and taken by nobody else's trust.

use super::{Glance, Sight, glance};
use crate::incident::{
    Component, Fact, FailureKind, Finding, Rights, Subject, brief,
    rights::{GrantedBy, RoleRights, Session, Simulated},
};

/// Most denials named in one sentence.
const NAMED: usize = 3;

/// What a part says: it holds, it does not, or it cannot be told.
enum Part {
    Good(String),
    Bad(String),
    Unclear(String),
}

/// The Auth Service's role can be taken by its pods and grants all that the chart needs; the proxies' own role, where they
/// have one, can be taken. Reads made as the role are the best evidence, IAM's simulation the next.
#[must_use]
pub fn granted(sight: &Sight<'_>) -> Finding {
    let rights = match glance(&Subject::Rights, sight) {
        Glance::Fresh(Fact::Rights(rights), _) => rights,
        Glance::Stale(_, age) => {
            return Finding::unknown(format!("the rights were last looked at {} ago", brief(age)));
        }
        Glance::Failed(failure, _) => return Finding::unknown(failure.to_string()),
        Glance::Never | Glance::Fresh(..) => {
            return Finding::unknown("the rights have not been looked at yet");
        }
    };
    let evidence = vec![Subject::Rights];
    let mut good = Vec::new();
    let mut unclear = Vec::new();
    for part in parts(rights) {
        match part {
            Part::Bad(why) => return Finding::fail(why, evidence),
            Part::Unclear(why) => unclear.push(why),
            Part::Good(words) => good.push(words),
        }
    }
    match unclear.first() {
        Some(why) => Finding::unknown(why.clone()),
        None => Finding::pass(good.join("; "), evidence),
    }
}

/// Every part, those that can fail first.
fn parts(rights: &Rights) -> Vec<Part> {
    let auth = &rights.auth;
    let mut parts = vec![role(auth)];
    if matches!(&auth.role, Ok(grant) if grant.arn.is_some()) {
        parts.extend(proofs(auth));
        parts.extend(trust(auth));
    }
    let proxy = &rights.proxy;
    parts.push(match (&proxy.role, proxy.own_role()) {
        (Ok(_), None) => {
            Part::Good("the proxies have no role of their own and need none".to_owned())
        }
        (Ok(_), Some(_)) => role(proxy),
        (Err(failure), _) => Part::Unclear(format!("the proxies' role: {failure}")),
    });
    if proxy.own_role().is_some() {
        parts.extend(trust(proxy));
    }
    parts
}

fn whose(rights: &RoleRights) -> &'static str {
    match rights.component {
        Component::Proxy => "the proxies' role",
        _ => "Auth's role",
    }
}

fn short(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

fn role(rights: &RoleRights) -> Part {
    match &rights.role {
        Ok(grant) => match (&grant.arn, grant.by) {
            (Some(arn), by) => Part::Good(format!("{} is {} {}", whose(rights), short(arn), by.word())),
            (None, _) => Part::Unclear(
                "Auth's pods have neither a role annotation nor a Pod Identity association, so they work with the node's \
                 role: name it as auth_role in [recovery] to have it looked at"
                    .to_owned(),
            ),
        },
        Err(failure) => Part::Unclear(format!("{} is not known: {failure}", whose(rights))),
    }
}

/// What the session and the simulation prove. One of them is enough, and a no of either is a no.
fn proofs(rights: &RoleRights) -> Vec<Part> {
    let session = rights
        .session
        .as_ref()
        .ok()
        .map(|session| tried(rights, session));
    let simulated = rights.simulated.as_ref().ok().map(simulation);
    match (session, simulated) {
        (None, None) => {
            // The session's reason is the usual one before the install; the simulation's is the outage.
            let why = match (&rights.session, &rights.simulated) {
                (_, Err(failure)) if failure.kind != FailureKind::NotPlanned => failure,
                (Err(failure), _) | (_, Err(failure)) => failure,
                (Ok(_), Ok(_)) => return Vec::new(),
            };
            vec![Part::Unclear(format!(
                "nothing could be proven of {}: {why}",
                whose(rights)
            ))]
        }
        (Some(session), None) => {
            let why = rights.simulated.as_ref().err().map(ToString::to_string);
            let said = format!("writes are not proven ({})", why.unwrap_or_default());
            vec![session, Part::Good(said)]
        }
        (session, simulated) => session.into_iter().chain(simulated).collect(),
    }
}

fn tried(rights: &RoleRights, session: &Session) -> Part {
    if let Some(why) = &session.refused {
        return Part::Bad(format!(
            "{} cannot be taken by its pods: {why}",
            whose(rights)
        ));
    }
    let mut unclear = None;
    for read in &session.reads {
        match &read.outcome {
            Ok(()) => {}
            Err(failure) if failure.kind == FailureKind::Forbidden => {
                return Part::Bad(format!(
                    "as {}, {} was refused: {failure}",
                    whose(rights),
                    read.what
                ));
            }
            Err(failure) => {
                unclear = Some(format!("as {}, {}: {failure}", whose(rights), read.what));
            }
        }
    }
    match unclear {
        Some(why) => Part::Unclear(why),
        None if session.reads.is_empty() => Part::Unclear(
            "nothing was read as the role: the plan names neither tables nor bucket".to_owned(),
        ),
        None => Part::Good(format!("{} reads made as the role", session.reads.len())),
    }
}

fn simulation(simulated: &Simulated) -> Part {
    if !simulated.denied.is_empty() {
        let named: Vec<String> = simulated
            .denied
            .iter()
            .take(NAMED)
            .map(|denial| format!("{} ({})", denial.what, denial.why))
            .collect();
        let fault = simulated
            .fault
            .as_ref()
            .map_or_else(String::new, |fault| format!("{fault}. "));
        return Part::Bad(format!(
            "{fault}{} of {} actions denied to Auth's role: {}{}",
            simulated.denied.len(),
            simulated.asked,
            named.join(", "),
            if simulated.denied.len() > NAMED {
                ", …"
            } else {
                ""
            }
        ));
    }
    if simulated.asked == 0 {
        return Part::Unclear(
            "nothing was simulated: the plan names neither tables nor bucket".to_owned(),
        );
    }
    if let Some(why) = simulated.unsure.first() {
        return Part::Unclear(why.clone());
    }
    let guard = match (simulated.makes.is_empty(), simulated.spared.is_empty()) {
        (true, false) => ", and none to make tables or buckets, which protects",
        (false, _) => ", and may make tables, so that a wrong name would start an empty cluster",
        (true, true) => "",
    };
    Part::Good(format!("all {} actions granted{guard}", simulated.asked))
}

fn trust(rights: &RoleRights) -> Vec<Part> {
    // Taken with a token of its own: nothing proves trust better.
    if matches!(&rights.session, Ok(session) if session.refused.is_none()) {
        return vec![Part::Good(
            "taken with a token of its own account".to_owned(),
        )];
    }
    let by = rights.role.as_ref().map(|grant| grant.by);
    match &rights.trust {
        Ok(trust) => vec![match &trust.refused {
            None => Part::Good(format!("trust through {}", trust.through)),
            Some(why) => Part::Bad(format!(
                "{} cannot be taken by {}: {why}",
                whose(rights),
                rights.account
            )),
        }],
        // The node takes it, whatever a trust policy says of the cluster.
        Err(_) if by == Ok(GrantedBy::Plan) => Vec::new(),
        Err(failure) => vec![Part::Unclear(format!(
            "the trust of {}: {failure}",
            whose(rights)
        ))],
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::incident::{
        Failure, Instruments, Moment, Observation, Outcome,
        rights::{Action, Denial, Grant, Tried, Trust},
    };

    const ROLE: &str = "arn:aws:iam::123456789012:role/auth";

    fn silent() -> Failure {
        Failure::new(FailureKind::Timeout, "IAM gave no answer in 8 s")
    }

    fn not_yet() -> Failure {
        Failure::new(
            FailureKind::NotFound,
            "does not exist before the chart is installed",
        )
    }

    fn good() -> Rights {
        let of = |component, arn: Option<&str>, by| RoleRights {
            component,
            account: "teleport:teleport-cluster".to_owned(),
            role: Ok(Grant {
                arn: arn.map(str::to_owned),
                by,
            }),
            trust: Ok(Trust {
                through: "the OIDC provider x".to_owned(),
                refused: None,
            }),
            session: Err(not_yet()),
            simulated: Ok(Simulated {
                asked: 39,
                spared: vec![action("dynamodb:CreateTable")],
                ..Simulated::default()
            }),
        };
        Rights {
            region: "us-west-2".to_owned(),
            auth: of(Component::Auth, Some(ROLE), GrantedBy::Annotation),
            proxy: of(Component::Proxy, Some(ROLE), GrantedBy::CommonAnnotation),
        }
    }

    fn action(name: &str) -> Action {
        Action {
            name: name.to_owned(),
            on: "arn:aws:dynamodb:us-west-2:123456789012:table/t".to_owned(),
        }
    }

    fn judged(rights: Rights) -> Finding {
        let mut instruments = Instruments::default();
        instruments.take(Observation {
            subject: Subject::Rights,
            at: Moment::from_secs(100),
            took: Duration::ZERO,
            outcome: Ok(Fact::Rights(Arc::new(rights))),
        });
        granted(&Sight {
            instruments: &instruments,
            plan: &crate::plan::sample::plan(),
            now: Moment::from_secs(100),
            since: None,
            outage: None,
        })
    }

    fn expect(change: impl FnOnce(&mut Rights), outcome: Outcome, words: &str) {
        let mut rights = good();
        change(&mut rights);
        let finding = judged(rights);
        assert_eq!(finding.outcome, outcome, "{}", finding.sentence);
        assert!(finding.sentence.contains(words), "{}", finding.sentence);
        assert_eq!(finding.evidence.is_empty(), outcome == Outcome::Unknown);
    }

    #[test]
    fn a_denial_or_a_refused_trust_fails_and_is_named() {
        use Outcome::{Fail, Pass};
        expect(|_| {}, Pass, "which protects");
        expect(
            |rights| {
                if let Ok(simulated) = &mut rights.auth.simulated {
                    simulated.denied.push(Denial {
                        what: action("dynamodb:GetRecords"),
                        why: "no policy of the role allows it".to_owned(),
                    });
                    simulated.fault = Some("the role's policy still names us-east-1".to_owned());
                }
            },
            Fail,
            "still names us-east-1. 1 of 39 actions denied to Auth's role: dynamodb:GetRecords on arn",
        );
        expect(
            |rights| {
                if let Ok(trust) = &mut rights.auth.trust {
                    trust.refused = Some("names another provider".to_owned());
                }
            },
            Fail,
            "names another provider",
        );
        let refused = |why: &str| Session {
            refused: Some(why.to_owned()),
            reads: Vec::new(),
        };
        expect(
            |rights| rights.auth.session = Ok(refused("AccessDenied")),
            Fail,
            "cannot be taken by its pods: AccessDenied",
        );
        // The same trust of a role that the proxies only inherit is nobody's concern; of one of their own it is.
        for (by, outcome) in [
            (GrantedBy::CommonAnnotation, Pass),
            (GrantedBy::Annotation, Fail),
        ] {
            expect(
                |rights| {
                    if let (Ok(grant), Ok(trust)) =
                        (&mut rights.proxy.role, &mut rights.proxy.trust)
                    {
                        grant.by = by;
                        trust.refused = Some("not this account".to_owned());
                    }
                },
                outcome,
                if outcome == Pass {
                    "need none"
                } else {
                    "not this account"
                },
            );
        }
    }

    #[test]
    fn what_cannot_be_told_is_unknown_and_reads_as_the_role_are_enough() {
        use Outcome::{Fail, Pass, Unknown};
        expect(
            |rights| rights.auth.simulated = Err(silent()),
            Unknown,
            "IAM gave no answer",
        );
        expect(
            |rights| rights.auth.trust = Err(silent()),
            Unknown,
            "the trust of Auth's role",
        );
        let node = |rights: &mut Rights| {
            rights.auth.role = Ok(Grant {
                arn: None,
                by: GrantedBy::Node,
            });
        };
        expect(node, Unknown, "name it as auth_role");
        let session = |outcome: Result<(), Failure>| Session {
            refused: None,
            reads: vec![Tried {
                what: action("dynamodb:Query"),
                outcome,
            }],
        };
        // IAM is silent altogether; the regional STS and the tables are not.
        let silence = |rights: &mut Rights, outcome| {
            rights.auth.simulated = Err(silent());
            rights.auth.trust = Err(silent());
            rights.auth.session = Ok(session(outcome));
        };
        expect(
            |rights| silence(rights, Ok(())),
            Pass,
            "writes are not proven",
        );
        let denied = Failure::new(FailureKind::Forbidden, "is not allowed");
        expect(
            |rights| silence(rights, Err(denied)),
            Fail,
            "dynamodb:Query on arn",
        );
        expect(
            |rights| silence(rights, Err(silent())),
            Unknown,
            "as Auth's role",
        );
        expect(
            |rights| {
                if let Ok(simulated) = &mut rights.auth.simulated {
                    simulated
                        .unsure
                        .push("depends on aws:SourceVpce".to_owned());
                }
            },
            Unknown,
            "aws:SourceVpce",
        );
    }
}
