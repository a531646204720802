//! Who I am at AWS: on both sides, since each may have credentials of its own.

use std::time::Duration;

use super::{
    Canvas,
    header::spans_width,
    widget::{age::age, segments::Spans},
};
use crate::{
    incident::{Fact, Health, Identity, Moment, Side, Subject},
    judge::{Glance, glance},
    theme::Role,
};

/// Credentials that end sooner than this are told as a warning: renewing takes a minute, a helm install up to 15.
const ENDS_SOON: Duration = Duration::from_mins(20);

/// Who we are on both sides, as much of it as there is room for: both by region, the worse one alone, or the worse one in
/// a word. `us-west-2 dr-operator/alice 111122223333 · credentials 41m`
///
/// `room` is what there is for something that is DOWN, `calm` for anything else.
pub(super) fn who(canvas: &Canvas<'_>, room: usize, calm: usize) -> Spans {
    let mut sides = Side::BOTH.map(|side| me(canvas, side));
    let muted = canvas.style(Role::Muted);
    // One session for both regions is said once, as long as nothing is the matter with either.
    if sides.iter().all(|me| me.health == Health::Ok) && sides[0].same_as(&sides[1]) {
        let [_, mut one] = sides;
        let both: Vec<String> = Side::BOTH
            .map(|side| canvas.state.plan.side(side).region.clone())
            .into();
        one.long[0].0 = format!("{} ", both.join("+"));
        let mut shorter = one.long.clone();
        "both ".clone_into(&mut shorter[0].0);
        return fitting([one.long, shorter, one.short], calm);
    }
    // The worse first; of equals the recovery region, which is what is worked with.
    sides.reverse();
    sides.sort_by_key(|me| std::cmp::Reverse(me.health));
    let [worse, other] = sides;
    let mut both = worse.long.clone();
    both.push((" · ".to_owned(), muted));
    both.extend(other.long);
    let mut beside = worse.short.clone();
    beside.push((" · ".to_owned(), muted));
    beside.extend(other.short);
    // Where not even the region has room, what is the matter has.
    let bare = match worse.health {
        Health::Down => worse.short[1..].to_vec(),
        _ => Spans::new(),
    };
    let room = match worse.health {
        Health::Down => room,
        _ => calm,
    };
    fitting([both, beside, worse.long, worse.short, bare], room)
}

/// The first form that fits; nothing if none does.
fn fitting(forms: impl IntoIterator<Item = Spans>, room: usize) -> Spans {
    forms
        .into_iter()
        .find(|form| spans_width(form) <= room)
        .unwrap_or_default()
}

/// Who we are on a side.
struct Me {
    health: Health,
    /// Region, who, account and until when.
    long: Spans,
    /// Region and who, or what is the matter.
    short: Spans,
    identity: Option<Identity>,
}

impl Me {
    fn same_as(&self, other: &Self) -> bool {
        match (&self.identity, &other.identity) {
            (Some(one), Some(two)) => (&one.arn, one.expires) == (&two.arn, two.expires),
            _ => false,
        }
    }
}

fn me(canvas: &Canvas<'_>, side: Side) -> Me {
    let sight = canvas.state.sight();
    let plan = canvas.state.plan.side(side);
    let seen = glance(&Subject::Identity(side), &sight);
    let region = format!("{} ", plan.region);
    let muted = canvas.style(Role::Muted);
    let Some((Fact::Identity(me), _)) = seen.known() else {
        let why = match seen {
            Glance::Failed(failure, _) => failure.kind.word(),
            _ => "not asked yet",
        };
        let unknown = canvas.style(Role::Unknown);
        return Me {
            health: Health::Unknown,
            long: vec![
                (region.clone(), muted),
                (format!("? who am I: UNKNOWN, {why}"), unknown),
            ],
            short: vec![(region, muted), (format!("? me: {why}"), unknown)],
            identity: None,
        };
    };
    let who = format!("{} {}", short_arn(&me.arn), me.account);
    let wrong = plan
        .account
        .as_ref()
        .is_some_and(|account| *account != me.account);
    let mut health = Health::Ok;
    let mut long = vec![(region.clone(), muted), (who.clone(), muted)];
    let mut matter = None;
    if wrong {
        health = Health::Down;
        let words = (
            format!("✗ WRONG ACCOUNT {}", me.account),
            canvas.style(Role::Down),
        );
        long.push((" ".to_owned(), muted));
        long.push(words.clone());
        matter = Some(("✗ WRONG ACCOUNT".to_owned(), words.1));
    }
    if let Some(ends) = me.expires.filter(|_| !me.renews) {
        let (worse, words) = expiry(canvas, canvas.state.now, ends);
        long.push(words.clone());
        if worse > health {
            health = worse;
            // The remedy is only said where there is room.
            let short = words.0.trim_start_matches(" · ").split(':').next();
            matter = Some((short.unwrap_or_default().to_owned(), words.1));
        }
    }
    if let Glance::Stale(_, ago) | Glance::Failed(_, Some((_, ago))) = seen {
        let words = (format!("stale {}", age(ago)), canvas.style(Role::Stale));
        long.push((" ".to_owned(), muted));
        long.push(words.clone());
        if Health::Unknown > health {
            health = Health::Unknown;
            matter = Some((format!("{} {}", short_arn(&me.arn), words.0), words.1));
        }
    }
    let short = vec![(region, muted), matter.unwrap_or((who, muted))];
    Me {
        health,
        long,
        short,
        identity: Some(me.clone()),
    }
}

fn expiry(
    canvas: &Canvas<'_>,
    now: Moment,
    ends: Moment,
) -> (Health, (String, ratatui::style::Style)) {
    let left = ends.since(now);
    if left == Duration::ZERO {
        let text = " · credentials EXPIRED: renew them".to_owned();
        return (Health::Down, (text, canvas.style(Role::Down)));
    }
    let (health, role) = if left < ENDS_SOON {
        (Health::Degraded, Role::Warning)
    } else {
        (Health::Ok, Role::Muted)
    };
    let text = format!(" · credentials {}", age(left));
    (health, (text, canvas.style(role)))
}

/// The part of an ARN that tells who it is: `dr-operator/alice` of an assumed role, `alice` of a user.
fn short_arn(arn: &str) -> &str {
    let resource = arn.rsplit(':').next().unwrap_or(arn);
    let known = ["assumed-role/", "user/", "role/"];
    known
        .iter()
        .find_map(|prefix| resource.strip_prefix(prefix))
        .unwrap_or(resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_shortened_to_who_it_is() {
        let cases = [
            (
                "arn:aws:sts::111122223333:assumed-role/dr-operator/alice",
                "dr-operator/alice",
            ),
            ("arn:aws:iam::111122223333:user/ops/alice", "ops/alice"),
            ("arn:aws:iam::111122223333:root", "root"),
            ("", ""),
        ];
        for (arn, short) in cases {
            assert_eq!(short_arn(arn), short);
        }
    }
}
