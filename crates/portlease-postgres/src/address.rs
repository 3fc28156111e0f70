//! Where a registry is: the URL of a PostgreSQL, as libpq and everybody else write it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use portlease_core::{StoreError, StoreErrorKind};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::passfile;
use crate::tls::{Roots, Trust};

/// The URL of a registry in PostgreSQL, read and complete. It shows itself without its password.
///
/// `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, or `postgresql://`. What stands after a `?` is what libpq calls so:
///
/// | parameter | meaning |
/// |---|---|
/// | `host`, `port`, `user`, `password`, `dbname` | in place of the parts before; `host=/run/postgresql` is the folder of a socket |
/// | `sslmode` | `disable`, `allow`, `prefer` (when nothing is said), `require`, `verify-ca`, `verify-full` |
/// | `sslrootcert` | the file of the certificates that are trusted, or `system`; without it those of the system are |
/// | `connect_timeout` | how many seconds an attempt at a connection may take: 3, unless said otherwise |
/// | `passfile` | the file of passwords, in place of `~/.pgpass` |
/// | `target_session_attrs`, `application_name`, `options`, `keepalives`, `keepalives_idle`, … | as libpq has them |
///
/// Several hosts may be named, `postgres://a:5432,b:5432/db`; the one that can be written is used. The password is looked for in
/// the URL, then in `PGPASSWORD`, then in the file that `PGPASSFILE` names or `~/.pgpass`.
///
/// ```
/// use portlease_postgres::Address;
///
/// let address: Address = "postgres://ada:secret@db.example/fleet?sslmode=verify-full".parse()?;
/// assert_eq!(address.to_string(), "db.example:5432/fleet");
/// assert!(!format!("{address:?}").contains("secret"));
/// assert!("postgres://db.example/fleet?sslmode=perhaps".parse::<Address>().is_err());
/// # Ok::<(), portlease_core::StoreError>(())
/// ```
#[derive(Clone)]
pub struct Address {
    pub(crate) config: Config,
    pub(crate) trust: Trust,
}

/// How long an attempt at a connection may take when nobody says it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// After so long without a word, a connection is asked whether it is there, and so often again.
const KEEPALIVES_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVES_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVES_RETRIES: u32 = 3;

/// What the client understands by itself.
const PASSED_ON: &[&str] = &[
    "user",
    "password",
    "dbname",
    "options",
    "application_name",
    "host",
    "hostaddr",
    "port",
    "connect_timeout",
    "tcp_user_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "target_session_attrs",
    "channel_binding",
    "load_balance_hosts",
    "sslnegotiation",
];

impl FromStr for Address {
    type Err = StoreError;

    fn from_str(url: &str) -> Result<Self, StoreError> {
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        if query.contains('@') && !place.contains('@') {
            return Err(unreadable(
                "has an `@` after its `?`, as if the password had a `?`",
                "Write %3F for a ? in a password, and %40 for an @.",
            ));
        }
        let mut own = Own::default();
        let mut passed_on = Vec::new();
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            if !own.take(name, value)? {
                if !PASSED_ON.contains(&name) {
                    return Err(unknown(name));
                }
                passed_on.push(parameter);
            }
        }
        // What the client says about a URL that it cannot read may quote a part of it, and that may be the password.
        let mut config: Config = format!("{place}?{}", passed_on.join("&")).parse().map_err(|_| {
            unreadable(
                "is none",
                "Write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with %xx for what is special in a password.",
            )
        })?;
        complete(&mut config, &own)?;
        Ok(Self {
            trust: own.trust(&mut config),
            config,
        })
    }
}

/// The parameters that the client does not know.
#[derive(Default)]
struct Own {
    sslmode: Option<String>,
    sslrootcert: Option<String>,
    passfile: Option<PathBuf>,
}

