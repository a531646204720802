use std::net::SocketAddr;

use hickory_proto::{
    op::Edns,
    rr::{
        RecordType,
        rdata::{A, CNAME, NS, SOA},
    },
};
use proptest::prelude::*;

use super::{super::question::Kind, *};

const ID: u16 = 0x1234;

fn question() -> Question {
    let server: SocketAddr = "192.0.2.53:53".parse().expect("an address");
    Question::new(server, "tele.example.com", Kind::A, true).expect("a question")
}

fn name(text: &str) -> Name {
    name::absolute(text).expect("a name")
}

fn response(records: Vec<Record>) -> Message {
    let mut message = Message::response(ID, OpCode::Query);
    let query = Query::query(name("tele.example.com"), RecordType::A);
    message.add_query(query);
    message.add_answers(records);
    message.set_edns(Edns::new());
    message
}

fn a(owner: &str, ttl: u32, address: [u8; 4]) -> Record {
    Record::from_rdata(name(owner), ttl, RData::A(A(address.into())))
}

fn cname(owner: &str, ttl: u32, target: &str) -> Record {
    Record::from_rdata(name(owner), ttl, RData::CNAME(CNAME(name(target))))
}

fn interpreted(message: &Message) -> Reply {
    match read(&message.to_vec().expect("bytes"), &question(), ID) {
        Reading::Reply(reply) => reply,
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn a_chain_is_followed_in_any_order_and_the_least_ttl_counts() {
    let message = response(vec![
        a("lb.example.net", 60, [198, 51, 100, 2]),
        a("lb.example.net", 60, [198, 51, 100, 1]),
        a("unasked.example", 1, [203, 0, 113, 1]),
        cname("Mid.example.net", 20, "LB.example.net"),
        cname("tele.example.com", 300, "mid.example.net"),
    ]);
    let reply = interpreted(&message);
    let hops: Vec<_> = reply
        .chain
        .iter()
        .map(|hop| (hop.target.as_str(), hop.ttl))
        .collect();
    assert_eq!(hops, [("mid.example.net", 300), ("lb.example.net", 20)]);
    let addresses: Vec<String> = reply.addresses.iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["198.51.100.1", "198.51.100.2"]);
    assert_eq!(reply.ttl, Some(20));
}

#[test]
fn a_loop_of_cnames_ends() {
    let message = response(vec![
        cname("tele.example.com", 60, "a.example.com"),
        cname("a.example.com", 60, "tele.example.com"),
    ]);
    let reply = interpreted(&message);
    assert_eq!((reply.chain.len(), reply.addresses.len()), (2, 0));
}

#[test]
fn a_negative_answer_lives_as_long_as_the_soa_says() {
    let mut message = response(Vec::new());
    message.metadata.response_code = ResponseCode::NXDomain;
    let soa = SOA::new(
        name("ns.example.com"),
        name("x.example.com"),
        1,
        2,
        3,
        4,
        86_400,
    );
    message.add_authority(Record::from_rdata(
        name("example.com"),
        900,
        RData::SOA(soa),
    ));
    let reply = interpreted(&message);
    assert_eq!((reply.rcode, reply.ttl), (Rcode::NxDomain, Some(900)));
}

#[test]
fn a_ttl_with_its_highest_bit_set_is_zero() {
    let reply = interpreted(&response(vec![a(
        "tele.example.com",
        u32::MAX,
        [192, 0, 2, 1],
    )]));
    assert_eq!(reply.ttl, Some(0));
}

#[test]
fn a_referral_for_the_zone_gives_its_servers_with_glue() {
    let mut message = response(Vec::new());
    let ns = |zone: &str, server: &str| {
        Record::from_rdata(name(zone), 172_800, RData::NS(NS(name(server))))
    };
    message.add_authority(ns("tele.example.com", "ns-1.example.net"));
    message.add_authority(ns("other.example.com", "ns-evil.example.net"));
    message.add_additional(a("ns-1.example.net", 60, [192, 0, 2, 53]));
    let glue = vec!["192.0.2.53".parse().expect("an address")];
    assert_eq!(
        interpreted(&message).nameservers,
        [("ns-1.example.net".to_owned(), glue)]
    );
}

#[test]
fn what_does_not_answer_the_question_is_a_stranger() {
    let good = response(vec![a("tele.example.com", 60, [192, 0, 2, 1])]);
    let with = |change: &dyn Fn(&mut Message)| {
        let mut message = good.clone();
        change(&mut message);
        message.to_vec().expect("bytes")
    };
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("another id", with(&|m| m.metadata.id = ID + 1)),
        (
            "a query",
            with(&|m| m.metadata.message_type = MessageType::Query),
        ),
        (
            "another name",
            with(&|m| m.queries[0].name = name("evil.example.com")),
        ),
        (
            "another type",
            with(&|m| m.queries[0].query_type = RecordType::AAAA),
        ),
        ("no question, and good news", with(&|m| m.queries.clear())),
        ("an update", with(&|m| m.metadata.op_code = OpCode::Update)),
        ("nothing", Vec::new()),
        ("half a header", vec![0x12, 0x34, 0x80]),
    ];
    for (what, bytes) in cases {
        assert_eq!(read(&bytes, &question(), ID), Reading::Stranger, "{what}");
    }
}

