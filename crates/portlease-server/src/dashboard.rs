//! The files of the dashboard. They are in the program, packed by `build.rs`.

use axum::Router;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

/// A file as browsers get it.
struct File {
    address: &'static str,
    content_type: &'static str,
    /// Changes when the content does.
    tag: &'static str,
    /// The content, compressed by gzip.
    packed: &'static [u8],
}

const FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/dashboard.rs"));

/// The page and all that it loads. Nobody needs a token for these: the page asks for it.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    FILES.iter().fold(Router::new(), |router, file| {
        let answer = async move |headers: HeaderMap| answer(file, &headers);
        router.route(file.address, get(answer))
    })
}

fn answer(file: &'static File, asked: &HeaderMap) -> Response {
    let known = [
        (header::ETAG, file.tag),
        // Another version of the program has other files at the same addresses.
        (header::CACHE_CONTROL, "no-cache"),
        (header::VARY, "accept-encoding"),
    ];
    if lists(asked, header::IF_NONE_MATCH, &[file.tag, "*"]) {
        return (StatusCode::NOT_MODIFIED, known).into_response();
    }
    if !lists(asked, header::ACCEPT_ENCODING, &["gzip", "*"]) {
        let sentence = "This file is there compressed by gzip only: ask for that, as browsers and `curl --compressed` do.\n";
        return (StatusCode::NOT_ACCEPTABLE, sentence).into_response();
    }
    let content = [
        (header::CONTENT_TYPE, file.content_type),
        (header::CONTENT_ENCODING, "gzip"),
    ];
    (known, content, file.packed).into_response()
}

/// Whether a header that is a list has one of these in it. What comes after a semicolon says how much it is wanted; nobody asks for
/// a page and refuses every way to send it.
fn lists(headers: &HeaderMap, name: HeaderName, wanted: &[&str]) -> bool {
    let values = headers.get_all(name);
    let mut items = values
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    items.any(|item| {
        let item = item.split(';').next().unwrap_or_default().trim();
        wanted.contains(&item.trim_start_matches("W/"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, asked: &[(HeaderName, &str)], expected: StatusCode) -> Response {
        let file = FILES.iter().find(|file| file.address == address).unwrap();
        let headers = asked
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()));
        let answer = answer(file, &headers.collect());
        assert_eq!(answer.status(), expected);
        answer
    }

    #[test]
    fn the_page_and_its_files_are_there() {
        for (address, content_type) in [
            ("/", "text/html; charset=utf-8"),
            ("/style.css", "text/css; charset=utf-8"),
            ("/app.js", "text/javascript; charset=utf-8"),
            ("/app/api.js", "text/javascript; charset=utf-8"),
            ("/icon.svg", "image/svg+xml"),
            ("/plan/plan.mjs", "text/javascript; charset=utf-8"),
        ] {
            let answer = check(
                address,
                &[(header::ACCEPT_ENCODING, "br;q=1.0, gzip;q=0.8")],
                StatusCode::OK,
            );
            assert_eq!(answer.headers()[header::CONTENT_TYPE], content_type);
            assert_eq!(answer.headers()[header::CONTENT_ENCODING], "gzip");
        }
    }

    #[test]
    fn what_developers_need_is_not() {
        let packed: Vec<&str> = FILES.iter().map(|file| file.address).collect();
        assert!(!packed.contains(&"/types.d.ts"), "{packed:?}");
        assert!(!packed.contains(&"/package.json"), "{packed:?}");
    }

    #[test]
    fn what_the_browser_has_is_not_sent_again() {
        let first = check(
            "/app.js",
            &[(header::ACCEPT_ENCODING, "gzip")],
            StatusCode::OK,
        );
        let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
        let weak = format!("\"other\", W/{tag}");
        check(
            "/app.js",
            &[(header::IF_NONE_MATCH, &tag)],
            StatusCode::NOT_MODIFIED,
        );
        check(
            "/app.js",
            &[(header::IF_NONE_MATCH, &weak)],
            StatusCode::NOT_MODIFIED,
        );
        let other = [
            (header::IF_NONE_MATCH, "\"other\""),
            (header::ACCEPT_ENCODING, "gzip"),
        ];
        check("/app.js", &other, StatusCode::OK);
    }

    #[test]
    fn whoever_cannot_unpack_is_told() {
        check("/", &[], StatusCode::NOT_ACCEPTABLE);
        check(
            "/",
            &[(header::ACCEPT_ENCODING, "identity")],
            StatusCode::NOT_ACCEPTABLE,
        );
    }
}
