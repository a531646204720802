//! One snapshot for each screen.

use std::{sync::Arc, time::Duration};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{draw, fixture, plain, styles, text};
use crate::{
    incident::{
        Component, Door, Drill, Drills, Evidence, Fact, History, Identity, Risk, RunId, Side,
        StepId, Subject, Way,
    },
    journal::{ArmedStep, Entry, Holder, Waived, Waiver},
    plan::ResolverPlan,
    state::{
        Access, Confirm, Event, Focus, Holding, Notice, Overlay, Override, Pane, Reason, RowKey,
        RunEvent, Scroll, Search, State, Tone, Vouch, Vouching, Why,
    },
    theme::{self, Depth, Theme},
    view::Look,
};

fn screen(name: &str, state: &mut State, size: (u16, u16)) {
    let buffer = draw(state, size, &plain());
    insta::assert_snapshot!(name, text(&buffer));
}

#[test]
fn at_all_sizes() {
    for (name, size) in [
        ("busy_200x50", (200, 50)),
        ("busy_120x40", (120, 40)),
        ("busy_80x24", (80, 24)),
        ("busy_60x16", (60, 16)),
        ("busy_40x10", (40, 10)),
        ("busy_39x9", (39, 9)),
    ] {
        screen(name, &mut fixture::busy(), size);
    }
}

#[test]
fn before_anything_is_declared_the_last_drill_is_told() {
    let first = |drills: Drills, width: u16| {
        let mut state = fixture::empty();
        state.history.drills = drills;
        let screen = text(&draw(&mut state, (width, 40), &plain()));
        screen.lines().next().expect("a first row").to_owned()
    };
    let last = |took: Option<u64>| {
        Drills::Last(Drill {
            incident: "x".to_owned(),
            at: fixture::NOW.minus(Duration::from_hours(41 * 24)),
            took: took.map(Duration::from_mins),
        })
    };
    for (drills, width, words) in [
        (
            last(Some(52)),
            140,
            "last drill 41d ago, 52m, objective 1h00m",
        ),
        (last(None), 140, "last drill 41d ago, not finished"),
        (last(Some(52)), 120, "last drill 41d ago"),
        (Drills::Never, 120, "never drilled"),
    ] {
        let row = first(drills, width);
        assert!(row.contains(words), "{row}");
    }
    let unread = first(Drills::Unread, 140);
    assert!(!unread.contains("drill"), "{unread}");
    // Once an incident is open its own clocks stand there.
    let mut state = fixture::busy();
    state.history.drills = Drills::Never;
    let screen = text(&draw(&mut state, (140, 40), &plain()));
    assert!(!screen.contains("never drilled"), "{screen}");
}

/// The second row as it is on a terminal of so many columns, with these accounts and ends of the credentials.
fn identities(width: u16, seen: [(&str, u64); 2]) -> String {
    let mut state = fixture::busy();
    for (side, (account, minutes)) in Side::BOTH.into_iter().zip(seen) {
        let identity = Identity {
            arn: format!("arn:aws:sts::{account}:assumed-role/dr/alice"),
            account: account.to_owned(),
            region: "us-west-2".to_owned(),
            expires: Some(fixture::NOW.plus(Duration::from_mins(minutes))),
            renews: false,
        };
        let fact = Ok(Fact::Identity(identity));
        fixture::see(&mut state, Subject::Identity(side), 1, fact);
    }
    let screen = text(&draw(&mut state, (width, 40), &plain()));
    screen.lines().nth(1).expect("a second row").to_owned()
}

