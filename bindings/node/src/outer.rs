//! The run that this process is part of, or begins, and which of its services a wish is about.

#![expect(
    clippy::needless_pass_by_value,
    reason = "Node-API hands over what it copied out of JavaScript"
)]

use std::collections::BTreeMap;

use napi_derive::napi;
use portlease::core::Name;
use portlease::{Error, OuterRun, PortNumber, Reservation, Wish, read_argument};
use serde::{Deserialize, Serialize};

use crate::failure::{Result, guarded};
use crate::registry::sources;

/// A service of a project.
#[derive(Serialize)]
struct Key {
    project: Name,
    service: Name,
}

/// What a run has begun with.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Begun {
    project: String,
    service: String,
    port: PortNumber,
}

/// Which service of which project a wish is about, as JSON. The variables are what the environment says about Portlease.
#[napi]
pub fn key_of(wish: String, variables: String) -> napi::Result<String> {
    Ok(guarded(|| {
        let key = read_key(&wish, &variables)?;
        Ok(serde_json::to_string(&key)?)
    })?)
}

/// The port that a run has for the service of a wish. Which run it is, the variable `PORTLEASE_RUN` has told.
#[napi]
pub fn port_of_run(told: String, wish: String, variables: String) -> napi::Result<Option<u32>> {
    Ok(guarded(|| {
        let Some(run) = OuterRun::read(&told) else {
            return Ok(None);
        };
        let Key { project, service } = read_key(&wish, &variables)?;
        let port = run.port_of(&project, &service);
        Ok(port.map(|port| port.get().into()))
    })?)
}

/// What the variable `PORTLEASE_RUN` has to tell those whom this process starts.
#[napi]
pub fn tell_run(begun: String) -> napi::Result<String> {
    Ok(guarded(|| {
        let begun: Begun = read_argument(&begun)?;
        let service = (begun.service.parse()?, begun.port.port()?);
        Ok(OuterRun::of_this_process(begun.project.parse()?, [service]).to_string())
    })?)
}

fn read_key(wish: &str, variables: &str) -> Result<Key> {
    let wish = Wish::read(wish)?;
    let variables: BTreeMap<String, String> = read_argument(variables)?;
    let sources = sources(wish.folder().unwrap_or("."), &variables);
    let config = sources.read().map_err(Error::from)?;
    let request = Reservation::wished(&wish, Some(&config))?.build()?;
    let first = request.services.into_iter().next();
    let first = first.ok_or(Error::Refused(portlease::core::Refusal::NoServices))?;
    Ok(Key {
        project: request.project,
        service: first.name,
    })
}
