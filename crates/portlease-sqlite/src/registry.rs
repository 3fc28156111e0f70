//! The file as it is now, and whose turn it is: every piece of work on it goes through here.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use portlease_core::{StoreError, StoreErrorKind};

use crate::explain::{Trouble, busy, in_folder};
use crate::file_lock::{FileLock, LockError, Locked};
use crate::opening::{Opened, Opening, leave_log_on_close};
use crate::place::{Place, restless};
use crate::recovery::{Recovery, carry_over};

/// A registry file that is shared with other threads and processes.
#[derive(Debug)]
pub(crate) struct Registry {
    place: Place,
    lock_timeout: Duration,
    lock: Mutex<Arc<FileLock>>,
    opened: Mutex<Option<Opened>>,
    recoveries: Mutex<Vec<Recovery>>,
}

/// So often a piece of work begins again because the file was found damaged or replaced.
const ATTEMPTS: usize = 5;

impl Registry {
    pub(crate) fn new(place: Place, lock_timeout: Duration) -> Result<Self, StoreError> {
        let lock = open_lock(&place)?;
        Ok(Self {
            place,
            lock_timeout,
            lock: Mutex::new(Arc::new(lock)),
            opened: Mutex::default(),
            recoveries: Mutex::default(),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.place.registry
    }

    pub(crate) fn recoveries(&self) -> Vec<Recovery> {
        unpoisoned(&self.recoveries).clone()
    }

    /// Does something while nobody else changes the registry. It may be done more than once: only
    /// what the last time answered has happened.
    pub(crate) fn alone<T>(
        &self,
        mut work: impl FnMut(&mut Opened) -> Result<T, Trouble>,
    ) -> Result<T, StoreError> {
        let (_locked, lock) = self.lock()?;
        let mut slot = unpoisoned(&self.opened);
        let mut was_damaged = false;
        for _ in 0..ATTEMPTS {
            let outcome = self.attempt(&mut slot, &lock, &mut work);
            match outcome {
                Ok(Some(done)) => return Ok(done),
                Ok(None) => {}
                Err(trouble) => match trouble.damage() {
                    // What is damaged only in memory is whole when the file is opened anew.
                    Some(_) if !was_damaged => {
                        was_damaged = true;
                        close(&mut slot);
                    }
                    Some(damage) => self.recover(&mut slot, &damage)?,
                    None => return Err(trouble.explain(&self.place)),
                },
            }
        }
        Err(restless(&self.place.registry))
    }

    /// Does something while others may change the registry.
    pub(crate) fn beside_others<T>(
        &self,
        mut work: impl FnMut(&mut Opened) -> Result<T, Trouble>,
    ) -> Result<T, StoreError> {
        if let Some(opened) = &mut *unpoisoned(&self.opened) {
            let outcome = work(opened);
            if self.is_current(opened)? {
                match outcome {
                    Ok(done) => return Ok(done),
                    Err(trouble) if trouble.damage().is_none() => {
                        return Err(trouble.explain(&self.place));
                    }
                    Err(_) => {}
                }
            }
        }
        // The file is another one, or damaged: what to do about that is decided in turn.
        self.alone(work)
    }

    /// One attempt at a piece of work; nothing when its outcome went away with the file.
    fn attempt<T>(
        &self,
        slot: &mut Option<Opened>,
        lock: &FileLock,
        work: &mut impl FnMut(&mut Opened) -> Result<T, Trouble>,
    ) -> Result<Option<T>, Trouble> {
        let opened = match slot {
            Some(opened) if self.is_current(opened)? => opened,
            _ => self.open(slot, lock)?,
        };
        lock.mark().map_err(|error| {
            let lock = &self.place.lock;
            in_folder(lock, "The lock of the registry cannot be written", &error)
        })?;
        let outcome = work(opened);
        // Whoever takes the file away before this moment took the outcome with it, and the work is
        // done again on the next file; whoever does it later, does it after the answer.
        if self.is_current(opened)? {
            outcome.map(Some)
        } else {
            Ok(None)
        }
    }

    fn is_current(&self, opened: &Opened) -> Result<bool, StoreError> {
        Ok(self.place.registry_id()? == Some(opened.id))
    }

    /// Opens the file that is at the place now, and carries over what this process knows of the
    /// one that was there before. When that fails, it stays known.
    fn open<'a>(
        &self,
        slot: &'a mut Option<Opened>,
        lock: &FileLock,
    ) -> Result<&'a mut Opened, Trouble> {
        let place = &self.place;
        if let Some(former) = slot {
            former.forget();
            former.remove_companions(place)?;
        }
        let was_registry = slot.is_some() || lock.is_marked();
        let (opened, recovery) = self.opening(was_registry).open_or_recover()?;
        self.report(recovery);
        if let Some(former) = slot {
            self.report(carry_over(&former.connection, &opened.connection)?);
            leave_log_on_close(&former.connection)?;
        }
        Ok(slot.insert(opened))
    }

