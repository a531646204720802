//! What this terminal shows: focus, scroll, dialogs. Never journalled.

use std::collections::BTreeMap;

use super::{Holding, Playback, RowKey};
use crate::{
    incident::{Moment, RunId, StepId, Way},
    journal::{ArmedStep, Waived},
};

/// A pane, in the order of the tab key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pane {
    /// The steps.
    #[default]
    Runbook,
    /// Pods of both clusters.
    Pods,
    /// Backups and data age.
    Backups,
    /// Authorities and caches.
    Dns,
    /// Old, new and public way to the proxy.
    Web,
    /// Output of a run.
    Output,
}

impl Pane {
    /// Every pane, in the order of the tab key.
    pub const ALL: [Self; 6] = [
        Self::Runbook,
        Self::Pods,
        Self::Backups,
        Self::Dns,
        Self::Web,
        Self::Output,
    ];

    /// The pane's name, as titles, palette and journal say it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Runbook => "Runbook",
            Self::Pods => "Pods",
            Self::Backups => "Backups",
            Self::Dns => "DNS",
            Self::Web => "Web API",
            Self::Output => "Output",
        }
    }
}

/// Where a pane is scrolled to, by intent, so that new rows never move what is being read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scroll {
    /// Stays with the newest (output) or with the selection (lists).
    #[default]
    Follow,
    /// The line at the top, by its number from 0 (output), or the first visible row (lists).
    Line(u64),
}

/// What is particular to one pane.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaneDesk {
    /// The selected row, by identity.
    pub selected: Option<RowKey>,
    /// Where it is scrolled to.
    pub scroll: Scroll,
    /// Columns scrolled to the right.
    pub shift: u16,
    /// Only rows that contain this, ignoring case.
    pub filter: String,
}

/// Which button of a dialog has the focus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Focus {
    /// Leave without doing it: always the first.
    #[default]
    Cancel,
    /// Do it.
    Run,
}

impl Confirm {
    /// Whether text is typed into it: a phrase, or a note.
    #[must_use]
    pub const fn is_typed(&self) -> bool {
        self.armed.phrase.is_some() || self.armed.by_hand
    }
}

/// The dialog that stands between a key and a `change` or `destroy` step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirm {
    /// What will be done.
    pub armed: ArmedStep,
    /// The focused button.
    pub focus: Focus,
    /// What has been typed of the phrase.
    pub typed: String,
    /// The note so far of who does it by hand; asked for once the phrase is right.
    pub note: Option<String>,
    /// The first line shown of what will be done, where it is longer than the screen.
    pub top: u16,
    /// Whether the dialog has been on screen: keys typed before that do not answer it.
    pub drawn: bool,
}

/// What stands between a key and a step whose preconditions are UNKNOWN: first the phrase, then the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The step.
    pub step: StepId,
    /// Every precondition that is UNKNOWN, as it was when the dialog was opened.
    pub waived: Vec<Waived>,
    /// What has been typed of the phrase.
    pub typed: String,
    /// The reason so far, once the phrase is right.
    pub reason: Option<String>,
    /// The first line shown of what is UNKNOWN.
    pub top: u16,
    /// Whether the dialog has been on screen: keys typed before that do not answer it.
    pub drawn: bool,
}

impl Override {
    /// The phrase to type.
    #[must_use]
    pub fn phrase(&self) -> String {
        format!("override {}", self.step)
    }
}

/// What one who looks on answers for by a phrase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vouching {
    /// To take the incident from its holder, as it was seen when the dialog was opened.
    TakeOver(Box<Holding>),
    /// That another person's armed step may be confirmed.
    Approve(Box<ArmedStep>),
}

/// What stands between an observer's key and a take-over or an approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouch {
    /// What for.
    pub what: Vouching,
    /// What has been typed of the phrase.
    pub typed: String,
    /// The first line shown.
    pub top: u16,
    /// Whether the dialog has been on screen: keys typed before that do not answer it.
    pub drawn: bool,
}

