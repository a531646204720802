//! A journal of an early build, told in every form; and what must never get into any.

use std::{path::Path, sync::Arc, time::Duration};

use proptest::prelude::*;
use serde_json::Value;

use super::{Account, Form, Handover, Listed, Listing, Material, REPORT_SCHEMA};
use crate::{
    incident::{
        HeldLock, History, Moment, Observation, Runbook, Verdict,
        source::{Means, Restore, Source},
    },
    journal::{Entry, Folder, Item, Record, Replay, Track},
    plan::{Plan, ResolverPlan, sample},
    report::tests::broken,
    run::Redactor,
    state::{Access, Event, Prepared, State},
};

const TOLD: Moment = Moment::from_secs(1_795_500_000);
const SECRETS: &str = include_str!("../../../tests/fixtures/secrets.txt");

fn folder() -> Folder {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    Folder::at(&root.join("tests/fixtures/journals/eight-steps"))
}

/// The records and what is wrong with the journal.
fn records() -> (Vec<Record>, Vec<String>) {
    let (mut records, mut wrong) = (Vec::new(), Vec::new());
    for item in Replay::open(&folder().journal()).expect("a journal") {
        match item {
            Item::Record(record) => records.push(*record),
            Item::Notice(notice) => wrong.push(notice.to_string()),
        }
    }
    (records, wrong)
}

fn track() -> Vec<Observation> {
    Track::read(&folder()).collect()
}

fn plan() -> Plan {
    let mut plan = sample::plan();
    plan.dns.public_resolvers = Some(Vec::new());
    plan.dns.resolvers = ["1.1.1.1", "8.8.8.8"]
        .map(|address| ResolverPlan {
            label: address.to_owned(),
            address: format!("{address}:53").parse().expect("an address"),
        })
        .into();
    plan
}

/// The state at the end, with the runbook of that time so that the snapshots stay when today's grows.
fn state(records: &[Record], track: &[Observation]) -> State {
    let text = std::fs::read_to_string(folder().path().join("runbook.toml")).expect("a runbook");
    let runbook = Runbook::parse(&text).expect("the runbook of that time");
    let prepare = |_: &_, _, _: &_| {
        Ok(Prepared {
            calls: Vec::new(),
            phrase: None,
        })
    };
    let mut state = State::new(
        Arc::new(plan()),
        Arc::new(runbook),
        Access::Operator,
        Moment::default(),
        Arc::new(prepare),
    );
    state.decide(Event::Replayed(records.to_vec()));
    let newest = track.iter().map(|look| look.at).max();
    let newest = newest.unwrap_or_default().max(state.now);
    state.decide(Event::Observed(track.to_vec(), newest));
    let mut history = History::default();
    for secs in [20, 30, 200] {
        let took = Duration::from_secs(secs);
        let steps = state.runbook.steps.iter().take(2);
        history.add(
            steps
                .map(|step| (step.id.clone(), took))
                .collect::<Vec<_>>(),
        );
    }
    state.decide(Event::History(history));
    state
}

fn nothing(_: &str) -> Option<String> {
    None
}

fn material<'a>(state: &'a State, records: &'a [Record], track: &'a [Observation]) -> Material<'a> {
    Material {
        name: "20261123T140000Z-teleport.example.com",
        state,
        records,
        track,
        planned: true,
        remarks: &[],
        locks: &[],
        told: TOLD,
        clean: &nothing,
    }
}

#[test]
fn a_journal_of_an_early_build_tells_its_story() {
    let (records, wrong) = records();
    assert_eq!(wrong, Vec::<String>::new(), "the journal opens whole");
    let state = state(&records, &[]);
    let verdicts: Vec<(&str, Verdict)> = records
        .iter()
        .filter_map(|record| match &record.entry {
            Entry::Judged { run, verdict, .. } => Some((run.as_str(), *verdict)),
            _ => None,
        })
        .collect();
    assert_eq!(verdicts.len(), 8);
    assert_eq!(
        verdicts
            .iter()
            .filter(|(_, verdict)| *verdict == Verdict::Pass)
            .count(),
        7
    );
    assert_eq!(state.story.skipped.len(), 1);
    assert!(state.story.closed.is_some() && state.story.holder.is_none());
    let took: Vec<Duration> = state.story.durations().map(|(_, took)| took).collect();
    assert_eq!(took.len(), 7);
    // What a gap was before it named its kind cannot be read; the verdict it belongs to can.
    let evidence: Vec<usize> = records
        .iter()
        .filter_map(|record| match &record.entry {
            Entry::Judged { evidence, .. } => Some(evidence.len()),
            _ => None,
        })
        .collect();
    assert_eq!(evidence, [3, 1, 1, 1, 1, 2, 1, 2]);
}

