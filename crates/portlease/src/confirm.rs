//! Confirming plans that were made elsewhere.

use std::sync::Arc;

use portlease_core::{
    Command, Decision, Explained, Holder, HostSnapshot, Outdated, Plan, Refusal, Reply, Request,
    Reserved, Verdict,
};
use portlease_probe::identity;

use crate::allocator::Inner;
use crate::grant::Grants;
use crate::reserve::Turn;
use crate::{Allocator, Error};

/// A plan does not fit this host any more. Nothing of it was taken.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{outdated}")]
pub struct PlanOutdated {
    /// What is not as the planner thought.
    pub outdated: Outdated,
    /// The host as it is now, as far as the request is concerned: planning on it again goes on where this plan failed.
    pub snapshot: HostSnapshot,
}

impl Allocator {
    /// Takes the ports of a plan that was made of a [`snapshot`](Self::snapshot) of this host: each is held in the kernel, and all
    /// are leased in one step, to the plan's holder or else to this process.
    ///
    /// A plan that does not fit any more takes nothing. [`Error::PlanOutdated`] says what is wrong with it, and has the snapshot on which
    /// to plan again. No port is planned twice in such an exchange, so it ends.
    ///
    /// ```
    /// # use portlease::{Allocator, Error, Options, Registry};
    /// use portlease::Wish;
    /// use portlease::core::Planner;
    ///
    /// # let allocator = Allocator::open(Options { registry: Registry::Memory, ..Options::default() })?;
    /// let wish = Wish::read(r#"{"projectId": "shop", "framework": "vite"}"#)?;
    /// let mut snapshot = allocator.snapshot()?;
    /// let grants = loop {
    ///     // Somewhere else: nothing but the snapshot and the wish is needed.
    ///     let planner = Planner::new(snapshot)?;
    ///     let plan = planner.plan(wish.request(planner.settings())?)?;
    ///     // On the host again.
    ///     match allocator.confirm_plan(&plan) {
    ///         Ok(grants) => break grants,
    ///         Err(Error::PlanOutdated(outdated)) => snapshot = outdated.snapshot,
    ///         Err(error) => return Err(error.into()),
    ///     }
    /// };
    /// assert!(grants.get("web").is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn confirm_plan(&self, plan: &Plan) -> Result<Grants, Error> {
        if plan.host != *self.host() {
            return Err(Error::OtherHost {
                planned: plan.host.clone(),
                here: self.host().clone(),
            });
        }
        let mut request = plan.request.clone();
        request.planned = Some(Box::new(plan.planned.clone()));
        // Nobody elsewhere has a container of this host stopped.
        request.reclaim = false;
        // What a planner cannot check is checked here.
        request.skip_port_check = false;
        let this_process = || Holder::Process(identity::this_process());
        request.holder.get_or_insert_with(this_process);
        let mut turn = Turn::new(&self.inner, &request);
        match take(&self.inner, &mut turn, &request) {
            Err(Error::Refused(Refusal::PlanOutdated(outdated))) => {
                let snapshot = self.snapshot_after(plan, &turn, &outdated)?;
                Err(Error::PlanOutdated(Box::new(PlanOutdated {
                    outdated: *outdated,
                    snapshot,
                })))
            }
            result => result,
        }
    }

    /// The host as far as a refused plan is concerned.
    fn snapshot_after(
        &self,
        plan: &Plan,
        turn: &Turn<'_>,
        outdated: &Outdated,
    ) -> Result<HostSnapshot, Error> {
        let request = Request {
            planned: None,
            ..plan.request.clone()
        };
        let scope = Command::Reserve(request.clone()).scope();
        let mut snapshot = self.inner.snapshot(&scope, &request.candidates())?;
        snapshot.facts.system_reserved |= &turn.facts.system_reserved;
        snapshot.refuted = plan.refuted.clone();
        let by_the_machine = [
            Verdict::Occupied,
            Verdict::SystemReserved,
            Verdict::Privileged,
        ];
        for wrong in &outdated.wrong {
            if by_the_machine.contains(&wrong.verdict) {
                snapshot.refuted.insert(wrong.port);
            }
        }
        Ok(snapshot)
    }
}

/// Holds the planned ports and then leases them. The other way round, a plan that fails at a port would have given up the leases
/// that it replaces.
fn take(inner: &Arc<Inner>, turn: &mut Turn<'_>, request: &Request) -> Result<Grants, Error> {
    inner
        .observer
        .look(&mut turn.facts, &request.candidates())?;
    let mut reserved = would_be(inner, turn, request)?;
    // Each turn but the last finds a planned port that cannot be held, and the next one refuses the plan for it.
    while turn.hold_all(&reserved)?.is_some() {
        reserved = would_be(inner, turn, request)?;
    }
    let Decision { reply, trace, .. } = turn.decide(&Command::Reserve(request.clone()))?;
    inner.steps.tell_trace(&trace);
    match reply {
        Reply::Reserved(reserved) => {
            let holds = std::mem::take(&mut turn.holds.by_port);
            Ok(Grants::new(inner, reserved, trace, turn.warnings(), holds))
        }
        reply => unreachable!("a reserve is not answered with {reply:?}"),
    }
}

/// What the plan would be granted, as far as is known by now.
fn would_be(inner: &Inner, turn: &mut Turn<'_>, request: &Request) -> Result<Reserved, Error> {
    match turn.decide(&Command::Explain(request.clone()))?.reply {
        Reply::Explained(Explained {
            reserved: Some(reserved),
            ..
        }) => Ok(reserved),
        Reply::Explained(Explained { refusal, .. }) => {
            let mut refusal = refusal.unwrap_or(Refusal::NoServices);
            inner.observer.name_strangers(&mut refusal);
            inner.steps.tell(format_args!("{refusal}"));
            Err(Error::Refused(refusal))
        }
        reply => unreachable!("an explanation is not answered with {reply:?}"),
    }
}
