//! What people are told when a command cannot be granted: the range, the holders, and what to do next.

use core::fmt::{self, Write};

use super::{Exhausted, NotOwner, Outdated, Refusal, Stays, Taken, Tally, Unavailable};
use crate::trace::Listed;
use crate::{InvalidName, InvalidPort, InvalidRange, Name, Verdict};

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidPort { value } => write!(
                formatter,
                "{}.",
                InvalidPort {
                    value: value.clone()
                }
            ),
            Self::InvalidRange { value } => write!(
                formatter,
                "{}.",
                InvalidRange {
                    value: value.clone()
                }
            ),
            Self::InvalidName { value } => write!(
                formatter,
                "{}.",
                InvalidName {
                    value: value.clone()
                }
            ),
            Self::InvalidPools { problem } => {
                write!(formatter, "The pools do not fit together: {problem}.")
            }
            Self::NoServices => {
                formatter.write_str("The request names no service. Name at least one.")
            }
            Self::DuplicateService { service } => {
                write!(
                    formatter,
                    "The request names the service {service} twice. Give each service a name of its own."
                )
            }
            Self::UnknownService {
                service,
                unknown,
                known,
            } => write!(
                formatter,
                "The service {service} inherits from {unknown}, which is neither in the request nor leased. {}",
                Known {
                    what: "services",
                    known
                },
            ),
            Self::DependencyCycle { services } => {
                formatter.write_str("Services inherit from each other in a circle: ")?;
                for service in services {
                    write!(formatter, "{service} → ")?;
                }
                let first = services.first().map_or("", Name::as_str);
                write!(formatter, "{first}. One of them needs a range of its own.")
            }
            Self::UnknownPool { unknown, known } => {
                write!(
                    formatter,
                    "There is no pool {unknown}. {}",
                    Known {
                        what: "pools",
                        known
                    }
                )
            }
            Self::ConflictUnresolved {
                service,
                with,
                port,
            } => write!(
                formatter,
                "The services {service} and {with} must not share a port, but both would have {port}, because one \
                 inherits it. Remove `inheritFrom` or the conflict.",
            ),
            Self::PortUnavailable(unavailable) => write!(formatter, "{unavailable}"),
            Self::RangeExhausted(exhausted) => write!(formatter, "{exhausted}"),
            Self::LeaseNotFound { key } => {
                write!(
                    formatter,
                    "{key} has no lease: it was released or swept. Reserve again."
                )
            }
            Self::NotOwner(not_owner) => write!(formatter, "{not_owner}"),
            Self::PlanOutdated(outdated) => write!(formatter, "{outdated}"),
        }
    }
}

struct Known<'a> {
    what: &'a str,
    known: &'a [Name],
}

impl fmt::Display for Known<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        if self.known.is_empty() {
            return write!(formatter, "There are no {} to choose from.", self.what);
        }
        let items = &self.known[..self.known.len().min(SHOWN)];
        let total = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        write!(
            formatter,
            "The {} are: {}.",
            self.what,
            Listed { items, total }
        )
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Port {} is {}", self.port, self.verdict)?;
        if let Some(by) = &self.by {
            write!(formatter, ": {by}")?;
        }
        formatter.write_str(match self.stays {
            None | Some(Stays::NotInsisted) => ".",
            Some(Stays::Conservative) => ", and the conservative strategy moves nobody.",
            Some(Stays::NoReassign) => ", and the request does not allow moves.",
            Some(Stays::Live) => ", which runs.",
            Some(Stays::HigherPriority) => ", which has a higher priority.",
            Some(Stays::NowhereToGo) => ", whose own range has no other free port.",
        })?;
        formatter.write_str(match self.verdict {
            Verdict::Leased | Verdict::Claimed => {
                " Stop it, release its lease (`portlease release`), or ask for another port."
            }
            Verdict::Occupied => {
                " Stop it (`portlease who` shows the process), or ask for another port."
            }
            Verdict::BrowserBlocked => {
                " Ask for another port, or require `tcp` when no browser is to open it."
            }
            Verdict::Privileged => " Ask for a higher port, or run with the privilege to bind it.",
            _ => " Ask for another port, or change the configuration that keeps it.",
        })
    }
}

impl fmt::Display for Outdated {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("The plan does not fit the machine any more: ")?;
        for (index, wrong) in self.wrong.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            let Unavailable {
                service,
                port,
                verdict,
                ..
            } = wrong;
            write!(formatter, "{separator}{service}: port {port} is {verdict}")?;
            if let Some(by) = &wrong.by {
                write!(formatter, " ({by})")?;
            }
        }
        formatter.write_str(". Plan again on the snapshot of this answer.")
    }
}

impl fmt::Display for Exhausted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = u32::try_from(self.ranges.len()).unwrap_or(u32::MAX);
        write!(
            formatter,
            "All ports in {} are taken: {}.",
            Listed {
                items: &self.ranges,
                total
            },
            self.tally
        )?;
        if !self.leased_to.is_empty() {
            write!(
                formatter,
                " Leased: {}.",
                TakenList {
                    items: &self.leased_to,
                    total: self.tally.leased
                }
            )?;
        }
        if !self.occupied_by.is_empty() {
            write!(
                formatter,
                " In use: {}.",
                TakenList {
                    items: &self.occupied_by,
                    total: self.tally.occupied
                }
            )?;
        }
        formatter.write_str(
            " Stop a dev server (`portlease ports`), release stale leases (`portlease cleanup`) or widen the range in \
             portlease.toml.",
        )
    }
}

/// The first three of the named ones: enough to recognise the situation in a sentence.
struct TakenList<'a> {
    items: &'a [Taken],
    total: u32,
}

impl fmt::Display for TakenList<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let items = &self.items[..self.items.len().min(3)];
        write!(
            formatter,
            "{}",
            Listed {
                items,
                total: self.total
            }
        )
    }
}

impl fmt::Display for Taken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.port, self.by)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.leased, "leased"),
            (self.occupied, "in use by other programs"),
            (self.claimed, "given to other services of this request"),
            (self.excluded, "excluded"),
            (self.pooled, "outside the pool"),
            (self.browser_blocked, "refused by browsers"),
            (self.system_reserved, "reserved by the system"),
            (self.privileged, "not permitted without privileges"),
        ];
        let mut separator = "";
        for (count, what) in parts.into_iter().filter(|(count, _)| *count > 0) {
            write!(formatter, "{separator}{count} {what}")?;
            separator = ", ";
        }
        if separator.is_empty() {
            formatter.write_char('0')
        } else {
            Ok(())
        }
    }
}

impl fmt::Display for NotOwner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "The lease of {} to port {} ",
            self.key, self.port
        )?;
        match &self.holder {
            Some(holder) => write!(
                formatter,
                "belongs to {holder}, which runs. Stop it first, or use `--force`."
            ),
            None => write!(
                formatter,
                "was granted anew (generation {}). Whoever had it before cannot act for it any more.",
                self.generation
            ),
        }
    }
}
