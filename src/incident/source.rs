//! What a table can be restored from, and which pair for both. Pure: what was seen of vault and primary → sources.
//!
//! State and audit table are restored separately and from the same moment, or the audit log tells of another cluster
//! than the one that comes up (`facts/recovery.md`, appendix A, 8): so the pair is chosen, not the copy.

use std::{fmt, str::FromStr, time::Duration};

use super::{Fact, Instruments, Moment, Side, Subject, TableRole};

/// By which call a table is restored. In the order in which they are preferred: what lies in the recovery region needs
/// nothing of the primary; the bytes of the others do (`facts/recovery.md` 3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Means {
    /// AWS Backup: `StartRestoreJob` of a recovery point in the recovery region.
    Copy,
    /// `RestoreTableToPointInTime` of the primary's table.
    Pitr,
    /// `RestoreTableFromBackup` of an on-demand backup of the primary's table.
    Backup,
}

impl Means {
    /// All of them, in the order in which they are preferred.
    pub const ALL: [Self; 3] = [Self::Copy, Self::Pitr, Self::Backup];

    /// The call.
    #[must_use]
    pub const fn call(self) -> &'static str {
        match self {
            Self::Copy => "StartRestoreJob",
            Self::Pitr => "RestoreTableToPointInTime",
            Self::Backup => "RestoreTableFromBackup",
        }
    }

    /// The word used in the plan (`restore_from`).
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Copy => "copies",
            Self::Pitr => "pitr",
            Self::Backup => "backups",
        }
    }
}

/// Something a table can be restored from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// By which call.
    pub means: Means,
    /// ARN of the recovery point or backup; for point-in-time recovery of the table.
    pub arn: String,
    /// The moment up to which the restored table will hold data.
    pub data: Moment,
    /// For point-in-time recovery the earliest moment instead.
    pub earliest: Option<Moment>,
}

impl Source {
    /// Whether this very source can give the data of that moment.
    #[must_use]
    pub fn gives(&self, wanted: &Self) -> bool {
        let same = self.means == wanted.means && self.arn == wanted.arn;
        match self.earliest {
            Some(earliest) => same && earliest <= wanted.data && wanted.data <= self.data,
            None => same,
        }
    }

    /// The same at another moment, if it can give that.
    fn at(&self, moment: Moment) -> Self {
        let data = match self.earliest {
            Some(earliest) => moment.clamp(earliest.min(self.data), self.data),
            None => self.data,
        };
        Self {
            data,
            ..self.clone()
        }
    }
}

/// The sources of the primary's table of that role that could be used when it was last looked; unordered. A look that
/// failed gives none: what cannot be seen cannot be restored from.
#[must_use]
pub fn sources(role: TableRole, instruments: &Instruments) -> Vec<Source> {
    let fresh = |subject: Subject| {
        let reading = instruments.get(&subject)?;
        Some((reading.fresh()?, reading.last.at))
    };
    let mut found = Vec::new();
    if let Some((Fact::Vault(vault), at)) = fresh(Subject::Vault(role)) {
        found.extend(vault.usable(at).map(|point| Source {
            means: Means::Copy,
            arn: point.arn.clone(),
            data: point.created,
            earliest: None,
        }));
    }
    if let Some((Fact::Table(table), _)) = fresh(Subject::Table(Side::Primary, role)) {
        let arn = table.settings.as_ref().map(|settings| &settings.arn);
        if let (Ok(pitr), Ok(arn)) = (&table.pitr, arn)
            && pitr.enabled
            && let (Some(earliest), Some(latest)) = (pitr.earliest, pitr.latest)
        {
            found.push(Source {
                means: Means::Pitr,
                arn: arn.clone(),
                data: Moment::from_secs(latest.secs()),
                earliest: Some(earliest),
            });
        }
        let backups = table.backups.iter().flatten();
        // Those of AWS Backup are listed as well, and only its own call restores them.
        let own =
            backups.filter(|backup| backup.status == "AVAILABLE" && backup.kind != "AWS_BACKUP");
        found.extend(own.map(|backup| Source {
            means: Means::Backup,
            arn: backup.arn.clone(),
            data: backup.created,
            earliest: None,
        }));
    }
    found
}

