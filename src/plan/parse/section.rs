//! One table of the plan: its keys are known by being asked for, and what nobody asked for is an unknown key.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    nearest::nearest,
    reader::{Found, Reader, Span},
    rules::{self, Wrong},
};
use crate::plan::ResolverPlan;

/// One table being read.
pub(super) struct Section<'d, 'i> {
    /// `primary.kube`; empty for the top.
    name: String,
    /// Where it begins: what is missing in it is reported there.
    pub(super) span: Span,
    table: Option<&'d DeTable<'i>>,
    asked: Vec<&'static str>,
}

impl<'d, 'i> Section<'d, 'i> {
    /// The whole document.
    pub(super) const fn top(table: &'d DeTable<'i>) -> Self {
        Self {
            name: String::new(),
            span: 0..0,
            table: Some(table),
            asked: Vec::new(),
        }
    }

    /// A table in this one; an empty one if it is not there.
    pub(super) fn section(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Self {
        let name = if self.name.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.name)
        };
        let mut section = Self {
            name,
            span: self.span.clone(),
            table: None,
            asked: Vec::new(),
        };
        if let Some((place, value)) = self.get(key) {
            section.span = place;
            match value.get_ref() {
                DeValue::Table(table) => section.table = Some(table),
                other => self.mistyped(reader, key, &value.span(), other, "a table"),
            }
        }
        section
    }

    /// Whether the key is there, right or wrong.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table
            .is_some_and(|table| table.iter().any(|(known, _)| known.get_ref() == key))
    }

    /// `[primary] region`, as messages name a key.
    pub(super) fn label(&self, key: &str) -> String {
        if self.name.is_empty() {
            key.to_owned()
        } else {
            format!("[{}] {key}", self.name)
        }
    }

    /// A string that follows a rule.
    pub(super) fn parsed<T>(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        rule: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Option<Found<T>> {
        let (_, value) = self.get(key)?;
        let span = value.span();
        match value.get_ref() {
            DeValue::String(text) => self.ruled(reader, key, &span, text, &rule),
            other => {
                self.mistyped(reader, key, &span, other, "a string");
                None
            }
        }
    }

    /// A string that is not empty.
    pub(super) fn text(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
    ) -> Option<Found<String>> {
        self.parsed(reader, key, rules::text)
    }

    /// A path, made absolute against the plan's folder.
    pub(super) fn path(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        folder: &std::path::Path,
    ) -> Option<Found<PathBuf>> {
        self.parsed(reader, key, |text| rules::path(text, folder))
    }

    /// A duration: `"15m"`, or a whole number of seconds.
    pub(super) fn duration(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
    ) -> Option<Found<Duration>> {
        let (_, value) = self.get(key)?;
        let span = value.span();
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => format!("{}s", number.as_str()),
            other => {
                self.mistyped(reader, key, &span, other, "a duration such as \"15m\"");
                return None;
            }
        };
        self.ruled(reader, key, &span, &text, &rules::duration)
    }

    /// A whole number within bounds, both included.
    pub(super) fn number(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        bounds: (u32, u32),
    ) -> Option<Found<u32>> {
        let (_, value) = self.get(key)?;
        let span = value.span();
        let DeValue::Integer(number) = value.get_ref() else {
            self.mistyped(reader, key, &span, value.get_ref(), "a whole number");
            return None;
        };
        match u32::from_str_radix(number.as_str(), number.radix()) {
            Ok(value) if (bounds.0..=bounds.1).contains(&value) => Some(Found { value, span }),
            _ => {
                reader.error(
                    &span,
                    format!("{} is out of range", self.label(key)),
                    format!("use a number from {} to {}", bounds.0, bounds.1),
                );
                None
            }
        }
    }

    /// `true` or `false`; false if it is not there.
    pub(super) fn flag(&mut self, reader: &mut Reader<'_>, key: &'static str) -> bool {
        let Some((_, value)) = self.get(key) else {
            return false;
        };
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.mistyped(reader, key, &value.span(), value.get_ref(), "true or false");
            false
        })
    }

    /// A list of strings that follow a rule; `None` if the key is not there. A lone string counts as a list of one.
    pub(super) fn list<T>(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        rule: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Option<Vec<Found<T>>> {
        let entries = self.entries(reader, key)?;
        let read = entries.into_iter().filter_map(|entry| {
            let span = entry.span();
            if let DeValue::String(text) = entry.get_ref() {
                self.ruled(reader, key, &span, text, &rule)
            } else {
                self.mistyped(reader, key, &span, entry.get_ref(), "a string");
                None
            }
        });
        Some(read.collect())
    }

    /// DNS servers: `"10.0.0.2"` or `{ label = "office", address = "10.0.0.2:5353" }`. Port 53 unless said.
    pub(super) fn servers(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
    ) -> Vec<Found<ResolverPlan>> {
        let entries = self.entries(reader, key).unwrap_or_default();
        let mut servers = Vec::with_capacity(entries.len());
        for entry in entries {
            let span = entry.span();
            match entry.get_ref() {
                DeValue::String(text) => {
                    let found = self.ruled(reader, key, &span, text, &rules::server);
                    servers.extend(found.map(|found| Found {
                        value: ResolverPlan {
                            label: text.to_string(),
                            address: found.value,
                        },
                        span,
                    }));
                }
                DeValue::Table(table) => {
                    let mut inner = Section {
                        name: self.label(key).replace(['[', ']'], "").replace(' ', "."),
                        span: span.clone(),
                        table: Some(table),
                        asked: Vec::new(),
                    };
                    let label = inner.text(reader, "label");
                    let address = inner.parsed(reader, "address", rules::server);
                    if address.is_none() && !inner.has("address") {
                        let message = format!("an entry of {} has no address", self.label(key));
                        reader.error(&span, message, "add address = \"10.0.0.2\"");
                    }
                    inner.finish(reader);
                    servers.extend(
                        address.map(|address| Found {
                            value: ResolverPlan {
                                label: label
                                    .map_or_else(|| address.value.to_string(), |label| label.value),
                                address: address.value,
                            },
                            span,
                        }),
                    );
                }
                other => self.mistyped(
                    reader,
                    key,
                    &span,
                    other,
                    "an address or { label, address }",
                ),
            }
        }
        servers
    }

    /// Every key of this table, by a rule for keys, with its string: no key is unknown here.
    pub(super) fn settings<K: Ord>(
        &self,
        reader: &mut Reader<'_>,
        rule: impl Fn(&str) -> Result<K, Wrong>,
    ) -> BTreeMap<K, String> {
        let mut settings = BTreeMap::new();
        for (key, value) in self.table.into_iter().flatten() {
            let word = key.get_ref();
            let DeValue::String(text) = value.get_ref() else {
                self.mistyped(reader, word, &value.span(), value.get_ref(), "a string");
                continue;
            };
            if let (Some(path), Some(text)) = (
                self.ruled(reader, word, &key.span(), word, &rule),
                self.ruled(reader, word, &value.span(), text, &rules::text),
            ) {
                settings.insert(path.value, text.value);
            }
        }
        settings
    }

    /// Reports every key that nobody asked for.
    pub(super) fn finish(self, reader: &mut Reader<'_>) {
        for (key, _) in self.table.into_iter().flatten() {
            let word = key.get_ref();
            if self.asked.iter().any(|asked| asked == word) {
                continue;
            }
            let remedy = nearest(word, &self.asked).map_or_else(
                || format!("known here: {}", self.asked.join(", ")),
                |near| format!("did you mean {near:?}?"),
            );
            let message = format!("{} is not a key that Relight knows", self.label(word));
            reader.error(&key.span(), message, remedy);
        }
    }

    fn get(&mut self, key: &'static str) -> Option<(Span, &'d Spanned<DeValue<'i>>)> {
        self.asked.push(key);
        let (place, value) = self
            .table?
            .iter()
            .find(|(known, _)| known.get_ref() == key)?;
        Some((place.span(), value))
    }

    fn entries(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
    ) -> Option<Vec<&'d Spanned<DeValue<'i>>>> {
        let (_, value) = self.get(key)?;
        match value.get_ref() {
            DeValue::Array(array) => Some(array.iter().collect()),
            DeValue::String(_) => Some(vec![value]),
            other => {
                self.mistyped(reader, key, &value.span(), other, "a list");
                None
            }
        }
    }

    fn ruled<T>(
        &self,
        reader: &mut Reader<'_>,
        key: &str,
        span: &Span,
        text: &str,
        rule: &impl Fn(&str) -> Result<T, Wrong>,
    ) -> Option<Found<T>> {
        match rule(text) {
            Ok(value) => Some(Found {
                value,
                span: span.clone(),
            }),
            Err(wrong) => {
                reader.error(
                    span,
                    format!("{}: {}", self.label(key), wrong.what),
                    wrong.remedy,
                );
                None
            }
        }
    }

    fn mistyped(
        &self,
        reader: &mut Reader<'_>,
        key: &str,
        span: &Span,
        found: &DeValue<'_>,
        wanted: &str,
    ) {
        let message = format!(
            "{} is of type {}, not {wanted}",
            self.label(key),
            found.type_str()
        );
        let remedy = match (found, wanted) {
            (
                DeValue::Integer(_)
                | DeValue::Float(_)
                | DeValue::Boolean(_)
                | DeValue::Datetime(_),
                "a string",
            ) => "put it in quotation marks".to_owned(),
            (_, "a list") => "write it as [\"…\", \"…\"]".to_owned(),
            _ => format!(
                "write {wanted}; `relight init` writes a template with an example of every key"
            ),
        };
        reader.error(span, message, remedy);
    }
}
