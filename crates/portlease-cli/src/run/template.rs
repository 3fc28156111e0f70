//! `{port}` and `{service.port}` in the arguments of a command.

/// The port of a service in place of each template. `main` is the service of the plain `{port}`.
/// Braces that name no service are left alone: they are somebody else's.
pub(crate) fn filled(
    argument: &str,
    main: &str,
    port_of: impl Fn(&str) -> Option<String>,
) -> String {
    let mut filled = String::with_capacity(argument.len());
    let mut rest = argument;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let port = after.split_once('}').and_then(|(name, behind)| {
            let service = match name {
                "port" => main,
                name => name.strip_suffix(".port")?,
            };
            Some((port_of(service)?, behind))
        });
        match port {
            Some((port, behind)) => {
                filled.push_str(&port);
                rest = behind;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(argument: &str, expected: &str) {
        let port_of = |service: &str| match service {
            "web" => Some("3000".to_owned()),
            "api" => Some("4000".to_owned()),
            _ => None,
        };
        assert_eq!(filled(argument, "web", port_of), expected);
    }

    #[test]
    fn templates_become_ports() {
        check("{port}", "3000");
        check("--listen=0.0.0.0:{port}", "--listen=0.0.0.0:3000");
        check("{web.port},{api.port}", "3000,4000");
        check("{port}{port}", "30003000");
    }

    #[test]
    fn other_braces_are_left_alone() {
        check("{}", "{}");
        check("{ports}", "{ports}");
        check("{database.port}", "{database.port}");
        check("{{port}}", "{3000}");
        check("{port", "{port");
        check("a } b { c", "a } b { c");
        check("", "");
    }
}
