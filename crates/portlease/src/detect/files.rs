//! What the configuration files of a folder say about its framework.

use std::fs;
use std::path::Path;

/// Names of files, up to their ending, and the frameworks they mean. Those that build on others
/// come first.
const FILES: &[(&str, &str)] = &[
    ("next.config.", "next"),
    ("nuxt.config.", "nuxt"),
    ("astro.config.", "astro"),
    ("svelte.config.", "sveltekit"),
    ("react-router.config.", "react-router"),
    ("remix.config.", "remix"),
    ("angular.json", "angular"),
    ("gatsby-config.", "gatsby"),
    ("docusaurus.config.", "docusaurus"),
    ("rsbuild.config.", "rsbuild"),
    ("rspack.config.", "rspack"),
    ("vite.config.", "vite"),
    ("webpack.config.", "webpack"),
    ("eleventy.config.", "eleventy"),
    (".eleventy.", "eleventy"),
    ("wrangler.", "wrangler"),
    ("metro.config.", "metro"),
    ("hugo.toml", "hugo"),
    ("_config.yml", "jekyll"),
    ("manage.py", "django"),
    ("artisan", "laravel"),
    ("mix.exs", "phoenix"),
];

/// The framework that the folder's own files tell.
pub(super) fn framework(root: &Path) -> Option<&'static str> {
    let entries: Vec<String> = fs::read_dir(root)
        .ok()?
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    let is_there = |start: &str| {
        let matches = |name: &String| {
            if start.ends_with('.') {
                name.starts_with(start)
            } else {
                name == start
            }
        };
        entries.iter().any(matches)
    };
    FILES
        .iter()
        .find(|(start, _)| is_there(start))
        .map(|(_, framework)| *framework)
}
