//! A real server as a child of the test: started with its log in a file, waited for, killed, stopped and continued.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// How long anything may take before a test gives up: a limit for a hang, not an expectation.
const PATIENCE: Duration = Duration::from_mins(2);
/// How often a condition is looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// Waits until a condition gives something; with what was waited for in the message if it never does.
pub fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(begin.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::park_timeout(GLANCE);
    }
}

/// Whether a thread is stopped: the state is the word after the name in brackets. One that has ended does not run either.
fn stopped(task: &Path) -> bool {
    std::fs::read_to_string(task.join("stat")).map_or(true, |stat| {
        stat.rsplit(')')
            .next()
            .is_some_and(|rest| rest.trim_start().starts_with(['T', 't', 'Z', 'X']))
    })
}

/// A server, and how to start it again.
pub struct Server {
    name: String,
    program: PathBuf,
    args: Vec<String>,
    vars: Vec<(String, String)>,
    folder: PathBuf,
    child: Child,
}

impl Server {
    /// Starts a program in a folder; what it prints goes to `NAME.log` there.
    pub fn start(
        name: &str,
        folder: &Path,
        program: &Path,
        args: &[String],
        vars: &[(String, String)],
    ) -> Self {
        let child = spawn(name, folder, program, args, vars);
        Self {
            name: name.to_owned(),
            program: program.to_owned(),
            args: args.to_vec(),
            vars: vars.to_vec(),
            folder: folder.to_owned(),
            child,
        }
    }

    /// Waits until it is ready; a server that ends meanwhile is told with its log.
    pub fn ready<T>(&mut self, mut found: impl FnMut() -> Option<T>) -> T {
        let what = format!("{} to be ready, log in {}", self.name, self.log().display());
        until(&what, || {
            self.lives();
            found()
        })
    }

    /// Fails with its log if it has ended by itself.
    pub fn lives(&mut self) {
        let ended = self.child.try_wait().expect("a child");
        assert!(
            ended.is_none(),
            "{} ended ({ended:?}):\n{}",
            self.name,
            self.told()
        );
    }

    /// Ends it at once, as a machine that loses power does.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again as it was started first.
    pub fn restart(&mut self) {
        self.kill();
        self.child = spawn(
            &self.name,
            &self.folder,
            &self.program,
            &self.args,
            &self.vars,
        );
    }

    /// SIGSTOP: its sockets stay open and nothing answers, the worst kind of dead.
    ///
    /// A group stop reaches one thread first; another may answer a last query until all have stopped.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
        let tasks = format!("/proc/{}/task", self.child.id());
        until(&format!("{} to stop", self.name), || {
            std::fs::read_dir(&tasks)
                .expect("its threads")
                .flatten()
                .all(|task| stopped(&task.path()))
                .then_some(())
        });
    }

    /// SIGCONT.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Sends a signal: HUP, where it means "read the configuration again".
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).expect("a process id");
        kill_process(Pid::from_raw(pid).expect("a process id"), signal).expect("a signal");
    }

    /// The file with what it printed.
    pub fn log(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.name))
    }

    /// What it printed.
    pub fn told(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(
    name: &str,
    folder: &Path,
    program: &Path,
    args: &[String],
    vars: &[(String, String)],
) -> Child {
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join(format!("{name}.log")))
        .expect("a log");
    Command::new(program)
        .args(args)
        .envs(vars.iter().map(|(name, value)| (name, value)))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a log"))
        .stderr(log)
        .spawn()
        .unwrap_or_else(|error| unreachable!("{} for {name}: {error}", program.display()))
}
