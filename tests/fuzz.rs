//! What others write, taken apart: plan, journal, DNS answers, ping JSON and child output. The corpora (`fuzz/TARGET/`, and
//! fixtures) run as tests; the search for more is a command of its own, for as long as wanted:
//!
//! ```text
//! FUZZ_SECONDS=600 [FUZZ_TARGET=dns] [FUZZ_SEED=7] cargo test --locked --test main fuzz::search -- --ignored --nocapture
//! ```
//!
//! It changes inputs of the corpora (bits, pieces, words of the formats, two into one), keeps what led somewhere new by the
//! shape of its result, and writes an input that ends in a panic to `fuzz/TARGET/`, where it stays as a test once mended.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use relight::{
    clients::{
        dns::{self, Kind, Question, Reading},
        web::{self, Reply},
    },
    incident::plain,
    journal::{Item, Replay},
    plan::Plan,
    run::{Pipe, Redactor, clean},
};
use serde::Serialize;
use serde_json::Value;

/// A target: its name, what it must hold to for any bytes, and words of its format. The shape of what came of an input is
/// returned: inputs of a new shape are worth changing further.
struct Target {
    name: &'static str,
    holds: fn(&[u8]) -> u64,
    words: &'static [&'static str],
    /// Fixtures that are good inputs too.
    seeds: &'static [&'static str],
}

const TARGETS: [Target; 5] = [
    Target {
        name: "plan",
        holds: plan,
        words: &[
            "[dns]\n",
            "[[dns.resolvers]]\n",
            "address = ",
            "\"\"\"",
            "'''",
            "[primary.endpoints]\n",
            "= [",
            "{ ",
            "\\u0000",
            "\\U0010FFFF",
            "1979-05-27T07:32:00Z",
            "nan",
            "-inf",
            "0x",
            "..",
            "\u{202e}",
            "name = ",
            "\"*.\"",
            "[cluster]\n",
        ],
        seeds: &[
            "assets/relight.toml",
            "tests/fixtures/plan/aws.toml",
            "tests/reducer/plan.toml",
        ],
    },
    Target {
        name: "journal",
        holds: journal,
        words: &[
            "{\"seq\":1",
            "\"entry\":{\"kind\":\"closed\"",
            "\"kind\":\"new\"",
            "\\u001b",
            "\\ud800",
            "18446744073709551615",
            "1e999",
            "null",
            "[[[[",
            "\"token\":",
            "\n",
            "\0\0\0\0",
            "\"prev\":\"",
            "\"at\":\"2026-11-23T14:00:00.000Z\"",
            "-1",
        ],
        seeds: &["tests/fixtures/journals/eight-steps/journal.jsonl"],
    },
    Target {
        name: "dns",
        holds: answer,
        words: &[
            "\u{c}\0\u{1}\0\u{1}",
            "\0\0\u{5}\0\u{1}",
            "\0\0\u{6}",
            "\0)\u{10}\0",
            "\u{3f}",
            "\0\0\u{ff}\u{ff}",
            "\u{4}tele\u{7}example\u{3}com\0",
        ],
        seeds: &[],
    },
    Target {
        name: "ping",
        holds: ping,
        words: &[
            "\"server_version\":",
            "\"auth\":{",
            "\"webauthn\":{\"rp_id\":",
            "\\u202e",
            "\\ud83d",
            "[[[[[[",
            "1e400",
            "true",
            "null",
            "{}",
        ],
        seeds: &[
            "tests/fixtures/web/ping-12.json",
            "tests/fixtures/web/ping-18.json",
            "tests/fixtures/web/find-18.json",
        ],
    },
    Target {
        name: "output",
        holds: output,
        words: &[
            "\u{1b}[",
            "\u{1b}]0;",
            "\u{1b}P",
            "\r",
            "-----BEGIN PRIVATE KEY-----",
            "-----END",
            "password=",
            "AKIA",
            "token: \"",
            "://u:",
            "eyJ",
            "\\\"",
            "\u{9b}",
            "\n\n",
            "bearer ",
            "X-Amz-Signature=",
            "\t",
        ],
        seeds: &[
            "tests/fixtures/secrets.txt",
            "tests/fixtures/harmless.txt",
            "tests/fixtures/hostile.toml",
        ],
    },
];

