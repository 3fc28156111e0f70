//! Registry files as their users meet them: several processes, several openings, and everything that
//! can happen to a file.

mod conformance;
mod cover;
mod damage;
mod exchange;
mod kills;
#[cfg(target_os = "linux")]
mod mounted;
mod places;
mod processes;
mod recovery;
// Windows lets nobody take away a file that is open.
#[cfg(unix)]
mod replaced;
mod support;
mod versions;
