//! A run inside a run of the same services, as when a script of package.json has one and the user
//! types one as well. The outer one has the ports and looks after them, so the command just starts.

use std::collections::BTreeMap;

use portlease::core::{Name, Port};

use super::prepare::Prepared;
use super::session::cannot_start;
use crate::failure::Failure;

/// The command takes the place of this process.
#[cfg(unix)]
pub(crate) fn run(prepared: &Prepared, ports: &BTreeMap<Name, Port>) -> Result<u8, Failure> {
    use std::os::unix::process::CommandExt as _;

    let error = prepared.command(ports).exec();
    Err(cannot_start(&prepared.program(), &error))
}

/// Windows has no such thing: this process waits for the command.
#[cfg(not(unix))]
pub(crate) fn run(prepared: &Prepared, ports: &BTreeMap<Name, Port>) -> Result<u8, Failure> {
    let status = prepared.command(ports).status();
    let status = status.map_err(|error| cannot_start(&prepared.program(), &error))?;
    Ok(super::code_of(status))
}
