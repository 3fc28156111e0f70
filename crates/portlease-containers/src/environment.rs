//! Where engines are looked for: what the user's variables say, or else the usual places.

use std::env;
use std::path::PathBuf;

use crate::endpoint::{Address, Endpoint};

const ENGINES: [&str; 2] = ["docker", "podman"];

/// What the user's environment says about containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Whether containers are of interest: `CONTAINERIZATION_ENABLED`, true when absent.
    pub is_enabled: bool,
    /// The only engine that is of interest, such as `podman`: `CONTAINERIZATION_ENGINE`.
    pub engine: Option<String>,
    /// Where Docker is: `DOCKER_HOST`.
    pub docker_host: Option<String>,
    /// Where Podman is: `CONTAINER_HOST`.
    pub podman_host: Option<String>,
    /// The folder of the user's sockets: `XDG_RUNTIME_DIR`.
    pub runtime_folder: Option<PathBuf>,
    /// The user's home.
    pub home: Option<PathBuf>,
}

impl Default for Environment {
    fn default() -> Self {
        Self {
            is_enabled: true,
            engine: None,
            docker_host: None,
            podman_host: None,
            runtime_folder: None,
            home: None,
        }
    }
}

impl Environment {
    /// The environment of this process.
    pub fn read() -> Self {
        Self::of_variables(|name| env::var(name).ok())
    }

    /// The same from variables that are not those of this process. The home is that of its user.
    ///
    /// ```
    /// use portlease_containers::Environment;
    ///
    /// let environment = Environment::of_variables(|name| (name == "CONTAINERIZATION_ENABLED").then(|| "false".to_owned()));
    /// assert!(!environment.is_enabled);
    /// ```
    pub fn of_variables(value: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name| value(name).filter(|value| !value.is_empty());
        let is_off =
            |value: String| matches!(&*value.to_ascii_lowercase(), "false" | "0" | "no" | "off");
        Self {
            is_enabled: !text("CONTAINERIZATION_ENABLED").is_some_and(is_off),
            engine: text("CONTAINERIZATION_ENGINE").map(|name| name.to_ascii_lowercase()),
            docker_host: text("DOCKER_HOST"),
            podman_host: text("CONTAINER_HOST"),
            runtime_folder: text("XDG_RUNTIME_DIR").map(PathBuf::from),
            home: env::home_dir(),
        }
    }

    /// What the user should know about what the variables say.
    ///
    /// ```
    /// use portlease_containers::Environment;
    ///
    /// let environment = Environment { engine: Some("dcoker".to_owned()), ..Environment::default() };
    /// assert!(environment.warning().unwrap().contains("docker and podman"));
    /// ```
    pub fn warning(&self) -> Option<String> {
        let engine = self.engine.as_deref()?;
        (self.is_enabled && self.only().is_none()).then(|| {
            format!(
                "CONTAINERIZATION_ENGINE={engine:?} names no engine that Portlease knows, which are {}: all of them are asked.",
                ENGINES.join(" and ")
            )
        })
    }

    /// The only engine of interest. Because of a name that nobody knows no container's port is given away.
    fn only(&self) -> Option<&str> {
        self.engine.as_deref().filter(|name| ENGINES.contains(name))
    }

    /// Where engines may be: a place that the user named counts alone for its engine.
    pub(crate) fn endpoints(&self) -> Vec<Endpoint> {
        if !self.is_enabled {
            return Vec::new();
        }
        let mut endpoints = Vec::new();
        let hosts = [&self.docker_host, &self.podman_host];
        for (engine, named) in ENGINES.into_iter().zip(hosts) {
            if self.only().is_some_and(|only| only != engine) {
                continue;
            }
            match named {
                Some(url) => endpoints.push(Endpoint {
                    engine,
                    address: Address::parse(url),
                    is_named: true,
                    is_default: false,
                }),
                None => endpoints.extend(self.usual(engine)),
            }
        }
        endpoints
    }

    fn usual(&self, engine: &'static str) -> impl Iterator<Item = Endpoint> {
        let below_runtime = |name| self.runtime_folder.as_ref().map(|folder| folder.join(name));
        let below_home = |name| self.home.as_ref().map(|folder| folder.join(name));
        let sockets: Vec<Option<PathBuf>> = match engine {
            _ if cfg!(windows) => Vec::new(),
            "docker" => vec![
                Some("/var/run/docker.sock".into()),
                below_runtime("docker.sock"),
                below_home(".docker/run/docker.sock"),
                below_home(".docker/desktop/docker.sock"),
            ],
            _ => vec![
                Some("/run/podman/podman.sock".into()),
                below_runtime("podman/podman.sock"),
            ],
        };
        let pipe = cfg!(windows).then(|| {
            let name = if engine == "docker" {
                r"\\.\pipe\docker_engine"
            } else {
                r"\\.\pipe\podman-machine-default"
            };
            Address::Pipe(name.into())
        });
        let mut is_default = true;
        let sockets = sockets.into_iter().flatten().map(Address::Socket);
        sockets.chain(pipe).map(move |address| Endpoint {
            engine,
            address,
            is_named: false,
            is_default: std::mem::take(&mut is_default),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(environment: &Environment, expected: &[&str]) {
        let told = |endpoint: &Endpoint| format!("{} {}", endpoint.engine, endpoint.address);
        let found: Vec<String> = environment.endpoints().iter().map(told).collect();
        assert_eq!(found, expected);
    }

    fn somebody() -> Environment {
        Environment {
            runtime_folder: Some("/run/user/7".into()),
            home: Some("/home/ada".into()),
            ..Environment::default()
        }
    }

    #[test]
    #[cfg(unix)]
    fn the_usual_places_of_both_engines_with_and_without_root() {
        check(
            &somebody(),
            &[
                "docker unix:///var/run/docker.sock",
                "docker unix:///run/user/7/docker.sock",
                "docker unix:///home/ada/.docker/run/docker.sock",
                "docker unix:///home/ada/.docker/desktop/docker.sock",
                "podman unix:///run/podman/podman.sock",
                "podman unix:///run/user/7/podman/podman.sock",
            ],
        );
    }

    #[test]
    #[cfg(unix)]
    fn a_place_that_was_named_counts_alone_for_its_engine() {
        let environment = Environment {
            docker_host: Some("tcp://engine.test:2375".into()),
            ..somebody()
        };
        check(
            &environment,
            &[
                "docker tcp://engine.test:2375",
                "podman unix:///run/podman/podman.sock",
                "podman unix:///run/user/7/podman/podman.sock",
            ],
        );
    }

    #[test]
    #[cfg(unix)]
    fn one_engine_alone() {
        let environment = Environment {
            engine: Some("podman".into()),
            docker_host: Some("tcp://engine.test:2375".into()),
            home: None,
            runtime_folder: None,
            ..somebody()
        };
        check(&environment, &["podman unix:///run/podman/podman.sock"]);
    }

    #[test]
    fn an_engine_that_nobody_knows_turns_none_off() {
        let environment = Environment {
            engine: Some("dcoker".into()),
            ..somebody()
        };
        assert_eq!(environment.endpoints(), somebody().endpoints());
        assert!(environment.warning().is_some());
        assert_eq!(somebody().warning(), None);
    }

    #[test]
    fn nothing_when_turned_off() {
        let environment = Environment {
            is_enabled: false,
            ..somebody()
        };
        check(&environment, &[]);
    }
}
