//! The black box of a release that the real Helm 3 and Helm 4 have stored, of records and tables of `ministack`, and of the
//! authorities behind the old load balancer; its copy in the recovery region read back by the AWS API.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use relight::incident::{Sealed, Side, TableRole};

use super::rig::{
    aws::{Aws, ZONE},
    cloud::Cloud,
    helm::{self, Helm},
    kube::{ControlPlane, kubeconfig},
    parts, provision,
    release::{done, told},
    script::Script,
    server::until,
    web::{CLUSTER, OLD, PORT, Web},
    world,
};

/// A value that nobody may see.
const SECRET: &str = "hunter2-of-the-live-rig";
/// Of the records, in seconds.
const TTL: i64 = 42;

/// The old side alone, and a bucket in the recovery region.
struct Old {
    // Dropped first: it acts on what follows.
    _cloud: Cloud,
    plane: ControlPlane,
    aws: Aws,
    web: Web,
    folder: tempfile::TempDir,
}

impl Old {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let plane = ControlPlane::start(Side::Primary, folder.path());
        let cloud = Cloud::over(&plane, &OLD.1.to_string());
        let aws = Aws::start(folder.path(), CLUSTER, OLD.0, TTL);
        let web = Web::start(folder.path());
        kubeconfig(&folder.path().join("kubeconfig"), &[&plane]);
        let values = format!(
            "chartMode: aws\nclusterName: {CLUSTER}\nproxyListenerMode: multiplex\naws:\n  region: us-east-1\n  \
             backendTable: {}\n  auditLogTable: {}\n  sessionRecordingBucket: {}\nclientSecret: {SECRET}\n{}",
            world::state(Side::Primary),
            world::audit(Side::Primary),
            world::bucket(Side::Primary),
            provision::annotation(),
        );
        std::fs::write(folder.path().join("values.yaml"), values).expect("values");
        Self {
            _cloud: cloud,
            plane,
            aws,
            web,
            folder,
        }
    }

    /// The plan. Neither pins nor the old load balancer are in it: they are to be seen.
    fn plan(&self, helm: Helm) -> PathBuf {
        let folder = self.folder.path();
        let own = format!(
            "practice = true\n[cluster]\nname = \"{CLUSTER}\"\nport = {PORT}\nchart = \"{}\"\nversion = \"18.2.4\"\n\
             values = \"values.yaml\"\n[tools]\nhelm = \"{}\"\n[web]\nca_file = \"{}\"\n[dns]\npublic_resolvers = []\n\
             [black_box]\ncopy_to = \"s3://{}/kept/black-box\"\n[primary.kube]\ncontext = \"primary\"\n\
             kubeconfig = \"kubeconfig\"\nuid = \"{}\"\n",
            helm::chart().display(),
            helm.program().display(),
            folder.join("web/ca.pem").display(),
            world::bucket(Side::Recovery),
            self.plane.uid
        );
        parts::write(folder, [parts::part(&own), self.aws.plan()])
    }

    fn helm(&self, helm: Helm, args: &[&str]) {
        let ran = Command::new(helm.program())
            .args(args)
            .args(["--namespace", "teleport", "--kube-context", "primary"])
            .arg("--kubeconfig")
            .arg(self.folder.path().join("kubeconfig"))
            .current_dir(self.folder.path())
            .output();
        done(&ran.expect("helm"));
    }

    /// Installs and upgrades, so that the newest of two revisions is the one that counts.
    fn install(&self, helm: Helm) {
        let chart = helm::chart();
        let chart = chart.to_str().expect("a path");
        let args = ["teleport-cluster", chart, "--values", "values.yaml"];
        let first = ["--create-namespace", "--set", "clientSecret=an-older-one"];
        self.helm(helm, &[&["install"], &args[..], &first].concat());
        self.helm(helm, &[&["upgrade"], &args[..]].concat());
        until("the load balancer's address", || {
            let service = "/api/v1/namespaces/teleport/services/teleport-cluster";
            let ingress =
                self.plane.hand.get(service).ok()?["status"]["loadBalancer"]["ingress"].clone();
            (!ingress.is_null()).then_some(())
        });
    }

    fn uninstall(&self, helm: Helm) {
        self.helm(helm, &["uninstall", "teleport-cluster", "--wait"]);
    }

    /// What lies in the recovery bucket: each key with its encryption and its bytes.
    fn copies(&self) -> Vec<(String, Option<String>, Vec<u8>)> {
        self.aws.with(Side::Recovery, async |reach| {
            let client = reach.s3().await;
            let bucket = world::bucket(Side::Recovery);
            let list = client.list_objects_v2().bucket(bucket).prefix("kept/");
            let mut found = Vec::new();
            for object in list.send().await.expect("listed").contents() {
                let key = object.key().expect("a key").to_owned();
                let got = client.get_object().bucket(bucket).key(&key).send().await;
                let got = got.expect("an object");
                let how = got
                    .server_side_encryption()
                    .map(|how| how.as_str().to_owned());
                let body = got.body.collect().await.expect("a body").into_bytes();
                found.push((key, how, body.to_vec()));
            }
            found
        })
    }
}

/// The box in the incident's folder, below the home of whoever ran the step.
fn file(home: &Path) -> PathBuf {
    let found = std::fs::read_dir(home).expect("a folder").flatten();
    let mut folders = Vec::new();
    for entry in found {
        let path = entry.path();
        if path.ends_with("black-box.json") {
            return path;
        }
        if path.is_dir() {
            folders.push(path);
        }
    }
    let mut found = folders.iter().map(|folder| file(folder));
    found.find(|path| path.is_file()).unwrap_or_default()
}

