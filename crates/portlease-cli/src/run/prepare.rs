//! What is to be run: the request, and the command as it is started once the ports are known.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::process::Command;

use portlease::core::{Name, Port, Request};
use portlease::{Config, PortVariable, ServerCommand, UnusableVariable, project_root};

use super::flags::{self, Said};
use super::services::{self, ServiceVariable};
use super::template;
use crate::arguments::Run;
use crate::failure::Failure;

/// Everything that is known before any port is.
pub(crate) struct Prepared {
    pub(crate) request: Request,
    pub(crate) services: Vec<ServiceVariable>,
    pub(crate) warnings: Vec<UnusableVariable>,
    words: Vec<OsString>,
}

pub(crate) fn prepare(task: &Run, config: &Config) -> Result<Prepared, Failure> {
    task.wish.check(config)?;
    let services = services::read(&task.service, config)?;
    let texts: Vec<_> = task
        .command
        .iter()
        .map(|word| word.to_string_lossy())
        .collect();
    let line = shlex::try_join(texts.iter().map(|text| &**text)).ok();
    let root = project_root(&task.project.folder()).unwrap_or_else(|_| task.project.folder());
    let server = line.and_then(|line| ServerCommand::find(&line, &root));
    let has_template = |word: &Cow<'_, str>| word.contains("{port}") || word.contains(".port}");
    let said = match &server {
        Some(server) if !texts.iter().any(has_template) => flags::said(server),
        _ => Said::NoFlag,
    };

    let mut words = task.command.clone();
    let mut wish = task.wish.clone();
    match said {
        Said::Nothing { flags } if !task.no_flags => {
            words.extend(flags.into_iter().map(OsString::from));
        }
        Said::Port(port) => wish.port = wish.port.or(Some(port)),
        Said::Nothing { .. } | Said::Unclear | Said::NoFlag => {}
    }

    let mut reservation = config.project_reservation();
    for (index, service) in services.iter().enumerate() {
        // What the user wishes is about the service that the command serves.
        let framework = server.as_ref().map(|server| server.framework);
        let name = &service.name;
        reservation = if index == 0 {
            wish.apply(reservation.service(name), config, name, framework)
        } else {
            config.service(reservation.also(name), name)
        };
        reservation = reservation.variable(PortVariable::read(&service.variable));
    }
    let reservation = reservation.if_running(config.if_running());
    Ok(Prepared {
        warnings: reservation.warnings(),
        request: reservation.build()?,
        services,
        words,
    })
}

impl Prepared {
    /// The command with its ports, in arguments and in the environment.
    pub(crate) fn command(&self, ports: &BTreeMap<Name, Port>) -> Command {
        let port = |service: &str| ports.get(service).map(ToString::to_string);
        let main = self.main();
        // What is no text has no template either.
        let mut words = self.words.iter().map(|word| match word.to_str() {
            Some(text) => template::filled(text, main, port).into(),
            None => word.clone(),
        });
        let mut command = Command::new(program(&words.next().unwrap_or_default()));
        command.args(words);
        for service in &self.services {
            command.envs(port(&service.name).map(|port| (&service.variable, port)));
        }
        command
    }

    /// The service that the command serves.
    pub(crate) fn main(&self) -> &str {
        &self.services[0].name
    }

    /// The program as the user wrote it.
    pub(crate) fn program(&self) -> Cow<'_, str> {
        let program = self.words.first().map(|word| word.to_string_lossy());
        program.unwrap_or_default()
    }
}

/// Windows starts `npm.cmd` only when it is told the whole name.
#[cfg(windows)]
fn program(name: &OsStr) -> std::path::PathBuf {
    which::which(name).unwrap_or_else(|_| name.into())
}

#[cfg(not(windows))]
fn program(name: &OsStr) -> &OsStr {
    name
}
