//! Ports for all services of a project, or for none of them.

use portlease::core::{Capability, PortRange};
use portlease::{Allocator, Options, Registry, Reservation, Summary};

fn main() -> Result<(), portlease::Error> {
    let allocator = Allocator::open(Options {
        registry: Registry::Memory,
        ..Options::default()
    })?;
    let request = Reservation::of("shop")
        .service("web")
        .framework("next")
        .prefer([3000])
        .also("live")
        .inherit_from("web")
        .requires([Capability::Websocket])
        .also("api")
        .preset("apiServer")
        .conflicts_with("web")
        .also("database")
        .base_port(15_432)
        .max_port(15_440)
        .emergency(PortRange::literal(25_432, 25_440))
        .requires([Capability::Tcp])
        .build()?;

    let mut summary = Summary::default();
    match allocator.reserve_all(&request) {
        Ok(grants) => {
            for grant in grants.iter() {
                println!("{:<9} {}", grant.granted().service, grant.url());
            }
            summary.granted(&request, &grants);
        }
        Err(error) => {
            eprintln!("{error}");
            summary.refused(&request, &error);
        }
    }
    println!("{summary}");
    Ok(())
}
