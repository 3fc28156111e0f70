//! What must be true of the registry after somebody was killed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use portlease::core::Lease;

use crate::{Result, open};

/// What was lost so far.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    /// Acknowledged grants that are gone or changed, and acknowledged releases that are not.
    pub(crate) lost: u32,
    /// Ports or generations that were given twice.
    pub(crate) duplicates: u32,
    /// Registries that could not be read.
    pub(crate) unreadable: u32,
}

impl Losses {
    pub(crate) fn total(&self) -> u32 {
        self.lost + self.duplicates + self.unreadable
    }
}

/// Everything that was acknowledged on one registry.
#[derive(Default)]
pub(crate) struct Acknowledged {
    /// By project: port and generation, or nothing after an acknowledged release.
    certain: BTreeMap<String, Option<(u16, u64)>>,
    /// Projects that were being released when their process was killed.
    unclear: BTreeSet<String>,
    generations: BTreeSet<u64>,
    pub(crate) count: u32,
}

impl Acknowledged {
    /// Takes note of a line that a worker printed. A last line without an end was not read by
    /// anybody.
    pub(crate) fn hear(&mut self, line: &str, losses: &mut Losses) -> Result<()> {
        let Some(line) = line.strip_suffix('\n') else {
            return Ok(());
        };
        self.count += 1;
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["granted", project, port, generation] => {
                let generation = generation.parse()?;
                if !self.generations.insert(generation) {
                    losses.duplicates += 1;
                }
                self.certain
                    .insert(project.to_owned(), Some((port.parse()?, generation)));
            }
            ["releasing", project] => {
                self.unclear.insert(project.to_owned());
            }
            ["released", project] => {
                self.unclear.remove(project);
                self.certain.insert(project.to_owned(), None);
            }
            _ => return Err(format!("a worker says {line:?}").into()),
        }
        Ok(())
    }

    /// Compares the registry with what was acknowledged.
    pub(crate) fn check(&self, registry: &Path, losses: &mut Losses) -> Result<()> {
        let leases =
            match open(registry.to_path_buf()).and_then(|allocator| Ok(allocator.list(None)?)) {
                Ok(leases) => leases,
                Err(error) => {
                    println!("unreadable: {error}");
                    losses.unreadable += 1;
                    return Ok(());
                }
            };
        let ports: BTreeSet<u16> = leases.iter().map(|lease| lease.port.get()).collect();
        losses.duplicates += u32::try_from(leases.len() - ports.len())?;
        let present: BTreeMap<&str, &Lease> = leases
            .iter()
            .map(|lease| (&*lease.key.project, lease))
            .collect();
        for (project, expected) in self
            .certain
            .iter()
            .filter(|(project, _)| !self.unclear.contains(*project))
        {
            let found = present
                .get(&**project)
                .map(|lease| (lease.port.get(), lease.generation.get()));
            if found != *expected {
                println!("lost: {project} was {expected:?} and is {found:?}");
                losses.lost += 1;
            }
        }
        Ok(())
    }
}
