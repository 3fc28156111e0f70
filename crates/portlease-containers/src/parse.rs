//! Reading what engines say, where no engine is.

use std::io::{self, Read as _};

use portlease_core::Name;

use crate::api::{Inspected, Listed};
use crate::container::ContainerDetails;
use crate::engine::{Known, completed, sort};
use crate::fault::FaultKind;
use crate::http::Connection;

/// The status and the text of an answer in HTTP/1.1, as it comes over a socket.
///
/// ```
/// use portlease_containers::parse::answer;
///
/// let bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n";
/// assert_eq!(answer(bytes)?, (200, b"[]".to_vec()));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn answer(bytes: &[u8]) -> io::Result<(u16, Vec<u8>)> {
    let mut connection = Connection::new(bytes);
    let head = connection.head()?;
    let mut text = Vec::new();
    connection.body(&head).read_to_end(&mut text)?;
    Ok((head.status, text))
}

/// The containers of a list, those that it says too little about with what an inspection says.
///
/// ```
/// use portlease_containers::parse::containers;
///
/// let list = br#"[{"Id": "4f", "Names": ["/web-1"], "State": "exited"}]"#;
/// let inspection = br#"{"HostConfig": {"PortBindings": {"80/tcp": [{"HostPort": "8080"}]}}}"#;
/// let found = containers(list, inspection)?;
/// assert_eq!(found[0].to_string(), "container web-1 (docker, exited)");
/// assert_eq!(found[0].ports().len(), 1);
/// # Ok::<(), portlease_containers::FaultKind>(())
/// ```
pub fn containers(list: &[u8], inspection: &[u8]) -> Result<Vec<ContainerDetails>, FaultKind> {
    let nonsense = |error: serde_json::Error| FaultKind::Nonsense(error.to_string());
    let list: Vec<Listed> = serde_json::from_slice(list).map_err(nonsense)?;
    let engine = Name::literal("docker");
    let (known, unclear) = sort(list, &engine, false, &Known::default())?;
    let mut all: Vec<_> = known
        .containers
        .into_values()
        .map(|it| (*it).clone())
        .collect();
    for details in unclear {
        let inspected: Inspected = serde_json::from_slice(inspection).map_err(nonsense)?;
        let config = inspected.host_config.unwrap_or_default();
        all.push(completed(details, config));
    }
    Ok(all)
}
