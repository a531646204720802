//! Roles locked and unlocked by `tctl` in an Auth pod, through the real kubectl, API server and exec; behind it a stand-in
//! for `tctl`, since there is no Teleport: it prints what `tctl` prints and keeps its locks in files.

use std::path::{Path, PathBuf};

use relight::{
    clients::black_box::Shelf,
    incident::{Condition, Moment, Outcome, Side},
    probe::{Targets, live::freeze::FreezeProbe},
};
use serde_json::{Value, json};

use crate::live::rig::{
    helm::{self, Helm},
    kube::ControlPlane,
    release::{Release, done},
    server::until,
    step_in,
    watch::{Watch, all_serve},
};

/// `tctl get`, `lock` and `rm`, each lock in a file of its name.
const TCTL: &str = r#"
echo 'WARN  a word of tctl to whom it may concern' >&2
say() { out=; for one in "$@"; do [ -f "$one" ] && out="$out${out:+,}$(cat "$one")"; done; echo "[$out]"; }
case "$1 $2" in
'get roles') cat roles.json ;;
'get locks') say locks/* ;;
'lock --role='*)
  for arg in "$@"; do case "$arg" in
    --role=*) role=${arg#*=} ;; --message=*) message=${arg#*=} ;; --ttl=*h) hours=${arg#*=} ;;
    lock) ;; *) echo "ERROR: unknown flag $arg" >&2; exit 1 ;;
  esac; done
  id=$(cat /proc/sys/kernel/random/uuid)
  until=$(date -u -d "+${hours%h} hours" +%Y-%m-%dT%H:%M:%SZ)
  cat >"locks/$id" <<END
{"kind":"lock","version":"v2","metadata":{"name":"$id","revision":"1"},"spec":{"target":{"role":"$role"},"message":"$message","expires":"$until","created_by":"root"}}
END
  echo "Created a lock with name \"$id\"." ;;
'rm lock/'*)
  [ -f "locks/${2#lock/}" ] || { echo "ERROR: lock ${2#lock/} not found" >&2; exit 1; }
  rm "locks/${2#lock/}" && echo "lock \"${2#lock/}\" has been deleted" ;;
*) echo "ERROR: unknown command $*" >&2; exit 1 ;;
esac"#;

/// An Auth Service behind the pods of a cluster.
struct Auth<'a>(&'a ControlPlane);

impl Auth<'_> {
    fn start(plane: &ControlPlane) -> Auth<'_> {
        let roles = include_str!("../../../src/clients/freeze/roles.json");
        std::fs::write(plane.folder().join("roles.json"), roles).expect("written");
        std::fs::create_dir_all(plane.folder().join("locks")).expect("a folder");
        plane.put_program("tctl", TCTL);
        Auth(plane)
    }

    fn folder(&self) -> PathBuf {
        self.0.folder().join("locks")
    }

    /// Name and object of each lock.
    fn locks(&self) -> Vec<(String, Value)> {
        let entries = std::fs::read_dir(self.folder())
            .expect("a folder")
            .flatten();
        let mut found: Vec<_> = entries
            .map(|entry| {
                let text = std::fs::read_to_string(entry.path()).expect("a lock");
                let name = entry.file_name().to_string_lossy().into_owned();
                (name, serde_json::from_str(&text).expect("JSON"))
            })
            .collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        found
    }

    /// Somebody else locks the same role, in the same words.
    fn others(&self, message: &str) {
        let lock = json!({"kind": "lock", "metadata": {"name": "somebody-elses"},
            "spec": {"target": {"role": "auditor"}, "message": message}});
        std::fs::write(self.folder().join("somebody-elses"), lock.to_string()).expect("written");
    }

    /// The names of the locks that are not somebody else's.
    fn ours(&self) -> Vec<String> {
        let names = self.locks().into_iter().map(|(name, _)| name);
        names.filter(|name| name != "somebody-elses").collect()
    }
}

fn watch(release: &Release, side: Side, incident: &Path) -> Watch {
    let targets = Targets::default();
    targets.set_boxes(Shelf::new(None, Some(incident), "teleport.example.com"));
    let plan = &release.plan;
    let probe = FreezeProbe::new(std::sync::Arc::clone(plan), side, &targets);
    Watch::open(plan, vec![Box::new(probe)])
}

fn ran(release: &Release, name: &str, incident: &Path) -> String {
    let (told, fine) = step_in(&release.plan.path, name, false, incident);
    assert!(fine, "{told}");
    told
}

/// Who may run commands in the Auth pods.
fn may_exec(plane: &ControlPlane) {
    let rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/teleport";
    let rules = json!([{"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"]}]);
    plane.hand.make(
        &format!("{rbac}/roles"),
        &json!({"metadata": {"name": "debug"}, "rules": rules}),
    );
    plane.hand.make(&format!("{rbac}/rolebindings"), &json!({"metadata": {"name": "debug"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "debug"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "oncall"}]}));
}

#[test]
#[ignore = "tests/live/run"]
fn roles_are_locked_in_the_primary_and_unlocked_by_name_where_the_cluster_went() {
    let folder = tempfile::tempdir().expect("a folder");
    let incident = tempfile::tempdir().expect("a folder");
    let incident = incident.path();
    let (mut primary, recovery) = ControlPlane::both(folder.path());
    let release = Release::new(folder.path(), Helm::Four, &[&primary, &recovery]);
    let message = "relight change freeze of teleport.example.com";
    done(&release.install_in_primary());
    let (old, new) = (Auth::start(&primary), Auth::start(&recovery));
    old.others(message);
    may_exec(&primary);
    let mut clusters = Watch::clusters(&release.plan, &Side::BOTH);
    clusters.until(Side::Primary, "the old cluster", all_serve);

    let (told, fine) = step_in(&release.plan.path, "freeze-changes", true, incident);
    assert!(fine && told.contains("nothing was changed"), "{told}");
    assert!(old.ours().is_empty(), "a dry run");
    let told = ran(&release, "freeze-changes", incident);
    let locks = old.locks();
    let [id] = &*old.ours() else {
        unreachable!("{locks:?}")
    };
    let lock = &locks.iter().find(|(name, _)| name == id).expect("it").1["spec"];
    assert_eq!(
        (&lock["target"]["role"], &lock["message"]),
        (&json!("editor"), &json!(message))
    );
    let expires: Moment = lock["expires"]
        .as_str()
        .expect("text")
        .parse()
        .expect("a moment");
    let hours = expires.since(Moment::now()).as_secs() / 3600;
    assert!((22..=24).contains(&hours), "{lock}");
    for words in [
        &format!("locked by {id}"),
        "not locked: bot-ci",
        "not locked: teleport-operator",
        "oncall",
    ] {
        assert!(told.contains(words), "no {words:?} in\n{told}");
    }
    let mut eyes = watch(&release, Side::Primary, incident);
    let why = eyes.until_pass(Condition::FreezeHeld, Moment::now());
    assert!(
        why.contains("editor") && why.contains("context primary"),
        "{why}"
    );
    let again = ran(&release, "freeze-changes", incident);
    assert!(
        again.contains(&format!("editor is locked already, by {id}")),
        "{again}"
    );
    assert_eq!(&old.ours(), std::slice::from_ref(id));

    // Restored from a copy that was made before: the recovery's state holds somebody else's lock and not ours.
    new.others(message);
    release.recovery_values("");
    done(&helm::install(&release.plan));
    clusters.until(Side::Recovery, "the new cluster", all_serve);
    primary.api.kill();
    let mut eyes = watch(&release, Side::Recovery, incident);
    until("the freeze to be seen to have gone", || {
        let finding = eyes.condition(Condition::FreezeHeld);
        (finding.outcome == Outcome::Fail).then_some(())
    });
    let told = ran(&release, "freeze-changes", incident);
    assert!(
        told.contains("These locks lie in the recovery cluster"),
        "{told}"
    );
    assert_eq!(new.ours().len(), 1);
    let mut eyes = watch(&release, Side::Recovery, incident);
    until("the freeze to be held, and so not lifted", || {
        let (held, lifted) = (
            eyes.condition(Condition::FreezeHeld),
            eyes.condition(Condition::FreezeLifted),
        );
        (held.outcome != Outcome::Fail && lifted.outcome == Outcome::Fail).then_some(())
    });

    let told = ran(&release, "lift-freeze", incident);
    assert!(
        told.contains(&format!(
            "lock {id} on editor, made in context primary, is not in context recovery"
        )),
        "{told}"
    );
    assert_eq!(new.locks().len(), 1, "somebody else's stays");
    assert!(new.ours().is_empty());
    let mut eyes = watch(&release, Side::Recovery, incident);
    eyes.until_pass(Condition::FreezeLifted, Moment::now());

    // With both gone, nothing is done and both are named.
    drop(recovery);
    let (told, fine) = step_in(&release.plan.path, "lift-freeze", false, incident);
    assert!(!fine && told.contains("no Auth Service answers"), "{told}");
    assert!(
        told.contains("context primary") && told.contains("context recovery"),
        "{told}"
    );
}
