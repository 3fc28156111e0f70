//! What is to be run: the request, and the command as it is started once the ports are known.

use std::collections::BTreeMap;
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
    words: Vec<String>,
}

pub(crate) fn prepare(task: &Run, config: &Config) -> Result<Prepared, Failure> {
    let services = services::read(&task.service, config)?;
    let line = shlex::try_join(task.command.iter().map(String::as_str)).ok();
    let root = project_root(&task.project.folder()).unwrap_or_else(|_| task.project.folder());
    let server = line.and_then(|line| ServerCommand::find(&line, &root));
    let has_template = |word: &String| word.contains("{port}") || word.contains(".port}");
    let said = match &server {
        Some(server) if !task.command.iter().any(has_template) => flags::said(server),
        _ => Said::NoFlag,
    };

    let mut words = task.command.clone();
    let mut wish = task.wish.clone();
    match said {
        Said::Nothing { flags } if !task.no_flags => words.extend(flags),
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
        let main = &self.services[0].name;
        let mut words = self
            .words
            .iter()
            .map(|word| template::filled(word, main, port));
        let mut command = Command::new(program(&words.next().unwrap_or_default()));
        command.args(words);
        for service in &self.services {
            command.envs(port(&service.name).map(|port| (&service.variable, port)));
        }
        command
    }

    /// The program as the user wrote it.
    pub(crate) fn program(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }
}

/// Windows starts `npm.cmd` only when it is told the whole name.
#[cfg(windows)]
fn program(name: &str) -> std::path::PathBuf {
    which::which(name).unwrap_or_else(|_| name.into())
}

#[cfg(not(windows))]
fn program(name: &str) -> &str {
    name
}
