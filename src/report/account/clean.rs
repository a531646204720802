//! Every text on its way out: control bytes first, then secrets once more (design, section 5).

use crate::report::{Line, line::flat};

/// What takes the secrets out of a text; `None` if it may stay as it is. The edge brings it: the rules belong to the
/// engine.
pub type Clean<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Makes lines that may leave this machine.
#[derive(Clone, Copy)]
pub(super) struct Wash<'a>(pub Clean<'a>);

impl Wash<'_> {
    /// A text as one line. Its control bytes are taken out before its secrets, since one between two letters would hide
    /// them, and it is cut to its length after that, since half a secret is not found.
    pub fn line(&self, text: impl AsRef<str>) -> Line {
        let flat = flat(text.as_ref());
        match (self.0)(&flat) {
            Some(cleaned) => Line::from(cleaned),
            None => Line::from(flat),
        }
    }

    /// A text as one line, where there is something in it.
    pub fn some(&self, text: impl AsRef<str>) -> Option<Line> {
        let line = self.line(text);
        (!line.as_str().is_empty()).then_some(line)
    }
}
