//! What `relight watch` tells on its way: one event a line.

use serde::Serialize;

use super::{Format, Line, line::event};
use crate::{
    incident::Moment,
    judge::fence::Fence,
    state::{Alarm, AlarmKind},
};

/// The version of the events, as `assets/watch.schema.json` has it.
const SCHEMA: u32 = 1;

/// An event of a watch, as `assets/watch.schema.json` describes it. Changing a name here changes the schema's number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Watched {
    /// Everything has been looked at once: from here on it is watched.
    Watching {
        /// The incident.
        incident: String,
        /// Where the old cluster stands: `STOPPED`, `RUNNING`, `UNREACHABLE`, `UNCLEAR`.
        fence: &'static str,
        /// Why.
        text: Line,
    },
    /// There is something to be alarmed about that was not there before.
    Alarm {
        /// Of what.
        kind: &'static str,
        /// Whether it is a danger, and not only something that nobody can tell.
        grave: bool,
        /// The sentence, worst first.
        text: Line,
    },
    /// An alarm has been over for a minute.
    Over {
        /// Of what.
        kind: &'static str,
        /// What it was.
        text: Line,
    },
    /// Nothing new: told every five minutes, so that a log shows that somebody looked.
    Still {
        /// Where the old cluster stands.
        fence: &'static str,
        /// Why.
        text: Line,
    },
    /// The plan's `on_event` program did not take an event.
    Untold {
        /// Which, and why.
        text: Line,
    },
    /// The watch ends.
    Left {
        /// How many grave alarms there were.
        alarms: u32,
        /// Where the old cluster stands.
        fence: &'static str,
        /// The exit code.
        code: u8,
    },
}

/// The word for a kind of alarm in events.
const fn word(kind: AlarmKind) -> &'static str {
    match kind {
        AlarmKind::Stranger => "stranger",
        AlarmKind::Comeback => "comeback",
        AlarmKind::Undone => "undone",
        AlarmKind::WrittenBack => "written_back",
        AlarmKind::Unreachable => "unreachable",
    }
}

impl Watched {
    /// Where the old cluster stands, when the watch begins.
    #[must_use]
    pub fn watching(incident: String, fence: Fence, why: &str) -> Self {
        Self::Watching {
            incident,
            fence: fence.word(),
            text: why.into(),
        }
    }

    /// An alarm that is new.
    #[must_use]
    pub fn alarm(alarm: &Alarm) -> Self {
        Self::Alarm {
            kind: word(alarm.kind),
            grave: alarm.grave(),
            text: Line::from(&alarm.text),
        }
    }

    /// An alarm that is over.
    #[must_use]
    pub fn over(alarm: &Alarm) -> Self {
        Self::Over {
            kind: word(alarm.kind),
            text: Line::from(&alarm.text),
        }
    }

    /// Where the old cluster stands, with nothing new.
    #[must_use]
    pub fn still(fence: Fence, why: &str) -> Self {
        Self::Still {
            fence: fence.word(),
            text: why.into(),
        }
    }

    /// The word by which `on_event` is told what it is.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Watching { .. } => "watching",
            Self::Alarm { .. } => "alarm",
            Self::Over { .. } => "over",
            Self::Still { .. } => "still",
            Self::Untold { .. } => "untold",
            Self::Left { .. } => "left",
        }
    }

    /// The event in a format, without a final line feed.
    #[must_use]
    pub fn render(&self, at: Moment, format: Format) -> String {
        match format {
            Format::Json => event(SCHEMA, at, self),
            Format::Text | Format::Markdown => format!("{at} {}", self.text()),
        }
    }

    /// In words, worst first.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Watching {
                incident,
                fence,
                text,
            } => format!("watching {incident}: old cluster {fence}: {text}"),
            Self::Alarm {
                grave: true, text, ..
            } => format!("ALARM {text}"),
            Self::Alarm { text, .. } => format!("not to be told: {text}"),
            Self::Over { text, .. } => format!("over: {text}"),
            Self::Still { fence, text } => format!("old cluster {fence}: {text}"),
            Self::Untold { text } => format!("ON_EVENT FAILED {text}"),
            Self::Left { alarms, fence, .. } => {
                format!("left: {alarms} alarms, old cluster {fence}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn every_event_is_in_the_schema_and_clean() {
        let schema: Value =
            serde_json::from_str(super::super::WATCH_SCHEMA).expect("a JSON schema");
        let alarm = |kind| Alarm {
            kind,
            text: "it is\u{1b}[2J back".to_owned(),
        };
        let every = [
            Watched::watching("20261125T1-x".to_owned(), Fence::Unreachable, "silence"),
            Watched::alarm(&alarm(AlarmKind::Comeback)),
            Watched::over(&alarm(AlarmKind::Unreachable)),
            Watched::still(Fence::Stopped, "gone"),
            Watched::Untold { text: "no".into() },
            Watched::Left {
                alarms: 1,
                fence: Fence::Running.word(),
                code: 1,
            },
        ];
        let known = schema["oneOf"].as_array().expect("the events");
        assert_eq!(known.len(), every.len());
        for watched in every {
            let json = watched.render(Moment::from_secs(0), Format::Json);
            let event: Value = serde_json::from_str(&json).expect("JSON");
            let found = known
                .iter()
                .find(|one| one["properties"]["event"]["const"] == event["event"])
                .expect("the event in the schema");
            let told: Vec<&String> = event.as_object().expect("an object").keys().collect();
            let wanted = found["required"].as_array().expect("names");
            assert_eq!(told.len(), wanted.len(), "{json}");
            for name in told {
                assert!(
                    wanted.contains(&Value::from(name.as_str())),
                    "{name}: {json}"
                );
            }
            let text = watched.render(Moment::from_secs(0), Format::Text);
            assert!(
                !text.contains('\u{1b}') && !json.contains("\\u001b"),
                "{text}"
            );
        }
    }
}
