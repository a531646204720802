//! Whether a run outlives the logout of who started it: some login managers end every process of a session with it.
//!
//! By logind's own files (logind.conf(5), `KillUserProcesses=`), the control group of this process (session scope or user
//! manager), and whether the user lingers (loginctl(1)). A process of a session that will be ended is safe in a scope of the
//! user's own manager, as long as that lives on without a session.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

/// Where logind reads its file, the first one counts, and its drop-ins, where the first of a name counts.
const CONFIG: [&str; 4] = [
    "etc/systemd",
    "run/systemd",
    "usr/local/lib/systemd",
    "usr/lib/systemd",
];

const SYSTEMD_RUN: &str = "/usr/bin/systemd-run";
const SCOPE: [&str; 5] = ["--user", "--scope", "--quiet", "--collect", "--"];

/// What logind will do with what a user leaves behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logind {
    /// `KillUserProcesses=`; what the commented line of the file says was built in, where none is set.
    pub kills: Option<bool>,
    /// `KillOnlyUsers=`: nobody else's, unless empty.
    pub only: Vec<String>,
    /// `KillExcludeUsers=`; root unless said.
    pub but: Vec<String>,
}

/// Where a process stands, by its control group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a login session: ended with it if logind does that.
    Session,
    /// In the user's own manager: ended with the last session unless the user lingers.
    Manager,
    /// In neither, as in a service or a container: no logout ends it.
    Elsewhere,
}

/// What becomes of a runner at logout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It goes on.
    Stays,
    /// It goes on if it is started in a scope of the user's own manager.
    Scope,
    /// It ends, or may end: why, and what to do.
    Ends(String),
}

impl Logind {
    /// Reads what is set below a root, `/` outside tests.
    #[must_use]
    pub fn read(root: &Path) -> Self {
        let main = CONFIG
            .iter()
            .find_map(|folder| std::fs::read_to_string(root.join(folder).join("logind.conf")).ok());
        let mut drops: BTreeMap<OsString, PathBuf> = BTreeMap::new();
        for folder in CONFIG {
            let listed = std::fs::read_dir(root.join(folder).join("logind.conf.d"));
            for entry in listed.into_iter().flatten().flatten() {
                let path = entry.path();
                if path.extension().is_some_and(|end| end == "conf") {
                    drops.entry(entry.file_name()).or_insert(path);
                }
            }
        }
        let texts = drops
            .into_values()
            .filter_map(|path| std::fs::read_to_string(path).ok());
        Self::parse(main.into_iter().chain(texts))
    }

    /// Puts files together in their order: what is said later counts.
    #[must_use]
    pub fn parse(texts: impl IntoIterator<Item = String>) -> Self {
        let mut said = Self {
            but: vec!["root".to_owned()],
            ..Self::default()
        };
        let mut built_in = None;
        for text in texts {
            let mut inside = false;
            for line in text.lines().map(str::trim) {
                if line.starts_with('[') {
                    inside = line == "[Login]";
                    continue;
                }
                if !inside {
                    continue;
                }
                let (comment, line) = match line.strip_prefix(['#', ';']) {
                    Some(line) => (true, line.trim()),
                    None => (false, line),
                };
                let Some((key, value)) = line.split_once('=') else {
                    continue;
                };
                let users = || value.split_whitespace().map(str::to_owned).collect();
                match (key.trim(), comment) {
                    ("KillUserProcesses", true) => built_in = built_in.or_else(|| boolean(value)),
                    ("KillUserProcesses", false) => said.kills = boolean(value).or(said.kills),
                    ("KillOnlyUsers", false) => said.only = users(),
                    ("KillExcludeUsers", false) => said.but = users(),
                    _ => {}
                }
            }
        }
        said.kills = said.kills.or(built_in);
        said
    }

    /// Whether a user's processes are ended with a session; `None` if there is no telling.
    #[must_use]
    pub fn ends(&self, user: &str) -> Option<bool> {
        let named = |list: &[String]| list.iter().any(|name| name == user);
        if named(&self.but) || (!self.only.is_empty() && !named(&self.only)) {
            return Some(false);
        }
        self.kills
    }
}

/// A boolean as systemd takes it.
fn boolean(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "yes" | "y" | "true" | "t" | "on" => Some(true),
        "0" | "no" | "n" | "false" | "f" | "off" => Some(false),
        _ => None,
    }
}

