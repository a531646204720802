use super::*;
use crate::incident::FailureKind;

fn reply(addresses: &[&str], ttl: u32) -> Reply {
    Reply {
        rcode: Rcode::NoError,
        aa: true,
        chain: Vec::new(),
        addresses: addresses
            .iter()
            .map(|address| address.parse().expect("an address"))
            .collect(),
        nameservers: Vec::new(),
        ttl: Some(ttl),
    }
}

fn outcome(reply: Option<Reply>) -> Outcome {
    Outcome {
        index: 0,
        rtt: Duration::from_millis(1),
        transport: "udp",
        reply: reply.ok_or_else(|| Failure::new(FailureKind::Timeout, "no answer")),
    }
}

/// The two halves, and how many addresses with which TTL come of them.
type Case = (Option<Reply>, Option<Reply>, Option<(usize, u32)>);

#[test]
fn both_families_make_one_answer() {
    let (four, six, none) = (
        Some(reply(&["192.0.2.1"], 60)),
        Some(reply(&["2001:db8::1"], 30)),
        Some(reply(&[], 900)),
    );
    let cases: Vec<Case> = vec![
        (four.clone(), none.clone(), Some((1, 60))),
        (four.clone(), six.clone(), Some((2, 30))),
        (four, None, Some((1, 60))),
        (none.clone(), six.clone(), Some((1, 30))),
        (None, six, Some((1, 30))),
        (none.clone(), none.clone(), Some((0, 900))),
        (None, none, None),
        (None, None, None),
    ];
    for (a, aaaa, expected) in cases {
        let text = format!("{a:?} {aaaa:?}");
        let (_, merged) = merge(&outcome(a), &outcome(aaaa));
        let seen = merged
            .ok()
            .map(|(reply, _)| (reply.addresses.len(), reply.ttl.unwrap_or(0)));
        assert_eq!(seen, expected, "{text}");
    }
}

#[test]
fn a_change_is_dated_and_keeps_the_ttl_before() {
    let subject = Subject::Answer {
        server: "ns-1".into(),
        name: "tele.example.com".into(),
    };
    let answer = |address: &str, rcode, ttl| Answer {
        server: "10.1.0.1:53".to_owned(),
        authority: true,
        asked: "tele.example.com".to_owned(),
        rcode,
        aa: true,
        chain: Vec::new(),
        addresses: vec![address.parse().expect("an address")],
        ttl: Some(ttl),
        rtt: Duration::ZERO,
        transport: "udp".to_owned(),
        changed: None,
    };
    let (good, bad) = (Rcode::NoError, Rcode::ServFail);
    let mut memory = Memory::default();
    let mut note = |at, address, rcode, ttl| {
        memory.note(
            &subject,
            &answer(address, rcode, ttl),
            Moment::from_secs(at),
        )
    };
    let change = Some(Change {
        at: Moment::from_secs(30),
        ttl_before: Some(300),
    });
    assert_eq!(note(10, "192.0.2.1", good, 300), None);
    assert_eq!(note(20, "192.0.2.9", bad, 1), None);
    assert_eq!(note(30, "198.51.100.1", good, 60), change);
    assert_eq!(note(40, "198.51.100.1", good, 60), change);
    assert_eq!(note(50, "192.0.2.9", bad, 1), change);
}
