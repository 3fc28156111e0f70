//! What cannot be opened or asked says what happened and what to do, and never what the password is.

use std::time::{Duration, Instant};

use portlease_core::{StoreError, StoreErrorKind};
use portlease_postgres::{Options, PostgresStore, SQL};
use portlease_tests::postgres::Cluster;
use tokio::runtime::Builder;
use tokio_postgres::error::SqlState;
use tokio_postgres::{NoTls, connect};

use crate::support::{RANGE, everything, fresh, host, open, reserve_in};

const LIMIT: Duration = Duration::from_secs(2);
/// What a busy machine may add to a limit.
const LENIENCE: Duration = Duration::from_secs(3);

fn try_open(url: &str) -> Result<PostgresStore, StoreError> {
    Options::new().time_limit(LIMIT).open(&url.parse()?)
}

/// The error of a URL, which tells all these words, none of its password, and comes within the limit.
#[track_caller]
fn check(url: &str, kind: StoreErrorKind, words: &[&str]) {
    let begun = Instant::now();
    let error = try_open(url).expect_err("it cannot be opened");
    assert!(
        begun.elapsed() < LIMIT + LENIENCE,
        "{:?}: {error}",
        begun.elapsed()
    );
    assert_eq!(error.kind, kind, "{error}");
    let text = format!("{error} {error:?}");
    for word in words {
        assert!(text.contains(word), "{text}");
    }
    assert!(!text.contains("s3cret"), "{text}");
    assert!(
        error.problem.ends_with('.') && error.remedy.ends_with('.'),
        "{text}"
    );
}

#[test]
fn nobody_listens() {
    let port = {
        #[expect(clippy::disallowed_methods, reason = "nobody is to listen there")]
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.local_addr().unwrap().port()
    };
    let place = format!("127.0.0.1:{port}");
    let url = format!("postgres://ada:s3cret@{place}/fleet");
    check(
        &url,
        StoreErrorKind::Unavailable,
        &[&place, "refused", "PORTLEASE_REGISTRY"],
    );
}

#[test]
fn the_name_of_the_host_is_unknown() {
    let url = "postgres://ada:s3cret@nowhere.invalid/fleet";
    check(
        url,
        StoreErrorKind::Unavailable,
        &["nowhere.invalid:5432", "cannot be reached"],
    );
}

#[test]
fn somebody_listens_and_says_nothing() {
    #[expect(clippy::disallowed_methods, reason = "a server that hangs")]
    let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!(
        "postgres://ada:s3cret@{}/fleet",
        silent.local_addr().unwrap()
    );
    check(&url, StoreErrorKind::Unavailable, &["127.0.0.1"]);
}

#[test]
fn there_is_no_socket_in_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("postgres:///fleet?host={}", folder.path().display());
    check(&url, StoreErrorKind::Unavailable, &["No such file"]);
}

#[test]
fn the_password_is_wrong() {
    let cluster = Cluster::shared();
    let url = cluster.url("postgres", "wrong s3cret", "postgres");
    let words = ["password authentication failed", "PGPASSWORD"];
    check(&url, StoreErrorKind::Unsuitable, &words);
}

#[test]
fn there_is_no_such_database() {
    let url = fresh().url.replace("/test_", "/no_test_");
    check(
        &url,
        StoreErrorKind::Unsuitable,
        &["does not exist", "createdb"],
    );
}

#[test]
fn the_server_knows_no_encryption() {
    let url = format!("{}?sslmode=require", fresh().url);
    check(&url, StoreErrorKind::Unsuitable, &["does not support TLS"]);
}

#[test]
fn a_user_who_may_do_nothing_is_told_what_to_ask_for() {
    let (cluster, database) = (Cluster::shared(), fresh());
    let name = format!("stranger_{}", database.name);
    let role = format!("CREATE ROLE {name} LOGIN PASSWORD 's3cret'");
    cluster.sql(&database.name, &role);
    let url = cluster.url(&name, "s3cret", &database.name);
    let words = ["permission denied", "docs/fleet.md"];
    // Neither may the tables be made, nor, when they are there, be read.
    check(&url, StoreErrorKind::Unsuitable, &words);
    drop(open(&database.url));
    check(&url, StoreErrorKind::Unsuitable, &words);
}

/// What docs/fleet.md says that a user needs.
const LEAST: &str = include_str!("../../../docs/fleet.md");

