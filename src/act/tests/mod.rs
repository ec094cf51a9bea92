//! Every way a switch can go, in a world in memory with the real journal on disk, and a death at every step of each.

mod crash;
mod fuse;
mod guards;
mod life;
mod scenarios;
mod world;
