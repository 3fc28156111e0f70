//! The side of a run in the background: it leaves the terminal and keeps the record of itself.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::thread;
use std::time::Duration;

use portlease::Grant;
use portlease::core::Name;
use portlease::probe::identity;

use super::record::{Record, Run};
use crate::failure::Failure;
use crate::output;

/// How often the log may have become too long.
const ROTATION_INTERVAL: Duration = Duration::from_secs(5);

/// Writes down what becomes of this run.
pub(crate) struct Keeper {
    run: Run,
    record: RefCell<Record>,
}

impl Keeper {
    /// Begins the record in this folder.
    pub(crate) fn begin(
        folder: &Path,
        project: &Name,
        main: &str,
        command: &[OsString],
    ) -> Result<Self, Failure> {
        // The end of the terminal's session is then none of its business. It fails only for who has
        // a session of its own already.
        #[cfg(unix)]
        let _ = rustix::process::setsid();
        let record = Record {
            project: project.clone(),
            folder: std::env::current_dir().unwrap_or_default(),
            command: command
                .iter()
                .map(|word| word.to_string_lossy().into_owned())
                .collect(),
            process: identity::this_process(),
            started_at: portlease::now(),
            main: main.to_owned(),
            urls: BTreeMap::new(),
            ports: BTreeMap::new(),
            exit_code: None,
        };
        let keeper = Self {
            run: Run::at(folder),
            record: RefCell::new(record),
        };
        keeper.run.write(&keeper.record.borrow())?;
        rotate_now_and_then(keeper.run.clone());
        Ok(keeper)
    }

    /// A service listens.
    pub(crate) fn is_ready(&self, grant: &Grant) {
        let service = grant.granted().service.to_string();
        let mut record = self.record.borrow_mut();
        record.ports.insert(service.clone(), grant.port().get());
        record.urls.insert(service, grant.url());
        self.write(&record);
    }

    /// The command has ended.
    pub(crate) fn has_ended(&self, code: u8) {
        let mut record = self.record.borrow_mut();
        record.exit_code = Some(code);
        self.write(&record);
    }

    fn write(&self, record: &Record) {
        // The server is worth more than what is written about it.
        if self.run.write(record).is_err() {
            output::warning(format_args!("The record of this run cannot be written."));
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a log tells nobody that it has become long"
)]
fn rotate_now_and_then(run: Run) {
    thread::spawn(move || {
        loop {
            thread::sleep(ROTATION_INTERVAL);
            // A log that cannot be put aside goes on as it is.
            let _ = run.rotate();
        }
    });
}
