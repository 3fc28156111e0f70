//! `portlease completions`

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::generate;

use crate::arguments::{Arguments, Completions};
use crate::exit::Code;
use crate::failure::Failure;

#[expect(
    clippy::unnecessary_wraps,
    reason = "commands can fail, and this one is called like the others"
)]
pub(crate) fn run(task: &Completions) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    generate(
        task.shell,
        &mut Arguments::command(),
        "portlease",
        &mut script,
    );
    // Whoever reads it may have gone.
    let _ = io::stdout().write_all(&script);
    Ok(Code::Done.into())
}
