//! Where a registry is: its folder, its files, and whether it may be there.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use portlease_core::{StoreError, StoreErrorKind};

use crate::explain::{in_folder, unsuitable};
use crate::system::{self, FileId};

/// The paths of a registry, in a folder that exists and is named without symbolic links.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    pub(crate) registry: PathBuf,
    pub(crate) lock: PathBuf,
    create_folder: bool,
}

impl Place {
    /// Finds the folder, and makes it when it is missing and may be made.
    pub(crate) fn find(path: &Path, create_folder: bool) -> Result<Self, StoreError> {
        let Some(name) = path.file_name() else {
            return Err(unsuitable(
                format!("{} does not name a file.", path.display()),
                "Name the registry by the path of a file, such as registry.db.",
            ));
        };
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        if create_folder {
            system::create_folder(folder).map_err(|error| {
                in_folder(folder, "The folder of the registry cannot be made", &error)
            })?;
        }
        let folder = folder.canonicalize().map_err(|error| {
            in_folder(folder, "The folder of the registry cannot be found", &error)
        })?;
        let registry = folder.join(name);
        Ok(Self {
            lock: beside(&registry, ".lock"),
            registry,
            folder,
            create_folder,
        })
    }

    /// The place in the same folder where a registry is built before it takes the place of a damaged one.
    pub(crate) fn rebuilt(&self) -> Self {
        let registry = beside(&self.registry, ".rebuilt");
        Self {
            registry,
            ..self.clone()
        }
    }

    /// Opens the file of the lock, or makes it, and its folder if somebody removed that.
    pub(crate) fn open_lock(&self) -> Result<File, StoreError> {
        let mut opened = system::open_or_create(&self.lock);
        if self.create_folder
            && matches!(&opened, Err(error) if error.kind() == io::ErrorKind::NotFound)
        {
            opened = system::create_folder(&self.folder)
                .and_then(|()| system::open_or_create(&self.lock));
        }
        opened.map_err(|error| {
            in_folder(
                &self.lock,
                "The lock of the registry cannot be opened",
                &error,
            )
        })
    }

    /// The files that `SQLite` keeps beside the registry for as long as it is open.
    pub(crate) fn companions(&self) -> [PathBuf; 2] {
        companions(&self.registry)
    }

    /// The first free name for a registry that is set aside.
    pub(crate) fn aside(&self) -> PathBuf {
        let taken = self.set_aside().count();
        beside(&self.registry, &format!(".corrupt-{}", taken + 1))
    }

    /// The registries that were set aside, in that order.
    pub(crate) fn set_aside(&self) -> impl Iterator<Item = PathBuf> {
        let is_taken = |path: &PathBuf| {
            let [log, memory] = companions(path);
            [path, &log, &memory]
                .iter()
                .any(|path| path.symlink_metadata().is_ok())
        };
        (1_u64..)
            .map(|number| beside(&self.registry, &format!(".corrupt-{number}")))
            .take_while(is_taken)
    }

    /// Which file is at the registry's place now; none when there is none.
    pub(crate) fn registry_id(&self) -> Result<Option<FileId>, StoreError> {
        id_at(&self.registry)
    }

    /// Which file is at the place of the lock now; none when there is none.
    pub(crate) fn lock_id(&self) -> Result<Option<FileId>, StoreError> {
        id_at(&self.lock)
    }

    /// Whether a registry may be here.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        self.check_folder()?;
        match self.registry.symlink_metadata() {
            Ok(metadata) => self.check_file(&metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(in_folder(
                &self.registry,
                "The registry cannot be looked at",
                &error,
            )),
        }
    }

    fn check_folder(&self) -> Result<(), StoreError> {
        if let Some(kind) = system::network_file_system(&self.folder) {
            return Err(unsuitable(
                format!(
                    "{} is on a {kind} file system, on which processes cannot share a registry.",
                    self.folder.display()
                ),
                "Put the registry on a disk of this machine, or use postgres: for one that several machines share.",
            ));
        }
        // What belongs to the administrator is as safe as the machine itself; anybody else who owns
        // the folder could replace the registry.
        let owner = self
            .folder
            .metadata()
            .ok()
            .as_ref()
            .and_then(system::foreign_owner);
        match owner {
            Some(owner) if owner != 0 => Err(foreign(&self.folder, owner)),
            _ => Ok(()),
        }
    }

    fn check_file(&self, metadata: &fs::Metadata) -> Result<(), StoreError> {
        let path = self.registry.display();
        if metadata.is_symlink() {
            let target = fs::read_link(&self.registry).unwrap_or_default();
            return Err(unsuitable(
                format!("{path} is a symbolic link to {}.", target.display()),
                "Name the file itself as the registry, or remove the link.",
            ));
        }
        if !metadata.is_file() {
            return Err(unsuitable(
                format!("{path} is not a file."),
                "Name a file as the registry, or move away what is there.",
            ));
        }
        match system::foreign_owner(metadata) {
            Some(owner) => Err(foreign(&self.registry, owner)),
            None => Ok(()),
        }
    }
}

fn foreign(path: &Path, owner: u32) -> StoreError {
    unsuitable(
        format!("{} belongs to another user (id {owner}).", path.display()),
        "Run as that user, or name a registry of your own; each user has one.",
    )
}

/// Which file is at this path; none when there is none.
pub(crate) fn id_at(path: &Path) -> Result<Option<FileId>, StoreError> {
    match path.symlink_metadata() {
        Ok(metadata) => Ok(Some(FileId::of(&metadata))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(in_folder(path, "It cannot be looked at", &error)),
    }
}

/// The files that `SQLite` keeps beside a database.
pub(crate) fn companions(database: &Path) -> [PathBuf; 2] {
    [beside(database, "-wal"), beside(database, "-shm")]
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// Removes a file if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(in_folder(path, "It cannot be removed", &error))
        }
        _ => Ok(()),
    }
}

/// The error for a registry that came and went while it was opened.
pub(crate) fn restless(registry: &Path) -> StoreError {
    StoreError {
        kind: StoreErrorKind::Unavailable,
        problem: format!("{} is replaced again and again.", registry.display()),
        remedy: "Find out which program does that, and end it.".to_owned(),
    }
}
