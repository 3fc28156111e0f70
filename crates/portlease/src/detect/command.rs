//! Which framework a command starts.

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

/// How many scripts may call each other before it is given up.
const MAX_DEPTH: usize = 8;

/// The framework that a command line starts, scripts of `package.json` looked up.
pub(super) fn framework(command: &str, manifest: &Manifest) -> Option<&'static str> {
    framework_at(command, manifest, 0)
}

fn framework_at(command: &str, manifest: &Manifest, depth: usize) -> Option<&'static str> {
    if depth == MAX_DEPTH {
        return None;
    }
    let command = with_forward_slashes(command);
    let parts = command.split(['&', '|', ';', '\n']);
    parts.filter_map(shlex::split).find_map(|words| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        framework_of(&words, manifest, depth)
    })
}

fn framework_of(words: &[&str], manifest: &Manifest, depth: usize) -> Option<&'static str> {
    let (first, rest) = words.split_first()?;
    let is_setting = first.starts_with('-') || first.contains('=');
    let program = program_name(first);
    if is_setting || RUNNERS.contains(&program) {
        return framework_of(rest, manifest, depth);
    }
    if MANAGERS.contains(&program) {
        return managed(rest, manifest, depth);
    }
    if program == "node" && rest.iter().any(|word| is_binary_of_package(word)) {
        let script = rest.iter().position(|word| is_binary_of_package(word))?;
        return framework_of(&rest[script..], manifest, depth);
    }
    if program == "vite" && rest.contains(&"preview") {
        return Some("vite-preview");
    }
    if let Some((_, framework)) = PROGRAMS.iter().find(|(known, _)| *known == program) {
        return Some(framework);
    }
    // A program that runs several others names them in its arguments: `concurrently "next dev"`.
    let commands = rest.iter().filter(|word| word.contains(' '));
    commands
        .into_iter()
        .find_map(|command| framework_at(command, manifest, depth + 1))
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

/// What a package manager runs: a script, or a program of a package.
fn managed(words: &[&str], manifest: &Manifest, depth: usize) -> Option<&'static str> {
    let words: Vec<&str> = words
        .iter()
        .copied()
        .skip_while(|word| word.starts_with('-'))
        .collect();
    let (first, rest) = words.split_first()?;
    let name = match *first {
        "run" | "run-script" => rest.iter().find(|word| !word.starts_with('-'))?,
        first => first,
    };
    match manifest.script(name) {
        Some(script) => framework_at(script, manifest, depth + 1),
        None => framework_of(
            if *first == "run" { rest } else { &words },
            manifest,
            depth + 1,
        ),
    }
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
            "loop": "npm run loop", "both": "concurrently \"tsc -w\" \"astro dev\""}}"#;
        std::fs::write(root.path().join("package.json"), scripts).unwrap();
        assert_eq!(
            framework(command, &Manifest::read(root.path())),
            expected,
            "{command}"
        );
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
    fn quotes_that_do_not_end_are_passed_over() {
        check("next dev 'unfinished", None);
    }
}
