//! The values file of the recovery release.

use serde::{Deserialize, Serialize};

use super::outline::Outline;

/// The recovery values as they are on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Values {
    /// Path of the file.
    pub path: String,
    /// `clusterName`.
    pub cluster_name: Option<String>,
    /// `aws.region`.
    pub region: Option<String>,
    /// `aws.backendTable`.
    pub state_table: Option<String>,
    /// `aws.auditLogTable`.
    pub audit_table: Option<String>,
    /// `aws.sessionRecordingBucket`.
    pub bucket: Option<String>,
}

impl Values {
    /// Reads the fields from a values file's text.
    ///
    /// # Errors
    /// If the text is no values file, with line and column.
    pub fn read(path: impl Into<String>, text: &str) -> Result<Self, String> {
        let outline = Outline::read(text)?;
        let get = |path: &[&str]| outline.get(path).map(str::to_owned);
        Ok(Self {
            path: path.into(),
            cluster_name: get(&["clusterName"]),
            region: get(&["aws", "region"]),
            state_table: get(&["aws", "backendTable"]),
            audit_table: get(&["aws", "auditLogTable"]),
            bucket: get(&["aws", "sessionRecordingBucket"]),
        })
    }
}
