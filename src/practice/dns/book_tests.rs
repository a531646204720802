use hickory_proto::rr::RecordType;

use super::*;

fn set(name: &str, kind: &str, ttl: i64, value: &str) -> RecordSet {
    RecordSet {
        name: name.to_owned(),
        kind: kind.to_owned(),
        ttl: Some(ttl),
        values: vec![value.to_owned()],
        alias_zone: None,
    }
}

/// A zone with the cases of RFC 4592: a wildcard, a name below it, and an empty non-terminal.
pub(crate) fn book() -> Book {
    let mut alias = set(
        "alias.example.com",
        "A",
        60,
        "dualstack.new-1.elb.us-west-2.amazonaws.com",
    );
    (alias.ttl, alias.alias_zone) = (None, Some("Z1".to_owned()));
    Book {
        zone: "example.com".to_owned(),
        records: vec![
            set("tele.example.com", "A", 30, "192.0.2.1"),
            set("*.tele.example.com", "CNAME", 40, "tele.example.com"),
            set("own.tele.example.com", "A", 50, "192.0.2.7"),
            set("_acme.deep.tele.example.com", "A", 50, "192.0.2.8"),
            set(
                "old.example.com",
                "CNAME",
                60,
                "old-1.elb.us-east-1.amazonaws.com",
            ),
            alias,
        ],
        nameservers: vec![("ns-1.example.net".to_owned(), [127, 0, 0, 1].into())],
        balancers: vec![
            Balancer {
                host: "old-1.elb.us-east-1.amazonaws.com".to_owned(),
                address: None,
            },
            Balancer {
                host: "new-1.elb.us-west-2.amazonaws.com".to_owned(),
                address: Some([127, 0, 0, 9].into()),
            },
        ],
    }
}

impl Book {
    /// The same zone with one record set replaced.
    pub(crate) fn with(mut self, name: &str, kind: &str, ttl: i64, value: &str) -> Self {
        self.records.retain(|set| set.name != name);
        self.records.push(set(name, kind, ttl, value));
        self
    }
}

fn asked(name: &str, kind: RecordType) -> (ResponseCode, Vec<String>, bool) {
    let told = book().ask(&absolute(name).expect("a name"), kind);
    let answers = told
        .answers
        .iter()
        .map(|record| format!("{} {} {}", record.name, record.ttl, record.data))
        .collect();
    (told.rcode, answers, told.soa.is_some())
}

#[test]
fn names_are_answered_as_the_standards_say() {
    use ResponseCode::{NXDomain, NoError, Refused};
    let cases: Vec<(&str, RecordType, ResponseCode, Vec<&str>)> = vec![
        (
            "tele.example.com",
            RecordType::A,
            NoError,
            vec!["tele.example.com. 30 192.0.2.1"],
        ),
        (
            "TELE.Example.com",
            RecordType::A,
            NoError,
            vec!["TELE.Example.com. 30 192.0.2.1"],
        ),
        ("tele.example.com", RecordType::AAAA, NoError, vec![]),
        // The wildcard stands in at any depth, and its CNAME is followed within the zone.
        (
            "app.tele.example.com",
            RecordType::A,
            NoError,
            vec![
                "app.tele.example.com. 40 tele.example.com.",
                "tele.example.com. 30 192.0.2.1",
            ],
        ),
        (
            "a.b.tele.example.com",
            RecordType::AAAA,
            NoError,
            vec!["a.b.tele.example.com. 40 tele.example.com."],
        ),
        // A name of its own, and all below it, are not the wildcard's.
        (
            "own.tele.example.com",
            RecordType::A,
            NoError,
            vec!["own.tele.example.com. 50 192.0.2.7"],
        ),
        ("x.own.tele.example.com", RecordType::A, NXDomain, vec![]),
        // An empty non-terminal exists, and blocks the wildcard for what is below it.
        ("deep.tele.example.com", RecordType::A, NoError, vec![]),
        ("x.deep.tele.example.com", RecordType::A, NXDomain, vec![]),
        ("nothing.example.com", RecordType::A, NXDomain, vec![]),
        // Out of the zone a CNAME is left to the asker; an alias is not seen.
        (
            "old.example.com",
            RecordType::A,
            NoError,
            vec!["old.example.com. 60 old-1.elb.us-east-1.amazonaws.com."],
        ),
        (
            "alias.example.com",
            RecordType::A,
            NoError,
            vec!["alias.example.com. 60 127.0.0.9"],
        ),
        (
            "new-1.elb.us-west-2.amazonaws.com",
            RecordType::A,
            NoError,
            vec!["new-1.elb.us-west-2.amazonaws.com. 60 127.0.0.9"],
        ),
        (
            "old-1.elb.us-east-1.amazonaws.com",
            RecordType::A,
            NXDomain,
            vec![],
        ),
        (
            "example.com",
            RecordType::NS,
            NoError,
            vec!["example.com. 172800 ns-1.example.net."],
        ),
        ("example.org", RecordType::A, Refused, vec![]),
    ];
    for (name, kind, rcode, answers) in cases {
        let (seen, told, soa) = asked(name, kind);
        assert_eq!(
            (seen, &told),
            (rcode, &answers.iter().map(|&a| a.to_owned()).collect()),
            "{name} {kind}"
        );
        // What is not there is told with the SOA, which says how long that may be remembered.
        if answers.is_empty() && rcode != Refused {
            assert!(soa, "{name} {kind}");
        }
    }
}
