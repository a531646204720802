//! What an observer asks of the holder: the holder alone writes the journal, and the answer is a record there.
//!
//! On one machine a request is a file of its own in `INCIDENT/requests`, 0600, put there at once and taken away by the
//! holder before it is answered, so that it is answered once at most. It is addressed to a fencing token: what was asked of
//! one holder is no request to the next. Whoever asks learns of the answer by the journal, or by its not coming.

use std::{
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{Folder, files};
use crate::incident::{Moment, Person, RunId};

/// Longest request that is read.
const CAP: u64 = 16 * 1024;
/// At most so many are looked at in one go: nobody asks for more.
const MOST: usize = 64;
/// Longest text kept of one.
const TEXT: usize = 400;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "wish", rename_all = "snake_case")]
pub enum Wish {
    /// To be handed the incident, as offered.
    Accept {
        /// Sequence number of the offer's record.
        offer: u64,
    },
    /// To let exactly this armed step be confirmed.
    Approve {
        /// The run.
        run: RunId,
        /// [`super::ArmedStep::digest`] of what was shown.
        digest: String,
        /// What was typed.
        phrase: String,
    },
}

/// What an observer asks of the holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its name: lower-case letters, digits and hyphens.
    pub id: String,
    /// When it was asked.
    pub at: Moment,
    /// The fencing token of the holder that it is for.
    pub to: u64,
    /// Who asks.
    pub by: Person,
    /// What for.
    #[serde(flatten)]
    pub wish: Wish,
}

impl Request {
    /// A request with a name of its own.
    #[must_use]
    pub fn new(to: u64, by: Person, wish: Wish) -> Self {
        let at = Moment::now();
        let id = format!("{}-{}-{:08x}", at.millis(), by.pid, fastrand::u32(..));
        Self {
            id,
            at,
            to,
            by,
            wish,
        }
    }

    /// The same as far as it can be believed: `None` if it is none that this program wrote.
    fn tamed(self) -> Option<Self> {
        let wish = match self.wish {
            Wish::Approve {
                run,
                digest,
                phrase,
            } => {
                let plain = digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit());
                let run = RunId::parse(run.as_str()).filter(|_| plain)?;
                let phrase = phrase.chars().filter(|c| !c.is_control());
                let phrase = phrase.take(TEXT).collect();
                Wish::Approve {
                    run,
                    digest,
                    phrase,
                }
            }
            accept @ Wish::Accept { .. } => accept,
        };
        is_name(&self.id).then(|| Self {
            by: self.by.tamed(),
            wish,
            ..self
        })
    }
}

fn is_name(id: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=80).contains(&id.len()) && id.bytes().all(plain)
}

fn place(folder: &Folder) -> PathBuf {
    folder.path().join("requests")
}

/// Puts a request where the holder finds it.
///
/// # Errors
/// If the disk does not take it, or the folder is not ours alone.
pub fn ask(folder: &Folder, request: &Request) -> io::Result<()> {
    let place = place(folder);
    files::private_folder(&place)?;
    let path = place.join(format!("{}.json", request.id));
    files::write_atomic(&path, &serde_json::to_vec(request)?)
}

