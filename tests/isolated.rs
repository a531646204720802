//! `relight drill isolated` against practice regions: declared, walked from late on, taken down, and all that is real is
//! there as it was.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use relight::{
    clients::{
        aws::Aws,
        drill::{Ledger, namespace, table},
        kube::{self, Query, object},
    },
    incident::{
        Side, TableRole,
        made::{Standing, What},
    },
    plan::{self, Plan},
    practice,
};
use serde_json::{Value, json};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_relight");
const PHRASE: &str = "drill teleport.example.com";
/// How long one request may take: a loaded machine, not the practice, is what needs it.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// Practice regions by a plan that does not call itself a practice, and a state folder.
struct Regions {
    dir: TempDir,
    plan: PathBuf,
    state: TempDir,
}

impl Regions {
    fn start() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let ready = practice::start_by(Path::new(PROGRAM), dir.path(), "calm");
        let kept = ready.expect("a practice").plan;
        let text = fs::read_to_string(&kept).expect("a plan");
        let plan = kept.with_file_name("real.toml");
        fs::write(&plan, text.replace("practice = true", "practice = false")).expect("written");
        Self {
            dir,
            plan,
            state: tempfile::tempdir().expect("a folder"),
        }
    }

    /// The exit code and what was printed, by a plan.
    fn by(&self, plan: &Path, args: &[&str]) -> (i32, String) {
        let done = Command::new(PROGRAM)
            .args(args)
            .arg("--plan")
            .arg(plan)
            .arg("--state-dir")
            .arg(self.state.path())
            .env("HOME", self.dir.path())
            .stdin(Stdio::null())
            .output()
            .expect("the binary");
        let told = String::from_utf8_lossy(&done.stdout).into_owned();
        let wrong = String::from_utf8_lossy(&done.stderr).into_owned();
        (done.status.code().unwrap_or(-1), told + &wrong)
    }

    fn relight(&self, args: &[&str]) -> (i32, String) {
        self.by(&self.plan, args)
    }

    /// The plan of the drill that was declared.
    fn drill(&self) -> PathBuf {
        let listed = fs::read_dir(self.state.path()).expect("the state folder");
        let plans = listed.map(|entry| entry.expect("an entry").path().join("plan.toml"));
        let mut plans = plans.filter(|path| path.exists());
        plans
            .next()
            .expect("a drill")
            .canonicalize()
            .expect("a path")
    }
}

impl Drop for Regions {
    fn drop(&mut self) {
        let _ = practice::stop(self.dir.path());
    }
}

fn asked<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    done
}

/// How the tables of a plan's recovery side stand, by the drill's stamp.
fn tables(plan: &Plan, stamp: &str) -> [Standing; 2] {
    asked(async {
        let aws = Aws::new(plan);
        let reach = aws.side(Side::Recovery);
        let name = |role| plan.recovery.table(role).expect("planned");
        let [state, audit] = TableRole::BOTH.map(name);
        [
            table(reach, state, stamp).await.expect("told"),
            table(reach, audit, stamp).await.expect("told"),
        ]
    })
}

/// Whether a side's cluster has the plan's release.
fn has_release(plan: &Plan, side: Side) -> bool {
    asked(async {
        let kube = kube::connect(&plan.side(side).kube)
            .await
            .expect("a way in");
        let query = Query::releases(&plan.cluster.namespace, &plan.cluster.release);
        kube::any(&kube, &query, PATIENCE).await.expect("told")
    })
}

/// A release that runs warm in the recovery region, as far as its record goes.
fn warm(plan: &Plan) {
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
        "metadata": {"name": "sh.helm.release.v1.warm.v1",
            "labels": {"owner": "helm", "name": plan.cluster.release, "status": "deployed", "version": "1"}}});
    let path = format!("/api/v1/namespaces/{}/secrets", plan.cluster.namespace);
    asked(async {
        let kube = kube::connect(&plan.recovery.kube).await.expect("a way in");
        object::create(&kube, &path, &secret).await.expect("made");
    });
}

