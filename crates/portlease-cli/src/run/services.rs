//! The services of a command and the variables that name their ports.

use portlease::config::VariableName;
use portlease::core::Name;
use portlease::{Config, Error};

use crate::exit::Code;
use crate::failure::Failure;

/// A service and its variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceVariable {
    pub(crate) name: String,
    pub(crate) variable: String,
}

/// The services that the user names, as `NAME` or `NAME=VARIABLE`, or else those of the configuration; besides, those whose
/// ports they share. The first is the one that the command serves.
pub(crate) fn read(arguments: &[String], config: &Config) -> Result<Vec<ServiceVariable>, Failure> {
    let said = said(arguments)?;
    let names: Result<Vec<Name>, _> = said.iter().map(|(name, _)| name.parse()).collect();
    let chosen = config.chosen(&names.map_err(Error::from)?);
    let declared = |name: &Name| {
        let service = config.settings().services.get(name)?;
        Some(service.variable.as_ref()?.as_str().to_owned())
    };
    with_variables(&said, &chosen, declared)
}

/// Names, and the variables that were said with them.
fn said(arguments: &[String]) -> Result<Vec<(&str, Option<&str>)>, Failure> {
    let mut said: Vec<(&str, Option<&str>)> = Vec::new();
    for argument in arguments {
        let (name, variable) = match argument.split_once('=') {
            Some((name, variable)) => (name, Some(variable)),
            None => (argument.as_str(), None),
        };
        if let Some(variable) = variable
            && VariableName::new(variable.to_owned()).is_none()
        {
            return Err(usage(format!(
                "--service {argument}: {variable:?} is not the name of a variable. Write NAME=VARIABLE, as in api=API_PORT."
            )));
        }
        if said.iter().any(|(known, _)| *known == name) {
            return Err(usage(format!(
                "--service {argument}: The service {name} is there twice. Name each one once."
            )));
        }
        said.push((name, variable));
    }
    Ok(said)
}

fn with_variables(
    said: &[(&str, Option<&str>)],
    chosen: &[Name],
    declared: impl Fn(&Name) -> Option<String>,
) -> Result<Vec<ServiceVariable>, Failure> {
    let mut services: Vec<ServiceVariable> = Vec::new();
    for (index, name) in chosen.iter().enumerate() {
        let by_user = said
            .iter()
            .find(|(known, _)| *known == &**name)
            .and_then(|(_, variable)| *variable);
        let variable = by_user.map(str::to_owned).or_else(|| declared(name));
        let variable = variable.unwrap_or_else(|| match index {
            0 => "PORT".to_owned(),
            _ => variable_of(name),
        });
        if let Some(known) = services.iter().find(|known| known.variable == variable) {
            return Err(usage(format!(
                "The services {} and {name} have one variable, {variable}: only one of their ports could be told. Name \
                 another one, as in --service {name}=NAME.",
                known.name
            )));
        }
        services.push(ServiceVariable {
            name: name.to_string(),
            variable,
        });
    }
    Ok(services)
}

/// `API_PORT` for `api`, `ADMIN_UI_PORT` for `admin-ui`.
fn variable_of(service: &str) -> String {
    let letter = |letter: char| {
        if letter.is_ascii_alphanumeric() {
            letter.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    format!("{}_PORT", service.chars().map(letter).collect::<String>())
}

fn usage(message: String) -> Failure {
    Failure::new(Code::Usage, "INVALID_ARGUMENT", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Vec<ServiceVariable>, Failure> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let said = said(&arguments)?;
        let mut chosen: Vec<Name> = said.iter().map(|(name, _)| Name::literal(name)).collect();
        if chosen.is_empty() {
            chosen.push(Name::literal("web"));
        }
        let declared = |name: &Name| (&**name == "hmr").then(|| "VITE_HMR_PORT".to_owned());
        with_variables(&said, &chosen, declared)
    }

    #[track_caller]
    fn check(arguments: &[&str], expected: &[(&str, &str)]) {
        let services = read(arguments).unwrap();
        let told: Vec<(&str, &str)> = services
            .iter()
            .map(|service| (&*service.name, &*service.variable))
            .collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn services_and_their_variables() {
        check(&[], &[("web", "PORT")]);
        check(&["api"], &[("api", "PORT")]);
        check(&["api=API_PORT"], &[("api", "API_PORT")]);
        check(
            &["web", "admin-ui", "hmr", "db=DATABASE"],
            &[
                ("web", "PORT"),
                ("admin-ui", "ADMIN_UI_PORT"),
                ("hmr", "VITE_HMR_PORT"),
                ("db", "DATABASE"),
            ],
        );
        check(&["hmr=HERE"], &[("hmr", "HERE")]);
    }

    #[test]
    fn what_would_be_lost_is_refused() {
        for arguments in [
            &["web="][..],
            &["web= "],
            &["web", "web"],
            &["a=PORT", "b=PORT"],
            &["a", "b=PORT"],
            &["hmr", "b=VITE_HMR_PORT"],
        ] {
            assert!(read(arguments).is_err(), "{arguments:?}");
        }
    }
}
