//! `portlease logs`

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::thread;
use std::time::Duration;

use clap::Args;

use super::Target;
use super::record::Run;
use crate::exit::Code;
use crate::failure::Failure;
use crate::output;

const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// Print what a dev server in the background said
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  portlease logs
  portlease logs -f
  portlease logs -n 20 ~/projects/shop")]
pub(crate) struct Logs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Go on printing, until the server has ended
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// How many of the last lines
    #[arg(long, short = 'n', value_name = "LINES", default_value_t = 200)]
    pub(crate) lines: usize,
}

pub(crate) fn run(task: &Logs) -> Result<u8, Failure> {
    let (_, project) = task.target.read()?;
    let run = Run::of(&project)?;
    let printed = match File::open(run.log()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let message = format!(
                "{project} was never started in the background. `portlease status` lists what was."
            );
            return Err(Failure::new(Code::Nothing, "NO_LOG", message));
        }
        log => log.and_then(|mut log| print(&mut log, &run, task)),
    };
    match printed {
        // Whoever reads may have gone: `portlease logs | head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Code::Done.into()),
        Err(error) => {
            let message = format!(
                "{} cannot be printed: {error}. It can be removed.",
                run.log().display()
            );
            Err(Failure::new(Code::Broken, "LOG_UNREADABLE", message))
        }
        Ok(()) => Ok(Code::Done.into()),
    }
}

fn print(log: &mut File, run: &Run, task: &Logs) -> io::Result<()> {
    let mut text = Vec::new();
    log.read_to_end(&mut text)?;
    let mut stdout = io::stdout();
    stdout.write_all(last_lines(&text, task.lines))?;
    stdout.flush()?;
    if task.follow {
        follow(log, run)?;
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a file tells nobody that it has grown"
)]
fn follow(log: &mut File, run: &Run) -> io::Result<()> {
    let mut stdout = io::stdout();
    loop {
        // Before the look: what it said before it ended is printed.
        let record = run.record().ok().flatten();
        let runs = record.is_some_and(|record| record.is_running());
        if log.metadata()?.len() < log.stream_position()? {
            // It was put aside, and begins anew.
            log.seek(SeekFrom::Start(0))?;
        }
        io::copy(log, &mut stdout)?;
        stdout.flush()?;
        if !runs || !output::is_read() {
            return Ok(());
        }
        thread::sleep(LOOK_INTERVAL);
    }
}

fn last_lines(text: &[u8], count: usize) -> &[u8] {
    let body = text.strip_suffix(b"\n").unwrap_or(text);
    let mut ends = body
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, byte)| **byte == b'\n');
    match (
        count,
        count.checked_sub(1).and_then(|count| ends.nth(count)),
    ) {
        (0, _) => &[],
        (_, Some((end, _))) => &text[end + 1..],
        (_, None) => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_of_a_text() {
        let check = |text: &str, count, expected: &str| {
            assert_eq!(
                last_lines(text.as_bytes(), count),
                expected.as_bytes(),
                "{count}"
            );
        };
        check("a\nb\nc\n", 2, "b\nc\n");
        check("a\nb\nc", 2, "b\nc");
        check("a\nb\n", 2, "a\nb\n");
        check("a\nb\n", 9, "a\nb\n");
        check("a\nb\n", 0, "");
        check("", 3, "");
        check("\n\n", 1, "\n");
    }
}
