//! `portlease run` with the real dev servers, as their users start them.

#![cfg(unix)]

mod support;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use rustix::process::Signal;
use support::{Running, Sandbox, http, until};

/// Packages that are installed together.
const USUAL: (&str, &str) = ("usual", include_str!("dev-servers/usual.json"));
const TANSTACK: (&str, &str) = ("tanstack", include_str!("dev-servers/tanstack.json"));
const OTHERS: (&str, &str) = ("others", include_str!("dev-servers/others.json"));

/// The folder below which projects find these packages. They are installed when they are missing,
/// once for all runs of the tests that want the same.
fn dev_servers((name, wanted): (&str, &str)) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("dev-servers-{name}"));
    fs::create_dir_all(&target).unwrap();
    // Another run of the tests may be installing them.
    let lock = File::create(target.join("lock")).unwrap();
    lock.lock().unwrap();
    let done = target.join("installed.json");
    if fs::read_to_string(&done).is_ok_and(|installed| installed == wanted) {
        return target;
    }
    fs::write(target.join("package.json"), wanted).unwrap();
    let output = Command::new("npm")
        .args(["install", "--no-package-lock", "--no-audit", "--no-fund"])
        .current_dir(&target)
        .output()
        .expect("this test needs npm, which comes with Node.js");
    let said = String::from_utf8_lossy(&output.stderr);
    let is_well = output.status.success();
    assert!(is_well, "npm cannot install the dev servers: {said}");
    // By this file Next finds the root, and there the packages.
    fs::write(
        target.join("package-lock.json"),
        r#"{"lockfileVersion": 3}"#,
    )
    .unwrap();
    fs::write(done, wanted).unwrap();
    target
}

/// Lets the tests run one after the other: they ask for the same ports, from registries of their own,
/// and these servers are large.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A project whose `npm run dev` is this command.
fn project(dev: &str, files: &[(&str, &str)]) -> Sandbox {
    project_with(USUAL, dev, files)
}

