//! `[drill]`: what an isolated drill uses instead of what is real, and in the plan of one, which it is.

use super::{
    reader::Reader,
    rules::{self, Ruled, wrong},
    section::Section,
};
use crate::plan::{DrillPlan, Isolated, drill};

/// `[drill]`, with `[drill.set]` and `[drill.isolated]`.
pub(super) fn drill(top: &mut Section<'_, '_>, reader: &mut Reader<'_>) -> DrillPlan {
    let mut section = top.section(reader, "drill");
    let namespace = section.parsed(reader, "namespace", rules::argument);
    let auth_role = section.parsed(reader, "auth_role", rules::role);
    let proxy_role = section.parsed(reader, "proxy_role", rules::role);
    let table_key = section.parsed(reader, "table_key", rules::key);
    let set = section
        .section(reader, "set")
        .settings(reader, rules::setting);
    let isolated = section
        .has("isolated")
        .then(|| isolated(&mut section, reader))
        .flatten();
    section.finish(reader);
    DrillPlan {
        namespace: namespace.map(|found| found.value),
        auth_role: auth_role.map(|found| found.value),
        proxy_role: proxy_role.map(|found| found.value),
        table_key: table_key.map(|found| found.value),
        set,
        isolated,
    }
}

fn isolated(drill: &mut Section<'_, '_>, reader: &mut Reader<'_>) -> Option<Isolated> {
    let mut section = drill.section(reader, "isolated");
    let stamp = section.parsed(reader, "stamp", stamp);
    let of = section.parsed(reader, "of", of);
    if stamp.is_none() || of.is_none() {
        reader.missing(
            &section.span,
            "[drill.isolated] says stamp and of, both",
            "it is written by `relight drill isolated` alone: take it out of your own plan",
        );
    }
    section.finish(reader);
    Some(Isolated {
        stamp: stamp?.value,
        of: of?.value,
        ..Isolated::default()
    })
}

fn stamp(text: &str) -> Ruled<String> {
    if drill::is_stamp(text) {
        return Ok(text.to_owned());
    }
    wrong(
        format!("{text:?} is no stamp of a drill"),
        "it is written by `relight drill isolated` alone: lower-case letters and digits",
    )
}

fn of(text: &str) -> Ruled<std::path::PathBuf> {
    drill::absolute(text).map_or_else(
        || {
            wrong(
                format!("{text:?} is no absolute path of a plan"),
                "it is written by `relight drill isolated` alone",
            )
        },
        Ok,
    )
}
