//! What is known about a command in the background: a folder for each project, with a record and a log.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use portlease::core::{Name, Process, Timestamp};
use portlease::probe::identity;
use serde::{Deserialize, Serialize};

use crate::exit::Code;
use crate::failure::Failure;

/// From this size on a log is put aside, and this many are kept.
const MAX_LOG: u64 = 10 * 1024 * 1024;
const KEPT_LOGS: u32 = 3;

/// A run, from its start until the next one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    pub(crate) project: Name,
    /// The folder in which it was started.
    pub(crate) folder: PathBuf,
    pub(crate) command: Vec<String>,
    /// The `portlease run` that looks after it.
    pub(crate) process: Process,
    pub(crate) started_at: Timestamp,
    /// The service that the command serves.
    pub(crate) main: String,
    /// Where each service that is ready listens.
    #[serde(default)]
    pub(crate) urls: BTreeMap<String, String>,
    /// The port of each of them.
    #[serde(default)]
    pub(crate) ports: BTreeMap<String, u16>,
    /// Its exit code, once it has ended by itself or was stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) exit_code: Option<u8>,
}

/// How a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum State {
    /// It has not come to listen yet.
    Starting,
    Running,
    Ended,
    /// It was killed, or the machine was: nobody wrote down how it ended.
    Lost,
}

impl Record {
    pub(crate) fn state(&self) -> State {
        let is_gone = self.process.has_ended(&identity::sight(&self.process));
        match (self.exit_code, is_gone) {
            (Some(_), _) => State::Ended,
            (None, true) => State::Lost,
            (None, false) if self.main_url().is_none() => State::Starting,
            (None, false) => State::Running,
        }
    }

    /// Where the command is reached, once it listens.
    pub(crate) fn main_url(&self) -> Option<&String> {
        self.urls.get(&self.main)
    }

    pub(crate) fn is_running(&self) -> bool {
        matches!(self.state(), State::Starting | State::Running)
    }
}

/// The folder of a project's runs.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    folder: PathBuf,
}

impl Run {
    pub(crate) fn of(project: &Name) -> Result<Self, Failure> {
        let last = project.rsplit(['/', '\\']).next().unwrap_or_default();
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        let readable: String = last
            .chars()
            .filter(|letter| plain(*letter))
            .take(40)
            .collect();
        let unique = fingerprint(project);
        Ok(Self {
            folder: folder_of_all()?.join(format!("{readable}-{unique:016x}")),
        })
    }

    pub(crate) fn at(folder: &Path) -> Self {
        Self {
            folder: folder.to_path_buf(),
        }
    }

    /// All runs that there are records of.
    pub(crate) fn all() -> Result<Vec<Record>, Failure> {
        let folder = folder_of_all()?;
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|error| unusable(&folder, &error))?,
        };
        let mut records: Vec<Record> = entries
            .flatten()
            .filter_map(|entry| Self::at(&entry.path()).record().ok()?)
            .collect();
        records.sort_by(|one, other| one.project.cmp(&other.project));
        Ok(records)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// The record; none where nothing was ever started.
    pub(crate) fn record(&self) -> Result<Option<Record>, Failure> {
        let file = self.folder.join("run.json");
        let text = match fs::read(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text.map_err(|error| unusable(&file, &error))?,
        };
        let record =
            serde_json::from_slice(&text).map_err(|error| unusable(&file, &error.into()))?;
        Ok(Some(record))
    }

    /// Writes the record in one step, so that nobody reads half of it.
    pub(crate) fn write(&self, record: &Record) -> Result<(), Failure> {
        let (file, draft) = (
            self.folder.join("run.json"),
            self.folder.join("run.json.new"),
        );
        let text =
            serde_json::to_vec_pretty(record).map_err(|error| unusable(&file, &error.into()))?;
        fs::write(&draft, text)
            .and_then(|()| fs::rename(&draft, &file))
            .map_err(|error| unusable(&file, &error))
    }

    /// Waits until nobody else starts a run of this project. It goes on until the file is closed.
    pub(crate) fn lock(&self) -> Result<File, Failure> {
        let file = self.open("lock")?;
        file.lock()
            .map_err(|error| unusable(&self.folder, &error))?;
        Ok(file)
    }

    /// Opens the log to go on with it.
    pub(crate) fn open_log(&self) -> Result<File, Failure> {
        self.open("log")
    }

    /// Opens a file to add to it, in a folder that only the user can read.
    fn open(&self, name: &str) -> Result<File, Failure> {
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let mut options = File::options();
        options.create(true).append(true);
        builder
            .recursive(true)
            .create(&self.folder)
            .and_then(|()| options.open(self.folder.join(name)))
            .map_err(|error| unusable(&self.folder, &error))
    }

    /// Puts a long log aside. Whoever writes goes on in the same file, which is empty then.
    pub(crate) fn rotate(&self) -> io::Result<()> {
        let log = self.log();
        if fs::metadata(&log)?.len() < MAX_LOG {
            return Ok(());
        }
        let kept = |number: u32| self.folder.join(format!("log.{number}"));
        for number in (1..KEPT_LOGS).rev() {
            // Not all of them are there yet.
            let _ = fs::rename(kept(number), kept(number + 1));
        }
        fs::copy(&log, kept(1))?;
        File::options().write(true).open(&log)?.set_len(0)
    }
}