/// Chooses what each role is restored from, for those whose sources are given: of one way for both if there is one, the
/// newest for the state, since it holds the authorities, and for the audit log the one nearest to that. `anchor` is the
/// data of a table that is there already and stays. `only` keeps to one way.
///
/// `None` for a role that has no source, or was given none.
#[must_use]
pub fn choose(
    wanted: [Option<&[Source]>; 2],
    anchor: Option<Moment>,
    only: Option<Means>,
) -> [Option<Source>; 2] {
    let kinds = Means::ALL.map(|means| only.is_none_or(|only| only == means).then_some(means));
    let kinds: Vec<Means> = kinds.into_iter().flatten().collect();
    let of = |sources: Option<&[Source]>, means: Means| -> Vec<Source> {
        let all = sources.unwrap_or_default().iter();
        all.filter(|source| source.means == means)
            .cloned()
            .collect()
    };
    let serves = |means: &Means| {
        wanted
            .iter()
            .all(|sources| sources.is_none() || !of(*sources, *means).is_empty())
    };
    if let Some(means) = kinds.iter().copied().find(serves) {
        return pick(wanted.map(|sources| of(sources, means)), anchor);
    }
    // No way serves both: each goes its own best.
    let best = wanted.map(|sources| {
        let means = kinds.iter().find(|means| !of(sources, **means).is_empty());
        means.map(|means| of(sources, *means)).unwrap_or_default()
    });
    pick(best, anchor)
}

fn pick([state, audit]: [Vec<Source>; 2], anchor: Option<Moment>) -> [Option<Source>; 2] {
    let newest = |sources: &[Source]| sources.iter().map(|source| source.data).max();
    // Where both can be had at any moment, the newest that both can give.
    let both = newest(&state).zip(newest(&audit)).map(|(a, b)| a.min(b));
    let nearest = |sources: &[Source], to: Option<Moment>| {
        let to = to?;
        let at = sources.iter().map(|source| source.at(to));
        at.min_by_key(|source| (apart(source.data, to), std::cmp::Reverse(source.data)))
    };
    let of_any_moment = state.iter().all(|source| source.earliest.is_some());
    let first = if of_any_moment {
        nearest(&state, anchor.or(both).or_else(|| newest(&state)))
    } else {
        nearest(&state, anchor.or_else(|| newest(&state)))
    };
    let to = first.as_ref().map(|source| source.data);
    let second = nearest(&audit, to.or(anchor).or_else(|| newest(&audit)));
    [first, second]
}

/// How far two moments lie apart.
#[must_use]
pub fn apart(a: Moment, b: Moment) -> Duration {
    a.since(b).max(b.since(a))
}

/// A restore as it is shown, confirmed and read back: from what, to which table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restore {
    /// From what.
    pub source: Source,
    /// Name of the new table.
    pub target: String,
}

impl fmt::Display for Restore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Source {
            means, arn, data, ..
        } = &self.source;
        write!(
            f,
            "{} {arn} to {}, data of {data}",
            means.call(),
            self.target
        )
    }
}

impl FromStr for Restore {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let words: Vec<&str> = text.split(' ').collect();
        let [call, arn, "to", target, "data", "of", data] = words.as_slice() else {
            return Err(());
        };
        let means = Means::ALL
            .into_iter()
            .find(|means| means.call() == *call)
            .ok_or(())?;
        let data: Moment = data.parse().map_err(|_| ())?;
        Ok(Self {
            source: Source {
                means,
                arn: (*arn).to_owned(),
                data,
                earliest: None,
            },
            target: target.strip_suffix(',').ok_or(())?.to_owned(),
        })
    }
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
