//! The registry, and whether what it says is true.

use std::fs::Metadata;
use std::path::Path;

use portlease::core::{LeaseStatus, ValidatedLease};
use portlease::{Allocator, Error, RegistryFile};

use super::Finding;
use crate::{output, selection};

const CHECK: &str = "registry";

pub(super) fn examine(allocator: &Allocator) -> Vec<Finding> {
    let file = match allocator.registry_file() {
        Ok(file) => file,
        Err(error @ Error::NoRegistryFile) => {
            if let Some(database) = allocator.database() {
                let message = format!("PostgreSQL at {database} answers and can be written");
                return vec![Finding::ok(CHECK, message)];
            }
            let remedy = "Unset PORTLEASE_REGISTRY to use the file that all processes share.";
            return vec![Finding::warning(CHECK, error.to_string(), remedy)];
        }
        Err(error) => return vec![super::unopened(&error)],
    };
    let mut findings = vec![Finding::ok(CHECK, describe(&file))];
    for recovery in &file.recoveries {
        let remedy = "Nothing needs to be done; what was set aside can be deleted.";
        findings.push(Finding::warning(CHECK, recovery.to_string(), remedy));
    }
    findings.extend(permissions(&file.path));
    findings
}

fn describe(file: &RegistryFile) -> String {
    format!(
        "{} is whole and can be written ({} KiB, version {})",
        selection::shortened(&file.path.to_string_lossy()),
        file.size / 1024,
        file.version
    )
}

/// Only the user may read and write the file, and only the user may put another in its place.
fn permissions(path: &Path) -> Vec<Finding> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let too_open = [(path, 0o077, "600"), (folder, 0o022, "700")];
    too_open
        .into_iter()
        .filter_map(|(path, forbidden, mode)| {
            let granted = path
                .metadata()
                .ok()
                .and_then(|metadata| mode_of(&metadata))?;
            (granted & forbidden != 0).then(|| {
                let message = format!("Other users may use {} (mode {granted:o})", path.display());
                let remedy = format!("chmod {mode} '{}'", path.display());
                Finding::warning("permissions", message, &remedy)
            })
        })
        .collect()
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have no modes")]
fn mode_of(metadata: &Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(metadata.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn mode_of(_: &Metadata) -> Option<u32> {
    None
}

pub(super) fn leases(leases: &[ValidatedLease]) -> Vec<Finding> {
    let with = |status| leases.iter().filter(move |lease| lease.status == status);
    let mut findings = Vec::new();
    let stale: Vec<String> = with(LeaseStatus::Stale).map(name).collect();
    if !stale.is_empty() {
        let message = format!("The owners are gone of {}", stale.join(", "));
        findings.push(Finding::warning("leases", message, "portlease cleanup"));
    }
    for lease in with(LeaseStatus::Hijacked) {
        let by = lease.occupant.clone().unwrap_or_default();
        let message = format!(
            "{} has port {}, on which {by} listens",
            name(lease),
            lease.lease.port
        );
        let remedy = "End that program, or start the server again to get another port.";
        findings.push(Finding::problem("leases", message, Some(remedy)));
    }
    if findings.is_empty() {
        let count = output::count(leases.len(), "lease");
        let message = format!("{count}, none of them stale or hijacked");
        findings.push(Finding::ok("leases", message));
    }
    findings
}

fn name(validated: &ValidatedLease) -> String {
    validated.lease.key.to_string()
}
