//! A registry that is open, and what is asked of it.

#![expect(
    clippy::needless_pass_by_value,
    reason = "Node-API hands over what it copied out of JavaScript"
)]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::{Arc, Mutex, PoisonError};

use napi_derive::napi;
use portlease::asking::{Callers, Desk};
use portlease::engines::Environment;
use portlease::{Allocator, ConfigSources, Options, read_argument};
use serde::Deserialize;

use crate::call;
use crate::failure::{Failure, Result, guarded};
use crate::grants::Grants;
use crate::job::{Promised, promise};

/// A registry that is open.
#[derive(Debug)]
#[napi]
pub struct Registry(Mutex<Option<Arc<Desk>>>);

/// How it is to be opened.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[derive(Default)]
struct Opening {
    registry: Option<String>,
    cwd: Option<String>,
    /// What the environment says about Portlease. A worker of Node has an environment of its own, so that of the process is not
    /// asked.
    variables: BTreeMap<String, String>,
    tells_steps: bool,
}

/// Opens a registry.
#[napi(ts_return_type = "Promise<Registry>")]
pub fn open(json: String) -> Promised<Registry> {
    promise(prepare(&json))
}

/// Opens a registry, in place.
#[napi]
pub fn open_sync(json: String) -> napi::Result<Registry> {
    Ok(guarded(|| prepare(&json)?())?)
}

/// The environment is read here, on the thread that may change it; the files are read in what is answered.
fn prepare(json: &str) -> Result<impl FnOnce() -> Result<Registry> + Send + use<>> {
    let opening: Opening = read_argument(json)?;
    let folder = opening.cwd.as_deref().unwrap_or(".");
    let sources = sources(folder, &opening.variables);
    let named = opening.registry.as_deref();
    let named = named.map(portlease::Registry::from_url).transpose()?;
    let of_user = portlease::Registry::of_user();
    let engines = Environment::of_variables(|name| opening.variables.get(name).cloned());
    Ok(move || {
        let config = sources.read().map_err(portlease::Error::from)?;
        let registry = match named {
            Some(registry) => registry,
            None => match config.registry()? {
                portlease::Registry::Default => of_user?,
                configured => configured,
            },
        };
        let allocator = Allocator::open(Options {
            registry,
            host: config.host(),
            tells_steps: Some(opening.tells_steps),
            settings: Some(config.host_settings()),
            engines: Some(engines),
            ..Options::default()
        })?;
        let desk = Desk::new(allocator, config, Callers::ThisProcess).variables(opening.variables);
        Ok(Registry(Mutex::new(Some(Arc::new(desk)))))
    })
}

pub(crate) fn sources(folder: &str, variables: &BTreeMap<String, String>) -> ConfigSources {
    let variable = |(name, value): (&String, &String)| (name.clone(), OsString::from(value));
    ConfigSources::of_folder(folder.as_ref()).variables(variables.iter().map(variable))
}

#[napi]
impl Registry {
    /// Answers a call.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn ask(&self, call: String) -> Promised<String> {
        promise(self.desk().and_then(|desk| {
            let answer = call::prepare(&desk, &call)?;
            Ok(move || answer(&desk))
        }))
    }

    /// Answers a call, in place.
    #[napi]
    pub fn ask_sync(&self, call: String) -> napi::Result<String> {
        Ok(guarded(|| {
            let desk = self.desk()?;
            call::prepare(&desk, &call)?(&desk)
        })?)
    }

    /// Leases and holds the ports of a wish.
    #[napi(ts_return_type = "Promise<Grants>")]
    pub fn reserve(&self, wish: String) -> Promised<Grants> {
        promise(self.desk().and_then(|desk| {
            let wish = desk.read_wish(&wish)?;
            Ok(move || Grants::reserve(&desk, &wish))
        }))
    }

    /// Leases and holds the ports of a wish, in place.
    #[napi]
    pub fn reserve_sync(&self, wish: String) -> napi::Result<Grants> {
        Ok(guarded(|| {
            let desk = self.desk()?;
            Grants::reserve(&desk, &desk.read_wish(&wish)?)
        })?)
    }

    /// Leases and holds the ports of a plan that was made elsewhere.
    #[napi(ts_return_type = "Promise<Grants>")]
    pub fn confirm_plan(&self, plan: String) -> Promised<Grants> {
        promise(self.desk().and_then(|desk| {
            let plan = desk.read_plan(&plan)?;
            Ok(move || Grants::confirm(&desk, &plan))
        }))
    }

    /// Leases and holds the ports of a plan that was made elsewhere, in place.
    #[napi]
    pub fn confirm_plan_sync(&self, plan: String) -> napi::Result<Grants> {
        Ok(guarded(|| {
            let desk = self.desk()?;
            Grants::confirm(&desk, &desk.read_plan(&plan)?)
        })?)
    }

    /// Closes the registry, as soon as what was asked before is answered.
    #[napi]
    pub fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn desk(&self) -> Result<Arc<Desk>> {
        let desk = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let desk = desk.clone();
        desk.ok_or_else(|| Failure::new("CLOSED", "This allocator was closed. Open another one."))
    }
}
