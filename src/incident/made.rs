//! What an isolated drill has made, and what of it is still there.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Moment, Part};

/// A kind of thing that a drill makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// A Helm release, and all that is its.
    Release,
    /// A Kubernetes namespace, and all that is in it.
    Namespace,
    /// A `DynamoDB` table.
    Table,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Release => "release",
            Self::Namespace => "namespace",
            Self::Table => "table",
        })
    }
}

/// Whether a thing is there, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is not there.
    Gone,
    /// It is on its way out.
    Going,
    /// It is there, and the drill's by its tag, its label or its name.
    Ours,
    /// It is there and does not say that it is the drill's; what it lacks.
    Foreign(String),
}

/// A thing that was about to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thing {
    /// Its kind.
    pub what: What,
    /// Its name.
    pub name: String,
    /// When it was about to be made.
    pub at: Moment,
    /// How it stands.
    pub stands: Part<Standing>,
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.what, self.name)
    }
}

/// What `drill.json` lists, and how it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The drill's stamp.
    pub stamp: String,
    /// Everything listed, in the order in which it is taken down.
    pub things: Vec<Thing>,
    /// Where the drill's recordings are: `s3://BUCKET/relight-drill/STAMP`.
    pub prefix: String,
    /// How many objects lie there, of the first thousand.
    pub recordings: Option<Part<usize>>,
}

impl Made {
    /// What is there and the drill's.
    pub fn ours(&self) -> impl Iterator<Item = &Thing> {
        self.things
            .iter()
            .filter(|thing| thing.stands == Ok(Standing::Ours))
    }

    /// What stays whatever is taken down, in words.
    #[must_use]
    pub fn stays(&self) -> Vec<String> {
        let mut words: Vec<String> = self
            .things
            .iter()
            .filter_map(|thing| match &thing.stands {
                Ok(Standing::Foreign(lacks)) => Some(format!("{thing} stays: {lacks}")),
                Err(failure) => Some(format!("{thing} stays: {failure}")),
                Ok(_) => None,
            })
            .collect();
        match &self.recordings {
            Some(Ok(0)) | None => {}
            Some(Ok(count)) => words.push(format!(
                "{count} recordings stay under {}: they may be locked or versioned, and nothing brings one back",
                self.prefix
            )),
            Some(Err(failure)) => {
                words.push(format!("whether recordings lie under {}: {failure}", self.prefix));
            }
        }
        words
    }
}
