//! The command line: clap types, nothing else.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Takes a self-hosted Teleport cluster on Amazon EKS through a regional outage.
///
/// Without a subcommand it opens the full-screen cockpit on the plan: live panes for pods, backups, DNS and
/// /webapi/ping, and the runbook beside them. Try it first: `relight practice` opens it on a simulated pair of regions
/// on loopback; nothing real is touched.
#[derive(Debug, Parser)]
#[command(version, about, long_about, args_conflicts_with_subcommands = false)]
pub struct Cli {
    /// What to do; the cockpit unless said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How the cockpit is opened.
    #[command(flatten)]
    pub open: Open,
}

/// How the cockpit is opened.
#[derive(Clone, Debug, Args)]
pub struct Open {
    /// The plan: what is to be recovered, from where, to where.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "relight.toml",
        global = true
    )]
    pub plan: PathBuf,
    /// Where incidents are kept; `$XDG_STATE_HOME/relight` or `~/.local/state/relight` unless said.
    #[arg(long, value_name = "DIR", global = true)]
    pub state_dir: Option<PathBuf>,
    /// Take away the keys of every step above `look`.
    #[arg(long, global = true)]
    pub read_only: bool,
    /// Look once, print what is seen, and leave: 0 all well, 1 something is down or degraded, 2 something
    /// is unknown.
    #[arg(long, global = true)]
    pub once: bool,
    /// How --once, `check`, `step`, `report` and `watch` print.
    #[arg(long, value_enum, default_value_t = Format::Text, global = true)]
    pub format: Format,
    /// Colours: a name from `themes/`.
    #[arg(long, value_name = "NAME", global = true)]
    pub theme: Option<String>,
    /// Draw with ASCII characters only; by itself where the terminal or the locale has no others.
    #[arg(long, global = true)]
    pub ascii: bool,
}

/// How `--once`, `check`, `step` and `report` print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs; the schemas are `assets/once.schema.json`, `assets/check.schema.json` and `assets/step.schema.json`.
    Json,
    /// For the incident channel; not of `step`.
    Markdown,
    /// One file that needs no other; of `report` alone.
    Html,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Open the cockpit on a simulated pair of regions on loopback.
    #[cfg(feature = "practice")]
    Practice(Practice),
    /// Write a commented plan to fill in.
    Init {
        /// Where to; never over a file that is there.
        #[arg(default_value = "relight.toml")]
        path: PathBuf,
    },
    /// Look after the plan.
    Plan {
        /// What about it.
        #[command(subcommand)]
        command: PlanCommand,
    },
    /// Keep what the cluster is like now, for the day on which its region can no longer tell.
    BlackBox {
        /// What about it.
        #[command(subcommand)]
        command: BlackBoxCommand,
    },
    /// Whether everything is ready for the day: every precondition of the runbook and every piece of the guide's advice, with no
    /// incident open. Fit for cron.
    #[command(after_help = CHECK_CODES)]
    Check(Check),
    /// Declare an exercise on the real regions; without a word more it says what that would be.
    #[command(after_help = DRILL_CODES)]
    Drill {
        /// Which kind.
        #[command(subcommand)]
        command: Option<DrillCommand>,
    },
    /// The runbook from scripts: list the steps, look at one, run one with the guards of the cockpit.
    Step {
        /// What about them.
        #[command(subcommand)]
        command: StepCommand,
    },
    /// Tell an incident afterwards, or hand it over: timeline, durations, verdicts, decisions, objectives, curves.
    #[command(after_help = REPORT_CODES)]
    Report(Report),
    /// Put an incident into one archive with checksums: journal, outputs, reports, plan and track, without secrets.
    #[command(after_help = REPORT_CODES)]
    Export(Export),
    /// Take an incident to another disk, with its chain: to the folder that --state-dir names. Nobody goes on at the old place.
    Move {
        /// The incident's folder.
        folder: PathBuf,
    },
    /// List the incidents that are kept, newest first.
    #[command(after_help = REPORT_CODES)]
    Incidents(Incidents),
    /// Play an incident in the cockpit, read-only, by its own clock.
    #[command(after_help = REPORT_CODES)]
    Replay(Replay),
    /// Go on looking after an incident, without a screen: whether an old cluster that nobody could stop comes back.
    #[command(after_help = WATCH_CODES)]
    Watch(Watch),
    /// Print a token for an EKS cluster, as the exec plugin of a kubeconfig: signed here, nobody is asked.
    ///
    /// Relight does this by itself where a kubeconfig names `aws eks get-token`. For kubectl and Helm without the aws CLI:
    /// `command: relight` with `args: [eks-token, --cluster, NAME, --region, REGION]`.
    EksToken(EksToken),
    /// Stand between a run and the terminal; the cockpit starts this.
    #[command(hide = true)]
    Runner {
        /// The run's folder.
        folder: PathBuf,
    },
}

