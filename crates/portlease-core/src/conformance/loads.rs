//! What a load has to hold: at least the scope, and nothing that is not so.

use alloc::format;
use alloc::vec;

use super::Registry;
use super::commands::Commands;
use super::opening::{Opening, Problem, same};
use super::twin::Twin;
use crate::{Leases, Name, Port, PortRange, PortSet, Scope, decide};

const STEPS: usize = 300;

pub(super) fn a_load_holds_its_scope_and_nothing_wrong(
    registry: &dyn Registry,
) -> Result<(), Problem> {
    let [writer, reader] = [Opening::of(registry), Opening::of(registry)];
    let mut twin = Twin::default();
    let mut commands = Commands::new(2);
    for number in 0..STEPS {
        let (command, facts) = commands.next(twin.leases());
        let _granted_or_refused = twin.tell(&writer, &command, &facts)?;
        let scope = scope_of_round(number, twin.leases());
        let problem = |problem| format!("step {number}, {scope:?}: {problem}");
        let loaded = reader.load(&scope).map_err(problem)?;
        check_load(&loaded, twin.leases(), &scope).map_err(problem)?;
    }
    Ok(())
}

/// Scopes of all shapes, most of which cut through what there is.
fn scope_of_round(number: usize, leases: &Leases) -> Scope {
    let projects = ["shop", "blog", "/home/ada/it's 100% \"größe\"", "nobody"];
    let project = Name::literal(projects[number % projects.len()]);
    let every_third = leases
        .ports()
        .iter()
        .chain(leases.remembered_ports())
        .step_by(3);
    let (projects, ports) = match number % 6 {
        0 => (vec![project], PortSet::new()),
        1 => (vec![], PortSet::from(PortRange::literal(3004, 3011))),
        2 => (vec![project], every_third.collect()),
        3 => (
            vec![],
            [Port::MIN, Port::literal(3002), Port::MAX]
                .into_iter()
                .collect(),
        ),
        4 => (vec![], PortSet::new()),
        _ => return Scope::Everything,
    };
    Scope::Rows { projects, ports }
}

fn check_load(loaded: &Leases, all: &Leases, scope: &Scope) -> Result<(), Problem> {
    if let Err(invalid) = loaded.check() {
        return Err(format!("the loaded leases are not valid: {invalid}"));
    }
    same(
        "last generation",
        &loaded.last_generation(),
        &all.last_generation(),
    )?;
    same("last sweep", &loaded.last_swept(), &all.last_swept())?;
    let part = all.within(scope);
    for lease in part.iter() {
        same("a lease of the scope", &loaded.at(lease.port), &Some(lease))?;
        same("a lease by its key", &loaded.get(&lease.key), &Some(lease))?;
    }
    for memory in part.memories() {
        let found = loaded.memory_at(memory.port);
        same("a memory of the scope", &found, &Some(memory))?;
    }
    for lease in loaded.iter() {
        same("a lease", &Some(lease), &all.at(lease.port))?;
    }
    for memory in loaded.memories() {
        same("a memory", &Some(memory), &all.memory_at(memory.port))?;
    }
    Ok(())
}

pub(super) fn the_scope_of_a_command_is_enough_to_decide(
    registry: &dyn Registry,
) -> Result<(), Problem> {
    let [writer, reader] = [Opening::of(registry), Opening::of(registry)];
    let mut twin = Twin::default();
    let mut commands = Commands::new(3);
    for number in 0..STEPS {
        let (command, facts) = commands.next(twin.leases());
        let loaded = reader.load(&command.scope())?;
        same(
            &format!("step {number}: the decision from a load of the scope of {command:?}"),
            &decide(&loaded, &command, &facts),
            &decide(twin.leases(), &command, &facts),
        )?;
        let _granted_or_refused = twin.tell(&writer, &command, &facts)?;
    }
    Ok(())
}
