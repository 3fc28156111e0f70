//! The `portlease` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    portlease_cli::main(std::env::args_os()).into()
}
