//! A state with something wrong in every pane, told in all three forms.

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use super::{Condition, Format, Listing, Report, SCHEMA, STEP_SCHEMA, StepDetail, Told, render};
use crate::{
    incident::{
        Cluster, Component, Evidence, Fact, Failure, FailureKind, Finding, Health, Memo, Moment,
        Observation, Pod, Risk, RunId, Runbook, Side, StepId, Subject, TableRole, Verdict, Way,
    },
    journal::{ArmedStep, Author, Entry, Kind, Record, Waived, Waiver},
    plan,
    state::{Access, Event, Prepared, State},
};

const NOW: Moment = Moment::from_secs(1_795_000_000);

fn pod(name: &str, reason: &str) -> Arc<Pod> {
    Arc::new(Pod {
        uid: name.to_owned(),
        name: name.to_owned(),
        component: Component::Auth,
        ready: u16::from(reason.is_empty()),
        containers: 1,
        phase: "Running".to_owned(),
        reason: reason.to_owned(),
        message: String::new(),
        restarts: 3,
        created: NOW.minus(Duration::from_mins(10)),
        deleting: None,
        node: Some("node-1".to_owned()),
        node_ready: Some(true),
    })
}

fn cluster() -> Fact {
    Fact::Cluster(Arc::new(Cluster {
        context: "recovery".to_owned(),
        uid: None,
        pods: vec![
            pod("auth-fine", ""),
            pod("auth-\u{1b}[31mbad", "CrashLoopBackOff"),
        ],
        deployments: Vec::new(),
        load_balancer: None,
        events: Vec::new(),
        release: Ok(None),
        gaps: Vec::new(),
        memo: Memo::default(),
    }))
}

pub(super) fn state() -> State {
    let runbook = Runbook::parse(Runbook::EMBEDDED).expect("the runbook");
    let prepare = |_: &_, _, _: &_| {
        Ok(Prepared {
            calls: Vec::new(),
            phrase: None,
        })
    };
    let mut state = State::new(
        Arc::new(plan::sample::plan()),
        Arc::new(runbook),
        Access::Operator,
        NOW,
        Arc::new(prepare),
    );
    let declared = Record {
        seq: 1,
        at: NOW,
        author: Author {
            operator: "alice".to_owned(),
            host: "bastion".to_owned(),
            token: 1,
        },
        prev: Record::hash(""),
        entry: Entry::Declared {
            what: Kind::Drill,
            cluster: "teleport.example.com".to_owned(),
            plan: "/etc/relight.toml".to_owned(),
            digest: String::new(),
            outage: NOW.minus(Duration::from_secs(2537)),
        },
    };
    state.decide(Event::Replayed(vec![declared]));
    let dead = Failure::new(
        FailureKind::Timeout,
        "DynamoDB in us-east-1 gave no answer in 3s",
    );
    let seen = [
        (Subject::Cluster(Side::Recovery), Ok(cluster())),
        (Subject::Cluster(Side::Primary), Err(dead.clone())),
        (Subject::Table(Side::Primary, TableRole::State), Err(dead)),
    ]
    .map(|(subject, outcome)| Observation {
        subject,
        at: NOW,
        took: Duration::from_millis(3),
        outcome,
    });
    state.decide(Event::Observed(
        seen.into(),
        NOW.plus(Duration::from_secs(4)),
    ));
    state
}

#[test]
fn the_worst_comes_first_and_every_row_has_its_age() {
    let report = Report::of(&state());
    let healths: Vec<_> = report.panes.iter().map(|pane| pane.health).collect();
    assert!(healths.is_sorted_by(|a, b| a >= b), "{healths:?}");
    let pods = report
        .panes
        .iter()
        .find(|pane| pane.pane == "pods")
        .expect("pods");
    assert_eq!(pods.rows[0].what.as_str(), "recovery auth-[31mbad");
    assert_eq!(
        pods.rows[0].sentence.as_str(),
        "0/1 Running CrashLoopBackOff, 3 restarts"
    );
    assert_eq!(pods.rows[0].age, Some(Duration::from_secs(4)));
    let backups = report
        .panes
        .iter()
        .find(|pane| pane.pane == "backups")
        .expect("backups");
    let dead = "no answer: DynamoDB in us-east-1 gave no answer in 3s (needs us-east-1)";
    let row = backups
        .rows
        .iter()
        .find(|row| row.sentence.as_str() == dead);
    assert_eq!(
        row.and_then(|row| row.health),
        Some(Health::Unknown),
        "{backups:?}"
    );
    assert_eq!(row.and_then(|row| row.age), None);
    assert_eq!(report.clock.elapsed, Some(Duration::from_secs(2541)));
    assert_eq!(report.runbook.len(), state().runbook.steps.len());
}

