//! Times of fitting, scoring and explaining.
fn main() {}
