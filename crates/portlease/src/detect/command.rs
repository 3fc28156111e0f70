//! Which framework a command starts.

use std::path::Path;

use super::manifest::Manifest;

/// Programs and the frameworks they start.
const PROGRAMS: &[(&str, &str)] = &[
    ("next", "next"),
    ("nuxt", "nuxt"),
    ("nuxi", "nuxt"),
    ("astro", "astro"),
    ("vite", "vite"),
    ("vitepress", "vitepress"),
    ("react-router", "react-router"),
    ("remix", "remix"),
    ("ng", "angular"),
    ("ember", "ember"),
    ("storybook", "storybook"),
    ("start-storybook", "storybook"),
    ("gatsby", "gatsby"),
    ("docusaurus", "docusaurus"),
    ("react-scripts", "create-react-app"),
    ("vue-cli-service", "vue-cli"),
    ("expo", "expo"),
    ("react-native", "metro"),
    ("metro", "metro"),
    ("parcel", "parcel"),
    ("webpack", "webpack"),
    ("webpack-dev-server", "webpack"),
    ("rspack", "rspack"),
    ("rsbuild", "rsbuild"),
    ("eleventy", "eleventy"),
    ("@11ty/eleventy", "eleventy"),
    ("wrangler", "wrangler"),
    ("hugo", "hugo"),
    ("jekyll", "jekyll"),
    ("rails", "rails"),
    ("flask", "flask"),
    ("fastapi", "fastapi"),
    ("uvicorn", "fastapi"),
    ("node", "node"),
    ("tsx", "node"),
    ("ts-node", "node"),
    ("nodemon", "node"),
    ("nest", "node"),
];

/// Words that only start another command, whose name follows.
const RUNNERS: &[&str] = &[
    "npx",
    "bunx",
    "pnpx",
    "dlx",
    "exec",
    "x",
    "cross-env",
    "env",
    "dotenv",
    "dotenvx",
    "sudo",
];

/// Programs that run the scripts of `package.json`, and start other programs as well.
const MANAGERS: &[&str] = &["npm", "pnpm", "yarn", "bun"];

/// How many commands may start each other before it is given up.
const MAX_DEPTH: usize = 8;

/// So many commands are looked at: scripts that start several others, and those several again, would
/// otherwise take as good as forever.
const MAX_LOOKS: usize = 500;

/// The dev server that a command line starts, and how further arguments reach it.
///
/// ```
/// use portlease::ServerCommand;
///
/// let server = ServerCommand::find("npx vite --open", "/nowhere".as_ref()).expect("it is known");
/// assert_eq!((server.framework, server.separators), ("vite", Some(0)));
/// assert_eq!(server.words, ["vite", "--open"]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerCommand {
    /// The framework, by its name in the built-in catalogue.
    pub framework: &'static str,
    /// The words of its own command, from its program on: those of a script, and those that the
    /// script is called with.
    pub words: Vec<String>,
    /// How many `--` have to stand before arguments at the end of the whole command, so that they
    /// reach the server. `None` when they go to another program.
    pub separators: Option<usize>,
}

impl ServerCommand {
    /// The server that the command starts in the folder `root`, scripts of `package.json` looked up.
    pub fn find(command: &str, root: &Path) -> Option<Self> {
        Self::find_with(command, &Manifest::read(root))
    }

    pub(super) fn find_with(command: &str, manifest: &Manifest) -> Option<Self> {
        let mut search = Search {
            manifest,
            looks_left: MAX_LOOKS,
        };
        search.line(command, &[], 0)
    }

    fn at_the_end(framework: &'static str, words: &[String]) -> Self {
        Self {
            framework,
            words: words.to_vec(),
            separators: Some(0),
        }
    }
}

/// A search through commands that start each other.
struct Search<'a> {
    manifest: &'a Manifest,
    looks_left: usize,
}