#[test]
fn it_is_told_before_it_is_declared_and_locks_what_it_leaves_alone() {
    let regions = Regions::start();
    let (code, text) = regions.relight(&["drill", "isolated"]);
    assert_eq!(code, 0, "{text}");
    for words in [
        "never drilled",
        "MADE in us-west-2: tables ",
        "LEFT ALONE: the cluster in us-east-1",
        "DANGER: trusted clusters",
        "DANGER: it has the real certificate authorities",
        "system:serviceaccount:",
        "drill isolated --yes \"drill teleport.example.com\"",
    ] {
        assert!(text.contains(words), "no {words:?} in {text}");
    }
    let (code, text) = regions.relight(&["drill", "isolated", "--yes", "drill another"]);
    assert!(
        code == 3 && text.contains("asks for its phrase"),
        "{code} {text}"
    );
    let (_, listed) = regions.relight(&["incidents"]);
    assert!(listed.contains("no incidents"), "{listed}");

    let (code, text) = regions.relight(&["drill", "isolated", "--yes", PHRASE]);
    assert!(
        code == 0 && text.contains("DRILL isolated of teleport.example.com declared"),
        "{code} {text}"
    );
    let drill = regions.drill();
    assert!(text.contains(&*drill.to_string_lossy()), "{text}");
    // Once more it is the same one, and of its own plan there is none.
    let (code, text) = regions.relight(&["drill", "isolated", "--yes", PHRASE]);
    assert!(code == 0 && text.contains("is open"), "{code} {text}");
    let (code, text) = regions.by(&drill, &["drill", "isolated", "--yes", PHRASE]);
    assert!(
        code == 3 && text.contains("the plan of isolated drill"),
        "{code} {text}"
    );
    let (code, text) = regions.by(&drill, &["--once"]);
    assert!(text.contains("DRILL ISOLATED"), "{code} {text}");

    let (code, text) = regions.by(
        &drill,
        &[
            "step",
            "run",
            "stop-old-cluster",
            "--yes",
            "uninstall teleport-cluster in east",
            "--wait",
            "0",
        ],
    );
    assert!(
        code == 3 && text.contains("isolated drill leaves stop-old-cluster alone"),
        "{code} {text}"
    );
    let (code, text) = regions.by(&drill, &["step", "run", "switch-dns", "--dry-run"]);
    assert!(
        code != 0 && text.contains("isolated drill leaves switch-dns alone"),
        "{code} {text}"
    );
    // Nor by the way that a runner goes.
    let folder = drill
        .parent()
        .expect("a folder")
        .to_string_lossy()
        .into_owned();
    let (code, text) = regions.by(
        &drill,
        &[
            "step",
            "exec",
            "switch-dns",
            "--run",
            "switch-dns-1-7",
            "--incident",
            &folder,
        ],
    );
    assert!(
        code != 0 && text.contains("an isolated drill leaves switch-dns alone"),
        "{code} {text}"
    );

    // The real plan knows nothing of it: the day may come meanwhile.
    let (code, text) = regions.relight(&["step", "skip", "freeze-changes"]);
    assert_eq!(code, 0, "{text}");
    let (_, text) = regions.relight(&["incidents", "--json"]);
    let listed: Value = serde_json::from_str(&text).expect("JSON");
    let kinds = listed["incidents"].as_array().expect("a list").iter();
    let kinds: Vec<_> = kinds
        .map(|one| one["kind"].as_str().expect("a kind"))
        .collect();
    assert!(
        kinds.contains(&"drill isolated") && kinds.contains(&"incident"),
        "{kinds:?}"
    );
}

#[test]
fn it_makes_its_own_and_takes_down_that_alone() {
    let regions = Regions::start();
    let real = plan::load(&regions.plan).expect("the real plan");
    warm(&real);
    let (code, text) = regions.relight(&["drill", "isolated", "--yes", PHRASE]);
    assert_eq!(code, 0, "{text}");
    let path = regions.drill();
    let drill = plan::load(&path).expect("its plan");
    let stamp = drill.isolated().expect("a drill").stamp.clone();
    let step = |args: &[&str]| regions.by(&path, &[&["step"], args].concat());
    for skipped in [
        "verify-backups",
        "record-black-box",
        "check-prerequisites",
        "repair-tables",
        "check-certificate",
    ] {
        let (code, text) = step(&["skip", skipped, "--reason", "looked at by other tests"]);
        assert_eq!(code, 0, "{text}");
    }
    assert_eq!(tables(&drill, &stamp), [Standing::Gone, Standing::Gone]);
    for args in [
        &["restore-tables", "--yes"][..],
        &["check-state-table"],
        &["write-values", "--yes"],
        &["check-rights"],
        &["install", "--yes"],
        &["wait-for-pods"],
        &["load-balancer"],
    ] {
        let (code, text) = step(&[&["run"], args].concat());
        assert_eq!(code, 0, "{args:?}: {text}");
        if args[0] == "check-state-table" {
            assert!(text.contains("no trusted clusters"), "{text}");
        }
    }
    assert_eq!(tables(&drill, &stamp), [Standing::Ours, Standing::Ours]);
    assert!(has_release(&drill, Side::Recovery));
    let values = fs::read_to_string(path.with_file_name("values.yaml")).expect("values");
    assert!(
        values.contains(&format!("relight-drill/{stamp}")),
        "{values}"
    );
    let folder = path.parent().expect("a folder");
    let listed = Ledger::read(folder).expect("drill.json");
    assert_eq!(listed.things.len(), 4, "{listed:?}");
    assert!(listed.lists(What::Namespace, &drill.cluster.namespace));

    // A phrase that names something else takes nothing down.
    let (code, text) = step(&[
        "run",
        "teardown",
        "--yes",
        "take down teleport-cluster in recovery",
    ]);
    assert!(
        code == 3 && text.contains("take down teleport-cluster-drill-"),
        "{code} {text}"
    );
    let context = drill.recovery.kube.context.as_deref().expect("planned");
    let phrase = format!("take down {} in {context}", drill.cluster.release);
    let (code, text) = step(&["run", "teardown", "--yes", &phrase]);
    assert_eq!(code, 0, "{text}");
    assert_eq!(tables(&drill, &stamp), [Standing::Gone, Standing::Gone]);
    assert!(!has_release(&drill, Side::Recovery));
    let gone = asked(async {
        let kube = kube::connect(&drill.recovery.kube).await.expect("a way in");
        namespace(&kube, &drill.cluster.namespace, &stamp)
            .await
            .expect("told")
    });
    assert_eq!(gone.0, Standing::Gone);

    // What is real is there as it was: no table with the drill's tag, both releases, no values written, the names unmoved.
    for stands in tables(&real, &stamp) {
        assert!(matches!(stands, Standing::Foreign(_)), "{stands:?}");
    }
    for side in Side::BOTH {
        assert!(has_release(&real, side), "{side}");
    }
    assert!(!real.recovery.values.as_ref().expect("planned").exists());
    let (_, text) = regions.by(&path, &["report", "--format", "json"]);
    let told: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(told["kind"], "drill isolated", "{text}");
}
