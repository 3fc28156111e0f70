//! Portlease, as a Rust program uses it.

use std::path::Path;
use std::sync::Arc;

use portlease::core::{Command, Facts, Name, Port, PortRange, Request, Service, Store, Timestamp};
use portlease::{Allocator, Grant, Options, Registry, Reservation};
use portlease_sqlite::SqliteStore;

use crate::Result;

/// An allocator, and the store below it for preparing what is measured.
pub(crate) struct Ours {
    pub(crate) allocator: Allocator,
    store: Arc<SqliteStore>,
}

impl Ours {
    pub(crate) fn open(registry: &Path) -> Result<Self> {
        let store = Arc::new(SqliteStore::open(registry)?);
        let options = Options {
            registry: Registry::Store(Arc::clone(&store) as Arc<dyn Store>),
            ..Options::default()
        };
        let allocator = Allocator::open(options)?;
        // The first request of a registry sweeps it, and the next ones not for an hour.
        allocator.sweep()?;
        Ok(Self { allocator, store })
    }

    /// Leases ports that nobody is going to ask for.
    pub(crate) fn fill(&self, count: u16) -> Result<()> {
        const AT_ONCE: u16 = 100;
        let range = PortRange::starting_at(Port::literal(40_000), count.max(1));
        for done in (0..count).step_by(usize::from(AT_ONCE)) {
            let services = (done..count.min(done + AT_ONCE))
                .map(|number| Service::in_range(Name::literal(&format!("s{number}")), range))
                .collect();
            let project = Name::literal(&format!("/home/ada/projects/busy-{done}"));
            let command = Command::Reserve(Request::new(project, services));
            let facts = Facts::at(Timestamp::from_millis(1_763_000_000_000));
            self.store
                .transact(self.allocator.host(), &command, &facts)?;
        }
        Ok(())
    }

    pub(crate) fn reserve(
        &self,
        project: &str,
        range: PortRange,
    ) -> Result<Grant, portlease::Error> {
        reserve(&self.allocator, project, range)
    }
}

pub(crate) fn reserve(
    allocator: &Allocator,
    project: &str,
    range: PortRange,
) -> Result<Grant, portlease::Error> {
    let request = Reservation::of(project)
        .framework("default")
        .range(range.first().get().into(), range.last().get().into())
        .build()?;
    allocator.reserve(&request)
}
