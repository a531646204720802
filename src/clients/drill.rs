//! What an isolated drill makes: listed in its folder before each thing is asked for, and known again by a tag or a label.
//! Nothing that is not listed there is ever taken down.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{
    aws::{Aws, Reach, explain, tables},
    black_box::atomic,
    kube::{self, Kube, Query, object},
};
use crate::{
    incident::{
        Failure, FailureKind, Made, Moment, Part, RunId, Side,
        made::{Standing, Thing, What},
    },
    plan::{Isolated, Plan},
};

/// The file's name.
const NAME: &str = "drill.json";
/// How long one list of the Kubernetes API may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A thing that a run was about to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    /// Its kind.
    pub what: What,
    /// Its name.
    pub name: String,
    /// When.
    pub at: Moment,
    /// By which run.
    pub run: RunId,
}

/// `drill.json` of a drill's folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    path: PathBuf,
    /// In the order in which they were asked for.
    pub things: Vec<Noted>,
}

/// Why the list cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{path}, which lists what this drill makes: {why}; nothing is made and nothing taken down without it", path = path.display())]
pub struct LedgerError {
    path: PathBuf,
    why: String,
}

#[derive(Default, Serialize, Deserialize)]
struct Kept {
    things: Vec<Noted>,
}

impl Ledger {
    /// The list in a drill's folder; nothing where there is no file.
    ///
    /// # Errors
    /// If the file is there and cannot be read: then nobody may act as if nothing had been made.
    pub fn read(folder: &Path) -> Result<Self, LedgerError> {
        let path = folder.join(NAME);
        let wrong = |why: String| LedgerError {
            path: path.clone(),
            why,
        };
        let kept: Kept = match fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Kept::default(),
            Err(error) => return Err(wrong(error.to_string())),
        };
        Ok(Self {
            path,
            things: kept.things,
        })
    }

    /// Lists one more, at once on disk, before it is asked for. What is listed already stays as it is.
    ///
    /// # Errors
    /// If the disk says no: then it must not be made.
    pub fn note(&mut self, what: What, name: &str, run: &RunId) -> Result<(), LedgerError> {
        if self.lists(what, name) {
            return Ok(());
        }
        self.things.push(Noted {
            what,
            name: name.to_owned(),
            at: Moment::now(),
            run: run.clone(),
        });
        let kept = Kept {
            things: self.things.clone(),
        };
        let done = serde_json::to_vec_pretty(&kept)
            .map_err(io::Error::other)
            .and_then(|bytes| atomic(&self.path, &bytes));
        done.map_err(|error| LedgerError {
            path: self.path.clone(),
            why: error.to_string(),
        })
    }

    /// Whether the drill was about to make it.
    #[must_use]
    pub fn lists(&self, what: What, name: &str) -> bool {
        let mut things = self.things.iter();
        things.any(|thing| thing.what == what && thing.name == name)
    }
}

/// The folder of the drill that a plan is of: that of the plan itself.
///
/// # Errors
/// If it is the plan of no isolated drill.
pub fn folder(plan: &Plan) -> Result<&Path, Failure> {
    let folder = plan.isolated().and_then(|_| plan.path.parent());
    folder.ok_or_else(|| {
        Failure::new(
            FailureKind::NotPlanned,
            "this is no plan of an isolated drill: nothing is made aside, and nothing is taken down",
        )
    })
}

/// What the drill has made, and what of it is there.
///
/// # Errors
/// If the list cannot be read; else each thing fails on its own.
pub async fn look(plan: &Plan, aws: &Aws) -> Result<Made, Failure> {
    let ledger = Ledger::read(folder(plan)?);
    let ledger = ledger.map_err(|error| Failure::new(FailureKind::Other, error.to_string()))?;
    let stamp = plan.isolated().map_or("", |drill| drill.stamp.as_str());
    let reach = aws.side(Side::Recovery);
    let kube = if ledger.things.iter().any(|thing| thing.what != What::Table) {
        Box::pin(kube::connect(&plan.recovery.kube)).await.map(Some)
    } else {
        Ok(None)
    };
    let mut things = Vec::new();
    for noted in &ledger.things {
        let stands = match (noted.what, &kube) {
            (What::Table, _) => Box::pin(table(reach, &noted.name, stamp)).await,
            (_, Err(failure)) => Err(failure.clone()),
            (What::Release, Ok(Some(kube))) => release(kube, plan, &noted.name).await,
            (What::Namespace, Ok(Some(kube))) => namespace(kube, &noted.name, stamp)
                .await
                .map(|(stands, _)| stands),
            (_, Ok(None)) => Err(Failure::new(FailureKind::Other, "not asked")),
        };
        things.push(Thing {
            what: noted.what,
            name: noted.name.clone(),
            at: noted.at,
            stands,
        });
    }
    // A release goes before its namespace, and both before the tables that its pods write.
    things.sort_by_key(|thing| thing.what);
    let (mut place, mut recordings) = (String::new(), None);
    if let (Some(bucket), Some(drill)) = (&plan.recovery.bucket, plan.isolated()) {
        place = format!("s3://{bucket}/{}", drill.prefix());
        let under = format!("{}/", drill.prefix());
        recordings = Some(Box::pin(objects(reach, bucket, &under)).await);
    }
    Ok(Made {
        stamp: stamp.to_owned(),
        things,
        prefix: place,
        recordings,
    })
}

