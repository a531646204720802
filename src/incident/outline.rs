//! Where the values of a YAML text stand: each scalar of the mappings from the top, by its path, with the bytes it covers.
//!
//! The recovery values are the operator's own file with four scalars changed. A parser that reads into a tree and writes
//! it out again would lose comments and order; so only positions are taken from the parser, and text is replaced.

use std::{collections::BTreeMap, ops::Range};

use granit_parser::{Event, Parser, ScalarStyle, Span, StructureStyle};

/// Deepest nesting read.
const DEPTH: usize = 64;

/// A path of keys from the top.
pub type Path = Vec<String>;

/// A scalar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar {
    /// Its value, after YAML's own escapes; of an alias, its text.
    pub value: String,
    /// The bytes it covers, quotes included; empty where nothing is written.
    pub span: Range<usize>,
    /// The bytes of its key.
    pub key: Range<usize>,
    /// How it is written.
    pub form: Form,
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Without quotes.
    Plain,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// `|` or `>`
    Block,
    /// `*alias`
    Alias,
}

/// A mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// `{…}` instead of one key a line.
    pub flow: bool,
    /// Where its first key begins; for a flow mapping, where `{` is.
    pub start: usize,
    /// The column of its keys, from zero.
    pub column: usize,
}

/// What is where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// Scalars under mappings only: items of lists are not named by a path.
    pub scalars: BTreeMap<Path, Scalar>,
    /// Mappings under mappings only.
    pub mappings: BTreeMap<Path, Mapping>,
    /// Values that are lists.
    pub lists: Vec<Path>,
    /// Every scalar of the text in order, lists included: to tell whether two texts say the same.
    pub all: Vec<(Path, String)>,
}

impl Outline {
    /// The value at a path, if it is a scalar that is not empty and not null.
    #[must_use]
    pub fn get(&self, path: &[&str]) -> Option<&str> {
        let path: Path = path.iter().map(|&key| key.to_owned()).collect();
        self.scalars
            .get(&path)
            .map(|scalar| scalar.value.as_str())
            .filter(|value| !value.is_empty() && *value != "~" && *value != "null")
    }

    /// Reads a text.
    ///
    /// # Errors
    /// If it is no YAML, has more than one document or a key twice: with line and column.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut reader = Reader::default();
        let mut documents = 0;
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(|error| format!("no YAML: {error}"))?;
            if matches!(event, Event::DocumentStart(..)) {
                documents += 1;
                if documents > 1 {
                    return Err(format!(
                        "line {}: a second document; values files have one",
                        span.start.line()
                    ));
                }
            }
            reader.take(event, span)?;
        }
        Ok(reader.outline)
    }
}

/// What the parser is inside of.
enum Level {
    /// In a mapping; the key that has been read, while its value is awaited.
    Mapping(Option<(String, Range<usize>)>),
    /// In a list.
    List(usize),
    /// In a key that is itself a collection.
    Key,
}

#[derive(Default)]
struct Reader {
    outline: Outline,
    levels: Vec<Level>,
    path: Path,
    in_list: usize,
    /// Mappings whose first key has not been seen.
    unplaced: bool,
}

