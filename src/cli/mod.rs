//! The command line: one file for each command.
//!
//! Exit codes: 0 done; 1 it failed while running; 2 the command line or the configuration is wrong.

mod adopt;
mod bar;
mod check;
mod demo;
mod demote;
mod evaluate;
mod explain;
mod history;
mod models;
mod operate;
mod parts;
mod replay;
mod run;
mod simulate;
mod train;

pub use parts::main;
