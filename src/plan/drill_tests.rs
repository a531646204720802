use super::*;
use crate::plan::Moves;

const OWN: &str = r#"
[cluster]
name = "teleport.example.com"
values = "values.yaml"
[primary]
region = "us-east-1"
state_table = "east-state"
audit_table = "east-audit"
recordings_bucket = "east-recordings"
[recovery]
region = "us-west-2"
state_table = "west-state"
audit_table = "west-audit"
recordings_bucket = "west-recordings"
table_key = "arn:aws:kms:us-west-2:123456789012:key/mrk-1"
load_balancer = ["198.51.100.20"]
[dns]
new = ["198.51.100.20"]
[black_box]
copy_to = "s3://west-recordings/black-box"
"#;

fn parse(text: &str) -> Plan {
    Plan::parse(Path::new("/state/incident/plan.toml"), text).expect("a plan")
}

fn drilled(more: &str) -> Plan {
    let text = format!("{OWN}{more}");
    parse(&isolated_text(
        &text,
        Path::new("/etc/relight/relight.toml"),
        "20261125t163354z",
    ))
}

fn moves(plan: &Plan, text: &str) -> Result<Moves, String> {
    plan.moves(&Outline::read(text).expect("YAML"))
}

#[test]
fn nothing_that_is_real_is_left_in_the_plan_of_a_drill() {
    let real = parse(OWN);
    assert_eq!(real.isolated(), None);
    let plan = drilled("");
    let end = "-drill-20261125t163354z";
    assert_eq!(plan.cluster.release, format!("teleport-cluster{end}"));
    assert_eq!(plan.cluster.namespace, format!("teleport{end}"));
    let recovery = &plan.recovery;
    assert_eq!(recovery.state_table, Some(format!("west-state{end}")));
    assert_eq!(recovery.audit_table, Some(format!("west-audit{end}")));
    assert_eq!(recovery.table_key, None);
    assert!(recovery.load_balancer.is_empty() && plan.dns.new.is_empty());
    assert_eq!(plan.black_box.copy_to, None);
    // The files: the operator's is where it was, what is written lies in the drill's folder.
    let values = Some(PathBuf::from("/etc/relight/values.yaml"));
    assert_eq!(plan.cluster.values, values);
    let written = Some(PathBuf::from("/state/incident/values.yaml"));
    assert_eq!(recovery.values, written);
    assert_eq!(plan.primary, real.primary);
    assert_ne!(plan.digest, real.digest);
    let isolated = plan.isolated().expect("a drill");
    assert_eq!(
        isolated.tables,
        ["east-state", "east-audit", "west-state", "west-audit"]
    );
    assert_ne!(recovery.values, real.recovery.values);
}

#[test]
fn names_stay_within_what_their_kind_allows_and_keep_their_end() {
    let long = "t".repeat(60);
    for (most, end) in [(53, "-drill-20261125t163354z"), (30, "-drill-1234")] {
        let name = ended(&long, end, most);
        assert!(name.len() <= most && name.ends_with(end), "{name}");
    }
    assert_eq!(ended("ab-cdef", "-x", 5), "ab-x");
}

#[test]
fn the_plan_says_what_a_drill_has_instead() {
    let plan = drilled(
        "[drill]\nnamespace = \"teleport-drill\"\nauth_role = \"arn:aws:iam::123456789012:role/drill\"\n\
         table_key = \"arn:aws:kms:us-west-2:123456789012:key/drill\"\n[drill.set]\n\"aws.athenaURL\" = \"athena://drill\"\n",
    );
    assert_eq!(plan.cluster.namespace, "teleport-drill");
    let role = plan.recovery.auth_role.as_deref();
    assert_eq!(role, Some("arn:aws:iam::123456789012:role/drill"));
    assert!(
        plan.recovery
            .table_key
            .is_some_and(|key| key.ends_with("/drill"))
    );
    let wrong = format!("{OWN}[drill.isolated]\nstamp = \"UP\"\nof = \"relight.toml\"\n");
    let why = Plan::parse(Path::new("/p/relight.toml"), &wrong).expect_err("wrong");
    let told: Vec<String> = why.iter().map(ToString::to_string).collect();
    let told = told.join("\n");
    assert!(
        told.contains("no stamp") && told.contains("no absolute path"),
        "{told}"
    );
}

