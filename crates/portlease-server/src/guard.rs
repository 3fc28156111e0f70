//! Who must not ask: pages of other sites, names that somebody else made point here, callers without the token.
//!
//! A browser sends requests for whoever wrote the page that it shows. It tells where they come from (`Origin`, `Sec-Fetch-Site`), and
//! under which name it looked for this server (`Host`): a name of a stranger that was made to point to this machine is not ours.

use std::net::{IpAddr, SocketAddr};

use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, StatusCode, header};

use crate::problem::Problem;
use crate::server::Service;

/// The two ends of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
}

/// Refuses what a stranger may have a browser ask.
pub(crate) fn origin(hosts: &[String], ends: Ends, parts: &Parts) -> Result<(), Problem> {
    let host = host(parts).ok_or_else(foreign_host)?;
    if !is_ours(&host, hosts, ends) {
        return Err(foreign_host());
    }
    let mut origins = parts.headers.get_all(header::ORIGIN).iter();
    let is_own = |origin: &str| {
        let rest = origin.split_once("://").map(|(_, rest)| rest);
        rest.is_some_and(|rest| rest.eq_ignore_ascii_case(host.as_str()))
    };
    if !origins.all(|origin| origin.to_str().is_ok_and(is_own)) {
        return Err(foreign_origin());
    }
    let mut sites = parts.headers.get_all("sec-fetch-site").iter();
    let is_own = |site: &axum::http::HeaderValue| {
        matches!(site.as_bytes(), b"same-origin" | b"none") || is_link(parts)
    };
    if !sites.all(is_own) {
        return Err(foreign_origin());
    }
    Ok(())
}

/// Whether somebody followed a link to the page itself, which shows nothing to where they came from.
fn is_link(parts: &Parts) -> bool {
    let says = |name: &str, value: &str| {
        let said = parts.headers.get(name);
        said.is_some_and(|said| said.as_bytes() == value.as_bytes())
    };
    parts.method == Method::GET
        && parts.uri.path() == "/"
        && says("sec-fetch-mode", "navigate")
        && says("sec-fetch-dest", "document")
}

/// Refuses who does not name the token, when there is one.
pub(crate) fn token(service: &Service, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(token) = &service.options.token else {
        return Ok(());
    };
    let said = headers
        .get(header::AUTHORIZATION)
        .map(axum::http::HeaderValue::as_bytes);
    let named = said.and_then(|said| {
        let (scheme, named) = said.split_at_checked(b"Bearer ".len())?;
        scheme.eq_ignore_ascii_case(b"Bearer ").then_some(named)
    });
    if named.is_some_and(|named| token.is(named)) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNAUTHORIZED,
        "UNAUTHORIZED",
        "Name the token of this server: authorization: Bearer TOKEN.",
    ))
}

/// The name under which the server is asked. It may be said once, in one way.
fn host(parts: &Parts) -> Option<Authority> {
    let mut named = parts.headers.get_all(header::HOST).iter();
    let (host, more) = (named.next()?, named.next());
    let host: Authority = host.to_str().ok()?.parse().ok()?;
    let is_said_once = more.is_none() && !host.as_str().contains('@');
    let also = parts.uri.authority();
    let agrees = also.is_none_or(|also| also.as_str().eq_ignore_ascii_case(host.as_str()));
    (is_said_once && agrees).then_some(host)
}

fn is_ours(host: &Authority, hosts: &[String], ends: Ends) -> bool {
    let name = host.host().trim_end_matches('.').to_ascii_lowercase();
    let is_configured = |known: &String| {
        known.eq_ignore_ascii_case(&name) || known.eq_ignore_ascii_case(host.as_str())
    };
    if hosts.iter().any(is_configured) {
        return true;
    }
    let port = ends.local.port();
    // A port that is no number is no port of ours.
    let has_port = match host.as_str().rsplit_once(':') {
        Some((_, said)) if !said.ends_with(']') => said.parse() == Ok(port),
        _ => true,
    };
    let bare = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    let address: Option<IpAddr> = bare.unwrap_or(&name).parse().ok();
    let is_this_machine = match address {
        // Nobody makes an address point elsewhere: it is ours when the connection came in there.
        Some(address) => {
            let [address, local] = [address, ends.local.ip()].map(|it| it.to_canonical());
            address == local || (address.is_loopback() && local.is_loopback())
        }
        None => {
            let is_local_name = name == "localhost" || name.ends_with(".localhost");
            is_local_name && ends.local.ip().to_canonical().is_loopback()
        }
    };
    has_port && is_this_machine
}