#[test]
fn who_i_am_is_told_for_both_sides_and_the_worse_first() {
    let (mine, other) = ("111122223333", "999988887777");
    let cases = [
        (
            200,
            [(mine, 41), (mine, 41)],
            "us-east-1+us-west-2 dr/alice 111122223333 · credentials 41m",
        ),
        (
            200,
            [(mine, 50), (mine, 41)],
            "us-west-2 dr/alice 111122223333 · credentials 41m · us-east-1 dr/alice 111122223333 · credentials 50m",
        ),
        (
            200,
            [(mine, 5), (mine, 41)],
            "us-east-1 dr/alice 111122223333 · credentials 5m · us-west-2 dr/alice",
        ),
        (
            200,
            [(mine, 41), (other, 41)],
            "us-west-2 dr/alice 999988887777 ✗ WRONG ACCOUNT 999988887777 · credentials 41m",
        ),
        (
            120,
            [(mine, 41), (mine, 41)],
            "us-east-1+us-west-2 dr/alice 111122223333 · credentials 41m",
        ),
        (80, [(other, 41), (mine, 41)], "us-east-1 ✗ WRONG ACCOUNT"),
        (80, [(mine, 0), (mine, 41)], "us-east-1 credentials EXPIRED"),
    ];
    for (width, seen, part) in cases {
        let row = identities(width, seen);
        assert!(row.contains(part), "{part:?} is not in {row:?}");
    }
}

#[test]
fn before_the_first_fact() {
    screen("empty_120x40", &mut fixture::empty(), (120, 40));
    screen("empty_80x24", &mut fixture::empty(), (80, 24));
}

#[test]
fn when_nothing_answers() {
    screen("failed_120x40", &mut fixture::all_failed(), (120, 40));
    screen("failed_80x24", &mut fixture::all_failed(), (80, 24));
}

#[test]
fn each_pane_zoomed() {
    for pane in Pane::ALL {
        let mut state = fixture::busy();
        state.desk.focus = pane;
        state.desk.zoom = true;
        let name = format!("zoom_{}", pane.name().to_lowercase().replace(' ', "_"));
        screen(&name, &mut state, (120, 30));
    }
}

#[test]
fn each_pane_on_the_right_of_a_small_screen() {
    for pane in [Pane::Backups, Pane::Dns, Pane::Web] {
        let mut state = fixture::busy();
        state.desk.focus = pane;
        let name = format!("small_{}", pane.name().to_lowercase().replace(' ', "_"));
        screen(&name, &mut state, (80, 24));
    }
}

fn step(id: &str) -> StepId {
    StepId::try_from(id.to_owned()).expect("a step id")
}

fn confirm(id: &str, risk: Risk, phrase: Option<&str>, typed: &str) -> Overlay {
    Overlay::Confirm(Confirm {
        armed: fixture::armed(id, risk, phrase),
        focus: Focus::Cancel,
        typed: typed.to_owned(),
        note: None,
        top: 0,
        drawn: true,
    })
}

#[test]
fn each_overlay() {
    let phrase = Some(fixture::PHRASE);
    let reason = Reason {
        why: Why::Skip(step("stop-old-cluster")),
        text: "the primary's API gives no answer since 14:01".to_owned(),
    };
    let close = Reason {
        why: Why::Close,
        text: "us-west-2 has served for two days".to_owned(),
    };
    let overlay = |reason: Option<&str>| {
        Overlay::Override(Override {
            step: step("switch-dns"),
            waived: ["new-door-answers", "same-authorities"]
                .map(|name| Waived {
                    condition: name.to_owned(),
                    sentence: "the new load balancer gave no answer in 3s: is the region reachable from here?".to_owned(),
                })
                .into(),
            typed: "override switch".to_owned() + if reason.is_some() { "-dns" } else { "" },
            reason: reason.map(ToOwned::to_owned),
            top: 0,
            drawn: true,
        })
    };
    let overlays = [
        ("override", overlay(None)),
        (
            "override_reason",
            overlay(Some("seen by hand from the bastion in us-west-2")),
        ),
        ("help", Overlay::Help(0)),
        ("palette", Overlay::Palette(String::new(), 2)),
        ("palette_dns", Overlay::Palette("dns".to_owned(), 0)),
        ("confirm", confirm("install", Risk::Change, None, "")),
        ("confirm_dns", confirm("switch-dns", Risk::Change, None, "")),
        (
            "destroy",
            confirm(
                "stop-old-cluster",
                Risk::Destroy,
                phrase,
                &fixture::PHRASE[..78],
            ),
        ),
        ("reason", Overlay::Reason(reason)),
        ("close", Overlay::Reason(close)),
        ("search", Overlay::Search("not ready".to_owned())),
        ("filter", Overlay::Filter("auth".to_owned())),
        ("themes", Overlay::Themes(3)),
        ("detail", Overlay::Detail(step("stop-old-cluster"), 0)),
    ];
    for (name, overlay) in overlays {
        for size in [(120, 40), (80, 24)] {
            let mut state = fixture::busy();
            state.desk.overlay = Some(overlay.clone());
            screen(&format!("overlay_{name}_{}", size.0), &mut state, size);
        }
    }
}

