//! The table by which two bastions share one incident, against the `DynamoDB` of `ministack`: holders that race, lines that
//! take a number once, a holder that wakes after it was taken over.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use relight::{
    clients::aws::coordination::{Grip, Held, Put, Shared, Swap},
    incident::{Moment, Side},
    plan,
};

use super::{aws::Rig, rig::server::until};

const TABLE: &str = "relight";
/// Rounds in which two bastions race for the incident.
const ROUNDS: u64 = 100;

fn held(bastion: &str, token: u64) -> Held {
    Held {
        incident: "20261125T020000Z-teleport.example.com".to_owned(),
        token,
        honours: 0,
        operator: bastion.to_owned(),
        host: bastion.to_owned(),
        at: Moment::now(),
        beat: 0,
        grip: Grip::Held,
        nonce: fastrand::u64(..),
    }
}

/// Makes the table as the README's command does.
fn make(rig: &Rig) {
    rig.aws.with(Side::Recovery, async |reach| {
        let client = reach.dynamodb().await;
        let kinds = [
            ("incident", ScalarAttributeType::S, KeyType::Hash),
            ("seq", ScalarAttributeType::N, KeyType::Range),
        ];
        let mut call = client
            .create_table()
            .table_name(TABLE)
            .billing_mode(BillingMode::PayPerRequest);
        for (name, kind, key) in kinds {
            let attribute = AttributeDefinition::builder()
                .attribute_name(name)
                .attribute_type(kind)
                .build();
            let schema = KeySchemaElement::builder()
                .attribute_name(name)
                .key_type(key)
                .build();
            call = call
                .attribute_definitions(attribute.expect("an attribute"))
                .key_schema(schema.expect("a key"));
        }
        call.send().await.expect("made");
    });
}

/// A bastion: clients and a runtime of its own.
struct Bastion {
    name: &'static str,
    shared: Shared,
    runtime: tokio::runtime::Runtime,
}

impl Bastion {
    fn new(rig: &Rig, name: &'static str) -> Self {
        let path = rig.plan(&format!("[coordination]\ntable = \"{TABLE}\"\n"));
        let plan = plan::load(&path).expect("a plan");
        Self {
            name,
            shared: Shared::of(&plan).expect("a table"),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime"),
        }
    }

    /// Takes the incident in place of what it sees, as often as it has to; under which token it had it.
    fn race(&self) -> Vec<u64> {
        let mut had = Vec::new();
        for _ in 0..ROUNDS {
            let seen = self
                .runtime
                .block_on(self.shared.look())
                .expect("an answer");
            let token = seen.as_ref().map_or(0, |row| row.token) + 1;
            let row = held(self.name, token);
            match self.runtime.block_on(self.shared.swap(seen.as_ref(), &row)) {
                Ok(Swap::Done) => had.push(token),
                Ok(Swap::Lost(_)) => {}
                Err(failure) => unreachable!("{failure}"),
            }
        }
        had
    }
}

/// What two bastions do with the table, one of them stopped for a while.
pub fn by_two(rig: &Rig) {
    make(rig);
    let ann = Bastion::new(rig, "bastion-a");
    until("the table to answer", || {
        ann.runtime.block_on(ann.shared.look()).ok()
    });
    let bob = Bastion::new(rig, "bastion-b");
    let (hers, his) = std::thread::scope(|scope| {
        let hers = scope.spawn(|| ann.race());
        let his = scope.spawn(|| bob.race());
        (
            hers.join().expect("no panic"),
            his.join().expect("no panic"),
        )
    });
    let all: BTreeSet<u64> = hers.iter().chain(&his).copied().collect();
    assert_eq!(
        all.len(),
        hers.len() + his.len(),
        "a token was given out twice"
    );
    assert!(!hers.is_empty() && !his.is_empty(), "{hers:?} {his:?}");

    // Ann holds it and writes; bob takes over while she sleeps; what she writes when she wakes goes nowhere.
    let on = |bastion: &Bastion, seq, line: &str| {
        let put = bastion.shared.put("one", seq, line);
        bastion.runtime.block_on(put).expect("an answer")
    };
    assert_eq!(on(&ann, 1, "ann's first"), Put::Done);
    let asleep = ann.runtime.block_on(ann.shared.look()).expect("an answer");
    let asleep = asleep.expect("a holder");
    let taken = held("bastion-b", asleep.token + 1);
    let swap = bob.runtime.block_on(bob.shared.swap(Some(&asleep), &taken));
    assert_eq!(swap, Ok(Swap::Done));
    assert_eq!(on(&bob, 2, "bob took over"), Put::Done);
    assert_eq!(on(&ann, 2, "ann's second"), Put::Taken);
    let awake = Held {
        beat: asleep.beat + 1,
        ..asleep.clone()
    };
    let swap = ann.runtime.block_on(ann.shared.swap(Some(&asleep), &awake));
    assert_eq!(swap, Ok(Swap::Lost(Some(Box::new(taken)))));
    let lines = ann.runtime.block_on(ann.shared.after("one", 0));
    let wanted =
        [(1, "ann's first"), (2, "bob took over")].map(|(seq, line)| (seq, line.to_owned()));
    assert_eq!(lines, Ok(wanted.to_vec()));
}

#[test]
#[ignore = "tests/live/run"]
fn two_bastions_have_one_holder_and_one_journal() {
    by_two(&Rig::new());
}
