//! Asking servers whether they are well, each at its time.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use portlease_core::{Capability, Generation, Lease, LeaseKey, ValidatedLease};

use super::Shared;
use super::event::{HealthState, LeaseHealth};
use crate::{Health, HealthCheck, HealthStatus, WatchOptions, check_health, now};

pub(super) struct Checkups {
    options: WatchOptions,
    /// When each server is to be asked again.
    due: BTreeMap<(LeaseKey, Generation), Instant>,
}

impl Checkups {
    pub(super) fn new(options: WatchOptions) -> Self {
        Self {
            options,
            due: BTreeMap::new(),
        }
    }

    /// Goes on until nobody wakes it any more. It is woken whenever there may be somebody new to ask.
    pub(super) fn go_on(&mut self, shared: &Shared, woken: &Receiver<()>) {
        loop {
            let asked = self.due_now(shared);
            let checks: Vec<HealthCheck> = asked
                .iter()
                .map(|validated| self.check(&validated.lease))
                .collect();
            for (validated, health) in asked.iter().zip(check_health(&checks)) {
                shared.happen(|seen| {
                    let event = seen.take_health(validated, health.into());
                    event.into_iter().collect()
                });
            }
            let next = self.due.values().min();
            let rest = next.map_or(Duration::MAX, |at| {
                at.saturating_duration_since(Instant::now())
            });
            if woken.recv_timeout(rest) == Err(RecvTimeoutError::Disconnected) {
                return;
            }
            // What came meanwhile is looked at together.
            while woken.try_recv().is_ok() {}
        }
    }

    /// The leases whose servers are to be asked now. They are to be asked again later.
    fn due_now(&mut self, shared: &Shared) -> Vec<ValidatedLease> {
        let now = Instant::now();
        let listeners: Vec<ValidatedLease> = {
            let state = shared.lock();
            state.seen.listeners().cloned().collect()
        };
        let mut former = std::mem::take(&mut self.due);
        let mut asked = Vec::new();
        for validated in listeners {
            let server = (validated.lease.key.clone(), validated.lease.generation);
            let due = former.remove(&server).unwrap_or(now);
            let is_asked = due <= now;
            let next = if is_asked { now + self.pause() } else { due };
            self.due.insert(server, next);
            if is_asked {
                asked.push(validated);
            }
        }
        asked
    }

    fn pause(&self) -> Duration {
        self.options
            .check_every
            .mul_f64(fastrand::f64() / 5.0 + 0.9)
    }

    fn check(&self, lease: &Lease) -> HealthCheck {
        let check = HealthCheck::of_lease(lease).timeout(self.options.check_timeout);
        let speaks_http = lease.requires.iter().all(|it| *it != Capability::Tcp);
        match &self.options.check_path {
            Some(path) if speaks_http => check.get(path.clone()),
            _ => check,
        }
    }
}

impl From<Health> for LeaseHealth {
    fn from(health: Health) -> Self {
        let state = match health.status {
            HealthStatus::Healthy => HealthState::Healthy,
            // It ended since it was seen.
            HealthStatus::Refused => HealthState::Idle,
            _ => HealthState::Unreachable,
        };
        let is_unwell = state == HealthState::Unreachable;
        Self {
            state,
            latency_micros: health.latency_micros,
            http_status: health.http_status,
            problem: is_unwell.then(|| health.problem.unwrap_or_else(|| health.status.to_string())),
            checked_at: now(),
        }
    }
}
