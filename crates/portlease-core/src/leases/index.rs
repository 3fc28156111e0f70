//! Rows that are found by their port and by their key.

use alloc::collections::BTreeMap;

use hashbrown::HashMap;

use crate::{Lease, LeaseKey, Memory, Name, Port, PortSet};

/// Rows that have a port of their own and a key of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Index<T> {
    pub(super) rows: HashMap<Port, T>,
    /// The ports by project, then by service and instance. Services that inherit have their own
    /// entries.
    keys: HashMap<Name, BTreeMap<(Name, u32), Port>>,
    pub(super) ports: PortSet,
}

pub(super) trait Row {
    fn port(&self) -> Port;
    /// The key of the row, then those of the services that share its port.
    fn keys(&self) -> impl Iterator<Item = LeaseKey>;
}

impl Row for Lease {
    fn port(&self) -> Port {
        self.port
    }

    fn keys(&self) -> impl Iterator<Item = LeaseKey> {
        let followers = self
            .followers
            .iter()
            .map(|follower| self.key.sibling(follower.service.clone()));
        core::iter::once(self.key.clone()).chain(followers)
    }
}

impl Row for Memory {
    fn port(&self) -> Port {
        self.port
    }

    fn keys(&self) -> impl Iterator<Item = LeaseKey> {
        core::iter::once(self.key.clone())
    }
}

impl<T> Default for Index<T> {
    fn default() -> Self {
        Self {
            rows: HashMap::new(),
            keys: HashMap::new(),
            ports: PortSet::new(),
        }
    }
}

impl<T: Row> Index<T> {
    pub(super) fn get(&self, key: &LeaseKey) -> Option<&T> {
        self.rows.get(&self.port_of(key)?)
    }

    pub(super) fn port_of(&self, key: &LeaseKey) -> Option<Port> {
        let services = self.keys.get(&key.project)?;
        services.get(&(key.service.clone(), key.instance)).copied()
    }

    pub(super) fn of_project(&self, project: &Name) -> impl Iterator<Item = &T> {
        let services = self.keys.get(project).into_iter().flatten();
        services.filter_map(|((service, instance), port)| {
            let row = self.rows.get(port)?;
            let own = row.keys().next()?;
            (own.service == *service && own.instance == *instance).then_some(row)
        })
    }

    pub(super) fn at(&self, port: Port) -> Option<&T> {
        self.rows.get(&port)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.ports.iter().filter_map(|port| self.rows.get(&port))
    }

    /// The rows of these projects and of these ports.
    pub(super) fn within(&self, projects: &[Name], ports: &PortSet) -> Self
    where
        T: Clone,
    {
        let mut part = Self::default();
        let mut own = ports.clone();
        own &= &self.ports;
        let by_port = own.iter().filter_map(|port| self.rows.get(&port));
        let by_project = projects.iter().flat_map(|project| self.of_project(project));
        for row in by_port.chain(by_project) {
            part.put(row.clone());
        }
        part
    }

    /// Puts a row in place of those that have its key or its port.
    pub(super) fn put(&mut self, row: T) {
        self.take_port(row.port());
        for key in row.keys() {
            self.take(&key);
            let services = self.keys.entry(key.project).or_default();
            services.insert((key.service, key.instance), row.port());
        }
        self.ports.insert(row.port());
        self.rows.insert(row.port(), row);
    }

    pub(super) fn take(&mut self, key: &LeaseKey) {
        if let Some(port) = self.port_of(key) {
            self.take_port(port);
        }
    }

    pub(super) fn take_port(&mut self, port: Port) {
        if let Some(row) = self.rows.remove(&port) {
            self.ports.remove(port);
            for key in row.keys() {
                if let Some(services) = self.keys.get_mut(&key.project) {
                    services.remove(&(key.service, key.instance));
                    if services.is_empty() {
                        self.keys.remove(&key.project);
                    }
                }
            }
        }
    }
}
