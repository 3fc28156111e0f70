//! The mistakes that a store can make, one at a time.

use portlease_core::{Counters, Lease, Memory, Scope};

/// What a store does wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// It reads, decides and writes without keeping others out.
    LosesUpdates,
    /// It applies the first half of the changes.
    AppliesHalf,
    /// It applies the changes again after it was told to try once more.
    AppliesTwice,
    /// It writes a lease, but does not remove the one that the service had.
    LeavesTheOldRow,
    /// It changes only leases of the project that asks.
    ChangesOneProject,
    /// It takes whoever names a lease for its owner.
    IgnoresGenerations,
    /// It sweeps by name, whatever became of the lease since.
    SweepsByName,
    /// It looks at the leases once, and from then on trusts what it saw.
    ReadsStale,
    /// Its leases are gone when nobody has it open.
    ForgetsWhenClosed,
    /// It makes the registry anew when it seemed to be missing.
    MakesItTwice,
    /// A new host begins with something.
    BeginsWithAGrant,
    /// It takes the highest generation of all leases for the last one.
    CountsGenerationsByLeases,
    /// It loads leases and memories one after the other.
    TearsLoads,
    /// It does not count refused requests.
    CountsNoRefusals,
    /// It counts commands that only ask.
    CountsQuestions,
    /// It takes names of hosts for the same that are not.
    FoldsHosts,
    /// It takes names of projects for the same that are not.
    FoldsProjects,
    /// It forgets how often each port was granted.
    ForgetsUsage,
    /// It forgets when it was swept.
    ForgetsSweeps,
    /// It tells nobody that something changed.
    KeepsChangesSecret,
    /// It lets everybody wait longer than they wanted.
    WaitsTooLong,
    /// It knows no hosts.
    ForgetsHosts,
    /// It panics.
    Panics,
    /// It breaks.
    Breaks,
    /// It answers a trace that is cut off.
    CutsTraces,
    /// It loads another scope than it should.
    Loads(fn(&Scope) -> Scope),
    /// It decides on another scope than it should.
    DecidesOn(fn(&Scope) -> Scope),
    /// It loads only so many leases.
    LoadsAtMost(usize),
    /// It decides without what is observed on the way.
    IgnoresObservations,
    /// It has things observed that it knows nothing about.
    ShowsNothing,
    /// It stores leases that are not quite what was decided.
    StoresLease(fn(&mut Lease)),
    /// It stores memories that are not quite what was decided.
    StoresMemory(fn(&mut Memory)),
    /// It counts something else than was decided.
    Counts(fn(&mut Counters)),
}
