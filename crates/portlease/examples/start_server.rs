//! Starts a server that knows nothing of Portlease, on a port that nobody can take before it listens.

use std::process::{Child, Command};
use std::time::Duration;

use portlease::{Allocator, Error, Options, Registry, Reservation};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // In memory, so that the example leaves nothing behind. Without this line, all processes of this
    // user share one file, and the project gets the same port tomorrow.
    let registry = Registry::Memory;
    let allocator = Allocator::open(Options {
        registry,
        ..Options::default()
    })?;
    let request = Reservation::of("handbook").base_port(8000).build()?;
    for _ in 0..3 {
        let mut grant = allocator.reserve(&request)?;
        // Up to here nobody else can bind the port. Now whoever asks for exactly this one can, until
        // the server listens.
        if let Some(hold) = grant.hold() {
            hold.open()?;
        }
        let port = grant.port().to_string();
        let mut server = Command::new("python3")
            .args(["-m", "http.server", &port, "--bind", "127.0.0.1"])
            .spawn()?;
        match grant.confirm_when_listening(Some(server.id()), Duration::from_secs(30)) {
            Ok(()) => {
                println!("{} is {:?}", grant.url(), grant.lease().state);
                end(&mut server)?;
                grant.release()?;
                return Ok(());
            }
            Err(lost @ Error::PortLost { .. }) => {
                eprintln!("{lost}");
                end(&mut server)?;
            }
            Err(error) => {
                end(&mut server)?;
                return Err(error.into());
            }
        }
    }
    Err("other programs took three ports in a row".into())
}

fn end(server: &mut Child) -> std::io::Result<()> {
    // It may have ended by itself.
    let _ = server.kill();
    server.wait()?;
    Ok(())
}
