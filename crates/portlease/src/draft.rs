//! One service of a reservation, until everything about it is known.

use std::path::Path;

use portlease_core::{Catalog, Presets, Service, ServiceDraft};

use crate::{Error, Hints, project_root};

/// What is said about a service, and what is known about its framework.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) hints: Hints,
    pub(crate) service: ServiceDraft,
}

impl Draft {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            hints: Hints::default(),
            service: ServiceDraft::new(name),
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
        Ok(self.service.service(&framework, presets, profile)?)
    }
}
