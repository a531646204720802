//! What the Auth Service says when it starts, as far as a recovery hangs on it. Its own words, from `lib/auth/init.go`,
//! `lib/backend/dynamo` and `lib/events` of Teleport 14 to 18: a wrong table makes it say nothing worse than that it made
//! new certificate authorities.

use serde::{Deserialize, Serialize};

use super::Moment;

/// Longest line kept of a mark.
const LINE: usize = 240;
/// The authorities that a restored table always has. Others are new with a version and made at its first start.
const OLD_AUTHORITIES: [&str; 4] = ["host", "user", "db", "jwt"];

/// What the logs of the release's Auth pods have said since they started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthLog {
    /// Pods that are not on their way out, sorted by name.
    pub pods: Vec<AuthStart>,
}

/// The start of one Auth pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthStart {
    /// The pod's name.
    pub pod: String,
    /// When the pod was made.
    pub created: Moment,
    /// What it said, in its order; what it says twice is here once.
    pub marks: Vec<Mark>,
    /// Why not all of its start could be read, in words; `None` if it could.
    pub gap: Option<String>,
}

/// A line that means something for a recovery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// `Connection established to DynamoDB state database`, with what it names; empty where it names nothing.
    State {
        /// The table.
        table: String,
        /// The region.
        region: String,
    },
    /// `Connection established to DynamoDB events database`
    Audit,
    /// `Waiting until table is created.`, `Table has been created.`: there was none, and Teleport made an empty one.
    TableMade,
    /// `First start: generating certificate authority`, and which.
    FirstStart(String),
    /// `Cannot rename cluster to …`: the values have another `clusterName` than the table.
    OtherName(String),
    /// `Unsupported upgrade path`, `Unsupported downgrade path`: the chart's major version is not the table's.
    Version(String),
    /// `unsupported schema`: a table of before Teleport 3.
    Schema(String),
    /// `This Auth Service is configured to use … but the … CA contains only …`: its KMS keys are of another region.
    Keys(String),
    /// `Failed to ensure that bucket`: it starts all the same, and cannot store recordings.
    Bucket(String),
    /// `Auth service is starting.`: its start is over.
    Starting,
}

impl Mark {
    /// What a line of the log means; `None` if nothing. Text and JSON logs alike.
    #[must_use]
    pub fn read(line: &str) -> Option<Self> {
        let has = |part: &str| line.contains(part);
        let kept = || line.trim().chars().take(LINE).collect::<String>();
        if has("Connection established to DynamoDB state database") {
            return Some(Self::State {
                table: field(line, "table")
                    .or_else(|| field(line, "table_name"))
                    .unwrap_or_default(),
                region: field(line, "region").unwrap_or_default(),
            });
        }
        if has("Connection established to DynamoDB events database") {
            return Some(Self::Audit);
        }
        if has("Waiting until table is created") || has("Table has been created") {
            return Some(Self::TableMade);
        }
        if has("First start: generating") {
            let which = field(line, "ca_type").or_else(|| {
                // Before 16: `First start: generating host certificate authority signing keys.`
                let (_, rest) = line.split_once("First start: generating ")?;
                let word = rest.split_whitespace().next()?;
                (word != "certificate").then(|| word.to_owned())
            });
            return Some(Self::FirstStart(which.unwrap_or_default()));
        }
        if has("Cannot rename cluster to") {
            return Some(Self::OtherName(kept()));
        }
        if has("Unsupported upgrade path") || has("Unsupported downgrade path") {
            return Some(Self::Version(kept()));
        }
        if has("unsupported schema") {
            return Some(Self::Schema(kept()));
        }
        if has("This Auth Service is configured to use") && has("contains only") {
            return Some(Self::Keys(kept()));
        }
        if has("Failed to ensure that bucket") {
            return Some(Self::Bucket(kept()));
        }
        has("Auth service is starting").then_some(Self::Starting)
    }