/// The practice region.
#[cfg(feature = "practice")]
#[derive(Debug, Args)]
pub struct Practice {
    /// What has happened: a name from `assets/scenarios/`.
    #[arg(long, value_name = "NAME", default_value = crate::practice::world::Scenario::DEFAULT, global = true)]
    pub scenario: String,
    /// Where the practice keeps its plan, keys and incidents; a folder in the system's temporary one unless said.
    #[arg(long, value_name = "DIR", global = true)]
    pub dir: Option<PathBuf>,
    /// What to do with it; open the cockpit unless said.
    #[command(subcommand)]
    pub command: Option<PracticeCommand>,
}

/// What to do with the practice region.
#[cfg(feature = "practice")]
#[derive(Debug, Subcommand)]
pub enum PracticeCommand {
    /// Run its servers in the foreground, without a cockpit.
    Serve,
    /// Stop its servers.
    Stop,
    /// Let the primary come back with everything that ran there, whatever the scenario says.
    Heal,
    /// List the scenarios.
    List,
    /// Whether everything is ready in the practice region; starts its servers if they do not run.
    #[command(after_help = CHECK_CODES)]
    Check(Check),
    /// Tell a practice of this folder afterwards; the newest unless named.
    #[command(after_help = REPORT_CODES)]
    Report(Report),
    /// Put a practice of this folder into one archive with checksums.
    #[command(after_help = REPORT_CODES)]
    Export(Export),
    /// List the practices of the region that this folder had last.
    #[command(after_help = REPORT_CODES)]
    Incidents(Incidents),
    /// Play a practice of this folder in the cockpit.
    #[command(after_help = REPORT_CODES)]
    Replay(Replay),
    /// Go on looking after a practice.
    #[command(after_help = WATCH_CODES)]
    Watch(Watch),
    /// The runbook of the practice from scripts; starts its servers if they do not run.
    Step {
        /// What about the steps.
        #[command(subcommand)]
        command: StepCommand,
    },
}

/// The plan.
#[derive(Debug, Subcommand)]
pub enum PlanCommand {
    /// Validate it and print what would be watched and what is missing.
    Check,
    /// Write down how to fail back, in order, and why the names are not simply pointed back. Looks once, changes nothing: 0
    /// nothing diverged, 1 the tables diverged, 2 it cannot be told.
    Failback {
        /// Write it to a file of this user alone instead; never over one that is there.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Write the plan for it as well, with the two regions in each other's place; never over a file that is there.
        #[arg(long, value_name = "FILE")]
        write_plan: Option<PathBuf>,
    },
}

/// The black box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum BlackBoxCommand {
    /// Record one beside the incidents, with no incident open: fit for cron. 0 all of it was seen, 1 part of it was not
    /// (and is of an earlier box, or missing), 2 nothing was recorded.
    Record,
    /// Print the one that counts, without the Helm values: the open incident's, else the newest one kept. 0 there is one,
    /// 2 there is none.
    Show,
}

/// What the exit code of `relight check` says.
const CHECK_CODES: &str = "\
Exit codes:
  0   everything that is looked at is ready
  1   something is not: it says what, and what to do
  2   nothing is known not to be ready, and of something there is no telling
  64  a wrong command line or plan
  70  a defect of relight

What is not looked at is named at the end; it counts neither as ready nor for the exit code.";

/// Readiness.
#[derive(Clone, Copy, Debug, Args)]
pub struct Check {
    /// Keep no black box. Unless said, one is kept beside the incidents as `relight black-box record` does, the newest 30
    /// of them; never while an incident is open, whose own counts.
    #[arg(long)]
    pub no_black_box: bool,
}

/// What the exit code of `relight drill` says.
const DRILL_CODES: &str = "\
Exit codes:
  0   told what it would be, declared, or open already
  3   refused: nothing was declared
  64  a wrong command line or plan";