    /// Puts a new registry in the place of a damaged one.
    fn recover(&self, slot: &mut Option<Opened>, damage: &str) -> Result<(), StoreError> {
        close(slot);
        let (opened, recovery) = self
            .opening(true)
            .recover(damage)
            .map_err(|trouble| trouble.explain(&self.place))?;
        self.report(recovery);
        *slot = Some(opened);
        Ok(())
    }

    fn opening(&self, was_registry: bool) -> Opening<'_> {
        Opening {
            place: &self.place,
            patience: self.lock_timeout,
            was_registry,
        }
    }

    /// Waits for the turn of this thread, on the lock that is at its place.
    fn lock(&self) -> Result<(Locked, Arc<FileLock>), StoreError> {
        for _ in 0..ATTEMPTS {
            let lock = Arc::clone(&unpoisoned(&self.lock));
            let outcome = lock.acquire(Instant::now() + self.lock_timeout);
            // Who deletes the lock because somebody does not let go of it, wants the others to go on.
            let is_current = self.place.lock_id()? == Some(lock.id());
            match outcome {
                Ok(locked) if is_current => return Ok((locked, lock)),
                Err(LockError::TimedOut) if is_current => {
                    return Err(busy(&self.place, self.lock_timeout, lock.id()));
                }
                Err(LockError::Failed(error)) => {
                    let lock = &self.place.lock;
                    return Err(in_folder(lock, "The registry cannot be locked", &error));
                }
                // Several threads may do this at once: whichever comes last, all have the file that
                // is there.
                _ => *unpoisoned(&self.lock) = Arc::new(open_lock(&self.place)?),
            }
        }
        Err(restless(&self.place.lock))
    }

    /// Leaves no lock beside what cannot be a registry.
    pub(crate) fn withdraw(&self, error: &StoreError) {
        let is_used = unpoisoned(&self.lock).is_marked();
        if error.kind == StoreErrorKind::Unsuitable && !is_used {
            // It is empty, and at worst stays.
            let _ = std::fs::remove_file(&self.place.lock);
        }
    }

    fn report(&self, recovery: Option<Recovery>) {
        unpoisoned(&self.recoveries).extend(recovery);
    }
}

/// Closes a file that may be damaged, and leaves it as it is.
fn close(slot: &mut Option<Opened>) {
    if let Some(opened) = slot.take() {
        // It fails only for an option that SQLite does not know.
        let _ = leave_log_on_close(&opened.connection);
    }
}

fn open_lock(place: &Place) -> Result<FileLock, StoreError> {
    FileLock::new(place.open_lock()?).map_err(|error| {
        in_folder(
            &place.lock,
            "The lock of the registry cannot be opened",
            &error,
        )
    })
}

/// What these mutexes guard is whole after a panic: what was loaded comes back only after a commit.
fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::loaded::host_row;
    use portlease_core::{Generation, Host, Name};

    fn registry() -> (TempDir, Registry) {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::find(&folder.path().join("registry.db"), false).unwrap();
        let registry = Registry::new(place, Duration::from_millis(200)).unwrap();
        registry.alone(|_| Ok(())).unwrap();
        (folder, registry)
    }

    /// Takes the file away while a piece of work is being done on it for the first time: only the
    /// last time counts, and what the first one committed is not lost either.
    fn check(work: impl Fn(&Registry, &mut dyn FnMut(&mut Opened) -> Result<(), Trouble>)) {
        let (_folder, registry) = registry();
        let path = registry.path().to_path_buf();
        let mut files = Vec::new();
        work(&registry, &mut |opened| {
            let host = Host::new(Name::literal(&format!("host-{}", files.len())));
            host_row(&opened.connection, &host, Generation::new(7))?;
            files.push(opened.id);
            if files.len() == 1 {
                fs::remove_file(&path).unwrap();
            }
            Ok(())
        });
        assert_eq!(files.len(), 2, "the work is done again");
        assert_ne!(files[0], files[1], "on another file");
        let hosts = registry
            .alone(|opened| crate::loaded::hosts(&opened.connection))
            .unwrap();
        assert_eq!(hosts.len(), 2);
        assert_eq!(registry.recoveries().len(), 1);
    }

    #[test]
    fn work_whose_file_is_taken_away_meanwhile_is_done_again() {
        check(|registry, work| registry.alone(work).unwrap());
    }

    #[test]
    fn work_beside_others_whose_file_is_taken_away_meanwhile_is_done_again() {
        check(|registry, work| registry.beside_others(work).unwrap());
    }

    #[test]
    fn a_lock_that_is_taken_away_is_not_trusted() {
        let (_folder, registry) = registry();
        let (locked, lock) = registry.lock().unwrap();
        fs::remove_file(&registry.place.lock).unwrap();
        let other = open_lock(&registry.place).unwrap();
        let (_turn, fresh) = registry
            .lock()
            .expect("nobody has the lock that is there now");
        assert_eq!(fresh.id(), other.id());
        assert_ne!(fresh.id(), lock.id());
        drop(locked);
    }
}