/// Another operator's hold on the incident, silent for so long.
fn held(silent: u64) -> Holding {
    let at = fixture::ago(silent);
    let run = |step: &str| RunId::new(&self::step(step), 1, fixture::ago(300));
    Holding {
        holder: Holder {
            token: 3,
            operator: "arn:aws:sts::111122223333:assumed-role/dr-operator/bob (ec2-user)"
                .to_owned(),
            host: "ip-10-20-30-40.us-west-2.compute.internal".to_owned(),
            pid: 4711,
            at: fixture::ago(2400),
            honours: 0,
            spoke: at,
            held: true,
        },
        live: vec![run("restore-tables"), run("check-rights")],
    }
}

#[test]
fn taking_over_and_approving() {
    let vouch = |what| {
        Overlay::Vouch(Vouch {
            what,
            typed: "take over from dr".to_owned(),
            top: 0,
            drawn: true,
        })
    };
    let mut armed = fixture::armed("install", Risk::Change, None);
    armed.approval = Some(String::new());
    let overlays = [
        ("take_over", vouch(Vouching::TakeOver(Box::new(held(252))))),
        (
            "take_over_awake",
            vouch(Vouching::TakeOver(Box::new(held(2)))),
        ),
        ("approve", vouch(Vouching::Approve(Box::new(armed)))),
    ];
    for (name, overlay) in overlays {
        for size in [(120, 40), (80, 24), (40, 16)] {
            let mut state = fixture::busy();
            state.access = Access::Observer("dr-operator/bob holds the incident".to_owned());
            state.me.user = "ec2-user".to_owned();
            state.desk.overlay = Some(overlay.clone());
            screen(&format!("overlay_{name}_{}", size.0), &mut state, size);
        }
    }
}

#[test]
fn what_is_between_operators_stands_in_the_header_of_each() {
    let mut state = fixture::busy();
    fixture::record(&mut state, fixture::ago(5), Entry::Offered);
    for (name, access) in [
        ("offering", Access::Operator),
        (
            "offered",
            Access::Observer("bob on bastion holds the incident".to_owned()),
        ),
    ] {
        state.access = access;
        screen(&format!("{name}_80"), &mut state, (80, 24));
    }
}

/// The rows inside a dialog's lines, without the spaces at their ends.
fn dialog(state: &mut State, size: (u16, u16)) -> Vec<String> {
    let drawn = text(&draw(state, size, &plain()));
    let rows = drawn.lines().map(|line| line.chars().collect::<Vec<_>>());
    let mut rows = rows.skip_while(|row| !row.iter().collect::<String>().contains(", attempt 1 ━"));
    let title: String = rows.next().expect("a dialog").iter().collect();
    let wide = title.rsplit("┏━ ").next().expect("a title");
    let wide = 3 + wide.chars().take_while(|c| *c != '┓').count();
    let left = title.chars().count()
        - title
            .rsplit_once("┏━ ")
            .expect("a corner")
            .1
            .chars()
            .count()
        - 3;
    let inside = rows.take_while(|row| row.get(left) == Some(&'┃'));
    let inside = inside.map(|row| row[left + 2..left + wide].iter().collect::<String>());
    inside.map(|row| row.trim_end().to_owned()).collect()
}

