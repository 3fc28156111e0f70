//! The calls that are answered with data.

use portlease::asking::{Desk, Nothing, Releasing, Wished};
use portlease::{Error, Wish, read_argument};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::failure::{Failure, Result};

/// What is asked, by the name of the function that asks it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Call<'a> {
    #[serde(borrow)]
    ReserveOrReallocatePort(&'a RawValue),
    AllocatePort(&'a RawValue),
    AllocateContainerPort(&'a RawValue),
    AllocateMultiplePorts(&'a RawValue),
    FindAvailablePort(&'a RawValue),
    Explain(&'a RawValue),
    IsPortAvailable(&'a RawValue),
    GetPortForProject(&'a RawValue),
    ReservePortForProject(&'a RawValue),
    ReleasePortForProject(&'a RawValue),
    Confirm(&'a RawValue),
    Release(&'a RawValue),
    List(&'a RawValue),
    Who(&'a RawValue),
    Validate(&'a RawValue),
    Cleanup(&'a RawValue),
    Stats(&'a RawValue),
    Health(&'a RawValue),
    Snapshot(&'a RawValue),
    Hosts(&'a RawValue),
    ListEverywhere(&'a RawValue),
    StatsEverywhere(&'a RawValue),
    SnapshotOf(&'a RawValue),
    ReserveOn(OnHost<'a>),
    ConfirmPlanOn(OnHost<'a>),
    ReleaseOn(OnHost<'a>),
}

/// What is asked for another host: which it is, and what is asked.
#[derive(Deserialize)]
struct OnHost<'a> {
    #[serde(borrow)]
    on: &'a RawValue,
    asked: &'a RawValue,
}

/// A call that only has to be answered, on whatever thread.
pub(crate) type Answer = Box<dyn FnOnce(&Desk) -> Result<String> + Send>;

/// Reads a call, and what it needs of the environment.
pub(crate) fn prepare(desk: &Desk, call: &str) -> Result<Answer> {
    let call: Call<'_> = serde_json::from_str(call).map_err(|error| {
        Failure::new("INTERNAL", format_args!("There is no such call: {error}."))
    })?;
    match call {
        Call::ReserveOrReallocatePort(json) => wish(desk, json, Desk::reserve_or_reallocate_port),
        Call::AllocatePort(json) => wish(desk, json, Desk::allocate_port),
        Call::AllocateContainerPort(json) => with(json, Desk::allocate_container_port),
        Call::AllocateMultiplePorts(json) => wish(desk, json, Desk::allocate_multiple_ports),
        Call::FindAvailablePort(json) => wish(desk, json, Desk::find_available_port),
        Call::Explain(json) => wish(desk, json, Desk::explain),
        Call::IsPortAvailable(json) => with(json, Desk::is_port_available),
        Call::GetPortForProject(json) => with(json, Desk::get_port_for_project),
        Call::ReservePortForProject(json) => with(json, Desk::reserve_port_for_project),
        Call::ReleasePortForProject(json) => with(json, Desk::release_port_for_project),
        Call::Confirm(json) => with(json, Desk::confirm),
        Call::Release(json) => with(json, Desk::release),
        Call::List(json) => with(json, Desk::list),
        Call::Who(json) => with(json, Desk::who),
        Call::Validate(json) => with(json, Desk::validate),
        Call::Cleanup(json) => with(json, Desk::cleanup),
        Call::Stats(json) => with(json, Desk::stats),
        Call::Health(json) => with(json, Desk::health),
        Call::Snapshot(json) => with(json, |desk, Nothing {}| desk.allocator().snapshot()),
        Call::Hosts(json) => with(json, |desk, Nothing {}| desk.hosts()),
        Call::ListEverywhere(json) => with(json, Desk::list_everywhere),
        Call::StatsEverywhere(json) => with(json, Desk::stats_everywhere),
        Call::SnapshotOf(json) => with(json, Desk::snapshot_of),
        Call::ReserveOn(OnHost { on, asked }) => {
            let wish = Wish::read(asked.get())?;
            with(on, move |desk, on| desk.reserve_on(on, &wish))
        }
        Call::ConfirmPlanOn(OnHost { on, asked }) => {
            let plan = desk.read_plan(asked.get())?;
            with(on, move |desk, patience| {
                desk.confirm_plan_on(&plan, patience)
            })
        }
        Call::ReleaseOn(OnHost { on, asked }) => {
            let releasing: Releasing = read_argument(asked.get())?;
            with(on, move |desk, on| desk.release_on(on, &releasing))
        }
    }
}

fn with<T, A>(
    json: &RawValue,
    ask: impl FnOnce(&Desk, &T) -> std::result::Result<A, Error> + Send + 'static,
) -> Result<Answer>
where
    T: for<'a> Deserialize<'a> + Send + 'static,
    A: Serialize + 'static,
{
    let argument: T = read_argument(json.get())?;
    Ok(Box::new(move |desk| answer(ask(desk, &argument))))
}

fn wish<A: Serialize + 'static>(
    desk: &Desk,
    json: &RawValue,
    ask: fn(&Desk, &Wished) -> std::result::Result<A, Error>,
) -> Result<Answer> {
    let wished = desk.read_wish(json.get())?;
    Ok(Box::new(move |desk| answer(ask(desk, &wished))))
}

fn answer<T: Serialize>(answer: std::result::Result<T, Error>) -> Result<String> {
    Ok(serde_json::to_string(&answer?)?)
}