#[test]
fn no_form_lets_a_control_byte_through() {
    let state = state();
    for format in [Format::Text, Format::Json, Format::Markdown] {
        let text = render(&state, format);
        let control = text.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(control, None, "{format:?}: {text}");
        assert!(
            text.ends_with('\n') && !text.ends_with("\n\n"),
            "{format:?}"
        );
        assert!(!text.contains("\\u001b"), "{format:?}");
    }
}

#[test]
fn text_begins_with_the_worst_and_names_the_clock() {
    let text = render(&state(), Format::Text);
    let mut lines = text.lines();
    assert!(lines.next().expect("a line").starts_with("DOWN "), "{text}");
    let second = lines.next().expect("a second line");
    assert!(
        second.starts_with("teleport.example.com  DRILL  T+42m  RTO 1h00m, will be missed by 42m, ~1h00m to go  RPO 15m  2026-"),
        "{second}"
    );
}

#[test]
fn markdown_keeps_its_tables_whole() {
    let text = render(&state(), Format::Markdown);
    let mut columns = 0;
    for line in text.lines() {
        let bars = line.replace("\\|", "").matches('|').count();
        assert!(bars == 0 || columns == 0 || bars == columns, "{line}");
        columns = bars;
    }
    assert!(text.contains("| What | Health | Seen | Age |"));
}

#[test]
fn the_json_is_what_the_schema_says() {
    let schema: Value = serde_json::from_str(SCHEMA).expect("the schema");
    let json = |state: &State| -> Value {
        serde_json::from_str(&render(state, Format::Json)).expect("JSON")
    };
    let told = json(&state());
    assert_eq!(broken(&schema, &schema, &told, "$"), Vec::<String>::new());
    // The checker itself can say no.
    let mut wrong = told.clone();
    wrong["panes"][0]["health"] = "FINE".into();
    wrong["clock"]["colour"] = 1.into();
    wrong["at"] = Value::Null;
    if let Some(object) = wrong.as_object_mut() {
        object.remove("sides");
    }
    assert_eq!(broken(&schema, &schema, &wrong, "$").len(), 4);
}

/// Every event that a run can tell, and that of a step that was overridden.
fn events() -> Vec<Told> {
    let id = StepId::try_from("install".to_owned()).expect("an id");
    let run = RunId::new(&id, 1, NOW);
    let armed = ArmedStep {
        run: run.clone(),
        step: id.clone(),
        attempt: 1,
        risk: Risk::Change,
        calls: vec!["helm install \u{1b}[31m".to_owned() + &"x".repeat(2_000)],
        observes: vec!["release-deployed".to_owned()],
        phrase: None,
        dry_run: false,
        way: Way::Ungraceful,
        because: "the primary gives no answer".to_owned(),
        by_hand: false,
        evidence: Evidence::Seen,
        waiver: Some(Waiver {
            waived: vec![Waived {
                condition: "tables-ready".to_owned(),
                sentence: "DynamoDB gave no answer".to_owned(),
            }],
            reason: "IAM is down".to_owned(),
        }),
        approval: None,
    };
    let finding = Finding::pass("deployed", vec![Subject::Cluster(Side::Recovery)]);
    vec![
        Told::armed(&armed, "Install the chart", "/tmp/incident".into()),
        Told::Refused {
            step: id.clone(),
            why: "locked".to_owned(),
        },
        Told::Confirmed { run: run.clone() },
        Told::Started { run: run.clone() },
        Told::Line {
            run: run.clone(),
            number: 0,
            text: "NAME: teleport-cluster".to_owned(),
        },
        Told::Exited {
            run: run.clone(),
            code: None,
            how: "killed by signal 9".into(),
        },
        Told::Settling {
            run: run.clone(),
            missing: "2 of 4 pods are ready".into(),
        },
        Told::Judged {
            step: id.clone(),
            title: "Install the chart".into(),
            run: run.clone(),
            verdict: Verdict::Pass,
            findings: Condition::all(&armed.observes, &[finding]),
            took: Duration::from_millis(1_234),
        },
        Told::Done {
            step: id.clone(),
            title: "Stop old cluster".into(),
            run: run.clone(),
            told: Evidence::Unreachable.word(),
            how: "asked AWS support".into(),
        },
        Told::Skipped {
            step: id,
            reason: "optional".to_owned(),
        },
        Told::Notice {
            text: "its runner is gone".into(),
        },
        Told::Left {
            run: Some(run),
            again: "relight step wait install".to_owned(),
        },
    ]
}

