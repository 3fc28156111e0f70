//! Ports that are free, allocators of their own, and readable requests.

#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each test file is a program of its own and uses a part of this, one of them all"
)]

use std::ops::{Deref, Range};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use portlease::core::{Port, Request};
use portlease::probe::can_bind;
use portlease::{Allocator, Options, Registry, Reservation};

pub(crate) const SIZE: u16 = 8;

/// A few neighbouring ports that nobody is on, and no connections linger on, below the range of outgoing connections. No two
/// tests of one process get the same ones, and they run one after the other: while one starts a
/// process, that has a copy of every socket of the others for some microseconds, so what they close
/// at that moment is not yet closed.
pub(crate) struct Ports {
    range: Range<u16>,
    _alone: MutexGuard<'static, ()>,
}

impl Deref for Ports {
    type Target = Range<u16>;

    fn deref(&self) -> &Range<u16> {
        &self.range
    }
}

pub(crate) fn free_ports() -> Ports {
    static ALONE: Mutex<()> = Mutex::new(());
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let seed = u16::try_from(std::process::id() % 900).expect("it is small");
    loop {
        let index = (seed + NEXT.fetch_add(1, Ordering::Relaxed)) % 900;
        let first = 21_000 + index * SIZE;
        let range = first..first + SIZE;
        if range
            .clone()
            .all(|port| can_bind(Port::literal(port), None).is_ok())
        {
            return Ports {
                range,
                _alone: alone,
            };
        }
    }
}

pub(crate) fn open(registry: Registry) -> Allocator {
    Allocator::open(Options {
        registry,
        ..Options::default()
    })
    .expect("the registry opens")
}

pub(crate) fn memory() -> Allocator {
    open(Registry::Memory)
}

pub(crate) fn within(project: &str, ports: &Range<u16>) -> Reservation {
    Reservation::of(project)
        .framework("default")
        .range(ports.start.into(), u64::from(ports.end) - 1)
}

pub(crate) fn request(project: &str, ports: &Range<u16>) -> Request {
    within(project, ports)
        .build()
        .expect("the request makes sense")
}
