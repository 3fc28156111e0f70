//! The calls that are answered with data.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use portlease::core::{Confirm, Holder, LeaseKey, Name, Plan, Port, Refusal, Release, StatsQuery};
use portlease::probe::identity;
use portlease::{
    Allocation, ConfigSources, Error, HealthCheck, InvalidArgument, PortPresence, Reservation,
    Wish, check_health, read_argument,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;

use crate::arguments::{
    Abandoned, Application, Availability, Checkup, Confirmation, Counting, Nothing, OfPort,
    OfProject, ProjectPort, Releasing, Selection,
};
use crate::failure::{Failure, Result};
use crate::registry::Opened;

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
}

/// A call that only has to be answered, on whatever thread.
pub(crate) type Answer = Box<dyn FnOnce(&Opened) -> Result<String> + Send>;

/// Reads a call, and what it needs of the environment.
pub(crate) fn prepare(opened: &Opened, call: &str) -> Result<Answer> {
    let call: Call<'_> = serde_json::from_str(call).map_err(|error| {
        Failure::new("INTERNAL", format_args!("There is no such call: {error}."))
    })?;
    match call {
        Call::ReserveOrReallocatePort(json) => wish(opened, json, |opened, reservation| {
            answer(opened.allocator.reserve_or_reallocate_port(reservation))
        }),
        Call::AllocatePort(json) => wish(opened, json, |opened, reservation| {
            let reservation = reservation.without_moves();
            number(opened.allocator.reserve_or_reallocate_port(reservation))
        }),
        Call::AllocateContainerPort(json) => with(json, |opened, application: Application| {
            let Application { app_id, force_new } = application;
            let reservation = Reservation::of_application(&app_id, force_new == Some(true));
            let reservation = opened.config.general(reservation);
            number(opened.allocator.reserve_for_container(reservation))
        }),
        Call::AllocateMultiplePorts(json) => wish(opened, json, |opened, reservation| {
            let mut warnings = warnings(&reservation);
            let grants = opened.allocator.reserve_for_others(reservation)?;
            warnings.extend_from_slice(grants.warnings());
            let ports: BTreeMap<&Name, Port> = grants
                .iter()
                .map(|grant| (&grant.granted().service, grant.port()))
                .collect();
            answer(Ok(json!({"ports": ports, "warnings": warnings})))
        }),
        Call::FindAvailablePort(json) => wish(opened, json, |opened, reservation| {
            let request = reservation.on_behalf_of_others().build()?;
            answer(opened.allocator.find_available_port(&request))
        }),
        Call::Explain(json) => wish(opened, json, |opened, reservation| {
            let (explained, trace) = opened.allocator.explain(&reservation.build()?)?;
            answer(Ok(Explanation { explained, trace }))
        }),
        Call::IsPortAvailable(json) => with(json, |opened, Availability { port, host }| {
            let host = host.as_deref().map(address).transpose()?;
            answer(opened.allocator.is_port_available(port.port()?, host))
        }),
        Call::GetPortForProject(json) => with(json, |opened, OfProject { project_id }| {
            answer(opened.allocator.get_port_for_project(&project_id))
        }),
        Call::ReservePortForProject(json) => {
            with(json, |opened, ProjectPort { project_id, port }| {
                let port = port.port()?.get().into();
                answer(opened.allocator.reserve_port_for_project(&project_id, port))
            })
        }
        Call::ReleasePortForProject(json) => with(json, |opened, OfProject { project_id }| {
            answer(opened.allocator.release_port_for_project(&project_id))
        }),
        Call::Confirm(json) => with(json, |opened, confirmation| {
            answer(opened.allocator.confirm(&confirm(confirmation)?))
        }),
        Call::Release(json) => with(json, |opened, releasing: Releasing| {
            answer(opened.allocator.release(&release(releasing)))
        }),
        Call::List(json) => with(json, |opened, selection: Selection| {
            answer(opened.allocator.list(selection.project()?.as_ref()))
        }),
        Call::Who(json) => with(json, |opened, OfPort { port }| {
            answer(opened.allocator.who(port.port()?).map(PortPresence::from))
        }),
        Call::Validate(json) => with(json, |opened, selection: Selection| {
            let validated = opened.allocator.validate(selection.project()?.as_ref());
            answer(validated.map(|validated| validated.leases))
        }),
        Call::Cleanup(json) => with(json, |opened, Abandoned { days }| {
            answer(match days {
                Some(days) => opened.allocator.sweep_abandoned(time(days)?),
                None => opened.allocator.sweep(),
            })
        }),
        Call::Stats(json) => with(json, |opened, counting: Counting| {
            answer(opened.allocator.stats(&query(opened, counting)?))
        }),
        Call::Health(json) => with(json, |opened, checkup: Checkup| {
            answer(Ok(check_health(&checks(opened, checkup)?)))
        }),
        Call::Snapshot(json) => with(json, |opened, Nothing {}| {
            answer(opened.allocator.snapshot())
        }),
    }
}