/// Where a process stands, by the text of its `/proc/PID/cgroup`.
#[must_use]
pub fn place(cgroup: &str) -> Place {
    let parts = || cgroup.lines().flat_map(|line| line.split('/'));
    if parts().any(|part| unit(part, "user@", ".service")) {
        Place::Manager
    } else if parts().any(|part| unit(part, "session-", ".scope")) {
        Place::Session
    } else {
        Place::Elsewhere
    }
}

/// Whether a name is a unit's of that kind.
fn unit(name: &str, begin: &str, end: &str) -> bool {
    name.strip_prefix(begin)
        .and_then(|rest| rest.strip_suffix(end))
        .is_some()
}

/// What becomes of a runner of this user. `lingers`: the user's manager lives on without a session. `scopes`: there is a
/// manager to ask, and `systemd-run` to ask with.
#[must_use]
pub fn fate(place: Place, logind: &Logind, user: &str, lingers: bool, scopes: bool) -> Fate {
    let remedy = if lingers {
        "systemd-run or the user's own manager (XDG_RUNTIME_DIR) is missing here: start the cockpit where they are, or stay \
         logged in"
            .to_owned()
    } else {
        format!(
            "loginctl enable-linger {user}, then open the cockpit again; until then stay logged in"
        )
    };
    match (place, logind.ends(user)) {
        (Place::Elsewhere, _) | (Place::Session, Some(false)) => Fate::Stays,
        (Place::Manager, _) if lingers => Fate::Stays,
        (Place::Manager, _) => Fate::Ends(format!(
            "runs end with {user}'s last session, since its manager does: {remedy}"
        )),
        (Place::Session, _) if lingers && scopes => Fate::Scope,
        (Place::Session, Some(true)) => Fate::Ends(format!(
            "this machine ends {user}'s processes at logout (KillUserProcesses), runs too: {remedy}"
        )),
        (Place::Session, None) => Fate::Ends(format!(
            "whether this machine ends {user}'s processes at logout is not known (no KillUserProcesses in logind.conf): \
             {remedy}"
        )),
    }
}

/// What becomes of a runner that this process starts.
#[must_use]
pub fn here() -> Fate {
    let Ok(cgroup) = std::fs::read_to_string("/proc/self/cgroup") else {
        return Fate::Stays;
    };
    let place = place(&cgroup);
    if place == Place::Elsewhere {
        return Fate::Stays;
    }
    let user = if rustix::process::geteuid().is_root() {
        "root".to_owned()
    } else {
        std::env::var("USER")
            .or_else(|_| std::env::var("LOGNAME"))
            .unwrap_or_default()
    };
    let lingers = !user.contains('/')
        && Path::new("/var/lib/systemd/linger").join(&user).exists()
        && !user.is_empty();
    let bus = std::env::var_os("XDG_RUNTIME_DIR")
        .is_some_and(|dir| Path::new(&dir).join("systemd/private").exists());
    let scopes = bus && Path::new(SYSTEMD_RUN).exists();
    fate(place, &Logind::read(Path::new("/")), &user, lingers, scopes)
}

/// Whether the user's manager makes a scope; asked once.
pub(super) fn scope_works() -> bool {
    static WORKS: OnceLock<bool> = OnceLock::new();
    *WORKS.get_or_init(|| {
        Command::new(SYSTEMD_RUN)
            .args(SCOPE)
            .arg("true")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    })
}

