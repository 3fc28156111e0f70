//! How each dev server is told its port on its command line.

use portlease::ServerCommand;
use portlease::core::Port;

/// The flags of one server.
struct Flags {
    /// Its name in the catalogue.
    framework: &'static str,
    /// The subcommands that serve; one that is not among them, such as `build`, gets no port.
    serving: &'static [&'static str],
    /// Whether it also serves without any subcommand.
    serves_alone: bool,
    /// The flag for the port, and its short form.
    port: &'static [&'static str],
    /// What makes it fail when the port is taken, instead of taking the next one.
    strict: &'static [&'static str],
}

const fn flags(
    framework: &'static str,
    serving: &'static [&'static str],
    serves_alone: bool,
    port: &'static [&'static str],
    strict: &'static [&'static str],
) -> Flags {
    Flags {
        framework,
        serving,
        serves_alone,
        port,
        strict,
    }
}

const PORT: &[&str] = &["--port"];
const PORT_OR_P: &[&str] = &["--port", "-p"];
const STRICT_PORT: &[&str] = &["--strictPort"];

/// Every server that has such a flag. The others read the variable `PORT`.
const SERVERS: &[Flags] = &[
    flags("next", &["dev", "start"], true, PORT_OR_P, &[]),
    flags("vite", &["dev", "serve"], true, PORT, STRICT_PORT),
    flags("vite-preview", &["preview"], false, PORT, STRICT_PORT),
    flags("vitepress", &["dev"], true, PORT, STRICT_PORT),
    flags("vitepress", &["serve", "preview"], false, PORT, &[]),
    flags("astro", &["dev", "preview"], true, PORT, &[]),
    flags("nuxt", &["dev", "preview"], false, PORT_OR_P, &[]),
    flags("react-router", &["dev"], false, PORT, STRICT_PORT),
    flags("remix", &["vite:dev", "dev"], false, PORT, &[]),
    flags("angular", &["serve", "s", "dev"], false, PORT, &[]),
    flags("storybook", &["dev"], false, PORT_OR_P, &["--exact-port"]),
    flags("webpack", &["serve", "server", "s"], false, PORT, &[]),
    flags("rspack", &["serve", "server", "dev", "s"], false, PORT, &[]),
    flags("rsbuild", &["dev", "preview"], true, PORT, &[]),
    flags("expo", &["start"], false, PORT_OR_P, &[]),
    flags("metro", &["start", "serve"], false, PORT, &[]),
    flags("gatsby", &["develop", "serve"], false, PORT_OR_P, &[]),
    flags("docusaurus", &["start", "serve"], false, PORT_OR_P, &[]),
    flags("eleventy", &[], true, PORT, &[]),
    flags("parcel", &["serve", "watch"], true, PORT_OR_P, &[]),
    flags("wrangler", &["dev"], false, PORT, &[]),
    flags("ember", &["serve", "server", "s"], false, PORT_OR_P, &[]),
    flags("vue-cli", &["serve"], false, PORT, &[]),
    flags("hugo", &["server", "serve"], false, PORT_OR_P, &[]),
    flags(
        "jekyll",
        &["serve", "server", "s"],
        false,
        &["--port", "-P"],
        &[],
    ),
    flags("rails", &["server", "s"], false, PORT_OR_P, &[]),
    flags("flask", &["run"], false, PORT_OR_P, &[]),
    flags("fastapi", &["dev", "run"], true, PORT, &[]),
];

/// Programs that do nothing but serve, under the names of frameworks that do more.
const DEDICATED: &[&str] = &["webpack-dev-server", "start-storybook"];

/// What the user's own command says about the port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// This port.
    Port(Port),
    /// Something that is no port. The server will complain better than anybody else.
    Unclear,
    /// Nothing: these words at the end of the command tell the server, in which `{port}` stands
    /// for the number.
    Nothing { flags: Vec<String> },
    /// The server has no flag for it, does not serve, or is out of reach.
    NoFlag,
}