/// The number alone, and what its user should know.
fn number(allocated: std::result::Result<Allocation, Error>) -> Result<String> {
    let told = |it: Allocation| json!({"port": it.port, "warnings": it.warnings});
    answer(allocated.map(told))
}

fn answer<T: Serialize>(answer: std::result::Result<T, Error>) -> Result<String> {
    Ok(serde_json::to_string(&answer?)?)
}

fn with<T: for<'a> Deserialize<'a> + Send + 'static>(
    json: &RawValue,
    ask: impl FnOnce(&Opened, T) -> Result<String> + Send + 'static,
) -> Result<Answer> {
    let argument: T = read_argument(json.get())?;
    Ok(Box::new(move |opened| ask(opened, argument)))
}

fn wish(
    opened: &Opened,
    json: &RawValue,
    ask: impl FnOnce(&Opened, Reservation) -> Result<String> + Send + 'static,
) -> Result<Answer> {
    let wished = Wished::read(opened, json.get())?;
    Ok(Box::new(move |opened| {
        ask(opened, wished.reservation(opened)?)
    }))
}

/// A wish, and where the configuration of its folder is looked for.
pub(crate) struct Wished {
    wish: Wish,
    sources: Option<ConfigSources>,
}

impl Wished {
    pub(crate) fn read(opened: &Opened, json: &str) -> Result<Self> {
        let wish = Wish::read(json)?;
        let folder = wish.folder();
        let sources = folder.map(|folder| opened.sources(folder));
        Ok(Self { wish, sources })
    }

    pub(crate) fn reservation(&self, opened: &Opened) -> Result<Reservation> {
        Ok(match &self.sources {
            Some(sources) => {
                let config = sources.read().map_err(Error::from)?;
                Reservation::wished(&self.wish, Some(&config))?
            }
            None => Reservation::wished(&self.wish, Some(&opened.config))?,
        })
    }
}

/// Reads a plan, which nobody writes by hand.
pub(crate) fn plan(json: &str) -> Result<Plan> {
    serde_json::from_str(json).map_err(|error| {
        Failure::from(Error::Argument(InvalidArgument {
            path: String::new(),
            value: None,
            problem: format!("This is no plan: {error}. Pass on what `plan` answered."),
            nearest: None,
        }))
    })
}

/// What the user should be told, for calls whose answer has no place for it.
pub(crate) fn warnings(reservation: &Reservation) -> Vec<String> {
    let warnings = reservation.warnings();
    warnings.iter().map(ToString::to_string).collect()
}

#[derive(Serialize)]
struct Explanation {
    #[serde(flatten)]
    explained: portlease::core::Explained,
    trace: portlease::core::Trace,
}

impl Selection {
    fn project(&self) -> Result<Option<Name>> {
        Ok(self.project_id.as_deref().map(str::parse).transpose()?)
    }
}

