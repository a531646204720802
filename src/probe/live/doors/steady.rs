//! How often the new door was found in order, look after look: one good answer is not enough to point names at it.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use crate::incident::{Address, Moment, STEADY};

/// Between two looks while they are counted.
const SOON: Duration = Duration::from_secs(1);

/// The looks in a row that each address was found in order, with the pins that it showed.
#[derive(Debug, Default)]
pub(super) struct Steady {
    runs: HashMap<IpAddr, (Vec<Moment>, Vec<String>)>,
    /// So many looks are wanted soon.
    hurry: usize,
}

impl Steady {
    /// The next looks are wanted soon.
    pub(super) const fn hurry(&mut self) {
        self.hurry = STEADY;
    }

    /// The time until the next look.
    pub(super) fn interval(&self, usual: Duration) -> Duration {
        let short = self.runs.values().any(|(looks, _)| looks.len() < STEADY);
        if short || self.hurry > 0 {
            usual.min(SOON)
        } else {
            usual
        }
    }

    /// What runs after a look, and marks each address with it. An address is in order if it answers ping as the cluster
    /// with a trusted certificate, and its pins, which are asked for more seldom than ping, are those of the look
    /// before; any other look ends the run.
    pub(super) fn after(mut self, cluster: &str, seen: &mut [Address], at: Moment) -> Self {
        let mut runs = HashMap::new();
        for address in seen {
            let Some(pins) = in_order(address, cluster) else {
                continue;
            };
            let (mut looks, before) = self.runs.remove(&address.ip).unwrap_or_default();
            if before != pins {
                looks.clear();
            }
            looks.push(at);
            let surplus = looks.len().saturating_sub(STEADY);
            looks.drain(..surplus);
            address.steady.clone_from(&looks);
            runs.insert(address.ip, (looks, pins.clone()));
        }
        Self {
            runs,
            hurry: self.hurry.saturating_sub(1),
        }
    }
}

/// The pins of an address that is in order.
fn in_order(address: &Address, cluster: &str) -> Option<Vec<String>> {
    let ping = address.ping.as_ref().ok()?;
    let name = ping.cluster_name.as_ref()?;
    let trusted = address.tls.as_ref().ok()?.problem.is_none();
    let shown = address.pins.as_ref().ok()?;
    (ping.status == 200 && trusted && !shown.is_empty() && name.eq_ignore_ascii_case(cluster))
        .then(|| shown.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::{Certificate, Failure, FailureKind, Ping, Wildcard};

    const NAME: &str = "t.example.com";

    /// An address as it is found at a look: `!` is down, `x` untrusted, `o` another cluster, `?` without pins, else a pin.
    fn address(last: u8, is: char) -> Address {
        let why = Failure::new(FailureKind::Server, "HTTP 504");
        let ip = IpAddr::from([192, 0, 2, last]);
        let mut address = Address::stopped(ip, 443, Ok(Duration::ZERO), &why);
        if is == '!' {
            return address;
        }
        let cluster = if is == 'o' { "o.example.com" } else { NAME };
        address.ping = Ok(Ping {
            status: 200,
            cluster_name: Some(cluster.to_owned()),
            ..Ping::default()
        });
        address.tls = Ok(Certificate {
            issuer: String::new(),
            names: Vec::new(),
            not_before: Moment::default(),
            not_after: Moment::default(),
            problem: (is == 'x').then(|| "expired".to_owned()),
        });
        if is != '?' {
            address.pins = Ok(vec![is.to_string()]);
        }
        address
    }

    #[test]
    fn only_looks_in_a_row_count_and_each_break_starts_anew() {
        // How two addresses are found look by look, and how many looks in a row each then counts.
        let story = [
            ("aa", [1, 1]),
            ("aa", [2, 2]),
            ("a!", [3, 0]),
            ("aa", [3, 1]),
            ("ab", [3, 1]),
            ("xb", [0, 2]),
            ("ab", [1, 3]),
            ("?b", [0, 3]),
            ("ob", [0, 3]),
            ("a", [1, 0]),
            ("ab", [2, 1]),
        ];
        let mut steady = Steady::default();
        for (turn, (found, counts)) in (1..).zip(story) {
            let mut seen: Vec<Address> = (1..)
                .zip(found.chars())
                .map(|(last, is)| address(last, is))
                .collect();
            steady = steady.after(NAME, &mut seen, Moment::from_secs(turn));
            for (address, count) in seen.iter().zip(counts) {
                assert_eq!(address.steady.len(), count, "look {turn} at {}", address.ip);
                if count > 0 {
                    assert_eq!(address.steady.last(), Some(&Moment::from_secs(turn)));
                }
            }
        }
    }

    #[test]
    fn looks_come_sooner_while_they_are_counted_or_were_asked_for() {
        let usual = Duration::from_secs(5);
        let mut steady = Steady::default();
        let mut look = |is: char, hurry: bool| {
            let mut taken = std::mem::take(&mut steady);
            if hurry {
                taken.hurry();
            }
            steady = taken.after(NAME, &mut [address(1, is)], Moment::default());
            steady.interval(usual)
        };
        let waits = ['!', 'a', 'a', 'a', 'a', '!'].map(|is| look(is, false).as_secs());
        assert_eq!(waits, [5, 1, 1, 5, 5, 5]);
        let waits = [true, false, false].map(|hurry| look('!', hurry).as_secs());
        assert_eq!(waits, [1, 1, 5], "three looks, whatever they find");
        assert_eq!(Steady::default().interval(usual), usual);
    }

    #[test]
    fn a_wildcard_has_no_part_in_it() {
        let mut seen = [address(1, 'a')];
        seen[0].wildcard = Ok(Wildcard {
            asked: format!("x.{NAME}"),
            tls: seen[0].tls.clone().expect("a certificate"),
            answer: Err(Failure::new(FailureKind::Timeout, "nothing")),
        });
        Steady::default().after(NAME, &mut seen, Moment::default());
        assert_eq!(seen[0].steady.len(), 1, "it is judged by itself");
    }
}
