//! The hosts that are played: their rows, the database that each of them is in, and what is done for one.

use std::sync::atomic::{AtomicBool, Ordering};

use portlease_core::{
    Command, Facts, Holder, Host, Name, Occupant, Port, PortRange, Release, Reply, Request, Scope,
    Service, Store as _, Timestamp, TransactError,
};
use portlease_postgres::{Options, PostgresStore, Report, Told};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, NoTls};

use crate::postgres::{Cluster, Database};

/// How many leases each host has that nobody touches.
pub(super) const LEASES: i64 = 10;
/// And how many memories.
const MEMORIES: i64 = 5;
/// What the played servers are leased from. None of these ports is ever bound.
const RANGE: PortRange = PortRange::literal(3000, 3100);
/// So many ports are occupied on each host, and so many different reports there are.
const OCCUPIED: u16 = 24;
const REPORTS: usize = 64;
const GIVES_UP_AFTER: std::time::Duration = std::time::Duration::from_mins(5);

/// All hosts, in one database or in several.
pub(super) struct Hosts<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) shards: Vec<Shard>,
    pub(super) count: usize,
    reports: Vec<Report>,
    /// Whether the host has the lease that comes and goes.
    has_more: Vec<AtomicBool>,
}

pub(super) struct Shard {
    pub(super) database: Database,
    pub(super) store: PostgresStore,
    pub(super) hosts: usize,
}

impl<'a> Hosts<'a> {
    /// Makes the databases and fills them, by statements for all rows at once.
    pub(super) fn fill(
        cluster: &'a Cluster,
        count: usize,
        shards: usize,
        connections: usize,
    ) -> Self {
        let reports: Vec<Report> = (0..REPORTS).map(report).collect();
        let shards = (0..shards).map(|shard| {
            let mine: Vec<i64> = (0..count)
                .filter(|&number| shard_of(&host(number), shards) == shard)
                .map(|number| i64::try_from(number).expect("it is a small number"))
                .collect();
            let database = cluster.database();
            let options = Options::new().max_connections(connections.div_ceil(shards));
            let address = database.url.parse().expect("it is a URL");
            let store = options.open(&address).expect("the registry opens");
            fill(cluster, &database, &mine, &reports);
            Shard {
                database,
                store,
                hosts: mine.len(),
            }
        });
        Self {
            cluster,
            shards: shards.collect(),
            count,
            reports,
            has_more: (0..count).map(|_| AtomicBool::new(false)).collect(),
        }
    }

    /// Where a host is.
    pub(super) fn shard(&self, number: usize) -> usize {
        shard_of(&host(number), self.shards.len())
    }

    fn store(&self, number: usize) -> &PostgresStore {
        &self.shards[self.shard(number)].store
    }

    /// What a runner does each time: it loads its leases, looks around, and tells. Every so often there is news.
    pub(super) fn report(&self, number: usize, news: usize) -> Result<Told, TransactError> {
        let (store, host) = (self.store(number), host(number));
        store.load(&host, &Scope::Everything)?;
        let mut report = self.reports[(number + news) % REPORTS].clone();
        report.facts.now = Timestamp::from_millis(1_000);
        Ok(store.report(&host, &report)?)
    }

    /// A server starts, or the one that did is over: the lease is taken, or given back.
    pub(super) fn change(&self, number: usize) -> Result<(), TransactError> {
        let has_more = self.has_more[number].load(Ordering::Relaxed);
        if has_more {
            self.release(number)?;
        } else {
            self.reserve(number)?;
        }
        self.has_more[number].store(!has_more, Ordering::Relaxed);
        Ok(())
    }

    pub(super) fn reserve(&self, number: usize) -> Result<Port, TransactError> {
        let web = Service::in_range(Name::literal("web"), RANGE);
        let command = Command::Reserve(Request::new(Name::literal("played"), vec![web]));
        let decision = self
            .store(number)
            .transact(&host(number), &command, &Facts::default())?;
        match decision.reply {
            Reply::Reserved(reserved) => Ok(reserved.services[0].lease.port),
            other => unreachable!("a reserve is answered with {other:?}"),
        }
    }

    pub(super) fn release(&self, number: usize) -> Result<(), TransactError> {
        let command = Command::Release(Release::by_project(Name::literal("played")));
        self.store(number)
            .transact(&host(number), &command, &Facts::default())?;
        Ok(())
    }

