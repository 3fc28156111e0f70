//! Measures what the probe costs, in the network namespace in which it is started:
//! `unshare --net sh -c 'ip link set lo up; cargo run --release -p portlease-probe --example measure'`.

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use portlease_core::{Port, PortRange};
use portlease_probe::{Attempts, Hold, Probe, can_bind, identity};
use socket2::{Domain, Socket, Type};

type Measured = Result<(), Box<dyn Error>>;

fn main() -> Measured {
    measure("first use of a hold, with the self-test", 1, || {
        black_box(Hold::guarantee());
        Ok(())
    })?;
    let mut listeners = Vec::new();
    for count in [0, 1_000] {
        println!("with {count} listeners of our own");
        while listeners.len() < count {
            listeners.push(listener()?);
        }
        look()?;
    }
    drop(listeners);
    println!("binding");
    bind()
}

fn look() -> Measured {
    let probe = Probe::new();
    let own = listener()?;
    let address = own.local_addr()?.as_socket().ok_or("it has an address")?;
    let port = Port::try_from(address.port())?;
    let free = free_port()?;
    let this = identity::this_process();
    let hundred = PortRange::literal(3000, 3099).into();
    let all = PortRange::ALL.into();
    measure("exact look-up, somebody listens", 2_000, || {
        black_box(probe.listener(port)?);
        Ok(())
    })?;
    measure("exact look-up, nobody listens", 2_000, || {
        black_box(probe.listener(free)?);
        Ok(())
    })?;
    measure("all sockets on one port", 1_000, || {
        black_box(probe.sockets(port)?);
        Ok(())
    })?;
    measure("listening among 100 ports", 1_000, || {
        black_box(probe.listening(&hundred)?);
        Ok(())
    })?;
    measure("listening among all ports", 1_000, || {
        black_box(probe.listening(&all)?);
        Ok(())
    })?;
    measure("listening among 100 ports, new channel", 500, || {
        black_box(Probe::new().listening(&hundred)?);
        Ok(())
    })?;
    measure("occupied among 100 ports", 1_000, || {
        black_box(probe.occupied(&hundred)?);
        Ok(())
    })?;
    measure("occupied among all ports", 200, || {
        black_box(probe.occupied(&all)?);
        Ok(())
    })?;
    measure("who, rightly suspected", 100, || {
        black_box(probe.who(port, Some(&this))?);
        Ok(())
    })?;
    measure("who, by search", 30, || {
        black_box(probe.who(port, None)?);
        Ok(())
    })?;
    measure("sight of a process", 1_000, || {
        black_box(identity::sight(&this));
        Ok(())
    })
}

fn bind() -> Measured {
    let port = free_port()?;
    measure("hold: take and release", 2_000, || {
        Hold::take(port)?.release();
        Ok(())
    })?;
    let mut hold = Hold::take(port)?;
    measure("hold: open", 2_000, || Ok(hold.open()?))?;
    measure("hold: close", 2_000, || Ok(hold.close()?))?;
    let mut attempts = Attempts::new();
    measure("one more try on a port in use", 5_000, || {
        match attempts.take(port) {
            Ok(_) => Err("the port is held".into()),
            Err(_) => Ok(()),
        }
    })?;
    hold.release();
    measure("can_bind, with its bound on time", 500, || {
        Ok(can_bind(port, None)?)
    })
}

fn listener() -> Result<Socket, Box<dyn Error>> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>()?.into())?;
    socket.listen(1)?;
    Ok(socket)
}

fn free_port() -> Result<Port, Box<dyn Error>> {
    let address = listener()?
        .local_addr()?
        .as_socket()
        .ok_or("it has an address")?;
    Ok(Port::try_from(address.port())?)
}

/// Prints the median and the 99th percentile.
fn measure(what: &str, times: usize, mut work: impl FnMut() -> Measured) -> Measured {
    let mut durations = Vec::with_capacity(times);
    for _ in 0..times {
        let begin = Instant::now();
        work()?;
        durations.push(begin.elapsed());
    }
    durations.sort();
    let micros = |duration: Duration| duration.as_secs_f64() * 1e6;
    let median = micros(durations[times / 2]);
    let tail = micros(durations[times * 99 / 100]);
    println!("{what:<42} {median:>9.1} µs   p99 {tail:>9.1} µs");
    Ok(())
}
