//! Ports that are leased and held, until JavaScript lets go of them.

#![expect(
    clippy::needless_pass_by_value,
    reason = "Node-API hands over what it copied out of JavaScript"
)]

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use napi_derive::napi;
use portlease::asking::{Desk, Wished, process, warnings};
use portlease::core::{Lease, Move, Plan, Trace};
use portlease::{Allocation, Arrival, Error, Grant, PortNumber, read_argument};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::failure::{Failure, Result, guarded};
use crate::job::{Promised, promise};

/// The grants of one request.
#[derive(Debug)]
#[napi]
pub struct Grants {
    /// Until somebody reads it.
    told: Option<String>,
    all: Vec<Arc<Mutex<Held>>>,
}

/// What the grants are as data.
#[derive(Serialize)]
struct Told<'a> {
    instance: u32,
    moves: &'a [Move],
    warnings: &'a [String],
    trace: Option<&'a Trace>,
    grants: Vec<ToldGrant<'a>>,
}

/// What one of them is.
#[derive(Serialize)]
struct ToldGrant<'a> {
    allocation: Allocation,
    lease: &'a Lease,
}

/// A grant, until it is released, and the server that is on its way.
#[derive(Debug)]
struct Held {
    grant: Option<Grant>,
    arrival: Option<Arrival>,
}

/// What can be done with a grant that takes time, as it is asked for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Asked<'a> {
    #[serde(borrow)]
    Confirm(&'a RawValue),
    Await(&'a RawValue),
    Look,
    LookAtLast(&'a RawValue),
    Release,
}

/// The same when it was read.
enum Act {
    Confirm(Listening),
    Await(Server),
    Look,
    LookAtLast(Waited),
    Release,
}

/// The server listens, says the caller.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[derive(Default)]
struct Listening {
    pid: Option<u32>,
    port: Option<PortNumber>,
}

/// The server that is on its way.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[derive(Default)]
struct Server {
    pid: Option<u32>,
}

/// How long it was waited for, in milliseconds.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Waited {
    waited: u32,
}

impl Act {
    fn read(json: &str) -> Result<Self> {
        let asked: Asked<'_> = serde_json::from_str(json).map_err(|error| {
            Failure::new("INTERNAL", format_args!("There is no such act: {error}."))
        })?;
        Ok(match asked {
            Asked::Confirm(json) => Self::Confirm(read_argument(json.get())?),
            Asked::Await(json) => Self::Await(read_argument(json.get())?),
            Asked::Look => Self::Look,
            Asked::LookAtLast(json) => Self::LookAtLast(read_argument(json.get())?),
            Asked::Release => Self::Release,
        })
    }
}

impl Grants {
    pub(crate) fn reserve(desk: &Desk, wished: &Wished) -> Result<Self> {
        let reservation = desk.reservation(wished)?;
        let mut warnings = warnings(&reservation);
        let grants = desk.allocator().reserve_all(&reservation.build()?)?;
        warnings.extend_from_slice(grants.warnings());
        Self::told(grants, &warnings)
    }

    pub(crate) fn confirm(desk: &Desk, plan: &Plan) -> Result<Self> {
        let grants = desk.allocator().confirm_plan(plan)?;
        let warnings = grants.warnings().to_vec();
        Self::told(grants, &warnings)
    }

    fn told(grants: portlease::Grants, warnings: &[String]) -> Result<Self> {
        let moves: &[Move] = grants.moves();
        let told = |grant| ToldGrant {
            allocation: Allocation::of(grant, moves, warnings.to_vec()),
            lease: grant.lease(),
        };
        let told = serde_json::to_string(&Told {
            instance: grants.instance(),
            moves,
            warnings,
            trace: grants.iter().next().map(Grant::trace),
            grants: grants.iter().map(told).collect(),
        });
        let held = |grant| Held {
            grant: Some(grant),
            arrival: None,
        };
        Ok(Self {
            told: Some(told?),
            all: grants
                .into_iter()
                .map(|grant| Arc::new(Mutex::new(held(grant))))
                .collect(),
        })
    }

