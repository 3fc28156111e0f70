//! What the `portlease` command does. The command line itself does not exist yet: without arguments the command says what
//! does, and anything else it refuses, so that no script takes silence for success.

use std::ffi::OsString;
use std::io::{self, Write};

/// Runs the command and answers its exit code.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    stdout: &mut impl Write,
    stderr: &mut impl Write,
) -> io::Result<u8> {
    let Some(first) = arguments.into_iter().next() else {
        stdout.write_all(WHAT_EXISTS.as_bytes())?;
        return Ok(0);
    };
    writeln!(
        stderr,
        "portlease: `{}` does not exist yet. Run it without arguments to see what does.",
        first.display()
    )?;
    Ok(USAGE)
}

/// The exit code for a call that is not understood, as shells and other tools use it.
const USAGE: u8 = 2;

const WHAT_EXISTS: &str = "\
Portlease gives every dev server, service and container a port of its own.

This is what exists so far: the core, which decides who gets which port, the proofs of what it promises, the registry of
one machine, and the crate `portlease` for Rust programs (`cargo run -p portlease --example reserve`).
The command line, with `portlease run -- <your dev command>`, arrives later.

Run `cargo xtask test` to run every test and proof, and `cargo xtask` to list the other commands.
";

#[cfg(test)]
mod tests {
    use super::*;

    fn check(arguments: &[&str], code: u8, on_stdout: &str, on_stderr: &str) {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let answered = run(
            arguments.iter().map(OsString::from),
            &mut stdout,
            &mut stderr,
        )
        .unwrap();
        assert_eq!(answered, code);
        assert_eq!(String::from_utf8(stdout).unwrap(), on_stdout);
        assert_eq!(String::from_utf8(stderr).unwrap(), on_stderr);
    }

    #[test]
    fn without_arguments_it_says_what_exists() {
        check(&[], 0, WHAT_EXISTS, "");
    }

    #[test]
    fn a_command_that_does_not_exist_yet_fails_on_stderr() {
        check(
            &["run", "--", "npm", "run", "dev"],
            2,
            "",
            "portlease: `run` does not exist yet. Run it without arguments to see what does.\n",
        );
    }
}
