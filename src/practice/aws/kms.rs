//! AWS KMS: the one multi-Region key that tables and bucket are encrypted with, with a replica in each region.

use serde_json::json;

use super::{answer::Answer, ask::Ask};
use crate::{incident::Side, practice::world::World};

/// The id of the key, the same in every region.
const ID: &str = "mrk-00000000000040008000000000000001";

/// Its ARN in a region.
#[must_use]
pub fn arn(region: &str, account: &str) -> String {
    format!("arn:aws:kms:{region}:{account}:key/{ID}")
}

pub(super) fn describe_key(ask: &Ask, side: Side, world: &mut World) -> Answer {
    let region = world.side(side);
    let mine = arn(&region.name, &region.account);
    let asked = ask.value();
    let asked = asked["KeyId"].as_str().unwrap_or_default();
    if asked != ID && asked != mine {
        let said = format!("Key '{asked}' does not exist");
        return Answer::error(ask, 400, "NotFoundException", &said);
    }
    let kind = match side {
        Side::Primary => "PRIMARY",
        Side::Recovery => "REPLICA",
    };
    Answer::json(
        &json!({"KeyMetadata": {"AWSAccountId": region.account, "KeyId": ID, "Arn": mine, "Enabled": true,
        "KeyState": "Enabled", "KeyUsage": "ENCRYPT_DECRYPT", "KeyManager": "CUSTOMER", "Origin": "AWS_KMS",
        "KeySpec": "SYMMETRIC_DEFAULT", "MultiRegion": true, "MultiRegionConfiguration": {"MultiRegionKeyType": kind}}}),
    )
}