#[test]
fn it_is_told_in_every_form() {
    let (records, track) = (records().0, track());
    assert_eq!(track.len(), 14, "the torn last line is passed over");
    let state = state(&records, &track);
    let material = material(&state, &records, &track);
    let account = Account::of(&material);
    insta::assert_snapshot!("markdown", account.render(Form::Markdown));
    insta::assert_snapshot!("html", account.render(Form::Html));
    insta::assert_snapshot!("json", account.render(Form::Json));
    let handover = Handover::of(&material);
    insta::assert_snapshot!("brief", handover.render(Form::Markdown));
    insta::assert_snapshot!("brief_html", handover.render(Form::Html));
}

#[test]
fn the_json_is_what_the_schema_says() {
    let (records, track) = (records().0, track());
    let state = state(&records, &track);
    let material = material(&state, &records, &track);
    let schema: Value = serde_json::from_str(REPORT_SCHEMA).expect("the schema");
    let listing = Listing::of(
        vec![
            Listed::of(&material, Some("ann on bastion"), false),
            Listed::broken("20261123T", "journal.jsonl: is a directory", &nothing),
        ],
        TOLD,
    );
    for (name, text) in [
        ("account", Account::of(&material).render(Form::Json)),
        ("handover", Handover::of(&material).render(Form::Json)),
        ("listing", listing.json()),
    ] {
        let mut told: Value = serde_json::from_str(&text).expect("JSON");
        let form = &schema["$defs"][name];
        assert_eq!(broken(&schema, form, &told, name), Vec::<String>::new());
        assert_eq!(broken(&schema, &schema, &told, "$"), Vec::<String>::new());
        told["told"] = Value::Null;
        told["colour"] = 1.into();
        assert_eq!(broken(&schema, form, &told, name).len(), 2, "{name}");
    }
}

#[test]
fn a_curve_is_broken_where_nobody_looked() {
    let (records, track) = (records().0, track());
    let state = state(&records, &track);
    let account = Account::of(&material(&state, &records, &track));
    let at = |name: &str, secs: i64| {
        let curve = account
            .curves
            .iter()
            .find(|curve| curve.name.as_str() == name);
        let begin = records[0].at.secs();
        let points = &curve.expect(name).points;
        let point = points
            .iter()
            .rev()
            .find(|point| point.at.secs() <= begin + secs);
        point.expect("in it").value
    };
    // One let it go at 300 and the other took it at 330.
    assert_eq!(at("ping, public", 290), Some(0.0));
    assert_eq!(at("ping, public", 318), None);
    assert_eq!(at("ping, public", 345), Some(0.0));
    assert_eq!(at("ping, public", 1100), Some(1.0));
    assert_eq!(
        at("pods ready", 500),
        None,
        "the recovery cluster was not seen yet"
    );
    assert_eq!(at("pods ready", 730), Some(0.5));
    assert_eq!(at("resolvers NEW", 940), Some(0.5));
    assert_eq!(at("resolvers NEW", 1100), Some(1.0));
}

#[test]
fn a_hand_over_stays_on_a_screen_whatever_there_is() {
    let (mut records, track) = (records().0, track());
    // Still open, and with more locks than a screen has lines.
    records.truncate(records.len() - 2);
    let state = state(&records, &track);
    let locks: Vec<HeldLock> = (0..40)
        .map(|number| HeldLock {
            id: format!("lock-{number}"),
            role: "editor".to_owned(),
            context: "east".to_owned(),
        })
        .collect();
    let material = Material {
        locks: &locks,
        ..material(&state, &records, &track)
    };
    let text = Handover::of(&material).render(Form::Markdown);
    assert!(text.lines().count() <= 25, "{text}");
    assert!(text.contains("more: `relight report`"), "{text}");
    assert!(text.contains("held by bob on bastion-2"), "{text}");
    let account = Account::of(&material);
    let open = account.open.iter().filter(|item| item.what == "lock");
    assert_eq!(open.count(), 40);
    assert!(account.open.is_sorted_by_key(|item| !item.grave));
}

