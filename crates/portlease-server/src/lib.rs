//! The HTTP API of Portlease, its live events, metrics and dashboard.
//!
//! A request comes in on a connection that others cannot keep from it (`connection.rs`), is guarded against whoever must not ask
//! (`guard.rs`), and is answered by one of the operations (`operations.rs`). Each of these says once what it takes, what it answers and
//! which problems it may have; routes and the [document](openapi()) follow from that. What is asked is carried out by
//! [`portlease::asking::Desk`] on threads that may wait (`workers.rs`).

mod connection;
mod containers;
mod dashboard;
mod document;
mod events;
mod guard;
mod hosts;
mod inputs;
mod listening;
mod metrics;
mod moves;
mod operations;
mod options;
mod problem;
mod rate;
mod routes;
mod server;
mod stalled;
mod stream;
mod token;
mod views;
mod workers;
mod written;

pub use document::openapi;
pub use listening::listen;
pub use options::{Exposed, PORTS, Rate, ServeOptions};
pub use server::Server;
pub use token::{InvalidToken, Token};
