//! One service of a reservation, until everything about it is known.

use std::path::Path;

use portlease_core::{
    Capability, Catalog, Explicit, Name, Port, PortRange, Presets, RANGE_LEN, Refusal, Service,
};

use crate::{Error, Hints, PortVariable, project_root};

#[derive(Debug, Clone, Default)]
pub(crate) struct Draft {
    pub(crate) name: String,
    pub(crate) hints: Hints,
    pub(crate) variable: Option<PortVariable>,
    pub(crate) strict: Option<u64>,
    pub(crate) preferred: Vec<u64>,
    pub(crate) base_port: Option<u64>,
    pub(crate) max_port: Option<u64>,
    pub(crate) preset: Option<String>,
    pub(crate) start: Option<u64>,
    pub(crate) spillover: Vec<PortRange>,
    pub(crate) emergency: Option<PortRange>,
    pub(crate) priority: i32,
    pub(crate) requires: Vec<Capability>,
    pub(crate) conflicts: Vec<String>,
    pub(crate) inherit_from: Option<String>,
}

impl Draft {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// The service of the project that the folder belongs to, which is read only if there is one and
    /// nobody names the framework.
    pub(crate) fn resolve(
        &self,
        catalog: &Catalog,
        presets: &Presets,
        profile: &str,
        folder: Option<&Path>,
    ) -> Result<Service, Error> {
        let framework = match (self.hints.named(catalog), folder) {
            (Some(named), _) => named.framework,
            (None, Some(folder)) => {
                let root = project_root(folder).unwrap_or_else(|_| folder.to_path_buf());
                self.hints.detect(catalog, &root).framework
            }
            (None, None) => catalog.or_default("default").clone(),
        };
        let mut service = Service::new(self.name.parse()?, &framework);
        if let Some(kind) = &self.preset {
            let range = presets.get(profile, kind);
            service.range = range.ok_or_else(|| unknown_preset(presets, profile, kind))?;
        }
        service.range = self.own_range(service.range)?;
        service.default = service.default.filter(|port| service.range.contains(*port));
        let strict = self.strict.map(port).transpose()?;
        service.explicit = match strict {
            Some(port) => Some(Explicit { port, strict: true }),
            None => self.variable.as_ref().and_then(PortVariable::explicit),
        };
        service.preferred = ports(self.preferred.iter().copied())?;
        service.start = self.start.map(port).transpose()?;
        service.spillover.clone_from(&self.spillover);
        service.emergency = self.emergency;
        service.priority = self.priority;
        service.requires.clone_from(&self.requires);
        service.conflicts = names(&self.conflicts)?;
        service.inherit_from = names(&self.inherit_from)?.pop();
        Ok(service)
    }

    /// The range that is asked for by its ends, of which each may be left open.
    fn own_range(&self, otherwise: PortRange) -> Result<PortRange, Error> {
        let invalid = |error| Error::Refused(Refusal::from(error));
        match (self.base_port, self.max_port) {
            (None, None) => Ok(otherwise),
            (Some(base), None) => Ok(PortRange::starting_at(port(base)?, RANGE_LEN)),
            (base, Some(max)) => {
                let base = base.unwrap_or_else(|| u64::from(otherwise.first().get()));
                PortRange::try_from((base, max)).map_err(invalid)
            }
        }
    }
}

fn unknown_preset(presets: &Presets, profile: &str, kind: &str) -> Error {
    Error::UnknownPreset {
        profile: profile.to_owned(),
        kind: kind.to_owned(),
        known: presets
            .iter()
            .filter(|preset| &*preset.profile == profile)
            .map(|preset| preset.service.clone())
            .collect(),
    }
}

fn names<'a>(names: impl IntoIterator<Item = &'a String>) -> Result<Vec<Name>, Error> {
    names.into_iter().map(|name| Ok(name.parse()?)).collect()
}

fn port(number: u64) -> Result<Port, Error> {
    Port::try_from(number).map_err(|error| Error::Refused(error.into()))
}

pub(crate) fn ports(numbers: impl IntoIterator<Item = u64>) -> Result<Vec<Port>, Error> {
    numbers.into_iter().map(port).collect()
}
