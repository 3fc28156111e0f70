//! The identity of a project that nobody named.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use portlease_core::Name;

use crate::Error;

/// What the root of a project has in it.
const MARKERS: [&str; 4] = ["portlease.toml", "package.json", "Cargo.toml", ".git"];

/// The root of the project that a folder belongs to: the nearest folder with a `portlease.toml`, a
/// `package.json`, a `Cargo.toml` or a `.git`, symbolic links resolved; the folder itself when there is none.
///
/// Each git worktree is therefore a project of its own and keeps ports of its own.
///
/// ```
/// let root = portlease::project_root(env!("CARGO_MANIFEST_DIR").as_ref())?;
/// assert!(root.join("Cargo.toml").exists());
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn project_root(folder: &Path) -> io::Result<PathBuf> {
    let folder = folder.canonicalize()?;
    if !folder.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    let is_root = |folder: &&Path| MARKERS.iter().any(|marker| folder.join(marker).exists());
    Ok(folder
        .ancestors()
        .find(is_root)
        .unwrap_or(&folder)
        .to_path_buf())
}

/// The name of the project that a folder belongs to: the path of its root.
///
/// ```
/// let name = portlease::project_name(env!("CARGO_MANIFEST_DIR").as_ref())?;
/// assert!(name.ends_with("portlease"));
/// # Ok::<(), portlease::Error>(())
/// ```
pub fn project_name(folder: &Path) -> Result<Name, Error> {
    let name = |root: PathBuf| {
        as_text(&root)
            .parse()
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidFilename, error))
    };
    project_root(folder)
        .and_then(name)
        .map_err(|source| Error::Project {
            folder: folder.to_path_buf(),
            source,
        })
}

/// The path in letters, another for each path.
fn as_text(path: &Path) -> Cow<'_, str> {
    match path.to_str() {
        Some(text) => text.into(),
        None => path
            .as_os_str()
            .as_encoded_bytes()
            .escape_ascii()
            .to_string()
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_nearest_marked_folder_is_the_root() {
        let folder = tempfile::tempdir().unwrap();
        let package = folder.path().join("packages/web");
        fs::create_dir_all(package.join("src")).unwrap();
        fs::create_dir(folder.path().join(".git")).unwrap();
        let real = folder.path().canonicalize().unwrap();
        assert_eq!(project_root(&package.join("src")).unwrap(), real);
        fs::write(package.join("package.json"), "{}").unwrap();
        assert_eq!(
            project_root(&package.join("src")).unwrap(),
            real.join("packages/web")
        );
    }

    #[test]
    fn a_folder_without_any_mark_is_its_own_root() {
        let folder = tempfile::tempdir().unwrap();
        let has_marked_parent = MARKERS
            .iter()
            .any(|marker| std::env::temp_dir().join(marker).exists());
        assert!(
            !has_marked_parent,
            "the folder for temporary files is no project"
        );
        assert_eq!(
            project_root(folder.path()).unwrap(),
            folder.path().canonicalize().unwrap()
        );
    }

    #[test]
    fn what_is_no_folder_has_no_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        for path in [file, folder.path().join("absent")] {
            let told = project_name(&path).unwrap_err().to_string();
            let expected = format!("{} cannot be the folder of a project: ", path.display());
            assert!(told.starts_with(&expected), "{told}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn two_folders_whose_names_are_no_text_are_two_projects() {
        use std::os::unix::ffi::OsStrExt as _;

        let folder = tempfile::tempdir().unwrap();
        let [one, other] = [b"\xfe", b"\xff"].map(|name| {
            let project = folder.path().join(std::ffi::OsStr::from_bytes(name));
            fs::create_dir(&project).unwrap();
            project_name(&project).unwrap()
        });
        assert_ne!(one, other);
    }

    #[cfg(unix)]
    #[test]
    fn two_ways_to_one_folder_are_one_project() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("real")).unwrap();
        fs::write(folder.path().join("real/package.json"), "{}").unwrap();
        std::os::unix::fs::symlink(folder.path().join("real"), folder.path().join("link")).unwrap();
        assert_eq!(
            project_name(&folder.path().join("link")).unwrap(),
            project_name(&folder.path().join("real")).unwrap()
        );
    }
}
