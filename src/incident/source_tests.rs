//! Which pair is restored.

use super::*;

const OUTAGE: i64 = 100_000;

fn source(means: Means, name: &str, before: i64) -> Source {
    Source {
        means,
        arn: format!("arn:{name}"),
        data: Moment::from_secs(OUTAGE - before),
        earliest: (means == Means::Pitr).then(|| Moment::from_secs(0)),
    }
}

fn copies(all: &[(&str, i64)]) -> Vec<Source> {
    all.iter()
        .map(|(name, before)| source(Means::Copy, name, *before))
        .collect()
}

/// Name and seconds before the outage of what was chosen.
fn told(chosen: [Option<Source>; 2]) -> [Option<(String, i64)>; 2] {
    chosen.map(|one| one.map(|one| (one.arn.replace("arn:", ""), OUTAGE - one.data.secs())))
}

fn chosen(name: &str, before: i64) -> (String, i64) {
    (name.to_owned(), before)
}

#[test]
fn the_newest_state_goes_with_the_audit_log_nearest_to_it() {
    // Of a pair that lies close together long ago nobody wants to hear.
    let state = copies(&[("s2", 7200), ("s1", 3600)]);
    let audit = copies(&[("a2", 7200), ("a1", 3300), ("a0", 60)]);
    let found = choose([Some(&state), Some(&audit)], None, None);
    assert_eq!(
        told(found),
        [Some(chosen("s1", 3600)), Some(chosen("a1", 3300))]
    );
}

#[test]
fn one_way_serves_both_and_what_needs_the_primary_comes_last() {
    let mut state = copies(&[("s1", 3600)]);
    state.push(source(Means::Pitr, "s", 300));
    state.push(source(Means::Backup, "sb", 9_000));
    let mut audit = vec![
        source(Means::Pitr, "a", 420),
        source(Means::Backup, "ab", 9_060),
    ];
    // To the same second, the newest that both can give.
    let found = choose([Some(&state), Some(&audit)], None, None);
    assert_eq!(
        told(found),
        [Some(chosen("s", 420)), Some(chosen("a", 420))]
    );
    let found = choose([Some(&state), Some(&audit)], None, Some(Means::Backup));
    assert_eq!(
        told(found),
        [Some(chosen("sb", 9_000)), Some(chosen("ab", 9_060))]
    );
    let found = choose([Some(&state), Some(&audit)], None, Some(Means::Copy));
    assert_eq!(told(found), [Some(chosen("s1", 3600)), None]);
    audit.extend(copies(&[("a1", 3500)]));
    let found = choose([Some(&state), Some(&audit)], None, None);
    assert_eq!(
        told(found),
        [Some(chosen("s1", 3600)), Some(chosen("a1", 3500))]
    );
}

#[test]
fn without_a_common_way_each_goes_its_own_and_a_table_that_stays_sets_the_time() {
    let state = copies(&[("s1", 3600)]);
    let audit = [source(Means::Pitr, "a", 300)];
    let found = choose([Some(&state), Some(&audit)], None, None);
    assert_eq!(
        told(found),
        [Some(chosen("s1", 3600)), Some(chosen("a", 3600))]
    );
    let audit = copies(&[("a1", 3600), ("a0", 10)]);
    let anchor = Some(Moment::from_secs(OUTAGE - 3000));
    assert_eq!(
        told(choose([None, Some(&audit)], anchor, None)),
        [None, Some(chosen("a1", 3600))]
    );
    assert_eq!(
        told(choose([None, Some(&audit)], None, None)),
        [None, Some(chosen("a0", 10))]
    );
    assert_eq!(choose([Some(&[]), Some(&[])], None, None), [None, None]);
}

#[test]
fn a_restore_reads_back_and_is_given_by_its_own_source_only() {
    for way in Means::ALL {
        let restore = Restore {
            source: source(way, "x", 5),
            target: "teleport-state-dr".to_owned(),
        };
        let read: Restore = restore.to_string().parse().expect("a restore");
        assert!(restore.source.gives(&read.source));
        assert_eq!(
            (read.target.as_str(), read.source.data),
            ("teleport-state-dr", restore.source.data)
        );
        assert!(!source(way, "y", 5).gives(&read.source));
    }
    let later = source(Means::Pitr, "x", 0);
    assert!(later.gives(&source(Means::Pitr, "x", 5)), "time goes on");
    assert!(!source(Means::Pitr, "x", 9).gives(&source(Means::Pitr, "x", 5)));
    for text in [
        "",
        "DeleteTable a to b, data of 2026-11-23T14:05:31Z",
        "StartRestoreJob a to b, data of then",
    ] {
        assert_eq!(text.parse::<Restore>(), Err(()), "{text}");
    }
}
