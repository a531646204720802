//! What the chart needs in the recovery region, before it is installed.

use std::time::Duration;

use super::{Inquiry, Ruling};
use crate::{
    incident::{
        FailureKind, Moment, Outcome, Part, Prerequisites, Subject, brief,
        prerequisites::{Item, KMS_KEY, Standing},
        tls::{Acm, Way},
        values::MOST_AUTHS,
    },
    judge::{
        Glance, Sight, black_box, glance,
        prerequisites::{self, parts},
        tls,
        values::written,
    },
};

/// A certificate that ends sooner is to be renewed now: ACM and cert-manager renew by themselves when 30 days and more are
/// left (ACM 60, cert-manager a third of 90), so that fewer mean that renewing has failed.
const LASTS: Duration = Duration::from_hours(30 * 24);

/// Each thing that the values ask for, but the keys, which the guide asks for by themselves.
pub(super) fn items(inquiry: &Inquiry<'_>) -> Vec<(String, Ruling)> {
    let sight = &inquiry.sight;
    let asked = match asked(sight) {
        Ok((_, asked)) => asked,
        Err(ruling) => return vec![("prerequisites".to_owned(), ruling)],
    };
    let about = |item: &Item| {
        !matches!(item.standing, Standing::NotNeeded | Standing::Unseen) && item.what != KMS_KEY
    };
    let asked = asked.into_iter().filter(about);
    asked
        .map(|item| {
            let ruling = by_standing(std::slice::from_ref(&item), sight);
            (item.what, ruling)
        })
        .collect()
}

/// What cannot be seen from here and is in nobody's way on the day, such as an image behind credentials: named, and never
/// called ready.
pub(super) fn unseen(inquiry: &Inquiry<'_>) -> Vec<(String, String)> {
    let asked = asked(&inquiry.sight).map(|(_, asked)| asked);
    asked
        .unwrap_or_default()
        .into_iter()
        .filter(|item| item.standing == Standing::Unseen)
        .map(|item| (item.what, item.sentence))
        .collect()
}

/// The keys that tables, bucket or authorities depend on.
pub(super) fn keys(inquiry: &Inquiry<'_>) -> Ruling {
    let sight = &inquiry.sight;
    let (seen, asked) = match asked(sight) {
        Ok(asked) => asked,
        Err(ruling) => return ruling,
    };
    if seen.wants.kms && sight.plan.recovery.kms_keys.is_empty() {
        let sentence = format!(
            "{} keeps the authorities' private keys in KMS (ca_key_params.aws_kms), and the plan names no key of {}",
            seen.values, sight.plan.recovery.region
        );
        return Ruling::on(Outcome::Fail, sentence, &[Subject::Prerequisites], sight);
    }
    let keys: Vec<Item> = asked
        .into_iter()
        .filter(|item| item.what == KMS_KEY)
        .collect();
    let single = seen
        .keys
        .iter()
        .filter_map(|(_, key)| key.as_ref().ok())
        .find(|key| seen.wants.kms && !key.multi_region);
    if let Some(key) = single {
        let sentence = format!(
            "{} is no multi-Region key: what the primary's key has made cannot be used with it",
            key.arn
        );
        return Ruling::on(Outcome::Fail, sentence, &[Subject::Prerequisites], sight);
    }
    by_standing(&keys, sight)
}

type Asked<'a> = (&'a Prerequisites, Vec<Item>);

fn asked<'a>(sight: &Sight<'a>) -> Result<Asked<'a>, Ruling> {
    let seen = prerequisites::seen(sight).map_err(|unknown| Ruling::of(unknown, sight))?;
    let items = seen.items(&sight.plan.primary.region, &sight.plan.recovery.region);
    Ok((seen, items))
}

fn by_standing(items: &[Item], sight: &Sight<'_>) -> Ruling {
    let worst = items.iter().map(|item| item.standing).max();
    let outcome = match worst {
        Some(Standing::Missing) => Outcome::Fail,
        Some(Standing::Unclear | Standing::Unseen) | None => Outcome::Unknown,
        Some(Standing::Met | Standing::NotNeeded) => Outcome::Pass,
    };
    let worst = items.iter().filter(|item| Some(item.standing) == worst);
    let told: Vec<&str> = worst.map(|item| item.sentence.as_str()).collect();
    let sentence = told.join("; ");
    Ruling::on(outcome, sentence, &[Subject::Prerequisites], sight)
}

