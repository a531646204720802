//! What keys mean while something lies over the panes.

use super::super::{Confirm, Focus, Intent, Overlay, Override, State, Vouch};
use super::Effect;
use crate::{incident::plain::is_unsafe, journal::Entry};

/// The longest text a field takes: a pasted file is no reason.
const FIELD: usize = 400;

impl State {
    /// Carries out an intent in the overlay that is open.
    pub(super) fn intend_in_dialog(&mut self, intent: Intent) -> Vec<Effect> {
        match intent {
            Intent::Redraw => return vec![Effect::Redraw],
            Intent::Suspend => return vec![Effect::Suspend],
            Intent::Dismiss => return self.dismiss(),
            Intent::Accept => return self.accept(),
            _ => {}
        }
        if let Some(text) = self.field() {
            match intent {
                Intent::Insert(c) if !is_unsafe(c) && text.len() < FIELD => text.push(c),
                Intent::Paste(pasted) => {
                    let clean = pasted.chars().filter(|c| !is_unsafe(*c));
                    text.extend(clean.take(FIELD.saturating_sub(text.len())));
                }
                Intent::Backspace => {
                    text.pop();
                }
                Intent::Clear => text.clear(),
                intent => return self.turn(&intent),
            }
            if let Some(Overlay::Palette(_, chosen)) = &mut self.desk.overlay {
                *chosen = 0;
            }
            return Vec::new();
        }
        self.turn(&intent)
    }

    /// The text field of the overlay. A phrase takes nothing before its dialog was on screen.
    fn field(&mut self) -> Option<&mut String> {
        match self.desk.overlay.as_mut()? {
            Overlay::Confirm(confirm) if confirm.drawn && confirm.is_typed() => {
                Some(confirm.note.as_mut().unwrap_or(&mut confirm.typed))
            }
            Overlay::Override(asked) if asked.drawn => {
                Some(asked.reason.as_mut().unwrap_or(&mut asked.typed))
            }
            Overlay::Vouch(asked) if asked.drawn => Some(&mut asked.typed),
            Overlay::Palette(text, _) | Overlay::Search(text) | Overlay::Filter(text) => Some(text),
            Overlay::Reason(reason) => Some(&mut reason.text),
            _ => None,
        }
    }

    /// Keys that turn a page, a button or a row.
    fn turn(&mut self, intent: &Intent) -> Vec<Effect> {
        let page = i32::from(self.desk.size.1 / 2).max(1);
        match (self.desk.overlay.as_mut(), intent) {
            (Some(Overlay::Confirm(confirm)), Intent::Button) if confirm.drawn => {
                confirm.focus = if confirm.focus == Focus::Cancel {
                    Focus::Run
                } else {
                    Focus::Cancel
                };
            }
            (
                Some(
                    Overlay::Help(top)
                    | Overlay::Detail(_, top)
                    | Overlay::Confirm(Confirm { top, .. })
                    | Overlay::Override(Override { top, .. })
                    | Overlay::Vouch(Vouch { top, .. }),
                ),
                Intent::Move(by),
            ) => {
                *top = top.saturating_add_signed(i16::try_from(*by).unwrap_or(0));
            }
            (
                Some(
                    Overlay::Help(top)
                    | Overlay::Detail(_, top)
                    | Overlay::Confirm(Confirm { top, .. })
                    | Overlay::Override(Override { top, .. })
                    | Overlay::Vouch(Vouch { top, .. }),
                ),
                Intent::Page(by),
            ) => {
                let by = i16::try_from(by.saturating_mul(page)).unwrap_or(0);
                *top = top.saturating_add_signed(by);
            }
            (Some(Overlay::Palette(_, chosen) | Overlay::Themes(chosen)), Intent::Choose(row)) => {
                *chosen = *row;
            }
            _ => {}
        }
        Vec::new()
    }

    fn dismiss(&mut self) -> Vec<Effect> {
        match self.desk.overlay.take() {
            Some(Overlay::Confirm(confirm)) => {
                vec![Effect::Record(Entry::Disarmed {
                    run: confirm.armed.run,
                })]
            }
            _ => Vec::new(),
        }
    }

    fn accept(&mut self) -> Vec<Effect> {
        match self.desk.overlay.clone() {
            Some(Overlay::Confirm(confirm)) => self.answer(&confirm),
            Some(Overlay::Override(asked)) => self.overridden(&asked),
            Some(Overlay::Vouch(asked)) => self.vouched(&asked),
            Some(Overlay::Reason(reason)) => self.reasoned(&reason),
            Some(Overlay::Search(text)) => {
                self.desk.overlay = None;
                self.search(text)
            }
            Some(Overlay::Filter(text)) => {
                self.desk.overlay = None;
                let focus = self.desk.focus;
                let pane = self.desk.pane_mut(focus);
                pane.filter = text;
                pane.selected = None;
                Vec::new()
            }
            Some(Overlay::Themes(chosen)) => {
                if let Some(name) = self.desk.themes.get(chosen) {
                    self.desk.theme.clone_from(name);
                }
                self.desk.overlay = None;
                vec![Effect::Redraw]
            }
            // The palette's choice comes as the intent it stands for; see `input`.
            _ => self.dismiss(),
        }
    }

    fn answer(&mut self, confirm: &Confirm) -> Vec<Effect> {
        // Type-ahead guard: over a slow link, keys meant for the panes arrive when the dialog is already decided on.
        if !confirm.drawn {
            return Vec::new();
        }
        let said_yes = match &confirm.armed.phrase {
            Some(phrase) => {
                if confirm.typed.trim() != phrase {
                    return self.refuse(format!(
                        "type exactly: {phrase} (esc leaves without running)"
                    ));
                }
                true
            }
            None => confirm.focus == Focus::Run || confirm.armed.by_hand,
        };
        if !said_yes {
            return self.dismiss();
        }
        let note = confirm.note.as_deref().map(str::trim);
        match note {
            None if confirm.armed.by_hand => {
                if let Some(Overlay::Confirm(open)) = &mut self.desk.overlay {
                    open.note = Some(String::new());
                }
                return Vec::new();
            }
            Some("") => {
                return self.refuse("a note is needed: it is all that tells what was done");
            }
            _ => {}
        }
        // The dialog stays: the approval may be on its way.
        if let Err(why) = self.approval(&confirm.armed) {
            return self.refuse(why);
        }
        self.desk.overlay = None;
        let phrase = confirm
            .armed
            .phrase
            .is_some()
            .then(|| confirm.typed.trim().to_owned());
        self.confirm(&confirm.armed, phrase, note.map(str::to_owned))
    }
}