    /// What is wrong and what to do, if this must stop a recovery into `table` in `region`.
    #[must_use]
    pub fn danger(&self, table: &str, region: &str) -> Option<String> {
        let wrong_table = "uninstall the release, remove what it made only when you know that nothing was there before, and correct aws.backendTable and aws.region";
        match self {
            Self::TableMade => Some(format!(
                "there was no state table where it looked, and Teleport MADE AN EMPTY ONE: {wrong_table}"
            )),
            Self::FirstStart(which)
                if which.is_empty() || OLD_AUTHORITIES.contains(&which.as_str()) =>
            {
                Some(format!(
                    "it made NEW CERTIFICATE AUTHORITIES ({}): its table had none, and no agent, bot or user will trust it: {wrong_table}",
                    if which.is_empty() {
                        "of which it does not say which"
                    } else {
                        which
                    }
                ))
            }
            Self::State { table: found, .. } if !found.is_empty() && found != table => Some(
                format!("its state table is {found}, not {table}: correct aws.backendTable"),
            ),
            Self::State { region: found, .. } if !found.is_empty() && found != region => Some(
                format!("its state table is in {found}, not in {region}: correct aws.region"),
            ),
            Self::OtherName(line) => Some(format!(
                "the values have another clusterName than the state table, and Auth goes on with the table's: correct clusterName ({line})"
            )),
            Self::Version(line) => Some(format!(
                "the chart's major version cannot run on this backup: install the major version that wrote it, then upgrade one by one ({line})"
            )),
            Self::Schema(line) => Some(format!(
                "the state table has a schema that Teleport does not read: it is not the cluster's ({line})"
            )),
            Self::Keys(line) => Some(format!(
                "its KMS keys are not those of the authorities, so it can sign nothing: use the multi-region replicas in {region} ({line})"
            )),
            Self::State { .. }
            | Self::Audit
            | Self::FirstStart(_)
            | Self::Bucket(_)
            | Self::Starting => None,
        }
    }

    /// The mark in words, for an operator who watches.
    #[must_use]
    pub fn told(&self) -> String {
        match self {
            Self::State { table, region } if table.is_empty() => {
                let place = if region.is_empty() {
                    String::new()
                } else {
                    format!(" in {region}")
                };
                format!("reached its state table{place}")
            }
            Self::State { table, region } => format!("reached its state table {table} in {region}"),
            Self::Audit => "reached its audit table".to_owned(),
            Self::TableMade => "MADE A TABLE".to_owned(),
            Self::FirstStart(which) => {
                format!("first start: made the certificate authority {which:?}")
            }
            Self::OtherName(line) | Self::Version(line) | Self::Schema(line) | Self::Keys(line) => {
                line.clone()
            }
            Self::Bucket(line) => format!("goes on without its recordings bucket: {line}"),
            Self::Starting => "its start is over".to_owned(),
        }
    }
}

impl AuthStart {
    /// Takes the marks of a piece of its log.
    pub fn read(&mut self, log: &str) {
        for mark in log.lines().filter_map(Mark::read) {
            if !self.marks.contains(&mark) {
                self.marks.push(mark);
            }
        }
    }

    /// Whether it has got to the end of its start.
    #[must_use]
    pub fn over(&self) -> bool {
        self.marks.contains(&Mark::Starting)
    }
}

impl AuthLog {
    /// The first thing that must stop a recovery, with the pod that said it.
    #[must_use]
    pub fn danger(&self, table: &str, region: &str) -> Option<String> {
        self.pods.iter().find_map(|start| {
            let found = start
                .marks
                .iter()
                .find_map(|mark| mark.danger(table, region))?;
            Some(format!("{} says: {found}", start.pod))
        })
    }

    /// A pod that has reached the planned table, as it says itself.
    #[must_use]
    pub fn reached(&self, table: &str) -> Option<&AuthStart> {
        self.pods.iter().find(|start| {
            start
                .marks
                .iter()
                .any(|mark| matches!(mark, Mark::State { table: found, .. } if found == table))
        })
    }
}

