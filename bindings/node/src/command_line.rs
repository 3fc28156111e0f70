//! The command line, for the small program beside this library (`bindings/launcher`).
#![expect(
    unsafe_code,
    reason = "what comes from another program comes as pointers"
)]

use std::ffi::{OsStr, OsString};
use std::panic::catch_unwind;
use std::slice;

/// One argument, as [`OsStr::as_encoded_bytes`] shows it.
#[derive(Debug)]
#[repr(C)]
pub struct Argument {
    start: *const u8,
    length: usize,
}

/// Runs the command line with these arguments, of which the first is the name of the program, and answers its exit code.
///
/// # Safety
///
/// `first` points to `count` arguments, all of which stay as they are until this returns, made by a program of the same version.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portlease_command_line(first: *const Argument, count: usize) -> u8 {
    // SAFETY: the caller says so.
    let arguments = unsafe { slice::from_raw_parts(first, count) };
    let own = |argument: &Argument| -> OsString {
        // SAFETY: the caller says so.
        let bytes = unsafe { slice::from_raw_parts(argument.start, argument.length) };
        // SAFETY: the caller was compiled together with this library, by one compiler for one platform.
        unsafe { OsStr::from_encoded_bytes_unchecked(bytes) }.to_owned()
    };
    let arguments: Vec<OsString> = arguments.iter().map(own).collect();
    // The panic was reported when it happened. It must not leave the library.
    catch_unwind(|| portlease_cli::main(arguments)).unwrap_or(PANICKED)
}

/// The exit code of a Rust program that panicked.
const PANICKED: u8 = 101;
