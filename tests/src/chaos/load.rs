//! A fleet at work: processes on several machines, whose clocks are not those of each other, take ports and give them back.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use portlease_core::{
    Command, Facts, Lease, Name, PortRange, Release, Reply, Request, Service, Store as _,
    Timestamp, TransactError,
};
use portlease_postgres::{Options, PostgresStore};

use super::{Counts, Plan, Witness, host};

/// So few that most were somebody else's before, and that now and then there is none.
const RANGE: PortRange = PortRange::literal(3000, 3008);
/// How many ports each keeps.
const KEPT: usize = 2;
/// What a busy machine may add to a limit.
const LENIENCE: Duration = Duration::from_secs(2);
const HOUR: u64 = 3_600_000;

#[derive(Debug)]
pub(super) struct Load<'a> {
    plan: &'a Plan,
    url: &'a str,
    witness: &'a Witness,
    is_over: AtomicBool,
    requests: AtomicU64,
    refusals: AtomicU64,
    errors: AtomicU64,
    overlong: AtomicU64,
}

impl<'a> Load<'a> {
    pub(super) fn new(plan: &'a Plan, url: &'a str, witness: &'a Witness) -> Self {
        Self {
            plan,
            url,
            witness,
            is_over: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            refusals: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            overlong: AtomicU64::new(0),
        }
    }

    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(super) fn told(&self) -> Counts {
        Counts {
            requests: self.requests(),
            refusals: self.refusals.load(Ordering::Relaxed),
            errors: self.errors.load(Ordering::Relaxed),
            overlong: self.overlong.load(Ordering::Relaxed),
            ..Counts::default()
        }
    }

    /// Until the end.
    pub(super) fn work(&self) {
        thread::scope(|scope| {
            for number in 0..self.plan.workers {
                scope.spawn(move || self.worker(number));
            }
        });
    }

    fn worker(&self, number: usize) {
        let mut random = fastrand::Rng::with_seed(self.plan.seed ^ (number as u64) << 32);
        let (mut store, mut kept, mut round) = (None, Vec::new(), 0_u64);
        while !self.is_over.load(Ordering::Relaxed) {
            round += 1;
            // A process ends now and then, and another one begins.
            if random.u8(..) < 2 {
                store = None;
            }
            let Some(store) = self.opened(&mut store) else {
                continue;
            };
            let project = format!("worker-{number}-{}", round % 3);
            self.turn(store, number, &project, &mut kept, &mut random);
        }
    }

    fn opened<'s>(&self, store: &'s mut Option<PostgresStore>) -> Option<&'s PostgresStore> {
        if store.is_none() {
            let address = self.url.parse().expect("it is a URL");
            let options = Options::new().time_limit(self.plan.limit);
            *store = self.timed(|| options.open(&address)).ok();
        }
        store.as_ref()
    }

    fn turn(
        &self,
        store: &PostgresStore,
        number: usize,
        project: &str,
        kept: &mut Vec<Lease>,
        random: &mut fastrand::Rng,
    ) {
        let host = host(number % self.plan.hosts);
        let skew = (number as u64 % 3) * HOUR;
        let facts = Facts::at(Timestamp::from_millis(100 * HOUR + skew));
        let is_own = |lease: &Lease| lease.key.project.as_str() == project;
        if kept.len() < KEPT || random.bool() {
            let service = Service::in_range(Name::literal("web"), RANGE);
            let command = Command::Reserve(Request::new(Name::literal(project), vec![service]));
            match self.timed(|| store.transact(&host, &command, &facts)) {
                Ok(decision) => {
                    let Reply::Reserved(reserved) = decision.reply else {
                        unreachable!("a reserve is answered with what was reserved")
                    };
                    let lease = reserved.services[0].lease.clone();
                    self.witness.granted(&host, &lease);
                    kept.retain(|lease| !is_own(lease));
                    kept.push(lease);
                }
                Err(TransactError::Refused(_)) => {
                    self.refusals.fetch_add(1, Ordering::Relaxed);
                }
                Err(TransactError::Store(_)) => {}
            }
        } else {
            let lease = kept.remove(random.usize(..kept.len()));
            self.witness.leaves(&host, &lease);
            let release = Release::granted(lease.key.clone(), lease.generation);
            let command = Command::Release(release);
            if self
                .timed(|| store.transact(&host, &command, &facts))
                .is_ok()
            {
                self.witness.left(&host, &lease);
            }
        }
    }

    /// Asks something, and looks at the clock.
    fn timed<T, E: Into<TransactError>>(
        &self,
        ask: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, TransactError> {
        let begun = Instant::now();
        let answer = ask().map_err(Into::into);
        let is_overlong = begun.elapsed() > self.plan.limit + LENIENCE;
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.overlong
            .fetch_add(is_overlong.into(), Ordering::Relaxed);
        let is_error = matches!(answer, Err(TransactError::Store(_)));
        self.errors.fetch_add(is_error.into(), Ordering::Relaxed);
        answer
    }
}