#[test]
fn values_of_a_drill_lead_to_nothing_real() {
    let plan = drilled("");
    let text = "clusterName: teleport.example.com\noperator: {enabled: true}\naws:\n  region: us-east-1\n  dynamoAutoScaling: true\n\
        annotations:\n  service:\n    service.beta.kubernetes.io/aws-load-balancer-name: teleport\n  ingress:\n    alb.ingress.kubernetes.io/group.name: shared\n";
    let set = moves(&plan, text).expect("moves").set;
    let found = |key: &str| {
        let mut all = set.iter();
        let found = all.find(|(path, _)| path.join(".").ends_with(key));
        found.map(|(_, value)| value.as_str())
    };
    for (key, value) in [
        ("aws.backendTable", "west-state-drill-20261125t163354z"),
        ("aws.auditLogTable", "west-audit-drill-20261125t163354z"),
        ("operator.enabled", "false"),
        ("aws.dynamoAutoScaling", "false"),
        (
            "storage.audit_sessions_uri",
            "s3://west-recordings/relight-drill/20261125t163354z",
        ),
        (
            "service.external-dns.alpha.kubernetes.io/controller",
            "relight-drill",
        ),
        (
            "ingress.external-dns.alpha.kubernetes.io/controller",
            "relight-drill",
        ),
        ("aws-load-balancer-name", "drill-20261125t163354z"),
        ("group.name", "relight-drill-20261125t163354z"),
    ] {
        assert_eq!(found(key), Some(value), "{key}");
    }
    // What one cluster alone can have is refused until the plan says what a drill has.
    for (more, words) in [
        ("  athenaURL: athena://real\n", "real audit events"),
        (
            "auth: {teleportConfig: {teleport: {storage: {audit_events_uri: ['dynamodb://x']}}}}\n",
            "real audit events",
        ),
        (
            "service: {spec: {loadBalancerIP: 192.0.2.1}}\n",
            "an address",
        ),
    ] {
        let text = format!("clusterName: a\naws:\n  region: x\n{more}");
        let why = moves(&plan, &text).expect_err(more);
        assert!(why.contains(words) && why.contains("[drill.set]"), "{why}");
        assert!(moves(&parse(OWN), &text).is_ok(), "{more}");
    }
    let own = drilled("[drill.set]\n\"aws.athenaURL\" = \"athena://drill\"\n");
    assert!(moves(&own, "clusterName: a\naws:\n  athenaURL: athena://real\n").is_ok());
    let outline = Outline::read("a: west-state-drill-20261125t163354z\n").expect("YAML");
    assert_eq!(plan.stranger(&outline), None);
    let outline = Outline::read("a: [x, 'dynamodb://west-audit']\n").expect("YAML");
    let why = plan.stranger(&outline).expect("a real table");
    assert!(why.contains("west-audit"), "{why}");
}

#[test]
fn recordings_get_the_drills_prefix_once_and_share_no_key() {
    let plan = drilled(
        "[recovery.set]\n\"auth.teleportConfig.teleport.storage.audit_sessions_uri\" = \"s3://west-recordings/p?sse_kms_key=k&region=us-west-2\"\n",
    );
    let expected =
        "s3://west-recordings/p/relight-drill/20261125t163354z?region=us-west-2".to_owned();
    let path = SESSIONS.map(str::to_owned).to_vec();
    assert_eq!(plan.recovery.set.get(&path), Some(&expected));
    let isolated = plan.isolated().expect("a drill");
    assert_eq!(at_prefix(&expected, isolated), expected);
}
