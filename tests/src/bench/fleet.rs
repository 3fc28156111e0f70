//! The registry of a fleet: a reserve beside the same statements by hand, with few leases and with many, for one and for many at
//! once.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use portlease_core::{
    Command, Facts, Host, Name, PortRange, Release, Request, Service, Store as _,
};
use portlease_postgres::{Options, PostgresStore, SQL};
use portlease_tests::postgres::{Cluster, Database};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Statement};

use crate::Result;
use crate::measure::Timing;
use crate::report::{Count, Report, Row, Unit};

const BENCH: &str = "fleet";
const HOSTS: usize = 10_000;
const FEW: usize = 1_000;
const MANY: usize = 1_000_000;
/// What those who share a host share is not the range: they would only wait for each other.
const RANGE: PortRange = PortRange::literal(3000, 3100);
/// The leases that are there lie elsewhere, so that the same ones are free.
const FIRST_TAKEN: usize = 20_000;
/// What a large server has at least, and a laptop can spare.
const SETTINGS: &[&str] = &["shared_buffers=512MB", "max_wal_size=4GB"];
const TIME: Duration = Duration::from_secs(4);
const WARM_UP: Duration = Duration::from_secs(1);

pub(crate) fn run(report: &mut Report) -> Result<()> {
    let cluster = Cluster::start(SETTINGS);
    let mut medians = Vec::new();
    for leases in [FEW, MANY] {
        let database = filled(&cluster, leases)?;
        for (clients, hosts) in [(1, 1), (1, HOSTS), (64, 1), (64, HOSTS)] {
            let where_ = if hosts == 1 { "one host" } else { "many hosts" };
            let case = format!("{leases} leases, {clients} at once, {where_}");
            let ours = measure(clients, hosts, |_| Ours::open(&database.url))?;
            let floor = measure(clients, hosts, |number| Floor::open(&database.url, number))?;
            if clients == 1 && hosts > 1 {
                medians.push(ours.timing.p50);
            }
            report.count(Count {
                bench: BENCH,
                case: format!("throughput, {case}"),
                unit: "reserves and releases a second",
                ours: ours.per_second,
                peers: vec![("floor", floor.per_second)],
            });
            report.row(Row {
                bench: BENCH,
                case: format!("reserve, {case}"),
                unit: Unit::Micros,
                ours: ours.timing,
                floor: floor.timing,
                peers: Vec::new(),
            });
        }
    }
    if let [few, many] = medians[..] {
        let ratio = many.as_secs_f64() / few.as_secs_f64();
        report.aim(
            "a reserve among 1,000,000 leases is at most 1.5 times as long as among 1,000",
            1.5,
            ratio,
        );
    }
    report.remark("floor: the same statements, prepared, in the same two flights, on the thread of their connection.".to_owned());
    report.remark("Every transaction is on the disk when it is answered (fsync).".to_owned());
    Ok(())
}

/// So many leases on the hosts, put there by the database itself.
fn filled(cluster: &Cluster, leases: usize) -> Result<Database> {
    let database = cluster.database();
    drop(PostgresStore::open(&database.url.parse()?)?);
    let of_each = leases.div_ceil(HOSTS);
    let with_some = leases / of_each;
    let commands = format!(
        "INSERT INTO portlease.host (name, last_generation, changes) SELECT 'host-' || number, {of_each}, 1
             FROM generate_series(0, {HOSTS} - 1) AS number;
         INSERT INTO portlease.lease (host, port, project, service, instance, framework, generation, state, range_first,
             range_last, tier, priority, granted_at, renewed_at)
             SELECT id, {FIRST_TAKEN} + number, '/home/ada/project-' || number, 'web', 1, 'next', number, 'live', 20000, 29999,
                 'scan', 0, 0, 0
             FROM (SELECT id FROM portlease.host ORDER BY id LIMIT {with_some}) AS host, generate_series(1, {of_each}) AS number;
         VACUUM ANALYZE;
         CHECKPOINT"
    );
    for command in commands.split(';') {
        cluster.sql(&database.name, command);
    }
    Ok(database)
}