/// The certificate lasts, by whatever of them ends first.
pub(super) fn lasting(inquiry: &Inquiry<'_>) -> Ruling {
    let sight = &inquiry.sight;
    let found = match tls::seen(sight) {
        Ok(found) => found,
        Err(unknown) => return Ruling::of(unknown, sight),
    };
    let until = found.ways.iter().filter_map(end).min_by_key(|end| end.1);
    let Some((what, until)) = until else {
        return Ruling::unknown("no certificate is there whose end could be told");
    };
    let left = until.since(sight.now);
    let outcome = if left >= LASTS {
        Outcome::Pass
    } else {
        Outcome::Fail
    };
    let sentence = format!(
        "{what} is valid for another {}; {} are wanted",
        brief(left),
        brief(LASTS)
    );
    Ruling::on(outcome, sentence, &[Subject::Tls], sight)
}

/// What a way's certificate is called, and when it ends.
fn end(way: &Way) -> Option<(String, Moment)> {
    let until = |found: &Part<Acm>| found.as_ref().ok().and_then(|acm| acm.until);
    match way {
        Way::Acm { arn, found } => Some((arn.clone(), until(found)?)),
        Way::Issuer { name, found } => {
            let made = found.as_ref().ok()?.certificate.as_ref()?;
            Some((format!("the certificate of {name}"), made.until?))
        }
        Way::Secret { name, found } => {
            let found = found.as_ref().ok()?;
            Some((format!("the certificate in Secret {name}"), found.not_after))
        }
        Way::Acme => None,
    }
}

/// The pinned chart is the release's own version, not another: a recovery is no upgrade.
pub(super) fn version(inquiry: &Inquiry<'_>) -> Ruling {
    let sight = &inquiry.sight;
    let Some(pinned) = &sight.plan.cluster.version else {
        return Ruling::new(
            Outcome::Fail,
            "the plan pins no version: Helm would take the newest chart there is",
            None,
        );
    };
    let kept = black_box::known(sight).and_then(|found| {
        let release = found.release.good()?;
        Some((release.version.as_str(), found.release.at))
    });
    let Some((ran, at)) = kept else {
        return Ruling::unknown(format!(
            "{pinned} is pinned; what runs in the primary is in no black box"
        ));
    };
    let (pin, run) = (parts(pinned), parts(ran));
    let major = |version: &[u32]| version.first().copied().unwrap_or_default();
    let (outcome, words) = match (pin.cmp(&run), major(&pin).abs_diff(major(&run))) {
        (std::cmp::Ordering::Equal, _) => (Outcome::Pass, "is pinned, as it runs"),
        (std::cmp::Ordering::Less, _) => (
            Outcome::Fail,
            "is pinned and older than what runs: it refuses what that has written",
        ),
        (_, 0 | 1) => (
            Outcome::Fail,
            "is pinned and newer than what runs: the recovery would be an upgrade as well",
        ),
        _ => (
            Outcome::Fail,
            "is pinned, more than one major version above what runs: Teleport is upgraded one at a time",
        ),
    };
    let sentence = format!("{pinned} {words} ({ran}, by the black box)");
    Ruling::new(outcome, sentence, Some(sight.now.since(at)))
}

/// The recovery values are written and right, or can be written from what the plan says.
pub(super) fn values(inquiry: &Inquiry<'_>) -> Ruling {
    let sight = &inquiry.sight;
    match glance(&Subject::Values, sight) {
        Glance::Failed(failure, _) if failure.kind == FailureKind::NotFound => {
            let recovery = &sight.plan.recovery;
            let lacking: Vec<&str> = [
                ("state_table", recovery.state_table.is_none()),
                ("audit_table", recovery.audit_table.is_none()),
                ("recordings_bucket", recovery.bucket.is_none()),
            ]
            .into_iter()
            .filter_map(|(key, lacks)| lacks.then_some(key))
            .collect();
            if !lacking.is_empty() {
                let sentence = format!(
                    "not written yet, and the plan does not say {} of [recovery]",
                    lacking.join(", ")
                );
                return Ruling::new(Outcome::Fail, sentence, None);
            }
            match prerequisites::seen(sight) {
                Ok(seen) => Ruling::on(
                    Outcome::Pass,
                    format!("not written yet; they can be, from {}", seen.values),
                    &[Subject::Prerequisites],
                    sight,
                ),
                Err(unknown) => Ruling::of(unknown, sight),
            }
        }
        _ => Ruling::of(written(sight), sight),
    }
}

/// Two Auth instances at most read a table's stream.
pub(super) fn auths(inquiry: &Inquiry<'_>) -> Ruling {
    let sight = &inquiry.sight;
    let seen = match prerequisites::seen(sight) {
        Ok(seen) => seen,
        Err(unknown) => return Ruling::of(unknown, sight),
    };
    let count = seen.wants.pods[0].count;
    let outcome = if count <= MOST_AUTHS {
        Outcome::Pass
    } else {
        Outcome::Fail
    };
    let sentence = format!("{count} by {}; at most {MOST_AUTHS}", seen.values);
    Ruling::on(outcome, sentence, &[Subject::Prerequisites], sight)
}
