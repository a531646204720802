//! What comes in and what goes out.

use std::time::Duration;

use super::{Access, Holding, Output, Pane, Wanted};
use crate::{
    incident::{History, Instruments, Moment, Observation, Person, RunId, StepId},
    journal::{ArmedStep, Entry, Record, Request, Wish},
};

/// What the operator means by a key, whatever the key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Focus a pane.
    Focus(Pane),
    /// Focus the next or, if false, the previous pane.
    Cycle(bool),
    /// Give the focused pane the whole screen, or give it back.
    Zoom,
    /// Move by rows; negative is up.
    Move(i32),
    /// Move by screens; negative is up.
    Page(i32),
    /// Move sideways by columns; negative is left.
    Shift(i32),
    /// To the first row.
    Top,
    /// To the last row; in the output, follow again.
    Bottom,
    /// Arm a step; `None` is the selected one.
    Run(Option<StepId>),
    /// Arm the step with this number, from 1.
    RunNumber(usize),
    /// Say what the selected step would do and change nothing.
    DryRun,
    /// Let the selected step go its other way, graceful or not; a live run of it is asked to stop first.
    OtherWay,
    /// Run the selected step although preconditions are UNKNOWN: asks for a phrase and a reason.
    Override,
    /// Skip the selected step: asks for a reason.
    Skip,
    /// Say when the outage began: asks for the time.
    Outage,
    /// Close the incident: asks for a reason.
    Close,
    /// Ask the run shown, or that of the selected step, to stop.
    Cancel,
    /// Offer the incident to whoever looks on, or take the offer back.
    Offer,
    /// Accept an offered incident.
    AcceptOffer,
    /// Take the incident from its holder: asks for a phrase.
    TakeOver,
    /// Approve the armed step that waits for another person: asks for a phrase.
    Approve,
    /// All that is known of the selected step.
    Detail,
    /// Show the output of the next or, if false, the previous run.
    NextRun(bool),
    /// Type a search for the output.
    Search,
    /// The next or, if false, the previous hit.
    Hit(bool),
    /// Type a filter for the focused pane.
    Filter,
    /// Look at everything now.
    Refresh,
    /// Let a replay stand, or go on.
    Pause,
    /// Play faster or, if false, slower.
    Speed(bool),
    /// To the next or, if false, the previous transition of what is played.
    Jump(bool),
    /// Every action by name.
    Palette,
    /// Every key.
    Help,
    /// Choose a theme.
    Themes,
    /// Copy the selected row, or the output shown.
    Copy,
    /// Copy the command of the selected step.
    CopyCommand,
    /// Draw everything again.
    Redraw,
    /// Stop this process until it is continued; runs go on.
    Suspend,
    /// Leave the screen; runs go on.
    Detach,
    /// Answer the dialog with its focused button, or take the field.
    Accept,
    /// Leave the overlay.
    Dismiss,
    /// Move between the buttons of a dialog.
    Button,
    /// A character for the field.
    Insert(char),
    /// A pasted text.
    Paste(String),
    /// Delete the last character of the field.
    Backspace,
    /// Empty the field.
    Clear,
    /// Select a row of the palette or of the themes.
    Choose(usize),
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// The second changed.
    Tick(Moment),
    /// The operator meant something.
    Intent(Intent, Moment),
    /// The terminal has this size now.
    Resize(u16, u16),
    /// A frame with the current overlay is on screen.
    Drawn,
    /// A probe saw something.
    Observed(Vec<Observation>, Moment),
    /// Readings that another cockpit of this incident had kept, each with its own age.
    Recalled(Instruments),
    /// How long steps took in earlier incidents of this cluster.
    History(History),
    /// What this terminal may do has changed.
    Access(Access),
    /// Who holds the incident and what runs, for one who looks on.
    Held(Box<Holding>),
    /// Runs of before a take-over that are still there.
    Awaiting(Vec<RunId>),
    /// An observer asks something of the holder.
    Asked(Box<Request>),
    /// Records that were on disk before this cockpit attached, or that another one wrote: told, not acted on.
    Replayed(Vec<Record>),
    /// A record of this cockpit is on disk.
    Recorded(Record),
    /// A record could not be written.
    DiskFailed(String),
    /// A run told something.
    Run(RunEvent),
    /// A part of a run's output, as asked for.
    Output(RunId, Output),
    /// A search came back: the line, or nothing.
    Found(RunId, Option<u64>),
    /// Something for the notice line.
    Notice(String, Moment),
    /// A run's output was saved: what to tell, and its last lines for the terminal's clipboard.
    Saved(String, String, Moment),
}

/// What a runner wrote into its own records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunEvent {
    /// The child runs.
    Started {
        /// The run.
        run: RunId,
        /// Sequence in the run's records.
        of: u64,
        /// Process id of the runner.
        pid: u32,
    },
    /// The child ended.
    Exited {
        /// The run.
        run: RunId,
        /// Sequence in the run's records.
        of: u64,
        /// Exit code.
        code: Option<i32>,
        /// In words.
        how: String,
    },
    /// The runner is gone without an exit record.
    ContactLost {
        /// The run.
        run: RunId,
        /// In words.
        why: String,
    },
    /// Its output has grown.
    Grew {
        /// The run.
        run: RunId,
        /// Lines so far.
        lines: u64,
    },
}

/// What is to be done at the edge.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Write this down; [`Event::Recorded`] comes back when it is on disk.
    Record(Entry),
    /// STS has said who sits here.
    Identify(Person),
    /// Ask something of the operator's cockpit; the answer comes by the journal.
    Ask(Wish),
    /// Take the incident from its holder: what was typed, and how long the holder had been silent.
    TakeOver(String, Duration),
    /// Start the runner of a confirmed run.
    Start(ArmedStep),
    /// Find out what became of a run that was confirmed before this cockpit attached.
    Settle(RunId),
    /// Ask a run to stop.
    Cancel(RunId),
    /// Every probe looks now.
    ProbeNow,
    /// To the next or, if false, the previous transition of what is played.
    Jump(bool),
    /// Fetch a part of a run's output.
    Fetch(RunId, Wanted),
    /// Search a run's output from a line on, or backwards.
    Find {
        /// The run.
        run: RunId,
        /// What to look for.
        text: String,
        /// The line to start at.
        from: u64,
        /// Towards the end or towards the beginning.
        forward: bool,
    },
    /// Send to the terminal's clipboard and save to a file: what it is called, and the text.
    Copy(&'static str, String),
    /// Save the whole output of a run to a file; [`Event::Saved`] comes back.
    CopyOutput(RunId),
    /// Send a text to the terminal's clipboard, and nothing else.
    Offer(String),
    /// Ring.
    Bell,
    /// Stop this process until it is continued.
    Suspend,
    /// Draw everything again.
    Redraw,
    /// Leave the screen.
    Quit,
}