fn foreign_host() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "FOREIGN_HOST",
        "This server does not go by that name. Ask for it as localhost, or start it with `--allow-host NAME`.",
    )
}

fn foreign_origin() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "FOREIGN_ORIGIN",
        "Pages of other origins may not ask this server.",
    )
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn parts(host: &str, headers: &[(&str, &str)], path: &str) -> Parts {
        let mut request = Request::builder().uri(path);
        if !host.is_empty() {
            request = request.header("host", host);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn check(local: &str, host: &str, headers: &[(&str, &str)], code: Option<&str>) {
        let local = local.parse().unwrap();
        let ends = Ends {
            local,
            remote: local,
        };
        let hosts = ["portlease.test".to_owned(), "proxy.test:8443".to_owned()];
        let judged = origin(&hosts, ends, &parts(host, headers, "/api/ports"));
        assert_eq!(
            judged.err().map(|problem| problem.code()),
            code,
            "{host} {headers:?}"
        );
    }

    #[test]
    fn this_machine_goes_by_its_own_names_alone() {
        let ours = |host| check("127.0.0.1:7787", host, &[], None);
        let foreign = |host| check("127.0.0.1:7787", host, &[], Some("FOREIGN_HOST"));
        ours("localhost");
        ours("LOCALHOST:7787");
        ours("shop.localhost:7787");
        ours("127.0.0.1:7787");
        ours("[::1]:7787");
        ours("portlease.test");
        ours("Portlease.Test:443");
        ours("proxy.test:8443");
        foreign("");
        foreign("localhost:7788");
        foreign("localhost:");
        foreign("evil.example");
        foreign("evil.example:7787");
        foreign("localhost.evil.example");
        foreign("evillocalhost");
        foreign("user@localhost");
        foreign("192.0.2.7:7787");
        foreign("proxy.test:9");
        foreign("127.0.0.1.evil.example");
    }

    #[test]
    fn an_address_is_ours_where_the_connection_came_in() {
        check("192.0.2.7:7787", "192.0.2.7:7787", &[], None);
        check("[::ffff:192.0.2.7]:7787", "192.0.2.7:7787", &[], None);
        check(
            "192.0.2.7:7787",
            "localhost:7787",
            &[],
            Some("FOREIGN_HOST"),
        );
        check(
            "192.0.2.7:7787",
            "127.0.0.1:7787",
            &[],
            Some("FOREIGN_HOST"),
        );
    }

    #[test]
    fn pages_of_others_may_not_ask() {
        let ask = |headers: &[(&str, &str)], code| {
            check("127.0.0.1:7787", "localhost:7787", headers, code);
        };
        ask(&[("origin", "http://localhost:7787")], None);
        ask(
            &[("origin", "http://localhost:3000")],
            Some("FOREIGN_ORIGIN"),
        );
        ask(
            &[("origin", "http://localhost:7787.evil.example")],
            Some("FOREIGN_ORIGIN"),
        );
        ask(&[("origin", "null")], Some("FOREIGN_ORIGIN"));
        ask(&[("origin", "")], Some("FOREIGN_ORIGIN"));
        ask(&[("sec-fetch-site", "same-origin")], None);
        ask(&[("sec-fetch-site", "none")], None);
        ask(&[("sec-fetch-site", "same-site")], Some("FOREIGN_ORIGIN"));
        ask(&[("sec-fetch-site", "cross-site")], Some("FOREIGN_ORIGIN"));
    }

    #[test]
    fn a_link_leads_to_the_page_and_to_nothing_else() {
        let local = "127.0.0.1:7787".parse().unwrap();
        let ends = Ends {
            local,
            remote: local,
        };
        let link = [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        let follow = |path| origin(&[], ends, &parts("localhost", &link, path)).is_ok();
        assert_eq!([follow("/"), follow("/api/ports")], [true, false]);
        let frame = [link[0], link[1], ("sec-fetch-dest", "iframe")];
        assert!(origin(&[], ends, &parts("localhost", &frame, "/")).is_err());
    }
}
