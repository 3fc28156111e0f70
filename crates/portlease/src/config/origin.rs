//! Where a value of the configuration comes from.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Who said a value. Each one is overruled by those after it.
#[derive(Debug, Clone)]
pub enum Origin {
    /// Nobody: it is what holds when nothing is said.
    Default,
    /// A file.
    File(Place),
    /// An environment variable of this name.
    Variable(String),
    /// An argument on the command line, such as `--project`.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::File(place) => {
                let (line, _) = place.line_and_column();
                write!(formatter, "{}:{line}", shown(place.path()))
            }
            Self::Variable(name) | Self::Flag(name) => formatter.write_str(name),
        }
    }
}

/// A place in a file.
#[derive(Clone)]
pub struct Place {
    source: Arc<Source>,
    span: Range<usize>,
}

/// A file as it was read.
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

impl Source {
    pub(super) fn origin(self: &Arc<Self>, span: Range<usize>) -> Origin {
        let source = Arc::clone(self);
        Origin::File(Place { source, span })
    }
}

impl Place {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.source.path
    }

    /// The path as people write it: relative to the current folder where it lies below.
    pub fn name(&self) -> String {
        shown(self.path()).to_string()
    }

    /// Everything that the file says.
    pub fn text(&self) -> &str {
        &self.source.text
    }

    /// Where in the text it is, in bytes.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The line and the character in it, both counted from 1.
    pub fn line_and_column(&self) -> (usize, usize) {
        let before = self.text().get(..self.span.start).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        (before.matches('\n').count() + 1, line.chars().count() + 1)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.line_and_column();
        write!(formatter, "{}:{line}:{column}", shown(self.path()))
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The path as people write it: relative to the current folder where it lies below.
pub(super) fn shown(path: &Path) -> std::path::Display<'_> {
    let folder = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(folder).unwrap_or(path).display()
}