#[test]
fn a_failing_server_may_leave_the_question_out() {
    let mut message = Message::response(ID, OpCode::Query);
    message.metadata.response_code = ResponseCode::Refused;
    assert_eq!(interpreted(&message).rcode, Rcode::Refused);
}

#[test]
fn a_truncated_answer_is_to_be_asked_again() {
    let mut message = response(vec![a("tele.example.com", 60, [192, 0, 2, 1])]);
    message.metadata.truncation = true;
    let bytes = message.to_vec().expect("bytes");
    assert_eq!(read(&bytes, &question(), ID), Reading::Truncated);
}

#[test]
fn broken_messages_are_garbage() {
    let mut bytes = response(vec![a("tele.example.com", 60, [192, 0, 2, 1])])
        .to_vec()
        .expect("bytes");
    // The name of the first answer points at itself: a compression loop (it begins right after the question).
    let at = 12 + "tele.example.com".len() + 2 + 4;
    let pointer = u8::try_from(at).expect("short");
    let mut looping = bytes.clone();
    looping[at] = 0xc0;
    looping[at + 1] = pointer;
    bytes.truncate(at + 5);
    let mut header_only = vec![0x12, 0x34, 0x80, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
    header_only.push(0xc0);
    for (what, bytes) in [
        ("a compression loop", looping),
        ("cut off", bytes),
        ("counts that lie", header_only),
    ] {
        assert_eq!(read(&bytes, &question(), ID), Reading::Garbage, "{what}");
    }
}

#[test]
fn hostile_labels_are_escaped() {
    let evil = Name::from_labels([&b"\x1b]0;x\x07"[..], &b"a b\xff.c"[..], &b"example"[..]])
        .expect("a name");
    let record = Record::from_rdata(name("tele.example.com"), 60, RData::CNAME(CNAME(evil)));
    let reply = interpreted(&response(vec![record]));
    let target = &reply.chain[0].target;
    assert!(target.chars().all(|c| c.is_ascii_graphic()), "{target:?}");
    assert!(target.starts_with("\\033"), "{target}");
}

#[test]
fn many_addresses_are_capped() {
    let records = (0..200).map(|i| a("tele.example.com", 60, [10, 0, 0, i]));
    assert_eq!(
        interpreted(&response(records.collect())).addresses.len(),
        ADDRESSES
    );
}

proptest! {
    #[test]
    fn no_bytes_make_reading_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..600), mine in any::<bool>()) {
        if mine && bytes.len() > 3 {
            bytes[..3].copy_from_slice(&[0x12, 0x34, 0x80]);
        }
        let _ = read(&bytes, &question(), ID);
    }

    #[test]
    fn a_damaged_answer_never_shows_control_characters(at in 0_usize..120, byte in any::<u8>()) {
        let message = response(vec![
            cname("tele.example.com", 300, "mid.example.net"),
            a("mid.example.net", 60, [198, 51, 100, 2]),
        ]);
        let mut bytes = message.to_vec().expect("bytes");
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Reading::Reply(reply) = read(&bytes, &question(), ID) {
            prop_assert!(reply.chain.iter().all(|hop| hop.target.chars().all(|c| c.is_ascii_graphic())));
        }
    }
}
