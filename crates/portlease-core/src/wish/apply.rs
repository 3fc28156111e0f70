//! What a wish says, laid over what is known already.

use alloc::vec::Vec;

use super::{PortNumber, PortsWish, RequestDraft, RequestWish, ServiceDraft, ServiceWish};
use crate::reading::Problem;
use crate::{Catalog, InvalidArgument, Refusal};

impl RequestWish {
    /// Lays what is said over what the draft has. The project and who will listen are not part of it.
    pub fn apply(&self, draft: &mut RequestDraft) -> Result<(), Refusal> {
        if let Some(profile) = &self.profile {
            draft.profile.clone_from(profile);
        }
        if let Some(strategy) = self.strategy {
            draft.strategy = strategy;
        }
        if self.auto_reassign == Some(false) {
            draft.auto_reassign = false;
        }
        if self.max_retries.is_some() {
            draft.max_retries = self.max_retries;
        }
        for ports in self.exclude.iter().flatten() {
            draft.exclude.insert_range(ports.range()?);
        }
        if self.pool.is_some() {
            draft.pool.clone_from(&self.pool);
        }
        if self.force_new == Some(true) {
            draft.force_new = true;
        }
        if self.skip_port_check == Some(true) {
            draft.skip_port_check = true;
        }
        if let Some(reclaim) = self.reclaim {
            draft.reclaim = reclaim;
        }
        if self.if_running.is_some() {
            draft.if_running = self.if_running;
        }
        Ok(())
    }
}

impl ServiceWish {
    /// Lays what is said over what the draft has. The name and the framework are not part of it.
    pub fn apply(&self, draft: &mut ServiceDraft) -> Result<(), Refusal> {
        if self.env_var.is_some() {
            draft.variable.clone_from(&self.env_var);
        }
        if let Some(port) = &self.port {
            draft.strict = Some(port.number()?);
        }
        if let Some(preferred) = &self.preferred {
            let ports = preferred.iter().map(PortNumber::number);
            draft
                .preferred
                .splice(0..0, ports.collect::<Result<Vec<_>, _>>()?);
        }
        // One way of saying where the ports are overrules all others.
        if self.base_port.is_some() || self.max_port.is_some() || self.preset.is_some() {
            draft.base_port = number(self.base_port.as_ref())?;
            draft.max_port = number(self.max_port.as_ref())?;
            draft.preset.clone_from(&self.preset);
        }
        if self.start_port.is_some() {
            draft.start = number(self.start_port.as_ref())?;
        }
        if let Some(ranges) = &self.spillover {
            let ranges = ranges.iter().map(PortsWish::range);
            draft.spillover = ranges.collect::<Result<_, _>>()?;
        }
        if let Some(range) = &self.emergency {
            draft.emergency = Some(range.range()?);
        }
        if let Some(priority) = self.priority {
            draft.priority = priority;
        }
        if let Some(requires) = &self.requires {
            draft.requires.clone_from(requires);
        }
        if let Some(conflicts) = &self.conflicts {
            draft.conflicts.clone_from(conflicts);
        }
        if self.inherit_from.is_some() {
            draft.inherit_from.clone_from(&self.inherit_from);
        }
        Ok(())
    }

    /// The name of the framework that the caller gives or guesses. One that is named has to be known; one that was guessed
    /// need not be. `place` is where the service stands in the wish.
    pub fn framework(
        &self,
        catalog: &Catalog,
        place: &str,
    ) -> Result<Option<&str>, InvalidArgument> {
        let Some(name) = self.framework.as_deref() else {
            return Ok(self.detected_framework.as_deref());
        };
        check_framework(name, catalog)
            .map_err(|problem| {
                let path = alloc::format!("{place}framework");
                InvalidArgument::new(&path, Some(&name.into()), &problem)
            })
            .map(|()| Some(name))
    }
}

/// Refuses a framework that nobody has heard of.
pub fn check_framework(name: &str, catalog: &Catalog) -> Result<(), Problem> {
    if catalog.get(name).is_some() {
        return Ok(());
    }
    let known = catalog
        .iter()
        .flat_map(|known| core::iter::once(&known.name).chain(&known.aliases));
    Err(Problem::unknown(
        "framework",
        name,
        known.map(|name| &**name),
    ))
}

fn number(port: Option<&PortNumber>) -> Result<Option<u64>, Refusal> {
    port.map(PortNumber::number).transpose()
}