impl Own {
    /// Answers whether the parameter is one of these.
    fn take(&mut self, name: &str, value: &str) -> Result<bool, StoreError> {
        let modes = [
            "disable",
            "allow",
            "prefer",
            "require",
            "verify-ca",
            "verify-full",
        ];
        match name {
            "sslmode" if modes.contains(&value) => self.sslmode = Some(value.to_owned()),
            "sslmode" => {
                let remedy = format!("Write one of {}.", modes.join(", "));
                return Err(unreadable("has an `sslmode` that there is not", &remedy));
            }
            "sslrootcert" => self.sslrootcert = Some(decoded(value)?),
            "passfile" => self.passfile = Some(decoded(value)?.into()),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// What is to be believed of a server, as libpq decides it.
    fn trust(&self, config: &mut Config) -> Trust {
        let roots = match self.sslrootcert.as_deref() {
            None | Some("system") => Roots::System,
            Some(file) => Roots::File(file.into()),
        };
        let mode = self.sslmode.as_deref().unwrap_or("prefer");
        config.ssl_mode(match mode {
            "disable" => SslMode::Disable,
            "allow" | "prefer" => SslMode::Prefer,
            _ => SslMode::Require,
        });
        match mode {
            "verify-full" => Trust::Name(roots),
            "verify-ca" => Trust::Chain(roots),
            "require" if self.sslrootcert.is_some() => Trust::Chain(roots),
            _ => Trust::Anybody,
        }
    }
}

fn complete(config: &mut Config, own: &Own) -> Result<(), StoreError> {
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(unreadable(
            "names no host",
            "Write postgres://USER@HOST:PORT/DATABASE, or host=/run/postgresql for a socket.",
        ));
    }
    if config.get_ports().len() > config.get_hosts().len().max(config.get_hostaddrs().len()) {
        return Err(unreadable(
            "names more ports than hosts",
            "Write each port behind its host, as in postgres://a:5432,b:5433/DATABASE.",
        ));
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    config.keepalives_idle(config.get_keepalives_idle().min(KEEPALIVES_IDLE));
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(KEEPALIVES_INTERVAL);
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(KEEPALIVES_RETRIES);
    }
    if config.get_application_name().is_none() {
        config.application_name("portlease");
    }
    let is_one_of_several = config.get_hosts().len().max(config.get_hostaddrs().len()) > 1;
    if is_one_of_several && config.get_target_session_attrs() == TargetSessionAttrs::Any {
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    if config.get_password().is_none()
        && let Some(password) = passfile::password(config, own.passfile.as_deref())
    {
        config.password(password);
    }
    Ok(())
}

impl Address {
    /// The hosts, each with its port.
    pub(crate) fn places(&self) -> Vec<(String, u16)> {
        let ports = self.config.get_ports();
        let port = |index: usize| *ports.get(index).or(ports.first()).unwrap_or(&5432);
        let named = self.config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            #[cfg(unix)]
            Host::Unix(folder) => folder.display().to_string(),
        });
        let mut places: Vec<String> = named.collect();
        if places.is_empty() {
            let addresses = self.config.get_hostaddrs().iter();
            places = addresses.map(ToString::to_string).collect();
        }
        let with_port = |(index, place)| (place, port(index));
        places.into_iter().enumerate().map(with_port).collect()
    }

    /// The database; that of the user's name when nothing is said.
    pub(crate) fn database(&self) -> &str {
        let named = self.config.get_dbname().or(self.config.get_user());
        named.unwrap_or("")
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (host, port)) in self.places().iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(formatter, "{comma}{host}:{port}")?;
        }
        match self.database() {
            "" => Ok(()),
            database => write!(formatter, "/{database}"),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Address({self})")
    }
}

fn decoded(value: &str) -> Result<String, StoreError> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&first, others)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = others;
            continue;
        }
        let digits = others
            .get(..2)
            .and_then(|digits| str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.ok_or_else(not_decoded)?);
        rest = &others[2..];
    }
    String::from_utf8(bytes).map_err(|_| not_decoded())
}

fn not_decoded() -> StoreError {
    unreadable(
        "has a `%` without two hexadecimal digits behind it",
        "Write %25 for a %.",
    )
}

