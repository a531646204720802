//! Amazon EKS: a cluster with its issuer, and no Pod Identity association: the pods get their role by annotation.

use serde_json::json;

use super::{answer::Answer, ask::Ask};
use crate::{incident::Side, practice::world::World};

fn here(ask: &Ask, side: Side, world: &World) -> Result<(), Answer> {
    if ask.path.get(1) == Some(&world.scenario.site(side).context) {
        return Ok(());
    }
    let said = "No cluster found for that name.";
    Err(Answer::error(ask, 404, "ResourceNotFoundException", said))
}

pub(super) fn describe_cluster(ask: &Ask, side: Side, world: &mut World) -> Answer {
    match here(ask, side, world) {
        Err(refused) => refused,
        Ok(()) => Answer::json(
            &json!({"cluster": {"name": world.scenario.site(side).context, "status": "ACTIVE",
            "identity": {"oidc": {"issuer": world.issuer(side)}}}}),
        ),
    }
}

pub(super) fn list_associations(ask: &Ask, side: Side, world: &mut World) -> Answer {
    match here(ask, side, world) {
        Err(refused) => refused,
        Ok(()) => Answer::json(&json!({"associations": []})),
    }
}

pub(super) fn describe_association(ask: &Ask, side: Side, world: &mut World) -> Answer {
    if let Err(refused) = here(ask, side, world) {
        return refused;
    }
    let said = "The association could not be found.";
    Answer::error(ask, 404, "ResourceNotFoundException", said)
}