    fn held(&self, index: u32) -> Result<&Arc<Mutex<Held>>> {
        self.all
            .get(index as usize)
            .ok_or_else(|| Failure::new("INTERNAL", "There is no such grant."))
    }
}

#[napi]
impl Grants {
    /// Everything about the grants that is data, as JSON. It is told once.
    #[napi]
    pub fn tell(&mut self) -> Option<String> {
        self.told.take()
    }

    /// Does something with a grant.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn act(&self, index: u32, act: String) -> Promised<String> {
        promise(self.held(index).and_then(|held| {
            let (held, act) = (Arc::clone(held), Act::read(&act)?);
            Ok(move || lock(&held).act(act))
        }))
    }

    /// Does something with a grant, in place.
    #[napi]
    pub fn act_sync(&self, index: u32, act: String) -> napi::Result<String> {
        Ok(guarded(|| lock(self.held(index)?).act(Act::read(&act)?))?)
    }

    /// Lets the intended server in.
    #[napi]
    pub fn open_gate(&self, index: u32) -> napi::Result<()> {
        Ok(guarded(|| lock(self.held(index)?).toggle(true))?)
    }

    /// Shuts everybody else out again.
    #[napi]
    pub fn close_gate(&self, index: u32) -> napi::Result<()> {
        Ok(guarded(|| lock(self.held(index)?).toggle(false))?)
    }

    /// Lets go of the port at the operating system.
    #[napi]
    pub fn let_go(&self, index: u32) -> napi::Result<()> {
        Ok(guarded(|| {
            if let Some(grant) = &mut lock(self.held(index)?).grant {
                grant.let_go();
            }
            Ok(())
        })?)
    }
}

fn lock(held: &Mutex<Held>) -> std::sync::MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Held {
    fn grant(&mut self) -> Result<&mut Grant> {
        let grant = self.grant.as_mut();
        grant.ok_or_else(|| Failure::new("RELEASED", "This grant was released. Reserve again."))
    }

    fn toggle(&mut self, open: bool) -> Result<()> {
        let grant = self.grant()?;
        let port = grant.port();
        let Some(hold) = grant.hold() else {
            return Ok(());
        };
        let toggled = if open { hold.open() } else { hold.close() };
        toggled.map_err(|source| {
            Error::from(portlease::probe::BindError::Other { port, source }).into()
        })
    }

    fn act(&mut self, act: Act) -> Result<String> {
        match act {
            Act::Confirm(Listening { pid, port }) => {
                let listener = pid.map(process).transpose()?;
                let port = port.map(|port| port.port()).transpose()?;
                self.grant()?.confirm_at(listener, port)?;
                self.lease()
            }
            Act::Await(Server { pid }) => {
                let arrival = self.grant()?.arrival(pid)?;
                self.arrival = Some(arrival);
                Ok("null".to_owned())
            }
            Act::Look => {
                let Some(mut arrival) = self.arrival.take() else {
                    return Err(not_awaited());
                };
                let has_arrived = self.grant()?.confirm_if_listening(&mut arrival)?;
                if has_arrived {
                    return self.lease();
                }
                self.arrival = Some(arrival);
                Ok("null".to_owned())
            }
            Act::LookAtLast(Waited { waited }) => {
                let arrival = self.arrival.take().ok_or_else(not_awaited)?;
                let waited = Duration::from_millis(waited.into());
                self.grant()?.confirm_at_last(arrival, waited)?;
                self.lease()
            }
            Act::Release => {
                if let Some(grant) = self.grant.take() {
                    grant.release()?;
                }
                Ok("null".to_owned())
            }
        }
    }

    fn lease(&mut self) -> Result<String> {
        Ok(serde_json::to_string(self.grant()?.lease())?)
    }
}

fn not_awaited() -> Failure {
    Failure::new("INTERNAL", "Nobody waits for a server.")
}
