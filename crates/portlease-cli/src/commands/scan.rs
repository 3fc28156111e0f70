//! `portlease scan`

use std::sync::Arc;

use portlease::core::PortRange;
use portlease::engines::ContainerDetails;
use portlease::{PortPresence, Who};
use serde::Serialize;
use serde_json::json;

use crate::arguments::{Project, Scan};
use crate::commands::who;
use crate::exit::Code;
use crate::failure::Failure;
use crate::output::{self, Cell};
use crate::{selection, subjects};

pub(crate) fn run(task: &Scan) -> Result<u8, Failure> {
    scan(task).map_err(|failure| failure.told_as_json(task.json))
}

fn scan(task: &Scan) -> Result<u8, Failure> {
    let config = Project::default().config()?;
    let ports = match task.ranges.as_slice() {
        [] => subjects::known_ports(&config.catalog(), &config.presets()),
        ranges => ranges.iter().copied().collect(),
    };
    let found = selection::open(&config)?.scan(&ports)?;
    let counts: Vec<Count> = ports
        .ranges()
        .map(|range| Count::of(range, &found))
        .collect();
    if task.json {
        let found: Vec<_> = found.iter().cloned().map(PortPresence::from).collect();
        output::json(&json!({"ports": found, "ranges": counts}));
    } else {
        tell(&found, &counts);
    }
    Ok(Code::Done.into())
}

/// How many ports of a range are what.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Count {
    range: PortRange,
    leased: usize,
    occupied: usize,
    free: usize,
}

impl Count {
    fn of(range: PortRange, found: &[Who]) -> Self {
        let inside = || found.iter().filter(|who| range.contains(who.port));
        let leased = inside().filter(|who| who.lease.is_some()).count();
        let taken = inside().count();
        Self {
            range,
            leased,
            occupied: taken - leased,
            free: usize::try_from(range.len()).unwrap_or(usize::MAX) - taken,
        }
    }

    fn ports(&self) -> usize {
        self.leased + self.occupied + self.free
    }
}

fn tell(found: &[Who], counts: &[Count]) {
    if !found.is_empty() {
        let rows: Vec<Vec<Cell>> = found.iter().flat_map(rows).collect();
        output::table(&["PORT", "STATUS", "PROGRAM", "LEASED TO"], &rows);
    }
    let sum = |of: fn(&Count) -> usize| counts.iter().map(of).sum::<usize>();
    output::note(format_args!(
        "{}: {} leased, {} occupied by others, {} free",
        output::count(counts.iter().map(Count::ports).sum(), "port"),
        sum(|count| count.leased),
        sum(|count| count.occupied),
        sum(|count| count.free),
    ));
}

/// A row for each program on the port, and one for a lease that nobody uses.
fn rows(who: &Who) -> Vec<Vec<Cell>> {
    let leased_to = who.lease.as_ref().map(subjects::label);
    let leased_to = leased_to.unwrap_or_else(|| "–".to_owned());
    let row = |status: Cell, program: String| {
        vec![
            who.port.to_string().into(),
            status,
            program.into(),
            leased_to.clone().into(),
        ]
    };
    if who.occupants.is_empty() && !who.containers.is_empty() {
        let claim = |container: &Arc<ContainerDetails>| {
            let status = if who.lease.is_some() {
                Cell::well("leased")
            } else {
                Cell::doubtful("occupied")
            };
            row(status, container.to_string())
        };
        return who.containers.iter().map(claim).collect();
    }
    if who.occupants.is_empty() && who.lease.is_some() {
        return vec![row(Cell::from("idle".to_owned()), "–".to_owned())];
    }
    if who.occupants.is_empty() {
        return vec![row(Cell::doubtful("occupied"), "–".to_owned())];
    }
    let of_occupant = |occupant| {
        let status = if who.lease.is_some() {
            Cell::well("leased")
        } else {
            Cell::doubtful("occupied")
        };
        row(status, who::name(occupant))
    };
    who.occupants.iter().map(of_occupant).collect()
}
