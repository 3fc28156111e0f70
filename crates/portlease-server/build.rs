//! Packs the files of the dashboard, so that the program has them in it: compressed as browsers read them, with a tag of the content.
//! The OpenAPI document is in it as well, as programs read it.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

/// Where the dashboard is developed.
const DASHBOARD: &str = "dashboard";
/// Where `cargo xtask wasm` puts the planner.
const PLANNER: &str = "dashboard/plan";
/// What stands in the place of the planner's module when it was not built.
const NO_PLANNER: &str = "dashboard/without-planner.mjs";

/// What `cargo xtask generate` writes.
const DOCUMENT: &str = "openapi.json";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={DOCUMENT}");
    fs::write(
        target_folder().join(DOCUMENT),
        on_one_line(&fs::read_to_string(DOCUMENT)?),
    )?;
    println!("cargo::rerun-if-changed={DASHBOARD}");
    let mut files = vec![(
        String::from("/"),
        PathBuf::from(DASHBOARD).join("index.html"),
    )];
    for folder in ["", "app"] {
        files.extend(scripts_and_pictures(folder)?);
    }
    files.extend(planner());
    let mut table = String::from("&[\n");
    for (number, (address, file)) in files.iter().enumerate() {
        let bytes = fs::read(file)?;
        let packed = target_folder().join(format!("dashboard-{number}.gz"));
        fs::write(&packed, pack(&bytes)?)?;
        writeln!(
            table,
            "    File {{ address: {address:?}, content_type: {:?}, tag: {:?}, packed: include_bytes!({:?}) }},",
            content_type(file),
            format!("\"{:016x}\"", tag(&bytes)),
            packed.to_string_lossy(),
        )
        .expect("a String takes everything");
    }
    table.push_str("]\n");
    fs::write(target_folder().join("dashboard.rs"), table)
}

/// In JSON, no text has a line end in it.
fn on_one_line(json: &str) -> String {
    json.lines().map(str::trim_start).collect()
}

/// The files of a folder of the dashboard that are not for developers.
fn scripts_and_pictures(folder: &str) -> io::Result<Vec<(String, PathBuf)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(Path::new(DASHBOARD).join(folder))? {
        let file = entry?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if matches!(extension(&file), "css" | "js" | "svg") {
            let folder = if folder.is_empty() {
                String::new()
            } else {
                format!("/{folder}")
            };
            files.push((format!("{folder}/{name}"), file.clone()));
        }
    }
    files.sort();
    Ok(files)
}

fn planner() -> Vec<(String, PathBuf)> {
    let library = PathBuf::from(PLANNER).join("portlease.wasm");
    let module = PathBuf::from(PLANNER).join("plan.mjs");
    let address = String::from("/plan/plan.mjs");
    if library.exists() && module.exists() {
        let library = (String::from("/plan/portlease.wasm"), library);
        vec![(address, module), library]
    } else {
        vec![(address, PathBuf::from(NO_PLANNER))]
    }
}

fn pack(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn tag(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

fn content_type(file: &Path) -> &'static str {
    match extension(file) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "wasm" => "application/wasm",
        _ => "text/javascript; charset=utf-8",
    }
}

fn extension(file: &Path) -> &str {
    file.extension()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
}

fn target_folder() -> PathBuf {
    PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where to build"))
}
