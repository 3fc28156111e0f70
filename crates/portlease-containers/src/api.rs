//! Questions to an engine, and the parts of its answers that matter.
//!
//! Paths without a version, and readers that take what they need and ignore the rest: so one reader
//! serves every version of Docker and Podman alike.

use std::collections::BTreeMap;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::endpoint::Endpoint;
use crate::fault::FaultKind;

/// More than any engine says about its containers: a list of 10,000 of them has some 10 MB.
const LONGEST_ANSWER: usize = 64 << 20;

/// A connection to an engine, on which one question follows the other.
pub(crate) struct Connection {
    sender: SendRequest<Empty<Bytes>>,
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
    pub(crate) async fn open(endpoint: &Endpoint) -> Result<Self, Option<FaultKind>> {
        let stream = endpoint.address.connect().await.map_err(|error| {
            let is_silent = !endpoint.is_named && FaultKind::is_absence(&error);
            (!is_silent).then(|| FaultKind::Unreachable(error.to_string()))
        })?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(broken_off)?;
        // What goes wrong on the way is told to those who wait for answers.
        tokio::spawn(async move { drop(connection.await) });
        Ok(Self { sender })
    }

    /// Asks for a value. Nothing, when what it is about does not exist.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &mut self,
        path: &str,
    ) -> Result<Option<Answer<T>>, FaultKind> {
        let response = self.send(Method::GET, path).await?;
        let is_podman = response.headers().contains_key("libpod-api-version");
        let status = response.status();
        let body = Limited::new(response.into_body(), LONGEST_ANSWER)
            .collect()
            .await
            .map_err(|error| FaultKind::BrokenOff(error.to_string()))?;
        if status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        if !status.is_success() {
            return Err(FaultKind::Refused(status.as_u16()));
        }
        let value = serde_json::from_slice(&body.to_bytes())
            .map_err(|error| FaultKind::Nonsense(error.to_string()))?;
        Ok(Some(Answer { value, is_podman }))
    }

    /// Asks for an answer that goes on and on.
    pub(crate) async fn follow(&mut self, path: &str) -> Result<Incoming, FaultKind> {
        let response = self.send(Method::GET, path).await?;
        match response.status() {
            status if status.is_success() => Ok(response.into_body()),
            status => Err(FaultKind::Refused(status.as_u16())),
        }
    }

    async fn send(&mut self, method: Method, path: &str) -> Result<Response<Incoming>, FaultKind> {
        self.sender.ready().await.map_err(broken_off)?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            // The host of a socket has no name; HTTP wants one all the same.
            .header(header::HOST, "localhost")
            .body(Empty::new())
            .map_err(|error| FaultKind::BrokenOff(error.to_string()))?;
        self.sender.send_request(request).await.map_err(broken_off)
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it stands where errors are mapped"
)]
fn broken_off(error: hyper::Error) -> FaultKind {
    FaultKind::BrokenOff(error.to_string())
}
