//! Profiles and configurations as they lie on disk.

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

use super::*;
use crate::plan::sample;

const CLUSTER: &str = "teleport.example.com";
const PIN: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const OTHER: &str = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// An authority of a cluster as PEM, with its pin.
fn authority(cluster: &str) -> (String, String) {
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, cluster);
    name.push(DnType::CommonName, cluster);
    params.distinguished_name = name;
    let key = KeyPair::generate().expect("a key");
    let pem = params.self_signed(&key).expect("a certificate").pem();
    let pins = certificate::pins(pem.as_bytes()).expect("a pin");
    (pem, pins[0].clone())
}

fn put(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    std::fs::write(path, text).expect("written");
}

fn profile(home: &Path) -> Baseline {
    let places = Places {
        home: Some(home.to_owned()),
        ..Places::default()
    };
    look(&places, CLUSTER)
}

fn only(gaps: &[Failure], part: &str) {
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert!(gaps[0].detail.contains(part), "{} lacks {part}", gaps[0]);
}

#[test]
fn what_tsh_trusts_for_the_cluster_is_read_and_no_key_is_opened() {
    let home = tempfile::tempdir().expect("a folder");
    only(&profile(home.path()).gaps, "there is no");
    let proxy = home.path().join("keys").join(CLUSTER);
    let (own, pin) = authority(CLUSTER);
    let (leaf, _) = authority("leaf.example.com");
    // What would be a defect to read: a folder cannot be.
    std::fs::create_dir_all(proxy.join("alice.key")).expect("a folder");
    only(&profile(home.path()).gaps, "knows no cluster");

    put(&proxy.join("certs.pem"), &format!("{leaf}{own}"));
    let older = profile(home.path());
    assert_eq!(older.gaps, []);
    assert_eq!(older.found[0].pins, std::slice::from_ref(&pin));
    assert!(older.found[0].path.ends_with("certs.pem"));
    assert!(older.found[0].written > Moment::from_secs(1_700_000_000));

    let (newer, renewed) = authority(CLUSTER);
    put(&proxy.join("cas").join(format!("{CLUSTER}.pem")), &newer);
    put(&proxy.join("cas/leaf.example.com.pem"), &leaf);
    let found = profile(home.path()).found;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].pins, [renewed]);
    assert_eq!(found[0].by, Keeper::Tsh);
    put(&proxy.join("cas").join(format!("{CLUSTER}.pem")), "torn");
    only(&profile(home.path()).gaps, "no certificate");
}

#[test]
fn a_profile_of_leaf_clusters_alone_is_none_of_the_cluster() {
    let home = tempfile::tempdir().expect("a folder");
    let (leaf, _) = authority("leaf.example.com");
    put(&home.path().join("keys/p.example.com/certs.pem"), &leaf);
    let seen = profile(home.path());
    assert_eq!(seen.found, []);
    only(&seen.gaps, "knows no cluster");
}

#[test]
fn ca_pin_is_one_or_a_list_and_whose_it_is_must_be_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("teleport.yaml");
    let read = |text: &str, named: bool| {
        put(&file, text);
        let mut places = Places {
            home: Some(folder.path().join("none")),
            ..Places::default()
        };
        if named {
            places.named = vec![file.clone()];
        } else {
            places.usual = Some(file.clone());
        }
        let mut seen = look(&places, CLUSTER);
        seen.gaps.remove(0);
        seen
    };
    let joins = format!("teleport:\n  auth_token: hunter2\n  proxy_server: {CLUSTER}:443\n");
    let one = read(&format!("{joins}  ca_pin: \"{PIN}\"\n"), false);
    assert_eq!(one.found[0].pins, [PIN]);
    assert_eq!(one.found[0].by, Keeper::Agent);
    let list = format!("{joins}  ca_pin:\n  - {OTHER}\n  - {PIN}\n  - /var/lib/ca.pin\n");
    assert_eq!(read(&list, false).found[0].pins, [PIN, OTHER]);
    only(&read(&joins, false).gaps, "has no ca_pin");
    only(
        &read(&format!("{joins}  ca_pin: /var/lib/ca.pin\n"), false).gaps,
        "has no ca_pin",
    );

    let other = format!("teleport:\n  proxy_server: other.example.org:443\n  ca_pin: {PIN}\n");
    only(&read(&other, false).gaps, "does not say that it joins");
    assert_eq!(
        read(&other, true).found[0].pins,
        [PIN],
        "the plan says whose it is"
    );

    let torn = read("teleport: [\n  hunter2", true);
    only(&torn.gaps, "teleport.yaml");
    assert!(!torn.gaps[0].detail.contains("hunter2"), "{torn:?}");
}

#[test]
fn where_it_looks_is_said_by_the_plan_or_by_the_session_and_a_practice_is_nobodys() {
    let var = |name: &str| match name {
        "HOME" => Some("/home/alice".to_owned()),
        "TELEPORT_HOME" => Some("/srv/tsh".to_owned()),
        _ => None,
    };
    let home = |name: &str| (name == "HOME").then(|| "/home/alice".to_owned());
    let mut plan = sample::plan();
    let places = Places::of(&plan, var);
    assert_eq!(places.home, Some("/srv/tsh".into()));
    assert_eq!(places.usual, Some(AGENT.into()));
    assert_eq!(
        Places::of(&plan, home).home,
        Some("/home/alice/.tsh".into())
    );
    plan.practice = true;
    assert_eq!(Places::of(&plan, var), Places::default());
    plan.cluster.tsh_home = Some("/p/tsh".into());
    plan.cluster.agent_config = vec!["/p/agent.yaml".into()];
    let places = Places::of(&plan, var);
    assert_eq!(places.home, Some("/p/tsh".into()));
    assert_eq!((places.named.len(), places.usual), (1, None));
}
