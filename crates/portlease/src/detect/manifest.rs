//! What `package.json` says about a project.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// Packages and the frameworks they mean. Those that build on others come first: a Nuxt project has
/// Vite among its dependencies, too.
const PACKAGES: &[(&str, &str)] = &[
    ("next", "next"),
    ("@tanstack/react-start", "tanstack"),
    ("@tanstack/solid-start", "tanstack"),
    ("@tanstack/start", "tanstack"),
    ("nuxt", "nuxt"),
    ("astro", "astro"),
    ("@sveltejs/kit", "sveltekit"),
    ("@react-router/dev", "react-router"),
    ("@remix-run/dev", "remix"),
    ("@solidjs/start", "solid-start"),
    ("@builder.io/qwik-city", "qwik"),
    ("gatsby", "gatsby"),
    ("@docusaurus/core", "docusaurus"),
    ("vitepress", "vitepress"),
    ("expo", "expo"),
    ("react-native", "metro"),
    ("@angular/cli", "angular"),
    ("@angular/core", "angular"),
    ("ember-cli", "ember"),
    ("react-scripts", "create-react-app"),
    ("@vue/cli-service", "vue-cli"),
    ("@rsbuild/core", "rsbuild"),
    ("@rspack/cli", "rspack"),
    ("@11ty/eleventy", "eleventy"),
    ("vite", "vite"),
    ("webpack-dev-server", "webpack"),
    ("parcel", "parcel"),
    ("wrangler", "wrangler"),
    ("storybook", "storybook"),
    ("express", "node"),
    ("fastify", "node"),
    ("@nestjs/core", "node"),
    ("hono", "node"),
    ("koa", "node"),
];

/// A `package.json`, or nothing where there is none that can be read.
pub(super) struct Manifest {
    json: Value,
}

impl Manifest {
    pub(super) fn read(root: &Path) -> Self {
        let text = fs::read_to_string(root.join("package.json")).unwrap_or_default();
        Self {
            json: serde_json::from_str(&text).unwrap_or_default(),
        }
    }

    /// The command of a script.
    pub(super) fn script(&self, name: &str) -> Option<&str> {
        self.json.get("scripts")?.get(name)?.as_str()
    }

    /// The framework that the dependencies tell.
    pub(super) fn framework(&self) -> Option<&'static str> {
        let sections = ["dependencies", "devDependencies"].map(|section| self.json.get(section));
        let has = |package: &str| {
            sections
                .iter()
                .flatten()
                .any(|section| section.get(package).is_some())
        };
        PACKAGES
            .iter()
            .find(|(package, _)| has(package))
            .map(|(_, framework)| *framework)
    }
}