impl Search<'_> {
    /// Looks in a line of one command or several that is called with further words at its end.
    fn line(&mut self, line: &str, further: &[String], depth: usize) -> Option<ServerCommand> {
        let line = with_forward_slashes(line);
        let mut parts = line.split(['&', '|', ';', '\n']).peekable();
        while let Some(part) = parts.next() {
            let is_last = parts.peek().is_none();
            let Some(mut words) = shlex::split(part) else {
                continue;
            };
            if is_last {
                words.extend_from_slice(further);
            }
            if let Some(found) = self.command(&words, depth) {
                let separators = found.separators.filter(|_| is_last);
                return Some(ServerCommand {
                    separators,
                    ..found
                });
            }
        }
        None
    }

    fn command(&mut self, words: &[String], depth: usize) -> Option<ServerCommand> {
        if depth == MAX_DEPTH || self.looks_left == 0 {
            return None;
        }
        self.looks_left -= 1;
        let start = words.iter().position(|word| !is_passed_over(word))?;
        let words = &words[start..];
        let (first, rest) = words.split_first()?;
        let program = program_name(first);
        if MANAGERS.contains(&program) {
            return self.managed(program, rest, depth + 1);
        }
        if program == "node"
            && let Some(script) = rest.iter().position(|word| is_binary_of_package(word))
        {
            return self.command(&rest[script..], depth + 1);
        }
        if program == "vite" && rest.iter().any(|word| word == "preview") {
            return Some(ServerCommand::at_the_end("vite-preview", words));
        }
        if let Some((_, framework)) = PROGRAMS.iter().find(|(known, _)| *known == program) {
            return Some(ServerCommand::at_the_end(framework, words));
        }
        // A program that runs several others names them in its arguments: `concurrently "next dev"`.
        let mut lines = rest.iter().filter(|word| word.contains(' '));
        let found = lines.find_map(|line| self.line(line, &[], depth + 1))?;
        Some(ServerCommand {
            separators: None,
            ..found
        })
    }

    /// What a package manager runs: a script, or a program of a package.
    fn managed(&mut self, manager: &str, words: &[String], depth: usize) -> Option<ServerCommand> {
        let words = without_flags(words);
        let (first, mut rest) = words.split_first()?;
        let mut program = words;
        if matches!(first.as_str(), "run" | "run-script") {
            program = without_flags(rest);
            rest = program.get(1..)?;
        }
        let Some(script) = self.manifest.script(program.first()?) else {
            return self.command(program, depth);
        };
        // npm keeps what stands before `--` for itself; the others pass everything on.
        let (further, missing_separators) = match rest.iter().position(|word| word == "--") {
            Some(at) if manager == "npm" => (&rest[at + 1..], 0),
            None if manager == "npm" => (&[][..], 1),
            _ => (rest, 0),
        };
        let found = self.line(script, further, depth)?;
        Some(ServerCommand {
            separators: found.separators.map(|inner| inner + missing_separators),
            ..found
        })
    }
}

fn without_flags(words: &[String]) -> &[String] {
    let flags = words.iter().take_while(|word| word.starts_with('-'));
    &words[flags.count()..]
}

/// Flags, settings and runners: the command comes after them.
fn is_passed_over(word: &str) -> bool {
    word.starts_with('-') || word.contains('=') || RUNNERS.contains(&program_name(word))
}

/// The command with the separators of Windows paths turned, which a shell would take for escapes.
fn with_forward_slashes(command: &str) -> String {
    let mut next = command.chars().skip(1);
    let turned = command.chars().map(|character| {
        let is_separator = next
            .next()
            .is_some_and(|next| next.is_alphanumeric() || next == '.');
        if character == '\\' && is_separator {
            '/'
        } else {
            character
        }
    });
    turned.collect()
}

/// `./node_modules/.bin/vite.cmd` and `vite@8` are `vite`.
fn program_name(word: &str) -> &str {
    let file = word.rsplit('/').next().unwrap_or(word);
    let file = if word.starts_with('@') { word } else { file };
    let without_version = match file.rfind('@') {
        Some(at) if at > 0 => &file[..at],
        _ => file,
    };
    let endings = [".cmd", ".exe", ".ps1", ".js", ".mjs"];
    endings
        .iter()
        .find_map(|ending| without_version.strip_suffix(ending))
        .unwrap_or(without_version)
}

