//! What Unix says about files: which file it is, whose it is, and on what kind of file system.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Which file it is, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }
}

/// Makes the folder and those above it, for nobody but their owner.
pub(crate) fn create_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Opens a file for writing, or makes it, for nobody but its owner.
pub(crate) fn open_or_create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.mode(0o600).custom_flags(no_follow());
    options.open(path)
}

/// Makes a file that is not there yet, for nobody but its owner.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(path)
}

fn no_follow() -> i32 {
    rustix::fs::OFlags::NOFOLLOW.bits().cast_signed()
}

/// The user to whom this belongs, when that is another than the one who runs this.
pub(crate) fn foreign_owner(metadata: &Metadata) -> Option<u32> {
    let owner = metadata.uid();
    (owner != rustix::process::geteuid().as_raw()).then_some(owner)
}

/// Whether there is no room for another page on the file system of this folder.
pub(crate) fn is_full(folder: &Path) -> bool {
    const PAGES_OF_A_TRANSACTION: u64 = 16;
    rustix::fs::statvfs(folder)
        .is_ok_and(|status| status.f_bavail * status.f_frsize < PAGES_OF_A_TRANSACTION * 4096)
}

/// The name of the network file system on which this folder is, if it is on one. `SQLite`'s
/// write-ahead log needs memory that all its processes share, and a network has none.
#[cfg(target_os = "linux")]
pub(crate) fn network_file_system(folder: &Path) -> Option<&'static str> {
    let magic = rustix::fs::statfs(folder).ok()?.f_type;
    network_of_magic(i128::from(magic))
}

/// The name that belongs to one of the kernel's magic numbers. They have 32 bits; the type in which
/// they arrive differs by processor, and so does their sign.
#[cfg(target_os = "linux")]
fn network_of_magic(magic: i128) -> Option<&'static str> {
    let known = match magic & 0xFFFF_FFFF {
        0x0000_6969 => "NFS",
        0x0000_517B | 0xFE53_4D42 => "SMB",
        0xFF53_4D42 => "CIFS",
        0x0102_1997 => "9P",
        0x5346_414F | 0x6B41_4653 => "AFS",
        0x7375_7245 => "Coda",
        0x00C3_6400 => "Ceph",
        0x0BD0_0BD0 => "Lustre",
        0x4750_4653 => "GPFS",
        0x0116_1970 => "GFS2",
        0x7461_636F => "OCFS2",
        _ => return None,
    };
    Some(known)
}

/// The same, as macOS and the BSDs tell it.
#[cfg(not(target_os = "linux"))]
pub(crate) fn network_file_system(folder: &Path) -> Option<&'static str> {
    const MNT_LOCAL: u32 = 0x1000;
    let status = rustix::fs::statfs(folder).ok()?;
    (status.f_flags & MNT_LOCAL == 0).then_some("network")
}

/// The process that holds a lock on this file, as far as the system tells.
#[cfg(target_os = "linux")]
pub(crate) fn lock_holder(file: FileId) -> Option<u32> {
    use rustix::fs::{major, minor};
    // The system hands out its list page by page. Locks that come and go between two pages can
    // hide one that stays, so one look is not enough to say that there is none.
    const LOOKS: usize = 8;
    let (major, minor) = (major(file.device), minor(file.device));
    let file = format!("{major:02x}:{minor:02x}:{}", file.inode);
    (0..LOOKS).find_map(|_| {
        let locks = std::fs::read_to_string("/proc/locks").ok()?;
        lock_holder_in(&locks, &file)
    })
}

/// The same, where the system does not tell.
#[cfg(not(target_os = "linux"))]
pub(crate) fn lock_holder(_file: FileId) -> Option<u32> {
    None
}

/// Reads lines such as `1: FLOCK  ADVISORY  WRITE 4242 fd:01:131080 0 EOF`; those that wait have
/// an arrow behind their number, and processes of another namespace the pid 0.
#[cfg(any(target_os = "linux", test))]
fn lock_holder_in(locks: &str, file: &str) -> Option<u32> {
    locks.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        let is_file_lock = words.next() == Some("FLOCK");
        let pid = words.nth(2)?.parse().ok();
        let is_this_file = words.next() == Some(file);
        pid.filter(|pid| is_file_lock && *pid > 0 && is_this_file)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(locks: &str, file: &str, holder: Option<u32>) {
        assert_eq!(lock_holder_in(locks, file), holder, "{locks}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn network_file_systems_are_told_by_their_numbers() {
        assert_eq!(network_of_magic(0x6969), Some("NFS"));
        assert_eq!(network_of_magic(0xFF53_4D42), Some("CIFS"));
        let signed = 0xFF53_4D42_u32.cast_signed();
        assert_eq!(network_of_magic(signed.into()), Some("CIFS"));
        assert_eq!(network_of_magic(0xEF53), None, "ext4");
        assert_eq!(network_file_system(Path::new("/proc")), None);
    }

    #[test]
    fn the_holder_of_a_lock_is_read_from_the_list_of_the_system() {
        let locks = "1: POSIX  ADVISORY  WRITE 100 fd:01:7 0 EOF\n\
                     2: FLOCK  ADVISORY  WRITE 150 00:1a:7 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 200 fd:01:70 0 EOF\n\
                     4: FLOCK  ADVISORY  WRITE 0 fd:01:8 0 EOF\n\
                     5: FLOCK  ADVISORY  WRITE 4242 fd:01:7 0 EOF\n\
                     5: -> FLOCK  ADVISORY  WRITE 300 fd:01:7 0 EOF\n";
        check(locks, "fd:01:7", Some(4242));
        check(locks, "00:1a:7", Some(150));
        check(locks, "fd:01:70", Some(200));
        check(locks, "fd:01:8", None);
        check(locks, "fd:01:9", None);
        check("", "fd:01:7", None);
        check("1:\n1: FLOCK\n1: FLOCK a b c d", "d", None);
    }
}
