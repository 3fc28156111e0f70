//! The registry as a part of a state: the real leases, and the real decision about them.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, LazyLock};

use portlease_core::{
    Change, Command, Decision, Facts, Leases, PortRange, PortSet, Refusal, Scope, decide,
};

/// What the registry knows. States share it, because most steps do not touch it.
#[derive(Clone)]
pub struct Registry {
    leases: Arc<Leases>,
    /// Stands for the leases when a state is hashed. It is taken of their JSON, which leaves
    /// nothing of them out.
    digest: u64,
}

impl Registry {
    /// A registry that was just made.
    #[must_use]
    pub fn empty() -> Self {
        Self::of(Leases::default())
    }

    /// The leases as they are now.
    #[must_use]
    pub fn leases(&self) -> &Leases {
        &self.leases
    }

    /// What a store does, in one atomic step: load the scope of the command, decide, apply.
    ///
    /// # Errors
    ///
    /// The refusal of the decision.
    pub fn transact(&mut self, command: &Command, facts: &Facts) -> Result<Decision, Refusal> {
        let before = self.clone();
        self.transact_on(&before, command, facts)
    }

    /// Decides on the leases of another moment and applies the changes to these: what no store may
    /// do.
    ///
    /// # Errors
    ///
    /// The refusal of the decision.
    pub fn transact_on(
        &mut self,
        earlier: &Self,
        command: &Command,
        facts: &Facts,
    ) -> Result<Decision, Refusal> {
        let loaded = earlier.leases.within(&command.scope());
        let decision = decide(&loaded, command, facts)?;
        self.apply(&decision.changes);
        Ok(decision)
    }

    fn apply(&mut self, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        let mut leases = Leases::clone(&self.leases);
        leases.apply_all(changes);
        *self = Self::of(leases.within(&ALL_ROWS));
    }

    fn of(leases: Leases) -> Self {
        let json = serde_json::to_vec(&leases).expect("leases have a form in JSON");
        let mut hasher = DefaultHasher::new();
        json.hash(&mut hasher);
        Self {
            leases: Arc::new(leases),
            digest: hasher.finish(),
        }
    }
}

/// All leases and memories, without the counters: these only grow and no lease depends on them, so
/// they would make different states of equal ones.
static ALL_ROWS: LazyLock<Scope> = LazyLock::new(|| Scope::Rows {
    projects: Vec::new(),
    ports: PortSet::from(PortRange::ALL),
});

impl Default for Registry {
    fn default() -> Self {
        Self::empty()
    }
}

impl PartialEq for Registry {
    fn eq(&self, other: &Self) -> bool {
        self.leases == other.leases
    }
}

impl Eq for Registry {}

impl Hash for Registry {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.digest);
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Display for Registry {
    /// `3000 web (7, live)`: the port, the service, the generation and how far the lease has come.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.leases.is_empty() {
            return formatter.write_str("no lease");
        }
        for (index, lease) in self.leases.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            let state = format!("{:?}", lease.state).to_lowercase();
            write!(
                formatter,
                "{comma}{} {} ({}, {state})",
                lease.port, lease.key, lease.generation
            )?;
        }
        Ok(())
    }
}
