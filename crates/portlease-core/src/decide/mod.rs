//! The one decision. Everything else feeds it and applies its answer.

use alloc::vec::Vec;

use crate::{Command, Decision, Facts, Leases, Refusal, Reply};

mod conflict;
mod grant;
mod inherit;
mod instance;
mod lifecycle;
mod planned;
mod refuse;
mod reserve;
mod search;
mod seating;
mod stats;
mod sweep;
mod validate;
mod world;

pub(crate) use reserve::{explain, reserve};
pub(crate) use stats::stats;

/// Decides about a command: which leases to grant, change or end, what to answer, and why.
///
/// It reads its arguments and nothing else: no clock, no operating system, no randomness. The
/// same arguments give the same decision, so a store may decide as often as it needs to. Nothing
/// is changed until the [`changes`](Decision::changes) are applied to the leases they were decided
/// on.
///
/// `leases` must hold at least the rows of the command's [`scope`](Command::scope).
///
/// ```
/// use portlease_core::{Catalog, Command, Facts, Leases, Name, Reply, Request, Service, Timestamp, decide};
///
/// let web = Service::new(Name::literal("web"), Catalog::builtin().or_default("next"));
/// let command = Command::Reserve(Request::new(Name::literal("shop"), vec![web]));
/// let mut facts = Facts::at(Timestamp::from_millis(0));
/// facts.occupied.insert("3000".parse()?, None);
///
/// let decision = decide(&Leases::default(), &command, &facts)?;
/// let Reply::Reserved(reserved) = &decision.reply else { panic!("a reserve is answered so") };
/// assert_eq!(reserved.services[0].port().get(), 3001);
/// assert_eq!(decision.trace.to_string(), "web: 3000 in use (scan)\nweb: 3001 granted (scan)");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// A [`Refusal`] when the command cannot be granted as it was asked.
pub fn decide(leases: &Leases, command: &Command, facts: &Facts) -> Result<Decision, Refusal> {
    match command {
        Command::Reserve(request) => {
            let (reserved, changes, trace) = reserve(leases, request, facts)?;
            Ok(Decision {
                changes,
                reply: Reply::Reserved(reserved),
                trace,
            })
        }
        Command::Explain(request) => {
            let (explained, trace) = explain(leases, request, facts);
            Ok(Decision {
                changes: Vec::new(),
                reply: Reply::Explained(explained),
                trace,
            })
        }
        Command::Renew(renew) => lifecycle::renew(leases, renew, facts),
        Command::Confirm(confirm) => lifecycle::confirm(leases, confirm, facts),
        Command::Release(release) => lifecycle::release(leases, release, facts),
        Command::Sweep(sweep) => Ok(sweep::sweep(leases, sweep, facts)),
        Command::Validate(validate) => Ok(validate::validate(leases, validate, facts)),
        Command::Stats(query) => {
            let stats = stats(leases, query, facts);
            Ok(lifecycle::untraced(Vec::new(), Reply::Stats(stats)))
        }
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