impl Vouch {
    /// The phrase to type.
    #[must_use]
    pub fn phrase(&self) -> String {
        match &self.what {
            Vouching::TakeOver(holding) => holding.phrase(),
            Vouching::Approve(armed) => armed.approval_phrase(),
        }
    }
}

/// A line of text asked of the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What the reason is for.
    pub why: Why,
    /// The text so far.
    pub text: String,
}

/// What a reason is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// To skip a step.
    Skip(StepId),
    /// To close the incident.
    Close,
    /// To set the start of the outage: a time.
    Outage,
}

/// A search in the output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// The text searched for, ignoring case unless it holds a capital.
    pub text: String,
    /// Line of the hit shown, and of which run.
    pub hit: Option<(RunId, u64)>,
    /// Set once a search came back empty.
    pub missed: bool,
}

/// What lies over the panes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overlay {
    /// Every key, by section; scrolled by lines.
    Help(u16),
    /// Every action, filtered by what is typed; the index is among the matches.
    Palette(String, usize),
    /// Run it or not.
    Confirm(Confirm),
    /// Why a step is run although preconditions are UNKNOWN.
    Override(Override),
    /// An observer takes over, or approves.
    Vouch(Vouch),
    /// Why a step is skipped, or the incident closed.
    Reason(Reason),
    /// A search in the output is being typed.
    Search(String),
    /// A filter for the focused pane is being typed.
    Filter(String),
    /// The list of themes; the index into [`Desk::themes`].
    Themes(usize),
    /// All that is known of a step: why it is locked, what it does, its runs and findings; scrolled by lines.
    Detail(StepId, u16),
}

/// How a notice is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// For information.
    Info,
    /// Something was refused or went wrong.
    Warn,
}

/// One line above the footer that goes away by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The sentence.
    pub text: String,
    /// When it was put there; it leaves after ten seconds.
    pub at: Moment,
    /// How it is meant.
    pub tone: Tone,
}

/// What this terminal shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desk {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The focused pane.
    pub focus: Pane,
    /// The pane of the right column where there is room for one only: the last focused one of them.
    pub right: Option<Pane>,
    /// Whether the focused pane has the whole screen, without borders.
    pub zoom: bool,
    /// Selection, scroll and filter of each pane.
    pub panes: BTreeMap<Pane, PaneDesk>,
    /// What lies over the panes.
    pub overlay: Option<Overlay>,
    /// The run whose output is shown; the newest unless chosen.
    pub output_run: Option<RunId>,
    /// Which way the operator wants a step to go, where it is not left to the instruments.
    pub ways: BTreeMap<StepId, Way>,
    /// The last search in the output.
    pub search: Search,
    /// One line for the operator.
    pub notice: Option<Notice>,
    /// How an incident is played again, where this is a replay.
    pub playback: Option<Playback>,
    /// Name of the theme in use.
    pub theme: String,
    /// Names of the themes there are.
    pub themes: Vec<String>,
    /// What the user's own themes say of themselves, by name.
    pub abouts: BTreeMap<String, String>,
    /// The user's own keys: action → keys, as the room of the keys has taken them over.
    pub keys: BTreeMap<String, Vec<String>>,
}

impl Desk {
    /// What is particular to a pane.
    #[must_use]
    pub fn pane(&self, pane: Pane) -> PaneDesk {
        self.panes.get(&pane).cloned().unwrap_or_default()
    }

    /// The same, to be changed.
    pub fn pane_mut(&mut self, pane: Pane) -> &mut PaneDesk {
        self.panes.entry(pane).or_default()
    }

    /// Whether keys are text for a field now.
    #[must_use]
    pub const fn is_typing(&self) -> bool {
        match &self.overlay {
            Some(Overlay::Confirm(confirm)) => confirm.is_typed(),
            Some(
                Overlay::Override(_)
                | Overlay::Vouch(_)
                | Overlay::Palette(..)
                | Overlay::Reason(_)
                | Overlay::Search(_)
                | Overlay::Filter(_),
            ) => true,
            _ => false,
        }
    }
}
