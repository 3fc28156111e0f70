//! A lease from its grant to its release.

use std::time::Duration;

use portlease::{Allocator, Options, Registry, Reservation};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A registry in memory, so that the example leaves nothing behind. Without it, all processes
    // of this user share one file.
    let allocator = Allocator::open(Options {
        registry: Registry::Memory,
        ..Options::default()
    })?;
    let mut grant = allocator.reserve(&Reservation::of("shop").framework("vite").build()?)?;
    println!("leased and held: {}", grant.port());
    println!("{}", grant.trace());

    // The port is let go right before the server binds it. A child process would come in by
    // `grant.hold()`, which keeps everybody else out.
    grant.let_go();
    #[expect(
        clippy::disallowed_methods,
        reason = "it stands for the user's own server"
    )]
    let server = std::net::TcpListener::bind(("127.0.0.1", grant.port().get()))?;
    grant.confirm_when_listening(None, Duration::from_secs(5))?;
    println!("{} is {:?}", grant.url(), grant.lease().state);

    drop(server);
    grant.release()?;
    println!("released; the project gets it again next time");
    Ok(())
}
