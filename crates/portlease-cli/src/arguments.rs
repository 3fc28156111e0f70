//! The command line: commands, flags and their help.

#![expect(
    clippy::doc_markdown,
    reason = "these comments are the help, and a terminal shows no markdown"
)]

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use portlease::core::{Host, Name, Port, PortRange};

use crate::background::logs::Logs;
use crate::background::restart::Restart;
use crate::background::start::Start;
use crate::background::status::Status;
use crate::background::stop::Stop;
use crate::exit;

mod fleet;
mod reports;
mod serve;

pub(crate) use fleet::{Hosts, Runner};
pub(crate) use reports::{
    Completions, Doctor, Export, Health, Import, OnConflict, Scan, Stats, Validate,
};

pub(crate) use serve::Serve;

/// A port of its own for every dev server, service and container
///
/// Portlease leases ports in a registry that all processes share, holds them until the server listens, and gives every
/// project the same port again tomorrow.
#[derive(Debug, Parser)]
#[command(name = "portlease", version, propagate_version = true, after_long_help = exit::HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) task: Option<Task>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Run a dev server on a port of its own
    Run(Run),
    /// Run a dev server in the background
    Start(Start),
    /// Stop a dev server in the background
    Stop(Stop),
    /// Stop a dev server in the background and start it again
    Restart(Restart),
    /// Print what a dev server in the background said
    Logs(Logs),
    /// List the dev servers in the background
    Status(Status),
    /// Print the port of a service, leasing one when it has none
    Get(Get),
    /// Give leased ports back
    Release(Release),
    /// List the leases
    Ports(Ports),
    /// Tell who is on a port, and to whom it is leased
    Who(Who),
    /// Tell which port a service would get, and why
    #[command(visible_alias = "plan")]
    Explain(Explain),
    /// Remove leases whose owners are gone
    Cleanup(Cleanup),
    /// Show, check and describe the configuration
    Config(Config),
    /// Tell who is on the ports of a range, and to whom they are leased
    Scan(Scan),
    /// Ask servers whether they are well
    Health(Health),
    /// Tell how the ports are used
    Stats(Stats),
    /// Tell which leases are true
    Validate(Validate),
    /// Serve the HTTP API, live events, metrics and a page that shows all ports
    Serve(Serve),
    /// Write the registry as JSON
    Export(Export),
    /// Add what was exported to the registry
    Import(Import),
    /// Answer for this host in a fleet
    Runner(Runner),
    /// List the hosts that share the registry
    Hosts(Hosts),
    /// Look for what is wrong with this machine, and say how to mend it
    Doctor(Doctor),
    /// Print a script that completes the commands in a shell
    Completions(Completions),
}

/// The project that a command is about.
#[derive(Debug, Clone, Default, Args)]
#[expect(
    clippy::struct_field_names,
    reason = "a flag has the name of its field"
)]
pub(crate) struct Project {
    /// The name of the project [default: the path of its root folder]
    #[arg(long, value_name = "NAME")]
    pub(crate) project: Option<String>,
    /// The folder of the project [default: the current one]
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::DirPath)]
    pub(crate) dir: Option<PathBuf>,
    /// The environment whose part of the configuration holds, such as production
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
}

/// Which port is wanted.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Wish {
    /// The framework, when it is not the one that the command or the folder shows
    #[arg(long, value_name = "NAME")]
    pub(crate) framework: Option<String>,
    /// This port and no other
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<Port>,
    /// A port to try first; may be repeated
    #[arg(long, value_name = "PORT")]
    pub(crate) prefer: Vec<Port>,
    /// The range, such as 4000-4100, in place of the framework's
    #[arg(long, value_name = "FIRST-LAST")]
    pub(crate) range: Option<PortRange>,
    /// A port that is not to be used; may be repeated
    #[arg(long, value_name = "PORT")]
    pub(crate) exclude: Vec<Port>,
    /// Give up the current port and take another
    #[arg(long)]
    pub(crate) force_new: bool,
    /// Stop and remove containers on the port that are labelled as this project's own
    #[arg(long)]
    pub(crate) reclaim: bool,
}

/// What happens when another process runs the same services of the project.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct IfRunning {
    /// If the project runs already, print its URL and end
    #[arg(long, conflicts_with = "takeover")]
    pub(crate) attach: bool,
    /// If the project runs already, end it and take its place
    #[arg(long)]
    pub(crate) takeover: bool,
}

/// Run a dev server on a port of its own
///
/// The port is leased, held in the kernel until the server listens, and told to the command: by the variable PORT, by the
/// flag of its framework, and wherever an argument says {port}. The command is not changed in any other way: terminal,
/// signals and exit code pass through. When it has ended, so does everything that it started.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portlease run -- npm run dev
  portlease run --service web --service api=API_PORT -- npm run dev
  portlease run -- python3 -m http.server {port}
  portlease run -- docker run --rm -p {port}:80 nginx")]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) project: Project,
    #[command(flatten)]
    pub(crate) wish: Wish,
    /// A service of the command, and the variable that names its port [default: those of the configuration, or web=PORT]
    ///
    /// May be repeated. The first is the one that the command serves; without a variable it is PORT, for the others it is made
    /// from the name: API_PORT for api.
    #[arg(long, value_name = "NAME[=VARIABLE]")]
    pub(crate) service: Vec<String>,
    #[command(flatten)]
    pub(crate) if_running: IfRunning,
    /// Add no flags to the command
    #[arg(long)]
    pub(crate) no_flags: bool,
    /// How long the server may take to listen, in seconds [default: 120]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) timeout: Option<u32>,
    /// How often another port is tried after a stranger took the leased one [default: 10]
    #[arg(long, value_name = "TIMES")]
    pub(crate) retries: Option<u16>,
    /// How long the command may take to end before it is killed, in seconds [default: 10]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) grace: Option<u32>,
    /// Keep a record of this run in the folder
    #[arg(long, hide = true, value_name = "PATH")]
    pub(crate) background: Option<PathBuf>,
    /// Print which port each service got, and in which way
    #[arg(long)]
    pub(crate) summary: bool,
    /// Print only what the command prints, and what goes wrong
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_hint = clap::ValueHint::CommandWithArguments)]
    pub(crate) command: Vec<OsString>,
}

