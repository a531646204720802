//! What one who looks on answers for: the incident taken from its holder, or another person's step approved.

use super::{
    confirm::{armed_lines, scroll},
    open,
    phrase::{Asked, Words, ask},
};
use crate::{
    incident::{Person, brief, person::short},
    state::{Holding, Vouch, Vouching},
    theme::Role,
    view::{Canvas, widget::clean},
};

/// The most lines that a body is wrapped to.
const MOST: usize = 400;

const TAKE: Words = Words {
    heading: "To take it over, type exactly:",
    begun: "esc leaves",
    right: "enter TAKES IT OVER   esc leaves",
    wrong: "that is not the phrase   esc leaves",
};

const APPROVE: Words = Words {
    heading: "To approve it, type exactly:",
    begun: "esc leaves",
    right: "enter APPROVES it   esc leaves",
    wrong: "that is not the phrase   esc leaves",
};

/// Draws the dialog. What does not fit is scrolled to.
pub fn draw(canvas: &mut Canvas<'_>, asked: &Vouch) {
    let width = canvas.area.width.saturating_sub(4).clamp(20, 100);
    let room = usize::from(width.saturating_sub(4));
    let (title, body) = match &asked.what {
        Vouching::TakeOver(holding) => ("Take over".to_owned(), taking(canvas, holding, room)),
        Vouching::Approve(armed) => {
            let step = canvas.state.runbook.get(&armed.step);
            let step = step.map_or_else(|| armed.step.to_string(), |step| step.title.clone());
            let title = format!("Approve {step}, attempt {}", armed.attempt);
            let mut body = approving(canvas, room);
            body.extend(armed_lines(armed, room));
            (title, body)
        }
    };
    let words = match asked.what {
        Vouching::TakeOver(_) => TAKE,
        Vouching::Approve(_) => APPROVE,
    };
    let most = usize::from(canvas.area.height.saturating_sub(2));
    let foot = Asked::of(&words, &asked.phrase(), &asked.typed, room, most);
    let rows = u16::try_from(body.len()).unwrap_or(u16::MAX);
    let height = rows
        .saturating_add(foot.height() + 2)
        .min(canvas.area.height)
        .max(foot.height() + 3);
    let mut inside = open(canvas, (width, height), &title);
    let last = inside.area.height.saturating_sub(foot.height());
    scroll(&mut inside, &body, asked.top, last);
    ask(&mut inside, last, &foot);
}

type Lines = Vec<(String, Role)>;

fn wrapped(lines: &mut Lines, text: &str, role: Role, room: usize) {
    for line in clean::wrap(text, room, MOST) {
        lines.push((line, role));
    }
}

fn taking(canvas: &Canvas<'_>, opened: &Holding, room: usize) -> Lines {
    // As it is now, not as it was when the dialog was opened: a holder that speaks again is to be seen.
    let now = canvas.state.held_by.as_ref().unwrap_or(opened);
    let holder = &now.holder;
    let mut lines = Vec::new();
    let silent = canvas.state.now.since(holder.spoke);
    let (text, role) = if holder.token != opened.holder.token {
        (
            "That is somebody else than when this was opened: leave and look again.".to_owned(),
            Role::Danger,
        )
    } else if silent.as_secs() >= 10 {
        (
            format!(
                "Its cockpit has been SILENT for {}: it hangs, or was stopped.",
                brief(silent)
            ),
            Role::Warning,
        )
    } else {
        (
            "Its cockpit turns: it was heard within the last seconds. Ask its operator to offer the incident instead."
                .to_owned(),
            Role::Danger,
        )
    };
    wrapped(&mut lines, &text, role, room);
    let text = format!(
        "{} on {} holds this incident since {}.",
        holder.operator,
        holder.place(),
        holder.at
    );
    wrapped(&mut lines, &text, Role::Text, room);
    lines.push((String::new(), Role::Text));
    if now.live.is_empty() {
        wrapped(&mut lines, "Nothing runs.", Role::Text, room);
    } else {
        let text = "Runs now. What of it makes calls of its own makes no further one once this is taken over; what is one command goes on. Nothing new is started before all of it has ended; x asks it to stop:";
        wrapped(&mut lines, text, Role::Warning, room);
        for run in &now.live {
            lines.push((format!("  {run}"), Role::Strong));
        }
    }
    lines.push((String::new(), Role::Text));
    let text = "Steps run with this cockpit's credentials then. The other one, should it wake, finds out, starts nothing and looks on. The journal keeps who took over from whom, and this phrase.";
    wrapped(&mut lines, text, Role::Text, room);
    lines
}

fn approving(canvas: &Canvas<'_>, room: usize) -> Lines {
    let holder = canvas.state.story.holder.as_ref();
    let who = holder.map_or("the operator", |holder| short(&holder.operator));
    let me: &Person = &canvas.state.me;
    let mut lines = Vec::new();
    let text = format!(
        "{who} has armed this and may confirm it once you have approved it. You approve exactly what is shown, as {}.",
        me.name()
    );
    wrapped(&mut lines, &text, Role::Text, room);
    if me.arn.is_none() {
        let text = "STS has not said who you are: without your ARN the approval is declined.";
        wrapped(&mut lines, text, Role::Warning, room);
    }
    lines.push((String::new(), Role::Text));
    lines
}
