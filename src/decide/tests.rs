//! What the core must say, as tables, stories and properties. Every story runs on a virtual clock.

mod around;
pub(crate) mod evidence;
mod fitness;
mod formula;
mod guards;
mod judging;
mod lag;
mod orders;
mod otherwise;
mod outages;
mod properties;
mod record;
mod saga;
mod vetoes;
mod watch;
mod world;
