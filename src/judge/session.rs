//! Whether the operator saws at the branch that he sits on.

use super::{Glance, Sight, glance};
use crate::incident::{Fact, Finding, Subject, brief};

/// Neither this session nor a kube context of the plan goes through the Teleport cluster: what is stopped would take the
/// hands away that stop it, half-way.
#[must_use]
pub fn elsewhere(sight: &Sight<'_>) -> Finding {
    let session = match glance(&Subject::Session, sight) {
        Glance::Fresh(Fact::Session(session), _) => session,
        Glance::Stale(_, age) => {
            return Finding::unknown(format!(
                "the ways of this session were last looked at {} ago",
                brief(age)
            ));
        }
        Glance::Failed(failure, _) => return Finding::unknown(failure.to_string()),
        Glance::Never | Glance::Fresh(..) => {
            return Finding::unknown("the ways of this session have not been looked at yet");
        }
    };
    let evidence = vec![Subject::Session];
    let name = &sight.plan.cluster.name;
    if !session.through.is_empty() {
        return Finding::fail(
            format!(
                "YOU ARE INSIDE WHAT WOULD BE STOPPED: {}. Come in another way (SSM, a bastion, the EKS endpoint with AWS \
                 credentials) and attach to this incident from there",
                session.through.join("; ")
            ),
            evidence,
        );
    }
    if !session.doubts.is_empty() {
        return Finding::unknown(format!(
            "whether this session goes through {name} cannot be told: {}",
            session.doubts.join("; ")
        ));
    }
    Finding::pass(
        format!(
            "nothing here goes through {name} ({})",
            session.looked.join(", ")
        ),
        evidence,
    )
}