fn project_with(packages: (&str, &str), dev: &str, files: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::within(&dev_servers(packages));
    let package = format!(r#"{{"name": "shop", "private": true, "scripts": {{"dev": "{dev}"}}}}"#);
    sandbox.write("package.json", &package);
    for (name, text) in files {
        sandbox.write(name, text);
    }
    sandbox
}

fn vite() -> Sandbox {
    project(
        "vite",
        &[
            ("index.html", "<h1>shop</h1>"),
            ("vite.config.mjs", "export default {}"),
        ],
    )
}

/// Starts the project in the range of its framework; its first port may be anybody's.
fn start(sandbox: &Sandbox, command: &[&str]) -> Running {
    let arguments = [&["run", "--"], command].concat();
    let mut command = sandbox.portlease(&arguments);
    command
        .env("NEXT_TELEMETRY_DISABLED", "1")
        .env("ASTRO_TELEMETRY_DISABLED", "1")
        // npm's.
        .env("NO_UPDATE_NOTIFIER", "1");
    Running::of(command)
}

/// Serves a page on a port of the range, ends with everything that was started, and does it again on
/// the same port.
#[track_caller]
fn check(sandbox: &Sandbox, command: &[&str], range: std::ops::RangeInclusive<u16>) {
    let mut ports = Vec::new();
    for _ in 0..2 {
        let mut running = start(sandbox, command);
        let port = running.ready();
        assert!(range.contains(&port), "{port}");
        let answer = until("it answers", || http(port).ok());
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert_eq!(sandbox.leases()[0]["lease"]["port"], port);
        running.signal(Signal::TERM);
        running.end();
        assert!(http(port).is_err(), "it is gone");
        ports.push(port);
    }
    assert_eq!(ports[0], ports[1]);
    assert!(sandbox.leases().is_empty());
}

#[test]
fn next() {
    let _alone = alone();
    let layout = "export default ({ children }) => <html><body>{children}</body></html>";
    let page = "export default () => <h1>shop</h1>";
    let sandbox = project(
        "next dev",
        &[("app/layout.jsx", layout), ("app/page.jsx", page)],
    );
    check(&sandbox, &["npm", "run", "dev"], 3000..=3100);
}

#[test]
fn vite_through_a_script_and_directly() {
    let _alone = alone();
    let sandbox = vite();
    check(&sandbox, &["npm", "run", "dev"], 5173..=5273);
    check(&sandbox, &["npx", "vite"], 5173..=5273);
    check(&sandbox, &["npx", "vite", "dev", "--host"], 5173..=5273);
}

#[test]
fn astro() {
    let _alone = alone();
    let sandbox = project("astro dev", &[("src/pages/index.astro", "<h1>shop</h1>")]);
    check(&sandbox, &["npm", "run", "dev"], 4321..=4421);
}

#[test]
fn tanstack_start() {
    let _alone = alone();
    let config = "import { defineConfig } from 'vite'
        import { tanstackStart } from '@tanstack/react-start/plugin/vite'
        import react from '@vitejs/plugin-react'
        export default defineConfig({ plugins: [tanstackStart({ customViteReactPlugin: true }), react()] })";
    let router = "import { createRouter as create } from '@tanstack/react-router'
        import { routeTree } from './routeTree.gen'
        export const createRouter = () => create({ routeTree })";
    let root = "import { createRootRoute, HeadContent, Outlet, Scripts } from '@tanstack/react-router'
        const Shell = () => <html><head><HeadContent /></head><body><Outlet /><Scripts /></body></html>
        export const Route = createRootRoute({ component: Shell })";
    let index = "import { createFileRoute } from '@tanstack/react-router'
        export const Route = createFileRoute('/')({ component: () => <h1>shop</h1> })";
    let files = [
        ("vite.config.mjs", config),
        ("src/router.jsx", router),
        ("src/routes/__root.jsx", root),
        ("src/routes/index.jsx", index),
    ];
    let sandbox = project_with(TANSTACK, "vite dev", &files);
    check(&sandbox, &["npm", "run", "dev"], 5173..=5273);
}

#[test]
fn webpack_through_its_command_line_and_by_itself() {
    let _alone = alone();
    let config = "module.exports = { mode: 'development', devServer: { static: '.' } }";
    let files = [
        ("webpack.config.cjs", config),
        ("src/index.js", "document.title = 'shop'"),
        ("index.html", "<h1>shop</h1>"),
    ];
    let sandbox = project_with(OTHERS, "webpack serve", &files);
    check(&sandbox, &["npm", "run", "dev"], 8080..=8180);
    check(&sandbox, &["npx", "webpack-dev-server"], 8080..=8180);
}

#[test]
fn eleventy() {
    let _alone = alone();
    let page = [("index.md", "# shop")];
    let sandbox = project_with(OTHERS, "eleventy --serve", &page);
    check(&sandbox, &["npm", "run", "dev"], 8080..=8180);
}

#[test]
fn parcel() {
    let _alone = alone();
    let page = [("index.html", "<h1>shop</h1>")];
    let sandbox = project_with(OTHERS, "parcel index.html", &page);
    check(&sandbox, &["npm", "run", "dev"], 1234..=1334);
}

#[test]
fn sveltekit() {
    let _alone = alone();
    let config = "import { sveltekit } from '@sveltejs/kit/vite'
        export default { plugins: [sveltekit()] }";
    let page =
        "<!doctype html><html><head>%sveltekit.head%</head><body>%sveltekit.body%</body></html>";
    let files = [
        ("vite.config.mjs", config),
        ("src/app.html", page),
        ("src/routes/+page.svelte", "<h1>shop</h1>"),
    ];
    let sandbox = project_with(OTHERS, "vite dev", &files);
    check(&sandbox, &["npm", "run", "dev"], 5173..=5273);
}

#[test]
fn react_router() {
    let _alone = alone();
    let config = "import { reactRouter } from '@react-router/dev/vite'
        export default { plugins: [reactRouter()] }";
    let root = "import { Outlet, Scripts } from 'react-router'
        export const Layout = ({ children }) => <html><body>{children}<Scripts /></body></html>
        export default () => <Outlet />";
    let routes = "import { index } from '@react-router/dev/routes'
        export default [index('home.jsx')]";
    // It looks there for what serves it.
    let package = r#"{"scripts": {"dev": "react-router dev"}, "dependencies": {"@react-router/node": "7", "isbot": "5"}}"#;
    let files = [
        ("package.json", package),
        ("vite.config.mjs", config),
        ("app/root.jsx", root),
        ("app/routes.js", routes),
        ("app/home.jsx", "export default () => <h1>shop</h1>"),
    ];
    let sandbox = project_with(OTHERS, "react-router dev", &files);
    check(&sandbox, &["npm", "run", "dev"], 5173..=5273);
}

#[test]
fn a_server_that_reads_the_variable() {
    let _alone = alone();
    let server = "require('node:http').createServer((_, answer) => answer.end('shop')).listen(process.env.PORT)";
    let sandbox = project("node server.js", &[("server.js", server)]);
    check(&sandbox, &["npm", "run", "dev"], 3000..=3100);
    check(&sandbox, &["node", "server.js"], 3000..=3100);
}

#[test]
fn vite_starts_anew_in_place_and_keeps_its_port() {
    let _alone = alone();
    let sandbox = vite();
    let mut running = start(&sandbox, &["npx", "vite"]);
    let port = running.ready();
    for number in 0..3 {
        let config = format!("export default {{ define: {{ NUMBER: {number} }} }}");
        sandbox.write("vite.config.mjs", &config);
        running.hear("server restarted");
        assert!(http(port).unwrap().starts_with("HTTP/1.1 200"));
    }
    running.signal(Signal::TERM);
    let (_, said) = running.end();
    assert!(!said.concat().contains("already in use"), "{said:#?}");
}

#[test]
fn twelve_at_the_same_moment_get_twelve_ports() {
    let _alone = alone();
    let first = vite();
    let sandboxes: Vec<Sandbox> = (0..12).map(|_| vite().sharing(&first)).collect();
    let ports: Vec<u16> = thread::scope(|scope| {
        let serve = |sandbox| {
            scope.spawn(move || {
                let mut running = start(sandbox, &["npx", "vite"]);
                let port = running.ready();
                assert!(http(port).unwrap().starts_with("HTTP/1.1 200"));
                running.signal(Signal::TERM);
                let (_, said) = running.end();
                assert!(!said.concat().contains("another port"), "{said:#?}");
                port
            })
        };
        let servers: Vec<_> = sandboxes.iter().map(serve).collect();
        servers
            .into_iter()
            .map(|server| server.join().unwrap())
            .collect()
    });
    let mut distinct = ports.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 12, "{ports:?}");
}