fn unknown(name: &str) -> StoreError {
    let known = "sslmode, sslrootcert, connect_timeout, passfile, target_session_attrs, application_name and options";
    unreadable(
        &format!("has a parameter {name:?} that is not supported"),
        &format!("Leave it out; {known} are among those that are."),
    )
}

fn unreadable(what: &str, remedy: &str) -> StoreError {
    StoreError {
        kind: StoreErrorKind::Unsuitable,
        problem: format!("The URL of the PostgreSQL {what}."),
        remedy: remedy.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, shown: &str) {
        let address: Address = url.parse().unwrap();
        assert_eq!(address.to_string(), shown);
    }

    #[test]
    fn the_place_of_a_url() {
        check("postgres://db.example/fleet", "db.example:5432/fleet");
        check("postgresql://ada@db.example:6000", "db.example:6000/ada");
        check("postgres://ada@a:1,b:2/fleet", "a:1,b:2/fleet");
        check("postgres://ada@[::1]:1/fleet", "::1:1/fleet");
        check("postgres:///fleet?host=/run/pg", "/run/pg:5432/fleet");
        check("postgres:///fleet?host=/run/pg&port=7", "/run/pg:7/fleet");
        check("postgres://%2Frun%2Fpg/fleet", "/run/pg:5432/fleet");
    }

    #[track_caller]
    fn check_trust(query: &str, mode: SslMode, trust: &str) {
        let address: Address = format!("postgres://db.example/fleet?{query}")
            .parse()
            .unwrap();
        assert_eq!(address.config.get_ssl_mode(), mode, "{query}");
        assert_eq!(format!("{:?}", address.trust), trust, "{query}");
    }

    #[test]
    fn the_modes_of_encryption_are_those_of_libpq() {
        check_trust("", SslMode::Prefer, "Anybody");
        check_trust("sslmode=disable", SslMode::Disable, "Anybody");
        check_trust("sslmode=allow", SslMode::Prefer, "Anybody");
        check_trust("sslmode=require", SslMode::Require, "Anybody");
        let with_file = "sslmode=require&sslrootcert=/a%20b.pem";
        check_trust(with_file, SslMode::Require, "Chain(File(\"/a b.pem\"))");
        check_trust("sslmode=verify-ca", SslMode::Require, "Chain(System)");
        check_trust(
            "sslmode=verify-full&sslrootcert=system",
            SslMode::Require,
            "Name(System)",
        );
    }

    #[test]
    fn of_several_hosts_the_one_that_can_be_written() {
        let attributes = |url: &str| {
            let address: Address = url.parse().unwrap();
            address.config.get_target_session_attrs()
        };
        assert_eq!(
            attributes("postgres://a,b/fleet"),
            TargetSessionAttrs::ReadWrite
        );
        assert_eq!(attributes("postgres://a/fleet"), TargetSessionAttrs::Any);
    }

    #[test]
    fn what_cannot_be_read_is_explained_without_the_password() {
        for url in [
            "postgres://ada:se?cret@db.example/fleet",
            "postgres://ada:se?cret=x@db.example/fleet",
            "postgres://ada:secret@db.example:port/fleet",
            "postgres://ada:secret@db.example/fleet?sslmode=se-cret",
            "postgres://ada:secret@db.example/fleet?sslrootcert=%se",
            "postgres://ada:secret@/fleet",
            "postgres:secret",
        ] {
            let error = url.parse::<Address>().unwrap_err();
            assert_eq!(error.kind, StoreErrorKind::Unsuitable);
            let text = format!("{error} {error:?}");
            assert!(
                !text.contains("se") || !text.contains("cret"),
                "{url}: {text}"
            );
            assert!(error.remedy.starts_with("Write "), "{error}");
        }
        let error = "postgres://db/fleet?sslcrl=x"
            .parse::<Address>()
            .unwrap_err();
        assert!(error.problem.contains("\"sslcrl\""), "{error}");
    }
}
