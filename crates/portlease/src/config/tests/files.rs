//! Files that are not what a file should be.

use super::*;

/// Makes the project's file by `make`; answers what is said about it.
fn told(make: impl FnOnce(&Path)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop/portlease.toml");
    fs::create_dir(folder.path().join("shop")).unwrap();
    make(&file);
    let read = Said::default().sources(folder.path()).read();
    match read {
        Ok(config) => format!("{:?}", config.settings().timeout),
        Err(error) => short(&error.to_string(), folder.path()),
    }
}

#[test]
fn a_folder() {
    let told = told(|file| fs::create_dir(file).unwrap());
    assert_eq!(
        told,
        "shop/portlease.toml is a folder, and should be a file."
    );
}

#[test]
fn a_huge_file() {
    let told = told(|file| fs::write(file, " ".repeat(1 << 20) + "\n").unwrap());
    assert_eq!(
        told,
        "shop/portlease.toml is longer than 1 MiB, which no configuration is."
    );
}

#[test]
fn a_file_of_other_bytes() {
    let told = told(|file| fs::write(file, b"timeout = 1\nproject = '\xff'").unwrap());
    assert_eq!(
        told,
        "shop/portlease.toml is not UTF-8 text: line 2 has other bytes."
    );
}

#[test]
fn a_file_that_begins_as_editors_of_windows_do() {
    assert_eq!(
        told(|file| fs::write(file, "\u{feff}timeout = 5\r\n").unwrap()),
        "Some(5)"
    );
}

#[test]
fn no_file() {
    assert_eq!(told(|_| {}), "Some(120)");
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_symbolic_link_to_a_file() {
        let told = told(|file| {
            fs::write(file.with_file_name("elsewhere"), "timeout = 5").unwrap();
            symlink("elsewhere", file).unwrap();
        });
        assert_eq!(told, "Some(5)");
    }

    #[test]
    fn a_symbolic_link_to_nothing_and_to_itself() {
        assert_eq!(
            told(|file| symlink("elsewhere", file).unwrap()),
            "shop/portlease.toml is a symbolic link to something that is not there."
        );
        let told = told(|file| symlink(file, file).unwrap());
        assert!(
            told.starts_with("shop/portlease.toml cannot be read: "),
            "{told}"
        );
    }

    #[test]
    fn a_device() {
        let told = told(|file| symlink("/dev/zero", file).unwrap());
        assert_eq!(told, "shop/portlease.toml is not an ordinary file.");
    }

    #[test]
    fn a_file_that_may_not_be_read() {
        let told = told(|file| {
            fs::write(file, "timeout = 5").unwrap();
            fs::set_permissions(file, fs::Permissions::from_mode(0o000)).unwrap();
        });
        // Root may read everything.
        let is_root = told == "Some(5)";
        assert!(
            is_root || told.starts_with("shop/portlease.toml cannot be read: "),
            "{told}"
        );
    }
}

#[test]
fn one_file_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let check = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let read = Config::of_file(&path).map(drop);
        read.map_err(|error| short(&error.to_string(), folder.path()))
    };
    assert_eq!(check("any-name.toml", "timeout = 5"), Ok(()));
    assert_eq!(check("package.json", "{\"portlease\": {}}"), Ok(()));
    assert_eq!(
        check("package.json", "{}"),
        Err("package.json has no configuration.".to_owned())
    );
    assert_eq!(
        check("any-name.toml", "pool = 'red'"),
        Err("any-name.toml:1:8: There is no pool \"red\".".to_owned())
    );
    let absent = Config::of_file(&folder.path().join("absent")).unwrap_err();
    assert_eq!(
        short(&absent.to_string(), folder.path()),
        "absent has no configuration."
    );
}

#[test]
fn the_files_that_are_looked_at() {
    let said = Said {
        package: "{\"portlease\": {}}",
        ..Said::default()
    };
    let (folder, _) = said.read();
    let files = said.sources(folder.path()).files();
    let told: Vec<_> = files
        .iter()
        .map(|file| {
            let path = short(&file.path.to_string_lossy(), folder.path());
            (file.is_users, path, file.is_used)
        })
        .collect();
    assert_eq!(
        told,
        [
            (true, "config.toml".to_owned(), false),
            (false, "shop/portlease.toml".to_owned(), false),
            (false, "shop/package.json".to_owned(), true),
        ]
    );
}
