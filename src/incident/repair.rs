//! What a restored table lacks, as edits. Pure: a restore drops time to live, stream, point-in-time recovery, tags and
//! deletion protection, and may come without its index or with another capacity; what is wanted is what the primary's
//! table was seen to have, and where that is not known, what Teleport needs (`facts/teleport.md` 2.1 and 2.4).

use std::{collections::BTreeMap, fmt, str::FromStr};

use super::{Billing, Fact, Instruments, Side, Subject, Table, TableRole};

/// The attribute by which Teleport's items expire, in both tables.
const EXPIRES: &str = "Expires";
/// What Teleport's caches read from the stream of the state table.
const STREAM: &str = "NEW_IMAGE";
/// The index without which the audit log cannot be searched; Teleport does not rebuild it.
pub const AUDIT_INDEX: &str = "timesearchV2";
/// What Teleport itself gives a new audit table: too little for the first minutes after a failover.
const SCANTY: i64 = 10;

/// One call that repairs a table. Its text holds all of it, so that what was confirmed can be read back and done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The table.
    pub table: String,
    /// What is set.
    pub change: Change,
}

/// What is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Items expire by this attribute.
    Ttl(String),
    /// The stream carries new images.
    Stream,
    /// Point-in-time recovery is on.
    Pitr,
    /// The table cannot be deleted.
    Protect,
    /// It is paid for like this.
    Billing(Billing),
    /// The index `timesearchV2` of the audit log.
    Index,
    /// It carries these tags.
    Tags(BTreeMap<String, String>),
}

/// What a table lacks, and what could not be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lack {
    /// The edits, in the order in which they are made.
    pub edits: Vec<Edit>,
    /// What is not known of the table, so that more may be lacking.
    pub unclear: Vec<String>,
    /// What no call of Relight repairs, with who does.
    pub notes: Vec<String>,
}

/// The primary's table of a role as it was before: as it was seen last, or as a black box keeps it.
#[must_use]
pub fn base(role: TableRole, instruments: &Instruments) -> Option<&Table> {
    let good = |subject: &Subject| {
        let (_, fact) = instruments.get(subject)?.good.as_ref()?;
        Some(fact)
    };
    match (
        good(&Subject::Table(Side::Primary, role)),
        good(&Subject::BlackBox),
    ) {
        (Some(Fact::Table(table)), _) => Some(table),
        (_, Some(Fact::BlackBox(seen))) => seen.table(role).good(),
        _ => None,
    }
}

/// What `table` lacks against `base`, the primary's table of the same role as it was seen last.
#[must_use]
pub fn lack(table: &Table, base: Option<&Table>) -> Lack {
    let mut found = Lack::default();
    let settings = match &table.settings {
        Ok(settings) => settings,
        Err(failure) => {
            found
                .unclear
                .push(format!("settings of {}: {failure}", table.name));
            return found;
        }
    };
    let before = base.and_then(|base| base.settings.as_ref().ok());
    let mut edit = |change: Change| {
        found.edits.push(Edit {
            table: table.name.clone(),
            change,
        });
    };
    // Capacity first: an index is filled at the table's pace.
    let wanted = billing(table.role, settings.billing, before.map(|b| b.billing));
    if wanted != settings.billing {
        edit(Change::Billing(wanted));
    }
    if table.role == TableRole::Audit && !settings.indexes.contains_key(AUDIT_INDEX) {
        edit(Change::Index);
    }
    if let Ok(attribute) = &settings.ttl
        && attribute.is_none()
    {
        edit(Change::Ttl(EXPIRES.to_owned()));
    }
    if table.role == TableRole::State && settings.stream.is_none() {
        edit(Change::Stream);
    }
    // Without a base it is wanted: from the first write on, this table is the only copy there is.
    let pitr = base.and_then(|base| base.pitr.as_ref().ok());
    if let Ok(now) = &table.pitr
        && !now.enabled
        && pitr.is_none_or(|pitr| pitr.enabled)
    {
        edit(Change::Pitr);
    }
    if !settings.protected && before.is_some_and(|before| before.protected) {
        edit(Change::Protect);
    }
    let tags = before.and_then(|before| before.tags.as_ref().ok());
    if let (Ok(have), Some(wanted)) = (&settings.tags, tags) {
        let missing: BTreeMap<_, _> = wanted
            .iter()
            .filter(|(key, value)| have.get(*key) != Some(value))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if !missing.is_empty() {
            edit(Change::Tags(missing));
        }
    }
    unclear(table, settings.ttl.as_ref(), &mut found);
    if let (Err(failure), Some(_)) = (&settings.tags, tags) {
        found
            .unclear
            .push(format!("tags of {}: {failure}", table.name));
    }
    notes(table, base, &mut found);
    found
}

fn unclear(table: &Table, ttl: Result<&Option<String>, &super::Failure>, found: &mut Lack) {
    if let Err(failure) = ttl {
        found
            .unclear
            .push(format!("time to live of {}: {failure}", table.name));
    }
    if let Err(failure) = &table.pitr {
        found.unclear.push(format!(
            "point-in-time recovery of {}: {failure}",
            table.name
        ));
    }
}

