//! Random histories of a machine whose ports are leased. [`decide`](crate::decide()) lives through them alone, and every store lives
//! through the very same.

pub(crate) mod drafts;
pub(crate) mod history;
pub(crate) mod ledger;
pub(crate) mod machine;
pub(crate) mod requests;
