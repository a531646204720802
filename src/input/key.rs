//! A key as the table names it.

use std::{fmt, str::FromStr};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with its modifiers. Shift is part of a character, not a modifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

impl Key {
    /// A plain character.
    #[must_use]
    pub const fn char(c: char) -> Self {
        Self::code(KeyCode::Char(c))
    }

    /// A character with control.
    #[must_use]
    pub const fn ctrl(c: char) -> Self {
        Self {
            code: KeyCode::Char(c),
            modifiers: KeyModifiers::CONTROL,
        }
    }

    /// A named key.
    #[must_use]
    pub const fn code(code: KeyCode) -> Self {
        Self {
            code,
            modifiers: KeyModifiers::NONE,
        }
    }

    /// The key of an event. Terminals differ in whether they report shift with capitals and with back-tab.
    #[must_use]
    pub fn of(event: KeyEvent) -> Self {
        let mut modifiers = event.modifiers;
        let mut code = event.code;
        match code {
            KeyCode::Char(c) if modifiers.contains(KeyModifiers::CONTROL) => {
                code = KeyCode::Char(c.to_ascii_lowercase());
                modifiers.remove(KeyModifiers::SHIFT);
            }
            KeyCode::Char(_) | KeyCode::BackTab => modifiers.remove(KeyModifiers::SHIFT),
            KeyCode::Tab if modifiers.contains(KeyModifiers::SHIFT) => {
                code = KeyCode::BackTab;
                modifiers.remove(KeyModifiers::SHIFT);
            }
            _ => {}
        }
        Self { code, modifiers }
    }

    /// The character it types into a text field, if it does.
    #[must_use]
    pub const fn text(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if self.modifiers.is_empty() => Some(c),
            _ => None,
        }
    }
}

/// The keys that were struck. A terminal sends escape as the first byte of every sequence, so that an escape with the next
/// key right behind it, which a slow link delivers in one piece, reads like that key with alt. No key of ours has alt: it
/// is escape, and then the key.
#[must_use]
pub fn struck(event: KeyEvent) -> Vec<KeyEvent> {
    if !event.modifiers.contains(KeyModifiers::ALT) {
        return vec![event];
    }
    let escape = KeyEvent {
        code: KeyCode::Esc,
        modifiers: KeyModifiers::NONE,
        ..event
    };
    let key = KeyEvent {
        modifiers: event.modifiers.difference(KeyModifiers::ALT),
        ..event
    };
    vec![escape, key]
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.modifiers.contains(KeyModifiers::CONTROL) {
            f.write_str("ctrl-")?;
        }
        match self.code {
            KeyCode::Char(' ') => f.write_str("space"),
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::Enter => f.write_str("enter"),
            KeyCode::Esc => f.write_str("esc"),
            KeyCode::Tab => f.write_str("tab"),
            KeyCode::BackTab => f.write_str("shift-tab"),
            KeyCode::Up => f.write_str("↑"),
            KeyCode::Down => f.write_str("↓"),
            KeyCode::Left => f.write_str("←"),
            KeyCode::Right => f.write_str("→"),
            KeyCode::PageUp => f.write_str("pgup"),
            KeyCode::PageDown => f.write_str("pgdn"),
            KeyCode::Home => f.write_str("home"),
            KeyCode::End => f.write_str("end"),
            KeyCode::Backspace => f.write_str("backspace"),
            KeyCode::F(number) => write!(f, "f{number}"),
            KeyCode::Delete => f.write_str("delete"),
            KeyCode::Insert => f.write_str("insert"),
            other => write!(f, "{other:?}"),
        }
    }
}

impl FromStr for Key {
    type Err = String;

    /// Reads what [`fmt::Display`] writes, and the arrows in words: `q`, `ctrl-c`, `f1`, `up`, `page-down`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("{text:?} is no key; write it as the help does: q, ctrl-c, f1, up");
        let mut chars = text.chars();
        if let (Some(c), None) = (chars.next(), chars.next())
            && !"↑↓←→".contains(c)
        {
            let shown = !c.is_control() && !c.is_whitespace();
            return if shown {
                Ok(Self::char(c))
            } else {
                Err(wrong())
            };
        }
        let lower = text.to_lowercase();
        if let Some(rest) = lower.strip_prefix("ctrl-") {
            let mut chars = rest.chars();
            return match (chars.next(), chars.next()) {
                (Some(c), None) if c.is_ascii_graphic() => Ok(Self::ctrl(c)),
                _ => Err(wrong()),
            };
        }
        let code = match lower.as_str() {
            "space" => KeyCode::Char(' '),
            "enter" => KeyCode::Enter,
            "esc" => KeyCode::Esc,
            "tab" => KeyCode::Tab,
            "shift-tab" => KeyCode::BackTab,
            "up" | "↑" => KeyCode::Up,
            "down" | "↓" => KeyCode::Down,
            "left" | "←" => KeyCode::Left,
            "right" | "→" => KeyCode::Right,
            "pgup" | "page-up" => KeyCode::PageUp,
            "pgdn" | "page-down" => KeyCode::PageDown,
            "home" => KeyCode::Home,
            "end" => KeyCode::End,
            "backspace" => KeyCode::Backspace,
            "delete" => KeyCode::Delete,
            "insert" => KeyCode::Insert,
            name => {
                let number = name.strip_prefix('f').and_then(|rest| rest.parse().ok());
                let number = number.filter(|number| (1..=12).contains(number));
                KeyCode::F(number.ok_or_else(wrong)?)
            }
        };
        Ok(Self::code(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shift_is_part_of_the_character() {
        let with = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT);
        let without = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::NONE);
        assert_eq!(Key::of(with), Key::of(without));
        let tab = KeyEvent::new(KeyCode::Tab, KeyModifiers::SHIFT);
        let back = KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT);
        assert_eq!(Key::of(tab), Key::of(back));
    }

    #[test]
    fn alt_is_an_escape_with_a_key_behind_it() {
        let plain = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        assert_eq!(struck(plain), [plain]);
        let alt = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::ALT);
        let escape = KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE);
        assert_eq!(struck(alt), [escape, plain]);
    }

    #[test]
    fn alt_and_control_type_nothing() {
        for modifiers in [KeyModifiers::ALT, KeyModifiers::CONTROL] {
            let key = Key::of(KeyEvent::new(KeyCode::Char('x'), modifiers));
            assert_eq!(key.text(), None);
            assert_ne!(key, Key::char('x'));
        }
    }
}
