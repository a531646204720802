//! What the operator means, outside of dialogs.

use super::super::{
    Access, Intent, Overlay, Pane, RowKey, Run, Scroll, Search, State, StepState, Wanted,
};
use super::{Effect, Tone};
use crate::incident::{Risk, RunId, Step, StepId};

impl State {
    /// Carries out an intent.
    pub(super) fn intend(&mut self, intent: Intent) -> Vec<Effect> {
        if self.desk.overlay.is_some() {
            return self.intend_in_dialog(intent);
        }
        if let Some(why) = self.off_stage(&intent) {
            return self.refuse(why);
        }
        match intent {
            Intent::Focus(pane) => self.focus(pane),
            Intent::Cycle(forward) => self.cycle(forward),
            Intent::Zoom => {
                self.desk.zoom = !self.desk.zoom;
                self.fetch_shown()
            }
            Intent::Move(by) => self.move_by(by),
            Intent::Page(by) => self.move_by(by.saturating_mul(self.page())),
            Intent::Shift(by) => {
                let pane = self.desk.pane_mut(self.desk.focus);
                let by = i16::try_from(by).unwrap_or(0);
                pane.shift = pane.shift.saturating_add_signed(by);
                Vec::new()
            }
            Intent::Top => self.jump(false),
            Intent::Bottom => self.jump(true),
            Intent::Run(step) => self.arm(step.as_ref(), false),
            Intent::RunNumber(number) => match self.runbook.steps.get(number.wrapping_sub(1)) {
                Some(step) => {
                    let id = step.id.clone();
                    self.arm(Some(&id), false)
                }
                None => self.refuse(format!("there is no step {number}")),
            },
            Intent::DryRun => self.arm(None, true),
            Intent::OtherWay => self.other_way(),
            Intent::Override => self.ask_override(),
            Intent::Skip => self.ask_skip(),
            Intent::Outage => self.ask_outage(),
            Intent::Close => self.ask_close(),
            Intent::Cancel => self.cancel(),
            Intent::Offer => self.offer(),
            Intent::AcceptOffer => self.accept_offer(),
            Intent::TakeOver => self.ask_take_over(),
            Intent::Approve => self.ask_approve(),
            Intent::NextRun(forward) => self.next_run(forward),
            Intent::Hit(forward) => self.next_hit(forward),
            Intent::Refresh => {
                self.notify(Tone::Info, "looking at everything now");
                vec![Effect::ProbeNow]
            }
            Intent::Pause | Intent::Speed(_) | Intent::Jump(_) => self.play(&intent),
            Intent::Copy => self.copy(),
            Intent::CopyCommand => self.copy_command(),
            Intent::Redraw => vec![Effect::Redraw],
            Intent::Suspend => vec![Effect::Suspend],
            Intent::Detach => vec![Effect::Quit],
            Intent::Paste(_) => {
                self.refuse("a paste outside a text field is refused: nothing was run")
            }
            intent => self.open(&intent),
        }
    }

    fn open(&mut self, intent: &Intent) -> Vec<Effect> {
        let overlay = match intent {
            Intent::Help => Some(Overlay::Help(0)),
            Intent::Palette => Some(Overlay::Palette(String::new(), 0)),
            Intent::Search => Some(Overlay::Search(String::new())),
            Intent::Filter => Some(Overlay::Filter(self.desk.pane(self.desk.focus).filter)),
            Intent::Themes => {
                let current = self
                    .desk
                    .themes
                    .iter()
                    .position(|name| *name == self.desk.theme);
                Some(Overlay::Themes(current.unwrap_or(0)))
            }
            Intent::Detail => self
                .selected_step()
                .map(|step| Overlay::Detail(step.id.clone(), 0)),
            Intent::Dismiss => {
                self.desk.notice = None;
                if !self.desk.pane(self.desk.focus).filter.is_empty() {
                    self.desk.pane_mut(self.desk.focus).filter.clear();
                }
                None
            }
            _ => None,
        };
        if overlay.is_some() {
            self.desk.overlay = overlay;
        }
        Vec::new()
    }

    fn focus(&mut self, pane: Pane) -> Vec<Effect> {
        self.desk.focus = pane;
        if !matches!(pane, Pane::Runbook | Pane::Output) {
            self.desk.right = Some(pane);
        }
        self.fetch_shown()
    }

    fn cycle(&mut self, forward: bool) -> Vec<Effect> {
        let all = Pane::ALL;
        let here = all
            .iter()
            .position(|pane| *pane == self.desk.focus)
            .unwrap_or(0);
        let step = if forward { 1 } else { all.len() - 1 };
        self.focus(all[(here + step) % all.len()])
    }

    fn page(&self) -> i32 {
        i32::from(crate::layout::viewport(&self.desk, self.desk.focus).max(2) - 1)
    }

