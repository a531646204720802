//! Many measurements of one thing, and how two things compare pair by pair.

/// What was measured, in the order in which it was.
#[derive(Clone, Debug, Default)]
pub struct Sample(pub Vec<f64>);

impl Sample {
    /// The value below which that share of all lies; 0 of an empty sample.
    pub fn at(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "a place in a short list"
        )]
        let place = (share * sorted.len() as f64) as usize;
        let place = place.min(sorted.len().saturating_sub(1));
        sorted.get(place).copied().unwrap_or(0.0)
    }

    /// The value in the middle.
    pub fn median(&self) -> f64 {
        self.at(0.5)
    }

    /// Each by the one of the other that was measured beside it.
    pub fn by(&self, other: &Self) -> Self {
        let pairs = self.0.iter().zip(&other.0);
        Self(pairs.map(|(ours, theirs)| ours / theirs).collect())
    }

    /// `median (least-most)`.
    pub fn text(&self) -> String {
        let (least, most) = (self.at(0.0), self.at(1.0));
        format!("{:.2} ({least:.2}-{most:.2})", self.median())
    }
}

/// One line: what was measured, the value, what stood beside it, what was promised.
pub fn line(what: &str, value: &str, beside: &str, budget: &str) -> String {
    format!("{what:<44} {value:<26} {beside:<44} {budget}")
}
