//! Other port tools, asked for what comes nearest to a reserve.

use portlease::core::PortRange;

pub(crate) const OPENPORT: &str = "openport";
pub(crate) const PORTPICKER: &str = "portpicker";

/// The first port of the range that is free.
pub(crate) fn openport(range: PortRange) -> Option<u16> {
    openport::pick_unused_port(range.first().get()..=range.last().get())
}

/// Any port.
pub(crate) fn portpicker() -> Option<u16> {
    portpicker::pick_unused_port()
}