    /// How many leases the hosts have that were taken and not given back, as those know who took them.
    fn more(&self) -> usize {
        let has_more = self.has_more.iter();
        has_more.filter(|it| it.load(Ordering::Relaxed)).count()
    }

    /// How many leases there are too few or too many. A command that ended with an error is not known to have done anything.
    pub(super) fn lost(&self, in_doubt: usize) -> usize {
        let sql = "SELECT count(*) FROM portlease.lease";
        let count = |shard: &Shard| -> usize {
            let count = self.cluster.sql(&shard.database.name, sql);
            count.parse().expect("it is a number")
        };
        let there: usize = self.shards.iter().map(count).sum();
        let known = self.count * usize::try_from(LEASES).expect("it is few") + self.more();
        there.abs_diff(known).saturating_sub(in_doubt)
    }
}

pub(super) fn host(number: usize) -> Host {
    Host::new(Name::literal(&format!("host-{number}")))
}

/// The database of a host, by its name alone: whoever knows the name knows the URL (FNV-1a).
fn shard_of(host: &Host, shards: usize) -> usize {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = host.name().bytes().fold(0xcbf2_9ce4_8422_2325, mix);
    usize::try_from(hash % shards as u64).expect("it is one of them")
}

/// What a machine with a few services has to tell.
fn report(number: usize) -> Report {
    let mut report = Report {
        gives_up_after: Some(GIVES_UP_AFTER),
        ..Report::default()
    };
    for index in 0..OCCUPIED {
        let port = 4000 + index * 37 + u16::try_from(number).expect("it is a small number");
        let occupant = Occupant {
            holder: None::<Holder>,
            ancestors: Vec::new(),
            name: Some(Name::literal(&format!("service-{index}"))),
            state: None,
        };
        let port = Port::new(port).expect("it is a port");
        report.facts.occupied.insert(port, Some(occupant));
    }
    report
}

fn fill(cluster: &Cluster, database: &Database, numbers: &[i64], reports: &[Report]) {
    let told: Vec<String> = reports
        .iter()
        .map(|report| serde_json::to_string(report).expect("a report can be written"))
        .collect();
    let (runtime, client) = connect(&database.url);
    runtime.block_on(async {
        let hosts = format!(
            "INSERT INTO portlease.host (name, last_generation, changes) SELECT 'host-' || number, {LEASES}, 1 \
             FROM unnest($1::bigint[]) AS number"
        );
        client.execute(&hosts, &[&numbers]).await.expect("hosts");
        let leases = format!(
            "INSERT INTO portlease.lease (host, port, project, service, instance, framework, generation, state, range_first, \
             range_last, tier, priority, granted_at, renewed_at) \
             SELECT id, 20000 + number, '/home/ada/project-' || number, 'web', 1, 'next', number, 'live', 20000, 29999, 'scan', \
             0, 0, 0 FROM portlease.host, generate_series(1, {LEASES}) AS number"
        );
        client.execute(&leases, &[]).await.expect("leases");
        // A table that is empty is read from end to end, and that is remembered for a while when it is not empty any more.
        let memories = format!(
            "INSERT INTO portlease.memory (host, port, project, service, instance, released_at) \
             SELECT id, 30000 + number, '/home/ada/former-' || number, 'web', 1, 0 \
             FROM portlease.host, generate_series(1, {MEMORIES}) AS number"
        );
        client.execute(&memories, &[]).await.expect("memories");
        let tell = "INSERT INTO portlease.report (host, report) \
                    SELECT id, ($1::text[])[substr(name, 6)::bigint % array_length($1, 1) + 1] FROM portlease.host";
        client.execute(tell, &[&told]).await.expect("reports");
        let millis = i64::try_from(GIVES_UP_AFTER.as_millis()).expect("it is short");
        let agree = "INSERT INTO portlease.runner (host, gives_up_after) SELECT id, $1 FROM portlease.host";
        client.execute(agree, &[&millis]).await.expect("runners");
    });
    for command in ["VACUUM ANALYZE", "CHECKPOINT"] {
        cluster.sql(&database.name, command);
    }
}

/// A connection that is not the store's.
pub(super) fn connect(url: &str) -> (Runtime, Client) {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let client = runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        Ok::<_, tokio_postgres::Error>(client)
    });
    (runtime, client.expect("the server lets us in"))
}
