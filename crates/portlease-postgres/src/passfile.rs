//! Passwords from where libpq looks for them: `PGPASSWORD`, then a file with a line for each server.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// The password for these servers, when somebody wrote it down.
pub(crate) fn password(config: &Config, file: Option<&Path>) -> Option<String> {
    if let Ok(password) = env::var("PGPASSWORD")
        && !password.is_empty()
    {
        return Some(password);
    }
    let file = file.map(Path::to_path_buf).or_else(usual_file)?;
    if is_open_to_others(&file) {
        return None;
    }
    in_text(&fs::read_to_string(file).ok()?, config)
}

fn usual_file() -> Option<PathBuf> {
    let named = env::var_os("PGPASSFILE").filter(|name| !name.is_empty());
    named.map(PathBuf::from).or_else(|| {
        let home = env::home_dir()?;
        Some(if cfg!(windows) {
            let roaming = env::var_os("APPDATA")?;
            Path::new(&roaming).join("postgresql").join("pgpass.conf")
        } else {
            home.join(".pgpass")
        })
    })
}

/// libpq ignores such a file, and so it is useless to whoever could read it there.
#[cfg(unix)]
fn is_open_to_others(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(file).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

/// Each line is `host:port:database:user:password`, where `*` stands for anything and `\` takes the meaning from what follows.
fn in_text(text: &str, config: &Config) -> Option<String> {
    let user = config.get_user()?;
    let database = config.get_dbname().unwrap_or(user);
    let host = match config.get_hosts().first()? {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(folder) => folder.display().to_string(),
    };
    let port = config.get_ports().first().unwrap_or(&5432).to_string();
    let wanted = [host.as_str(), &port, database, user];
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(fields).find_map(|fields| {
        let (password, place) = fields.split_last()?;
        let fits = |(said, wanted): (&String, &str)| said == "*" || said == wanted;
        let is_meant = place.len() == wanted.len() && place.iter().zip(wanted).all(fits);
        is_meant.then(|| password.clone())
    })
}

fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ':' if fields.len() < 5 => fields.push(String::new()),
            _ => {
                let meant = match letter {
                    '\\' => letters.next().unwrap_or('\\'),
                    letter => letter,
                };
                fields.last_mut().expect("there is always one").push(meant);
            }
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, url: &str, expected: Option<&str>) {
        let config: Config = url.parse().unwrap();
        assert_eq!(in_text(text, &config).as_deref(), expected, "{text}");
    }

    #[test]
    fn the_first_line_that_fits() {
        let url = "postgres://ada@db.example:6000/fleet";
        check("db.example:6000:fleet:ada:secret", url, Some("secret"));
        check("*:*:*:ada:se:cret", url, Some("se:cret"));
        check(r"*:*:*:ada:se\:c\\ret", url, Some(r"se:c\ret"));
        check(
            "# *:*:*:*:no\n\nother:*:*:*:no\n*:*:*:*:yes",
            url,
            Some("yes"),
        );
        check("*:5432:*:*:no", url, None);
        check("*:*:*:bob:no", url, None);
        check("a line of something else", url, None);
    }

    #[test]
    fn what_is_not_said_is_what_libpq_takes() {
        check("h:5432:ada:ada:secret", "postgres://ada@h", Some("secret"));
        check(
            "/run/pg:5432:db:ada:secret",
            "postgres://ada@%2Frun%2Fpg/db",
            Some("secret"),
        );
    }
}
