//! The `portlease` command.

use std::env;
use std::io;
use std::process::ExitCode;

fn main() -> io::Result<ExitCode> {
    let code = portlease_cli::run(env::args_os().skip(1), &mut io::stdout(), &mut io::stderr())?;
    Ok(ExitCode::from(code))
}
