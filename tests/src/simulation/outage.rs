//! The hour in which the database is away, and comes back to a fleet that waited for it: played in a time of its own, with the pauses of
//! the product and the times that the real database took.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use portlease::Rhythm;
use portlease_postgres::{TRIED_FOR, pause_while_away};

use super::meter::real;

/// What happens.
#[derive(Debug, Clone)]
pub struct Outage {
    /// How many hosts there are.
    pub hosts: usize,
    /// How long the database is away.
    pub away: Duration,
    /// How often each host reports.
    pub report_every: Duration,
    /// After which silence it has agreed to be given up.
    pub gives_up_after: Duration,
    /// How often something is taken or given back on a host.
    pub change_every: Duration,
    /// How many reports the database takes in a second, and how many changes.
    pub reports_per_second: f64,
    /// How many changes it takes in a second.
    pub changes_per_second: f64,
    /// One of so many hosts ends while the database is away.
    pub dying: usize,
    /// How runners behave.
    pub behaviour: Behaviour,
    /// Where what is left to chance comes from.
    pub seed: u64,
}

/// How runners and those who look for silent hosts behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// As they do.
    Real,
    /// As one would write it first: those who failed try again a second later, all report at once and stay in step, and silence is
    /// whatever the clock says.
    Naive,
}

/// What became of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Course {
    /// So long after the database was back, half of the hosts that live were heard.
    pub half_back: Duration,
    /// And all of them.
    pub all_back: Duration,
    /// How many commands were begun.
    pub commands: usize,
    /// How many of those that were begun when the database was back ended with an error.
    pub failed_afterwards: usize,
    /// So long after it was back, the last one was begun that did.
    pub last_failed: Duration,
    /// How long the longest command took.
    pub longest: Duration,
    /// How many connections were tried in the busiest second.
    pub most_tries: usize,
    /// How many hosts lost their leases that live.
    pub wrongly_given_up: usize,
    /// How many of those that ended did not.
    pub not_given_up: usize,
}

/// How long a command may take.
pub const LIMIT: Duration = Duration::from_secs(10);
/// So many connections does the pool in front of the database have.
const SERVERS: usize = super::costs::CLIENTS;
/// As `runners.rs` of the store says it.
const DEAF_AFTER: Duration = Duration::from_secs(20);

/// Plays it.
#[must_use]
pub fn play(outage: &Outage) -> Course {
    let mut play = Play::new(outage);
    while let Some(Reverse((at, _, event))) = play.events.pop() {
        play.now = at;
        match event {
            Event::Away => play.goes_away(),
            Event::Back => play.comes_back(),
            Event::Report(host) => play.begin(Kind::Report(host)),
            Event::Command => play.command(),
            Event::Try(task) => play.try_it(task),
            Event::Served(task, outages) => play.served(task, outages),
            Event::TimeIsOver(task) => play.time_is_over(task),
            Event::GivesUp(task) => play.give_up(task),
            Event::End => break,
        }
    }
    play.sum()
}

type Micros = u64;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Away,
    Back,
    Report(usize),
    Command,
    Try(usize),
    /// With how many outages there were before.
    Served(usize, u32),
    TimeIsOver(usize),
    GivesUp(usize),
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Report(usize),
    Command,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Pausing,
    Queued,
    Served,
    Over,
}

#[derive(Debug, Clone, Copy)]
struct Task {
    kind: Kind,
    begun: Micros,
    failed: u32,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Lives,
    /// It ends while the database is away.
    Ends,
}

struct Runner {
    rhythm: Rhythm,
    heard_at: Micros,
    fate: Fate,
    is_given_up: bool,
    is_back: bool,
    /// Whether it knows that the database is away.
    knocks: bool,
}

struct Play<'a> {
    outage: &'a Outage,
    now: Micros,
    events: BinaryHeap<Reverse<(Micros, u64, Event)>>,
    number: u64,
    random: fastrand::Rng,
    runners: Vec<Runner>,
    tasks: Vec<Task>,
    queue: VecDeque<usize>,
    busy: usize,
    outages: u32,
    is_away: bool,
    /// When somebody last looked for silent hosts, and since when somebody did all the time.
    looked_at: Micros,
    since: Micros,
    began_away: Micros,
    back_at: Micros,
    backs: Vec<Micros>,
    tries: Vec<usize>,
    course: Course,
}