    fn move_by(&mut self, by: i32) -> Vec<Effect> {
        let pane = self.desk.focus;
        if pane == Pane::Output {
            return self.scroll_output(i64::from(by));
        }
        let rows = self.rows(pane);
        if rows.is_empty() {
            return Vec::new();
        }
        let here = self.cursor(pane, &rows);
        let distance = usize::try_from(by.unsigned_abs()).unwrap_or(0);
        let there = if by < 0 {
            here.saturating_sub(distance)
        } else {
            here.saturating_add(distance)
        };
        self.desk.pane_mut(pane).selected = rows.get(there.min(rows.len() - 1)).cloned();
        Vec::new()
    }

    /// Scrolls the output. Paused means paused: new lines do not move what is being read.
    fn scroll_output(&mut self, by: i64) -> Vec<Effect> {
        let Some(run) = self.shown_run().map(|run| run.armed.run.clone()) else {
            return Vec::new();
        };
        let total = self.outputs.get(&run).map_or(0, |output| output.total);
        let height = u64::from(crate::layout::viewport(&self.desk, Pane::Output)).max(1);
        let last = total.saturating_sub(height);
        let top = match self.desk.pane(Pane::Output).scroll {
            Scroll::Follow => last,
            Scroll::Line(line) => line,
        };
        let top = top.saturating_add_signed(by).min(last);
        let pane = self.desk.pane_mut(Pane::Output);
        pane.scroll = if by > 0 && top == last {
            Scroll::Follow
        } else {
            Scroll::Line(top)
        };
        self.fetch_shown()
    }

    fn jump(&mut self, end: bool) -> Vec<Effect> {
        let pane = self.desk.focus;
        if pane == Pane::Output {
            self.desk.pane_mut(pane).scroll = if end { Scroll::Follow } else { Scroll::Line(0) };
            return self.fetch_shown();
        }
        let rows = self.rows(pane);
        let row = if end { rows.last() } else { rows.first() };
        self.desk.pane_mut(pane).selected = row.cloned();
        Vec::new()
    }

    /// Puts the runbook's cursor on a step.
    pub(super) fn select_step(&mut self, step: &StepId) {
        self.desk.pane_mut(Pane::Runbook).selected = Some(RowKey::Step(step.clone()));
    }

    /// Lets the runbook's cursor go on after a passed run, if it still stands on that run's step.
    pub(super) fn follow_runbook(&mut self, run: &RunId) {
        let step = self
            .story
            .runs
            .get(run)
            .map(|run| RowKey::Step(run.armed.step.clone()));
        let pane = self.desk.pane_mut(Pane::Runbook);
        if pane.selected == step {
            pane.selected = None;
        }
    }

    fn next_run(&mut self, forward: bool) -> Vec<Effect> {
        let runs = self
            .story
            .in_order()
            .filter(|run| run.started.is_some() || run.is_live());
        let runs: Vec<RunId> = runs.map(|run| run.armed.run.clone()).collect();
        let Some(last) = runs.len().checked_sub(1) else {
            return self.refuse("nothing has run yet");
        };
        let shown = self.shown_run().map(|run| run.armed.run.clone());
        let here = shown
            .and_then(|shown| runs.iter().position(|run| *run == shown))
            .unwrap_or(last);
        let there = if forward {
            (here + 1).min(last)
        } else {
            here.saturating_sub(1)
        };
        self.desk.output_run = if there == last {
            None
        } else {
            Some(runs[there].clone())
        };
        self.desk.pane_mut(Pane::Output).scroll = Scroll::Follow;
        self.desk.search.hit = None;
        self.fetch_shown()
    }

    /// Starts a search in the shown output, from where the screen is, towards the beginning first while following.
    pub(super) fn search(&mut self, text: String) -> Vec<Effect> {
        self.desk.search = Search {
            text,
            ..Search::default()
        };
        if self.desk.search.text.is_empty() {
            return Vec::new();
        }
        self.desk.focus = Pane::Output;
        let forward = self.desk.pane(Pane::Output).scroll != Scroll::Follow;
        self.next_hit(forward)
    }

    fn next_hit(&mut self, forward: bool) -> Vec<Effect> {
        if self.desk.search.text.is_empty() {
            return self.refuse("nothing to search for yet: / starts a search");
        }
        let Some(run) = self.shown_run().map(|run| run.armed.run.clone()) else {
            return self.refuse("there is no output to search");
        };
        let total = self.outputs.get(&run).map_or(0, |output| output.total);
        let here = match (&self.desk.search.hit, &self.desk.pane(Pane::Output).scroll) {
            (Some((of, line)), _) if *of == run => {
                if forward {
                    line.saturating_add(1)
                } else {
                    line.saturating_sub(1)
                }
            }
            (_, Scroll::Line(line)) => *line,
            (_, Scroll::Follow) => total.saturating_sub(1),
        };
        vec![Effect::Find {
            run,
            text: self.desk.search.text.clone(),
            from: here,
            forward,
        }]
    }