/// An exercise.
#[derive(Debug, Subcommand)]
pub enum DrillCommand {
    /// The guide's stop-and-redeploy test: the whole runbook on the real regions, the old cluster stopped and the names
    /// switched. Declaring it changes nothing in the world; each step asks as on the day.
    #[command(after_help = DRILL_CODES)]
    Full {
        /// The phrase `drill CLUSTER`, without which nothing is declared.
        #[arg(long, value_name = "PHRASE")]
        yes: Option<String>,
    },
    /// Beside all that is real: restored tables, a release and a namespace of its own in the recovery region, taken down
    /// afterwards. The old cluster and the names are left alone, and every step that would touch them is locked.
    #[command(after_help = DRILL_CODES)]
    Isolated {
        /// The phrase `drill CLUSTER`; without it this says what would be made, and declares nothing.
        #[arg(long, value_name = "PHRASE")]
        yes: Option<String>,
    },
}

/// What the exit code of `relight report`, `incidents` and `replay` says.
const REPORT_CODES: &str = "\
Exit codes:
  0   told, or played
  1   told, and a journal in it is not as it was written, or a folder is broken: it says which
  2   there is no such incident, or it cannot be read
  64  a wrong command line";

/// An incident, told.
#[derive(Debug, Args)]
pub struct Report {
    /// The incident: its name, the beginning of it, or the path of its folder; the newest unless said.
    pub incident: Option<String>,
    /// A hand-over instead: done, running, next and risks, in at most 25 lines.
    #[arg(long)]
    pub brief: bool,
    /// Write it to a file of this user alone instead; never over one that is there.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// An incident, packed.
#[derive(Debug, Args)]
pub struct Export {
    /// The incident: its name, the beginning of it, or the path of its folder; the newest unless said.
    pub incident: Option<String>,
    /// The archive, for this user alone; never over one that is there. `relight-NAME.tar.gz` here unless said.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// The incidents, listed.
#[derive(Clone, Copy, Debug, Args)]
pub struct Incidents {
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// An incident, played.
#[derive(Debug, Args)]
pub struct Replay {
    /// The incident: its name, the beginning of it, or the path of its folder; the newest unless said.
    pub incident: Option<String>,
    /// How many of its seconds go by in one.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub speed: u32,
}

/// What the exit code of `relight watch` says.
const WATCH_CODES: &str = "\
Exit codes, when it is asked to leave (HUP, INT, TERM), or by --for or --until-alarm:
  0   there was no alarm, and the old cluster was seen to be stopped
  1   there was an alarm
  2   there was none, and nobody could tell whether the old cluster runs; or there is no such incident
  64  a wrong command line or plan

It takes no lock and writes nothing: it runs beside a cockpit, and outlives the incident.";

/// A watch.
#[derive(Debug, Args)]
pub struct Watch {
    /// The incident: its name, the beginning of it, or the path of its folder; the plan's newest unless said.
    pub incident: Option<String>,
    /// Leave after so many seconds; unless said, when asked to.
    #[arg(long = "for", value_name = "SECONDS")]
    pub within: Option<u64>,
    /// Leave at the first alarm.
    #[arg(long)]
    pub until_alarm: bool,
}

/// What the exit code of `relight step` says.
const STEP_CODES: &str = "\
Exit codes:
  0   PASS; of --dry-run, skip, and a step of which nothing is observed: done; of list and show: told
  1   FAIL: seen not to have worked; of --dry-run, and a step of which nothing is observed: a command failed
  2   UNKNOWN: there was no telling whether it worked
  3   locked or refused: nothing was started
  4   asked to leave by a signal (HUP, INT, TERM); what was started goes on
  64  a wrong command line or plan
  70  a defect of relight

A run is a process of its own and outlives this one. `relight step wait ID` comes back to it, `relight` opens
the cockpit on it.";

/// The steps of the runbook.
#[derive(Debug, Subcommand)]
pub enum StepCommand {
    /// List the steps: number, id, risk, where each stands, and why it is locked.
    #[command(after_help = STEP_CODES)]
    List,
    /// All that is known of a step: what it would do, its conditions with what the instruments say now, its phrase, its
    /// attempts.
    #[command(after_help = STEP_CODES)]
    Show {
        /// The step's id, as `step list` has it.
        id: String,
    },
    /// Run a step, stream its output and wait for its verdict.
    ///
    /// The same guards stand before it as in the cockpit: it takes the incident's lock, looks at the world, is refused
    /// while the step is locked, and turns green only when the instruments agree. With --format json it prints one event
    /// a line, as `assets/step.schema.json` describes them.
    #[command(after_help = STEP_CODES)]
    Run(RunStep),
    /// Come back to the newest run of a step: print its output from the beginning and wait for its verdict.
    #[command(after_help = STEP_CODES)]
    Wait {
        /// The step's id.
        id: String,
    },
    /// Ask the run of a step to stop (TERM; asked again, it is killed), and wait for its verdict.
    #[command(after_help = STEP_CODES)]
    Cancel {
        /// The step's id.
        id: String,
    },
    /// Pass a step over.
    #[command(after_help = STEP_CODES)]
    Skip {
        /// The step's id.
        id: String,
        /// Why: it stands in the journal and in the report. Only an optional step may do without.
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
    },
    /// Run a native step's own code; the runner calls this.
    #[command(hide = true)]
    Exec(Exec),
}

/// A step to run.
#[derive(Debug, Args)]
pub struct RunStep {
    /// The step's id, as `step list` has it.
    #[arg(required_unless_present = "all")]
    pub id: Option<String>,
    /// Every step, in order; with --dry-run only.
    #[arg(long, requires = "dry_run", conflicts_with = "id")]
    pub all: bool,
    /// The answer to the step's dialog. A `change` step wants --yes alone, a `destroy` step its exact phrase.
    #[arg(long, value_name = "PHRASE", num_args = 0..=1, default_missing_value = "", conflicts_with = "dry_run")]
    pub yes: Option<String>,
    /// What was done, of a step that a person does by hand: it stands in the journal and in the report.
    #[arg(long, value_name = "TEXT", conflicts_with = "dry_run")]
    pub note: Option<String>,
    /// Which way it goes, for a step that goes otherwise where the primary gives no answer; as the instruments say unless
    /// said.
    #[arg(long, value_enum, conflicts_with = "dry_run")]
    pub way: Option<Way>,
    /// Run it although preconditions are UNKNOWN, by the phrase `override ID`. A FAIL is never overridden.
    #[arg(
        long = "override",
        value_name = "PHRASE",
        requires = "reason",
        conflicts_with = "dry_run"
    )]
    pub through: Option<String>,
    /// Why it is overridden: it stands in the journal and in the report.
    #[arg(long, value_name = "TEXT", requires = "through")]
    pub reason: Option<String>,
    /// Say what would be done and change nothing. While no incident is open, none is declared.
    #[arg(long)]
    pub dry_run: bool,
    /// Wait at most so long for a locked step to become ready; unless said, until everything has been looked at once.
    #[arg(long, value_name = "SECONDS", conflicts_with = "dry_run")]
    pub wait: Option<u64>,
}

/// For which cluster a token is, and as whom.
#[derive(Debug, Args)]
pub struct EksToken {
    /// Name of the cluster.
    #[arg(long, value_name = "NAME")]
    pub cluster: String,
    /// The region that it is in.
    #[arg(long, value_name = "REGION")]
    pub region: String,
    /// Profile of the credentials; the standard chain unless said.
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// A role to assume first.
    #[arg(long, value_name = "ARN")]
    pub role: Option<String>,
}

/// A confirmed run of a native step.
#[derive(Debug, Args)]
pub struct Exec {
    /// Its name.
    pub name: String,
    /// The run it is.
    #[arg(long)]
    pub run: String,
    /// The incident's folder, where the run was confirmed.
    #[arg(long, value_name = "DIR")]
    pub incident: PathBuf,
    /// Say what would be done and change nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// Graceful or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Way {
    /// The primary answers, and is asked.
    Graceful,
    /// The primary does not answer, and is not waited for.
    Ungraceful,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_exit_code_of_a_step_is_told() {
        use crate::cockpit::End;

        for end in [End::Pass, End::Fail, End::Unknown, End::Refused, End::Left] {
            let code = format!("\n  {} ", end.code());
            assert!(STEP_CODES.contains(&code), "{end:?}");
        }
    }

    #[test]
    fn a_real_run_of_everything_is_no_command() {
        for args in [
            &["relight", "step", "run", "--all"][..],
            &["relight", "step", "run"],
            &["relight", "step", "run", "install", "--all", "--dry-run"],
            &["relight", "step", "run", "install", "--yes", "--dry-run"],
        ] {
            assert!(Cli::try_parse_from(args).is_err(), "{args:?}");
        }
        Cli::try_parse_from(["relight", "step", "run", "--all", "--dry-run"]).expect("a command");
    }
}
