//! The redrover binary.
fn main() {}
