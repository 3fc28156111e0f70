//! The folders where the platform keeps what programs write and what users configure.

use std::path::PathBuf;

use etcetera::AppStrategy;
use etcetera::app_strategy::{AppStrategyArgs, choose_native_strategy};

use crate::Error;

/// The folder where the platform keeps the state of programs, with a name of our own in it.
///
/// ```
/// assert!(portlease::state_folder()?.ends_with("portlease") || !cfg!(target_os = "linux"));
/// # Ok::<(), portlease::Error>(())
/// ```
pub fn state_folder() -> Result<PathBuf, Error> {
    let strategy = strategy().ok_or(Error::NoStateFolder)?;
    Ok(strategy.state_dir().unwrap_or_else(|| strategy.data_dir()))
}

/// The folder for what users configure, if the user has one.
pub(crate) fn config_folder() -> Option<PathBuf> {
    Some(strategy()?.config_dir())
}

fn strategy() -> Option<impl AppStrategy> {
    let app = AppStrategyArgs {
        top_level_domain: "dev".into(),
        author: "Portlease".into(),
        app_name: "portlease".into(),
    };
    choose_native_strategy(app).ok()
}
