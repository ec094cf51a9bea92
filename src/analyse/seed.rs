//! The seed of a target's forest: the same target gives the same forest from the same looks, on every machine.

use crate::types::{ServiceName, SiteName, TargetName};

const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

/// FNV-1a over the names, which no name's characters can run together, mixed with `seed`.
pub(super) fn of_target(seed: u64, service: &ServiceName, site: &SiteName, target: &TargetName) -> u64 {
    let names = [service.as_str(), "\n", site.as_str(), "\n", target.as_str()];
    let bytes = seed.to_le_bytes().into_iter().chain(names.into_iter().flat_map(str::bytes));
    bytes.fold(OFFSET_BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}