impl<'a> Play<'a> {
    fn new(outage: &'a Outage) -> Self {
        let mut random = fastrand::Rng::with_seed(outage.seed);
        // All had their rhythm for long.
        let began_away = micros(outage.report_every + Duration::from_secs(30));
        let back_at = began_away + micros(outage.away);
        let mut runners = Vec::new();
        for number in 0..outage.hosts {
            let mut rhythm = Rhythm::new(outage.report_every);
            rhythm.after_report(Duration::ZERO, 0.0);
            let fate = if number % outage.dying == outage.dying - 1 {
                Fate::Ends
            } else {
                Fate::Lives
            };
            runners.push(Runner {
                rhythm,
                heard_at: 0,
                fate,
                is_given_up: false,
                is_back: false,
                knocks: false,
            });
        }
        let mut play = Self {
            outage,
            now: 0,
            events: BinaryHeap::new(),
            number: 0,
            random: random.fork(),
            runners,
            tasks: Vec::new(),
            queue: VecDeque::new(),
            busy: 0,
            outages: 0,
            is_away: false,
            looked_at: 0,
            since: 0,
            began_away,
            back_at,
            backs: Vec::new(),
            tries: Vec::new(),
            course: Course::default(),
        };
        for host in 0..outage.hosts {
            let first = micros(outage.report_every.mul_f64(random.f64()));
            play.at(first, Event::Report(host));
        }
        play.at(0, Event::Command);
        play.at(began_away, Event::Away);
        play.at(back_at, Event::Back);
        let end = back_at + micros(outage.gives_up_after * 2 + outage.report_every * 2);
        play.at(end, Event::End);
        play
    }

    fn at(&mut self, at: Micros, event: Event) {
        self.number += 1;
        self.events.push(Reverse((at, self.number, event)));
    }

    fn goes_away(&mut self) {
        self.is_away = true;
        self.outages += 1;
        for task in std::mem::take(&mut self.queue) {
            if self.tasks[task].state == State::Queued {
                self.fail(task);
            }
        }
        self.busy = 0;
    }

    fn comes_back(&mut self) {
        self.is_away = false;
    }

    fn command(&mut self) {
        self.begin(Kind::Command);
        let rate = real(self.outage.hosts) / self.outage.change_every.as_secs_f64();
        let pause = -(1.0 - self.random.f64()).ln() / rate;
        self.at(
            self.now + micros(Duration::from_secs_f64(pause)),
            Event::Command,
        );
    }

    fn begin(&mut self, kind: Kind) {
        if let Kind::Report(host) = kind
            && self.runners[host].fate == Fate::Ends
            && self.now > self.began_away
        {
            return;
        }
        self.course.commands += usize::from(kind == Kind::Command);
        self.tasks.push(Task {
            kind,
            begun: self.now,
            failed: 0,
            state: State::Pausing,
        });
        self.try_it(self.tasks.len() - 1);
    }

    fn try_it(&mut self, task: usize) {
        self.count_try(self.now);
        if self.is_away {
            self.fail(task);
            return;
        }
        self.tasks[task].state = State::Queued;
        let end = self.tasks[task].begun + micros(LIMIT);
        self.at(end, Event::TimeIsOver(task));
        if self.busy < SERVERS {
            self.serve(task);
        } else {
            self.queue.push_back(task);
        }
    }

    fn serve(&mut self, task: usize) {
        self.busy += 1;
        self.tasks[task].state = State::Served;
        let per_second = match self.tasks[task].kind {
            Kind::Report(_) => self.outage.reports_per_second,
            Kind::Command => self.outage.changes_per_second,
        };
        let takes = real(SERVERS) / per_second * (0.5 + self.random.f64());
        let done = self.now + micros(Duration::from_secs_f64(takes));
        self.at(done, Event::Served(task, self.outages));
    }

    fn served(&mut self, task: usize, outages: u32) {
        let is_waited_for = self.tasks[task].state == State::Served;
        if outages != self.outages {
            // The database went away over it.
            if is_waited_for {
                self.fail(task);
            }
            return;
        }
        self.busy -= 1;
        if is_waited_for {
            self.end(task);
            if let Kind::Report(host) = self.tasks[task].kind {
                self.heard(host);
            }
        }
        while let Some(next) = self.queue.pop_front() {
            if self.tasks[next].state == State::Queued {
                self.serve(next);
                break;
            }
        }
    }

    fn time_is_over(&mut self, task: usize) {
        if matches!(self.tasks[task].state, State::Queued | State::Served) {
            self.give_up(task);
        }
    }

    /// What a try of the store does that found nobody. All tries of a command that will find nobody either are played at once.
    fn fail(&mut self, task: usize) {
        let Task { kind, begun, .. } = self.tasks[task];
        let is_knock = matches!(kind, Kind::Report(host) if self.runners[host].knocks);
        let until = begun + micros(LIMIT.mul_f64(TRIED_FOR));
        let mut at = self.now;
        loop {
            let chance = self.random.f64();
            let it = &mut self.tasks[task];
            it.state = State::Pausing;
            let next = at + micros(pause_while_away(it.failed, chance));
            it.failed += 1;
            if is_knock || next >= until {
                self.at(at, Event::GivesUp(task));
                return;
            }
            if !self.is_away || next >= self.back_at {
                self.at(next, Event::Try(task));
                return;
            }
            self.count_try(next);
            at = next;
        }
    }

    fn count_try(&mut self, at: Micros) {
        let second = usize::try_from(at / 1_000_000).expect("it is not long");
        self.tries.resize(self.tries.len().max(second + 1), 0);
        self.tries[second] += 1;
    }

