//! Building for `wasm32-unknown-unknown`: the core, which proves that no I/O is in it, and the planner of the npm package.

mod planner;

use anyhow::Result;

pub(crate) use self::planner::{build_for_bench, build_for_dashboard, build_into, run};
use crate::process::{run_live, target_dir};
use crate::toolchain::Toolchain;

/// Builds the core without the standard library, for a target without an operating system: no I/O can be in what compiles.
pub(crate) fn build_core() -> Result<()> {
    let mut command = Toolchain::find(TARGET)?.cargo("build", TARGET, NO_STD);
    // A folder of its own, because the two toolchains would throw away each other's work.
    let target_dir = target_dir().join("wasm");
    run_live(
        command
            .args([
                "--package",
                "portlease-core",
                "--no-default-features",
                "--features",
                "json",
                "--release",
                "--target-dir",
            ])
            .arg(target_dir),
    )
}

const TARGET: &str = "wasm32-unknown-unknown";
/// All of the standard library that is needed.
const NO_STD: &str = "core,alloc";