#[test]
fn every_letter_of_a_phrase_and_of_what_is_typed_can_be_read() {
    let typed = &fixture::PHRASE[..78];
    for size in [(40, 10), (60, 16), (80, 24), (120, 40)] {
        let mut state = fixture::busy();
        let overlay = confirm(
            "stop-old-cluster",
            Risk::Destroy,
            Some(fixture::PHRASE),
            typed,
        );
        state.desk.overlay = Some(overlay);
        let rows = dialog(&mut state, size);
        let asked = rows.iter().position(|row| row.contains("type exactly:"));
        let asked = asked.expect("the phrase is asked for") + 1;
        let field = rows.iter().position(|row| row.starts_with("> "));
        let field = field.expect("a field");
        let phrase: String = rows[asked..field].iter().map(|row| &row[2..]).collect();
        assert_eq!(phrase, fixture::PHRASE, "{size:?} {rows:#?}");
        if size.1 >= 16 {
            let shown: String = rows[field..]
                .iter()
                .filter_map(|row| row.get(2..))
                .collect();
            assert!(shown.starts_with(typed), "{size:?} {rows:#?}");
        }
    }
}

#[test]
fn everything_that_will_be_run_can_be_scrolled_to_before_answering() {
    for (risk, phrase) in [(Risk::Change, None), (Risk::Destroy, Some(fixture::PHRASE))] {
        let mut state = fixture::busy();
        let mut armed = fixture::armed("switch-dns", risk, phrase);
        armed.calls = (0..300)
            .map(|at| format!("route53 UPSERT name-{at}.example.com"))
            .collect();
        state.desk.overlay = Some(Overlay::Confirm(Confirm {
            armed,
            focus: Focus::Cancel,
            typed: String::new(),
            note: None,
            top: 0,
            drawn: true,
        }));
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..100 {
            let rows = dialog(&mut state, (80, 24));
            seen.extend(
                (0..300).filter(|at| rows.iter().any(|row| row.contains(&format!("name-{at}.")))),
            );
            let page = KeyEvent::new(KeyCode::PageDown, KeyModifiers::NONE);
            for intent in crate::input::resolve(&state, page) {
                state.decide(Event::Intent(intent, fixture::NOW));
            }
        }
        assert_eq!(seen.len(), 300);
        let overlay = &state.desk.overlay;
        assert!(matches!(overlay, Some(Overlay::Confirm(confirm)) if confirm.typed.is_empty()));
    }
}

#[test]
fn output_paused_with_hits() {
    let mut state = fixture::busy();
    state.desk.focus = Pane::Output;
    state.desk.pane_mut(Pane::Output).scroll = Scroll::Line(1100);
    let run = fixture::armed("install", Risk::Change, None).run;
    state.desk.search = Search {
        text: "ready".to_owned(),
        hit: Some((run, 1102)),
        missed: false,
    };
    screen("output_paused", &mut state, (120, 40));
    let buffer = draw(&mut state, (120, 40), &plain());
    insta::assert_snapshot!("output_paused_styles", styles(&buffer));
}

#[test]
fn output_that_outruns_the_screen_shows_what_is_held_and_says_that_it_lags() {
    let mut state = fixture::busy();
    state.desk.focus = Pane::Output;
    let run = fixture::armed("install", Risk::Change, None).run;
    let newest = state.outputs[&run].lines.last().expect("a line").clone();
    let grew = RunEvent::Grew {
        run,
        lines: 2_000_000,
    };
    state.decide(Event::Run(grew));
    let drawn = text(&draw(&mut state, (120, 40), &plain()));
    assert!(drawn.contains(&newest.text[..30]), "{drawn}");
    assert!(drawn.contains("following, 1,998,796 behind"), "{drawn}");
    assert!(!drawn.contains("Fetching"), "{drawn}");
}

#[test]
fn what_was_seen_before_everything_died_says_that_it_is_history() {
    let mut state = fixture::busy();
    let subjects = [
        Subject::Door(Door::Old),
        Subject::Door(Door::New),
        Subject::Door(Door::Public),
        Subject::Cluster(Side::Recovery),
    ];
    for subject in subjects {
        fixture::see(&mut state, subject, 0, Err(fixture::silent("it")));
    }
    for pane in [Pane::Web, Pane::Pods] {
        state.desk.focus = pane;
        state.desk.zoom = true;
        let drawn = text(&draw(&mut state, (120, 40), &plain()));
        let rows = drawn
            .lines()
            .filter(|row| row.contains("tcp ") || row.contains(" ready "));
        let mut rows = rows
            .filter(|row| !row.contains("recovery") && !row.contains(" state "))
            .peekable();
        assert!(rows.peek().is_some(), "{drawn}");
        for row in rows {
            assert!(row.contains("was "), "{row}");
            assert!(
                row.contains("<10s ago") || row.contains("0s ago") || row.contains("m ago"),
                "{row}"
            );
        }
        assert!(
            !drawn.contains("now ago") && !drawn.contains("stale now"),
            "{drawn}"
        );
    }
}

