//! Texts and what is said about them.

use std::{path::Path, time::Duration};

use super::*;
use crate::plan::{Level, Service, TEMPLATE};

/// A whole plan without a finding.
const SOUND: &str = r#"[cluster]
name = "teleport.example.com"
version = "17.0.2"
values = "values.yaml"
ca_pins = ["sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]

[primary]
region = "us-east-1"
account = "111122223333"
state_table = "teleport-state"
audit_table = "teleport-events"
recordings_bucket = "recordings-east"
kube = { context = "east", uid = "00000000-0000-4000-8000-000000000001" }

[recovery]
region = "us-west-2"
account = "111122223333"
state_table = "teleport-state"
audit_table = "teleport-events"
recordings_bucket = "recordings-west"
backup_vault = "dr"
backup_role = "arn:aws:iam::111122223333:role/backup"
kube = { context = "west", uid = "00000000-0000-4000-8000-000000000002" }

[dns]
zone_id = "Z0123456789ABC"
zone = "example.com"
resolvers = ["10.0.0.2"]

[black_box]
copy_to = "s3://recordings-west/black-box"
"#;

fn parse(text: &str) -> Result<Plan, Vec<Diagnostic>> {
    Plan::parse(Path::new("/plans/relight.toml"), text)
}

fn summary(findings: &[Diagnostic]) -> Vec<String> {
    findings
        .iter()
        .map(|d| format!("{}:{} {:?} {}", d.line, d.column, d.level, d.message))
        .collect()
}

#[test]
fn a_sound_plan_has_no_finding_and_its_defaults() {
    let plan = parse(SOUND).expect("a plan");
    assert_eq!(summary(&plan.warnings), Vec::<String>::new());
    assert_eq!(plan.cluster.release, "teleport-cluster");
    assert_eq!(plan.cluster.namespace, "teleport");
    assert_eq!(plan.cluster.chart, "teleport/teleport-cluster");
    assert_eq!(plan.cluster.port, 443);
    assert_eq!(
        plan.cluster.values.as_deref(),
        Some(Path::new("/plans/values.yaml"))
    );
    assert_eq!(
        plan.recovery.values.as_deref(),
        Some(Path::new("/plans/values.recovery.yaml"))
    );
    assert_eq!(
        plan.dns.names,
        ["teleport.example.com", "*.teleport.example.com"]
    );
    assert_eq!(plan.dns.resolvers[0].address.to_string(), "10.0.0.2:53");
    assert_eq!(plan.dns.record_ttl, 60);
    assert_eq!(plan.dns.interval, Duration::from_secs(10));
    assert_eq!(plan.dns.public_resolvers, None);
    assert_eq!(plan.objectives.rto, Duration::from_hours(1));
    assert_eq!(plan.objectives.rpo, Duration::from_mins(15));
    assert_eq!(plan.tools.helm, "helm");
    assert_eq!(plan.digest.len(), 64);
}

/// One edit of the sound plan: what is replaced, with what, and the findings: `LINE:COLUMN Level` and a part of the
/// message.
type Case = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

const CASES: &[Case] = &[
    (
        "version =",
        "vresion =",
        &[("3:1 Error", "[cluster] vresion is not a key")],
    ),
    (
        "name = \"teleport.example.com\"",
        "",
        &[("1:2 Error", "[cluster] has no name")],
    ),
    (
        "\"teleport.example.com\"",
        "\"localhost\"",
        &[("2:8 Error", "not a fully qualified domain name")],
    ),
    (
        "\"us-east-1\"",
        "\"us-east\"",
        &[("8:10 Error", "\"us-east\" is not the name of an AWS Region")],
    ),
    (
        "\"us-east-1\"",
        "7",
        &[(
            "8:10 Error",
            "[primary] region is of type integer, not a string",
        )],
    ),
    (
        "\"111122223333\"\nstate",
        "111122223333\nstate",
        &[("9:11 Error", "not a string")],
    ),
    (
        "\"111122223333\"\nstate",
        "\"1111-2222-3333\"\nstate",
        &[("9:11 Error", "not an AWS account id")],
    ),
    (
        "kube = { context = \"east\"",
        "kube = { contxt = \"east\"",
        &[("13:10 Error", "[primary.kube] contxt")],
    ),
    (
        "-000000000001\"",
        "-1\"",
        &[("13:34 Error", "not a Kubernetes UID")],
    ),
    ("sha256:aa", "sha1:aa", &[("5:12 Error", "not a CA pin")]),
    (
        "audit_table = \"teleport-events\"\nrecordings_bucket = \"recordings-east\"",
        "audit_table = \"teleport-state\"\nrecordings_bucket = \"recordings-east\"",
        &[(
            "11:15 Error",
            "the audit table of primary and the state table of primary are the same table",
        )],
    ),
    (
        "\"us-west-2\"",
        "\"us-east-1\"",
        &[
            (
                "18:15 Error",
                "the state table of recovery and the state table of primary are the same table",
            ),
            (
                "19:15 Error",
                "the audit table of recovery and the audit table of primary are the same table",
            ),
        ],
    ),
    (
        "zone = \"example.com\"",
        "zone = \"example.org\"",
        &[
            (
                "2:8 Error",
                "zone example.org does not own teleport.example.com",
            ),
            (
                "2:8 Error",
                "zone example.org does not own *.teleport.example.com",
            ),
        ],
    ),
    (
        "context = \"west\"",
        "context = \"east\"",
        &[("23:20 Error", "kube context east is named on both sides")],
    ),
    (
        "[\"10.0.0.2\"]",
        "[\"dns.local\"]",
        &[("28:14 Error", "not the address of a DNS server")],
    ),
    (
        "[\"10.0.0.2\"]",
        "[{ label = \"vpc\" }]",
        &[("28:14 Error", "has no address")],
    ),
    (
        "[\"10.0.0.2\"]",
        "[\"10.0.0.2\"]\ninterval = \"soon\"",
        &[("29:12 Error", "\"soon\" is not a duration")],
    ),
    (
        "[\"10.0.0.2\"]",
        "[\"10.0.0.2\"]\nold = [\"192.0.2.1\"]\nnew = [\"192.0.2.1\"]",
        &[("30:8 Error", "named as old and as new")],
    ),
    (
        "[dns]",
        "[dsn]",
        &[("25:2 Error", "dsn is not a key that Relight knows")],
    ),
    (
        "values = \"values.yaml\"",
        "values = \"values.yaml\"\nname = \"other.example.com\"",
        &[("5:1 Error", "duplicate key")],
    ),
    (
        "region = \"us-east-1\"",
        "region = \"us-east-1",
        &[("8:20 Error", "this is not TOML")],
    ),
    (
        "[dns]",
        "practice = true\n[dns]",
        &[("25:1 Error", "[recovery] practice is not a key")],
    ),
    (
        "[cluster]",
        "practice = true\n[cluster]",
        &[("29:14 Error", "leaves loopback, and this is a practice")],
    ),
    (
        "values = \"values.yaml\"",
        "values = \"~/values.yaml\"",
        &[("4:10 Error", "begins with ~")],
    ),
    (
        "values = \"values.yaml\"",
        "values = \"values.yaml\"\nrelease = \"--all\"",
        &[("5:11 Error", "taken for an option")],
    ),
    (
        "backup_vault = \"dr\"",
        "values = \"values.yaml\"",
        &[("21:10 Error", "would be overwritten")],
    ),
    (
        "backup_vault = \"dr\"",
        "backup_vault = \"\\u0007\"",
        &[("21:16 Error", "control characters")],
    ),
    // Odd, and not wrong.
    (
        "region = \"us-west-2\"\naccount = \"111122223333\"",
        "region = \"us-east-1\"\naccount = \"444455556666\"",
        &[("16:10 Warning", "both sides lie in us-east-1")],
    ),
    (
        "ca_pins",
        "# ca_pins",
        &[("1:2 Warning", "[cluster] has no ca_pins")],
    ),
    (
        "zone = \"example.com\"",
        "names = [\"teleport.example.com\"]",
        &[("27:10 Warning", "lacks *.teleport.example.com")],
    ),
    (
        "backup_vault = \"dr\"",
        "backup_vault = \"dr\"\nendpoints.s3 = \"http://minio:9000\"",
        &[("22:16 Warning", "[recovery.endpoints] s3 is not encrypted")],
    ),
    (
        "[\"10.0.0.2\"]",
        "[\"10.0.0.2\"]\nrecord_ttl = 3600",
        &[("29:14 Warning", "keeps the old answer in caches")],
    ),
    // Missing.
    (
        "version =",
        "# version =",
        &[("1:2 Gap", "installing the chart is locked")],
    ),
    (
        "zone_id",
        "# zone_id",
        &[("25:2 Gap", "switching DNS is locked")],
    ),
    (
        "context = \"east\", ",
        "",
        &[(
            "7:2 Gap",
            "stopping the old cluster and watching its pods are locked",
        )],
    ),
];

#[test]
fn what_is_wrong_is_named_with_its_place() {
    for (from, to, expected) in CASES {
        assert!(SOUND.contains(from), "{from:?} is not in the sound plan");
        let text = SOUND.replacen(from, to, 1);
        let findings = match parse(&text) {
            Ok(plan) => plan.warnings,
            Err(errors) => {
                assert!(errors.iter().all(|error| error.level == Level::Error));
                errors
            }
        };
        let found = summary(&findings);
        assert_eq!(found.len(), expected.len(), "{to:?}: {found:#?}");
        for (line, (place, part)) in found.iter().zip(*expected) {
            assert!(
                line.starts_with(place) && line.contains(part),
                "{to:?}: {line:?} is not {place} … {part}"
            );
        }
        for finding in &findings {
            assert!(
                !finding.remedy.is_empty() && !finding.excerpt.contains('\n'),
                "{finding}"
            );
        }
    }
}

#[test]
fn every_error_comes_at_once_and_in_order() {
    let text =
        "practise = true\n[cluster]\nname = 1\nport = 0\n[primary]\nregion = \"moon\"\n= 3\n";
    let errors = parse(text).expect_err("a wrong plan");
    let found = summary(&errors);
    for part in [
        "practise is not a key",
        "name is of type integer",
        "port is out of range",
        "\"moon\"",
        "this is not TOML",
    ] {
        assert!(
            found.iter().any(|line| line.contains(part)),
            "{part}: {found:#?}"
        );
    }
    assert!(errors.is_sorted_by_key(|error| (error.line, error.column)));
    let suggestion = errors
        .iter()
        .find(|error| error.message.starts_with("practise"));
    assert_eq!(
        suggestion.map(|error| error.remedy.as_str()),
        Some("did you mean \"practice\"?")
    );
}

#[test]
fn a_mistyped_public_resolver_is_an_error_where_it_stands() {
    let listed = "public_resolvers = [\n  \"google\",\n  \"cloudfare\",\n]\n\n[black_box]";
    let text = SOUND.replace("\n[black_box]", listed);
    let errors = parse(&text).expect_err("a wrong plan");
    assert_eq!(errors.len(), 1, "{errors:#?}");
    let error = &errors[0];
    assert_eq!(error.excerpt, "\"cloudfare\"");
    assert_eq!((error.line, error.column), (SOUND.lines().count(), 3));
    assert_eq!(error.remedy, "did you mean \"cloudflare\"?");
}

#[test]
fn a_private_zone_needs_resolvers_that_know_it_and_asks_no_public_ones() {
    let private = |text: &str| text.replace("zone_id =", "private = true\nzone_id =");
    let plan = parse(&private(SOUND)).expect("a plan");
    assert_eq!(summary(&plan.warnings), Vec::<String>::new());
    assert_eq!(plan.watched_resolvers().len(), 1, "the plan's own");
    let none = private(SOUND).replace("resolvers = [\"10.0.0.2\"]\n", "");
    let plan = parse(&none).expect("a plan with a gap");
    assert!(plan.warnings[0].message.contains("nobody can be asked"));
    let listed = "public_resolvers = [\"google\"]\n\n[black_box]";
    let public = private(SOUND).replace("\n[black_box]", listed);
    let plan = parse(&public).expect("a plan with a warning");
    assert_eq!(plan.warnings[0].level, Level::Warning);
}

#[test]
fn an_unknown_key_far_from_all_lists_what_is_known() {
    let text = SOUND.replace("[dns]", "[tools]\ncolour = 1\n[dns]");
    let errors = parse(&text).expect_err("a wrong plan");
    assert_eq!(errors[0].remedy, "known here: helm, kubectl, renew");
    assert_eq!(errors[0].excerpt, "colour");
}

#[test]
fn hostile_text_is_quoted_without_control_bytes() {
    for text in [
        "\u{1b}[2J = 1",
        "[cluster]\nname = \"\u{1b}]0;x\u{7}\"",
        "a = \"\u{9b}31m\"\u{0}",
        "é = 'é",
        "\u{feff}[",
        "[[cluster]]\n[[primary]]",
    ] {
        let errors = parse(text).expect_err("no plan");
        for error in errors {
            let shown = error.to_string();
            assert!(
                !shown.chars().any(|c| c.is_control() && c != '\n'),
                "{shown:?}"
            );
        }
    }
}

#[test]
fn every_layout_of_the_sides_is_read() {
    let text = SOUND
        .replace("kube = { context = \"east\", uid = \"00000000-0000-4000-8000-000000000001\" }", "[primary.kube]\ncontext = \"east\"\nkubeconfig = \"../kube\"\nuid = \"00000000-0000-4000-8000-00000000000A\"\n[primary.endpoints]\ndynamodb = \"https://db.example.com/\"")
        .replace("[\"10.0.0.2\"]", "[\"10.0.0.2\", { label = \"office\", address = \"192.0.2.53:5353\" }]\nlookup = \"10.0.0.3\"\ninterval = 30");
    let plan = parse(&text).expect("a plan");
    assert_eq!(
        plan.primary.kube.kubeconfig.as_deref(),
        Some(Path::new("/plans/../kube"))
    );
    assert_eq!(
        plan.primary.kube.uid.as_deref(),
        Some("00000000-0000-4000-8000-00000000000a")
    );
    let url = plan.primary.endpoints.get(&Service::DynamoDb);
    assert_eq!(url.map(String::as_str), Some("https://db.example.com"));
    let labels: Vec<&str> = plan
        .dns
        .resolvers
        .iter()
        .map(|r| r.label.as_str())
        .collect();
    assert_eq!(labels, ["10.0.0.2", "office"]);
    assert_eq!(plan.dns.lookup[0].to_string(), "10.0.0.3:53");
    assert_eq!(plan.dns.interval, Duration::from_secs(30));
}

#[test]
fn an_empty_plan_lacks_only_what_no_pane_can_do_without() {
    let errors = parse("").expect_err("no plan");
    assert_eq!(summary(&errors).len(), 3, "{errors:#?}");
    let text = "[cluster]\nname = \"t.example.com\"\n[primary]\nregion = \"us-east-1\"\n[recovery]\nregion = \"us-west-2\"\n";
    let plan = parse(text).expect("an incomplete plan");
    assert!(plan.warnings.iter().all(|d| d.level >= Level::Warning));
    assert!(
        plan.warnings
            .iter()
            .filter(|d| d.level == Level::Gap)
            .count()
            >= 15
    );
}

#[test]
fn a_practice_asks_no_public_resolver() {
    let text = format!(
        "practice = true\n{}",
        SOUND.replace("10.0.0.2", "127.9.9.2")
    );
    let plan = parse(&text).expect("a plan");
    assert_eq!(plan.dns.public_resolvers, Some(Vec::new()));
    assert!(plan.practice);
}

#[test]
fn the_template_is_a_plan_as_it_is_and_with_every_key() {
    let plan = parse(TEMPLATE).expect("the template as written");
    assert!(plan.warnings.iter().any(|d| d.level == Level::Gap));
    let full = uncommented(TEMPLATE);
    let plan = parse(&full).unwrap_or_else(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        unreachable!("{}", lines.join("\n"))
    });
    assert_eq!(summary(&plan.warnings), Vec::<String>::new());
    for key in [
        "credentials_file",
        "backup_role",
        "kms_keys",
        "public_resolvers",
        "auth_role",
        "issuer",
        "eks_cluster",
        "ca_file",
        "rpo",
        "helm",
    ] {
        assert!(
            full.contains(&format!("\n{key} =")),
            "{key} is not in the template"
        );
    }
}