/// Print the port of a service, leasing one when it has none
///
/// Nobody in particular holds the lease: it stays until it is released, or abandoned for a week.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portlease get --project demo --framework next
  PORT=$(portlease get) node server.js
  docker run -d -p $(portlease get --container --project 56):80 nginx")]
pub(crate) struct Get {
    #[command(flatten)]
    pub(crate) project: Project,
    #[command(flatten)]
    pub(crate) wish: Wish,
    /// The service [default: the first one of the configuration, or web]
    #[arg(long, value_name = "NAME")]
    pub(crate) service: Option<Name>,
    /// A port for a container, from 32100-32200, which is its own until it is removed
    #[arg(long)]
    pub(crate) container: bool,
    /// On another host that shares the registry, whose runner confirms it
    #[arg(long, value_name = "NAME", conflicts_with = "container")]
    pub(crate) host: Option<Host>,
    /// Print an object with all that is known about the lease
    #[arg(long)]
    pub(crate) json: bool,
}

/// Give leased ports back
///
/// The project gets the same ports again, as long as nobody else needed them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portlease release
  portlease release --project demo --service api
  portlease release --port 3000 --force")]
pub(crate) struct Release {
    #[command(flatten)]
    pub(crate) project: Project,
    /// The service [default: all of the project]
    #[arg(long, value_name = "NAME")]
    pub(crate) service: Option<Name>,
    /// The lease of this port, whoever has it
    #[arg(long, value_name = "PORT", conflicts_with_all = ["project", "dir", "service"])]
    pub(crate) port: Option<Port>,
    /// Also what another process holds
    #[arg(long)]
    pub(crate) force: bool,
    /// Print the released leases as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// List the leases
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portlease ports
  portlease ports --json
  portlease ports --project shop --watch
  portlease ports --cleanup
  portlease ports --all-hosts")]
pub(crate) struct Ports {
    /// Only the leases of this project
    #[arg(long, value_name = "NAME")]
    pub(crate) project: Option<Name>,
    /// List them again and again: when a lease changes, and at this interval [default: 2]
    ///
    /// A terminal is drawn anew; elsewhere the list is printed when it has changed, with --json on a line of its own.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2", value_parser = reports::seconds)]
    pub(crate) watch: Option<Duration>,
    /// Print the leases as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Remove leases whose owners are gone, first
    #[arg(long)]
    pub(crate) cleanup: bool,
    /// The leases of all hosts that share the registry; whether they are true, only each host can see
    #[arg(long, conflicts_with_all = ["watch", "cleanup"])]
    pub(crate) all_hosts: bool,
}

/// Tell who is on a port, and to whom it is leased
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portlease who 3000
  portlease who 3000 --json")]
pub(crate) struct Who {
    /// The port
    pub(crate) port: Port,
    /// Print an object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Tell which port a service would get, and why
///
/// Nothing is leased.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portlease explain
  portlease plan --framework vite --json")]
pub(crate) struct Explain {
    #[command(flatten)]
    pub(crate) project: Project,
    #[command(flatten)]
    pub(crate) wish: Wish,
    /// The service [default: the first one of the configuration, or web]
    #[arg(long, value_name = "NAME")]
    pub(crate) service: Option<Name>,
    /// Print an object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Remove leases whose owners are gone
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portlease cleanup
  portlease cleanup --days 7")]
pub(crate) struct Cleanup {
    /// Also leases that belong to nobody and that nobody used for so many days
    #[arg(long, value_name = "DAYS", num_args = 0..=1, default_missing_value = "7")]
    pub(crate) days: Option<u64>,
    /// Print the removed leases as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show, check and describe the configuration
///
/// What a flag says comes first, then environment variables (PORTLEASE_MAX_RETRIES for maxRetries), the project's
/// portlease.toml or the key "portlease" of its package.json, and the user's config.toml.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  portlease config
  portlease config check
  portlease config schema > portlease.schema.json"
)]
pub(crate) struct Config {
    #[command(subcommand)]
    pub(crate) task: Option<ConfigTask>,
    #[command(flatten)]
    pub(crate) show: ConfigShow,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigTask {
    /// Print each value and who said it
    Show(ConfigShow),
    /// Tell what is wrong with the configuration, or with one file
    Check(ConfigCheck),
    /// Print the JSON Schema, for editors
    Schema,
    /// Print where configuration is looked for
    Path(ConfigPath),
}

#[derive(Debug, Args)]
pub(crate) struct ConfigShow {
    #[command(flatten)]
    pub(crate) project: Project,
    /// Print an object for each value
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigCheck {
    /// The file [default: everything that holds here]
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) project: Project,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigPath {
    #[command(flatten)]
    pub(crate) project: Project,
}