fn folder_of_all() -> Result<PathBuf, Failure> {
    Ok(portlease::state_folder()?.join("runs"))
}

/// FNV-1a: names of folders must stay the same in every version.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn unusable(path: &Path, error: &io::Error) -> Failure {
    let message = format!(
        "{} cannot be used: {error}. Make it readable and writable for you, or remove it.",
        path.display()
    );
    Failure::new(Code::Broken, "RECORD_UNUSABLE", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            project: Name::literal("shop"),
            folder: "/home/ada/shop".into(),
            command: vec!["npm".to_owned(), "start".to_owned()],
            process: identity::this_process(),
            started_at: Timestamp::from_millis(7),
            main: "web".to_owned(),
            urls: BTreeMap::new(),
            ports: BTreeMap::new(),
            exit_code: None,
        }
    }

    #[test]
    fn the_state_of_a_run() {
        let mut run = record();
        assert_eq!(run.state(), State::Starting);
        run.urls
            .insert("api".to_owned(), "http://localhost:4000".to_owned());
        assert_eq!(run.state(), State::Starting, "that is not what it serves");
        run.urls
            .insert("web".to_owned(), "http://localhost:3000".to_owned());
        assert_eq!(run.state(), State::Running);
        let started = run.process.started.map(|started| started + 1);
        run.process.started = started;
        assert_eq!(run.state(), State::Lost, "another process has its number");
        run.exit_code = Some(0);
        assert_eq!(run.state(), State::Ended);
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let run = Run::at(folder.path());
        assert_eq!(run.record().unwrap(), None);
        run.write(&record()).unwrap();
        assert_eq!(run.record().unwrap(), Some(record()));
        fs::write(folder.path().join("run.json"), "{ broken").unwrap();
        assert!(run.record().is_err());
    }

    #[test]
    fn long_logs_are_put_aside_and_the_oldest_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let run = Run::at(folder.path());
        for round in 0..5 {
            let text = vec![b'0' + round; usize::try_from(MAX_LOG).unwrap()];
            fs::write(run.log(), text).unwrap();
            run.rotate().unwrap();
            assert_eq!(fs::metadata(run.log()).unwrap().len(), 0);
        }
        let first = |name: &str| fs::read(folder.path().join(name)).unwrap()[0];
        assert_eq!([first("log.1"), first("log.2"), first("log.3")], *b"432");
        assert!(!folder.path().join("log.4").exists());
        fs::write(run.log(), "short").unwrap();
        run.rotate().unwrap();
        assert_eq!(fs::read(run.log()).unwrap(), b"short");
    }

    #[test]
    fn projects_of_one_name_in_two_places_are_kept_apart() {
        let folder = |name: &str| Run::of(&name.parse().unwrap()).unwrap().folder;
        assert_ne!(folder("/a/shop"), folder("/b/shop"));
        let name = folder("/a/shop");
        assert!(
            name.file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with("shop-")
        );
        assert!(folder("../..").starts_with(folder_of_all().unwrap()));
    }
}