/// Line feeds aside, nothing in a text may be obeyed by a terminal.
fn assert_plain(text: &str) {
    let mut shown = plain::filter();
    let bad = text.chars().find(|c| !shown(*c) && *c != '\n');
    assert_eq!(bad, None, "{text:?}");
}

/// The same for every text in something.
fn assert_all_plain(thing: &impl Serialize) -> String {
    fn walk(value: &Value) {
        match value {
            Value::String(text) => assert_plain(text),
            Value::Array(values) => values.iter().for_each(walk),
            Value::Object(fields) => fields.values().for_each(walk),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let value = serde_json::to_value(thing).expect("JSON");
    walk(&value);
    value.to_string()
}

fn plan(bytes: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(bytes);
    match Plan::parse(Path::new("/plans/relight.toml"), &text) {
        Ok(plan) => {
            assert_plain(&plan.cluster.name);
            1000 + plan.warnings.len() as u64
        }
        Err(wrong) => {
            assert!(!wrong.is_empty(), "refused without a word");
            for one in &wrong {
                assert_plain(&one.to_string());
                assert!(one.line > 0 && one.column > 0, "{one}");
            }
            wrong.iter().fold(wrong.len() as u64, |shape, one| {
                shape
                    .wrapping_mul(31)
                    .wrapping_add(one.message.len() as u64)
            })
        }
    }
}

fn journal(bytes: &[u8]) -> u64 {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.jsonl");
    fs::write(&path, bytes).expect("written");
    let mut replay = Replay::open(&path).expect("a file");
    let (mut records, mut notices) = (Vec::new(), 0_u64);
    for item in replay.by_ref() {
        match item {
            Item::Record(record) => records.push(record),
            Item::Notice(notice) => {
                notices += 1;
                assert_plain(&notice.to_string());
            }
        }
    }
    let whole = memchr::memchr_iter(b'\n', bytes).count();
    assert!(records.len() <= whole, "more records than lines");
    assert!(
        records.len() as u64 + notices >= whole as u64,
        "a line was passed over"
    );
    for record in &records {
        assert_all_plain(record);
    }
    // Cut, and read again, it tells the same, and there is nothing torn any more.
    let torn = replay.cut_torn().expect("cut");
    assert_eq!(
        torn.is_some(),
        bytes.last().is_some_and(|byte| *byte != b'\n')
    );
    let mut again = Replay::open(&path).expect("a file");
    let told: Vec<_> = again
        .by_ref()
        .filter(|item| matches!(item, Item::Record(_)))
        .collect();
    assert_eq!(told.len(), records.len());
    assert_eq!(again.cut_torn().expect("whole"), None);
    assert_eq!(again.tail(), replay.tail());
    records.len() as u64 * 64 + notices
}

fn answer(bytes: &[u8]) -> u64 {
    let server: SocketAddr = "192.0.2.53:53".parse().expect("an address");
    let question = Question::new(server, "tele.example.com", Kind::A, true).expect("a question");
    let id = u16::from_be_bytes([
        bytes.first().copied().unwrap_or(0),
        bytes.get(1).copied().unwrap_or(0),
    ]);
    match dns::read(bytes, &question, id) {
        Reading::Reply(reply) => {
            assert!(reply.addresses.is_sorted() && reply.addresses.len() <= 64);
            assert!(reply.chain.len() <= 16 && reply.nameservers.len() <= 32);
            for hop in &reply.chain {
                let text = assert_all_plain(hop);
                assert!(text.is_ascii(), "{text}");
            }
            for (name, _) in &reply.nameservers {
                assert!(name.bytes().all(|byte| byte.is_ascii_graphic()), "{name:?}");
            }
            let shape =
                reply.addresses.len() + reply.chain.len() * 64 + reply.nameservers.len() * 1024;
            100 + shape as u64 * 2 + u64::from(reply.ttl.is_some())
        }
        Reading::Truncated => 1,
        Reading::Stranger => 2,
        Reading::Garbage => 3,
    }
}

fn ping(bytes: &[u8]) -> u64 {
    let reply = |status| Reply {
        place: "/webapi/ping at 192.0.2.1:443".to_owned(),
        status,
        location: Some(String::from_utf8_lossy(bytes).into_owned()),
        body: bytes.to_vec(),
        took: Duration::from_millis(3),
    };
    let mut shape = 0_u64;
    for status in [200, 302, 404, 504] {
        let (ping, find) = (web::ping(&reply(status)), web::find(&reply(status)));
        shape = shape * 2 + u64::from(ping.is_ok());
        for text in [assert_all_plain(&ping), assert_all_plain(&find)] {
            assert!(text.chars().count() < 4000, "{}", text.len());
            shape = shape
                .wrapping_mul(31)
                .wrapping_add(text.matches("null").count() as u64);
        }
    }
    shape
}

const SECRET: &str = "AWS_SECRET_ACCESS_KEY=Q7zFuzzOnly/9pK2mDENG/bPxRfiCYunseen0000";
/// In no input of a corpus.
const HIDDEN: &str = "Q7zFuzzOnly";

fn output(bytes: &[u8]) -> u64 {
    // A secret in the middle of anything, whatever pieces it comes in.
    let line = format!("\n{SECRET}\n");
    let all = [bytes, line.as_bytes(), bytes].concat();
    let through = |sizes: &[usize]| {
        let mut pipe = Pipe::new(Redactor::new([]));
        let (mut out, mut rest) = (Vec::new(), &all[..]);
        for size in sizes.iter().cycle() {
            let (piece, more) = rest.split_at(rest.len().min(*size));
            pipe.feed(piece, &mut out);
            rest = more;
            if rest.is_empty() {
                break;
            }
        }
        pipe.finish(&mut out);
        (out, pipe.redactions())
    };
    let (whole, count) = through(&[usize::MAX]);
    assert!(count > 0, "nothing was redacted");
    let (pieces, _) = through(&[7, 1, 64, 3]);
    if all
        .split(|byte| *byte == b'\n')
        .all(|line| line.len() < 60_000)
    {
        assert_eq!(whole, pieces, "what comes in pieces is not the same");
    }
    let redactor = Redactor::new([]);
    for out in [&whole, &pieces] {
        assert!(memchr::memmem::find(out, HIDDEN.as_bytes()).is_none());
        for line in out.split(|byte| *byte == b'\n') {
            let text = clean(line);
            assert_plain(&text);
            assert!(!redactor.line(&text).contains(HIDDEN));
        }
    }
    let text = redactor.text(&String::from_utf8_lossy(&all));
    assert!(!text.contains(HIDDEN), "{text}");
    count * 1024 + u64::from(whole.len().ilog2())
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The inputs of a target: those that are kept for it, and the fixtures.
fn corpus(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = root().join("tests/fuzz").join(target.name);
    let listed = fs::read_dir(&folder).expect("a corpus");
    let mut files: Vec<PathBuf> = listed
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files.extend(target.seeds.iter().map(|seed| root().join(seed)));
    files
        .into_iter()
        .map(|path| {
            let bytes = fs::read(&path).expect("an input");
            (path, bytes)
        })
        .collect()
}

#[test]
fn every_corpus_holds() {
    for target in &TARGETS {
        let inputs = corpus(target);
        assert!(
            inputs.len() >= 8,
            "{}: {} inputs",
            target.name,
            inputs.len()
        );
        let mut shapes = BTreeSet::new();
        for (path, bytes) in inputs {
            let shape = catch_unwind(AssertUnwindSafe(|| (target.holds)(&bytes)));
            shapes.insert(shape.unwrap_or_else(|_| unreachable!("{}", path.display())));
        }
        // They are not all refused at the door.
        assert!(shapes.len() >= 3, "{}: {shapes:?}", target.name);
    }
}

/// Changes an input a little.
fn changed(random: &mut fastrand::Rng, corpus: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    let mut bytes = corpus[random.usize(..corpus.len())].clone();
    // Long ones are slow and hold no more: a piece of them.
    if bytes.len() > 8192 {
        let from = random.usize(..bytes.len() - 4096);
        bytes = bytes[from..from + 4096].to_vec();
    }
    for _ in 0..random.usize(1..6) {
        let at = random.usize(..=bytes.len());
        let upto = (at + random.usize(..64)).min(bytes.len());
        match random.u8(..9) {
            0 if !bytes.is_empty() => {
                let at = at.min(bytes.len() - 1);
                bytes[at] ^= 1 << random.u8(..8);
            }
            1 => drop(bytes.drain(at..upto)),
            2 => {
                let piece = bytes[at..upto].to_vec();
                let to = random.usize(..=bytes.len());
                bytes.splice(to..to, piece);
            }
            3 | 4 => {
                let word = words[random.usize(..words.len())].as_bytes().to_vec();
                bytes.splice(at..at, word);
            }
            5 => {
                let other = &corpus[random.usize(..corpus.len())];
                let from = random.usize(..=other.len());
                let piece = other[from..(from + random.usize(..512)).min(other.len())].to_vec();
                bytes.splice(at..upto, piece);
            }
            6 => bytes.truncate(at),
            7 => {
                let noise: Vec<u8> = (0..random.usize(1..9)).map(|_| random.u8(..)).collect();
                bytes.splice(at..at, noise);
            }
            _ => {
                let piece = bytes[at..upto].to_vec();
                let many = piece.repeat(random.usize(1..200));
                bytes.splice(at..at, many);
            }
        }
    }
    bytes.truncate(64 * 1024);
    bytes
}

#[test]
#[ignore = "it runs for as long as it is told to: FUZZ_SECONDS"]
fn search() {
    let number = |name: &str, usual: u64| {
        let text = std::env::var(name).ok();
        text.and_then(|text| text.parse().ok()).unwrap_or(usual)
    };
    let (seconds, seed) = (
        number("FUZZ_SECONDS", 60),
        number("FUZZ_SEED", fastrand::u64(..)),
    );
    let only = std::env::var("FUZZ_TARGET").ok();
    let wanted: Vec<&Target> = TARGETS
        .iter()
        .filter(|target| only.as_ref().is_none_or(|only| only == target.name))
        .collect();
    assert!(!wanted.is_empty(), "there is no such target");
    let each = Duration::from_secs(seconds) / u32::try_from(wanted.len()).expect("few");
    for target in wanted {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut inputs: Vec<Vec<u8>> = corpus(target).into_iter().map(|(_, bytes)| bytes).collect();
        let mut shapes: HashMap<u64, u32> = HashMap::new();
        let (begun, mut tried, mut slowest) = (Instant::now(), 0_u64, Duration::ZERO);
        while begun.elapsed() < each {
            let bytes = changed(&mut random, &inputs, target.words);
            let started = Instant::now();
            let Ok(shape) = catch_unwind(AssertUnwindSafe(|| (target.holds)(&bytes))) else {
                let path = root()
                    .join("tests/fuzz")
                    .join(target.name)
                    .join(format!("found-{seed}-{tried}"));
                fs::write(&path, &bytes).expect("written");
                unreachable!("{}: kept {}", target.name, path.display());
            };
            slowest = slowest.max(started.elapsed());
            tried += 1;
            if *shapes
                .entry(shape)
                .and_modify(|seen| *seen += 1)
                .or_insert(1)
                == 1
                && inputs.len() < 5000
            {
                inputs.push(bytes);
            }
        }
        // Cargo shows this with --nocapture.
        let told = format!(
            "fuzz {}: {tried} inputs, {} shapes, slowest {slowest:?}, seed {seed}\n",
            target.name,
            shapes.len()
        );
        std::io::Write::write_all(&mut std::io::stderr(), told.as_bytes()).expect("told");
    }
}
