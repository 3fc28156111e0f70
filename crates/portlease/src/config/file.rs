//! The text of a file, if it is one that can be configuration.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use super::error::ConfigError;
use super::origin::shown;

/// No configuration is as long as this.
const LONGEST: u64 = 1 << 20;

/// Reads a file; `None` when there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, ConfigError> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if is_absent(&error) => return dangling(path),
        Err(error) => return Err(unreadable(path, &error)),
    };
    if metadata.is_dir() {
        return Err(wrong(path, "is a folder, and should be a file"));
    }
    // Whoever opens a named pipe waits for somebody to write into it.
    if !metadata.is_file() {
        return Err(wrong(path, "is not an ordinary file"));
    }
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let mut bytes = Vec::new();
    file.take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > LONGEST {
        return Err(wrong(
            path,
            "is longer than 1 MiB, which no configuration is",
        ));
    }
    Ok(Some(bytes))
}

/// The bytes as text.
pub(super) fn text(path: &Path, bytes: Vec<u8>) -> Result<String, ConfigError> {
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid]
            .split(|byte| *byte == b'\n')
            .count();
        wrong(
            path,
            &format!("is not UTF-8 text: line {line} has other bytes"),
        )
    })?;
    // Some editors of Windows begin a file so. It is no character of the first line.
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// The file is not there, nor is a folder on the way to it.
fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn dangling(path: &Path) -> Result<Option<Vec<u8>>, ConfigError> {
    match fs::symlink_metadata(path) {
        Ok(_) => Err(wrong(
            path,
            "is a symbolic link to something that is not there",
        )),
        Err(_) => Ok(None),
    }
}

fn unreadable(path: &Path, error: &io::Error) -> ConfigError {
    wrong(path, &format!("cannot be read: {error}"))
}

fn wrong(path: &Path, what: &str) -> ConfigError {
    ConfigError::new(format!("{} {what}.", shown(path)))
}
