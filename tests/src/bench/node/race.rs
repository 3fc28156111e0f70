//! Many processes that look for a port at the same time and listen on it a while later.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;

use super::ends;
use super::script::Script;
use crate::Result;
use crate::machine::ground::{Ground, free_range};

/// How many of the processes could not listen on the port that they had found.
pub(super) fn collisions(folder: &Path, name: &str, count: usize, delay: Duration) -> Result<u64> {
    let range = free_range(101)?;
    let ground = Ground::missing()?;
    let [first, last] = ends(range);
    let delay = delay.as_millis().to_string();
    let mut contenders = Vec::new();
    for _ in 0..count {
        let words = [name.to_owned(), first.clone(), last.clone(), delay.clone()];
        let mut command = Script::of("contender.mjs", folder, &ground)
            .with(words)
            .command();
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        contenders.push(Contender::of(command.spawn()?)?);
    }
    for contender in &mut contenders {
        contender.expect("ready")?;
    }
    for contender in &mut contenders {
        contender.go()?;
    }
    let mut collisions = 0;
    for contender in &mut contenders {
        let said = contender.line()?;
        match &*said {
            "EADDRINUSE" => collisions += 1,
            port if port.parse::<u16>().is_ok() => {}
            problem => return Err(format!("{name} said {problem:?}").into()),
        }
    }
    Ok(collisions)
}

/// A process, ended with this value.
struct Contender {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Contender {
    fn of(mut child: Child) -> Result<Self> {
        let stdout = child.stdout.take().ok_or("its output was not captured")?;
        Ok(Self {
            child,
            lines: BufReader::new(stdout),
        })
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.lines.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    fn expect(&mut self, wanted: &str) -> Result<()> {
        match self.line()? {
            line if line == wanted => Ok(()),
            line => Err(format!("a contender said {line:?} instead of {wanted:?}").into()),
        }
    }

    fn go(&mut self) -> Result<()> {
        let input = self.child.stdin.as_mut().ok_or("its input is closed")?;
        Ok(input.write_all(b"go\n")?)
    }
}

impl Drop for Contender {
    fn drop(&mut self) {
        // The end of its input ends it; if it hangs, it is killed.
        drop(self.child.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
