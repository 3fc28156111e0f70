//! What Windows says about files.
//!
//! A file that is open there can be neither removed nor renamed by others, as long as those who
//! open it do not allow that; so a registry cannot be replaced under a running process.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::os::windows::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, Prefix};

/// Which file it is, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileId {
    created: u64,
}

impl FileId {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            created: metadata.creation_time(),
        }
    }
}

/// Makes the folder and those above it. The folders of a user are closed to others there.
pub(crate) fn create_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(folder)
}

/// Opens a file for writing, or makes it, so that nobody can remove it meanwhile.
pub(crate) fn open_or_create(path: &Path) -> io::Result<File> {
    const FILE_SHARE_READ_AND_WRITE: u32 = 3;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.share_mode(FILE_SHARE_READ_AND_WRITE);
    options.open(path)
}

/// Makes a file that is not there yet.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    File::create_new(path)
}

/// Access is decided by lists there, and the attempt itself tells.
pub(crate) fn foreign_owner(_metadata: &Metadata) -> Option<u32> {
    None
}

/// `SQLite` tells a full disk from other failures there.
pub(crate) fn is_full(_folder: &Path) -> bool {
    false
}

/// Whether this folder, whose path is a canonical one, is on a share.
pub(crate) fn network_file_system(folder: &Path) -> Option<&'static str> {
    let Some(Component::Prefix(prefix)) = folder.components().next() else {
        return None;
    };
    matches!(prefix.kind(), Prefix::UNC(..) | Prefix::VerbatimUNC(..)).then_some("SMB")
}

/// The system does not tell.
pub(crate) fn lock_holder(_file: FileId) -> Option<u32> {
    None
}
