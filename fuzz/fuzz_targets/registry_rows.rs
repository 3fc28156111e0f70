//! A registry that is a sound database and says what Portlease never says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portlease_fuzz::Choices;
use portlease_fuzz::registry::{self, Files, Pages};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

const TABLES: [(&str, &[&str]); 6] = [
    (
        "lease",
        &[
            "host",
            "port",
            "project",
            "service",
            "instance",
            "framework",
            "generation",
            "state",
            "holder",
            "listener",
            "range_first",
            "range_last",
            "tier",
            "priority",
            "requires",
            "followers",
            "granted_at",
            "renewed_at",
        ],
    ),
    (
        "memory",
        &[
            "host",
            "port",
            "project",
            "service",
            "instance",
            "released_at",
        ],
    ),
    (
        "host",
        &[
            "id",
            "name",
            "last_generation",
            "last_swept",
            "grants",
            "reuses",
            "conflicts",
            "moves",
            "refusals",
            "releases",
            "swept",
        ],
    ),
    ("usage", &["host", "port", "grants"]),
    ("registry", &["only_row", "id", "first_generation"]),
    ("predecessor", &["id"]),
];

/// Words that stand in some column, so that they come to stand in others.
const WORDS: [&str; 12] = [
    "",
    "live",
    "reserved",
    "scan",
    "laptop",
    "web",
    "default",
    "[]",
    "{}",
    r#"["http","tcp"]"#,
    r#"[{"service":"hmr"}]"#,
    r#"{"kind":"process","pid":7}"#,
];

fuzz_target!(|bytes: &[u8]| {
    let folder = registry::folder();
    let path = Files::closed().write(&folder);
    let connection = Connection::open(&path).expect("it opens");
    connection
        .execute_batch("PRAGMA synchronous = OFF; PRAGMA ignore_check_constraints = ON;")
        .expect("that can be set");
    let mut choices = Choices::new(bytes);
    for _ in 0..choices.below(8) {
        // What SQLite refuses was no way to make a strange registry.
        let _ = falsify(&connection, &mut choices);
    }
    // The last to close it leaves everything in the file itself.
    connection.close().expect("it closes");
    registry::check_file(&path, Pages::AreSound);
});

fn falsify(connection: &Connection, choices: &mut Choices<'_>) -> rusqlite::Result<()> {
    let (table, columns) = *choices.of(&TABLES);
    let column = *choices.of(columns);
    match choices.byte() {
        0..140 => {
            let (of, which) = (choices.below(9) + 1, choices.below(9));
            let sql = format!(
                "UPDATE OR REPLACE {table} SET {column} = ? WHERE {} % {of} = {which} % {of}",
                columns[1 % columns.len()]
            );
            connection.execute(&sql, [value(choices)])?;
        }
        140..170 => {
            let sql = format!("UPDATE OR IGNORE {table} SET {column} = ?");
            connection.execute(&sql, [value(choices)])?;
        }
        170..200 => {
            let places = vec!["?"; columns.len()].join(", ");
            let values: Vec<Value> = columns.iter().map(|_| value(choices)).collect();
            connection.execute(
                &format!("INSERT OR REPLACE INTO {table} VALUES ({places})"),
                params_from_iter(values),
            )?;
        }
        200..210 => {
            connection.execute(
                &format!("DELETE FROM {table} WHERE {column} >= ?"),
                [value(choices)],
            )?;
        }
        210..225 => {
            // Without this each column takes what belongs in it, and nothing else.
            let sql = "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'STRICT, ', ''); \
                UPDATE sqlite_schema SET sql = replace(sql, 'STRICT', ''); UPDATE sqlite_schema SET sql = replace(sql, 'NOT NULL', ''); \
                PRAGMA writable_schema = RESET;";
            connection.execute_batch(sql)?;
        }
        225..230 => connection.execute_batch(&format!("DROP INDEX {table}_by_key"))?,
        230..234 => connection.execute_batch(&format!("DROP TABLE {table}"))?,
        234..240 => {
            connection.execute_batch(&format!("ALTER TABLE {table} DROP COLUMN {column}"))?;
        }
        240..244 => connection.execute_batch(&format!(
            "ALTER TABLE {table} RENAME COLUMN {column} TO other"
        ))?,
        244..250 => {
            connection.pragma_update(None, "user_version", i32::from(choices.byte()) - 2)?;
        }
        _ => connection.pragma_update(None, "application_id", choices.short())?,
    }
    Ok(())
}

fn value(choices: &mut Choices<'_>) -> Value {
    match choices.below(13) {
        0 => Value::Null,
        1 => Value::Integer(0),
        2 => Value::Integer(choices.number().cast_signed()),
        3 => Value::Integer(choices.short().into()),
        4 => Value::Integer(i64::from(choices.byte()) - 1),
        5 => Value::Integer(65_536),
        6 => Value::Integer((1 << 53) - 1),
        7 => Value::Integer(i64::MIN),
        8 => Value::Real(1.5),
        9 => Value::Blob(choices.bytes(16).to_vec()),
        10 => Value::Text("x".repeat(choices.below(1100))),
        11 => Value::Text(String::from_utf8_lossy(choices.bytes(12)).into_owned()),
        _ => Value::Text((*choices.of(&WORDS)).to_owned()),
    }
}
