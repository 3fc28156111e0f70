//! `portlease completions`

use clap::CommandFactory as _;
use clap_complete::generate;

use crate::arguments::{Arguments, Completions};
use crate::exit::Code;
use crate::failure::Failure;
use crate::output;

#[expect(
    clippy::unnecessary_wraps,
    reason = "commands can fail, and this one is called like the others"
)]
pub(crate) fn run(task: &Completions) -> Result<u8, Failure> {
    let mut script = Vec::new();
    let mut command = Arguments::command();
    generate(task.shell, &mut command, "portlease", &mut script);
    output::line(format_args!("{}", String::from_utf8_lossy(&script)));
    Ok(Code::Done.into())
}