fn invalid(path: &str, value: impl Into<serde_json::Value>, problem: String) -> Failure {
    Failure::from(Error::Argument(InvalidArgument {
        path: path.to_owned(),
        value: Some(value.into()),
        problem,
        nearest: None,
    }))
}

fn address(host: &str) -> Result<IpAddr> {
    if host == "localhost" {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    // As URLs write the addresses of IPv6.
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    bare.unwrap_or(host).parse().map_err(|_| {
        let shown: String = host.chars().take(80).collect();
        let problem =
            format!("{shown:?} is no address: write one such as \"127.0.0.1\" or \"::1\".");
        invalid("host", shown, problem)
    })
}

/// The process with this number, which must be there.
pub(crate) fn process(pid: u32) -> Result<Holder> {
    let process = identity::process(pid);
    let process =
        process.ok_or_else(|| invalid("pid", pid, format!("There is no process {pid}.")))?;
    Ok(Holder::Process(process))
}

fn confirm(wish: Confirmation) -> Result<Confirm> {
    let mut key = LeaseKey::new(wish.project, wish.service);
    key.instance = wish.instance.unwrap_or(key.instance);
    Ok(Confirm {
        key,
        generation: wish.generation,
        listener: wish.pid.map(process).transpose()?,
        port: wish.port.map(|port| port.port()).transpose()?,
    })
}

/// Whoever releases proves itself by the generation, or else as the holder.
fn release(wish: Releasing) -> Release {
    Release {
        project: wish.project,
        service: wish.service,
        instance: wish.instance,
        generation: wish.generation,
        holder: Some(Holder::Process(identity::this_process())),
        force: wish.force == Some(true),
    }
}

fn time(days: f64) -> Result<Duration> {
    Duration::try_from_secs_f64(days * 86_400.0).map_err(|_| {
        invalid(
            "days",
            days,
            format!("{days} is no number of days: write 0 or more."),
        )
    })
}

fn query(opened: &Opened, counting: Counting) -> Result<StatsQuery> {
    let top = counting.top.unwrap_or(5);
    let Some(ranges) = counting.ranges else {
        return Ok(StatsQuery::of_frameworks(&opened.config.catalog(), top));
    };
    let ranges = ranges.iter().map(portlease::PortsWish::range);
    let ranges = ranges.collect::<std::result::Result<Vec<_>, Refusal>>()?;
    Ok(StatsQuery::of_ranges(ranges, top))
}

/// The servers that are named, or else those that are leased.
fn checks(opened: &Opened, checkup: Checkup) -> Result<Vec<HealthCheck>> {
    let selection = Selection {
        project_id: checkup.project_id,
    };
    let leases = opened.allocator.list(selection.project()?.as_ref())?;
    let checks: Vec<HealthCheck> = match checkup.ports {
        Some(ports) => {
            let ports = ports.iter().map(portlease::PortNumber::port);
            let ports = ports.collect::<std::result::Result<Vec<_>, Refusal>>()?;
            let lease = |port| leases.iter().find(|lease| lease.port == port);
            let check = |port| lease(port).map_or(HealthCheck::of(port), HealthCheck::of_lease);
            ports.into_iter().map(check).collect()
        }
        None => leases.iter().map(HealthCheck::of_lease).collect(),
    };
    let path = checkup.path.map(|path| {
        path.parse().map_err(|error: portlease::InvalidPath| {
            invalid("path", &*error.path, format!("{error}."))
        })
    });
    let path: Option<portlease::UrlPath> = path.transpose()?;
    let timeout = checkup.timeout.map_or(HealthCheck::TIMEOUT, |millis| {
        Duration::from_millis(millis.into())
    });
    let told = |check: HealthCheck| {
        let check = check.timeout(timeout);
        match &path {
            Some(path) => check.get(path.clone()),
            None => check,
        }
    };
    Ok(checks.into_iter().map(told).collect())
}
