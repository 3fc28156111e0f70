//! A client of the service that is generated from its document, as others would make one.

use anyhow::Result;

use crate::process::{npm, root, run_quietly};
use crate::report::Tally;
use crate::{count, dashboard};

/// Generates it, and has it talk to a real service.
pub(crate) fn test() -> Result<Tally> {
    // Its tools are its own: the generator works with an older TypeScript than everything else here.
    let mut install = npm([
        "install",
        "--no-audit",
        "--no-fund",
        "--no-package-lock",
        "--prefer-offline",
    ]);
    run_quietly(install.current_dir(root().join("tests/client")))?;
    count::tests(dashboard::node_tests()?.arg("tests/client/client.test.mjs"))
}
