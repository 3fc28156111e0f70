//! The services of a command and the variables that name their ports.

use crate::exit::Code;
use crate::failure::Failure;

/// A service and its variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceVariable {
    pub(crate) name: String,
    pub(crate) variable: String,
}

/// Reads `NAME` or `NAME=VARIABLE` for each service. The first is the one that the command serves.
pub(crate) fn read(arguments: &[String]) -> Result<Vec<ServiceVariable>, Failure> {
    if arguments.is_empty() {
        return Ok(vec![ServiceVariable {
            name: "web".to_owned(),
            variable: "PORT".to_owned(),
        }]);
    }
    let mut services: Vec<ServiceVariable> = Vec::new();
    for (index, argument) in arguments.iter().enumerate() {
        let (name, variable) = match argument.split_once('=') {
            Some((name, variable)) => (name, variable.to_owned()),
            None if index == 0 => (argument.as_str(), "PORT".to_owned()),
            None => (argument.as_str(), variable_of(argument)),
        };
        let is_usable = !variable.is_empty() && !variable.contains(['=', '\0']);
        if !is_usable {
            return Err(usage(format!(
                "--service {argument}: {variable:?} is not the name of a variable"
            )));
        }
        let is_twice = |known: &&ServiceVariable| known.name == name || known.variable == variable;
        if let Some(known) = services.iter().find(is_twice) {
            return Err(usage(format!(
                "--service {argument}: {}={} has the same name or variable",
                known.name, known.variable
            )));
        }
        services.push(ServiceVariable {
            name: name.to_owned(),
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

    #[track_caller]
    fn check(arguments: &[&str], expected: &[(&str, &str)]) {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let services = read(&arguments).unwrap();
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
            &["web", "admin-ui", "hmr=VITE_HMR_PORT"],
            &[
                ("web", "PORT"),
                ("admin-ui", "ADMIN_UI_PORT"),
                ("hmr", "VITE_HMR_PORT"),
            ],
        );
    }

    #[test]
    fn what_would_be_lost_is_refused() {
        for arguments in [&["web="][..], &["web", "web"], &["a=PORT", "b=PORT"]] {
            let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
            assert!(read(&arguments).is_err(), "{arguments:?}");
        }
    }
}