fn notes(table: &Table, base: Option<&Table>, found: &mut Lack) {
    let name = &table.name;
    if let Ok(settings) = &table.settings {
        if table.role == TableRole::State
            && let Some(view) = settings.stream.as_deref().filter(|view| *view != STREAM)
        {
            found.notes.push(format!(
                "the stream of {name} carries {view}, Teleport reads {STREAM}: switch it off and on again with that view"
            ));
        }
        if let Ok(Some(attribute)) = &settings.ttl
            && attribute != EXPIRES
        {
            found.notes.push(format!(
                "items of {name} expire by {attribute}, Teleport writes {EXPIRES}: switch time to live off, and in an hour on again"
            ));
        }
    }
    let before = base.and_then(|base| base.settings.as_ref().ok());
    if let Some(Billing::Provisioned { .. }) = before.map(|before| before.billing) {
        found.notes.push(format!(
            "autoscaling is not restored with {name}: Auth registers it at its start where aws.dynamoAutoScaling is on, else it is to be made by hand"
        ));
    }
}

/// On-demand stays and comes back; an audit table with Teleport's own 10/10 is given room; other capacity is as before.
fn billing(role: TableRole, now: Billing, before: Option<Billing>) -> Billing {
    let wanted = before.unwrap_or(now);
    match wanted {
        Billing::Provisioned { read, write }
            if role == TableRole::Audit && read <= SCANTY && write <= SCANTY =>
        {
            Billing::OnDemand
        }
        // A table that takes more than it did before needs no repair.
        _ if now == Billing::OnDemand => now,
        _ => wanted,
    }
}

/// Whether the table has what an edit sets, so that it need not be made (again).
#[must_use]
pub fn done(edit: &Edit, table: &Table) -> bool {
    let Ok(settings) = &table.settings else {
        return false;
    };
    match &edit.change {
        Change::Ttl(attribute) => settings
            .ttl
            .as_ref()
            .is_ok_and(|now| now.as_ref() == Some(attribute)),
        Change::Stream => settings.stream.is_some(),
        Change::Pitr => table.pitr.as_ref().is_ok_and(|pitr| pitr.enabled),
        Change::Protect => settings.protected,
        Change::Billing(billing) => settings.billing == *billing,
        Change::Index => settings.indexes.contains_key(AUDIT_INDEX),
        Change::Tags(tags) => settings
            .tags
            .as_ref()
            .is_ok_and(|now| tags.iter().all(|(key, value)| now.get(key) == Some(value))),
    }
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = &self.table;
        match &self.change {
            Change::Ttl(attribute) => {
                write!(f, "UpdateTimeToLive {table}: on, by {attribute}")
            }
            Change::Stream => write!(f, "UpdateTable {table}: stream {STREAM}"),
            Change::Pitr => write!(
                f,
                "UpdateContinuousBackups {table}: point-in-time recovery on"
            ),
            Change::Protect => write!(f, "UpdateTable {table}: deletion protection on"),
            Change::Billing(Billing::OnDemand) => {
                write!(f, "UpdateTable {table}: billing PAY_PER_REQUEST")
            }
            Change::Billing(Billing::Provisioned { read, write }) => {
                write!(
                    f,
                    "UpdateTable {table}: billing PROVISIONED {read} read {write} write"
                )
            }
            Change::Index => write!(f, "UpdateTable {table}: create index {AUDIT_INDEX}"),
            Change::Tags(tags) => {
                let tags = serde_json::to_string(tags).map_err(|_| fmt::Error)?;
                write!(f, "TagResource {table}: {tags}")
            }
        }
    }
}

impl FromStr for Edit {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (call, rest) = text.split_once(' ').ok_or(())?;
        let (table, what) = rest.split_once(": ").ok_or(())?;
        let change = match (call, what) {
            ("UpdateTimeToLive", on) => {
                Change::Ttl(on.strip_prefix("on, by ").ok_or(())?.to_owned())
            }
            ("UpdateContinuousBackups", "point-in-time recovery on") => Change::Pitr,
            ("UpdateTable", "deletion protection on") => Change::Protect,
            ("UpdateTable", "billing PAY_PER_REQUEST") => Change::Billing(Billing::OnDemand),
            ("TagResource", tags) => Change::Tags(serde_json::from_str(tags).map_err(|_| ())?),
            ("UpdateTable", other) => updated(other).ok_or(())?,
            _ => return Err(()),
        };
        Ok(Self {
            table: table.to_owned(),
            change,
        })
    }
}

fn updated(what: &str) -> Option<Change> {
    let words: Vec<&str> = what.split(' ').collect();
    match words.as_slice() {
        ["stream", view] if *view == STREAM => Some(Change::Stream),
        ["create", "index", name] if *name == AUDIT_INDEX => Some(Change::Index),
        ["billing", "PROVISIONED", read, "read", write, "write"] => {
            Some(Change::Billing(Billing::Provisioned {
                read: read.parse().ok()?,
                write: write.parse().ok()?,
            }))
        }
        _ => None,
    }
}

#[cfg(test)]
#[path = "repair_tests.rs"]
mod tests;