#[test]
fn further_values_are_named_by_their_path() {
    let text = format!(
        "{SOUND}\n[recovery.set]\n\"aws.athenaURL\" = \"athena://x\"\n'annotations.pod.a\\.b/c' = \"d\"\n"
    );
    let plan = parse(&text).expect("a plan");
    let paths: Vec<_> = plan
        .recovery
        .set
        .keys()
        .map(|path| path.join("|"))
        .collect();
    assert_eq!(paths, ["annotations|pod|a.b/c", "aws|athenaURL"]);
    for (key, words) in [
        ("aws.region", "decided by another key"),
        ("clusterName", "decided by another key"),
        ("aws..x", "empty key"),
    ] {
        let errors = parse(&format!("{SOUND}\n[recovery.set]\n\"{key}\" = \"x\"\n"));
        let errors = errors.expect_err(key);
        assert!(errors[0].message.contains(words), "{}", errors[0]);
    }
}

/// The template with its optional keys: comments of the form `#key = …` and `#[table]`, without a space.
fn uncommented(template: &str) -> String {
    let lines = template.lines().map(|line| match line.strip_prefix('#') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase() || "[\"".contains(c)) => {
            rest
        }
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_coordination_table_has_a_name_and_a_lease_within_reason() {
    assert_eq!(parse(SOUND).expect("a plan").coordination, None);
    let with = |more: &str| parse(&format!("{SOUND}\n[coordination]\n{more}\n"));
    let plan = with("table = \"relight\"").expect("a plan");
    let shared = plan.coordination.expect("a table");
    assert_eq!(shared.table, "relight");
    assert_eq!(shared.lease, Duration::from_secs(20));
    let plan = with("table = \"relight\"\nlease = \"1m\"").expect("a plan");
    assert_eq!(
        plan.coordination.map(|shared| shared.lease),
        Some(Duration::from_mins(1))
    );
    for (more, said) in [
        ("lease = \"30s\"", "[coordination] names no table"),
        (
            "table = \"relight\"\nlease = \"5s\"",
            "lease is out of range",
        ),
        (
            "table = \"relight\"\nlease = \"1h\"",
            "lease is out of range",
        ),
    ] {
        let errors = with(more).expect_err("wrong");
        assert_eq!(errors.len(), 1, "{errors:#?}");
        assert!(errors[0].message.contains(said), "{errors:#?}");
        assert!(!errors[0].remedy.is_empty());
    }
}
