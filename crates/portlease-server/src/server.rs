//! The server: what all requests share, and the way of a request through it.

use std::collections::BTreeMap;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use portlease::asking::{Callers, Desk};
use portlease::core::LeaseKey;
use portlease::probe::identity;
use portlease::{
    Allocator, Config, Error, Event, LeaseHealth, PortPresence, Watch, WatchOptions, WatchedLease,
};
use serde_json::{Value as Json, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::connection::{self, Connections};
use crate::dashboard;
use crate::events::{Hub, Listening};
use crate::guard::{self, Ends};
use crate::metrics::Metrics;
use crate::moves::{Moved, Moves};
use crate::operations;
use crate::problem::{Problem, ProblemCode};
use crate::rate::Limiter;
use crate::routes::{Route, Routes};
use crate::views::{LeaseView, Ports};
use crate::workers::Workers;
use crate::written::Cache;
use crate::{PORTS, ServeOptions};

/// How long requests may still take when the server stops.
const GRACE: Duration = Duration::from_secs(5);

/// Serves the HTTP API of an allocator.
///
/// ```
/// use portlease::{Allocator, ConfigSources, Options, Registry};
/// use portlease_server::{ServeOptions, Server};
///
/// # let folder = tempfile::tempdir().unwrap();
/// let allocator = Allocator::open(Options { registry: Registry::Memory, ..Options::default() })?;
/// let config = ConfigSources::of_folder(folder.path()).read()?;
/// let server = Server::new(allocator, config, ServeOptions::default())?;
/// # #[expect(clippy::disallowed_methods, reason = "no other program is to find this port free")]
/// let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
/// // It serves until the future is ready, and then lets its requests end.
/// let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
/// runtime.block_on(server.run(vec![listener], async {})).expect("it stops");
/// # Ok::<(), portlease::Error>(())
/// ```
#[derive(Debug)]
pub struct Server {
    service: Arc<Service>,
}

/// What all requests share.
pub(crate) struct Service {
    pub(crate) desk: Desk,
    pub(crate) options: ServeOptions,
    pub(crate) workers: Workers,
    pub(crate) hub: Arc<Hub>,
    /// What is seen of the machine all the time, and told to the hub.
    pub(crate) watch: Watch,
    pub(crate) metrics: Metrics,
    pub(crate) connections: Arc<Connections>,
    pub(crate) ports: Cache<Ports>,
    limiter: Limiter,
    router: Router<Arc<Service>>,
    /// The user whose processes may be shown.
    user: Option<String>,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Service").finish_non_exhaustive()
    }
}

impl Server {
    /// A server that asks this allocator, in the configuration that holds for those who name no folder. It watches the machine from
    /// here on.
    ///
    /// # Errors
    ///
    /// When the machine or the registry cannot be looked at.
    pub fn new(allocator: Allocator, config: Config, options: ServeOptions) -> Result<Self, Error> {
        let hub = Arc::new(Hub::new(options.most_listeners));
        let watch = watch(&allocator, &config, &options, Arc::clone(&hub))?;
        let service = Service {
            desk: Desk::new(allocator, config, Callers::Elsewhere),
            workers: Workers::new(Duration::from_secs(5)),
            hub,
            watch,
            metrics: Metrics::new(),
            connections: Arc::new(Connections::new(options.most_connections)),
            ports: Cache::default(),
            limiter: Limiter::new(options.rate, options.local_rate),
            router: router(),
            user: identity::this_user(),
            options,
        };
        Ok(Self {
            service: Arc::new(service),
        })
    }

    /// Serves on these listeners until `stop` is ready. Then nobody new is let in, whoever listens to events is sent away, and what
    /// was asked is answered within five seconds.
    ///
    /// # Errors
    ///
    /// When others than this machine could reach a listener, and there is no token.
    pub async fn run(
        self,
        listeners: Vec<TcpListener>,
        stop: impl Future<Output = ()>,
    ) -> io::Result<()> {
        let (stopped, is_over) = watch::channel(false);
        let mut doors = JoinSet::new();
        for listener in listeners {
            let address = listener.local_addr()?;
            let checked = self.service.options.check(address.ip());
            checked.map_err(|exposed| io::Error::new(io::ErrorKind::PermissionDenied, exposed))?;
            listener.set_nonblocking(true)?;
            let listener = tokio::net::TcpListener::from_std(listener)?;
            doors.spawn(let_in(Arc::clone(&self.service), listener, is_over.clone()));
        }
        stop.await;
        stopped.send_replace(true);
        self.service.hub.end();
        let _ = timeout(GRACE, async { while doors.join_next().await.is_some() {} }).await;
        Ok(())
    }

    /// The same on threads of its own, until somebody stops this process: by Ctrl-C or SIGTERM. `ready` is called when that does not
    /// end the process any more.
    pub fn run_until_stopped(
        self,
        listeners: Vec<TcpListener>,
        ready: impl FnOnce(),
    ) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        let served = runtime.block_on(async {
            let stop = stopping()?;
            ready();
            self.run(listeners, stop).await
        });
        // Work that still waits for something is not waited for.
        runtime.shutdown_background();
        served
    }
}

/// Watches the machine, and tells everybody who listens.
fn watch(
    allocator: &Allocator,
    config: &Config,
    options: &ServeOptions,
    hub: Arc<Hub>,
) -> Result<Watch, Error> {
    let settings = config.host_settings();
    let frameworks = settings.catalog.iter().map(|it| it.range);
    let presets = settings.presets.iter().map(|it| it.range);
    let pools = settings.pools.iter().map(|it| it.range);
    let watching = WatchOptions {
        ports: frameworks
            .chain(presets)
            .chain(pools)
            .chain([PORTS])
            .collect(),
        check_every: options.check_every,
        check_path: options.check_path.clone(),
        ..WatchOptions::default()
    };
    let moves = Moves::new(options);
    Watch::start(allocator, watching, move |events| {
        for event in events {
            if let Event::LeaseMoved { from, watched } = event {
                let lease = &watched.validated.lease;
                moves.tell(Moved {
                    key: lease.key.clone(),
                    from: *from,
                    to: lease.port,
                });
            }
            hub.tell(event);
        }
    })
}

