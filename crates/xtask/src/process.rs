//! Starting other programs: always from the root of the workspace, and quietly or live.

use std::env;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::iter;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result, bail};

/// The root of the workspace, whatever folder `cargo xtask` was called from.
pub(crate) fn root() -> &'static Path {
    let manifest_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest_dir
        .ancestors()
        .nth(2)
        .expect("this crate lies two folders below the root")
}

/// Where everything built goes, in folders of their own where two toolchains or two purposes would disturb each other.
pub(crate) fn target_dir() -> PathBuf {
    root().join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// A program that will run in the root of the workspace.
pub(crate) fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root());
    command
}

/// The cargo that started this program, so that every step uses one toolchain.
pub(crate) fn cargo<Argument: AsRef<OsStr>>(
    arguments: impl IntoIterator<Item = Argument>,
) -> Command {
    let mut command = program(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

/// npm, which is a script that Windows finds only by its whole name.
pub(crate) fn npm<Argument: AsRef<OsStr>>(
    arguments: impl IntoIterator<Item = Argument>,
) -> Command {
    let mut command = program(if cfg!(windows) { "npm.cmd" } else { "npm" });
    command.args(arguments);
    command
}

/// Appends a folder to the path on which a command, and what it starts, find programs.
pub(crate) fn append_to_path(command: &mut Command, folder: &Path) -> Result<()> {
    let set = command.get_envs().find(|(name, _)| *name == "PATH");
    let path = match set {
        Some((_, path)) => path.map(OsStr::to_owned),
        None => env::var_os("PATH"),
    };
    let path = path.unwrap_or_default();
    let folders = env::split_paths(&path).chain([folder.to_owned()]);
    command.env("PATH", env::join_paths(folders)?);
    Ok(())
}

/// Runs a command that is of interest only when it fails; the error then carries all that it printed.
pub(crate) fn run_quietly(command: &mut Command) -> Result<()> {
    let output = output(command)?;
    if output.status.success() {
        return Ok(());
    }
    let mut message = format!("{} ended with {}", spelled(command), output.status);
    for stream in [&output.stdout, &output.stderr] {
        let text = String::from_utf8_lossy(stream);
        if !text.trim().is_empty() {
            write!(message, "\n{}", text.trim_end())?;
        }
    }
    bail!(message)
}

/// Runs a command whose output somebody wants to see as it comes.
pub(crate) fn run_live(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("{} did not start", spelled(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", spelled(command));
    }
    Ok(())
}

/// What a command prints on its standard output, without the end of the line.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let output = output(command)?;
    if !output.status.success() {
        bail!("{} ended with {}", spelled(command), output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned())
}

/// Whether a command can be started and ends well, which is how the presence of a tool is found out.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    output(command).is_ok_and(|output| output.status.success())
}

/// The command as somebody would type it.
pub(crate) fn spelled(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_stem()
        .unwrap_or(command.get_program());
    let words = iter::once(program).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    format!("`{}`", words.join(" "))
}

fn output(command: &mut Command) -> Result<Output> {
    command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{} did not start", spelled(command)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_holds_the_lock_file() {
        assert!(root().join("Cargo.lock").is_file());
    }

    #[test]
    fn a_command_is_spelled_as_one_would_type_it() {
        assert_eq!(spelled(&cargo(["fmt", "--check"])), "`cargo fmt --check`");
    }

    #[test]
    fn a_quiet_failure_tells_what_was_printed() {
        let error = run_quietly(&mut cargo(["no-such-command"]))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("`cargo no-such-command` ended with"),
            "{error}"
        );
        assert!(error.contains("no such command"), "{error}");
    }

    #[test]
    fn a_missing_program_does_not_succeed() {
        assert!(!succeeds(&mut program("portlease-no-such-program")));
    }
}
