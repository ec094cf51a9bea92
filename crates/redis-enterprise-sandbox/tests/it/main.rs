//! The sandbox, driven from outside: by HTTPS, by the Redis protocol, and by its control endpoint.

mod auth;
mod availability;
mod copies;
mod faults;
mod metrics;
mod names;
mod program;
mod redirects;
mod redis;
mod scenarios;
mod shapes;
mod support;
