//! `portlease serve`

use std::env;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::Path;

use portlease::probe::BindError;
use portlease::{Config, Error, Grant, Reservation};
use portlease_server::{PORTS, ServeOptions, Server, Token, listen};
use serde_json::json;

use crate::arguments::{Project, Serve};
use crate::background::browser;
use crate::exit::Code;
use crate::failure::Failure;
use crate::{output, selection};

/// The variable that has the token.
const TOKEN: &str = "PORTLEASE_TOKEN";

pub(crate) fn run(task: &Serve) -> Result<u8, Failure> {
    serve(task).map_err(|failure| failure.told_as_json(task.json))
}

fn serve(task: &Serve) -> Result<u8, Failure> {
    let options = options(task)?;
    let addresses = match task.listen {
        Some(address) => vec![address],
        None => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
    };
    for address in &addresses {
        let checked = options.check(*address);
        checked.map_err(|exposed| Failure::new(Code::Usage, "EXPOSED", exposed.to_string()))?;
    }
    let config = Project::default().config()?;
    let allocator = selection::open(&config)?;
    let mut grant = allocator.reserve(&own(task, &config).build()?)?;
    let listeners = match listeners(&mut grant, &addresses) {
        Ok(listeners) => listeners,
        Err(error) => {
            grant.release()?;
            return Err(error.into());
        }
    };
    grant.confirm(None)?;
    let served = Server::new(allocator, config, options).map_err(Failure::from);
    let served = served.and_then(|server| {
        let ready = || tell(task, &grant, addresses[0]);
        server.run_until_stopped(listeners, ready).map_err(|error| {
            let message = format!("The server cannot go on: {error}.");
            Failure::new(Code::Broken, "NOT_SERVING", message)
        })
    });
    grant.release()?;
    served.map(|()| Code::Done.number())
}

fn options(task: &Serve) -> Result<ServeOptions, Failure> {
    Ok(ServeOptions {
        token: token(task.token_file.as_deref())?,
        hosts: task.allow_host.clone(),
        on_move: task.on_move.clone(),
        on_warning: Some(|text| output::warning(format_args!("{text}"))),
        check_path: task.check_path.clone(),
        check_every: task.check_interval,
        ..ServeOptions::default()
    })
}

/// The token. There is no flag for it, because everybody on the machine can read the flags of a process.
fn token(file: Option<&Path>) -> Result<Option<Token>, Failure> {
    let unusable = |message: String| Failure::new(Code::Usage, "INVALID_TOKEN", message);
    let (place, said) = match file {
        Some(path) => {
            let place = path.display().to_string();
            let said = fs::read_to_string(path)
                .map_err(|error| unusable(format!("{place} cannot be read: {error}.")))?;
            (place, said)
        }
        None => match env::var(TOKEN) {
            Ok(said) if !said.is_empty() => (TOKEN.to_owned(), said),
            Ok(_) | Err(env::VarError::NotPresent) => return Ok(None),
            Err(env::VarError::NotUnicode(_)) => {
                return Err(unusable(format!("{TOKEN} is no text.")));
            }
        },
    };
    let token = Token::new(&said).map_err(|error| unusable(format!("{place}: {error}")))?;
    Ok(Some(token))
}

/// The port of the server itself, which is a service as any other.
fn own(task: &Serve, config: &Config) -> Reservation {
    let [first, last] = [PORTS.first(), PORTS.last()].map(|port| port.get().into());
    let own = Reservation::of("portlease")
        .service("serve")
        .framework("default");
    let own = config.general(own.range(first, last));
    match task.port {
        Some(port) => own.strict(port.get().into()),
        None => own,
    }
}

/// Comes in by the gate of the hold, so that nobody else takes the port meanwhile.
fn listeners(grant: &mut Grant, addresses: &[IpAddr]) -> Result<Vec<TcpListener>, Error> {
    let port = grant.port();
    let failed = |source: io::Error| Error::from(BindError::Other { port, source });
    match grant.hold() {
        Some(hold) => hold.open().map_err(failed)?,
        None => grant.let_go(),
    }
    let mut listeners = Vec::new();
    for address in addresses {
        match listen(*address, port) {
            Ok(listener) => listeners.push(listener),
            // A machine may have no IPv6.
            Err(_) if address.is_ipv6() && !listeners.is_empty() => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(listeners)
}

fn tell(task: &Serve, grant: &Grant, address: IpAddr) {
    let port = grant.port().get();
    let url = if address.is_loopback() || address.is_unspecified() {
        format!("http://localhost:{port}")
    } else {
        format!("http://{}", SocketAddr::new(address, port))
    };
    if task.json {
        // On one line, because whoever reads it does not wait for the end.
        let serving = json!({"url": url, "port": port, "pid": std::process::id()});
        output::line(format_args!("{serving}"));
    } else {
        output::line(format_args!("{url}"));
    }
    if task.open
        && let Err(error) = browser::open(&url)
    {
        output::warning(format_args!("No browser could be opened: {error}."));
    }
}