#[test]
fn where_a_copy_was_saved_can_be_read_to_the_end() {
    let path = "/home/operator/.local/state/relight/incidents/2026-11-23-teleport.example.com-1a2b/copy-row-1795442731000.txt";
    for (size, zoom) in [
        ((80, 24), false),
        ((80, 24), true),
        ((60, 16), false),
        ((120, 40), false),
    ] {
        let mut state = fixture::busy();
        state.desk.zoom = zoom;
        state.desk.notice = Some(Notice {
            text: format!("row: sent to the terminal, saved at {path}"),
            at: fixture::NOW,
            tone: Tone::Info,
        });
        let drawn = text(&draw(&mut state, size, &plain()));
        let rows: Vec<&str> = drawn.lines().map(str::trim).collect();
        assert!(rows.concat().contains(path), "{drawn}");
        if size == (80, 24) && !zoom {
            insta::assert_snapshot!("notice_80", drawn);
        }
    }
}

#[test]
fn a_copied_row_says_what_was_judged_and_how_old_it_is() {
    let mut state = fixture::busy();
    for pane in [Pane::Pods, Pane::Backups, Pane::Dns, Pane::Web] {
        let rows = state.rows(pane);
        let told: Vec<String> = rows.iter().map(|row| state.row_text(row)).collect();
        let name = format!("copied_{}", pane.name().to_lowercase().replace(' ', "_"));
        insta::assert_snapshot!(name, told.join("\n"));
        assert!(
            told.iter()
                .all(|text| text.contains("ago") || text.contains("never seen")),
            "{told:#?}"
        );
    }
    let evil = fixture::pod(
        "auth\u{1b}]52;c;aGk=\u{7}\u{202e}",
        Component::Auth,
        "Running",
        "",
    );
    let fact = Fact::Cluster(fixture::cluster("west", vec![evil]).into());
    fixture::see(&mut state, Subject::Cluster(Side::Recovery), 0, Ok(fact));
    for row in state.rows(Pane::Pods) {
        let told = state.row_text(&row);
        assert!(
            !told.chars().any(|c| c.is_control() || c == '\u{202e}'),
            "{told:?}"
        );
    }
}

#[test]
fn resolvers_with_like_addresses_are_told_apart_by_their_labels() {
    let labels = ["Corporate resolver", "Hotel resolver", "Shared", "Shared"];
    let resolvers = labels.iter().enumerate().map(|(at, label)| ResolverPlan {
        label: (*label).to_owned(),
        address: ([127, 126, 178, 10 + u8::try_from(at).unwrap_or(0)], 53).into(),
    });
    let mut state = fixture::busy();
    let mut plan = (*state.plan).clone();
    plan.dns.resolvers = resolvers.collect();
    plan.dns.names.truncate(1);
    state.plan = std::sync::Arc::new(plan);
    state.desk.focus = Pane::Dns;
    let drawn = text(&draw(&mut state, (120, 40), &plain()));
    for shown in ["Corporate resolver", "Hotel resolver", "178.12", "178.13"] {
        assert!(drawn.contains(shown), "{shown}: {drawn}");
    }
    // The line below the panes is of the selected row.
    assert!(
        drawn.contains("127.126.178.10 Corporate resolver"),
        "{drawn}"
    );
}

#[test]
fn what_stops_the_operator_is_said_first() {
    let mut state = fixture::busy();
    state.disk = Some("no space left on device (/var/lib/relight)".to_owned());
    state.desk.notice = Some(Notice {
        text: "not recorded, and so not done: no space left on device".to_owned(),
        at: fixture::NOW,
        tone: Tone::Warn,
    });
    screen("disk_full_80", &mut state, (80, 24));
    let mut state = fixture::busy();
    state.access = Access::ReadOnly("bob holds the incident on bastion-2".to_owned());
    screen("read_only_120", &mut state, (120, 40));
}

