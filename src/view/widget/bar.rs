//! A bar of a few cells.

/// `▕███▏  `: how much of a whole, 0 to 1, in `cells` cells between two edges. Eighths of a cell, so that it moves
/// smoothly; on ASCII terminals they become whole cells.
#[must_use]
pub fn bar(part: f32, cells: u16) -> String {
    const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let part = if part.is_finite() {
        part.clamp(0.0, 1.0)
    } else {
        0.0
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 ≤ part ≤ 1 and cells is 16 bits"
    )]
    let eighths = (part * f32::from(cells) * 8.0).round() as usize;
    let cells = usize::from(cells);
    let mut text = String::from("▕");
    for cell in 0..cells {
        let filled = eighths.saturating_sub(cell * 8);
        text.push(if filled >= 8 { '█' } else { EIGHTHS[filled] });
    }
    text.push('▏');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_full_at_one_and_empty_at_zero_and_keeps_its_width() {
        assert_eq!(bar(0.0, 4), "▕    ▏");
        assert_eq!(bar(1.0, 4), "▕████▏");
        assert_eq!(bar(0.5, 4), "▕██  ▏");
        assert_eq!(bar(7.0, 2), "▕██▏");
        assert_eq!(bar(f32::NAN, 2), "▕  ▏");
    }
}
