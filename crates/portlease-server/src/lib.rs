//! The HTTP API of Portlease, its live events, metrics and dashboard.
