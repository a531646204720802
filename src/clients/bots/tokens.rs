//! New join tokens in the incident's folder: one file, for its owner alone, that nothing else ever reads.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    clients::{black_box::atomic, freeze::tctl},
    incident::{Failure, FailureKind, Moment, Side},
    plan::Plan,
};

/// The file's name.
const NAME: &str = "bot-tokens.json";

/// A token that was issued. Without `Debug`: it is a secret.
#[derive(Clone, Serialize, Deserialize)]
pub struct Issued {
    /// The bot that may join with it.
    pub bot: String,
    /// The token.
    pub token: String,
    /// When it was issued.
    pub issued: Moment,
    /// Until when it can be used, as tctl told; `None` if it did not.
    pub until: Option<Moment>,
}

/// The tokens of an incident.
pub struct Tokens {
    path: PathBuf,
    tokens: Vec<Issued>,
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {why}", path = path.display())]
pub struct TokensError {
    path: PathBuf,
    why: String,
}

#[derive(Default, Serialize, Deserialize)]
struct Kept {
    tokens: Vec<Issued>,
}

impl Tokens {
    /// Those that were issued already; none where there is no file.
    ///
    /// # Errors
    /// If the file is there and cannot be read.
    pub fn read(incident: &Path) -> Result<Self, TokensError> {
        let path = incident.join(NAME);
        let wrong = |why: String| TokensError {
            path: path.clone(),
            why,
        };
        let kept: Kept = match fs::read(&path) {
            // What the parser says may quote what it read.
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|_| wrong("is no list of tokens; move it away".to_owned()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Kept::default(),
            Err(error) => return Err(wrong(error.to_string())),
        };
        Ok(Self {
            path,
            tokens: kept.tokens,
        })
    }

    /// Where they lie.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds one, at once on disk, for its owner alone.
    ///
    /// # Errors
    /// If the disk says no.
    pub fn add(&mut self, issued: Issued) -> Result<(), TokensError> {
        self.tokens.push(issued);
        let kept = Kept {
            tokens: self.tokens.clone(),
        };
        let done = serde_json::to_vec_pretty(&kept)
            .map_err(io::Error::other)
            .and_then(|bytes| atomic(&self.path, &bytes));
        done.map_err(|error| TokensError {
            path: self.path.clone(),
            why: error.to_string(),
        })
    }
}

/// Has a one-time token made for a new instance of a bot (`tctl bots instances add NAME --format=json`; it can be used for
/// an hour).
///
/// # Errors
/// If tctl fails, or tells no token: never with what it printed.
pub async fn issue(plan: &Plan, bot: &str) -> Result<Issued, Failure> {
    let args = ["bots", "instances", "add", bot, "--format=json"].map(str::to_owned);
    let said = tctl(plan, Side::Recovery, &args).await?;
    read(&said, bot, Moment::now()).ok_or_else(|| {
        Failure::new(
            FailureKind::Garbage,
            format!(
                "`tctl bots instances add {bot}` told no token in JSON; one may have been made: see `tctl tokens ls`"
            ),
        )
    })
}

fn read(said: &str, bot: &str, now: Moment) -> Option<Issued> {
    let said: Value = serde_json::from_str(said).ok()?;
    let token = said["token_id"]
        .as_str()
        .filter(|token| !token.is_empty())?;
    // A Go duration in nanoseconds.
    let lasts = said["token_ttl"].as_u64().filter(|nanos| *nanos > 0);
    Some(Issued {
        bot: bot.to_owned(),
        token: token.to_owned(),
        issued: now,
        until: lasts.map(|nanos| now.plus(std::time::Duration::from_nanos(nanos))),
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_token_is_on_disk_at_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut tokens = Tokens::read(folder.path()).expect("none yet");
        let now = Moment::from_secs(1_000);
        let said = r#"{"user_name":"bot-ci","role_name":"bot-ci","token_id":"abc","token_ttl":3600000000000}"#;
        let issued = read(said, "ci", now).expect("a token");
        assert_eq!(issued.until, Some(Moment::from_secs(4_600)));
        tokens.add(issued).expect("written");
        let path = folder.path().join(NAME);
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = Tokens::read(folder.path()).expect("there");
        assert_eq!(again.tokens.len(), 1);
        assert_eq!(again.tokens[0].token, "abc");
        fs::write(&path, "{\"tokens\": \"s3cret\"}").expect("torn");
        let why = Tokens::read(folder.path()).err().expect("torn").to_string();
        assert!(!why.contains("s3cret"), "{why}");
    }

    #[test]
    fn what_is_no_token_is_none() {
        let now = Moment::from_secs(0);
        for said in ["", "{}", "{\"token_id\": \"\"}", "The bot token: abc"] {
            assert!(read(said, "ci", now).is_none(), "{said}");
        }
    }
}
