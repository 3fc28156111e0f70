//! The planner as WebAssembly with its JavaScript: compiled, bound, and handed to the script of the npm package that makes it small
//! and looks what it weighs (`npm/portlease/scripts/plan.mjs`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use wasm_bindgen_cli_support::Bindgen;

use super::{NO_STD, TARGET};
use crate::process::{program, root, run_live, target_dir};
use crate::toolchain::Toolchain;
use crate::{install, npm};

/// Builds the planner where the package and the dashboard are developed, after the core alone.
pub(crate) fn run() -> Result<ExitCode> {
    super::build_core()?;
    build_for_dashboard()?;
    Ok(ExitCode::SUCCESS)
}

/// Builds what is measured, and a browser to measure it in; answers the folder of the package.
pub(crate) fn build_for_bench() -> Result<PathBuf> {
    install::browser()?;
    npm::install_tools()?;
    let home = npm::home();
    npm::compile_typescript(&home.join("dist"))?;
    build_into(&home.join("dist"))?;
    Ok(home)
}

/// Builds the planner into a folder of compiled TypeScript, and for the dashboard. The tools of the npm package are installed.
pub(crate) fn build_into(dist: &Path) -> Result<()> {
    let bound = bind(&compile()?)?;
    let script = npm::home().join("scripts/plan.mjs");
    run_live(program("node").arg(script).arg(bound).arg(dist))?;
    let dashboard = root().join(DASHBOARD);
    fs::create_dir_all(&dashboard)?;
    for file in ["plan.mjs", "plan/portlease.wasm"] {
        let name = Path::new(file).file_name().context("it is a file")?;
        copy_if_new(&dist.join(file), &dashboard.join(name))?;
    }
    Ok(())
}

/// Builds the planner for the dashboard alone, which is in the command line.
pub(crate) fn build_for_dashboard() -> Result<()> {
    npm::install_tools()?;
    build_into(&npm::home().join("dist"))
}

/// Where the build of the service looks for the planner that it brings along.
const DASHBOARD: &str = "crates/portlease-server/dashboard/plan";

/// What is the same already keeps its time, by which cargo tells whether the service has to be built anew.
fn copy_if_new(from: &Path, to: &Path) -> Result<()> {
    let bytes = fs::read(from).with_context(|| format!("{} cannot be read", from.display()))?;
    if fs::read(to).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    fs::write(to, bytes).with_context(|| format!("{} cannot be written", to.display()))
}

/// Compiles the binding as it is distributed: how small it gets is a part of what is tested.
fn compile() -> Result<PathBuf> {
    let folder = target_dir().join("wasm");
    let mut command = Toolchain::find(TARGET)?.cargo("build", TARGET, NO_STD);
    command.args(["--package", "portlease-wasm", "--profile", PROFILE]);
    run_live(command.arg("--target-dir").arg(&folder))?;
    let built = folder.join(TARGET).join(PROFILE);
    Ok(built.join("portlease_wasm.wasm"))
}

const PROFILE: &str = "dist-wasm";

/// Writes the JavaScript by which strings and objects cross the border, and the library without the notes about them.
fn bind(library: &Path) -> Result<PathBuf> {
    let folder = target_dir().join("wasm/bound");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(library)
        // What it writes for bundlers is the one form that assumes nothing about where it runs.
        .bundler(true)?
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true);
    bindgen
        .generate(&folder)
        .with_context(|| format!("{} cannot be bound", library.display()))?;
    Ok(folder)
}
