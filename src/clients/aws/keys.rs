//! KMS `DescribeKey` → [`Key`]: whether what a key has encrypted can be read in its region.

use aws_sdk_kms::operation::describe_key::DescribeKeyOutput;

use super::{Reach, explain};
use crate::{
    clients::kube::text::clean,
    incident::{Failure, FailureKind, prerequisites::Key},
};

/// Asks once. `key` is an ARN, an id or an alias.
///
/// # Errors
/// If KMS cannot be asked, says no, or names no key.
pub async fn fetch(reach: &Reach, key: &str) -> Result<Key, Failure> {
    let place = format!("{key} in {}", reach.region());
    let said = reach.kms().await.describe_key().key_id(key).send().await;
    let said = said.map_err(|error| explain("KMS DescribeKey", &place, &error))?;
    interpret(&said, &place)
}

fn interpret(said: &DescribeKeyOutput, place: &str) -> Result<Key, Failure> {
    let known = said.key_metadata().and_then(|key| {
        let state = key.key_state()?.as_str();
        Some(Key {
            arn: clean(key.arn().unwrap_or_default(), 300),
            state: clean(state, 40),
            multi_region: key.multi_region().unwrap_or_default(),
        })
    });
    known.ok_or_else(|| {
        Failure::new(
            FailureKind::Garbage,
            format!(
                "KMS DescribeKey of {place} named no state: check for a wrong endpoint in between"
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_kms::types::{KeyMetadata, KeyState};

    use super::*;

    #[test]
    fn a_key_without_a_state_is_garbage() {
        let none = interpret(&DescribeKeyOutput::builder().build(), "k in r");
        assert_eq!(none.expect_err("garbage").kind, FailureKind::Garbage);
        let key = KeyMetadata::builder()
            .key_id("mrk-1")
            .arn("arn:aws:kms:us-west-2:111122223333:key/mrk-1")
            .key_state(KeyState::Disabled)
            .multi_region(true)
            .build()
            .expect("a key");
        let said = DescribeKeyOutput::builder().key_metadata(key).build();
        let read = interpret(&said, "k in r").expect("a key");
        assert_eq!((read.state.as_str(), read.multi_region), ("Disabled", true));
    }
}
