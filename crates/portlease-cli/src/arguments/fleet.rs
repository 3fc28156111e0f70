//! The commands for hosts that share a database.

use std::time::Duration;

use clap::Args;

use super::reports::seconds;

/// Answer for this host in a fleet
///
/// Reports what is observed here to the registry, which is a database, and confirms what is planned elsewhere for this host, or
/// answers what is in the way. It runs until it is ended. The host is called what PORTLEASE_HOST says, or by the id of the machine.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  PORTLEASE_REGISTRY=postgres://portlease@db.example/fleet portlease runner
  portlease runner --gives-up-after 300
  portlease runner --json | jq .type")]
pub(crate) struct Runner {
    /// How often to report, in seconds; where few others do, it is every few seconds
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(crate) report_every: Duration,
    /// Agree that the leases of this host end when it could not report for so many seconds [default: they never do]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) gives_up_after: Option<Duration>,
    /// Print an object a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// List the hosts that share the registry
///
/// Where the registry is a database, it is told as well which hosts have a runner, and when that last reported.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portlease hosts
  portlease hosts --json")]
pub(crate) struct Hosts {
    /// Print an array
    #[arg(long)]
    pub(crate) json: bool,
}