#[test]
fn a_failed_step_is_named_in_the_title() {
    let mut state = fixture::busy();
    let install = fixture::armed("install", Risk::Change, None);
    let why = "the release is failed in the recovery cluster: helm said timed out";
    fixture::end(&mut state, &install, 1, crate::incident::Verdict::Fail, why);
    screen("step_failed_120", &mut state, (120, 40));
}

#[test]
fn each_theme_and_depth_has_its_styles() {
    for name in theme::names() {
        let theme = Theme::by_name(name, Depth::Ansi16).expect(name);
        let buffer = draw(&mut fixture::busy(), (120, 40), &Look::new(theme, false));
        insta::assert_snapshot!(format!("styles_{name}"), styles(&buffer));
    }
}

#[test]
fn without_colour_no_cell_has_one_and_the_words_are_the_same() {
    let coloured = draw(&mut fixture::busy(), (120, 40), &plain());
    for name in theme::names() {
        let theme = Theme::by_name(name, Depth::None).expect(name);
        let buffer = draw(&mut fixture::busy(), (120, 40), &Look::new(theme, false));
        for cell in &buffer.content {
            assert_eq!(cell.fg, ratatui::style::Color::Reset);
            assert_eq!(cell.bg, ratatui::style::Color::Reset);
        }
        assert_eq!(text(&buffer), text(&coloured));
    }
}

#[test]
fn in_ascii_everything_is_ascii_and_stands_where_it_stood() {
    let look = Look {
        ascii: true,
        ..plain()
    };
    let states: [fn() -> State; 3] = [fixture::busy, fixture::empty, fixture::all_failed];
    for make in states {
        let buffer = draw(&mut make(), (120, 40), &look);
        let drawn = text(&buffer);
        assert!(drawn.is_ascii(), "{drawn}");
        let rich = text(&draw(&mut make(), (120, 40), &plain()));
        // Every sign of ours has a stand-in of its own.
        let questions = |text: &str| text.matches('?').count();
        assert_eq!(questions(&drawn), questions(&rich), "{drawn}");
    }
    let buffer = draw(&mut fixture::busy(), (120, 40), &look);
    insta::assert_snapshot!("ascii_120x40", text(&buffer));
}

#[test]
fn an_unknown_run_is_no_reason_to_stop() {
    let mut state = fixture::busy();
    state.desk.output_run = RunId::parse("no-such-run");
    draw(&mut state, (80, 24), &plain());
}

#[test]
fn an_override_is_told_on_the_row_in_the_dialog_and_in_the_detail() {
    let mut state = fixture::busy();
    let waiver = Waiver {
        waived: vec![Waived {
            condition: "recovery-account".to_owned(),
            sentence: "STS in us-west-2 gave no answer in 3s".to_owned(),
        }],
        reason: "STS is down everywhere".to_owned(),
    };
    let mut armed = fixture::armed("install", Risk::Change, None);
    armed.run = RunId::new(&step("install"), 2, fixture::ago(60));
    armed.attempt = 2;
    armed.waiver = Some(waiver);
    fixture::start(&mut state, &armed, 50);
    state.desk.pane_mut(Pane::Runbook).selected = Some(RowKey::Step(step("install")));
    for (size, row) in [
        ((200, 50), "override running 0:50"),
        ((80, 24), "override running"),
    ] {
        let screen = text(&draw(&mut state, size, &plain()));
        assert!(screen.contains(row), "{screen}");
    }
    state.desk.overlay = Some(Overlay::Detail(step("install"), 14));
    screen("overridden_detail_120", &mut state, (120, 40));
    state.desk.overlay = Some(Overlay::Confirm(Confirm {
        armed,
        focus: Focus::Cancel,
        typed: String::new(),
        note: None,
        top: 0,
        drawn: true,
    }));
    screen("overridden_confirm_80", &mut state, (80, 24));
}

