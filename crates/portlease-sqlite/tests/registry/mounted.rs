//! Disks that are full and folders that may not be written, which takes the rights to mount them.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::thread;
use std::time::{Duration, Instant};

use portlease_core::StoreErrorKind::{Full, ReadOnly, Unsuitable};
use portlease_core::{PortRange, TransactError};
use portlease_sqlite::SqliteStore;

use crate::places::{check, path_of, refused_to_open};
use crate::support::{Folder, everything, filled, reserve, reserve_in};

/// Something mounted for a test, which says what is missing where that is not allowed.
struct Mount {
    target: PathBuf,
}

impl Mount {
    fn new(arguments: &[&str], target: &Path) -> Self {
        let output = Process::new("mount").args(arguments).arg(target).output();
        let output = output.expect("this test needs the program mount");
        assert!(
            output.status.success(),
            "this test has to mount a file system, as root or with the capability SYS_ADMIN: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Self {
            target: target.to_path_buf(),
        }
    }

    /// A process that another test has just begun may have copies of open files until it runs its
    /// program, and the mount is busy so long.
    #[expect(
        clippy::disallowed_methods,
        reason = "a mount tells nobody when it is idle"
    )]
    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        let is_done = || {
            let mut mount = Process::new("mount");
            let status = mount.args(["-o", &options]).arg(&self.target).status();
            status.expect("mount was there before").success()
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        while !is_done() {
            assert!(Instant::now() < deadline, "{options}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily, because what is still open under it closes with the test.
        let _ = Process::new("umount").arg("-l").arg(&self.target).status();
    }
}

#[test]
fn a_disk_that_is_full() {
    let folder = Folder::new();
    let disk = Mount::new(&["-t", "tmpfs", "-o", "size=512k", "tmpfs"], folder.path());
    let store = SqliteStore::open(folder.registry()).unwrap();
    let mut granted = Vec::new();
    let error = loop {
        assert!(granted.len() < 10_000, "the disk never fills");
        let range = PortRange::ALL;
        match reserve_in(&store, &format!("project-{}", granted.len()), range) {
            Ok(lease) => granted.push(lease),
            Err(TransactError::Store(error)) => break error,
            Err(refused) => panic!("{refused}"),
        }
    };
    check(&error, Full, &[&path_of(&folder)]);
    let left = everything(&store).expect("it can still be read");
    granted.sort_by_key(|lease| lease.port);
    assert_eq!(
        left.iter().cloned().collect::<Vec<_>>(),
        granted,
        "nothing granted is lost"
    );

    // Another process that begins on the full disk is told so too, and nobody sets aside
    // what is not damaged.
    drop(store);
    fs::write(folder.path().join("ballast"), vec![0; 1 << 20]).unwrap_err();
    let outcome =
        SqliteStore::open(folder.registry()).map(|store| reserve(&store, "one-more").map(|_| ()));
    match outcome {
        Ok(Err(TransactError::Store(error))) | Err(error) => {
            check(&error, Full, &[&path_of(&folder)]);
        }
        other => panic!("the disk is full, and it is answered with {other:?}"),
    }
    disk.remount("size=4m");
    let store = SqliteStore::open(folder.registry()).unwrap();
    assert_eq!(store.recoveries(), []);
    let left = everything(&store).unwrap();
    assert_eq!(left.iter().cloned().collect::<Vec<_>>(), granted);
    reserve(&store, "one-more").unwrap();
}

#[test]
fn a_disk_that_is_full_at_any_moment_of_the_making_of_a_registry() {
    for kilobytes in (4..=160).step_by(4) {
        let folder = Folder::new();
        let size = format!("size={kilobytes}k");
        let _disk = Mount::new(&["-t", "tmpfs", "-o", &size, "tmpfs"], folder.path());
        let used_up = || -> Result<(), TransactError> {
            let store = SqliteStore::open(folder.registry())?;
            for number in 0..1_000 {
                reserve_in(&store, &format!("project-{number}"), PortRange::ALL)?;
            }
            Ok(())
        };
        match used_up() {
            Err(TransactError::Store(error)) => check(&error, Full, &[&path_of(&folder)]),
            other => panic!("{size} are not enough, and it is answered with {other:?}"),
        }
    }
}

#[test]
fn a_folder_that_is_read_only() {
    let folder = Folder::new();
    let disk = Mount::new(&["-t", "tmpfs", "tmpfs"], folder.path());
    disk.remount("ro");
    check(
        &refused_to_open(&folder.registry()),
        ReadOnly,
        &[&path_of(&folder)],
    );
    disk.remount("rw");
    filled(&folder.registry(), 1);
    disk.remount("ro");
    check(
        &refused_to_open(&folder.registry()),
        ReadOnly,
        &[&path_of(&folder)],
    );
}

#[test]
fn a_registry_that_becomes_read_only() {
    let folder = Folder::new();
    let disk = Mount::new(&["-t", "tmpfs", "tmpfs"], folder.path());
    filled(&folder.registry(), 1);
    let path = folder.registry();
    let file = Mount::new(&["--bind", &path.display().to_string()], &path);
    file.remount("bind,ro");
    check(&refused_to_open(&path), ReadOnly, &[&path_of(&folder)]);
    drop(file);
    drop(disk);
}

#[test]
fn a_folder_of_another_user() {
    let folder = Folder::new();
    let theirs = folder.path().join("theirs");
    fs::create_dir(&theirs).unwrap();
    chown(&theirs, Some(12_345), None).expect("this test has to give a folder away, as root");
    check(
        &refused_to_open(&theirs.join("registry.db")),
        Unsuitable,
        &["theirs", "12345"],
    );
    assert_eq!(
        fs::read_dir(&theirs).unwrap().count(),
        0,
        "nothing was left there"
    );

    filled(&folder.registry(), 1);
    chown(folder.registry(), Some(12_345), None).unwrap();
    check(
        &refused_to_open(&folder.registry()),
        Unsuitable,
        &[&path_of(&folder), "12345"],
    );
}