/// The records with a restore from data of this age at the outage, for both tables, done or not.
fn with_restore(done: bool, lost: [u64; 2]) -> Vec<Record> {
    let mut records = records().0;
    let outage = records[0].at;
    let template = records
        .iter()
        .position(|record| matches!(record.entry, Entry::Armed(_)));
    let template = template.expect("a run");
    let mut run = records[template..template + 5].to_vec();
    if let Entry::Armed(armed) = &mut run[0].entry {
        let arns = ["arn:aws:backup:us-west-2:1:recovery-point:a", "arn:b"];
        let restores = arns.into_iter().zip(lost).map(|(arn, lost)| {
            let restore = Restore {
                source: Source {
                    means: Means::Copy,
                    arn: arn.to_owned(),
                    data: outage.minus(Duration::from_secs(lost)),
                    earliest: None,
                },
                target: "west-state".to_owned(),
            };
            restore.to_string()
        });
        armed.calls = restores.collect();
    }
    if !done {
        run.pop();
    }
    records.splice(template..template + 5, run);
    for (record, seq) in records.iter_mut().zip(1..) {
        record.seq = seq;
    }
    records
}

#[test]
fn the_data_lost_is_that_of_the_older_copy_that_was_really_restored() {
    let cases = [
        (true, [240, 300], "met", Some(300)),
        (true, [960, 60], "missed", Some(960)),
        (false, [240, 300], "unknown", None),
    ];
    for (done, lost, word, reached) in cases {
        let records = with_restore(done, lost);
        let state = state(&records, &[]);
        let account = Account::of(&material(&state, &records, &[]));
        let told = account.rpo.reached.map(|reached| reached.as_secs());
        assert_eq!(
            (account.rpo.word, told),
            (word, reached),
            "{:?}",
            account.rpo
        );
    }
}

#[test]
fn what_is_not_known_is_not_told() {
    let (records, wrong) = (records().0, ["the plan is gone".to_owned()]);
    let state = state(&records, &[]);
    let material = Material {
        planned: false,
        remarks: &wrong,
        ..material(&state, &records, &[])
    };
    let account = Account::of(&material);
    assert_eq!(
        (account.regions.as_ref(), account.rto.objective),
        (None, None)
    );
    assert_eq!((account.rto.word, account.rpo.word), ("reached", "unknown"));
    let text = account.render(Form::Markdown);
    assert!(text.contains("not known: the plan is gone"), "{text}");
    assert!(
        !text.contains("us-west-2 →") && !text.contains("met"),
        "{text}"
    );
}

/// The secrets of the fixture, each in its line.
fn secrets() -> Vec<(String, Vec<String>)> {
    let mut texts: Vec<String> = Vec::new();
    let mut block = false;
    // The lines of a key are known by what stands before them: they belong to one text.
    for line in SECRETS.lines().skip(1) {
        match texts.last_mut().filter(|_| block) {
            Some(text) => {
                text.push('\n');
                text.push_str(line);
            }
            None => texts.push(line.to_owned()),
        }
        block = (block || line.contains("-----BEGIN")) && !line.contains("-----END");
    }
    let texts = texts.iter().filter(|text| text.contains('«'));
    texts
        .map(|text| {
            let parts = text.split('«').skip(1);
            let secrets = parts.filter_map(|part| part.split('»').next());
            let secrets = secrets.map(str::to_owned).collect();
            (text.replace(['«', '»'], ""), secrets)
        })
        .collect()
}

/// A record in which every text that came from a person or the world is this one.
fn poison(record: &mut Record, text: &str) {
    let foul = || text.to_owned();
    record.author.operator = foul();
    record.author.host = foul();
    match &mut record.entry {
        Entry::Declared { cluster, .. } => *cluster = foul(),
        Entry::Armed(armed) => {
            armed.calls = vec![foul()];
            armed.observes = vec![foul()];
            armed.because = foul();
        }
        Entry::Confirmed { phrase, note, .. } => {
            *phrase = Some(foul());
            *note = Some(foul());
        }
        Entry::Exited { how, .. } => *how = foul(),
        Entry::ContactLost { why, .. } | Entry::Declined { why, .. } => *why = foul(),
        Entry::Judged {
            findings, evidence, ..
        } => {
            for finding in findings {
                finding.sentence = foul();
            }
            for look in evidence {
                let detail = foul();
                let kind = crate::incident::FailureKind::Other;
                look.outcome = Err(crate::incident::Failure { kind, detail });
            }
        }
        Entry::Skipped { reason, .. } | Entry::Closed { reason } => *reason = foul(),
        Entry::Noted { text } => *text = foul(),
        _ => {}
    }
}

