//! What the fuzz targets have in common: choices out of bytes, JSON that is nearly right, and the laws of a registry.

mod choices;
mod json;
pub mod registry;

pub use choices::Choices;
pub use json::document;