/// Somebody who takes a port and gives it back.
trait Asker: Sized {
    /// Takes a port of a host for a project.
    fn reserve(&mut self, host: &str, project: &str);
    /// Gives it back, which is not measured by itself.
    fn release(&mut self, host: &str, project: &str);
}

struct Measured {
    timing: Timing,
    per_second: u64,
}

fn measure<C: Asker>(
    clients: usize,
    hosts: usize,
    open: impl Fn(usize) -> Result<C> + Sync,
) -> Result<Measured> {
    let start = Barrier::new(clients);
    let (open, start) = (&open, &start);
    let samples = thread::scope(|scope| {
        let working = (0..clients).map(|number| {
            scope.spawn(move || -> std::result::Result<Vec<Duration>, String> {
                let opened = open(number).map_err(|error| error.to_string());
                start.wait();
                let mut client = opened?;
                let mut random = fastrand::Rng::with_seed(number as u64);
                let mut samples = Vec::new();
                let begun = Instant::now();
                while begun.elapsed() < WARM_UP + TIME {
                    let host = format!("host-{}", random.usize(..hosts));
                    let project = format!("/home/grace/project-{number}");
                    let turn = Instant::now();
                    client.reserve(&host, &project);
                    if begun.elapsed() > WARM_UP {
                        samples.push(turn.elapsed());
                    }
                    client.release(&host, &project);
                }
                Ok(samples)
            })
        });
        let working: Vec<_> = working.collect();
        let ended = working
            .into_iter()
            .map(|client| client.join().expect("nobody panicked"));
        ended.collect::<std::result::Result<Vec<_>, String>>()
    })?;
    let samples: Vec<Duration> = samples.into_iter().flatten().collect();
    Ok(Measured {
        per_second: samples.len() as u64 / TIME.as_secs(),
        timing: Timing::of(samples),
    })
}

struct Ours(PostgresStore);

impl Ours {
    fn open(url: &str) -> Result<Self> {
        let options = Options::new()
            .time_limit(Duration::from_mins(1))
            .max_connections(1);
        Ok(Self(options.open(&url.parse()?)?))
    }

    fn ask(&self, host: &str, command: &Command) {
        let host = Host::new(Name::literal(host));
        let asked = self.0.transact(&host, command, &Facts::default());
        asked.expect("there are enough ports");
    }
}

impl Asker for Ours {
    fn reserve(&mut self, host: &str, project: &str) {
        let web = Service::in_range(Name::literal("web"), RANGE);
        self.ask(
            host,
            &Command::Reserve(Request::new(Name::literal(project), vec![web])),
        );
    }

    fn release(&mut self, host: &str, project: &str) {
        self.ask(
            host,
            &Command::Release(Release::by_project(Name::literal(project))),
        );
    }
}

/// The statements by hand, on one connection that the thread itself looks after.
struct Floor {
    runtime: Runtime,
    client: Client,
    statements: Vec<Statement>,
    writer: String,
    transactions: i64,
    port: i32,
    host: i64,
}