#[test]
fn the_rights_that_the_documentation_lists_are_enough() {
    let (cluster, database) = (Cluster::shared(), fresh());
    let (owner, user) = (
        format!("owner_{}", database.name),
        format!("user_{}", database.name),
    );
    let grants = LEAST
        .split("```sql\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let grants = grants
        .replace("portlease_owner", &owner)
        .replace("portlease_user", &user)
        .replace("DATABASE fleet", &format!("DATABASE {}", database.name));
    // In the documentation the roles are made first; here they need passwords as well.
    cluster.sql(&database.name, &grants);
    for role in [&owner, &user] {
        cluster.sql(
            &database.name,
            &format!("ALTER ROLE {role} PASSWORD 's3cret'"),
        );
    }
    drop(open(&cluster.url(&owner, "s3cret", &database.name)));
    let store = open(&cluster.url(&user, "s3cret", &database.name));
    reserve_in(&store, &host(), "shop", RANGE).unwrap();
    let dropped = std::panic::catch_unwind(|| {
        let as_user = format!("SET ROLE {user}; DROP TABLE portlease.lease");
        cluster.sql(&database.name, &as_user)
    });
    assert!(dropped.is_err(), "a user may not change the tables");
}

#[test]
fn a_newer_registry_is_refused_and_left_as_it_is() {
    let (cluster, database) = (Cluster::shared(), fresh());
    let store = open(&database.url);
    reserve_in(&store, &host(), "shop", RANGE).unwrap();
    cluster.sql(&database.name, "UPDATE portlease.registry SET version = 99");
    // Whoever has it open already notices as well.
    let error = reserve_in(&store, &host(), "blog", RANGE).unwrap_err();
    let told = error.to_string();
    assert!(
        told.contains("format 99") && told.contains("Update Portlease"),
        "{told}"
    );
    check(
        &database.url,
        StoreErrorKind::NewerVersion,
        &["format 99", "Update Portlease"],
    );
    // Even if it has nothing any more that this version knows.
    cluster.sql(
        &database.name,
        "ALTER TABLE portlease.lease RENAME TO grant_of_a_port",
    );
    check(&database.url, StoreErrorKind::NewerVersion, &["format 99"]);
    let left = cluster.sql(
        &database.name,
        "SELECT project FROM portlease.grant_of_a_port",
    );
    assert_eq!(left, "shop");
}

#[test]
fn damage_is_told_and_nothing_is_granted_on_it() {
    let (cluster, database) = (Cluster::shared(), fresh());
    let store = open(&database.url);
    reserve_in(&store, &host(), "shop", RANGE).unwrap();
    cluster.sql(
        &database.name,
        "UPDATE portlease.lease SET holder = 'an accident'",
    );
    let error = reserve_in(&store, &host(), "blog", RANGE).unwrap_err();
    assert!(error.to_string().contains("is damaged"), "{error}");
}

#[test]
fn the_tables_let_nobody_write_over_the_lease_of_another() {
    let database = fresh();
    let store = open(&database.url);
    let lease = reserve_in(&store, &host(), "shop", RANGE).unwrap();
    let (_, put) = SQL.iter().find(|(name, _)| *name == "put_leases").unwrap();
    let number = Cluster::shared().sql(&database.name, "SELECT id FROM portlease.host");
    // What the statement is given when somebody did not see the lease that is there.
    let write = |project: &str| {
        let port = lease.port;
        let prepare = format!("PREPARE put AS {put}");
        let execute = format!(
            "EXECUTE put ({number}, '{{{port}}}', '{{{project}}}', '{{web}}', '{{1}}', '{{next}}', '{{1}}', \
             '{{reserved}}', '{{NULL}}', '{{NULL}}', '{{3000}}', '{{3100}}', '{{default}}', '{{0}}', '{{NULL}}', '{{NULL}}', '{{0}}', '{{0}}')"
        );
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (client, connection) = connect(&database.url, NoTls).await.unwrap();
            tokio::spawn(connection);
            client.batch_execute(&prepare).await.unwrap();
            client.batch_execute(&execute).await
        })
    };
    let error = write("blog").unwrap_err();
    assert_eq!(error.code(), Some(&SqlState::NOT_NULL_VIOLATION), "{error}");
    assert_eq!(everything(&store).unwrap().at(lease.port), Some(&lease));
    write("shop").unwrap();
    let written = everything(&store).unwrap();
    assert_eq!(written.at(lease.port).unwrap().framework.as_str(), "next");
}
