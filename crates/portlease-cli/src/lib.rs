//! The `portlease` command: a port of its own for every dev server, service and container.
//!
//! Each command is a file in `commands`; `run` is the one that starts a server. They read what the
//! user wants, ask the crate `portlease`, and print: no decision about ports is made here.

use std::ffi::OsString;

use clap::{CommandFactory as _, Parser as _};

mod arguments;
mod background;
mod commands;
mod doctor;
mod exit;
mod failure;
mod output;
mod run;
mod selection;
mod snippet;
mod subjects;

use arguments::{Arguments, Task};
use exit::Code;

/// Runs the command line with these arguments, of which the first is the name of the program, and answers its exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and versions come this way, too, and go to the standard output.
            let _ = error.print();
            let code = if error.use_stderr() {
                Code::Usage
            } else {
                Code::Done
            };
            return code.into();
        }
    };
    let Some(task) = arguments.task else {
        let _ = Arguments::command().print_help();
        return Code::Done.into();
    };
    let outcome = match task {
        Task::Run(task) => run::run(&task),
        Task::Start(task) => background::start::run(&task),
        Task::Stop(task) => background::stop::run(&task),
        Task::Restart(task) => background::restart::run(&task),
        Task::Logs(task) => background::logs::run(&task),
        Task::Status(task) => background::status::run(&task),
        Task::Get(task) => commands::get::run(&task),
        Task::Release(task) => commands::release::run(&task),
        Task::Ports(task) => commands::ports::run(&task),
        Task::Who(task) => commands::who::run(&task),
        Task::Explain(task) => commands::explain::run(&task),
        Task::Cleanup(task) => commands::cleanup::run(&task),
        Task::Config(task) => commands::config::run(&task),
        Task::Scan(task) => commands::scan::run(&task),
        Task::Health(task) => commands::health::run(&task),
        Task::Stats(task) => commands::stats::run(&task),
        Task::Validate(task) => commands::validate::run(&task),
        Task::Serve(task) => commands::serve::run(&task),
        Task::Export(task) => commands::export::run(&task),
        Task::Import(task) => commands::import::run(&task),
        Task::Runner(task) => commands::runner::run(&task),
        Task::Hosts(task) => commands::runner::hosts(&task),
        Task::Doctor(task) => commands::doctor::run(&task),
        Task::Completions(task) => commands::completions::run(&task),
    };
    match outcome.and_then(|code| output::check().map(|()| code)) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}
