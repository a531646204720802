//! The session recordings bucket of a region.

use std::time::Duration;

use super::Names;
use crate::incident::{Moment, Replication, Side, StoredObject};

/// A bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Name.
    pub name: String,
    /// `Enabled`, `Suspended` or empty.
    pub versioning: String,
    /// Replication rules.
    pub rules: Vec<Replication>,
    /// Objects, ordered by key as `ListObjectsV2` gives them.
    pub objects: Vec<StoredObject>,
}

impl Bucket {
    /// A versioned bucket with recordings up to `newest`; the primary's replicates into the recovery region's.
    #[must_use]
    pub fn seed(side: Side, primary: &Names, recovery: &Names, newest: Moment) -> Self {
        let rule = Replication {
            id: "recordings-to-recovery".to_owned(),
            enabled: true,
            destination: format!("arn:aws:s3:::{}", recovery.bucket),
            kms: true,
            delete_markers: true,
            filter: None,
        };
        let (name, rules, replication) = match side {
            Side::Primary => (&primary.bucket, vec![rule], "COMPLETED"),
            Side::Recovery => (&recovery.bucket, Vec::new(), "REPLICA"),
        };
        let mut objects: Vec<_> = (0..40_u64)
            .map(|i| StoredObject {
                // Session ids are random, so key order says nothing about age: spread them as a hash would.
                key: format!(
                    "{:08x}-5e55-4000-8000-{:012x}.tar",
                    (i * 2_654_435_761) & 0xffff_ffff,
                    i * 7_919
                ),
                modified: newest.minus(Duration::from_secs(i * 1_700)),
                replication: replication.to_owned(),
                unread: None,
            })
            .collect();
        objects.sort_by(|a, b| a.key.cmp(&b.key));
        Self {
            name: name.clone(),
            versioning: "Enabled".to_owned(),
            rules,
            objects,
        }
    }
}
