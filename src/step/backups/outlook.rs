//! What can be recovered from all that: the tables that are there, or the pair that would be restored; and where there
//! is nothing, what a cluster without its authorities means.

use crate::{
    incident::{
        Fact, FailureKind, Instruments, Moment, Side, Subject, Table, TableRole, brief,
        source::{self, Means, Source, apart},
    },
    plan::Plan,
};

/// Who must be told to trust new certificate authorities (guide, step 1/4; `facts/teleport.md` 0, 5).
const NEW_AUTHORITIES: [&str; 9] = [
    "NO BACKUP OF THE STATE TABLE IS USABLE. A cluster can still be brought up, as a new one with new certificate \
     authorities: users, roles, connectors, join tokens and access lists are gone, and these must be told to trust it:",
    "  - self-hosted databases: new db CA (tctl auth sign --format=db), each reconfigured and restarted",
    "  - agents on nodes, applications, databases, Kubernetes and desktops: new join token and ca_pin, their data folder emptied",
    "  - tbot: every bot joined anew, its storage emptied",
    "  - OpenSSH hosts: TrustedUserCAKeys and host certificates from the new CAs",
    "  - Windows desktops: the new user CA in the group policy's trusted roots",
    "  - trusted clusters: root and leaf joined again on both sides",
    "  - SAML, OIDC and AWS Roles Anywhere relations that trust an authority of the cluster (saml_idp, oidc_idp, awsra, spiffe)",
    "  - users: registered again, with new MFA devices",
];

/// The lines; `lost` if there is nothing of the state table, neither seen nor merely out of sight.
pub(super) fn told(plan: &Plan, seen: &Instruments, lost: &mut bool) -> Vec<String> {
    let mut lines = Vec::new();
    let sources = TableRole::BOTH.map(|role| source::sources(role, seen));
    let wanted = sources.each_ref().map(|all| Some(all.as_slice()));
    let chosen = source::choose(wanted, None, plan.recovery.restore_from);
    for ((role, all), chosen) in TableRole::BOTH.into_iter().zip(&sources).zip(&chosen) {
        let there = table(seen, role);
        if let Some(table) = there {
            lines.push(format!(
                "{role}: table {} is there and can be kept",
                table.name
            ));
        }
        match chosen {
            Some(source) => lines.push(format!("{role}: {}", from(plan, source))),
            None if there.is_none() => {
                lines.push(format!("{role}: nothing to restore it from was seen"));
            }
            None => {}
        }
        if there.is_none()
            && !all.is_empty()
            && all.iter().all(|source| source.means != Means::Copy)
        {
            lines.push(format!(
                "  WARNING: every copy of the {role} table is in {}, which has failed or may",
                plan.primary.region
            ));
        }
        if role == TableRole::State && there.is_none() && all.is_empty() {
            *lost = true;
            if proven(seen) {
                lines.extend(NEW_AUTHORITIES.iter().map(ToString::to_string));
            } else {
                lines.push(
                    "  not everything could be looked at: a usable copy may be where no answer came from"
                        .to_owned(),
                );
            }
        }
    }
    if let [Some(state), Some(audit)] = &chosen {
        lines.push(format!(
            "as a pair state and audit lie {} apart",
            brief(apart(state.data, audit.data))
        ));
    }
    lines
}

/// Whether vault and primary both answered that they have nothing, instead of not answering.
fn proven(seen: &Instruments) -> bool {
    let role = TableRole::State;
    [
        Subject::Vault(role),
        Subject::Table(Side::Primary, role),
        Subject::Table(Side::Recovery, role),
    ]
    .iter()
    .all(|subject| {
        let last = seen.get(subject).map(|reading| &reading.last.outcome);
        match last {
            Some(Ok(_)) => true,
            Some(Err(failure)) => matches!(
                failure.kind,
                FailureKind::NotFound | FailureKind::NotPlanned
            ),
            None => false,
        }
    })
}

fn table(seen: &Instruments, role: TableRole) -> Option<&Table> {
    match seen.get(&Subject::Table(Side::Recovery, role))?.fresh()? {
        Fact::Table(table) => Some(table.as_ref()).filter(|table| table.usable() && !table.wrong()),
        _ => None,
    }
}

fn from(plan: &Plan, source: &Source) -> String {
    let age = brief(Moment::now().since(source.data));
    let data = source.data;
    match source.means {
        Means::Copy => format!(
            "can be restored from recovery point {}, data of {data} ({age} ago)",
            source.arn
        ),
        Means::Pitr => format!(
            "can be restored out of {} to {data} ({age} ago), while that region lives",
            plan.primary.region
        ),
        Means::Backup => format!(
            "can be restored out of {} from backup {}, data of {data} ({age} ago), while that region lives",
            plan.primary.region, source.arn
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        incident::{Failure, Observation, RecoveryPoint, Vault},
        plan::sample::plan,
    };

    fn seen(vault: Option<&Vault>, others: FailureKind) -> Instruments {
        let mut seen = Instruments::default();
        let mut put = |subject: Subject, outcome: Result<Fact, Failure>| {
            seen.take(Observation {
                subject,
                at: Moment::from_secs(100_000),
                took: std::time::Duration::ZERO,
                outcome,
            });
        };
        for role in TableRole::BOTH {
            for side in Side::BOTH {
                put(Subject::Table(side, role), Err(Failure::new(others, "x")));
            }
            let copies = vault.map(|vault| {
                let vault = vault.clone();
                Fact::Vault(Vault { role, ..vault }.into())
            });
            put(
                Subject::Vault(role),
                copies.ok_or_else(|| Failure::new(others, "x")),
            );
        }
        seen
    }

    fn vault(points: &[i64]) -> Vault {
        let point = |secs: &i64| RecoveryPoint {
            arn: format!("arn:{secs}"),
            resource: String::new(),
            status: "COMPLETED".to_owned(),
            created: Moment::from_secs(*secs),
            completed: None,
            cold_at: None,
            delete_at: None,
            restored: None,
            bytes: None,
        };
        Vault {
            vault: "dr".to_owned(),
            region: "us-west-2".to_owned(),
            role: TableRole::State,
            points: points.iter().map(point).collect(),
            more: false,
            schedules: Ok(Vec::new()),
        }
    }

    #[test]
    fn new_authorities_are_spoken_of_only_where_it_is_proven_that_nothing_is_left() {
        let plan = plan();
        let cases = [
            (
                Some(vault(&[99_000, 95_400])),
                FailureKind::Timeout,
                false,
                "recovery point arn:99000",
            ),
            (
                Some(vault(&[])),
                FailureKind::NotFound,
                true,
                "self-hosted databases",
            ),
            (
                Some(vault(&[])),
                FailureKind::Timeout,
                true,
                "may be where no answer came from",
            ),
            (
                None,
                FailureKind::Timeout,
                true,
                "may be where no answer came from",
            ),
        ];
        for (vault, others, is_lost, words) in cases {
            let mut lost = false;
            let lines = told(&plan, &seen(vault.as_ref(), others), &mut lost).join("\n");
            assert!(lines.contains(words), "{lines}");
            assert_eq!(lost, is_lost);
            let spoken = lines.contains("NO BACKUP");
            assert_eq!(spoken, words.contains("databases"), "{lines}");
        }
    }
}