#[test]
fn what_a_script_is_told_is_what_the_schema_says() {
    let schema: Value = serde_json::from_str(STEP_SCHEMA).expect("the schema");
    let sound = |name: &str, text: &str| {
        let told: Value = serde_json::from_str(text).expect("JSON");
        let form = &schema["$defs"][name];
        assert_eq!(broken(&schema, form, &told, name), Vec::<String>::new());
        assert_eq!(broken(&schema, &schema, &told, "$"), Vec::<String>::new());
    };
    sound("list", &Listing::of(&state()).render(Format::Json));
    for step in &state().runbook.steps {
        let detail = StepDetail::of(&state(), &step.id).expect("a step");
        sound("step", &detail.render(Format::Json));
    }
    // A step is told in one form, whoever asks.
    let once: Value = serde_json::from_str(SCHEMA).expect("the schema");
    let row = &once["properties"]["runbook"]["items"];
    assert_eq!(&schema["$defs"]["row"], row);
    let mut named = 0;
    for told in events() {
        let text = told.render(NOW, Format::Json);
        assert!(!text.contains('\n') && !text.contains("\\u001b"), "{text}");
        let event: Value = serde_json::from_str(&text).expect("JSON");
        sound(event["event"].as_str().expect("a name"), &text);
        named += 1;
    }
    let forms = schema["anyOf"].as_array().expect("forms");
    assert_eq!(forms.len(), named + 2, "an event without an example");
}

#[test]
fn in_text_everything_but_output_stands_behind_a_mark() {
    for told in events() {
        let text = told.render(NOW, Format::Text);
        let output = matches!(told, Told::Line { .. });
        for line in text.lines() {
            assert_eq!(!line.starts_with("== "), output, "{line}");
        }
        assert!(!text.contains('\u{1b}'), "{text}");
    }
    let armed = events()[0].render(NOW, Format::Text);
    assert!(
        armed.contains("although UNKNOWN: tables-ready, because: IAM is down"),
        "{armed}"
    );
}

/// Where a value breaks a schema, for the keywords that ours uses.
pub(super) fn broken(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(name) = schema["$ref"].as_str() {
        let pointer = name.trim_start_matches('#');
        wrong.extend(broken(root, root.pointer(pointer).expect(name), value, at));
    }
    if let Some(any) = schema["anyOf"].as_array()
        && !any
            .iter()
            .any(|one| broken(root, one, value, at).is_empty())
    {
        wrong.push(format!("{at}: {value} is none of {any:?}"));
    }
    let fits = |kind: &Value| match kind.as_str() {
        Some("string") => value.is_string(),
        Some("number") => value.is_number(),
        Some("integer") => value.is_u64() || value.is_i64(),
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        _ => false,
    };
    let kinds = &schema["type"];
    let fine = match kinds {
        Value::Null => true,
        Value::Array(kinds) => kinds.iter().any(fits),
        kind => fits(kind),
    };
    if !fine {
        wrong.push(format!("{at}: {value} is no {kinds}"));
    }
    let told = |one: &Value| one == value;
    let listed = schema["enum"]
        .as_array()
        .is_none_or(|all| all.iter().any(told));
    if !listed || !(schema["const"].is_null() || told(&schema["const"])) {
        wrong.push(format!("{at}: {value} is not allowed"));
    }
    for key in schema["required"].as_array().into_iter().flatten() {
        if value.get(key.as_str().expect("a name")).is_none() {
            wrong.push(format!("{at}: {key} is missing"));
        }
    }
    for (key, part) in value.as_object().into_iter().flatten() {
        let inner = format!("{at}.{key}");
        match schema["properties"].get(key) {
            Some(schema) => wrong.extend(broken(root, schema, part, &inner)),
            None if schema["additionalProperties"] == false => {
                wrong.push(format!("{inner} is not described"));
            }
            None => {}
        }
    }
    for (index, part) in value.as_array().into_iter().flatten().enumerate() {
        wrong.extend(broken(
            root,
            &schema["items"],
            part,
            &format!("{at}[{index}]"),
        ));
    }
    wrong
}
