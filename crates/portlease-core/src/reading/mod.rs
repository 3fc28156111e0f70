//! What people and programs write, read into types: what is wrong is told with its place, in their words, and with the name
//! that was probably meant.

mod argument;
mod nearest;
mod problem;
mod reader;

pub use argument::{InvalidArgument, read_argument};
pub(crate) use argument::{json, place};
pub use problem::{Problem, Step, quoted, sentence};
pub(crate) use reader::read_keys;
pub use reader::{Tree, View, read};