/// Whether a table is there, and whether it has the drill's tag.
///
/// # Errors
/// If it cannot be asked.
pub async fn table(reach: &Reach, name: &str, stamp: &str) -> Part<Standing> {
    let client = reach.dynamodb().await;
    let place = format!("{name} in {}", reach.region());
    let said = client.describe_table().table_name(name).send().await;
    let described = match said {
        Ok(said) => said,
        Err(error) => {
            return match explain("DynamoDB DescribeTable", &place, &error) {
                failure if failure.kind == FailureKind::NotFound => Ok(Standing::Gone),
                failure => Err(failure),
            };
        }
    };
    let table = described.table();
    if table
        .and_then(|table| table.table_status())
        .is_some_and(|status| status.as_str() == "DELETING")
    {
        return Ok(Standing::Going);
    }
    let arn = table
        .and_then(|table| table.table_arn())
        .unwrap_or_default();
    let tags = tables::tags(&client, arn, &place).await?;
    Ok(match tags.get(Isolated::TAG) {
        Some(found) if found == stamp => Standing::Ours,
        Some(found) => Standing::Foreign(format!("its tag {} is {found:?}", Isolated::TAG)),
        None => Standing::Foreign(format!("it has no tag {}={stamp}", Isolated::TAG)),
    })
}

/// The path of a namespace.
#[must_use]
pub fn namespace_path(name: &str) -> String {
    format!("/api/v1/namespaces/{}", kube::raw::encode(name))
}

/// Whether a namespace is there and has the drill's label, and its UID.
///
/// # Errors
/// If it cannot be asked.
pub async fn namespace(kube: &Kube, name: &str, stamp: &str) -> Part<(Standing, String)> {
    let found = match object::get(kube, &namespace_path(name)).await {
        Ok(found) => found,
        Err(failure) if failure.kind == FailureKind::NotFound => {
            return Ok((Standing::Gone, String::new()));
        }
        Err(failure) => return Err(failure),
    };
    let uid = object::field(&found, "/metadata/uid");
    let label = object::field(&found, &format!("/metadata/labels/{}", Isolated::TAG));
    let stands = if !found["metadata"]["deletionTimestamp"].is_null() {
        Standing::Going
    } else if label == stamp {
        Standing::Ours
    } else {
        Standing::Foreign(format!("it has no label {}={stamp}", Isolated::TAG))
    };
    Ok((stands, uid))
}

/// A release is the drill's by its name, which nobody else's ends in.
async fn release(kube: &Kube, plan: &Plan, name: &str) -> Part<Standing> {
    let query = Query::releases(&plan.cluster.namespace, name);
    let there = kube::any(kube, &query, PATIENCE).await?;
    Ok(if there {
        Standing::Ours
    } else {
        Standing::Gone
    })
}

/// How many objects lie under a prefix, of the first thousand.
async fn objects(reach: &Reach, bucket: &str, prefix: &str) -> Part<usize> {
    let client = reach.s3().await;
    let said = client
        .list_objects_v2()
        .bucket(bucket)
        .prefix(prefix)
        .send()
        .await;
    let place = format!("{bucket}/{prefix} in {}", reach.region());
    said.map(|said| said.contents().len())
        .map_err(|error| explain("S3 ListObjectsV2", &place, &error))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_about_to_be_made_is_on_disk_before_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let run = RunId::parse("restore-tables-1-7").expect("an id");
        let mut ledger = Ledger::read(folder.path()).expect("none yet");
        assert!(ledger.things.is_empty());
        for _ in 0..2 {
            ledger.note(What::Table, "a-drill-1", &run).expect("noted");
        }
        let again = Ledger::read(folder.path()).expect("read");
        assert_eq!(again, ledger);
        assert_eq!(again.things.len(), 1);
        assert!(again.lists(What::Table, "a-drill-1") && !again.lists(What::Release, "a-drill-1"));
        let file = folder.path().join(NAME);
        let mode = fs::metadata(&file).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(&file, "{").expect("broken");
        let why = Ledger::read(folder.path()).expect_err("broken").to_string();
        assert!(why.contains("nothing is made"), "{why}");
    }

    #[test]
    fn a_plan_that_is_real_has_no_drill_to_take_down() {
        let plan = crate::plan::sample::plan();
        let failure = folder(&plan).expect_err("real");
        assert_eq!(failure.kind, FailureKind::NotPlanned);
    }
}
