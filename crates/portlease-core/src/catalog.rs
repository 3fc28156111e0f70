//! The well-known dev servers: their ranges and their own default ports. This is the one table.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{Name, Port, PortRange};

/// How many ports a framework's range has when nothing else is said: its default and 100 more.
pub const RANGE_LEN: u16 = 101;

/// Name, title, default port, other names. Each range is the default port and the 100 after it.
const BUILTIN: &[(&str, &str, u16, &[&str])] = &[
    ("next", "Next.js", 3000, &["nextjs", "next.js"]),
    (
        "node",
        "Node.js",
        3000,
        &["nodejs", "express", "fastify", "nest", "hono"],
    ),
    (
        "tanstack",
        "TanStack Start",
        3000,
        &["tanstack-start", "tanstackstart"],
    ),
    ("astro", "Astro", 4321, &[]),
    ("vite", "Vite", 5173, &[]),
    ("default", "Any other server", 8000, &[]),
    ("nuxt", "Nuxt", 3000, &["nuxtjs", "nuxt3"]),
    ("sveltekit", "SvelteKit", 5173, &["svelte-kit", "svelte"]),
    ("react-router", "React Router", 5173, &["reactrouter"]),
    ("remix", "Remix", 5173, &[]),
    ("solid-start", "SolidStart", 3000, &["solidstart", "solid"]),
    ("qwik", "Qwik", 5173, &["qwik-city"]),
    ("angular", "Angular", 4200, &["ng"]),
    ("ember", "Ember", 4200, &[]),
    ("storybook", "Storybook", 6006, &[]),
    ("gatsby", "Gatsby", 8000, &[]),
    ("docusaurus", "Docusaurus", 3000, &[]),
    (
        "create-react-app",
        "Create React App",
        3000,
        &["react-scripts", "cra"],
    ),
    ("vue-cli", "Vue CLI", 8080, &["vue-cli-service"]),
    ("expo", "Expo", 8081, &[]),
    ("metro", "Metro", 8081, &["react-native"]),
    ("parcel", "Parcel", 1234, &[]),
    (
        "webpack",
        "webpack-dev-server",
        8080,
        &["webpack-dev-server"],
    ),
    ("rspack", "Rspack", 8080, &[]),
    ("rsbuild", "Rsbuild", 3000, &[]),
    ("eleventy", "Eleventy", 8080, &["11ty"]),
    ("vitepress", "VitePress", 5173, &[]),
    ("vite-preview", "Vite preview", 4173, &[]),
    ("wrangler", "Wrangler", 8787, &["cloudflare"]),
    ("hugo", "Hugo", 1313, &[]),
    ("jekyll", "Jekyll", 4000, &[]),
    ("rails", "Ruby on Rails", 3000, &[]),
    ("phoenix", "Phoenix", 4000, &[]),
    ("django", "Django", 8000, &[]),
    ("flask", "Flask", 5000, &[]),
    ("fastapi", "FastAPI", 8000, &["uvicorn"]),
    ("laravel", "Laravel", 8000, &[]),
    ("spring", "Spring Boot", 8080, &["spring-boot"]),
];

/// A dev server and where it usually listens.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Framework {
    /// Its one name, in lower case.
    pub name: Name,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Name>,
    /// The ports that its projects share.
    pub range: PortRange,
    /// The port that is tried first.
    pub default: Port,
    /// Other names by which it can be asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(as = "Option<Vec<Name>>", optional))]
    pub aliases: Vec<Name>,
}

impl Framework {
    fn is_called(&self, name: &str) -> bool {
        let matches = |own: &Name| own.eq_ignore_ascii_case(name);
        matches(&self.name) || self.aliases.iter().any(matches)
    }
}

/// The table of frameworks, which users override and extend.
///
/// ```
/// use portlease_core::{Catalog, Port, PortRange};
///
/// let catalog = Catalog::builtin();
/// let next = catalog.get("nextjs").unwrap();
/// assert_eq!(next.range, PortRange::literal(3000, 3100));
/// assert_eq!(catalog.or_default("something-new").default, Port::literal(8000));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Framework>", into = "Vec<Framework>")]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(with = "Vec<Framework>")
)]
pub struct Catalog {
    frameworks: Vec<Framework>,
}

/// The framework of whatever is of no known one.
const DEFAULT: &str = "default";

/// A table of frameworks that does not say where all others are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the catalogue has no framework {DEFAULT:?}, which says where all other servers are")]
pub struct NoDefaultFramework;