fn is_binary_of_package(word: &str) -> bool {
    word.contains("node_modules/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(command: &str, expected: Option<&str>) {
        let root = tempfile::tempdir().unwrap();
        let scripts = r#"{"scripts": {"dev": "vite --open", "start": "npm run serve", "serve": "cross-env A=1 next dev",
            "loop": "npm run loop", "many": "MANY", "both": "concurrently \"tsc -w\" \"astro dev\""}}"#;
        let scripts = scripts.replace("MANY", &["npm run many"; 9].join("; "));
        std::fs::write(root.path().join("package.json"), scripts).unwrap();
        let found = ServerCommand::find(command, root.path());
        assert_eq!(found.map(|found| found.framework), expected, "{command}");
    }

    /// The server's own words behind a bar, after as many `--` as arguments at the end need.
    #[track_caller]
    fn check_end(command: &str, expected: &str) {
        let root = tempfile::tempdir().unwrap();
        let scripts = r#"{"scripts": {"dev": "tsc && vite --open", "start": "npm run dev", "inner": "npm run dev -- --host",
            "both": "concurrently \"tsc -w\" \"astro dev\"", "first": "vite & node api.js", "piped": "next dev | pino"}}"#;
        std::fs::write(root.path().join("package.json"), scripts).unwrap();
        let found = ServerCommand::find(command, root.path()).unwrap();
        let separators = match found.separators {
            Some(count) => "-- ".repeat(count),
            None => "unreachable ".to_owned(),
        };
        let told = format!("{separators}| {}", found.words.join(" "));
        assert_eq!(told, expected, "{command}");
    }

    #[test]
    fn arguments_at_the_end_reach_the_server_behind_separators() {
        check_end("vite", "| vite");
        check_end("npx --yes vite@8 --host", "| vite@8 --host");
        check_end("npm run dev", "-- | vite --open");
        check_end("npm run dev --silent", "-- | vite --open");
        check_end("npm run dev -- --port 4000", "| vite --open --port 4000");
        check_end("pnpm run dev --port 4000", "| vite --open --port 4000");
        check_end("yarn dev", "| vite --open");
        check_end("bun --bun run dev", "| vite --open");
        check_end("npm start", "-- -- | vite --open");
        check_end("npm start -- --host", "-- | vite --open");
        check_end("npm start -- -- --host", "| vite --open --host");
        check_end("npm run inner", "-- | vite --open --host");
        check_end("pnpm start", "-- | vite --open");
        check_end("npm exec vite -- --host", "| vite -- --host");
        check_end("NODE_ENV=x vite --host", "| vite --host");
        check_end("node node_modules/.bin/vite", "| node_modules/.bin/vite");
    }

    #[test]
    fn arguments_at_the_end_that_another_program_gets() {
        check_end("npm run both", "unreachable | astro dev");
        check_end("npm run first", "unreachable | vite");
        check_end("pnpm piped", "unreachable | next dev");
        check_end("concurrently 'next dev' 'tsc -w'", "unreachable | next dev");
    }

    #[test]
    fn programs_by_their_names() {
        check("next dev", Some("next"));
        check("vite", Some("vite"));
        check("astro dev", Some("astro"));
        check("vite preview --open", Some("vite-preview"));
        check("ng serve", Some("angular"));
        check("node server.js", Some("node"));
        check("./start.sh", None);
        check("", None);
    }

    #[test]
    fn programs_behind_others() {
        check("npx next@16 dev", Some("next"));
        check("pnpm dlx astro dev", Some("astro"));
        check("yarn vite", Some("vite"));
        check("bunx --bun vite", Some("vite"));
        check("npx @11ty/eleventy --serve", Some("eleventy"));
        check("NODE_ENV=development next dev", Some("next"));
        check("node node_modules/.bin/vite --host", Some("vite"));
        check("node ./node_modules/next/dist/bin/next dev", Some("next"));
        check(r"node_modules\.bin\vite.cmd", Some("vite"));
        check("tsc && vite", Some("vite"));
        check("concurrently 'tsc -w' 'next dev'", Some("next"));
    }

    #[test]
    fn scripts_are_looked_up() {
        for command in [
            "npm run dev",
            "pnpm dev",
            "yarn dev",
            "bun run dev",
            "npm run --silent dev",
        ] {
            check(command, Some("vite"));
        }
        check("npm start", Some("next"));
        check("npm run both", Some("astro"));
        check("npm run missing", None);
        check("npm run loop", None);
        check("npm", None);
    }

    #[test]
    fn commands_without_end_are_given_up() {
        check(&format!("{}npm run loop", "npm ".repeat(9)), None);
        check(&"-x ".repeat(100_000), None);
        check(&"npx ".repeat(100_000), None);
        check("npm run loop; vite", Some("vite"));
        check("npm run many", None);
    }

    #[test]
    fn quotes_that_do_not_end_are_passed_over() {
        check("next dev 'unfinished", None);
    }
}
