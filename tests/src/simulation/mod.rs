//! What becomes of a registry when very many hosts share it: a real database, the product's own store, and hosts that are only played.
//!
//! What is measured here are ratios and costs of single things: the database and those who load it share a few processors.

mod costs;
mod hosts;
mod listening;
mod load;
mod meter;
pub mod outage;

use std::time::Duration;

pub use load::Habits;

use crate::postgres::Cluster;
use costs::Cost;
use hosts::Hosts;
use load::Step;
use meter::real;
use outage::{Behaviour, Course, Outage};

/// What is simulated.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How many hosts there are.
    pub hosts: usize,
    /// For how long each load is put on, and each cost is measured.
    pub time: Duration,
    /// Over how many databases the hosts are spread.
    pub shards: usize,
    /// How many connections there are to all databases, as those of a pool.
    pub connections: usize,
    /// With how many connections that listen bells are tried.
    pub listeners: usize,
    /// How often a host does what.
    pub habits: Habits,
    /// Where what is left to chance comes from.
    pub seed: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            hosts: 100_000,
            time: Duration::from_secs(10),
            shards: 1,
            connections: 16,
            listeners: 1_000,
            habits: Habits {
                report_every: Duration::from_mins(1),
                // Somebody starts or ends a server: more often than people do, and as often as a busy machine of a build farm.
                change_every: Duration::from_mins(5),
                look_every: Duration::from_secs(30),
            },
            seed: 1,
        }
    }
}

/// What must not be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many things the hosts did.
    pub acts: usize,
    /// How many of them ended with an error.
    pub errors: usize,
    /// How many leases there were too few or too many at the end.
    pub losses: usize,
    /// How many hosts got another answer from their shard than from one database for all.
    pub different: usize,
    /// How many hosts lost their leases to an outage of the database.
    pub wrongly_given_up: usize,
    /// How many ended hosts kept theirs.
    pub not_given_up: usize,
    /// How many commands took longer than they may.
    pub overlong: usize,
}

impl Counts {
    /// Whether every promise was kept.
    #[must_use]
    pub fn are_well(&self) -> bool {
        self.losses + self.different + self.wrongly_given_up + self.not_given_up + self.overlong
            == 0
    }
}

/// What a large server has at least, and room for those who listen.
fn settings(listeners: usize) -> [String; 3] {
    [
        "shared_buffers=1GB".to_owned(),
        "max_wal_size=8GB".to_owned(),
        format!("max_connections={}", listeners + 300),
    ]
}

/// The percentages of the hosts at which the load is tried, one after the other until it is too much.
const STEPS: &[usize] = &[12, 25, 50, 75, 100, 150, 200, 400];
/// How many hosts are asked on one database and on several.
const COMPARED: usize = 200;

/// Simulates it all, and prints what is seen.
///
/// # Panics
///
/// When there is no PostgreSQL.
#[must_use]
pub fn run(plan: &Plan) -> Counts {
    let settings = settings(plan.listeners);
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let cluster = Cluster::start(&settings);
    let hosts = Hosts::fill(&cluster, plan.hosts, plan.shards, plan.connections);
    let rows = plan.hosts * usize::try_from(hosts::LEASES).expect("it is few");
    println!(
        "{} hosts with {rows} leases on {} database(s) of one server, {} connections, {} processors for all of it",
        plan.hosts,
        plan.shards,
        plan.connections,
        std::thread::available_parallelism().map_or(1, usize::from)
    );
    println!(
        "Every commit is on the disk (fsync). Compare the figures with each other; other work on this machine is in them."
    );

    let costs = costs::measure(&hosts, plan.time);
    print_costs(&costs);
    let mut counts = Counts::default();
    loads(plan, &hosts, &mut counts);
    counts.losses = hosts.lost(counts.errors);
    shards(&cluster, &hosts, plan, &mut counts);
    bells(&cluster, &hosts, plan);
    outages(plan, &costs, &mut counts);
    counts
}

fn print_costs(costs: &[Cost]) {
    println!("\nwhat one of each costs, 8 at once:");
    println!(
        "{:<10}{:>10}{:>12}{:>14}{:>16}",
        "", "a second", "median", "log bytes", "processor time"
    );
    for cost in costs {
        println!(
            "{:<10}{:>10.0}{:>12.1?}{:>14}{:>16.1?}",
            format!("{:?}", cost.deed).to_lowercase(),
            cost.per_second,
            cost.median,
            cost.log,
            cost.processor
        );
    }
}

fn loads(plan: &Plan, hosts: &Hosts<'_>, counts: &mut Counts) {
    println!("\nthe usual load of so many hosts, from what they do at moments of their own:");
    println!(
        "{:>8}{:>10}{:>10}{:>11}{:>11}{:>11}{:>11}{:>12}  shards",
        "hosts", "offered/s", "done/s", "p50", "p99", "max", "log/act", "processors"
    );
    for (seed, percent) in (plan.seed..).zip(STEPS) {
        let (played, workers) = (plan.hosts * percent / 100, plan.connections);
        let step = load::run(hosts, plan.habits, played, plan.time, workers, seed);
        print_step(&step);
        counts.acts += step.acts;
        counts.errors += step.errors;
        if !step.is_carried() {
            break;
        }
    }
}