impl Catalog {
    /// The frameworks that are known without any configuration.
    #[must_use]
    pub fn builtin() -> Self {
        let framework = |&(name, title, default, aliases): &(&str, &str, u16, &[&str])| Framework {
            name: Name::literal(name),
            title: Some(Name::literal(title)),
            range: PortRange::starting_at(Port::literal(default), RANGE_LEN),
            default: Port::literal(default),
            aliases: aliases.iter().map(|alias| Name::literal(alias)).collect(),
        };
        Self {
            frameworks: BUILTIN.iter().map(framework).collect(),
        }
    }

    /// The framework of this name or alias; upper and lower case are the same.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Framework> {
        self.frameworks
            .iter()
            .find(|framework| framework.is_called(name.trim()))
    }

    /// The framework of this name, or `default` for a name that the table does not have.
    ///
    /// # Panics
    ///
    /// Never: a catalogue that was read has a default, and an entry cannot be removed.
    #[must_use]
    pub fn or_default(&self, name: &str) -> &Framework {
        self.get(name)
            .or_else(|| self.get(DEFAULT))
            .expect("the table has a default")
    }

    /// Adds a framework, in place of one that has its name or one of its aliases for a name.
    pub fn define(&mut self, framework: Framework) {
        match self
            .frameworks
            .iter_mut()
            .find(|known| known.is_called(&framework.name))
        {
            Some(known) => *known = framework,
            None => self.frameworks.push(framework),
        }
    }

    /// All frameworks, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = &Framework> {
        self.frameworks.iter()
    }
}

impl Default for Catalog {
    fn default() -> Self {
        Self::builtin()
    }
}

impl TryFrom<Vec<Framework>> for Catalog {
    type Error = NoDefaultFramework;

    fn try_from(frameworks: Vec<Framework>) -> Result<Self, NoDefaultFramework> {
        let catalog = Self { frameworks };
        match catalog.get(DEFAULT) {
            Some(_) => Ok(catalog),
            None => Err(NoDefaultFramework),
        }
    }
}

impl From<Catalog> for Vec<Framework> {
    fn from(catalog: Catalog) -> Self {
        catalog.frameworks
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use super::*;
    use crate::browser_blocked;

    fn check(name: &str, first: u16, last: u16, default: u16) {
        let catalog = Catalog::builtin();
        let framework = catalog
            .get(name)
            .unwrap_or_else(|| panic!("{name} is in the table"));
        assert_eq!(
            (framework.range, framework.default.get()),
            (PortRange::literal(first, last), default),
            "{name}"
        );
    }

    #[test]
    fn the_promised_ranges() {
        check("next", 3000, 3100, 3000);
        check("nextjs", 3000, 3100, 3000);
        check("node", 3000, 3100, 3000);
        check("tanstack", 3000, 3100, 3000);
        check("astro", 4321, 4421, 4321);
        check("vite", 5173, 5273, 5173);
        check("Vite ", 5173, 5273, 5173);
        check("default", 8000, 8100, 8000);
        check("storybook", 6006, 6106, 6006);
    }

    #[test]
    fn a_table_that_is_read_says_where_all_others_are() {
        let read = |text: &str| serde_json::from_str::<Catalog>(text);
        let own = r#"[{"name": "default", "range": [9000, 9009], "default": 9000}]"#;
        assert_eq!(read(own).unwrap().or_default("new").default.get(), 9000);
        let problem = read("[]").unwrap_err();
        assert!(
            alloc::format!("{problem}").starts_with("the catalogue has no framework \"default\"")
        );
    }

    #[test]
    fn each_name_means_one_framework() {
        let mut names = BTreeSet::new();
        for framework in Catalog::builtin().iter() {
            for name in core::iter::once(&framework.name).chain(&framework.aliases) {
                assert!(names.insert(name.clone()), "{name} stands twice");
            }
        }
    }

    #[test]
    fn browsers_open_every_default() {
        for framework in Catalog::builtin().iter() {
            assert!(
                !browser_blocked().contains(framework.default),
                "{}",
                framework.name
            );
            assert!(framework.range.contains(framework.default));
        }
    }

    #[test]
    fn users_override_and_extend() {
        let mut catalog = Catalog::builtin();
        let mine = Framework {
            name: Name::literal("vite"),
            title: None,
            range: PortRange::literal(5000, 5999),
            default: Port::literal(5500),
            aliases: Vec::new(),
        };
        catalog.define(mine.clone());
        catalog.define(Framework {
            name: Name::literal("mine"),
            ..mine.clone()
        });
        assert_eq!(catalog.get("vite"), Some(&mine));
        assert_eq!(catalog.get("mine").unwrap().range, mine.range);
        assert_eq!(
            catalog.iter().count(),
            Catalog::builtin().iter().count() + 1
        );
    }
}
