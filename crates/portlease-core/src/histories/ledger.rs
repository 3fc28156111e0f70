//! A book that is kept from the replies alone: which service has which port, by which grant.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::{Generation, Lease, LeaseKey, Leases, Port, Reply};

/// The port of each service that has one, or shares one, and the generation of its lease.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Ledger {
    rights: BTreeMap<LeaseKey, (Port, Generation)>,
    newest: Generation,
}

impl Ledger {
    /// What the book has to say if it says the truth.
    pub(crate) fn of(leases: &Leases) -> Self {
        let mut ledger = Self {
            newest: leases.last_generation(),
            ..Self::default()
        };
        leases.iter().for_each(|lease| ledger.enter(lease));
        ledger
    }

    /// Writes down what a reply tells. A move does not tell its generation: the one that it has
    /// must be new.
    pub(crate) fn note(&mut self, reply: &Reply, leases: &Leases) {
        match reply {
            Reply::Reserved(reserved) => {
                let before = self.newest;
                for moved in &reserved.moves {
                    self.rights.remove(&moved.key);
                    if let Some(port) = moved.to {
                        let lease = leases.get(&moved.key).expect("it has a port");
                        assert!(lease.generation > before, "{moved:?} is a new grant");
                        self.rights
                            .insert(moved.key.clone(), (port, lease.generation));
                        self.newest = self.newest.max(lease.generation);
                    }
                }
                for granted in &reserved.services {
                    self.enter(&granted.lease);
                }
            }
            Reply::Renewed(lease) | Reply::Confirmed(lease) => self.enter(lease),
            Reply::Released(released) => {
                self.strike(released.leases.iter().flat_map(keys_of).collect());
                self.strike(released.followers.clone());
            }
            Reply::Swept(swept) => {
                let removed = swept.removed.iter().map(|swept| &swept.lease);
                self.strike(removed.flat_map(keys_of).collect());
            }
            Reply::Explained(_) | Reply::Validated(_) | Reply::Stats(_) => {}
        }
    }

    /// Services share a port only when one inherits from the other.
    pub(crate) fn check(&self) {
        let mut owners: BTreeMap<Port, (&LeaseKey, Generation)> = BTreeMap::new();
        for (key, (port, generation)) in &self.rights {
            let (owner, granted) = owners.entry(*port).or_insert((key, *generation));
            assert_eq!(
                (&owner.project, owner.instance),
                (&key.project, key.instance)
            );
            assert_eq!(granted, generation, "port {port} was granted twice");
        }
    }

    fn enter(&mut self, lease: &Lease) {
        for key in keys_of(lease) {
            self.rights.insert(key, (lease.port, lease.generation));
        }
        self.newest = self.newest.max(lease.generation);
    }

    fn strike(&mut self, keys: Vec<LeaseKey>) {
        for key in keys {
            self.rights.remove(&key);
        }
    }
}

/// The key of a lease and those of the services that share its port.
pub(crate) fn keys_of(lease: &Lease) -> impl Iterator<Item = LeaseKey> {
    let followers = lease.followers.iter();
    let followers = followers.map(|follower| lease.key.sibling(follower.service.clone()));
    core::iter::once(lease.key.clone()).chain(followers)
}
