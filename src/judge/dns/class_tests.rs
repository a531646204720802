use std::{collections::BTreeSet, net::IpAddr};

use proptest::prelude::*;

use super::*;
use crate::{
    incident::Hop,
    judge::dns::{
        Ends,
        fixture::{answer, hop},
    },
};

const OLD: &str = "192.0.2.1";
const NEW: &str = "198.51.100.1";
const BOTH: &str = "203.0.113.9";
const STRANGE: &str = "203.0.113.1";
const OLD_HOST: &str = "old.elb.example";
const NEW_HOST: &str = "new.elb.example";

fn ends(hosts: &[&str], addresses: &[&str]) -> Ends {
    Ends {
        hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
        addresses: addresses
            .iter()
            .map(|address| address.parse().expect("an address"))
            .collect(),
    }
}

fn declared() -> Sets {
    Sets {
        old: ends(&[OLD_HOST], &[OLD, "192.0.2.2", BOTH]),
        new: ends(&[NEW_HOST], &[NEW, "2001:db8::1", BOTH]),
    }
}

#[test]
fn answers_are_held_against_the_declared_sets() {
    use Rcode::{NoError, NxDomain, Other, Refused, ServFail};
    let cases: &[(Rcode, &[&str], &[&str], Class)] = &[
        (NoError, &[], &[NEW], Class::New),
        (NoError, &[], &[NEW, "2001:db8::1"], Class::New),
        (NoError, &[], &[OLD], Class::Old),
        (NoError, &[], &[OLD, "192.0.2.2"], Class::Old),
        (NoError, &[], &[OLD, NEW], Class::Mixed),
        (NoError, &[], &[NEW, STRANGE], Class::Mixed),
        (NoError, &[], &[OLD, STRANGE], Class::Mixed),
        (NoError, &[], &[STRANGE], Class::Other),
        (NoError, &[], &[BOTH], Class::Other),
        (NoError, &[], &[], Class::Empty),
        // By name, before the address is known; whatever the spelling.
        (NoError, &[NEW_HOST], &[], Class::New),
        (NoError, &["New.ELB.example."], &[], Class::New),
        (NoError, &[NEW_HOST], &[STRANGE], Class::New),
        (NoError, &["alias.example", NEW_HOST], &[NEW], Class::New),
        (NoError, &[OLD_HOST], &[STRANGE], Class::Old),
        (NoError, &[NEW_HOST], &[OLD], Class::Mixed),
        (NoError, &[OLD_HOST], &[NEW], Class::Mixed),
        (NoError, &["elsewhere.example"], &[], Class::Other),
        (NoError, &["elsewhere.example"], &[STRANGE], Class::Other),
        // The old load balancer is deleted, the old CNAME still keeps people there.
        (NxDomain, &[OLD_HOST], &[], Class::Old),
        (ServFail, &[OLD_HOST], &[], Class::Old),
        // The new one does not resolve yet: not usable, so not NEW.
        (NxDomain, &[NEW_HOST], &[], Class::NxDomain),
        (ServFail, &[NEW_HOST], &[], Class::ServFail),
        (NxDomain, &[], &[], Class::NxDomain),
        (ServFail, &[], &[], Class::ServFail),
        (Refused, &[], &[], Class::Refused),
        (Other, &[], &[], Class::Other),
    ];
    for (rcode, chain, addresses, class) in cases {
        let mut answer = answer(addresses);
        answer.rcode = *rcode;
        answer.chain = chain.iter().map(|host| hop(host)).collect();
        let seen = classify(&answer, &declared());
        assert_eq!(seen, *class, "{rcode} {chain:?} {addresses:?}");
    }
}

#[test]
fn a_failure_is_a_class_of_its_own() {
    let cases = [
        (FailureKind::Timeout, Class::Timeout),
        (FailureKind::Unreachable, Class::Blocked),
        (FailureKind::Garbage, Class::Other),
        (FailureKind::NotPlanned, Class::Unknown),
    ];
    for (kind, class) in cases {
        assert_eq!(lacking(&Failure::new(kind, "x")), class);
    }
}

prop_compose! {
    fn any_answer()(
        code in 0_u8..5,
        hosts in prop::collection::vec("\\PC{0,20}", 0..4),
        known in prop::collection::vec(prop::sample::select(vec![OLD_HOST, NEW_HOST]), 0..2),
        addresses in prop::collection::vec(any::<IpAddr>(), 0..4),
        ttl in any::<Option<u32>>(),
    ) -> Answer {
        let mut answer = answer(&[]);
        answer.rcode = [Rcode::NoError, Rcode::NxDomain, Rcode::ServFail, Rcode::Refused, Rcode::Other][usize::from(code)];
        answer.chain = hosts.into_iter().chain(known.into_iter().map(str::to_owned)).map(|target| Hop { target, ttl: 1 }).collect();
        answer.addresses = addresses;
        answer.ttl = ttl;
        answer
    }
}

proptest! {
    #[test]
    fn nothing_is_new_or_old_without_a_target(answer in any_answer()) {
        let class = classify(&answer, &Sets::default());
        prop_assert!(!matches!(class, Class::New | Class::Old | Class::Mixed), "{class}");
    }

    #[test]
    fn new_needs_a_good_code_and_nothing_old(
        answer in any_answer(),
        old in prop::collection::btree_set(any::<IpAddr>(), 0..4),
        take in any::<bool>(),
    ) {
        let mut sets = declared();
        sets.old.addresses.extend(old);
        if take {
            sets.new.addresses.extend(&answer.addresses);
        }
        if classify(&answer, &sets) == Class::New {
            let held: BTreeSet<IpAddr> = answer.addresses.iter().copied().collect();
            prop_assert_eq!(answer.rcode, Rcode::NoError);
            prop_assert!(held.intersection(&sets.old.addresses).all(|both| sets.new.addresses.contains(both)));
            prop_assert!(answer.chain.iter().all(|hop| hop.target != OLD_HOST));
        }
    }
}
