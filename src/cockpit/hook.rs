//! The plan's `on_event`: a program of the operator's own that is told of what must be told, such as a pager.
//!
//! Events wait for it in a queue and never hold the watch up. One that it does not take is tried again, and then told.

use std::{io, process::Stdio, time::Duration};

use tokio::{io::AsyncWriteExt as _, process::Command, sync::mpsc, task::JoinHandle};

/// How long the program may take for one event.
const PATIENCE: Duration = Duration::from_secs(30);
/// After these times it is tried again.
const AGAIN: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(10)];
/// Events that wait at most: a program that hangs for hours does not fill the memory.
const WAITING: usize = 64;

/// An event for the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// What it is: `RELIGHT_EVENT`.
    pub word: &'static str,
    /// In words: `RELIGHT_TEXT`.
    pub text: String,
    /// As JSON, on its standard input.
    pub json: String,
}

/// The program, with what waits for it.
pub(super) struct Hook {
    calls: mpsc::Sender<Call>,
    /// What it did not take, in words.
    failed: mpsc::UnboundedReceiver<String>,
    task: JoinHandle<()>,
}

impl Hook {
    /// The program of the plan; `None` where it names none.
    pub fn of(argv: &[String]) -> Option<Self> {
        Self::start(argv, AGAIN)
    }

    fn start(argv: &[String], again: [Duration; 2]) -> Option<Self> {
        let argv = argv.to_vec();
        argv.first()?;
        let (calls, mut waiting) = mpsc::channel::<Call>(WAITING);
        let (told, failed) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            while let Some(call) = waiting.recv().await {
                if let Err(why) = insist(&argv, &call, again).await {
                    let _ = told.send(format!("{}: {}: {why}", call.word, call.text));
                }
            }
        });
        Some(Self {
            calls,
            failed,
            task,
        })
    }

    /// Tells it of an event. While too many wait it is not told, and that is said.
    pub fn tell(&self, call: Call) -> Result<(), String> {
        let word = call.word;
        self.calls.try_send(call).map_err(|_| {
            format!("{word}: {WAITING} events wait for it already; it was not told of this one")
        })
    }

    /// The next event that it did not take.
    pub async fn failed(&mut self) -> Option<String> {
        self.failed.recv().await
    }

    /// Waits until it has been told of all that waits. What it did not take.
    pub async fn close(self) -> Vec<String> {
        let Self {
            calls,
            mut failed,
            task,
        } = self;
        drop(calls);
        let _ = task.await;
        let mut all = Vec::new();
        while let Some(why) = failed.recv().await {
            all.push(why);
        }
        all
    }
}

/// Tries until it takes the event, a few times.
async fn insist(argv: &[String], call: &Call, again: [Duration; 2]) -> Result<(), String> {
    let mut last = told(argv, call).await;
    for pause in again {
        if last.is_ok() {
            break;
        }
        tokio::time::sleep(pause).await;
        last = told(argv, call).await;
    }
    last.map_err(|why| format!("tried {} times: {why}", again.len() + 1))
}

/// Runs it once.
async fn told(argv: &[String], call: &Call) -> Result<(), String> {
    let [program, rest @ ..] = argv else {
        return Ok(());
    };
    let mut child = Command::new(program)
        .args(rest)
        .env("RELIGHT_EVENT", call.word)
        .env("RELIGHT_TEXT", &call.text)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| {
            format!("{program} cannot be started: {error}; see on_event in [watch]")
        })?;
    let stdin = child.stdin.take();
    let handing_over = async {
        if let Some(mut stdin) = stdin {
            // One that reads nothing may still have done what it is for.
            match stdin.write_all(call.json.as_bytes()).await {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
                _ => {}
            }
        }
        Ok(())
    };
    let done = async {
        let (fed, status) = tokio::join!(handing_over, child.wait());
        fed.and(status)
    };
    match tokio::time::timeout(PATIENCE, done).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(format!("{program} ended with {status}")),
        Ok(Err(error)) => Err(format!("{program}: {error}")),
        Err(_) => Err(format!(
            "{program} did not end within {}s and was killed",
            PATIENCE.as_secs()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(word: &'static str) -> Call {
        Call {
            word,
            text: "THE OLD CLUSTER IS BACK".to_owned(),
            json: "{\"event\":\"alarm\"}".to_owned(),
        }
    }

    fn argv(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[tokio::test]
    async fn it_gets_the_event_in_order_on_stdin_and_in_words() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("log");
        let script = format!(
            "cat >> {0}; echo \" $RELIGHT_EVENT $RELIGHT_TEXT\" >> {0}",
            log.display()
        );
        let hook = Hook::of(&argv(&["sh", "-c", &script])).expect("a program");
        hook.tell(call("alarm")).expect("told");
        hook.tell(call("over")).expect("told");
        assert_eq!(hook.close().await, Vec::<String>::new());
        let told = std::fs::read_to_string(log).expect("the log");
        assert_eq!(
            told,
            "{\"event\":\"alarm\"} alarm THE OLD CLUSTER IS BACK\n{\"event\":\"alarm\"} over THE OLD CLUSTER IS BACK\n"
        );
    }

    #[tokio::test]
    async fn what_it_does_not_take_is_tried_again_and_told() {
        assert!(Hook::of(&[]).is_none());
        let at_once = [Duration::ZERO; 2];
        let hook = Hook::start(&argv(&["/nowhere/pager"]), at_once).expect("a program");
        hook.tell(call("alarm")).expect("told");
        let failed = hook.close().await;
        assert_eq!(failed.len(), 1);
        for part in ["alarm", "/nowhere/pager", "3 times", "on_event"] {
            assert!(failed[0].contains(part), "{part}: {failed:?}");
        }
    }
}