#[test]
fn twice_in_one_project_and_in_two_worktrees() {
    let _alone = alone();
    let sandbox = vite();
    let git = |arguments: &[&str]| {
        let status = Command::new("git")
            .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com"])
            .args(arguments)
            .current_dir(sandbox.project())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status();
        assert!(
            status.expect("this test needs git").success(),
            "{arguments:?}"
        );
    };
    git(&["init"]);
    git(&["add", "."]);
    git(&["commit", "--message", "All of it"]);
    git(&["worktree", "add", "../worktree"]);

    let mut first = start(&sandbox, &["npx", "vite"]);
    let port = first.ready();
    let mut second = start(&sandbox, &["npx", "vite"]);
    let line = second.hear("This is instance 2");
    assert!(line.contains(&port.to_string()), "{line}");
    let second_port = second.ready();

    let worktree = sandbox.project().with_file_name("worktree");
    let mut command = sandbox.portlease(&["run", "--", "npx", "vite"]);
    command.current_dir(&worktree);
    let mut third = Running::of(command);
    let third_port = third.ready();
    assert!(port != second_port && port != third_port && second_port != third_port);
    let leases = sandbox.leases();
    let mut instances: Vec<u64> = leases
        .iter()
        .map(|lease| lease["lease"]["instance"].as_u64().unwrap_or(1))
        .collect();
    instances.sort_unstable();
    assert_eq!(instances, [1, 1, 2], "a worktree is a project of its own");
    for running in [first, second, third] {
        running.signal(Signal::TERM);
        running.end();
    }
}
