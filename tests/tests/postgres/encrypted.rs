//! The way to a server that is encrypted: who is believed to be it.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use portlease_core::{StoreError, StoreErrorKind};
use portlease_postgres::Options;
use portlease_tests::postgres::{Cluster, Database};

use crate::support::{RANGE, host, reserve_in};

/// A server with a certificate for `localhost`, which nobody but itself has signed.
struct Encrypted {
    cluster: Cluster,
    database: Database,
    certificate: PathBuf,
}

fn encrypted() -> Encrypted {
    let folder = tempfile::tempdir().unwrap().keep();
    let [key, certificate] = ["key.pem", "certificate.pem"].map(|name| folder.join(name));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
        ])
        .args([
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
        ])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .expect("openssl is a program of the tests");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let cluster = Cluster::encrypted(&key, &certificate);
    let database = cluster.database();
    std::fs::remove_file(key).unwrap();
    Encrypted {
        cluster,
        database,
        certificate,
    }
}

impl Encrypted {
    /// Opens it in this mode under this name of its host, and answers whether the server says that it is encrypted.
    fn open(&self, mode: &str, named: &str) -> Result<bool, StoreError> {
        let url = self.database.url.replace("127.0.0.1", named);
        let options = Options::new().time_limit(Duration::from_secs(5));
        let store = options.open(&format!("{url}?{mode}").parse()?)?;
        reserve_in(&store, &host(), "shop", RANGE).expect("a port is free");
        let ways = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                    WHERE application_name = 'portlease' AND datname = current_database()";
        Ok(self.cluster.sql(&self.database.name, ways) == "t")
    }
}

#[test]
fn who_is_believed_to_be_the_server() {
    let server = encrypted();
    let trusted = format!("sslrootcert={}", server.certificate.display());
    for (mode, named, is_encrypted) in [
        ("sslmode=disable".to_owned(), "127.0.0.1", false),
        ("sslmode=prefer".to_owned(), "127.0.0.1", true),
        ("sslmode=require".to_owned(), "127.0.0.1", true),
        (
            "sslmode=require&channel_binding=require".to_owned(),
            "127.0.0.1",
            true,
        ),
        (format!("sslmode=require&{trusted}"), "127.0.0.1", true),
        (format!("sslmode=verify-ca&{trusted}"), "127.0.0.1", true),
        (format!("sslmode=verify-full&{trusted}"), "localhost", true),
    ] {
        assert_eq!(
            server.open(&mode, named),
            Ok(is_encrypted),
            "{mode} {named}"
        );
    }
    let other = encrypted().certificate;
    for (mode, named) in [
        (format!("sslmode=verify-full&{trusted}"), "127.0.0.1"),
        ("sslmode=verify-full".to_owned(), "localhost"),
        ("sslmode=verify-ca".to_owned(), "localhost"),
        (
            format!("sslmode=require&sslrootcert={}", other.display()),
            "localhost",
        ),
    ] {
        let error = server
            .open(&mode, named)
            .expect_err("it is not the one that is meant");
        assert_eq!(error.kind, StoreErrorKind::Unsuitable, "{mode}: {error}");
        assert!(error.problem.contains("certificate"), "{mode}: {error}");
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
    for file in [&server.certificate, &other] {
        std::fs::remove_dir_all(file.parent().unwrap()).unwrap();
    }
}

#[test]
fn a_file_of_certificates_that_is_none_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    for file in [empty, folder.path().join("missing.pem")] {
        let url = format!(
            "postgres://ada@db/fleet?sslmode=verify-full&sslrootcert={}",
            file.display()
        );
        let error = Options::new().open(&url.parse().unwrap()).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Unsuitable, "{error}");
        assert!(error.problem.contains(&*file.to_string_lossy()), "{error}");
    }
}
