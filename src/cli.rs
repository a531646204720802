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
    /// How --once prints.
    #[arg(long, value_enum, default_value_t = Format::Text, global = true)]
    pub format: Format,
    /// Colours: a name from `themes/`.
    #[arg(long, value_name = "NAME", global = true)]
    pub theme: Option<String>,
    /// Draw with ASCII characters only; by itself where the terminal or the locale has no others.
    #[arg(long, global = true)]
    pub ascii: bool,
}

/// How `--once` prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs; the schema is `assets/once.schema.json`.
    Json,
    /// For the incident channel.
    Markdown,
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
    /// Run a step's own code; the runner calls this.
    #[command(hide = true)]
    Step {
        /// What about it.
        #[command(subcommand)]
        command: StepCommand,
    },
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum PracticeCommand {
    /// Run its servers in the foreground, without a cockpit.
    Serve,
    /// Stop its servers.
    Stop,
    /// List the scenarios.
    List,
}

/// The plan.
#[derive(Debug, Subcommand)]
pub enum PlanCommand {
    /// Validate it and print what would be watched and what is missing.
    Check,
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

/// A step's own code.
#[derive(Debug, Subcommand)]
pub enum StepCommand {
    /// Run it.
    Exec(Exec),
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
