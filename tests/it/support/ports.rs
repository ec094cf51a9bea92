//! Free loopback ports that nobody else takes between the choice and the server's start.
//!
//! Ports from the kernel's own range would do most of the time; but a server that is killed and started again on its
//! port may find that a client connection has it by then. So ports come from below that range, in blocks, and a locked
//! file keeps a block for this process while other test runs share the machine.

use std::fs::{File, OpenOptions};
use std::net::{TcpListener, UdpSocket};
use std::sync::{Mutex, PoisonError};

const FIRST: u16 = 20_000;
const BLOCK: u16 = 100;
const BLOCKS: u16 = 120;

/// The blocks of this process, and the ports of them that were not given away yet.
struct Pool {
    locks: Vec<File>,
    next_block: u16,
    free: Vec<u16>,
}

static POOL: Mutex<Pool> = Mutex::new(Pool { locks: Vec::new(), next_block: 0, free: Vec::new() });

/// A port that is free for TCP and UDP on every loopback address, and is given away once only.
pub fn free_port() -> u16 {
    let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        match pool.free.pop() {
            Some(port) if is_free(port) => return port,
            Some(_) => {}
            None => pool.take_block(),
        }
    }
}

impl Pool {
    fn take_block(&mut self) {
        while self.next_block < BLOCKS {
            let block = self.next_block;
            self.next_block += 1;
            let path = std::env::temp_dir().join(format!("redrover-test-ports-{block}"));
            // A file that belongs to another user cannot be opened: their block.
            let Ok(file) = OpenOptions::new().create(true).append(true).open(path) else { continue };
            if file.try_lock().is_ok() {
                self.locks.push(file);
                self.free.extend((0..BLOCK).rev().map(|i| FIRST + block * BLOCK + i));
                return;
            }
        }
        panic!("no free port from {FIRST} on: too many test runs at once");
    }
}

fn is_free(port: u16) -> bool {
    // The unspecified address collides with a listener on any single one.
    TcpListener::bind(("0.0.0.0", port)).is_ok() && UdpSocket::bind(("0.0.0.0", port)).is_ok()
}

mod tests {
    use super::*;

    #[test]
    fn a_port_is_given_away_once() {
        let mut ports: Vec<_> = (0..150).map(|_| free_port()).collect();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 150);
    }

    #[test]
    fn a_taken_port_is_not_free() {
        let port = free_port();
        let _listener = TcpListener::bind(("127.0.0.7", port)).expect("a free port can be bound");
        assert!(!is_free(port));
    }
}
