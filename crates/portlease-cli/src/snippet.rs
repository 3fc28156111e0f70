//! The lines of a file around what is wrong in it, drawn for a person at a terminal.

use std::fmt;
use std::io::{self, IsTerminal as _};

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode,
};
use portlease::ConfigError;
use portlease::config::Place;

/// Whoever has longer lines has not written them by hand, and sees more in the sentence alone.
const LONGEST_LINE: usize = 500;

/// The drawing, when somebody would see it and there is a file to show.
pub(crate) fn drawn(error: &ConfigError) -> Option<String> {
    if io::stderr().is_terminal() {
        draw(error)
    } else {
        None
    }
}

fn draw(error: &ConfigError) -> Option<String> {
    let place = error.place()?;
    let (line, _) = place.line_and_column();
    let mut shown = place.text().lines().skip(line.saturating_sub(2)).take(3);
    // What stands before an `@` may be a password.
    if shown.any(|line| line.len() > LONGEST_LINE || (line.contains("://") && line.contains('@'))) {
        return None;
    }
    let report = Report {
        error,
        place,
        source: NamedSource::new(place.name(), harmless(place.text())),
    };
    let mut drawing = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::unicode())
        .render_report(&mut drawing, &report)
        .ok()?;
    Some(drawing)
}

/// The text without what a terminal obeys, each character at its place: others may have written it.
fn harmless(text: &str) -> String {
    let replaced = |letter: char| match letter {
        '\n' | '\t' => letter,
        '\r' => ' ',
        // Those that turn the direction around hide what stands there.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        letter if letter.is_control() && letter.len_utf8() == 1 => '?',
        letter if letter.is_control() => '¿',
        letter => letter,
    };
    text.chars().map(replaced).collect()
}

struct Report<'a> {
    error: &'a ConfigError,
    place: &'a Place,
    source: NamedSource<String>,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.error.message())
    }
}

impl fmt::Debug for Report<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.error, formatter)
    }
}

impl std::error::Error for Report<'_> {}

impl Diagnostic for Report<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new("INVALID_CONFIG"))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.error.help()?))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = LabeledSpan::new_with_span(Some("here".to_owned()), self.place.span());
        Some(Box::new(std::iter::once(label)))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use portlease::Config;

    use super::*;

    /// What is drawn of a file with this text.
    fn drawn_of(text: &str) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("portlease.toml");
        fs::write(&file, text).unwrap();
        let drawing = draw(&Config::of_file(&file).unwrap_err())?;
        let plain = anstream::adapter::strip_str(&drawing).to_string();
        Some(plain.replace(
            &format!("{}{}", folder.path().display(), std::path::MAIN_SEPARATOR),
            "",
        ))
    }

    #[test]
    fn the_line_the_mark_and_what_was_probably_meant() {
        let drawing = drawn_of("project = 'größe'\nserivces = 1\n").unwrap();
        let expected = "\
INVALID_CONFIG

  × There is no key \"serivces\".
   ╭─[portlease.toml:2:1]
 1 │ project = 'größe'
 2 │ serivces = 1
   · ────┬───
   ·     ╰── here
   ╰────
  help: Did you mean \"services\"?
";
        assert_eq!(drawing, expected);
    }

    #[test]
    fn nothing_of_a_file_is_obeyed_by_the_terminal() {
        let text = "[services.web]\n# \u{1b}]0;title\u{7}\u{9b}31m\u{202e}\nrange = 4000";
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("portlease.toml");
        for text in [text, "timeout = 'x' # \r\u{1b}[31m", "a = '\u{1b}'"] {
            fs::write(&file, text).unwrap();
            let Some(drawing) = draw(&Config::of_file(&file).unwrap_err()) else {
                panic!("{text:?} is not drawn");
            };
            let is_obeyed = |letter: char| letter.is_control() && letter != '\n';
            let plain = anstream::adapter::strip_str(&drawing).to_string();
            assert!(!plain.contains(is_obeyed), "{plain:?}");
            for code in ["\u{1b}]0", "\u{9b}", "\u{202e}", "\u{1b}[31mx"] {
                assert!(!drawing.contains(code), "{drawing:?}");
            }
        }
        assert_eq!(
            harmless(text).len(),
            text.len(),
            "marks stay where they are"
        );
    }

    #[test]
    fn a_long_line_is_not_drawn() {
        let long = "x".repeat(LONGEST_LINE);
        assert_eq!(drawn_of(&format!("timeout = '{long}'")), None);
        assert!(drawn_of(&format!("# {long}\n\n\n\ntimeout = 'x'")).is_some());
    }

    #[test]
    fn a_mark_at_the_end_of_the_file() {
        assert!(drawn_of("a =").unwrap().contains("[portlease.toml:1:"));
        assert!(
            drawn_of("a = 'größe")
                .unwrap()
                .contains("[portlease.toml:1:")
        );
    }

    #[test]
    fn without_a_text_there_is_nothing_to_draw() {
        let folder = tempfile::tempdir().unwrap();
        let error = Config::of_file(folder.path()).unwrap_err();
        assert_eq!(draw(&error), None);
    }
}
