//! Where in the text things are, and what was found wrong with them.

use std::{ops::Range, path::Path};

use crate::{
    incident::plain::plain,
    plan::{Diagnostic, Level},
};

/// Bytes of the text.
pub(super) type Span = Range<usize>;

/// Longest excerpt shown, in characters.
const EXCERPT: usize = 80;

/// A value with the place it was read from.
#[derive(Clone, Debug)]
pub(super) struct Found<T> {
    /// The value.
    pub(super) value: T,
    /// Its place.
    pub(super) span: Span,
}

/// Collects findings while sections are read.
pub(super) struct Reader<'t> {
    path: &'t Path,
    text: &'t str,
    findings: Vec<Diagnostic>,
    /// Whether the text is not TOML: what a syntax error tore out is not reported as missing, too.
    torn: bool,
}

impl<'t> Reader<'t> {
    /// A reader of the text of a file.
    pub(super) const fn new(path: &'t Path, text: &'t str) -> Self {
        Self {
            path,
            text,
            findings: Vec::new(),
            torn: false,
        }
    }

    /// The text is not TOML there.
    pub(super) fn syntax(&mut self, span: &Span, message: &str) {
        self.torn = true;
        self.error(
            span,
            format!("this is not TOML: {message}"),
            "write keys as name = \"value\" and tables as [name]; see https://toml.io",
        );
    }

    /// Something that every plan needs is not there.
    pub(super) fn missing(
        &mut self,
        span: &Span,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        if !self.torn {
            self.error(span, message, remedy);
        }
    }

    /// The plan cannot be used.
    pub(super) fn error(
        &mut self,
        span: &Span,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.push(Level::Error, span, &message.into(), remedy.into());
    }

    /// Odd, and not wrong.
    pub(super) fn warning(
        &mut self,
        span: &Span,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.push(Level::Warning, span, &message.into(), remedy.into());
    }

    /// Not declared; `message` says what is locked without it.
    pub(super) fn gap(
        &mut self,
        span: &Span,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.push(Level::Gap, span, &message.into(), remedy.into());
    }

    /// Everything found, in the order of the text, and whether the plan is wrong: then errors only.
    pub(super) fn finish(mut self) -> (bool, Vec<Diagnostic>) {
        let failed = self
            .findings
            .iter()
            .any(|found| found.level == Level::Error);
        if failed {
            self.findings.retain(|found| found.level == Level::Error);
        }
        self.findings
            .sort_by_key(|found| (found.line, found.column, found.level));
        self.findings.dedup();
        (failed, self.findings)
    }

    fn push(&mut self, level: Level, span: &Span, message: &str, remedy: String) {
        let (line, column) = self.place(span.start);
        let diagnostic = Diagnostic {
            level,
            path: self.path.to_owned(),
            line,
            column,
            excerpt: self.excerpt(span),
            message: clean(message),
            remedy,
        };
        self.findings.push(diagnostic);
    }

    /// Line and column, both from 1, the column in characters.
    fn place(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..self.floor(offset)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        (line, before[start..].chars().count() + 1)
    }

    /// The offending text, or its whole line where there is nothing to quote; at most one line.
    fn excerpt(&self, span: &Span) -> String {
        let (start, end) = (self.floor(span.start), self.floor(span.end));
        let quoted = self.text.get(start..end).unwrap_or_default();
        let quoted = quoted.lines().next().unwrap_or_default().trim();
        let shown = if span.end == 0 {
            ""
        } else if quoted.is_empty() {
            let from = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
            self.text[from..].lines().next().unwrap_or_default().trim()
        } else {
            quoted
        };
        clean(&shown.chars().take(EXCERPT).collect::<String>())
    }

    /// The next character boundary at or before an offset: errors of the lexer may point into a character.
    fn floor(&self, offset: usize) -> usize {
        let mut at = offset.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

/// Control bytes of a file never reach the terminal.
fn clean(text: &str) -> String {
    plain(text).into_owned()
}
