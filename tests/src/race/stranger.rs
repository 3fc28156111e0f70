//! A foreign program that takes ports of the range at random, for a moment each.

use std::io::Read;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use clap::Args;
use socket2::{Domain, Socket, Type};

use crate::contender::pause;

/// What a stranger is told.
#[derive(Args)]
pub(crate) struct Task {
    /// The first port of the range
    pub(crate) first: u16,
    /// The last port of the range
    pub(crate) last: u16,
    /// The seed of its choices
    pub(crate) seed: u64,
}

/// Goes on until its standard input ends, then prints how often it got a port and how often not.
pub(crate) fn run(task: &Task) {
    static IS_OVER: AtomicBool = AtomicBool::new(false);
    thread::spawn(|| {
        // Whatever ends the input ends the race.
        let _ = std::io::stdin().lock().read_to_end(&mut Vec::new());
        IS_OVER.store(true, Ordering::Relaxed);
    });
    let mut random = fastrand::Rng::with_seed(task.seed);
    let (mut taken, mut refused) = (0_u32, 0_u32);
    while !IS_OVER.load(Ordering::Relaxed) {
        let port = random.u16(task.first..=task.last);
        match take(port, &mut random) {
            Ok(listener) => {
                taken += 1;
                pause(Duration::from_millis(random.u64(1..40)));
                drop(listener);
            }
            Err(_) => refused += 1,
        }
        pause(Duration::from_millis(random.u64(0..5)));
    }
    println!("taken {taken} refused {refused}");
}

/// Listens in one of the ways in which programs do.
fn take(port: u16, random: &mut fastrand::Rng) -> std::io::Result<Socket> {
    let addresses: [SocketAddr; 3] = [
        (Ipv4Addr::LOCALHOST, port).into(),
        (Ipv4Addr::UNSPECIFIED, port).into(),
        (Ipv6Addr::UNSPECIFIED, port).into(),
    ];
    let address = addresses[random.usize(..addresses.len())];
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(random.bool())?;
    socket.bind(&address.into())?;
    socket.listen(8)?;
    Ok(socket)
}
