//! The session recordings bucket.

use serde::{Deserialize, Serialize};

use super::{Failure, Moment, Part};

/// What is known of a recordings bucket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recordings {
    /// Bucket name.
    pub bucket: String,
    /// The region it is asked in.
    pub region: String,
    /// `GetBucketVersioning`: `Enabled`, `Suspended`, or empty when never enabled.
    pub versioning: Part<String>,
    /// Replication rules (`GetBucketReplication`); an empty list when there is no configuration.
    pub replication: Part<Vec<Replication>>,
    /// The newest objects seen, newest first, at most 5.
    pub newest: Part<Vec<StoredObject>>,
    /// The newest recording read back, in the recovery region; `None` where none was tried.
    #[serde(default)]
    pub read: Option<ReadBack>,
}

/// A recording of which some bytes were read, and thrown away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadBack {
    /// Key.
    pub key: String,
    /// When: it is billed, so it is not done at every look.
    pub at: Moment,
    /// How many bytes came.
    pub bytes: Part<u32>,
}

/// One replication rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replication {
    /// Rule id.
    pub id: String,
    /// `Status == Enabled`.
    pub enabled: bool,
    /// Destination bucket ARN.
    pub destination: String,
    /// `SseKmsEncryptedObjects == Enabled`: without it, nothing that Teleport writes by default is copied.
    pub kms: bool,
    /// `DeleteMarkerReplication == Enabled`.
    pub delete_markers: bool,
    /// What the rule is limited to, in words (`prefix records/`); `None` when it covers the whole bucket.
    #[serde(default)]
    pub filter: Option<String>,
}

/// One recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredObject {
    /// Key.
    pub key: String,
    /// `LastModified`.
    pub modified: Moment,
    /// `ReplicationStatus`: `PENDING`, `COMPLETED`, `FAILED`, `REPLICA`; empty when there is none.
    pub replication: String,
    /// Why `HeadObject` did not tell the status.
    #[serde(default)]
    pub unread: Option<Failure>,
}
