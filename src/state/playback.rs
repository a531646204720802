//! An incident that is played again: at which speed, and whether it stands.

use super::{Effect, Intent, State};

/// The speeds there are: so many of the incident's seconds go by in one.
const SPEEDS: [u32; 10] = [1, 2, 5, 10, 30, 60, 120, 300, 900, 3600];

/// How an incident is played. The incident's clock is that of the events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Playback {
    /// The incident's name.
    pub incident: String,
    /// So many of its seconds go by in one.
    pub speed: u32,
    /// Whether it stands.
    pub paused: bool,
    /// Whether nothing comes any more.
    pub ended: bool,
}

impl Playback {
    /// `10× playing`, `10× paused`, `at its end`.
    #[must_use]
    pub fn words(&self) -> String {
        match (self.ended, self.paused) {
            (true, _) => "at its end".to_owned(),
            (false, true) => format!("{}× paused", self.speed),
            (false, false) => format!("{}× playing", self.speed),
        }
    }

    fn change(&mut self, faster: bool) {
        let next = if faster {
            SPEEDS.into_iter().find(|speed| *speed > self.speed)
        } else {
            SPEEDS.into_iter().rev().find(|speed| *speed < self.speed)
        };
        self.speed = next.unwrap_or(self.speed);
    }
}

impl State {
    /// Why an intent is of no use here, if it is one of a replay and none is played, or one of the live world and one is.
    pub(super) fn off_stage(&self, intent: &Intent) -> Option<&'static str> {
        match (intent, &self.desk.playback) {
            (Intent::Pause | Intent::Speed(_) | Intent::Jump(_), None) => {
                Some("only while an incident is played: relight replay")
            }
            (Intent::Refresh, Some(_)) => Some("this is a replay: nothing is looked at"),
            (Intent::AcceptOffer | Intent::TakeOver | Intent::Approve, Some(_)) => {
                Some("this is a replay: nobody is asked for anything")
            }
            (Intent::Search | Intent::Hit(_), Some(_)) => {
                Some("this is a replay: its output is not searched, it lies in the incident's runs")
            }
            _ => None,
        }
    }

    /// Carries out an intent of a replay.
    pub(super) fn play(&mut self, intent: &Intent) -> Vec<Effect> {
        let Some(playback) = &mut self.desk.playback else {
            return Vec::new();
        };
        match intent {
            Intent::Pause => playback.paused = !playback.paused,
            Intent::Speed(faster) => playback.change(*faster),
            Intent::Jump(forward) => return vec![Effect::Jump(*forward)],
            _ => {}
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_speed_goes_from_one_to_an_hour_a_second_and_no_further() {
        let mut playback = Playback {
            incident: String::new(),
            speed: 7,
            paused: false,
            ended: false,
        };
        playback.change(true);
        assert_eq!(playback.speed, 10);
        for _ in 0..20 {
            playback.change(true);
        }
        assert_eq!(playback.speed, 3600);
        for _ in 0..20 {
            playback.change(false);
        }
        assert_eq!(
            (playback.speed, playback.words().as_str()),
            (1, "1× playing")
        );
    }
}
