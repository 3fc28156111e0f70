//! A real Docker Engine for tests, with a data folder, a socket and a network of its own, and an image made from nothing.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Says that a test runs inside a network of its own already.
const INSIDE: &str = "PORTLEASE_TEST_NETWORK";
/// For how long an engine may take to start, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Runs the test with this name again, in a network namespace in which no port is taken: neither does it meet the engine of
/// the user there, nor do two tests meet each other.
///
/// # Panics
///
/// When the test fails there, or no such network can be made.
pub fn in_own_network(test: &str, body: impl FnOnce()) {
    if env::var_os(INSIDE).is_some() {
        run("ip", &["link", "set", "lo", "up"]);
        return body();
    }
    let program = env::current_exe().expect("a test is a program");
    let status = Command::new("unshare")
        .args(["--net", "--"])
        .arg(program)
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .status()
        .expect("unshare is a program of the tests");
    assert!(
        status.success(),
        "{test} failed in a network of its own, which only root can make"
    );
}

/// An engine that ends with the test, and its containers with it.
#[derive(Debug)]
pub struct Docker {
    folder: tempfile::TempDir,
    daemon: Child,
}

impl Docker {
    /// Starts an engine with an image `box`, in which `/bin/busybox` is all there is.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn start(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the engine");
        let at = |name: &str| folder.path().join(name);
        let log = fs::File::create(at("log")).expect("a log for the engine");
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        let limit = limit.maximum.unwrap_or(1 << 20);
        let daemon = Command::new("dockerd")
            .arg("--storage-driver=vfs")
            .arg("--data-root")
            .arg(at("data"))
            .arg("--exec-root")
            .arg(at("exec"))
            .arg("--pidfile")
            .arg(at("pid"))
            .arg("--host")
            .arg(format!("unix://{}", at("docker.sock").display()))
            // It may not be allowed to raise the limits that it has.
            .arg(format!("--default-ulimit=nofile={limit}:{limit}"))
            .args(flags)
            .stdout(log.try_clone().expect("the log twice"))
            .stderr(log)
            .spawn()
            .expect("dockerd is a program of the tests");
        let docker = Self { folder, daemon };
        docker.wait();
        docker.import();
        docker
    }

    /// What `DOCKER_HOST` says to those who are to use it.
    pub fn host(&self) -> String {
        format!(
            "unix://{}",
            self.folder.path().join("docker.sock").display()
        )
    }

    /// What the client answers.
    ///
    /// # Panics
    ///
    /// When it fails.
    pub fn docker(&self, arguments: &[&str]) -> String {
        let output = self.try_docker(arguments).expect("the client starts");
        assert!(
            output.status.success(),
            "docker {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Starts a container that serves HTTP on its port 80; answers its id.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn serve(&self, name: &str, flags: &[&str]) -> String {
        let named = ["run", "--detach", "--name", name];
        self.docker(&[&named, flags, SERVER].concat())
    }

    fn try_docker(&self, arguments: &[&str]) -> io::Result<Output> {
        Command::new("docker")
            .args(["--host", &self.host()])
            .args(arguments)
            .stdin(Stdio::null())
            .output()
    }

    fn wait(&self) {
        let deadline = Instant::now() + PATIENCE;
        let is_there = || {
            let answer = self.try_docker(&["version"]);
            answer.is_ok_and(|output| output.status.success())
        };
        while !is_there() {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "dockerd does not start: {log}");
        }
    }

    fn import(&self) {
        self.docker(&["import", &image(self.folder.path()), "box"]);
    }
}

/// Makes an image out of one program in the folder, and answers its path.
///
/// # Panics
///
/// When there is no such program.
pub fn image(folder: &Path) -> String {
    let root = folder.join("image");
    fs::create_dir_all(root.join("bin")).expect("a folder for the image");
    fs::copy(busybox(), root.join("bin/busybox")).expect("busybox for the image");
    let tar = folder.join("image.tar");
    let [root, tar] = [&root, &tar].map(|path| path.to_str().expect("a plain path"));
    run("tar", &["-C", root, "-cf", tar, "."]);
    tar.to_owned()
}

/// The image, and its server.
pub const SERVER: &[&str] = &["box", "/bin/busybox", "httpd", "-f", "-p", "80"];

impl Drop for Docker {
    fn drop(&mut self) {
        // What the engine started does not end with it.
        let all = self.docker(&["ps", "--all", "--quiet"]);
        for id in all.lines() {
            let _ = self.try_docker(&["rm", "--force", id]);
        }
        let pid = i32::try_from(self.daemon.id()).ok();
        if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.daemon.wait();
    }
}

/// The one of Debian's package, which needs no library.
fn busybox() -> PathBuf {
    ["/bin/busybox", "/usr/bin/busybox"]
        .iter()
        .map(PathBuf::from)
        .find(|path| Path::exists(path))
        .expect("busybox is a program of the tests")
}

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "{program} {arguments:?} failed"
    );
}
