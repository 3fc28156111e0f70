//! Questions to an engine, and the parts of its answers that matter.
//!
//! Paths without a version, and readers that take what they need and ignore the rest: so one reader
//! serves every version of Docker and Podman alike.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::time::Instant;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::endpoint::Endpoint;
use crate::fault::FaultKind;
use crate::http;
use crate::stream::Stream;

/// More than any engine says about its containers: a list of 10,000 of them has some 10 MB.
const LONGEST_ANSWER: u64 = 64 << 20;

/// A connection to an engine, on which one question follows the other until its deadline.
pub(crate) struct Connection {
    http: http::Connection<Stream>,
}

/// An answer, and who gave it.
pub(crate) struct Answer<T> {
    pub(crate) value: T,
    pub(crate) is_podman: bool,
}

/// A container in a list.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Listed {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) names: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) created: Option<u64>,
    #[serde(default)]
    pub(crate) labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(crate) state: Option<String>,
    #[serde(default)]
    pub(crate) ports: Option<Vec<ListedPort>>,
    #[serde(default)]
    pub(crate) host_config: Option<HostConfig>,
}

/// A port in a list.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListedPort {
    #[serde(default, rename = "IP")]
    pub(crate) ip: Option<String>,
    #[serde(default)]
    pub(crate) public_port: Option<u16>,
    #[serde(default)]
    pub(crate) r#type: Option<String>,
}

/// A container, as it is inspected.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Inspected {
    #[serde(default)]
    pub(crate) host_config: Option<HostConfig>,
}

/// What was said about the machine when the container was made.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct HostConfig {
    #[serde(default)]
    pub(crate) network_mode: Option<String>,
    #[serde(default)]
    pub(crate) port_bindings: Option<BTreeMap<String, Option<Vec<Binding>>>>,
}

/// Where a port of the container goes.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Binding {
    #[serde(default)]
    pub(crate) host_ip: Option<String>,
    #[serde(default)]
    pub(crate) host_port: Option<String>,
}

impl Connection {
    /// No fault, when it only means that no engine is there.
    pub(crate) fn open(endpoint: &Endpoint, deadline: Instant) -> Result<Self, Option<FaultKind>> {
        match Stream::open(&endpoint.address, deadline) {
            Ok(stream) => Ok(Self {
                http: http::Connection::new(stream),
            }),
            Err(error) if !endpoint.is_named && FaultKind::is_absence(&error) => Err(None),
            Err(error) if FaultKind::is_late(&error) => Err(Some(FaultKind::TimedOut)),
            Err(error) => Err(Some(FaultKind::Unreachable(error.to_string()))),
        }
    }

    /// Asks for a value. Nothing, when what it is about does not exist.
    pub(crate) fn ask<T: DeserializeOwned>(
        &mut self,
        path: &str,
    ) -> Result<Option<Answer<T>>, FaultKind> {
        let (head, body) = self.send("GET", path)?;
        match head.status {
            200..300 => {}
            404 => return Ok(None),
            status => return Err(FaultKind::Refused(status)),
        }
        let value = serde_json::from_slice(&body)
            .map_err(|error| FaultKind::Nonsense(error.to_string()))?;
        Ok(Some(Answer {
            value,
            is_podman: head.is_podman,
        }))
    }

    /// Has something done. It is no fault when there is nothing left to do.
    pub(crate) fn act(&mut self, method: &str, path: &str) -> Result<(), FaultKind> {
        let (head, _) = self.send(method, path)?;
        match head.status {
            200..400 | 404 | 409 => Ok(()),
            status => Err(FaultKind::Refused(status)),
        }
    }

    /// Asks for an answer that goes on and on, and that may take its time from here on.
    pub(crate) fn follow(&mut self, path: &str) -> Result<http::Body<'_, Stream>, FaultKind> {
        let head = self.http.send("GET", path)?;
        if !(200..300).contains(&head.status) {
            return Err(FaultKind::Refused(head.status));
        }
        self.http.stream().wait_for_ever()?;
        Ok(self.http.body(&head))
    }

    /// The way to the engine.
    pub(crate) fn stream(&mut self) -> &mut Stream {
        self.http.stream()
    }

    fn send(&mut self, method: &str, path: &str) -> Result<(http::Head, Vec<u8>), FaultKind> {
        let head = self.http.send(method, path)?;
        let mut body = Vec::new();
        let mut rest = self.http.body(&head).take(LONGEST_ANSWER);
        rest.read_to_end(&mut body)?;
        if rest.limit() == 0 {
            return Err(FaultKind::Nonsense("it is too long".to_owned()));
        }
        Ok((head, body))
    }
}

impl From<io::Error> for FaultKind {
    fn from(error: io::Error) -> Self {
        if Self::is_late(&error) {
            Self::TimedOut
        } else {
            Self::BrokenOff(error.to_string())
        }
    }
}
