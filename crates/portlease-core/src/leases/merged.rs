//! What becomes of a host when what is known of it elsewhere is added to it.

use alloc::vec::Vec;

use super::{Leases, Snapshot};
use crate::{Change, Generation, Lease, OnConflict, PortUsage};

/// What becomes of a host when what is known of it elsewhere is added: by an import, or when what can be read of a damaged registry
/// is taken over.
///
/// ```
/// use portlease_core::{Generation, Leases, Merged, OnConflict, Snapshot};
///
/// let coming = Snapshot { last_generation: Generation::new(7), ..Snapshot::default() };
/// let merged = Merged::of(&Leases::default(), false, &coming, OnConflict::Keep);
/// assert_eq!(merged.last_generation.get(), 7);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merged {
    /// What to change, in this order.
    pub changes: Vec<Change>,
    /// No generation up to this one may be given again.
    pub last_generation: Generation,
    /// How often each port was granted, of a host that was not known. Two pasts of one host cannot be added up.
    pub usage: Vec<PortUsage>,
    /// The leases that are there now.
    pub taken: Vec<Lease>,
    /// The leases that were left out.
    pub skipped: Vec<Lease>,
    /// The leases that ended.
    pub replaced: Vec<Lease>,
}

impl Merged {
    /// Adds what is known elsewhere, whether or not that contradicts itself, to what is present of a host that the registry knows
    /// or does not.
    #[must_use]
    pub fn of(
        present: &Leases,
        is_known: bool,
        coming: &Snapshot,
        on_conflict: OnConflict,
    ) -> Self {
        let mut leases = present.clone();
        let mut merged = Self {
            last_generation: present.last_generation().max(coming.last_generation),
            ..Self::default()
        };
        for lease in &coming.leases {
            merged.add_lease(&mut leases, lease, on_conflict);
        }
        for memory in &coming.memories {
            // A memory is a preference; whoever has the port or another memory keeps it.
            let is_in_the_way = leases.at(memory.port).is_some()
                || leases.memory_at(memory.port).is_some()
                || leases.memory(&memory.key).is_some();
            if !is_in_the_way {
                merged.change(&mut leases, Change::Remember(memory.clone()));
            }
        }
        if !is_known {
            merged.usage.clone_from(&coming.usage);
            let swept = coming.last_swept.map(|at| Change::Swept { at });
            merged.changes.extend(swept);
            merged.changes.push(Change::Count(coming.counters));
        }
        merged
    }

    fn add_lease(&mut self, leases: &mut Leases, lease: &Lease, on_conflict: OnConflict) {
        let rivals = rivals(leases, lease);
        if rivals.iter().any(|rival| rival == lease) {
            return;
        }
        if !rivals.is_empty() && on_conflict != OnConflict::Replace {
            self.skipped.push(lease.clone());
            return;
        }
        let mut lease = lease.clone();
        let has_its_number =
            |rival: &Lease| rival.key == lease.key && rival.generation == lease.generation;
        if rivals.iter().any(has_its_number) {
            // The owner of the replaced lease would be taken for the owner of this one.
            self.last_generation = self.last_generation.next();
            lease.generation = self.last_generation;
        }
        for rival in &rivals {
            self.change(leases, Change::End(rival.key.clone()));
        }
        // A leased port is remembered by nobody.
        if let Some(memory) = leases.memory_at(lease.port) {
            let forget = Change::Forget(memory.key.clone());
            self.change(leases, forget);
        }
        self.change(leases, Change::Update(lease.clone()));
        self.replaced.extend(rivals);
        self.taken.push(lease);
    }

    fn change(&mut self, leases: &mut Leases, change: Change) {
        leases.apply(&change);
        self.changes.push(change);
    }
}

/// The leases that cannot be there together with this one.
fn rivals(leases: &Leases, lease: &Lease) -> Vec<Lease> {
    let followers = lease.followers.iter();
    let keys = followers.map(|follower| lease.key.sibling(follower.service.clone()));
    let mut rivals: Vec<&Lease> = core::iter::once(lease.key.clone())
        .chain(keys)
        .filter_map(|key| leases.get(&key))
        .chain(leases.at(lease.port))
        .collect();
    rivals.sort_by_key(|rival| rival.port);
    rivals.dedup_by_key(|rival| rival.port);
    rivals.into_iter().cloned().collect()
}
