//! What the cockpit is measured against: the least that the same libraries can do.
//!
//! * `hello`: four panes full of text, one frame, then it blocks for a key. The floor of a start.
//! * `clock`: a runtime, a clock and ten countdowns; one frame a second and one for each key. The floor of idling and of
//!   keys.

use std::{
    io,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crossterm::event::{self, EventStream};
use futures::StreamExt as _;
use ratatui::{
    Frame,
    layout::{Constraint, Layout},
    text::Line,
    widgets::{Block, Paragraph},
};

/// Runs the anchor of that name until it is killed; `None` if there is none.
pub fn run(name: &str) -> Option<io::Result<()>> {
    match name {
        "hello" => Some(hello()),
        "clock" => Some(clock()),
        _ => None,
    }
}

fn hello() -> io::Result<()> {
    let mut terminal = ratatui::init();
    let mut keys = 0_u64;
    loop {
        terminal.draw(|frame| panes(frame, keys))?;
        event::read()?;
        keys += 1;
    }
}

fn panes(frame: &mut Frame<'_>, keys: u64) {
    let half = || [Constraint::Percentage(50); 2];
    let [upper, lower]: [_; 2] = Layout::vertical(half()).areas(frame.area());
    for row in [upper, lower] {
        let columns: [_; 2] = Layout::horizontal(half()).areas(row);
        for area in columns {
            let line = |row| {
                let words = "the quick brown fox jumps over it ".repeat(4);
                Line::from(format!("row {row} key {keys} {words}"))
            };
            let lines: Vec<Line<'_>> = (0..area.height).map(line).collect();
            let pane = Paragraph::new(lines).block(Block::bordered().title("hello"));
            frame.render_widget(pane, area);
        }
    }
}

fn clock() -> io::Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let mut terminal = ratatui::init();
            let mut events = EventStream::new();
            let mut tick = tokio::time::interval(Duration::from_secs(1));
            let mut keys = 0_u64;
            loop {
                tokio::select! {
                    _ = tick.tick() => {}
                    event = events.next() => match event {
                        Some(Ok(_)) => keys += 1,
                        Some(Err(_)) | None => return Ok(()),
                    },
                }
                let now = SystemTime::now().duration_since(UNIX_EPOCH);
                let now = now.unwrap_or_default().as_secs();
                terminal.draw(|frame| countdowns(frame, now, keys))?;
            }
        })
}

fn countdowns(frame: &mut Frame<'_>, now: u64, keys: u64) {
    let [header, upper, lower] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Percentage(50),
        Constraint::Percentage(50),
    ])
    .areas(frame.area());
    let day = now % 86_400;
    let text = format!("{:02}:{:02}:{:02}Z", day / 3600, day / 60 % 60, day % 60);
    frame.render_widget(Line::from(text), header);
    let resolver = |number: u64| {
        let left = 300 - (now + number * 29) % 300;
        Line::from(format!("127.1.0.{number:<3} 192.0.2.1 ttl {left:>3} OLD"))
    };
    let lines: Vec<Line<'_>> = (0..10).map(resolver).collect();
    let pane = Paragraph::new(lines).block(Block::bordered().title("DNS"));
    frame.render_widget(pane, upper);
    let pod = |number: u64| Line::from(format!("pod-{number:03} 1/1 Running key {keys}"));
    let lines: Vec<Line<'_>> = (0..20).map(pod).collect();
    let pane = Paragraph::new(lines).block(Block::bordered().title("Pods"));
    frame.render_widget(pane, lower);
}
