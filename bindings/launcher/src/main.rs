//! The `portlease` of the npm package. All of it is in the library beside this program, which Node.js loads as well: so it is on
//! the disk once.
#![expect(
    unsafe_code,
    reason = "no other way leads into a library that is found when the program runs"
)]

use std::error::Error;
use std::ffi::OsString;
use std::process::ExitCode;
use std::{env, fs};

use libloading::{Library, Symbol};

/// The name of the library in the package.
const LIBRARY: &str = "portlease.node";
/// What the library calls the command line (`bindings/node/src/command_line.rs`).
const ENTRY: &[u8] = b"portlease_command_line\0";

/// One argument, as [`std::ffi::OsStr::as_encoded_bytes`] shows it.
#[repr(C)]
struct Argument {
    start: *const u8,
    length: usize,
}

type CommandLine = unsafe extern "C" fn(first: *const Argument, count: usize) -> u8;

fn main() -> ExitCode {
    match run(&env::args_os().collect::<Vec<_>>()) {
        Ok(code) => code.into(),
        Err(error) => {
            eprintln!("portlease: The package is not whole: {error}. Install it anew.");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[OsString]) -> Result<u8, Box<dyn Error>> {
    let path = fs::canonicalize(env::current_exe()?)?.with_file_name(LIBRARY);
    let arguments: Vec<Argument> = arguments
        .iter()
        .map(|argument| Argument {
            start: argument.as_encoded_bytes().as_ptr(),
            length: argument.len(),
        })
        .collect();
    // SAFETY: it is the library of the same package. What it does when it is loaded, it does in Node.js as well.
    let library = unsafe { Library::new(path) }?;
    // SAFETY: the type is that of the function in the same version of the library.
    let command_line: Symbol<'_, CommandLine> = unsafe { library.get(ENTRY) }?;
    // SAFETY: the pointers are those of a slice that lives on until the function returns.
    Ok(unsafe { command_line(arguments.as_ptr(), arguments.len()) })
}