/// Takes every request away and returns those that are for the holder of this token, oldest first. What is no request, is
/// for somebody else, or is no file of ours, is taken away all the same, and no link is followed.
///
/// # Errors
/// If the folder is there and cannot be used.
pub fn asked(folder: &Folder, token: u64) -> io::Result<Vec<Request>> {
    let place = place(folder);
    let listed = match std::fs::read_dir(&place) {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    files::check_folder(&place)?;
    let mut found = Vec::new();
    for entry in listed.take(MOST) {
        let path = entry?.path();
        // On its way: its writer gives it its name when it is whole.
        if path.extension().is_some_and(|end| end == "new") {
            continue;
        }
        let request = read(&path);
        // Before it is answered: should this cockpit end now, it is asked for again.
        let removed = std::fs::remove_file(&path);
        found.extend(request.filter(|request| removed.is_ok() && request.to == token));
    }
    found.sort_by(|one, two| (one.at, &one.id).cmp(&(two.at, &two.id)));
    Ok(found)
}

fn read(path: &Path) -> Option<Request> {
    // Looked at before it is opened: a pipe would keep whoever opens it.
    let meta = std::fs::symlink_metadata(path).ok()?;
    let own = meta.is_file() && meta.uid() == rustix::process::geteuid().as_raw();
    let bytes = own.then(|| files::read_capped(path, CAP).ok()).flatten()?;
    let request: Request = serde_json::from_slice(&bytes).ok()?;
    let named = path
        .file_stem()
        .is_some_and(|stem| stem == request.id.as_str());
    named.then(|| request.tamed()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::StepId;

    fn person() -> Person {
        Person {
            arn: Some("arn:aws:iam::1:user/bob".to_owned()),
            user: "bob".to_owned(),
            uid: 1000,
            host: "bastion".to_owned(),
            pid: 7,
        }
    }

    fn approve(digest: &str) -> Wish {
        let step = StepId::try_from("install".to_owned()).expect("an id");
        Wish::Approve {
            run: RunId::new(&step, 1, Moment::from_secs(7)),
            digest: digest.to_owned(),
            phrase: "approve\u{1b}[2J install attempt 1".to_owned(),
        }
    }

    #[test]
    fn a_request_is_found_once_by_the_holder_it_is_for() {
        let temp = tempfile::tempdir().expect("a folder");
        let folder = Folder::at(temp.path());
        assert!(asked(&folder, 1).expect("nothing yet").is_empty());
        let one = Request::new(1, person(), Wish::Accept { offer: 9 });
        let two = Request::new(2, person(), approve(&"a".repeat(64)));
        ask(&folder, &one).expect("asked");
        ask(&folder, &two).expect("asked");
        let file = place(&folder).join(format!("{}.json", one.id));
        let mode = std::fs::metadata(file).expect("there").mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(asked(&folder, 1).expect("read"), [one]);
        assert!(
            asked(&folder, 2).expect("read").is_empty(),
            "for another holder"
        );

        ask(&folder, &two).expect("asked");
        let found = asked(&folder, 2).expect("read");
        let Wish::Approve { phrase, .. } = &found[0].wish else {
            unreachable!("{found:?}");
        };
        assert_eq!(phrase, "approve[2J install attempt 1");
    }

    #[test]
    fn hostile_files_are_taken_away_and_nothing_more() {
        let temp = tempfile::tempdir().expect("a folder");
        let folder = Folder::at(temp.path());
        let place = place(&folder);
        std::fs::create_dir(&place).expect("a folder");
        let secret = temp.path().join("secret");
        std::fs::write(&secret, "{}").expect("written");
        std::os::unix::fs::symlink(&secret, place.join("link.json")).expect("a link");
        let fifo = place.join("pipe.json");
        rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, 0o600.into()).expect("a pipe");
        std::fs::write(place.join("long.json"), vec![b'x'; 100_000]).expect("written");
        std::fs::write(place.join("deep.json"), "[".repeat(5_000)).expect("written");
        let mut other = Request::new(1, person(), Wish::Accept { offer: 1 });
        let text = serde_json::to_string(&other).expect("JSON");
        std::fs::write(place.join("elsewhere.json"), &text).expect("written");
        other.id = "../../escape".to_owned();
        let text = serde_json::to_string(&other).expect("JSON");
        std::fs::write(place.join("escape.json"), text).expect("written");
        let short = Request::new(1, person(), approve("abc"));
        ask(&folder, &short).expect("asked");
        assert!(asked(&folder, 1).expect("read").is_empty());
        assert_eq!(std::fs::read_dir(&place).expect("listed").count(), 0);
        assert_eq!(std::fs::read_to_string(&secret).expect("left alone"), "{}");

        std::fs::remove_dir(&place).expect("removed");
        std::os::unix::fs::symlink(temp.path(), &place).expect("a link");
        assert!(asked(&folder, 1).is_err(), "a link was followed");
        assert!(secret.exists());
    }
}
