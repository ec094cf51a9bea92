//! The sandbox, driven by the real AWS SDK, by real DNS messages and by its control endpoint.

mod control;
mod failures;
mod program;
mod propagation;
mod reads;
mod strictness;
mod support;