    /// The time of a command is over.
    fn give_up(&mut self, task: usize) {
        self.end(task);
        let Task { kind, begun, .. } = self.tasks[task];
        match kind {
            Kind::Report(host) => {
                let pause = match self.outage.behaviour {
                    Behaviour::Real => {
                        let chance = self.random.f64();
                        let runner = &mut self.runners[host];
                        runner.knocks = true;
                        runner.rhythm.after_failure(chance)
                    }
                    Behaviour::Naive => Duration::from_secs(1),
                };
                self.at(self.now + micros(pause), Event::Report(host));
            }
            Kind::Command if begun >= self.back_at => {
                self.course.failed_afterwards += 1;
                self.course.last_failed = Duration::from_micros(begun - self.back_at);
            }
            Kind::Command => {}
        }
    }

    fn end(&mut self, task: usize) {
        let task = &mut self.tasks[task];
        task.state = State::Over;
        let took = Duration::from_micros(self.now - task.begun);
        self.course.longest = self.course.longest.max(took);
    }

    fn heard(&mut self, host: usize) {
        let looked_ago = Duration::from_micros(self.now - self.looked_at);
        let chance = self.random.f64();
        let runner = &mut self.runners[host];
        runner.heard_at = self.now;
        runner.knocks = false;
        if self.now >= self.back_at && !std::mem::replace(&mut runner.is_back, true) {
            self.backs.push(self.now - self.back_at);
        }
        let rest = match self.outage.behaviour {
            Behaviour::Real => runner.rhythm.after_report(looked_ago, chance),
            Behaviour::Naive => self.outage.report_every,
        };
        self.at(self.now + micros(rest), Event::Report(host));
        if looked_ago >= Rhythm::LOOK_EVERY {
            self.look();
        }
    }

    /// What somebody does who looks for silent hosts.
    fn look(&mut self) {
        let is_deaf = self.now - self.looked_at > micros(DEAF_AFTER);
        if is_deaf && self.outage.behaviour == Behaviour::Real {
            self.since = self.now;
        }
        self.looked_at = self.now;
        let agreed = micros(self.outage.gives_up_after);
        for runner in &mut self.runners {
            let heard_at = runner.heard_at.max(self.since);
            if self.now - heard_at > agreed && !runner.is_given_up {
                runner.is_given_up = true;
                self.course.wrongly_given_up += usize::from(runner.fate == Fate::Lives);
            }
        }
    }

    fn sum(mut self) -> Course {
        let not_given_up = self.runners.iter();
        let not_given_up = not_given_up.filter(|it| it.fate == Fate::Ends && !it.is_given_up);
        self.course.not_given_up = not_given_up.count();
        self.course.most_tries = self.tries.iter().copied().max().unwrap_or(0);
        let living = self.runners.iter();
        let living = living.filter(|it| it.fate == Fate::Lives).count();
        let is_complete = self.backs.len() == living;
        let at = |index: usize| self.backs.get(index).map(|it| Duration::from_micros(*it));
        self.course.half_back = at(living / 2).unwrap_or(Duration::MAX);
        let last = at(living.saturating_sub(1)).filter(|_| is_complete);
        self.course.all_back = last.unwrap_or(Duration::MAX);
        self.course
    }
}

fn micros(time: Duration) -> Micros {
    u64::try_from(time.as_micros()).expect("it is not long")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outage(away: u64, behaviour: Behaviour) -> Outage {
        Outage {
            hosts: 4_000,
            away: Duration::from_secs(away),
            report_every: Duration::from_mins(1),
            gives_up_after: Duration::from_mins(5),
            change_every: Duration::from_mins(5),
            reports_per_second: 200.0,
            changes_per_second: 200.0,
            dying: 100,
            behaviour,
            seed: 1,
        }
    }

    #[test]
    fn a_fleet_comes_back_after_an_outage_and_only_those_that_ended_are_given_up() {
        for away in [30, 60, 600, 3_600] {
            let course = play(&outage(away, Behaviour::Real));
            assert_eq!(
                (course.wrongly_given_up, course.not_given_up),
                (0, 0),
                "{course:?}"
            );
            assert!(course.all_back < Duration::from_mins(3), "{course:?}");
            assert!(course.longest <= LIMIT, "{course:?}");
        }
    }

    #[test]
    fn in_a_fleet_of_any_size_somebody_looks_for_silent_hosts_all_the_time() {
        for hosts in [2, 3, 5, 20, 300] {
            let course = play(&Outage {
                hosts,
                dying: hosts,
                ..outage(1, Behaviour::Real)
            });
            let given_up = (course.wrongly_given_up, course.not_given_up);
            assert_eq!(given_up, (0, 0), "of {hosts}: {course:?}");
        }
    }

    #[test]
    fn the_simulation_would_see_a_fleet_lose_its_leases() {
        let course = play(&outage(600, Behaviour::Naive));
        assert!(course.wrongly_given_up > 3_000, "{course:?}");
    }
}
