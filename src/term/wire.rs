//! One write per frame, on a thread of its own.

use std::{
    io::{self, Write as _},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use tokio::sync::Notify;

/// How long a frame on its way is waited for when the terminal is to be given back.
const DRAIN: Duration = Duration::from_millis(50);

/// The way to the terminal. It holds one frame at most: while that is being written, nothing is drawn, and the next
/// frame is drawn from the newest state. A terminal that stops reading therefore blocks no key and costs no memory.
#[derive(Debug)]
pub struct Wire {
    frames: mpsc::SyncSender<Vec<u8>>,
    busy: Arc<AtomicBool>,
    idle: Arc<Notify>,
}

impl Wire {
    /// Starts the thread that writes to standard output.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start() -> io::Result<Self> {
        let (frames, inbox) = mpsc::sync_channel::<Vec<u8>>(1);
        let busy = Arc::new(AtomicBool::new(false));
        let idle = Arc::new(Notify::new());
        let (done, wake) = (Arc::clone(&busy), Arc::clone(&idle));
        thread::Builder::new()
            .name("wire".to_owned())
            .spawn(move || {
                for frame in inbox {
                    // Not through std's Stdout: its line buffer would cut a frame into pieces. A dead terminal is told by
                    // its hang-up; there is nothing to do about it here.
                    let _ = write_whole(&frame);
                    done.store(false, Ordering::Release);
                    wake.notify_one();
                }
            })?;
        Ok(Self { frames, busy, idle })
    }

    /// Whether a frame is still on its way.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Acquire)
    }

    /// Sends bytes; only while not busy.
    pub fn send(&self, bytes: Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        self.busy.store(true, Ordering::Release);
        if self.frames.send(bytes).is_err() {
            self.busy.store(false, Ordering::Release);
        }
    }

    /// Waits until the frame on its way is out, but no longer than a terminal that reads at all needs; false if it is
    /// still on its way. What is written afterwards by another hand then comes after it.
    #[must_use]
    pub fn drain(&self) -> bool {
        let begin = Instant::now();
        while self.is_busy() && begin.elapsed() < DRAIN {
            thread::sleep(Duration::from_millis(1));
        }
        !self.is_busy()
    }

    /// Waits until the frame on its way has been written; at once if there is none.
    pub async fn written(&self) {
        while self.is_busy() {
            self.idle.notified().await;
        }
    }
}

/// Writes everything, in as few writes as the terminal takes.
fn write_whole(mut bytes: &[u8]) -> io::Result<()> {
    let stdout = io::stdout();
    // Whatever std still holds goes first.
    stdout.lock().flush()?;
    while !bytes.is_empty() {
        match rustix::io::write(&stdout, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => bytes = bytes.get(n..).unwrap_or_default(),
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => thread::sleep(Duration::from_millis(5)),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
