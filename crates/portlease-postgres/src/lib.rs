//! The registry of a fleet: leases of many hosts in one database.
