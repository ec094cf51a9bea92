//! The parser against pages that are none, and documents as clusters write them.

mod documents;
mod pages;
