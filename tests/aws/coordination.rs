//! The table by which two bastions share one incident: its conditions, by the real client over a real socket.

use relight::{
    clients::aws::coordination::{Grip, Held, Put, Shared, Swap},
    incident::{FailureKind, Moment},
    journal::{Claim, Folder, Lock, Tie},
    plan::CoordinationPlan,
    run::Fence,
};

use super::rig::{Rig, calm};

async fn shared() -> (Rig, Shared) {
    let mut rig = calm().await;
    rig.plan.coordination = Some(CoordinationPlan {
        table: "relight-coordination".to_owned(),
        lease: std::time::Duration::from_secs(20),
    });
    let shared = Shared::of(&rig.plan).expect("a table");
    (rig, shared)
}

fn held(operator: &str, token: u64) -> Held {
    Held {
        incident: "20261125T020000Z-teleport.example.com".to_owned(),
        token,
        honours: 1,
        operator: operator.to_owned(),
        host: "bastion-a".to_owned(),
        at: Moment::from_secs(1_795_600_000),
        beat: 0,
        grip: Grip::Held,
        nonce: fastrand::u64(..),
    }
}

#[tokio::test]
async fn the_holder_is_replaced_only_as_it_was_seen() {
    let (_rig, shared) = shared().await;
    assert_eq!(shared.look().await, Ok(None));
    let ann = held("ann", 1);
    assert_eq!(shared.swap(None, &ann).await, Ok(Swap::Done));
    // The first answer was lost and the same is asked again: it was done.
    assert_eq!(shared.swap(None, &ann).await, Ok(Swap::Done));
    assert_eq!(shared.look().await, Ok(Some(ann.clone())));

    let bob = held("bob", 2);
    let late = shared.swap(None, &bob).await;
    assert_eq!(late, Ok(Swap::Lost(Some(Box::new(ann.clone())))));
    let beating = Held {
        beat: 1,
        ..ann.clone()
    };
    assert_eq!(shared.swap(Some(&ann), &beating).await, Ok(Swap::Done));
    // He decided by what he saw before she breathed.
    let late = shared.swap(Some(&ann), &bob).await;
    assert_eq!(late, Ok(Swap::Lost(Some(Box::new(beating.clone())))));
    assert_eq!(shared.swap(Some(&beating), &bob).await, Ok(Swap::Done));
    // And she does not come back by what she had.
    let woken = Held { beat: 2, ..ann };
    let late = shared.swap(Some(&beating), &woken).await;
    assert_eq!(late, Ok(Swap::Lost(Some(Box::new(bob)))));
}

#[tokio::test]
async fn a_line_takes_its_number_once() {
    let (_rig, shared) = shared().await;
    assert_eq!(shared.put("one", 1, "ann's first").await, Ok(Put::Done));
    assert_eq!(shared.put("one", 1, "ann's first").await, Ok(Put::Done));
    assert_eq!(shared.put("one", 1, "bob's first").await, Ok(Put::Taken));
    assert_eq!(shared.put("two", 1, "bob's first").await, Ok(Put::Done));
    for seq in 2..=250 {
        let line = format!("line {seq}");
        assert_eq!(shared.put("one", seq, &line).await, Ok(Put::Done));
    }
    // Over several pages, in order, and only from where it was asked for.
    let behind = shared.after("one", 10).await.expect("an answer");
    let wanted: Vec<(u64, String)> = (11..=250).map(|seq| (seq, format!("line {seq}"))).collect();
    assert_eq!(behind, wanted);
    assert_eq!(shared.after("one", 250).await, Ok(Vec::new()));
}

#[tokio::test]
async fn of_takers_that_race_one_has_it() {
    let (_rig, shared) = shared().await;
    let mut seen = None;
    for token in 1..=50 {
        let racers: Vec<Held> = ["ann", "bob", "eve"].map(|name| held(name, token)).into();
        let taken =
            futures::future::join_all(racers.iter().map(|racer| shared.swap(seen.as_ref(), racer)))
                .await;
        let winners: Vec<&Held> = taken
            .iter()
            .zip(&racers)
            .filter(|(swap, _)| **swap == Ok(Swap::Done))
            .map(|(_, racer)| racer)
            .collect();
        assert_eq!(winners.len(), 1, "{taken:?}");
        seen = shared.look().await.expect("an answer");
        assert_eq!(seen.as_ref(), winners.first().copied());
    }
}

#[tokio::test]
async fn a_table_that_is_not_there_is_named_with_where_it_was_looked_for() {
    let (mut rig, _) = shared().await;
    rig.plan.coordination = Some(CoordinationPlan {
        table: "elsewhere".to_owned(),
        lease: std::time::Duration::from_secs(20),
    });
    let shared = Shared::of(&rig.plan).expect("a table");
    let failure = shared.look().await.expect_err("no such table");
    assert_eq!(failure.kind, FailureKind::NotFound);
    assert!(
        failure.detail.contains("elsewhere in us-west-2"),
        "{failure:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_wakes_after_a_take_over_elsewhere_changes_nothing() {
    let (rig, shared) = shared().await;
    let temp = tempfile::tempdir().expect("a folder");
    let folder = Folder::at(temp.path());
    let claim = Claim {
        operator: "ann".to_owned(),
        host: "bastion-a".to_owned(),
        floor: 4,
    };
    let lock = Lock::take(&folder, &claim).expect("free");
    let fence = Fence::new(folder.clone(), lock.token(), Some(shared.clone()));
    let unknown = fence.may_start().expect_err("no row");
    assert!(unknown.contains("knows nothing"), "{unknown}");

    let ann = held("ann", lock.token());
    assert_eq!(shared.swap(None, &ann).await, Ok(Swap::Done));
    fence.may_start().expect("hers");
    fence.may_go_on().expect("hers");

    // She leaves, and he goes on: what she started goes on, and nothing new of hers starts.
    let bob = Held {
        host: "bastion-b".to_owned(),
        ..held("bob", lock.token() + 1)
    };
    assert_eq!(shared.swap(Some(&ann), &bob).await, Ok(Swap::Done));
    let lost = fence.may_start().expect_err("his");
    assert!(
        lost.contains("bob on bastion-b took this incident over"),
        "{lost}"
    );
    fence.may_go_on().expect("she had let it go");

    // He takes over from one who had not: nothing of before goes on.
    let over = Held {
        honours: bob.token + 1,
        ..held("eve", bob.token + 1)
    };
    assert_eq!(shared.swap(Some(&bob), &over).await, Ok(Swap::Done));
    fence.may_go_on().expect_err("taken over");

    // No answer is no leave, but for one who goes on alone on purpose.
    rig.world.lock().items.out = true;
    let silent = fence.may_go_on().expect_err("no answer");
    assert!(silent.contains("cannot be told"), "{silent}");
    let alone = Tie {
        token: lock.token(),
        alone: true,
    };
    alone.keep(&folder).expect("kept");
    fence.may_start().expect("alone");
    fence.may_go_on().expect("alone");
}
