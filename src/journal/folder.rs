//! Where incidents live on disk.

use std::{
    env,
    ffi::OsStr,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use serde::Deserialize;
use thiserror::Error;

use super::{Entry, Item, Kind, Replay, files};
use crate::{
    incident::{Moment, RunId},
    plan::Plan,
};

/// How much of a journal's end is read to see whether it was closed.
const END: u64 = 64 * 1024;

/// Why a folder cannot be used.
#[derive(Debug, Error)]
pub enum FolderError {
    /// Neither `--state-dir` nor a home.
    #[error(
        "there is no place for incidents: neither XDG_STATE_HOME nor HOME is set; name one with --state-dir"
    )]
    NoHome,
    /// The system said no.
    #[error("cannot use the folder {}: {error}; {}", path.display(), files::remedy(error))]
    Io {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// The folder that holds the incidents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateDir {
    path: PathBuf,
}

/// An incident that was not closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenIncident {
    /// Its folder.
    pub folder: Folder,
    /// What kind.
    pub what: Kind,
    /// The cluster.
    pub cluster: String,
    /// When it was declared.
    pub at: Moment,
}

impl StateDir {
    /// The folder named by `--state-dir`, else `$XDG_STATE_HOME/relight`, else `~/.local/state/relight`. It is made if it
    /// is not there (0700), and must be ours, with nobody else writing to it.
    ///
    /// # Errors
    /// If there is none, or it cannot be used.
    pub fn locate(named: Option<&Path>) -> Result<Self, FolderError> {
        Self::at(&place(named)?)
    }

    /// The same folder where it is there already, for those who only look: `None` if nothing was ever kept.
    ///
    /// # Errors
    /// If there is no place for it, or it cannot be used.
    pub fn existing(named: Option<&Path>) -> Result<Option<Self>, FolderError> {
        let path = place(named)?;
        if path.exists() {
            Self::at(&path).map(Some)
        } else {
            Ok(None)
        }
    }

    /// The state folder at a path, made if it is not there.
    ///
    /// # Errors
    /// If it cannot be made or used.
    pub fn at(path: &Path) -> Result<Self, FolderError> {
        let make = || {
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            // The operator may have put the state elsewhere by a link; from here on none is followed.
            let path = if path.exists() {
                path.canonicalize()?
            } else {
                path.to_owned()
            };
            files::private_folder(&path)?;
            path.canonicalize()
        };
        match make() {
            Ok(path) => Ok(Self { path }),
            Err(error) => Err(FolderError::Io {
                path: path.to_owned(),
                error,
            }),
        }
    }

