//! The nearest known word to a mistyped one.

/// The known word that `word` most likely stands for, if one is near enough to be worth suggesting.
pub(super) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let word: Vec<char> = word
        .to_lowercase()
        .replace('-', "_")
        .chars()
        .take(64)
        .collect();
    let allowed = (word.len() / 3).max(1);
    known
        .iter()
        .map(|candidate| (distance(&word, candidate), *candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance: insertions, deletions and substitutions.
fn distance(word: &[char], candidate: &str) -> usize {
    let mut row: Vec<usize> = (0..=word.len()).collect();
    for (i, c) in candidate.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, w) in word.iter().enumerate() {
            let substituted = diagonal + usize::from(*w != c);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[word.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        let known = ["region", "account", "state_table", "audit_table"];
        let cases = [
            ("regoin", Some("region")),
            ("state-table", Some("state_table")),
            ("Account", Some("account")),
            ("audit_tabel", Some("audit_table")),
            ("colour", None),
        ];
        for (word, near) in cases {
            assert_eq!(nearest(word, &known), near, "{word}");
        }
    }
}
