//! One line of the journal.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Entry;
use crate::incident::Moment;

/// Who writes: operator, host and the fencing token under which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// STS ARN with the OS user, or the OS user alone while STS has not answered.
    pub operator: String,
    /// Host name.
    pub host: String,
    /// Fencing token of the lock held.
    pub token: u64,
}

/// One record: what happened, when, by whom, and the hash of the record before.
///
/// Newer versions may add fields, which older ones ignore, and kinds of entries, which older ones keep and report. A
/// change that an older version must not read past gets a new [`Record::GENESIS`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Sequence number, from 1 without gaps.
    pub seq: u64,
    /// When it was written.
    pub at: Moment,
    /// Who wrote it.
    #[serde(flatten)]
    pub author: Author,
    /// SHA-256 of the line before, in hex; of [`Record::GENESIS`] for the first.
    pub prev: String,
    /// What happened.
    pub entry: Entry,
}

impl Record {
    /// What the first record names as the line before it: the form of this journal, bound into its chain.
    pub const GENESIS: &str = "relight journal, form 1";

    /// The hash that the next record names: SHA-256 of this record's line, without the line feed, in hex.
    #[must_use]
    pub fn hash(line: &str) -> String {
        hex(&Sha256::digest(line.as_bytes()))
    }
}

/// Bytes in lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}