    /// The path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the folder of a new incident, named by its start and its cluster: `20261123T140531Z-teleport.example.com`.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn create(&self, cluster: &str, at: Moment) -> Result<Folder, FolderError> {
        let name = format!("{}-{}", stamp(at), tame(cluster));
        for attempt in 1.. {
            let path = if attempt == 1 {
                self.path.join(&name)
            } else {
                self.path.join(format!("{name}-{attempt}"))
            };
            // The second incident of one second gets a folder of its own.
            if path.symlink_metadata().is_ok() {
                continue;
            }
            let made = files::private_folder(&path)
                .and_then(|()| files::private_folder(&path.join("runs")));
            return match made {
                Ok(()) => Ok(Folder { path }),
                Err(error) => Err(FolderError::Io { path, error }),
            };
        }
        Err(FolderError::NoHome)
    }

    /// The folder of an incident that another machine began, made if it is not there.
    ///
    /// # Errors
    /// If its name could be no incident's, or it cannot be made.
    pub fn join(&self, name: &str) -> Result<Folder, FolderError> {
        let tame = name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
        let path = self.path.join(name);
        if !tame || name.starts_with('.') || name.is_empty() || name.len() > 200 {
            let why = "the shared incident's name could be no folder's";
            let error = io::Error::new(io::ErrorKind::InvalidInput, why);
            let path = self.path.clone();
            return Err(FolderError::Io { path, error });
        }
        files::private_folder(&path)
            .and_then(|()| files::private_folder(&path.join("runs")))
            .map_err(|error| FolderError::Io {
                path: path.clone(),
                error,
            })?;
        Ok(Folder { path })
    }

    /// Every incident folder, newest first. Files, links and folders of others are passed over.
    ///
    /// # Errors
    /// If the state folder cannot be listed.
    pub fn incidents(&self) -> Result<Vec<Folder>, FolderError> {
        let fail = |error| FolderError::Io {
            path: self.path.clone(),
            error,
        };
        let mut found: Vec<PathBuf> = std::fs::read_dir(&self.path)
            .map_err(fail)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| files::check_folder(path).is_ok() && path.join("journal.jsonl").exists())
            .collect();
        found.sort_by(|a, b| b.file_name().cmp(&a.file_name()));
        Ok(found.into_iter().map(|path| Folder { path }).collect())
    }

    /// The incidents of a plan that were declared and not closed, newest first.
    ///
    /// # Errors
    /// If the state folder cannot be listed.
    pub fn find_open(&self, plan: &Plan) -> Result<Vec<OpenIncident>, FolderError> {
        let declared = self.of_plan(plan)?;
        Ok(declared.filter(|found| !found.folder.closed()).collect())
    }

    /// The newest incident of a plan, closed or not.
    ///
    /// # Errors
    /// If the state folder cannot be listed.
    pub fn newest(&self, plan: &Plan) -> Result<Option<Folder>, FolderError> {
        Ok(self.of_plan(plan)?.next().map(|found| found.folder))
    }

    /// The incidents of a plan, newest first.
    fn of_plan(&self, plan: &Plan) -> Result<impl Iterator<Item = OpenIncident>, FolderError> {
        let plan_path = plan.path.to_string_lossy().into_owned();
        let declared = self
            .incidents()?
            .into_iter()
            .filter_map(|folder| folder.declared());
        Ok(declared
            .filter(move |(_, plan)| *plan == plan_path)
            .map(|(found, _)| found))
    }
}

/// `--state-dir`, else where the system keeps the state of programs.
fn place(named: Option<&Path>) -> Result<PathBuf, FolderError> {
    let absolute = |name: &str| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    match named {
        Some(path) => Ok(path.to_owned()),
        None => Ok(absolute("XDG_STATE_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
            .ok_or(FolderError::NoHome)?
            .join("relight")),
    }
}

/// The folder of one incident. Holding one says nothing about whether it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The incident folder at a path.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// The path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name, as the closing summary and `relight attach` use it.
    #[must_use]
    pub fn name(&self) -> String {
        self.path
            .file_name()
            .unwrap_or(OsStr::new("incident"))
            .to_string_lossy()
            .into_owned()
    }

    /// `journal.jsonl`
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal.jsonl")
    }

    /// `lock`
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.path.join("lock")
    }

    /// `checkpoint.json`
    #[must_use]
    pub fn checkpoint(&self) -> PathBuf {
        self.path.join("checkpoint.json")
    }

    /// `track.jsonl`
    #[must_use]
    pub fn track(&self) -> PathBuf {
        self.path.join("track.jsonl")
    }

    /// `plan.toml`: the plan as it was when the incident was declared.
    #[must_use]
    pub fn plan(&self) -> PathBuf {
        self.path.join("plan.toml")
    }

    /// `shared.json`: under which token this machine held an incident that several share.
    #[must_use]
    pub fn shared(&self) -> PathBuf {
        self.path.join("shared.json")
    }

    /// `runs`
    #[must_use]
    pub fn runs(&self) -> PathBuf {
        self.path.join("runs")
    }

    /// `runs/ID`
    #[must_use]
    pub fn run(&self, run: &RunId) -> PathBuf {
        self.runs().join(run.as_str())
    }

    /// The cluster that the incident is of; `None` if its journal declares nothing.
    #[must_use]
    pub fn cluster(&self) -> Option<String> {
        self.declared().map(|(found, _)| found.cluster)
    }

    /// What the first record declares, and the plan's path; `None` if it declares nothing.
    fn declared(&self) -> Option<(OpenIncident, String)> {
        let mut replay = Replay::open(&self.journal()).ok()?;
        let Item::Record(record) = replay.next()? else {
            return None;
        };
        let at = record.at;
        let Entry::Declared {
            what,
            cluster,
            plan,
            ..
        } = record.entry
        else {
            return None;
        };
        let found = OpenIncident {
            folder: self.clone(),
            what,
            cluster,
            at,
        };
        Some((found, plan))
    }

    /// Whether the incident is over, by the end of its journal: after `closed` nothing is done but letting go.
    #[must_use]
    pub fn closed(&self) -> bool {
        #[derive(Deserialize)]
        struct Line {
            entry: Kind,
        }
        #[derive(Deserialize)]
        struct Kind {
            kind: String,
        }

        let read = || -> io::Result<Vec<u8>> {
            let mut file = files::private().read(true).open(self.journal())?;
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(END)))?;
            let mut end = Vec::new();
            file.take(END).read_to_end(&mut end)?;
            Ok(end)
        };
        read()
            .unwrap_or_default()
            .split(|byte| *byte == b'\n')
            .any(|line| {
                serde_json::from_slice::<Line>(line).is_ok_and(|line| line.entry.kind == "closed")
            })
    }
}