/// What the box says of the old side.
fn as_it_is(sealed: &Sealed, old: &Old, helm: Helm) {
    let seen = &sealed.seen;
    for (name, part) in seen.parts() {
        // There is no recovery cluster in this plan.
        assert!(
            part.good || name.contains("recovery"),
            "{helm:?}: {name}: {part:?}"
        );
    }
    let release = seen.release.good().expect("a release");
    assert_eq!(
        (
            release.name.as_str(),
            release.revision,
            release.status.as_str()
        ),
        ("teleport-cluster", 2, "deployed")
    );
    assert_eq!(
        (
            release.chart.as_str(),
            release.version.as_str(),
            release.app_version.as_deref()
        ),
        ("teleport-cluster", "18.2.4", Some("18.2.4"))
    );
    assert!(
        seen.release
            .source
            .contains("sh.helm.release.v1.teleport-cluster.v2"),
        "{}",
        seen.release.source
    );
    let values = sealed.values.good().expect("values");
    let values: serde_json::Value = serde_json::from_str(values).expect("JSON");
    assert_eq!(values["clientSecret"], SECRET);
    assert_eq!(values["aws"]["backendTable"], world::state(Side::Primary));
    let records = seen.records.good().expect("records");
    assert_eq!(
        (records.zone.as_str(), records.apex.as_str()),
        (old.aws.zone_id.as_str(), ZONE)
    );
    let sets: Vec<_> = records
        .sets
        .iter()
        .map(|old| {
            (
                old.set.name.as_str(),
                old.set.kind.as_str(),
                old.set.ttl,
                old.set.values.as_slice(),
            )
        })
        .collect();
    let leads = [OLD.0.to_owned()];
    let wildcard = format!("*.{CLUSTER}");
    let wanted = [CLUSTER, &wildcard].map(|name| (name, "CNAME", Some(TTL), leads.as_slice()));
    assert_eq!(sets, wanted);
    let balancer = seen.load_balancer.good().expect("a load balancer");
    assert_eq!(balancer.addresses, [OLD.1.to_string()]);
    assert!(
        seen.pins.source.starts_with("/webapi/auth/export"),
        "{}",
        seen.pins.source
    );
    assert_eq!(seen.pins.good().expect("pins"), &[old.web.pin(false)]);
    assert_eq!(seen.primary_uid.good(), Some(&old.plane.uid));
    let roles = seen.roles.good().expect("roles");
    assert!(
        roles.iter().any(|role| role.arn == provision::role_arn()),
        "{roles:?}"
    );
    for role in TableRole::BOTH {
        let table = seen.table(role).good().expect("a table");
        let settings = table.settings.as_ref().expect("settings");
        assert_eq!(
            settings.ttl.as_ref().expect("told").as_deref(),
            Some("Expires")
        );
        assert!(table.pitr.as_ref().expect("told").enabled);
    }
}

#[test]
#[ignore = "tests/live/run"]
fn a_release_of_helm_3_and_of_helm_4_is_recorded_copied_and_told() {
    let old = Old::start();
    for (count, helm) in [Helm::Three, Helm::Four].into_iter().enumerate() {
        old.install(helm);
        let plan = old.plan(helm);
        let home = old.folder.path().join(format!("home-{count}"));
        let script = Script::at(&plan, home.clone());
        script.passes(&["run", "verify-backups"]);
        let events = script.passes(&["run", "record-black-box", "--yes"]);
        let events = format!("{events:?}");
        assert!(events.contains("copied to s3://"), "{events}");
        assert!(!events.contains(SECRET), "{events}");

        let kept = file(&home);
        let mode = std::fs::metadata(&kept)
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{}", kept.display());
        let sealed: Sealed =
            serde_json::from_slice(&std::fs::read(&kept).expect("a file")).expect("a box");
        as_it_is(&sealed, &old, helm);

        let copies = old.copies();
        assert_eq!(
            copies.len(),
            count + 1,
            "one for each incident, none over another"
        );
        let (key, encryption, body) = copies.last().expect("a copy");
        assert!(
            key.starts_with(&format!("kept/black-box/{CLUSTER}/")),
            "{key}"
        );
        assert_eq!(encryption.as_deref(), Some("AES256"), "{key}");
        let elsewhere: Sealed = serde_json::from_slice(body).expect("a box");
        as_it_is(&elsewhere, &old, helm);
        assert_eq!(elsewhere.values, sealed.values);

        let shown = script.call(&["black-box", "show"]);
        let shown = done(&shown);
        for words in [
            "black box recorded",
            "in this incident",
            "revision 2 of chart teleport-cluster-18.2.4",
            &format!("{CLUSTER} CNAME {} ttl {TTL}", OLD.0),
            &old.web.pin(false),
            &format!("acts as {}", provision::role_arn()),
        ] {
            assert!(shown.contains(words), "no {words:?} in\n{shown}");
        }
        assert!(!shown.contains(SECRET), "{shown}");
        let json = script.call(&["black-box", "show", "--format", "json"]);
        assert!(
            json.status.success() && !told(&json).contains(SECRET),
            "{}",
            told(&json)
        );
        old.uninstall(helm);
    }
}
