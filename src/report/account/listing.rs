//! The incidents that are kept, one line each.

use std::fmt::Write as _;

use serde::Serialize;

use super::{
    Clean, Material,
    clean::Wash,
    model::{Reached, SCHEMA},
    reached, timeline,
};
use crate::{
    incident::{Moment, brief},
    journal::Entry,
    report::Line,
};

/// Every incident of the state folder, newest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Listing {
    /// The number of this form.
    pub schema: u32,
    /// When it was told.
    pub told: Moment,
    /// The incidents.
    pub incidents: Vec<Listed>,
}

/// One incident.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Listed {
    /// Its name.
    pub incident: Line,
    /// `incident`, `drill` or `practice`; nothing if it cannot be read.
    pub kind: Option<Line>,
    /// The Teleport cluster.
    pub cluster: Option<Line>,
    /// When it was declared.
    pub declared: Option<Moment>,
    /// `open`, `closed` or `broken`.
    pub state: &'static str,
    /// Who holds it now.
    pub held: Option<Line>,
    /// The recovery time and its objective.
    pub rto: Option<Reached>,
    /// Who worked on it.
    pub who: Vec<Line>,
    /// What is wrong with which file.
    pub wrong: Vec<Line>,
}

impl Listed {
    /// One that can be told.
    #[must_use]
    pub fn of(material: &Material<'_>, held: Option<&str>, broken: bool) -> Self {
        let wash = Wash(material.clean);
        let story = &material.state.story;
        let cluster = material
            .records
            .iter()
            .find_map(|record| match &record.entry {
                Entry::Declared { cluster, .. } => Some(wash.line(cluster)),
                _ => None,
            });
        let mut who: Vec<Line> = Vec::new();
        for person in timeline::people(material.records, wash) {
            if !who.contains(&person.operator) {
                who.push(person.operator);
            }
        }
        let declared = story.declared.as_ref();
        Self {
            incident: wash.line(material.name),
            kind: declared.map(|declared| wash.line(declared.what.word().to_lowercase())),
            cluster,
            declared: declared.map(|declared| declared.at),
            state: if story.closed.is_some() {
                "closed"
            } else {
                "open"
            },
            held: held.map(|held| wash.line(held)),
            rto: Some(reached::rto(material, wash)),
            who,
            wrong: if broken {
                material
                    .remarks
                    .iter()
                    .map(|text| wash.line(text))
                    .collect()
            } else {
                Vec::new()
            },
        }
    }

    /// One that cannot be read.
    #[must_use]
    pub fn broken(name: &str, why: &str, clean: Clean<'_>) -> Self {
        let wash = Wash(clean);
        Self {
            incident: wash.line(name),
            kind: None,
            cluster: None,
            declared: None,
            state: "broken",
            held: None,
            rto: None,
            who: Vec::new(),
            wrong: vec![wash.line(why)],
        }
    }

    fn reached(&self) -> String {
        match &self.rto {
            Some(Reached {
                reached: Some(took),
                word,
                ..
            }) => format!("{}, {word}", brief(*took)),
            Some(rto) => rto.word.to_owned(),
            None => String::new(),
        }
    }

    fn state(&self) -> String {
        match &self.held {
            Some(held) => format!("{}, held by {held}", self.state),
            None => self.state.to_owned(),
        }
    }
}

impl Listing {
    /// A list.
    #[must_use]
    pub const fn of(incidents: Vec<Listed>, told: Moment) -> Self {
        Self {
            schema: SCHEMA,
            told,
            incidents,
        }
    }

    /// Whether nothing is wrong with any of them.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.incidents.iter().all(|one| one.wrong.is_empty())
    }

    /// As JSON, with a final line feed.
    #[must_use]
    pub fn json(&self) -> String {
        super::json(self)
    }

    /// As columns; `place` is where they are kept.
    #[must_use]
    pub fn text(&self, place: &str) -> String {
        if self.incidents.is_empty() {
            return format!("no incidents: {place}\n");
        }
        let cells = self.incidents.iter().map(|one| {
            let declared = one.declared.map_or_else(String::new, |at| at.to_string());
            let maybe =
                |line: &Option<Line>| line.as_ref().map_or_else(String::new, Line::to_string);
            let who: Vec<&str> = one.who.iter().map(Line::as_str).collect();
            [
                one.incident.to_string(),
                maybe(&one.kind),
                maybe(&one.cluster),
                declared,
                one.state(),
                one.reached(),
                who.join(", "),
            ]
        });
        let head = [
            "INCIDENT", "KIND", "CLUSTER", "DECLARED", "STATE", "RTO", "WHO",
        ];
        let mut rows = vec![head.map(str::to_owned)];
        rows.extend(cells);
        let width = |column: usize| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        let mut out = String::new();
        for (at, row) in rows.iter().enumerate() {
            let cells = row.iter().zip(&widths);
            let padded: Vec<String> = cells
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            // Writing to a string cannot fail.
            let _ = writeln!(out, "{}", padded.join("  ").trim_end());
            let one = at.checked_sub(1).and_then(|at| self.incidents.get(at));
            for wrong in one.into_iter().flat_map(|one| &one.wrong) {
                let _ = writeln!(out, "  ! {wrong}");
            }
        }
        out
    }
}
