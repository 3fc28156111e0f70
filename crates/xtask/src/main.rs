//! The project's own commands, started with `cargo xtask`.
//!
//! This crate only dispatches: it runs cargo and other tools, reads what they say, and sums up. The harnesses it starts live
//! in `tests/`, the code they judge in the other crates.

mod arrows;
mod check;
mod client;
mod count;
mod dashboard;
mod dependencies;
mod fuzz;
mod harness;
mod install;
mod mutants;
mod npm;
mod process;
mod report;
mod systems;
mod test;
mod toolchain;
mod wasm;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand};

/// The project's own commands
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(subcommand)]
    task: Option<Task>,
}

#[derive(Subcommand)]
enum Task {
    /// Run everything that can be tested, installing what it lacks
    Test,
    /// Run the static gate: format, lints, documentation, arrows, licences
    Check,
    /// Build the core and the planner for the browser, and say what the planner weighs
    Wasm,
    /// Build and pack the npm packages for this machine (--all, --platform, --test)
    Npm(npm::Wanted),
    /// Test the dashboard in a browser, and draw what it looks like into target/dashboard
    Dashboard,
    /// Check the code for macOS and Windows, from whatever system this is
    Systems,
    /// Give strange bytes to everything that reads bytes from outside
    Fuzz {
        /// Search so many seconds in each target, with other inputs each time
        #[arg(long)]
        seconds: Option<u32>,
        /// Only this target
        target: Option<String>,
    },
    /// Write the files that follow from the code (--check)
    #[command(disable_help_flag = true)]
    Generate {
        /// What the generator is told
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Explore the protocol with the model checker (--small, --mutants)
    #[command(disable_help_flag = true)]
    Model {
        /// What the harness is told
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Race many processes for ports, with foreign programs among them (--processes, --delay-ms)
    #[command(disable_help_flag = true)]
    Race {
        /// What the harness is told
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Kill processes at any moment and look what is lost (--kills, --seed)
    #[command(disable_help_flag = true)]
    Crash {
        /// What the harness is told
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Ask the HTTP service whatever its document allows, and what it does not (--examples, --seed)
    #[command(disable_help_flag = true)]
    ServiceFuzz {
        /// What the harness is told
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Break servers and connections under load and look what is lost (--seconds, --seed)
    #[command(disable_help_flag = true)]
    Chaos {
        /// What the harness is told
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Play a fleet of 100,000 hosts on a real database, and an outage of it (--hosts, --seconds, --shards)
    #[command(disable_help_flag = true)]
    Simulate {
        /// What the harness is told
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Measure, with the floor beside it (NAME, --json)
    #[command(disable_help_flag = true)]
    Bench {
        /// What the harness is told
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Plant mistakes in the core's decisions and see that a test finds each
    #[command(disable_help_flag = true)]
    Mutants {
        /// What cargo-mutants is told
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

fn main() -> Result<ExitCode> {
    let Some(task) = Arguments::parse().task else {
        Arguments::command().print_help()?;
        return Ok(ExitCode::SUCCESS);
    };
    match task {
        Task::Test => Ok(test::run()),
        Task::Check => Ok(check::run()),
        Task::Wasm => wasm::run(),
        Task::Npm(wanted) => npm::run(&wanted),
        Task::Dashboard => dashboard::run(),
        Task::Systems => Ok(systems::run()),
        Task::Fuzz { seconds, target } => {
            fuzz::run(target.as_deref(), seconds).map(|()| ExitCode::SUCCESS)
        }
        Task::Generate { arguments } => harness::pass_through("generate", &arguments),
        Task::Model { arguments } => harness::pass_through("model", &arguments),
        Task::Race { arguments } => harness::pass_through("race", &arguments),
        Task::Crash { arguments } => harness::pass_through("crash", &arguments),
        Task::ServiceFuzz { mut arguments } => {
            arguments.insert(0, install::schemathesis()?.into());
            harness::pass_through("service-fuzz", &arguments)
        }
        Task::Chaos { arguments } => {
            install::programs_of_tests()?;
            harness::pass_through("chaos", &arguments)
        }
        Task::Simulate { arguments } => {
            install::programs_of_tests()?;
            harness::pass_through("simulate", &arguments)
        }
        Task::Bench { mut arguments } => {
            let needs_programs = ["containers", "fleet"];
            if arguments
                .first()
                .is_some_and(|name| needs_programs.iter().any(|it| name == it))
            {
                install::programs_of_tests()?;
            }
            let built = match arguments.first().and_then(|name| name.to_str()) {
                Some("node") => Some(npm::bench::install()?),
                Some("wasm") => Some(wasm::build_for_bench()?),
                _ => None,
            };
            if let Some(folder) = built {
                arguments.insert(1, folder.into());
            }
            harness::pass_through("bench", &arguments)
        }
        Task::Mutants { arguments } => mutants::run(&arguments),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_of_the_commands_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_harness_gets_its_flags_untouched() {
        let arguments =
            Arguments::try_parse_from(["cargo xtask", "model", "--small", "--help"]).unwrap();
        let Some(Task::Model { arguments }) = arguments.task else {
            panic!("not the model")
        };
        assert_eq!(arguments, ["--small", "--help"]);
    }
}
