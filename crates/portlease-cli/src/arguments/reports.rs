//! The commands that report, and those that carry the registry elsewhere.

#![expect(
    clippy::doc_markdown,
    reason = "these comments are the help, and a terminal shows no markdown"
)]

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use clap_complete::Shell;
use portlease::UrlPath;
use portlease::core::{Name, PortRange};

/// Tell who is on the ports of a range, and to whom they are leased
///
/// No port is touched.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portlease scan
  portlease scan 3000-3100
  portlease scan 3000-3100 8080 --json")]
pub(crate) struct Scan {
    /// A range such as 3000-3100, or one port [default: those of all known frameworks]
    #[arg(value_name = "RANGE")]
    pub(crate) ranges: Vec<PortRange>,
    /// Print an object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Ask servers whether they are well
///
/// A server is well when it accepts connections on 127.0.0.1 or ::1 and, with --http, answers with a status below 400. The exit
/// code is 4 when one is not.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  portlease health
  portlease health web 5432
  portlease health web --http /api/health --timeout 2
  portlease health --watch")]
pub(crate) struct Health {
    /// A leased service or a port [default: all leases]
    #[arg(value_name = "SERVICE|PORT")]
    pub(crate) targets: Vec<String>,
    /// Only services of this project
    #[arg(long, value_name = "NAME")]
    pub(crate) project: Option<Name>,
    /// Request this path, too
    #[arg(long, value_name = "PATH")]
    pub(crate) http: Option<UrlPath>,
    /// How long an answer may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// Ask again and again, at this interval, and tell what changes [default: 2]
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2", value_parser = seconds)]
    pub(crate) watch: Option<Duration>,
    /// Print objects; with --watch one a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// Tell how the ports are used
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portlease stats
  portlease stats 3000-3100 --top 3
  portlease stats --all-hosts
  portlease stats --json")]
pub(crate) struct Stats {
    /// A range such as 3000-3100 [default: those of all known frameworks]
    #[arg(value_name = "RANGE")]
    pub(crate) ranges: Vec<PortRange>,
    /// How many of the busiest and of the least used ports to name
    #[arg(long, value_name = "COUNT", default_value_t = 5)]
    pub(crate) top: u32,
    /// What was counted on each of the hosts that share the registry
    #[arg(long)]
    pub(crate) all_hosts: bool,
    /// Print an object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Tell which leases are true
///
/// A lease is live when its server listens, idle when nobody does, stale when its owner is gone, and hijacked when somebody else
/// listens. The exit code is 4 when one is stale or hijacked.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portlease validate
  portlease validate --project shop --json")]
pub(crate) struct Validate {
    /// Only the leases of this project
    #[arg(long, value_name = "NAME")]
    pub(crate) project: Option<Name>,
    /// Print the leases as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Write the registry as JSON
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portlease export backup.json
  portlease export | jq .hosts
  portlease export --snapshot | curl --json @- https://plan.example.com/hosts")]
pub(crate) struct Export {
    /// The file, or - for the standard output
    #[arg(default_value = "-", value_hint = clap::ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// Write instead what a planner elsewhere has to know of this host: leases, ports in use, and settings
    #[arg(long)]
    pub(crate) snapshot: bool,
}

/// Add what was exported to the registry
///
/// All of it or nothing. A lease conflicts when another one has its port or its name. The exit code is 3 when --on-conflict=refuse
/// met a conflict.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portlease import backup.json
  portlease import --on-conflict replace < backup.json")]
pub(crate) struct Import {
    /// The file, or - for the standard input
    #[arg(default_value = "-", value_hint = clap::ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// What to do about a lease that conflicts
    #[arg(long, value_enum, default_value_t)]
    pub(crate) on_conflict: OnConflict,
    /// Print an object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnConflict {
    /// The lease that is there stays
    #[default]
    Keep,
    /// The imported lease takes its place
    Replace,
    /// Nothing is imported
    Refuse,
}

/// Look for what is wrong with this machine, and say how to mend it
///
/// The exit code is 1 when there is a problem; warnings leave it 0.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portlease doctor
  portlease doctor --json")]
pub(crate) struct Doctor {
    /// Print the findings as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Print a script that completes the commands in a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  source <(portlease completions bash)
  portlease completions zsh > ~/.zfunc/_portlease
  portlease completions fish > ~/.config/fish/completions/portlease.fish
  portlease completions powershell | Out-String | Invoke-Expression")]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: Shell,
}

/// A time as people write it: 2 or 0.5.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok();
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|time| !time.is_zero())
        .ok_or_else(|| "write a number of seconds above 0, such as 2 or 0.5".to_owned())
}
