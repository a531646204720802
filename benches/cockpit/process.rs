//! What a process has cost so far, as the kernel counts it.

use std::{fs, io, time::Duration};

/// The counters of a process, its threads taken together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// Processor time, to the nanosecond.
    pub cpu: Duration,
    /// How often a thread gave the processor up by itself: each time something waked it up before.
    pub switches: u64,
    /// Most memory that was ever resident, KiB.
    pub peak: u64,
}

impl Cost {
    /// The counters now.
    ///
    /// # Errors
    /// If the process is gone.
    pub fn of(pid: u32) -> io::Result<Self> {
        let mut cost = Self {
            peak: field(
                &fs::read_to_string(format!("/proc/{pid}/status"))?,
                "VmHWM:",
            ),
            ..Self::default()
        };
        for task in fs::read_dir(format!("/proc/{pid}/task"))? {
            let task = task?.path();
            // A thread may end while we look.
            let Ok(spent) = fs::read_to_string(task.join("schedstat")) else {
                continue;
            };
            let nanos = spent.split(' ').next().and_then(|word| word.parse().ok());
            cost.cpu += Duration::from_nanos(nanos.unwrap_or(0));
            let status = fs::read_to_string(task.join("status")).unwrap_or_default();
            cost.switches += field(&status, "voluntary_ctxt_switches:");
        }
        Ok(cost)
    }
}

/// The number behind a name, at the beginning of a line.
fn field(status: &str, name: &str) -> u64 {
    status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|word| word.parse().ok())
        .unwrap_or(0)
}