/// Every string in a JSON text.
fn strings(value: &Value, all: &mut Vec<String>) {
    match value {
        Value::String(text) => all.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| strings(value, all)),
        Value::Object(fields) => fields.values().for_each(|value| strings(value, all)),
        _ => {}
    }
}

/// A text as its reader sees it: without the escapes of its form.
fn seen(text: &str) -> String {
    let plain = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ];
    let text = text.replace('\\', "");
    plain
        .iter()
        .fold(text, |text, (from, to)| text.replace(from, to))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_secret_and_no_control_byte_gets_into_any_form(
        secret in prop::sample::select(secrets()),
        control in prop::sample::select(vec!['\u{1b}', '\u{7}', '\u{9b}', '\0', '\r', '\u{202e}', '\u{200b}']),
        place in 0..400_usize,
        before in 0..520_usize,
    ) {
        let (line, hidden) = secret;
        let place = line.char_indices().map(|(at, _)| at).nth(place % line.chars().count()).unwrap_or(0);
        // A control byte somewhere, perhaps in the middle of the secret; and so much before it that it may be cut.
        let foul = format!("{}{}{control}[2J", "x ".repeat(before / 2), line);
        // A carriage return parts words, as it should.
        let knife = if control == '\r' { '\u{1b}' } else { control };
        let split = format!("{}{knife}{}", &line[..place], &line[place..]);
        let (mut records, track) = (records().0, track());
        for (number, record) in records.iter_mut().enumerate() {
            poison(record, if number % 2 == 0 { &foul } else { &split });
        }
        let state = state(&records, &track);
        let redactor = Redactor::new(["0wn-value-of-this-process"]);
        let clean = |text: &str| match redactor.line(text) {
            std::borrow::Cow::Borrowed(_) => None,
            std::borrow::Cow::Owned(clean) => Some(clean),
        };
        let remarks = [foul.clone(), split.clone()];
        let locks = [HeldLock { id: foul.clone(), role: split.clone(), context: foul.clone() }];
        let material = Material {
            name: &foul,
            remarks: &remarks,
            locks: &locks,
            clean: &clean,
            ..material(&state, &records, &track)
        };
        let (account, handover) = (Account::of(&material), Handover::of(&material));
        let listing = Listing::of(
            vec![Listed::of(&material, Some(&foul), true), Listed::broken(&split, &foul, &clean)],
            TOLD,
        );
        let mut all = vec![listing.text("here")];
        for text in [account.render(Form::Json), handover.render(Form::Json), listing.json()] {
            strings(&serde_json::from_str(&text).expect("JSON"), &mut all);
        }
        for form in [Form::Markdown, Form::Html] {
            all.extend([account.render(form), handover.render(form)]);
        }
        for text in all {
            prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
            prop_assert!(!text.contains(['\u{202e}', '\u{200b}']), "{text:?}");
            let text = seen(&text);
            for secret in &hidden {
                // As a reader of the form sees it: backslashes are its escapes.
                prop_assert!(!text.contains(&secret.replace('\\', "")), "{secret} in {text}");
            }
        }
    }
}

#[test]
fn html_has_nothing_of_others_in_its_markup() {
    let (mut records, track) = (records().0, track());
    let hostile = "<script src=//evil.example>'\"&</script><!--";
    for record in &mut records {
        poison(record, hostile);
    }
    let state = state(&records, &track);
    let material = Material {
        name: hostile,
        ..material(&state, &records, &track)
    };
    for text in [
        Account::of(&material).render(Form::Html),
        Handover::of(&material).render(Form::Html),
    ] {
        for part in ["<script", "<!--", "src=", "href=", "url(", "@import"] {
            let outside = text.replace("src=//evil", "");
            assert!(!outside.contains(part), "{part} in {text}");
        }
        assert!(text.contains("&lt;script"), "{text}");
        let (open, closed) = (text.matches("<td").count(), text.matches("</td>").count());
        assert_eq!(open, closed);
    }
}
