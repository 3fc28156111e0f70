//! What is printed, and how: plainly, unless a person sits at the terminal.

use std::io::{self, Write as _};
use std::sync::OnceLock;
use std::{fmt, iter};

use anstyle::{AnsiColor, Style};
use comfy_table::{Color, ContentArrangement, Table, presets};
use serde::Serialize;

use crate::exit::Code;
use crate::failure::Failure;

pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default();
pub(crate) const RED: Style = AnsiColor::Red.on_default();
pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();

/// Why the standard output could not be written, unless it is that nobody reads it any more.
static PROBLEM: OnceLock<String> = OnceLock::new();

/// A line on the standard output, for those who go on as long as somebody reads it.
pub(crate) fn print(text: fmt::Arguments<'_>) -> io::Result<()> {
    let printed = writeln!(anstream::stdout(), "{text}");
    if let Err(error) = &printed
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        PROBLEM.get_or_init(|| error.to_string());
    }
    printed
}

/// Whether somebody can still read the output, for those who may have nothing to print for long.
#[cfg(unix)]
pub(crate) fn is_read() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let stdout = io::stdout();
    let mut output = [PollFd::new(&stdout, PollFlags::empty())];
    let is_gone = poll(&mut output, Some(&Timespec::default())).is_ok()
        && output[0].revents().contains(PollFlags::ERR);
    !is_gone
}

/// There it is noticed when something is printed.
#[cfg(not(unix))]
pub(crate) fn is_read() -> bool {
    true
}

/// Whether everything that was to be printed was, as far as somebody reads it.
pub(crate) fn check() -> Result<(), Failure> {
    match PROBLEM.get() {
        None => Ok(()),
        Some(problem) => Err(Failure::new(
            Code::Broken,
            "OUTPUT_FAILED",
            format!(
                "The output cannot be written: {problem}. Make room there, or send it elsewhere."
            ),
        )),
    }
}

/// A line on the standard output. Whoever reads it may have gone: `portlease ports | head -1`.
pub(crate) fn line(text: fmt::Arguments<'_>) {
    let _ = print(text);
}

/// A line beside the output, about what happens.
pub(crate) fn note(text: fmt::Arguments<'_>) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// A line about what went wrong.
pub(crate) fn complaint(text: fmt::Arguments<'_>) {
    note(format_args!("{RED}portlease:{RED:#} {text}"));
}

/// A line about what the user should know although it goes on.
pub(crate) fn warning(text: fmt::Arguments<'_>) {
    note(format_args!("{YELLOW}portlease:{YELLOW:#} {text}"));
}

/// A value as JSON, indented for the eyes of whoever tries a command out.
pub(crate) fn json(value: &impl Serialize) {
    let text = serde_json::to_string_pretty(value).unwrap_or_else(|error| error.to_string());
    line(format_args!("{text}"));
}

/// What stands in a cell of a table, and whether it should catch the eye.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    color: Option<Color>,
}

impl From<String> for Cell {
    /// Names of programs say what they like, but not to the terminal.
    fn from(text: String) -> Self {
        let text = if text.contains(char::is_control) {
            text.replace(char::is_control, " ")
        } else {
            text
        };
        Self { text, color: None }
    }
}

impl Cell {
    pub(crate) fn well(text: impl Into<String>) -> Self {
        Self::colored(text, Color::Green)
    }

    pub(crate) fn doubtful(text: impl Into<String>) -> Self {
        Self::colored(text, Color::Yellow)
    }

    pub(crate) fn bad(text: impl Into<String>) -> Self {
        Self::colored(text, Color::Red)
    }

    fn colored(text: impl Into<String>, color: Color) -> Self {
        Self {
            color: Some(color),
            ..Self::from(text.into())
        }
    }
}

impl From<Cell> for comfy_table::Cell {
    fn from(cell: Cell) -> Self {
        let text = Self::new(cell.text);
        match cell.color {
            Some(color) => text.fg(color),
            None => text,
        }
    }
}

/// Whether a person sees the output.
pub(crate) fn is_terminal() -> bool {
    io::IsTerminal::is_terminal(&io::stdout())
}

/// A table on a terminal, the same columns with tabs between them elsewhere.
pub(crate) fn table<C: Clone + Into<Cell>>(header: &[&str], rows: &[Vec<C>]) {
    line(format_args!("{}", table_text(header, rows)));
}

/// The lines of [`table`].
pub(crate) fn table_text<C: Clone + Into<Cell>>(header: &[&str], rows: &[Vec<C>]) -> String {
    let rows = rows
        .iter()
        .map(|row| row.iter().cloned().map(Into::into).collect());
    if !is_terminal() {
        let tabbed = |row: Vec<Cell>| {
            let texts: Vec<String> = row.into_iter().map(|cell| cell.text).collect();
            texts.join("\t")
        };
        let lines = iter::once(header.join("\t")).chain(rows.map(tabbed));
        return lines.collect::<Vec<_>>().join("\n");
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(header.to_vec())
        .add_rows(rows);
    // A terminal that nobody has given a size says that it has no columns.
    if table.width() != Some(0) {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    table.trim_fmt()
}

/// Puts this in place of everything on the terminal, as much as fits.
pub(crate) fn redraw(text: &str) -> io::Result<()> {
    const CLEAR: &str = "\x1b[H\x1b[2J";
    let height = match crossterm::terminal::size() {
        Ok((_, height @ 1..)) => height.into(),
        _ => usize::MAX,
    };
    let count = text.lines().count();
    // The cursor takes the last line.
    let fitting = if count < height {
        count
    } else {
        height.saturating_sub(2)
    };
    let mut shown: Vec<&str> = text.lines().take(fitting).collect();
    let rest = format!("… and {} more lines", count - fitting);
    if fitting < count {
        shown.push(&rest);
    }
    // Where there are no colours there is a cursor all the same, so this goes past what removes them.
    io::stdout().write_all(CLEAR.as_bytes())?;
    print(format_args!("{}", shown.join("\n")))
}

/// A word and what it is about, in columns on a terminal and with a tab elsewhere.
pub(crate) fn pair(label: &str, value: &str) {
    if is_terminal() {
        line(format_args!("{BOLD}{label:<12}{BOLD:#} {value}"));
    } else {
        line(format_args!("{label}\t{value}"));
    }
}

/// `1 lease`, `2 leases`
pub(crate) fn count(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}
