//! The command that serves.

#![expect(
    clippy::doc_markdown,
    reason = "these comments are the help, and a terminal shows no markdown"
)]

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use portlease::UrlPath;
use portlease::core::Port;

use super::reports;

/// Serve the HTTP API, live events, metrics and a page that shows all ports
///
/// It listens on 127.0.0.1 and ::1, where only this machine can ask. Elsewhere it needs a token, which every caller has to name:
/// from a file, or from the variable PORTLEASE_TOKEN.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portlease serve
  portlease serve --open
  portlease serve --listen 192.168.1.20 --allow-host build.local --token-file ~/.portlease-token
  portlease serve --on-move 'make restart SERVICE=\"$PORTLEASE_SERVICE\"'")]
pub(crate) struct Serve {
    /// This port and no other [default: 7787, or the next free one up to 7887]
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<Port>,
    /// Listen on this address of the machine [default: 127.0.0.1 and ::1]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<IpAddr>,
    /// Also answer those who ask for this name, which somebody makes point here
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,
    /// The file with the token that callers have to name [default: what the variable PORTLEASE_TOKEN says]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) token_file: Option<PathBuf>,
    /// Run this command of the shell whenever a service has another port than before
    ///
    /// It finds PORTLEASE_PROJECT, PORTLEASE_SERVICE, PORTLEASE_INSTANCE, PORTLEASE_FROM and PORTLEASE_TO in its environment.
    #[arg(long, value_name = "COMMAND")]
    pub(crate) on_move: Option<OsString>,
    /// Ask servers for this path to see whether they are well
    #[arg(long, value_name = "PATH")]
    pub(crate) check_path: Option<UrlPath>,
    /// How often servers are asked whether they are well, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = reports::seconds)]
    pub(crate) check_interval: Duration,
    /// Open the page in the browser
    #[arg(long)]
    pub(crate) open: bool,
    /// Print an object with the address
    #[arg(long)]
    pub(crate) json: bool,
}