/// The declaration that the old cluster cannot be reached, as it is armed.
fn declaration() -> ArmedStep {
    let mut armed = fixture::armed("stop-old-cluster", Risk::Change, None);
    armed.calls = vec!["Declare that the old cluster in us-east-1 cannot be reached: nobody can stop it, nobody can see whether it runs. Note what was tried, and who was asked.".to_owned()];
    armed.observes = Vec::new();
    armed.way = Way::Ungraceful;
    armed.because =
        "the primary's Kubernetes API: no answer: The Kubernetes API of east gave no answer in 3s"
            .to_owned();
    armed.by_hand = true;
    armed.evidence = Evidence::Unreachable;
    armed
}

#[test]
fn what_a_person_does_asks_for_a_note_and_is_shown_as_told() {
    let mut state = fixture::busy();
    state.desk.overlay = Some(Overlay::Confirm(Confirm {
        armed: declaration(),
        focus: Focus::Cancel,
        typed: String::new(),
        note: Some("AWS status page and support say the region is out".to_owned()),
        top: 0,
        drawn: true,
    }));
    screen("by_hand_80", &mut state, (80, 24));
    state.desk.overlay = None;
    let mut armed = declaration();
    armed.run = RunId::new(&step("stop-old-cluster"), 2, fixture::ago(20));
    fixture::start(&mut state, &armed, 10);
    let run = armed.run.clone();
    let entry = Entry::Exited {
        run,
        of: 0,
        code: Some(0),
        how: "AWS says the region is out".to_owned(),
    };
    fixture::record(&mut state, fixture::ago(9), entry);
    state.desk.pane_mut(Pane::Runbook).selected = Some(RowKey::Step(step("stop-old-cluster")));
    screen("unreachable_80", &mut state, (80, 24));
}

/// A runbook with a way back and two runs side by side.
fn aside() -> State {
    let mut state = fixture::busy();
    let mut runbook = state.runbook.as_ref().clone();
    runbook.steps[2].optional = true;
    state.runbook = Arc::new(runbook);
    let mut second = fixture::armed("wait-for-pods", Risk::Look, None);
    second.run = RunId::new(&step("wait-for-pods"), 1, fixture::ago(12));
    fixture::start(&mut state, &second, 10);
    state
}

#[test]
fn the_way_back_stands_apart_and_runs_side_by_side_are_counted() {
    screen("aside_80", &mut aside(), (80, 24));
    screen("aside_200", &mut aside(), (200, 50));
    let mut state = aside();
    state.desk.pane_mut(Pane::Runbook).selected = Some(RowKey::Step(step("revert-dns")));
    let drawn = text(&draw(&mut state, (80, 24), &plain()));
    assert!(drawn.contains("── way back ──"), "{drawn}");
    let row = drawn.lines().find(|line| line.contains("Revert DNS"));
    assert!(row.is_some_and(|row| row.contains('▸')), "{drawn}");
}

/// The first row of a state in which earlier incidents took so many seconds for each step.
fn clocks(width: u16, earlier: &[u64], outage: u64) -> String {
    let mut state = fixture::busy();
    let mut history = History::default();
    for secs in earlier {
        let steps = state.runbook.steps.iter();
        history.add(steps.map(|step| (step.id.clone(), Duration::from_secs(*secs))));
    }
    state.decide(Event::History(history));
    let began = fixture::ago(outage);
    fixture::record(&mut state, fixture::NOW, Entry::Outage { began });
    let screen = text(&draw(&mut state, (width, 40), &plain()));
    screen.lines().next().expect("a first row").to_owned()
}

#[test]
fn that_the_objective_will_be_missed_is_said_before_it_is() {
    // Every step took as long, and those that are left wait for each other: what is left is a multiple of it.
    let cases = [
        (200, &[60, 120][..], 1200, "RTO 40m left of 1h00m · ~"),
        (200, &[60, 120][..], 1200, "to go (p90 "),
        (200, &[2000][..], 1200, "RTO will be missed by "),
        (80, &[2000][..], 1200, "RTO miss "),
        (200, &[60][..], 4000, "RTO missed by 6m40s"),
        // By the guide alone: an hour from the first step on.
        (200, &[][..], 1200, "to go (guide)"),
    ];
    for (width, earlier, outage, part) in cases {
        let row = clocks(width, earlier, outage);
        assert!(row.contains(part), "{part:?} is not in {row:?}");
    }
}
