//! A host beside which the same decisions are made once more, without any store.

use alloc::format;

use super::opening::{Opening, Problem, same, same_leases};
use crate::{Command, Decision, Facts, Leases, Refusal, decide, refused};

/// The leases of a host as they have to be.
#[derive(Default)]
pub(super) struct Twin {
    leases: Leases,
}

impl Twin {
    /// The leases as they have to be.
    pub(super) fn leases(&self) -> &Leases {
        &self.leases
    }

    /// Gives a command to the store, which has to answer what [`decide`](decide()) says, to the
    /// last step of the trace.
    pub(super) fn tell(
        &mut self,
        opening: &Opening,
        command: &Command,
        facts: &Facts,
    ) -> Result<Result<Decision, Refusal>, Problem> {
        let answer = decide(&self.leases, command, facts);
        same(
            &format!("the answer to {command:?}"),
            &opening.answer(command, facts)?,
            &answer,
        )?;
        match &answer {
            Ok(decision) => self.leases.apply_all(&decision.changes),
            Err(_) => self.leases.apply_all(refused(command).as_slice()),
        }
        Ok(answer)
    }

    /// Gives a command to the store, and looks at every row afterwards.
    pub(super) fn step(
        &mut self,
        opening: &Opening,
        command: &Command,
        facts: &Facts,
    ) -> Result<Result<Decision, Refusal>, Problem> {
        let answer = self.tell(opening, command, facts)?;
        same_leases(
            &format!("after {command:?}"),
            &opening.everything()?,
            &self.leases,
        )?;
        Ok(answer)
    }

    /// The same for a command that is granted.
    pub(super) fn granted(
        &mut self,
        opening: &Opening,
        command: &Command,
        facts: &Facts,
    ) -> Result<Decision, Problem> {
        self.step(opening, command, facts)?
            .map_err(|refusal| format!("{command:?} was refused: {refusal}"))
    }

    /// Looks at every row through this opening.
    pub(super) fn compare(&self, opening: &Opening) -> Result<(), Problem> {
        same_leases("all leases", &opening.everything()?, &self.leases)
    }
}