/// Looks for the port among the words of the server, and for a way to tell it.
pub(crate) fn said(server: &ServerCommand) -> Said {
    let Some(flags) = SERVERS
        .iter()
        .find(|flags| flags.framework == server.framework && flags.serves(server))
    else {
        return Said::NoFlag;
    };
    if let Some(value) = flags.value(&server.words) {
        return value.parse().map_or(Said::Unclear, Said::Port);
    }
    match server.separators {
        None => Said::NoFlag,
        Some(separators) => {
            let separators = std::iter::repeat_n("--", separators);
            let port = [flags.port[0], "{port}"];
            let words = separators.chain(port).chain(flags.strict.iter().copied());
            Said::Nothing {
                flags: words.map(str::to_owned).collect(),
            }
        }
    }
}

impl Flags {
    fn serves(&self, server: &ServerCommand) -> bool {
        let Some((program, words)) = server.words.split_first() else {
            return false;
        };
        if self.framework == "eleventy" {
            return words.iter().any(|word| word == "--serve");
        }
        if DEDICATED.iter().any(|name| program.contains(name)) {
            return true;
        }
        let is_serving = |word: &String| self.serving.contains(&word.as_str());
        match words.first().filter(|word| !word.starts_with('-')) {
            None => self.serves_alone || words.iter().any(is_serving),
            // A folder or a file to serve is no subcommand.
            Some(word) => is_serving(word) || (self.serves_alone && word.contains(['/', '.'])),
        }
    }

    fn value<'a>(&self, words: &'a [String]) -> Option<&'a str> {
        let mut words = words.iter();
        while let Some(word) = words.next() {
            for flag in self.port {
                let Some(rest) = word.strip_prefix(flag) else {
                    continue;
                };
                if rest.is_empty() {
                    return Some(words.next().map_or("", String::as_str));
                }
                if let Some(value) = rest.strip_prefix('=') {
                    return Some(value);
                }
                let is_short = flag.len() == 2;
                if is_short && rest.starts_with(|digit: char| digit.is_ascii_digit()) {
                    return Some(rest);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// What is added, or the port that is there already, or nothing.
    #[track_caller]
    fn check(command: &str, expected: &str) {
        let server = ServerCommand::find(command, Path::new("/nowhere"));
        let told = match server.as_ref().map(said) {
            Some(Said::Nothing { flags }) => flags.join(" "),
            Some(Said::Port(port)) => format!("says {port}"),
            Some(Said::Unclear) => "unclear".to_owned(),
            Some(Said::NoFlag) | None => String::new(),
        };
        assert_eq!(told, expected, "{command}");
    }

    #[test]
    fn each_server_gets_its_own_flag() {
        check("next dev", "--port {port}");
        check("next dev --turbopack", "--port {port}");
        check("vite", "--port {port} --strictPort");
        check("vite dev --host", "--port {port} --strictPort");
        check("vite ./app", "--port {port} --strictPort");
        check("vite preview", "--port {port} --strictPort");
        check("astro dev", "--port {port}");
        check("vitepress", "--port {port} --strictPort");
        check("vitepress dev docs", "--port {port} --strictPort");
        check("vitepress preview docs", "--port {port}");
        check("nuxt dev", "--port {port}");
        check("react-router dev", "--port {port} --strictPort");
        check("ng serve shop", "--port {port}");
        check("storybook dev", "--port {port} --exact-port");
        check("webpack serve", "--port {port}");
        check("webpack-dev-server", "--port {port}");
        check("expo start", "--port {port}");
        check("npx @11ty/eleventy --serve", "--port {port}");
        check("uvicorn app:main", "");
    }

    #[test]
    fn what_does_not_serve_gets_none() {
        for command in [
            "next build",
            "vite build",
            "astro check",
            "vitepress build",
            "ng test",
            "eleventy",
            "webpack",
            "node server.js",
            "make",
        ] {
            check(command, "");
        }
    }

    #[test]
    fn a_port_that_the_user_names_is_respected() {
        check("vite --port 4000", "says 4000");
        check("vite --port=4000 --host", "says 4000");
        check("next dev -p 4000", "says 4000");
        check("next dev -p4000", "says 4000");
        check("storybook dev -p=4000", "says 4000");
        check("vite --port", "unclear");
        check("vite --port abc", "unclear");
        check("next dev --portable", "--port {port}");
        check("vite -p 4000", "--port {port} --strictPort");
    }

    #[test]
    fn every_server_with_a_flag_is_in_the_catalogue() {
        let catalog = portlease::core::Catalog::builtin();
        for flags in SERVERS {
            assert!(
                catalog.get(flags.framework).is_some(),
                "{}",
                flags.framework
            );
        }
    }
}