/// `20261123T140531Z`: sorts by time, needs no quoting.
fn stamp(at: Moment) -> String {
    let text = at.to_string();
    let whole = text.split('.').next().unwrap_or(&text);
    let digits: String = whole
        .chars()
        .filter(|c| c.is_ascii_digit() || *c == 'T')
        .collect();
    format!("{digits}Z")
}

/// A cluster name as part of a file name.
fn tame(name: &str) -> String {
    let tame: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '-' | '.') {
                c
            } else {
                '_'
            }
        })
        .take(100)
        .collect();
    if tame.is_empty() {
        "cluster".to_owned()
    } else {
        tame
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::journal::{Claim, Lock, Tail, Writer};

    fn declare(folder: &Folder, plan: &str, close: bool) {
        let claim = Claim {
            operator: "ann".to_owned(),
            host: "bastion".to_owned(),
            floor: 0,
        };
        let lock = Lock::take(folder, &claim).expect("free");
        let mut writer = Writer::open(&lock, folder.journal(), Tail::default()).expect("opened");
        let at = Moment::from_secs(1_795_466_731);
        let declared = Entry::Declared {
            what: Kind::Drill,
            cluster: "teleport.example.com".to_owned(),
            plan: plan.to_owned(),
            digest: String::new(),
            outage: at,
        };
        let mut entries = vec![declared];
        if close {
            let reason = "done".to_owned();
            entries.extend([Entry::Closed { reason }, Entry::Detached]);
        }
        for entry in entries {
            writer.append(&lock, at, entry).expect("written");
        }
    }

    #[test]
    fn an_incident_is_named_by_start_and_cluster_and_is_private() {
        let temp = tempfile::tempdir().expect("a folder");
        let state = StateDir::at(&temp.path().join("a/b")).expect("made");
        let at = Moment::from_secs(1_795_466_731);
        let folder = state.create("teleport.example.com", at).expect("made");
        assert_eq!(folder.name(), "20261123T204531Z-teleport.example.com");
        let hostile = state.create("../../etc/\u{1b}[0m", at).expect("made");
        assert_eq!(hostile.path().parent(), Some(state.path()));
        let again = state.create("teleport.example.com", at).expect("made");
        assert_ne!(again, folder);
        let mode = std::fs::metadata(folder.runs())
            .expect("meta")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn closed_incidents_and_those_of_other_plans_are_not_open() {
        let temp = tempfile::tempdir().expect("a folder");
        let state = StateDir::at(temp.path()).expect("made");
        let plans = [
            ("/p/relight.toml", false),
            ("/p/relight.toml", true),
            ("/other", false),
        ];
        for (at, (plan, close)) in (0..).zip(plans) {
            let folder = state
                .create("teleport.example.com", Moment::from_secs(at))
                .expect("made");
            declare(&folder, plan, close);
        }
        let found = state.incidents().expect("listed");
        assert_eq!(found.len(), 3);
        let open: Vec<_> = found
            .iter()
            .filter_map(Folder::declared)
            .filter(|(found, plan)| plan == "/p/relight.toml" && !found.folder.closed())
            .collect();
        assert_eq!(open.len(), 1);
        assert_eq!(open[0].0.what, Kind::Drill);
        assert!(open[0].0.folder.name().starts_with("19700101T000000Z"));
    }
}