/// Ready when somebody stops this process. Signals are listened to from here on.
#[cfg(unix)]
fn stopping() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
    })
}

#[cfg(windows)]
fn stopping() -> io::Result<impl Future<Output = ()>> {
    let mut interrupted = tokio::signal::windows::ctrl_c()?;
    let mut closed = tokio::signal::windows::ctrl_close()?;
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = closed.recv() => {}
        }
    })
}

/// Lets connections in until everything is over, and waits for them to end.
async fn let_in(
    service: Arc<Service>,
    listener: tokio::net::TcpListener,
    mut is_over: watch::Receiver<bool>,
) {
    let mut open = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = is_over.wait_for(|is_over| *is_over) => break,
        };
        let Ok((stream, _)) = accepted else {
            // There may be no descriptor left, until others close theirs.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let seat = tokio::select! {
            seat = service.connections.enter() => seat,
            _ = is_over.wait_for(|is_over| *is_over) => break,
        };
        open.spawn(connection::serve(
            Arc::clone(&service),
            seat,
            stream,
            is_over.clone(),
        ));
        while open.try_join_next().is_some() {}
    }
    drop(listener);
    while open.join_next().await.is_some() {}
}

fn router() -> Router<Arc<Service>> {
    let mut routes = Routes(dashboard::router().route("/healthz", get(async || "ok\n")));
    operations::tell(&mut routes);
    routes
        .0
        .fallback(async || {
            let detail = "There is nothing here. GET /api/openapi.json tells what there is.";
            Problem::new(StatusCode::NOT_FOUND, "NO_SUCH_PATH", detail)
        })
        .method_not_allowed_fallback(async || {
            let detail = "This path has other methods: see the header Allow.";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "NO_SUCH_METHOD", detail)
        })
}

impl Service {
    /// Answers a request, whatever it is.
    pub(crate) async fn answer(self: &Arc<Self>, ends: Ends, request: Request) -> Response {
        let begun = Instant::now();
        let mut response =
            match timeout(self.options.request_timeout, self.judge(ends, request)).await {
                Ok(response) => response,
                Err(_) => {
                    let detail =
                        "The request took too long. Send it as a whole, and ask for less at once.";
                    Problem::new(StatusCode::REQUEST_TIMEOUT, "TOO_SLOW", detail).into_response()
                }
            };
        let route = response
            .extensions()
            .get()
            .map_or("other", |Route(route)| route);
        let code = response.extensions().get().map(|ProblemCode(code)| *code);
        self.metrics
            .answered(route, response.status().as_u16(), code, begun.elapsed());
        secure(response.headers_mut());
        response
    }

    async fn judge(self: &Arc<Self>, ends: Ends, request: Request) -> Response {
        if let Err(seconds) = self.limiter.take(ends.remote.ip(), Instant::now()) {
            let detail = "So many requests are more than one address may send. Ask again later.";
            let status = StatusCode::TOO_MANY_REQUESTS;
            return Problem::new(status, "TOO_MANY_REQUESTS", detail)
                .retry_after(seconds)
                .into_response();
        }
        let (parts, body) = request.into_parts();
        if let Err(problem) = guard::origin(&self.options.hosts, ends, &parts) {
            return problem.into_response();
        }
        let request = Request::from_parts(parts, body);
        let router = self.router.clone().with_state(Arc::clone(self));
        let Ok(response) = tower::ServiceExt::oneshot(router, request).await;
        response
    }

    /// What may be shown of whoever is on a port: of processes of other users no command and no folder.
    pub(crate) fn shown(&self, mut presence: PortPresence) -> PortPresence {
        for program in &mut presence.occupants {
            if program.user.is_none() || program.user != self.user {
                program.command.clear();
                program.directory = None;
            }
        }
        presence
    }

    /// How the servers of the leases were when they were last asked.
    pub(crate) fn healths(&self) -> BTreeMap<LeaseKey, LeaseHealth> {
        let health = |watched: &WatchedLease| {
            let key = watched.validated.lease.key.clone();
            watched.health.clone().map(|health| (key, health))
        };
        self.watch
            .seen(|seen| seen.leases().filter_map(health).collect())
    }

    /// Begins to listen, with all that has to be known to understand what is told from then on.
    pub(crate) fn listen(&self, after: Option<&str>) -> Result<(Listening, Option<Json>), Problem> {
        let look = self.desk.allocator().containers();
        // Nothing is told meanwhile.
        self.watch.seen(|seen| {
            let listening = self.hub.listen(after)?;
            let snapshot = listening.missed.is_none().then(|| {
                let view = |watched: &WatchedLease| {
                    LeaseView::of(watched.validated.clone(), watched.health.clone(), &look)
                };
                json!({
                    "type": "snapshot",
                    "leases": seen.leases().map(view).collect::<Vec<_>>(),
                    "containers": seen.containers().collect::<Vec<_>>(),
                })
            });
            Ok((listening, snapshot))
        })
    }
}

/// What browsers are told on every answer.
fn secure(headers: &mut axum::http::HeaderMap) {
    const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; \
        img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Files of the page say themselves how long they hold.
    let no_store = || HeaderValue::from_static("no-store");
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert_with(no_store);
}