/// A field of a log line: `table:x`, `table=x`, `"table":"x"`.
fn field(line: &str, name: &str) -> Option<String> {
    let mut from = 0;
    while let Some(at) = line[from..].find(name) {
        let start = from + at;
        let end = start + name.len();
        let apart = line[..start]
            .chars()
            .next_back()
            .is_none_or(|c| !c.is_alphanumeric() && c != '_');
        let rest = line[end..].strip_prefix('"').unwrap_or(&line[end..]);
        if let (true, Some(value)) = (apart, rest.strip_prefix([':', '='])) {
            let value = value.trim_start_matches([' ', '"']);
            let value = value
                .split(|c: char| c.is_whitespace() || "\",}])".contains(c))
                .next()?;
            if !value.is_empty() {
                return Some(value.to_owned());
            }
        }
        from = end;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "teleport-state-dr";
    const REGION: &str = "us-west-2";

    fn danger(line: &str) -> Option<String> {
        Mark::read(line)?.danger(TABLE, REGION)
    }

    #[test]
    fn the_table_and_region_that_it_reached_are_held_against_the_plan() {
        for line in [
            "2026-11-25T02:00:00.000Z INFO [DYNAMODB]  Connection established to DynamoDB state database table:teleport-state-dr region:us-west-2 dynamo/dynamodbbk.go:327",
            "INFO Connection established to DynamoDB state database table=teleport-state-dr region=us-west-2",
            r#"{"level":"info","message":"Connection established to DynamoDB state database","region":"us-west-2","table":"teleport-state-dr"}"#,
        ] {
            let mark = Mark::read(line).expect("a mark");
            let here = Mark::State {
                table: TABLE.into(),
                region: REGION.into(),
            };
            assert_eq!(mark, here, "{line}");
            assert_eq!(danger(line), None);
        }
        let table = danger(
            "INFO Connection established to DynamoDB state database table:other region:us-west-2",
        );
        assert!(
            table
                .expect("danger")
                .contains("is other, not teleport-state-dr")
        );
        let region = danger(
            "INFO Connection established to DynamoDB state database table:teleport-state-dr region:us-east-1",
        );
        assert!(
            region
                .expect("danger")
                .contains("in us-east-1, not in us-west-2")
        );
        // Named by nothing: nothing is known, and nothing is alarming.
        assert_eq!(
            danger("INFO Connection established to DynamoDB state database"),
            None
        );
    }

    #[test]
    fn what_must_stop_a_recovery_does_and_what_an_upgrade_does_is_fine() {
        for line in [
            "INFO [DYNAMODB] Waiting until table is created. table_name:x",
            "INFO [AUTH] First start: generating certificate authority ca_type:host auth/init.go:1",
            r#"{"message":"First start: generating certificate authority","ca_type":"jwt"}"#,
            "INFO [AUTH] First start: generating user certificate authority signing keys.",
            "INFO [AUTH] First start: generating certificate authority",
            "WARN [AUTH] Cannot rename cluster to \"b\": continuing with \"a\"",
            "ERRO Unsupported upgrade path detected: from 15 to 18",
            "ERRO unsupported schema",
            "ERRO This Auth Service is configured to use AWS KMS keys but the host CA contains only software keys",
        ] {
            assert!(danger(line).is_some(), "{line}");
        }
        for line in [
            "INFO [AUTH] First start: generating certificate authority ca_type:bound_keypair",
            "WARN Failed to ensure that bucket \"b\" exists",
            "INFO Auth service is starting.",
            "INFO Ignoring auto_scaling setting as table is in on-demand mode.",
        ] {
            assert_eq!(danger(line), None, "{line}");
        }
        assert_eq!(Mark::read("INFO Initializing backend table:x"), None);
    }

    #[test]
    fn of_several_pods_the_dangerous_one_is_named() {
        let mut fine = AuthStart {
            pod: "a".into(),
            ..AuthStart::default()
        };
        fine.read("Connection established to DynamoDB state database table:teleport-state-dr region:us-west-2\nAuth service is starting.\nAuth service is starting.\n");
        assert!(fine.over() && fine.marks.len() == 2);
        let mut log = AuthLog { pods: vec![fine] };
        assert_eq!(log.danger(TABLE, REGION), None);
        assert_eq!(
            log.reached(TABLE).map(|start| start.pod.as_str()),
            Some("a")
        );
        let mut bad = AuthStart {
            pod: "b".into(),
            ..AuthStart::default()
        };
        bad.read("First start: generating certificate authority ca_type:host\n");
        log.pods.push(bad);
        let told = log.danger(TABLE, REGION).expect("danger");
        assert!(
            told.starts_with("b says: it made NEW CERTIFICATE AUTHORITIES (host)"),
            "{told}"
        );
    }
}