impl Reader {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), String> {
        match event {
            Event::MappingStart(style, ..) => {
                self.open(&span, None)?;
                if self.in_list == 0 && !self.in_key() {
                    let start = byte(span.start.byte_offset())?;
                    let mapping = Mapping {
                        flow: style == StructureStyle::Flow,
                        start,
                        column: span.start.col(),
                    };
                    self.outline.mappings.insert(self.path.clone(), mapping);
                    self.unplaced = true;
                }
                self.levels.push(Level::Mapping(None));
                self.depth(&span)
            }
            Event::SequenceStart(..) => {
                self.open(&span, None)?;
                if self.in_list == 0 && !self.in_key() {
                    self.outline.lists.push(self.path.clone());
                }
                self.in_list += 1;
                self.levels.push(Level::List(0));
                self.depth(&span)
            }
            Event::MappingEnd => {
                self.levels.pop();
                self.close();
                Ok(())
            }
            Event::SequenceEnd => {
                self.levels.pop();
                self.in_list -= 1;
                self.close();
                Ok(())
            }
            Event::Scalar(value, style, ..) => {
                let form = match style {
                    ScalarStyle::SingleQuoted => Form::Single,
                    ScalarStyle::DoubleQuoted => Form::Double,
                    ScalarStyle::Literal | ScalarStyle::Folded => Form::Block,
                    ScalarStyle::Plain => Form::Plain,
                };
                // The parser gives `~` for a value that is not written at all.
                let unwritten = form == Form::Plain && span.start.index() == span.end.index();
                let value = if unwritten {
                    String::new()
                } else {
                    value.into_owned()
                };
                self.scalar(value, form, &span)
            }
            Event::Alias(id) => self.scalar(format!("*{id}"), Form::Alias, &span),
            _ => Ok(()),
        }
    }

    fn in_key(&self) -> bool {
        self.levels.iter().any(|level| matches!(level, Level::Key))
    }

    fn depth(&self, span: &Span) -> Result<(), String> {
        if self.levels.len() > DEPTH {
            return Err(format!(
                "line {}: nested deeper than {DEPTH} levels",
                span.start.line()
            ));
        }
        Ok(())
    }

    /// A value or key begins: puts its key on the path. A collection as a key is read past.
    fn open(&mut self, span: &Span, key: Option<(String, Range<usize>)>) -> Result<bool, String> {
        match self.levels.last_mut() {
            Some(Level::Mapping(slot @ None)) => {
                let Some((name, range)) = key else {
                    self.levels.push(Level::Key);
                    return Ok(false);
                };
                *slot = Some((name, range));
                Ok(true)
            }
            Some(Level::Mapping(Some((name, _)))) => {
                self.path.push(name.clone());
                let twice = self.in_list == 0
                    && (self.outline.scalars.contains_key(&self.path)
                        || self.outline.mappings.contains_key(&self.path));
                if twice {
                    return Err(format!(
                        "line {}: the key {:?} is there twice",
                        span.start.line(),
                        self.path.join(".")
                    ));
                }
                Ok(false)
            }
            Some(Level::List(index)) => {
                self.path.push(index.to_string());
                *index += 1;
                Ok(false)
            }
            Some(Level::Key) | None => Ok(false),
        }
    }

    /// A value has been read to its end: takes its key off the path.
    fn close(&mut self) {
        match self.levels.last_mut() {
            Some(Level::Mapping(slot)) => {
                *slot = None;
                self.path.pop();
            }
            Some(Level::List(_)) => {
                self.path.pop();
            }
            Some(Level::Key) => {
                // The collection that was a key is over; its value follows under a name nothing asks for.
                self.levels.pop();
                if let Some(Level::Mapping(slot)) = self.levels.last_mut() {
                    *slot = Some(("?".to_owned(), 0..0));
                }
            }
            None => {}
        }
    }

    fn scalar(&mut self, value: String, form: Form, span: &Span) -> Result<(), String> {
        let range = byte(span.start.byte_offset())?..byte(span.end.byte_offset())?;
        let is_key = matches!(self.levels.last(), Some(Level::Mapping(None)));
        let key = is_key.then(|| (value.clone(), range.clone()));
        let placed = self.open(span, key)?;
        if placed {
            if self.unplaced && self.in_list == 0 && !self.in_key() {
                if let Some(mapping) = self.outline.mappings.get_mut(&self.path)
                    && !mapping.flow
                {
                    mapping.start = range.start;
                    mapping.column = span.start.col();
                }
                self.unplaced = false;
            }
            return Ok(());
        }
        if !self.in_key() {
            self.outline.all.push((self.path.clone(), value.clone()));
            if self.in_list == 0
                && let Some(Level::Mapping(Some((_, key)))) = self.levels.last()
            {
                let scalar = Scalar {
                    value,
                    span: range,
                    key: key.clone(),
                    form,
                };
                self.outline.scalars.insert(self.path.clone(), scalar);
            }
        }
        if !matches!(self.levels.last(), Some(Level::Key)) {
            self.close();
        }
        Ok(())
    }
}

fn byte(offset: Option<usize>) -> Result<usize, String> {
    offset.ok_or_else(|| "the parser gave no byte offset".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# head\nclusterName: tele.example.com # why\naws:\n  # inner\n  region: 'us-east-1'\n  backendTable: \"a\\tb\"\n  empty:\nproxy: {port: 1, x: [a, {b: c}]}\nlist:\n- q: 1\n";

    #[test]
    fn scalars_are_where_the_text_has_them() {
        let outline = Outline::read(TEXT).expect("YAML");
        assert_eq!(outline.get(&["clusterName"]), Some("tele.example.com"));
        assert_eq!(outline.get(&["aws", "region"]), Some("us-east-1"));
        assert_eq!(outline.get(&["aws", "empty"]), None);
        assert_eq!(outline.get(&["proxy", "port"]), Some("1"));
        for (path, scalar) in &outline.scalars {
            let written = &TEXT[scalar.span.clone()];
            match scalar.form {
                Form::Plain => assert_eq!(written, scalar.value, "{path:?}"),
                Form::Single => assert_eq!(written, format!("'{}'", scalar.value)),
                Form::Double => assert_eq!(written, "\"a\\tb\""),
                Form::Block | Form::Alias => unreachable!("{path:?}"),
            }
            assert_eq!(&TEXT[scalar.key.clone()], path.last().expect("a key"));
        }
        let aws = &outline.mappings[&vec!["aws".to_owned()]];
        assert_eq!((aws.flow, aws.column), (false, 2));
        assert!(TEXT[aws.start..].starts_with("region:"));
        let proxy = &outline.mappings[&vec!["proxy".to_owned()]];
        assert!(proxy.flow && TEXT[proxy.start..].starts_with('{'));
        assert!(
            outline
                .all
                .contains(&(vec!["list".into(), "0".into(), "q".into()], "1".into()))
        );
        assert!(outline.all.contains(&(
            vec!["proxy".into(), "x".into(), "1".into(), "b".into()],
            "c".into()
        )));
    }

    #[test]
    fn what_is_no_values_file_is_refused_with_its_line() {
        for (text, words) in [
            ("a: 1\na: 2\n", "line 2"),
            ("a: 1\n---\nb: 1\n", "second document"),
            ("a: [\n", "no YAML"),
            ("a: *nowhere\n", "no YAML"),
        ] {
            let error = Outline::read(text).expect_err(text);
            assert!(error.contains(words), "{text:?}: {error}");
        }
        assert!(Outline::read(&"[".repeat(100)).is_err());
        assert!(Outline::read("{[a, b]: c, ? {d: e} : {f: g}}: h\n").is_ok());
        assert_eq!(Outline::read("").expect("empty"), Outline::default());
    }
}