fn print_step(step: &Step) {
    let shares: Vec<String> = step
        .shares
        .iter()
        .map(|share| format!("{:.0}%", share * 100.0))
        .collect();
    println!(
        "{:>8}{:>10.0}{:>10.0}{:>11.1?}{:>11.1?}{:>11.1?}{:>11}{:>12.2}  {}{}",
        step.hosts,
        step.offered,
        step.done,
        step.p50,
        step.p99,
        step.max,
        step.log,
        step.processors,
        shares.join(" "),
        if step.is_carried() { "" } else { "  too much" }
    );
}

/// The same hosts ask the same on one database.
fn shards(cluster: &Cluster, hosts: &Hosts<'_>, plan: &Plan, counts: &mut Counts) {
    if plan.shards == 1 {
        return;
    }
    let alone = Hosts::fill(cluster, COMPARED.min(plan.hosts), 1, 1);
    for number in 0..alone.count {
        let turns = [(); 2].map(|()| {
            let port = [hosts, &alone].map(|hosts| hosts.reserve(number));
            for hosts in [hosts, &alone] {
                hosts.release(number).expect("it is theirs");
            }
            port
        });
        let is_same = |[left, right]: &[Result<_, _>; 2]| left == right && left.is_ok();
        counts.different += usize::from(!turns.iter().all(is_same));
    }
    println!(
        "\n{} of {} hosts were answered by their shard as by one database for all",
        alone.count - counts.different,
        alone.count
    );
}

fn bells(cluster: &Cluster, hosts: &Hosts<'_>, plan: &Plan) {
    println!(
        "\nwhat it costs to ring one bell while so many connections listen, each for another host:"
    );
    println!(
        "{:>10}{:>10}{:>12}{:>16}{:>8}{:>20}",
        "listeners", "a second", "median", "processor time", "heard", "memory of each"
    );
    let database = &hosts.shards[0].database;
    for listeners in [1, plan.listeners.div_ceil(10), plan.listeners] {
        let rung = listening::ring(cluster, database, listeners, plan.time.min(SHORT));
        println!(
            "{:>10}{:>10.0}{:>12.1?}{:>16.1?}{:>8.2}{:>17} kB",
            rung.listeners,
            rung.per_second,
            rung.median,
            rung.processor,
            rung.heard,
            rung.memory / 1_024
        );
    }
}

const SHORT: Duration = Duration::from_secs(3);

fn outages(plan: &Plan, costs: &[Cost], counts: &mut Counts) {
    let rate = |deed| {
        let cost = costs.iter().find(|cost| cost.deed == deed);
        cost.expect("it was measured").per_second
    };
    let (reports, changes) = (rate(costs::Deed::Report), rate(costs::Deed::Reserve));
    let Habits {
        report_every,
        change_every,
        ..
    } = plan.habits;
    // The part of its time that the database spends on one host.
    let of_one =
        1.0 / (reports * report_every.as_secs_f64()) + 1.0 / (changes * change_every.as_secs_f64());
    let hundreds = (1..).map(|step| step * HUNDRED);
    let carried = hundreds.take_while(|&hosts| real(hosts) * of_one < BUSY);
    let hosts = carried.last().unwrap_or(HUNDRED);
    println!(
        "\nthe database is away and comes back to {hosts} hosts, which keep it busy for {:.0} % of the time on other days\n\
         (played in a time of its own, with the pauses of the product and the costs above):",
        BUSY * 100.0
    );
    println!(
        "{:<8}{:<8}{:>14}{:>11}{:>11}{:>17}{:>13}{:>12}{:>10}",
        "away",
        "runners",
        "tries/s most",
        "half back",
        "all back",
        "failed commands",
        "the last at",
        "longest",
        "lost"
    );
    for away in [Duration::from_mins(1), Duration::from_mins(10)] {
        for behaviour in [Behaviour::Naive, Behaviour::Real] {
            let course = outage::play(&Outage {
                hosts,
                away,
                report_every,
                gives_up_after: Duration::from_mins(5),
                change_every,
                reports_per_second: reports,
                changes_per_second: changes,
                dying: 100,
                behaviour,
                seed: plan.seed,
            });
            print_course(away, behaviour, &course);
            if behaviour == Behaviour::Real {
                counts.wrongly_given_up += course.wrongly_given_up;
                counts.not_given_up += course.not_given_up;
                let is_overlong = course.longest > outage::LIMIT;
                counts.overlong += usize::from(is_overlong);
            }
        }
    }
    println!(
        "failed commands: those begun when it was back. lost: hosts that live and were given up."
    );
}

const HUNDRED: usize = 100;
/// A database that has more to do on other days does not catch up after a bad one.
const BUSY: f64 = 0.6;

fn print_course(away: Duration, behaviour: Behaviour, course: &Course) {
    println!(
        "{:<8}{:<8}{:>14}{:>11.1?}{:>11.1?}{:>17}{:>13.1?}{:>12.1?}{:>10}",
        format!("{away:?}"),
        format!("{behaviour:?}").to_lowercase(),
        course.most_tries,
        course.half_back,
        course.all_back,
        course.failed_afterwards,
        course.last_failed,
        course.longest,
        course.wrongly_given_up
    );
}
