//! What is printed, and how: plainly, unless a person sits at the terminal.

use std::fmt;
use std::io::{self, Write as _};

use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default();
pub(crate) const RED: Style = AnsiColor::Red.on_default();
pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();

/// A line on the standard output. Whoever reads it may have gone: `portlease ports | head -1`.
pub(crate) fn line(text: fmt::Arguments<'_>) {
    let _ = writeln!(anstream::stdout(), "{text}");
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

/// A table on a terminal, the same columns with tabs between them elsewhere.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) {
    if !io::IsTerminal::is_terminal(&io::stdout()) {
        line(format_args!("{}", header.join("\t")));
        for row in rows {
            line(format_args!("{}", row.join("\t")));
        }
        return;
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header.to_vec())
        .add_rows(rows);
    line(format_args!("{}", table.trim_fmt()));
}
