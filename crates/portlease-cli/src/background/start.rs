//! `portlease start`

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::ProgressBar;
use portlease::core::Name;
use portlease::probe::identity;
use portlease::project_root;

use super::Target;
use super::browser;
use super::record::{Record, Run, State};
use crate::exit::Code;
use crate::failure::Failure;
use crate::output;

const LOOK_INTERVAL: Duration = Duration::from_millis(20);
/// So many of the last lines of a log tell why a command ended.
const LAST_LINES: usize = 20;

/// Run a dev server in the background
///
/// The command goes on when the terminal is closed. Without a command it is the one of the last time, or else the script `dev`
/// of package.json.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  portlease start
  portlease start -- npm run dev
  portlease start ~/projects/shop --open")]
pub(crate) struct Start {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Open the browser when it is ready
    #[arg(long)]
    pub(crate) open: bool,
    /// How long the server may take to listen, in seconds [default: 120]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) timeout: Option<u32>,
    /// The command and its arguments
    #[arg(last = true)]
    pub(crate) command: Vec<String>,
}

pub(crate) fn run(task: &Start) -> Result<u8, Failure> {
    let (config, project) = task.target.read()?;
    let timeout = match task.timeout {
        Some(seconds) => Duration::from_secs(seconds.into()),
        None => config.timeout(),
    };
    let run = Run::of(&project)?;
    // Of two who start it at the same time, the second one finds it running.
    let turn = run.lock()?;
    let former = run.record()?;
    let record = match former {
        Some(record) if record.is_running() => {
            output::note(format_args!(
                "{project} runs already (pid {})",
                record.process.pid
            ));
            wait(&run, record.process.pid, timeout)?
        }
        former => {
            let pid = spawn(task, &project, &run, former)?;
            wait(&run, pid, timeout)?
        }
    };
    drop(turn);
    for (service, url) in &record.urls {
        output::line(format_args!("{service}\t{url}"));
    }
    if task.open
        && let Some(url) = record.main_url()
        && let Err(error) = browser::open(url)
    {
        output::warning(format_args!("No browser opens {url}: {error}."));
    }
    Ok(Code::Done.into())
}

/// Starts `portlease run` on its own; answers its number.
fn spawn(task: &Start, project: &Name, run: &Run, former: Option<Record>) -> Result<u32, Failure> {
    let folder = match (&task.target.project, &former) {
        (Some(folder), _) if PathBuf::from(folder).is_dir() => PathBuf::from(folder),
        (Some(_), Some(record)) => record.folder.clone(),
        (Some(path), None) if path.contains(std::path::is_separator) => {
            let message = format!("There is no folder {path:?}. Is it spelled so?");
            return Err(Failure::new(Code::Usage, "NO_FOLDER", message));
        }
        _ => PathBuf::from("."),
    };
    let words = match (&task.command, former) {
        (words, _) if !words.is_empty() => words.clone(),
        (_, Some(record)) => record.command,
        _ => script(&folder)?,
    };
    let log = run.open_log()?;
    let broken = |error| cannot_start(&folder, &error);
    let errors = log.try_clone().map_err(broken)?;
    let program = std::env::current_exe().map_err(broken)?;
    let child = Command::new(program)
        .arg("run")
        .arg("--background")
        .arg(run.folder())
        .arg(format!("--project={project}"))
        .args(task.timeout.map(|seconds| format!("--timeout={seconds}")))
        .arg("--")
        .args(words)
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .spawn()
        .map_err(broken)?;
    Ok(child.id())
}

/// The script that starts the dev server, by the manager whose lock file is there.
fn script(folder: &Path) -> Result<Vec<String>, Failure> {
    let root = project_root(folder).unwrap_or_else(|_| folder.to_path_buf());
    let manifest = std::fs::read_to_string(root.join("package.json")).unwrap_or_default();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap_or_default();
    if manifest["scripts"]["dev"].is_null() {
        return Err(Failure::new(
            Code::Usage,
            "NO_SCRIPT",
            "There is no script \"dev\" in package.json. Say what to run: `portlease start -- COMMAND`.",
        ));
    }
    let managers = [
        ("pnpm-lock.yaml", "pnpm"),
        ("yarn.lock", "yarn"),
        ("bun.lock", "bun"),
    ];
    let manager = managers
        .iter()
        .find(|(file, _)| root.join(file).exists())
        .map_or("npm", |(_, manager)| manager);
    Ok([manager, "run", "dev"].map(str::to_owned).to_vec())
}

/// Waits until the run with this number is ready; what it said last tells why it is not.
#[expect(
    clippy::disallowed_methods,
    reason = "the record is a file that somebody else writes"
)]
fn wait(run: &Run, pid: u32, timeout: Duration) -> Result<Record, Failure> {
    let deadline = Instant::now() + timeout;
    // It shows nothing where nobody watches.
    let progress = ProgressBar::new_spinner().with_message("waiting until it listens");
    loop {
        progress.tick();
        let is_gone = identity::process(pid).is_none();
        let record = run.record()?.filter(|record| record.process.pid == pid);
        match record.as_ref().map(Record::state) {
            Some(State::Running) => {
                progress.finish_and_clear();
                return record.ok_or_else(|| unreachable!("it has a state"));
            }
            Some(State::Ended | State::Lost) => return Err(not_serving(run, "It ended")),
            None if is_gone => return Err(not_serving(run, "It ended")),
            Some(State::Starting) | None => {}
        }
        if Instant::now() >= deadline {
            return Err(not_serving(run, "It does not listen yet"));
        }
        thread::sleep(LOOK_INTERVAL);
    }
}

fn not_serving(run: &Run, what: &str) -> Failure {
    let log = run.log();
    let text = std::fs::read(&log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
    let message = format!("{what}. The end of {}:\n{last}", log.display());
    Failure::new(Code::NotServing, "NOT_SERVING", message)
}

fn cannot_start(folder: &Path, error: &io::Error) -> Failure {
    let message = format!(
        "Nothing can be started in {}: {error}. Is the folder there?",
        folder.display()
    );
    Failure::new(Code::Broken, "CANNOT_START", message)
}
