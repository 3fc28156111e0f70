//! A real Podman for tests, with its containers, images and networks in a folder of its own.

use std::fs;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::engine::{SERVER, image};

/// For how long its service may take to start, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A Podman that ends with the test, and its containers with it.
#[derive(Debug)]
pub struct Podman {
    folder: tempfile::TempDir,
    service: Option<Child>,
}

impl Podman {
    /// Starts its service, with an image `box`, in which `/bin/busybox` is all there is.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder for Podman");
        let mut podman = Self {
            folder,
            service: None,
        };
        podman.configure();
        podman.podman(&["import", &image(podman.folder.path()), "box"]);
        let log = fs::File::create(podman.at("log")).expect("a log for the service");
        let service = podman
            .command(&["system", "service", "--time=0", &podman.host()])
            .stdout(log.try_clone().expect("the log twice"))
            .stderr(log)
            .spawn();
        podman.service = Some(service.expect("podman is a program of the tests"));
        podman.wait();
        podman
    }

    /// What `CONTAINER_HOST` says to those who are to use it.
    pub fn host(&self) -> String {
        format!("unix://{}", self.at("podman.sock"))
    }

    /// What it answers.
    ///
    /// # Panics
    ///
    /// When it fails.
    pub fn podman(&self, arguments: &[&str]) -> String {
        let output = self.ended(arguments);
        assert!(
            output.status.success(),
            "podman {arguments:?}: {}",
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
        self.podman(&[&named, flags, SERVER].concat())
    }

    /// Nothing of it is where the user's own Podman looks. It may not be allowed to raise the limits that it has, and where
    /// groups of processes have two hierarchies, crun starts nothing.
    fn configure(&self) {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        let limit = limit.maximum.unwrap_or(1 << 20);
        let engine = format!(
            "[containers]\n\
             default_ulimits = [\"nofile={limit}:{limit}\", \"nproc=1000:1000\"]\n\
             [engine]\n\
             cgroup_manager = \"cgroupfs\"\n\
             events_logger = \"file\"\n\
             lock_type = \"file\"\n\
             runtime = \"runc\"\n\
             tmp_dir = {:?}\n\
             [network]\n\
             network_backend = \"netavark\"\n\
             network_config_dir = {:?}\n",
            self.at("tmp"),
            self.at("networks"),
        );
        let storage = format!(
            "[storage]\ndriver = \"vfs\"\ngraphroot = {:?}\nrunroot = {:?}\n",
            self.at("root"),
            self.at("run"),
        );
        fs::write(self.at("engine.conf"), engine).expect("a configuration");
        fs::write(self.at("storage.conf"), storage).expect("a configuration");
    }

    fn at(&self, name: &str) -> String {
        let path = self.folder.path().join(name);
        path.to_str().expect("a plain path").to_owned()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("podman");
        command
            .args(arguments)
            .env("CONTAINERS_CONF", self.at("engine.conf"))
            .env("CONTAINERS_STORAGE_CONF", self.at("storage.conf"))
            .env_remove("CONTAINER_HOST")
            .stdin(Stdio::null());
        command
    }

    fn ended(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output();
        output.expect("podman is a program of the tests")
    }

    fn wait(&self) {
        let deadline = Instant::now() + PATIENCE;
        let host = self.host();
        let asked = ["--remote", "--url", &host, "version"];
        while !self.ended(&asked).status.success() {
            let log = fs::read_to_string(self.at("log")).unwrap_or_default();
            assert!(
                Instant::now() < deadline,
                "podman's service does not start: {log}"
            );
        }
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        self.ended(&["rm", "--all", "--force", "--time=0"]);
        if let Some(service) = &mut self.service {
            let _ = service.kill();
            let _ = service.wait();
        }
    }
}