    /// A search came back.
    pub(super) fn found(&mut self, run: RunId, line: Option<u64>) -> Vec<Effect> {
        self.desk.search.missed = line.is_none();
        let Some(line) = line else {
            let text = format!("no further line holds {:?}", self.desk.search.text);
            return self.refuse(text);
        };
        self.desk.search.hit = Some((run.clone(), line));
        if self.shown_run().map(|shown| &shown.armed.run) != Some(&run) {
            return Vec::new();
        }
        let third = u64::from(crate::layout::viewport(&self.desk, Pane::Output)) / 3;
        self.desk.pane_mut(Pane::Output).scroll = Scroll::Line(line.saturating_sub(third));
        vec![Effect::Fetch(run, Wanted::Around(line))]
    }

    fn copy(&mut self) -> Vec<Effect> {
        let pane = self.desk.focus;
        if pane == Pane::Output {
            return match self.shown_run() {
                Some(run) => vec![Effect::CopyOutput(run.armed.run.clone())],
                None => self.refuse("there is no output to copy"),
            };
        }
        let rows = self.rows(pane);
        match rows.get(self.cursor(pane, &rows)) {
            Some(row) => vec![Effect::Copy("row", self.row_text(row))],
            None => self.refuse("there is no row to copy"),
        }
    }

    fn copy_command(&mut self) -> Vec<Effect> {
        let Some(step) = self.selected_step().cloned() else {
            return self.refuse("no step is selected");
        };
        match self.prepared(&step, false) {
            Ok(prepared) => vec![Effect::Copy("command", prepared.calls.join("\n"))],
            Err(why) => self.refuse(why),
        }
    }

    /// Why this terminal has no key for an intent at all, whatever the step: it may not do what the intent is for. Footer,
    /// help and palette leave it out.
    #[must_use]
    pub fn barred(&self, intent: &Intent) -> Option<&str> {
        if let Some(why) = self.off_stage(intent) {
            return Some(why);
        }
        let only_observers = matches!(
            intent,
            Intent::AcceptOffer | Intent::TakeOver | Intent::Approve
        );
        let (why, observes) = match &self.access {
            Access::Operator | Access::ReadOnly(_) if only_observers => {
                return Some("this cockpit holds the incident");
            }
            Access::Operator => return None,
            Access::ReadOnly(why) => (why, false),
            Access::Observer(why) => (why, true),
        };
        let changes = |step: Option<&Step>| step.is_some_and(|step| step.risk > Risk::Look);
        let barred = match intent {
            Intent::Override | Intent::Skip | Intent::Cancel | Intent::Outage | Intent::Close => {
                true
            }
            Intent::DryRun | Intent::RunNumber(_) | Intent::OtherWay | Intent::Offer => observes,
            Intent::Run(None) => observes || changes(self.selected_step()),
            Intent::Run(Some(id)) => observes || changes(self.runbook.get(id)),
            _ => false,
        };
        barred.then_some(why)
    }

    /// Why an intent would be refused now; the palette shows it beside the action.
    #[must_use]
    pub fn unavailable(&self, intent: &Intent) -> Option<String> {
        match intent {
            Intent::Run(id) => {
                let step = id
                    .as_ref()
                    .map_or_else(|| self.selected_step(), |id| self.runbook.get(id));
                let step = step?;
                let running = matches!(self.step_state(step), StepState::Running(_));
                if running {
                    Some("it is already running".to_owned())
                } else {
                    self.blocked(step, false)
                }
            }
            Intent::DryRun => self
                .selected_step()
                .and_then(|step| self.blocked(step, true)),
            Intent::OtherWay => {
                let one = self
                    .selected_step()
                    .is_some_and(|step| !step.has_two_ways());
                one.then(|| "the step has one way".to_owned())
            }
            Intent::Override => self
                .selected_step()
                .and_then(|step| self.waivable(step).err()),
            Intent::Cancel => {
                let any = self.story.in_order().any(Run::is_live);
                (!any).then(|| "nothing is running".to_owned())
            }
            Intent::AcceptOffer => {
                let none = self.story.offer.is_none();
                none.then(|| "nothing is offered".to_owned())
            }
            Intent::Approve => {
                let none = self.awaits_approval().is_none();
                none.then(|| "no armed step waits for an approval".to_owned())
            }
            Intent::Hit(_) => self
                .desk
                .search
                .text
                .is_empty()
                .then(|| "nothing searched for yet".to_owned()),
            Intent::Skip => match &self.access {
                Access::Observer(why) | Access::ReadOnly(why) => Some(why.clone()),
                Access::Operator => None,
            },
            _ => None,
        }
    }
}
