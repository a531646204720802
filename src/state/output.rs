//! The part of a run's output that the screen needs. The whole of it is on disk.

use crate::incident::Moment;

/// One line of output, clean of control bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputLine {
    /// Number, from 0.
    pub number: u64,
    /// When it was read from the child.
    pub at: Moment,
    /// The text.
    pub text: String,
}

/// A window on a run's output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Lines there are.
    pub total: u64,
    /// Consecutive lines, at most a few hundred.
    pub lines: Vec<OutputLine>,
}

impl Output {
    /// Whether these lines are all in the window.
    #[must_use]
    pub fn holds(&self, first: u64, count: u64) -> bool {
        let last = first.saturating_add(count).min(self.total);
        first >= last
            || matches!((self.lines.first(), self.lines.last()),
                (Some(from), Some(to)) if from.number <= first && to.number + 1 >= last)
    }
}

/// Which part of a run's output is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The newest lines.
    Tail,
    /// The lines around this one.
    Around(u64),
}
