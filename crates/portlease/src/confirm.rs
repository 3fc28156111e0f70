//! Confirming plans that were made elsewhere.

use portlease_core::{Command, Holder, HostSnapshot, Outdated, Plan, Refusal, Request, Verdict};
use portlease_probe::identity;

use crate::grant::Grants;
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
        self.confirm_plan_for(plan, Some(Holder::Process(identity::this_process())))
    }

    /// The same on behalf of others: what the plan does not say a holder of belongs to nobody.
    pub fn confirm_plan_for_others(&self, plan: &Plan) -> Result<Grants, Error> {
        self.confirm_plan_for(plan, None)
    }

    fn confirm_plan_for(&self, plan: &Plan, holder: Option<Holder>) -> Result<Grants, Error> {
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
        request.holder = request.holder.or(holder);
        match self.reserve_all(&request) {
            Err(Error::Refused(Refusal::PlanOutdated(outdated))) => {
                let snapshot = self.snapshot_after(plan, &outdated)?;
                Err(Error::PlanOutdated(Box::new(PlanOutdated {
                    outdated: *outdated,
                    snapshot,
                })))
            }
            result => result,
        }
    }

    /// The host as far as a refused plan is concerned.
    fn snapshot_after(&self, plan: &Plan, outdated: &Outdated) -> Result<HostSnapshot, Error> {
        let request = Request {
            planned: None,
            ..plan.request.clone()
        };
        let scope = Command::Reserve(request.clone()).scope();
        let mut snapshot = self.inner.snapshot(&scope, &request.candidates())?;
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
