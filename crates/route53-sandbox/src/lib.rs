//! Stand-in for Route 53.
