//! Who is on a port, what a request would get and why, and how the ports are used. Nothing is leased.

use portlease::core::{NamedRange, Port, PortRange, StatsQuery};
use portlease::{Allocator, Options, Registry, Reservation};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let allocator = Allocator::open(Options {
        registry: Registry::Memory,
        ..Options::default()
    })?;
    let port: Port = "3000".parse()?;
    println!(
        "port {port} is available: {}",
        allocator.is_port_available(port, None)?
    );
    for occupant in allocator.who(port)?.occupants {
        println!("on it: {:?} {:?}", occupant.name, occupant.command);
    }

    let request = Reservation::of("shop").framework("next").build()?;
    let (explained, trace) = allocator.explain(&request)?;
    let granted = explained
        .reserved
        .and_then(|reserved| reserved.services.into_iter().next());
    println!(
        "a Next.js project would get {:?}, because",
        granted.map(|granted| granted.port().get())
    );
    println!("{trace}");

    let stats = allocator.stats(&StatsQuery {
        ranges: vec![NamedRange {
            name: "next".parse()?,
            range: PortRange::literal(3000, 3100),
        }],
        top: 3,
    })?;
    for range in stats.ranges {
        println!(
            "{}: {} leased, {} occupied, {} free",
            range.name, range.leased, range.occupied, range.free
        );
    }
    Ok(())
}
