//! What these tests have in common: registries in databases of their own, and the words in which they ask for ports.

use portlease_core::{
    Command, Facts, Host, Lease, Leases, Name, PortRange, Release, Reply, Request, Scope, Service,
    Store, StoreError, Timestamp, TransactError,
};
use portlease_postgres::PostgresStore;
use portlease_tests::postgres::{Cluster, Database};

/// A database with nothing in it.
pub(crate) fn fresh() -> Database {
    Cluster::shared().database()
}

pub(crate) fn open(url: &str) -> PostgresStore {
    let address = url.parse().expect("it is a URL");
    PostgresStore::open(&address).expect("the registry opens")
}

pub(crate) fn host() -> Host {
    Host::new(Name::literal("worker-1"))
}

/// The ports that the tests are about. None of them is ever bound.
pub(crate) const RANGE: PortRange = PortRange::literal(3000, 3100);

pub(crate) fn request(project: &str, range: PortRange) -> Command {
    let web = Service::in_range(Name::literal("web"), range);
    Command::Reserve(Request::new(Name::literal(project), vec![web]))
}

pub(crate) fn reserve_in(
    store: &dyn Store,
    host: &Host,
    project: &str,
    range: PortRange,
) -> Result<Lease, TransactError> {
    let facts = Facts::at(Timestamp::from_millis(1_000));
    match store
        .transact(host, &request(project, range), &facts)?
        .reply
    {
        Reply::Reserved(reserved) => Ok(reserved.services[0].lease.clone()),
        other => panic!("a reserve is answered with {other:?}"),
    }
}

pub(crate) fn release(store: &dyn Store, host: &Host, lease: &Lease) -> Result<(), TransactError> {
    let command = Command::Release(Release::granted(lease.key.clone(), lease.generation));
    store.transact(host, &command, &Facts::at(Timestamp::from_millis(2_000)))?;
    Ok(())
}

pub(crate) fn everything(store: &dyn Store) -> Result<Leases, StoreError> {
    store.load(&host(), &Scope::Everything)
}
