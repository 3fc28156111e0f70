//! What a run came to: for people at its end, and as data.

use std::fmt;

use portlease_core::{Granted, Name, Port, Request, Tier};
use serde::{Deserialize, Serialize};

use crate::{Error, Grants};

/// The outcome of all requests of a run, service by service.
///
/// ```
/// use portlease::{Allocator, Options, Registry, Reservation, Summary};
///
/// # let allocator = Allocator::open(Options { registry: Registry::Memory, ..Options::default() })?;
/// let mut summary = Summary::default();
/// let request = Reservation::of("shop").base_port(43_000).build()?;
/// match allocator.reserve_all(&request) {
///     Ok(grants) => summary.granted(&request, &grants),
///     Err(error) => summary.refused(&request, &error),
/// }
/// assert_eq!(summary.total(), 1);
/// println!("{summary}");
/// # Ok::<(), portlease::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Summary {
    /// The services, in the order in which they were asked for.
    pub services: Vec<ServiceSummary>,
}

/// What became of one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceSummary {
    /// Its project.
    pub project: Name,
    /// Its name.
    pub service: Name,
    /// The port, or why there is none.
    #[serde(flatten)]
    pub result: ServiceResult,
}

/// A port, or the reason that there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", untagged)]
pub enum ServiceResult {
    /// It has a port.
    #[serde(rename_all = "camelCase")]
    Granted {
        /// The port.
        port: Port,
        /// The way by which it was found.
        tier: Tier,
        /// How many candidates were looked at.
        attempts: u32,
    },
    /// It has none.
    #[serde(rename_all = "camelCase")]
    Refused {
        /// The stable code of the reason.
        code: String,
    },
}

impl Summary {
    /// Adds what a request was granted.
    pub fn granted(&mut self, request: &Request, grants: &Grants) {
        let results = grants.iter().map(|grant| {
            let granted: &Granted = grant.granted();
            let result = ServiceResult::Granted {
                port: granted.port(),
                tier: granted.lease.tier,
                attempts: granted.looks,
            };
            (granted.service.clone(), result)
        });
        self.add(request, results);
    }

    /// Adds a request that was granted nothing.
    pub fn refused(&mut self, request: &Request, error: &Error) {
        let code = error.code().to_owned();
        let results = request.services.iter().map(|service| {
            let code = code.clone();
            (service.name.clone(), ServiceResult::Refused { code })
        });
        self.add(request, results);
    }

    fn add(&mut self, request: &Request, results: impl Iterator<Item = (Name, ServiceResult)>) {
        self.services
            .extend(results.map(|(service, result)| ServiceSummary {
                project: request.project.clone(),
                service,
                result,
            }));
    }

    /// How many services asked for a port.
    pub fn total(&self) -> usize {
        self.services.len()
    }

    /// How many got one.
    pub fn successes(&self) -> usize {
        self.services.iter().filter(|it| it.has_a_port()).count()
    }

    /// How many got the first port that was looked at, or one that they asked for, had before, or have
    /// by default.
    pub fn preferred(&self) -> usize {
        self.services.iter().filter(|it| it.is_preferred()).count()
    }

    /// How many got another one.
    pub fn fallbacks(&self) -> usize {
        self.successes() - self.preferred()
    }

    /// The share of the services that got a port, in percent, rounded down: 100 means all.
    pub fn success_rate(&self) -> usize {
        (self.successes() * 100)
            .checked_div(self.total())
            .unwrap_or(100)
    }
}

impl ServiceSummary {
    fn has_a_port(&self) -> bool {
        matches!(self.result, ServiceResult::Granted { .. })
    }

    /// Whether the first port that was looked at did, or one that the service has a claim to.
    fn is_preferred(&self) -> bool {
        let ServiceResult::Granted { tier, attempts, .. } = self.result else {
            return false;
        };
        attempts <= 1 || matches!(tier, Tier::Preferred | Tier::Remembered | Tier::Default)
    }

    fn label(&self) -> String {
        format!("{}/{}", self.project, self.service)
    }
}

impl fmt::Display for Summary {
    /// A line for each service, and the totals.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels: Vec<String> = self.services.iter().map(ServiceSummary::label).collect();
        let width = labels.iter().map(|it| it.chars().count()).max();
        let width = width.unwrap_or(0);
        for (label, service) in labels.iter().zip(&self.services) {
            match &service.result {
                ServiceResult::Granted {
                    port,
                    tier,
                    attempts,
                } => {
                    let kind = if service.is_preferred() {
                        "preferred"
                    } else {
                        "fallback"
                    };
                    let plural = if *attempts == 1 { "" } else { "s" };
                    writeln!(
                        formatter,
                        "{label:width$}  {port:>5}  {kind} ({tier}), {attempts} attempt{plural}"
                    )?;
                }
                ServiceResult::Refused { code } => {
                    writeln!(formatter, "{label:width$}      –  {code}")?;
                }
            }
        }
        write!(
            formatter,
            "{} of {} services have a port ({} %): {} preferred, {} fallback",
            self.successes(),
            self.total(),
            self.success_rate(),
            self.preferred(),
            self.fallbacks()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(service: &'static str, result: ServiceResult) -> ServiceSummary {
        ServiceSummary {
            project: Name::literal("shop"),
            service: Name::literal(service),
            result,
        }
    }

    fn granted(port: u16, tier: Tier, attempts: u32) -> ServiceResult {
        ServiceResult::Granted {
            port: Port::literal(port),
            tier,
            attempts,
        }
    }

    fn three() -> Summary {
        let refused = ServiceResult::Refused {
            code: "RANGE_EXHAUSTED".to_owned(),
        };
        Summary {
            services: vec![
                service("web", granted(3000, Tier::Remembered, 1)),
                service("api", granted(10_017, Tier::Scan, 18)),
                service("live", refused),
            ],
        }
    }

    #[test]
    fn people_read_a_line_for_each_service_and_the_totals() {
        assert_eq!(
            three().to_string(),
            "shop/web    3000  preferred (remembered), 1 attempt\n\
             shop/api   10017  fallback (scan), 18 attempts\n\
             shop/live      –  RANGE_EXHAUSTED\n\
             2 of 3 services have a port (66 %): 1 preferred, 1 fallback"
        );
        assert_eq!(
            Summary::default().to_string(),
            "0 of 0 services have a port (100 %): 0 preferred, 0 fallback"
        );
    }

    #[test]
    fn programs_read_the_same_and_can_give_it_back() {
        let json = serde_json::to_value(three()).unwrap();
        assert_eq!(
            json[1],
            serde_json::json!({"project": "shop", "service": "api", "port": 10_017, "tier": "scan", "attempts": 18})
        );
        assert_eq!(json[2]["code"], "RANGE_EXHAUSTED");
        assert_eq!(serde_json::from_value::<Summary>(json).unwrap(), three());
    }
}
