//! The commands that ask and tell, one file each.

pub(crate) mod cleanup;
pub(crate) mod config;
pub(crate) mod explain;
pub(crate) mod get;
pub(crate) mod ports;
pub(crate) mod release;
pub(crate) mod who;