impl Floor {
    /// Each has a port of its own, because nobody decides here.
    fn open(url: &str, number: usize) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (client, statements, writer) = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            tokio::spawn(connection);
            let mut statements = Vec::new();
            for (_, sql) in SQL {
                statements.push(client.prepare(sql).await?);
            }
            let row = client
                .query_one("SELECT gen_random_uuid()::text", &[])
                .await?;
            Ok::<_, tokio_postgres::Error>((client, statements, row.get::<_, String>(0)))
        })?;
        Ok(Self {
            runtime,
            client,
            statements,
            writer,
            transactions: 0,
            port: i32::from(RANGE.first().get()) + i32::try_from(number)?,
            host: 0,
        })
    }

    fn statement(&self, name: &str) -> &Statement {
        let index = SQL.iter().position(|(known, _)| *known == name);
        &self.statements[index.expect("it is one of them")]
    }

    /// Sends everything at once, and answers the rows of the second.
    fn flight(&self, sent: &[Sent<'_>]) -> Vec<tokio_postgres::Row> {
        self.runtime.block_on(async {
            let answers = join_all(sent.iter().map(async |sent| match sent {
                Sent::Command(sql) => {
                    self.client.batch_execute(sql).await.expect("it is right");
                    Vec::new()
                }
                Sent::Query(name, values) => {
                    let answer = self.client.query(self.statement(name), values).await;
                    answer.expect("it is right")
                }
            }));
            answers.await.swap_remove(1)
        })
    }

    fn lock(&self, host: &str, project: &str, ranges: [i32; 2]) -> i64 {
        let (projects, first, last) = (vec![project], vec![ranges[0]], vec![ranges[1]]);
        let none: Vec<i32> = Vec::new();
        let (first, last) = if ranges[0] == 0 {
            (none.clone(), none)
        } else {
            (first, last)
        };
        let begin = begin(host);
        let head = self.flight(&[
            Sent::Command(&begin),
            Sent::Query("lock_host", &[&host]),
            Sent::Query("leases", &[&host, &projects, &first, &last]),
            Sent::Query("memories", &[&host, &projects, &first, &last]),
        ]);
        head[0].get(0)
    }

    fn change<'a>(
        &'a self,
        grants: &'a i64,
        releases: &'a i64,
        generation: &'a i64,
    ) -> [&'a (dyn ToSql + Sync); 10] {
        [
            &self.host,
            generation,
            &None::<i64>,
            grants,
            &0_i64,
            &0_i64,
            &0_i64,
            &0_i64,
            releases,
            &0_i64,
        ]
    }
}

/// What is done by hand leaves what the others remember alone.
fn by_hand(project: &str) -> String {
    format!("{project}-by-hand")
}

enum Sent<'a> {
    Command(&'a str),
    Query(&'a str, &'a [&'a (dyn ToSql + Sync)]),
}

const COMMIT: &str = "SET LOCAL statement_timeout = 0; COMMIT";

fn begin(host: &str) -> String {
    format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL statement_timeout = 48000; \
         SET LOCAL idle_in_transaction_session_timeout = 4000; SELECT pg_advisory_xact_lock(1, hashtext('{host}'))"
    )
}

impl Asker for Floor {
    fn reserve(&mut self, host: &str, project: &str) {
        let ends = [RANGE.first().get(), RANGE.last().get()].map(i32::from);
        let project = &by_hand(project);
        self.host = self.lock(host, project, ends);
        self.transactions += 1;
        let (port, text, none, zero) = (
            vec![self.port],
            vec![project.as_str()],
            vec![None::<String>],
            vec![0_i64],
        );
        let (web, scan, reserved) = (vec!["web"], vec!["default"], vec!["reserved"]);
        let (first, last, one) = (vec![ends[0]], vec![ends[1]], vec![1_i64]);
        let change = self.change(&1, &0, &1);
        let ports = vec![self.port];
        self.flight(&[
            Sent::Query("sign", &[&self.writer, &self.transactions]),
            Sent::Query("delete_memories", &[&self.host, &ports]),
            Sent::Query(
                "put_leases",
                &[
                    &self.host,
                    &port,
                    &text,
                    &web,
                    &one,
                    &web,
                    &one,
                    &reserved,
                    &none,
                    &none,
                    &first,
                    &last,
                    &scan,
                    &vec![0_i32],
                    &none,
                    &none,
                    &zero,
                    &zero,
                ],
            ),
            Sent::Query("count_grants", &[&self.host, &ports, &one]),
            Sent::Query("change_host", &change),
            Sent::Command(COMMIT),
        ]);
    }

    fn release(&mut self, host: &str, project: &str) {
        let project = &by_hand(project);
        self.lock(host, project, [0, 0]);
        self.transactions += 1;
        let ports = vec![self.port];
        let change = self.change(&0, &1, &1);
        self.flight(&[
            Sent::Query("sign", &[&self.writer, &self.transactions]),
            Sent::Query("delete_leases", &[&self.host, &ports]),
            Sent::Query(
                "put_memories",
                &[
                    &self.host,
                    &ports,
                    &vec![project.as_str()],
                    &vec!["web"],
                    &vec![1_i64],
                    &vec![0_i64],
                ],
            ),
            Sent::Query("change_host", &change),
            Sent::Command(COMMIT),
        ]);
    }
}
