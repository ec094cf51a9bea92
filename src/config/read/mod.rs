//! From text to typed pieces: YAML becomes a tree with line numbers, and a cursor walks it, noting every problem
//! instead of stopping at the first.
//!
//! Absent on purpose: anything that knows a key of this program's configuration.

mod cursor;
mod duration;
mod files;
mod instant;
mod node;
mod sheet;
mod source;
mod values;

pub use cursor::{Item, Section};
pub use duration::text as duration_text;
pub use files::{is_world_readable, read_file, readable, secret, secret_of_file, unread};
pub use instant::instant;
pub use node::{Key, Value, tree};
pub use sheet::{Env, Sheet, entry_key};
pub use source::{root, source};
pub use values::{
    Wrong, boolean, choice, duration, http_url, integer, named, number, path, quoted, ratio, socket, text,
    word,
};