/// The command that becomes the runner of a run's folder. In a scope it is the same process: systemd-run becomes it.
pub(super) fn runner(binary: &Path, dir: &Path, fate: &Fate) -> Command {
    let mut command = match fate {
        Fate::Scope => {
            let mut command = Command::new(SYSTEMD_RUN);
            command.args(SCOPE).arg(binary);
            command
        }
        Fate::Stays | Fate::Ends(_) => Command::new(binary),
    };
    command.arg("runner").arg(dir);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conf(texts: &[&str]) -> Logind {
        Logind::parse(texts.iter().map(|text| (*text).to_owned()))
    }

    #[test]
    fn what_logind_will_do_is_read_as_logind_does() {
        // As Debian 12 and Amazon Linux 2023 ship it.
        let shipped =
            "#  comment\n[Login]\n#NAutoVTs=6\n#KillUserProcesses=no\n#KillExcludeUsers=root\n";
        assert_eq!(conf(&[shipped]).ends("ann"), Some(false));
        let upstream = shipped.replace("=no", "=yes");
        assert_eq!(conf(&[&upstream]).ends("ann"), Some(true));
        assert_eq!(conf(&[&upstream]).ends("root"), Some(false));
        assert_eq!(
            conf(&[shipped, "[Login]\nKillUserProcesses = on\n"]).ends("ann"),
            Some(true)
        );
        assert_eq!(
            conf(&[
                "[Login]\nKillUserProcesses=yes\n",
                "[Login]\nKillUserProcesses=0\n"
            ])
            .ends("ann"),
            Some(false)
        );
        assert_eq!(
            conf(&["[Sleep]\nKillUserProcesses=yes\n"]).ends("ann"),
            None
        );
        assert_eq!(
            conf(&["[Login]\nKillUserProcesses=perhaps\n"]).ends("ann"),
            None
        );
        let some =
            "[Login]\nKillUserProcesses=yes\nKillOnlyUsers=bob eve\nKillExcludeUsers=root eve\n";
        let asked = ["ann", "bob", "eve", "root"].map(|user| conf(&[some]).ends(user));
        assert_eq!(asked, [Some(false), Some(true), Some(false), Some(false)]);
        assert_eq!(conf(&[]).ends("ann"), None);
    }

    #[test]
    fn drop_ins_count_by_name_and_the_first_folder_wins() {
        let root = tempfile::tempdir().expect("a folder");
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, text).expect("written");
        };
        write(
            "usr/lib/systemd/logind.conf",
            "[Login]\n#KillUserProcesses=no\n",
        );
        assert_eq!(Logind::read(root.path()).ends("ann"), Some(false));
        write(
            "usr/lib/systemd/logind.conf.d/50-x.conf",
            "[Login]\nKillUserProcesses=yes\n",
        );
        assert_eq!(Logind::read(root.path()).ends("ann"), Some(true));
        write("etc/systemd/logind.conf.d/50-x.conf", "[Login]\n");
        write(
            "etc/systemd/logind.conf.d/60-x.txt",
            "[Login]\nKillUserProcesses=yes\n",
        );
        assert_eq!(Logind::read(root.path()).ends("ann"), Some(false), "masked");
    }

    #[test]
    fn a_run_is_put_where_it_outlives_a_logout_or_somebody_is_told() {
        let kills = conf(&["[Login]\nKillUserProcesses=yes\n"]);
        let keeps = conf(&["[Login]\nKillUserProcesses=no\n"]);
        let session = place("0::/user.slice/user-1000.slice/session-3.scope\n");
        let manager =
            place("0::/user.slice/user-1000.slice/user@1000.service/app.slice/tmux.scope\n");
        let service = place("0::/system.slice/docker-1.scope\n");
        assert_eq!(
            (session, manager, service),
            (Place::Session, Place::Manager, Place::Elsewhere)
        );
        assert_eq!(fate(service, &kills, "ann", false, false), Fate::Stays);
        assert_eq!(fate(session, &keeps, "ann", false, false), Fate::Stays);
        assert_eq!(fate(session, &kills, "root", false, false), Fate::Stays);
        assert_eq!(fate(session, &kills, "ann", true, true), Fate::Scope);
        assert_eq!(fate(manager, &keeps, "ann", true, false), Fate::Stays);
        for (place, logind, lingers, word) in [
            (session, &kills, false, "loginctl enable-linger ann"),
            (session, &kills, true, "systemd-run"),
            (session, &conf(&[]), false, "is not known"),
            (manager, &keeps, false, "last session"),
        ] {
            match fate(place, logind, "ann", lingers, false) {
                Fate::Ends(why) => assert!(why.contains(word), "{word}: {why}"),
                other => unreachable!("{word}: {other:?}"),
            }
        }
    }

    #[test]
    fn in_a_scope_the_runner_is_the_same_process() {
        let words = |fate: &Fate| {
            let command = runner(Path::new("/bin/relight"), Path::new("/runs/x"), fate);
            let words = std::iter::once(command.get_program()).chain(command.get_args());
            words
                .map(|word| word.to_string_lossy().into_owned())
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(words(&Fate::Stays), "/bin/relight runner /runs/x");
        assert_eq!(
            words(&Fate::Scope),
            "/usr/bin/systemd-run --user --scope --quiet --collect -- /bin/relight runner /runs/x"
        );
    }
}
