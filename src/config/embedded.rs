//! The name server inside this program: its zone, and how much it answers to one network.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use super::read::{Item, Section, Value, Wrong, boolean, integer, named, socket, text};
use crate::types::RecordName;

/// Default of the answers of one kind to one network in a second. A network of 256 resolvers that each ask anew every
/// five seconds stays far below it; whoever is flooded in somebody's name gets no more than so many small datagrams.
const RESPONSES_PER_SECOND: u64 = 200;
/// Every second answer beyond the limit tells a real client to come by TCP.
const SLIP: u64 = 2;
/// Addresses of one name server: more do not fit beside the answer.
const ADDRESSES_MAX: usize = 8;

/// The name server inside this program.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddedDns {
    /// Where it listens, UDP and TCP.
    pub listen: SocketAddr,
    /// The delegated zone; every embedded record lies in it.
    pub zone: RecordName,
    /// The zone's own NS names as the parent delegates them; at least one.
    pub name_servers: Vec<NameServer>,
    /// How many answers one network gets by UDP; absent for as many as it asks.
    pub rate_limit: Option<RateLimit>,
}

/// A name server of the zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameServer {
    /// Its name.
    pub name: RecordName,
    /// Its addresses, where its name lies in the zone; as the parent's glue has them.
    pub addresses: Vec<IpAddr>,
}

/// How many answers one network gets by UDP, where whoever asks may be somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimit {
    /// Answers of one kind to one network in a second.
    pub responses_per_second: u32,
    /// Beyond that, every so manieth one is cut short instead of left out; 0 for none.
    pub slip: u32,
    /// Networks that are not limited.
    pub exempt: Vec<Network>,
}

/// A network of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Reads `10.0.0.0/8` or a single address.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(a, bits)| (a, Some(bits)));
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(most), |bits| bits.parse().ok())?;
        (bits <= most).then_some(Self { address, bits })
    }

    /// Whether an address lies in it.
    #[must_use]
    pub fn contains(&self, other: IpAddr) -> bool {
        let shift = |most: u8| u32::from(most - self.bits);
        match (self.address, other.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differs = own.to_bits() ^ other.to_bits();
                differs.checked_shr(shift(32)).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differs = own.to_bits() ^ other.to_bits();
                differs.checked_shr(shift(128)).unwrap_or(0) == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// Reads `embedded_dns`.
pub(super) fn read(file: &Section<'_>) -> Option<EmbeddedDns> {
    let section = file.item("embedded_dns")?.section(&["listen", "zone", "name_servers", "rate_limit"])?;
    let listen = section.required("listen", "listen: 0.0.0.0:53", socket);
    let zone = section.required("zone", "zone: redis.example.com", named(|t| RecordName::new(t)));
    let servers = section.required_item("name_servers", "name_servers: [ns1.example.com]");
    let servers = servers.and_then(|item| item.items()).unwrap_or_default();
    let key = section.key_of("name_servers");
    if servers.is_empty() && section.sheet.is_sound(&key) {
        section.sheet.problem(&key, "is empty", "name the zone's NS names as its parent delegates them");
    }
    let known = |item: &Item<'_>| {
        let server = name_server(item)?;
        if let Some(zone) = &zone {
            check_glue(zone, &server, item);
        }
        Some(server)
    };
    let name_servers = servers.iter().filter_map(known).collect();
    let rate_limit = rate_limit(&section);
    Some(EmbeddedDns { listen: listen?, zone: zone?, name_servers, rate_limit: rate_limit? })
}

/// A name, or a name with its addresses.
fn name_server(item: &Item<'_>) -> Option<NameServer> {
    let is_mapping = item.read(|value| Ok(matches!(value, Value::Map(_))))?;
    if !is_mapping {
        let name = item.read(named(|t| RecordName::new(t)))?;
        return Some(NameServer { name, addresses: Vec::new() });
    }
    let section = item.section(&["name", "addresses"])?;
    let name = section.required("name", "name: ns1.redis.example.com", named(|t| RecordName::new(t)));
    let list = section.item("addresses").and_then(|item| item.items()).unwrap_or_default();
    if list.len() > ADDRESSES_MAX {
        let reason = format!("has more than {ADDRESSES_MAX} addresses");
        section.sheet.problem(&section.key_of("addresses"), reason, "name the main ones");
    }
    let addresses = list.iter().filter_map(|item| item.read(address)).collect();
    Some(NameServer { name: name?, addresses })
}

fn address(value: &Value) -> Result<IpAddr, Wrong> {
    let wrong = |_| Wrong::new("is not an IP address", "write it as 192.0.2.53 or 2001:db8::53, in quotes");
    text(value)?.parse().map_err(wrong)
}

/// The zone speaks for the names in it: without addresses, it cannot say where its own name servers are.
fn check_glue(zone: &RecordName, server: &NameServer, item: &Item<'_>) {
    let is_within = server.name.is_within(zone);
    if is_within && server.addresses.is_empty() {
        let reason = format!("{} lies in the zone, which does not know its addresses", server.name);
        let hint = format!("write {{name: {}, addresses: [192.0.2.53]}}", server.name);
        item.sheet.warning(&item.key, reason, hint);
    }
    if !is_within && !server.addresses.is_empty() {
        let reason = format!("{} does not lie in the zone {zone}, which cannot speak for it", server.name);
        item.sheet.problem(&item.key, reason, "write the name alone");
    }
}

/// The outer `None` means wrong, and noted; the inner one, switched off.
fn rate_limit(section: &Section<'_>) -> Option<Option<RateLimit>> {
    let Some(item) = section.item("rate_limit") else {
        return Some(Some(limit(RESPONSES_PER_SECOND, SLIP, Vec::new())));
    };
    let section = item.section(&["enabled", "responses_per_second", "slip", "exempt"])?;
    let is_enabled = section.or("enabled", true, boolean);
    let rate = section.or("responses_per_second", RESPONSES_PER_SECOND, integer(1..=1_000_000));
    let slip = section.or("slip", SLIP, integer(0..=10));
    let list = section.item("exempt").and_then(|item| item.items()).unwrap_or_default();
    let exempt = list.iter().filter_map(|item| item.read(network)).collect();
    Some(is_enabled.then(|| limit(rate, slip, exempt)))
}

fn limit(rate: u64, slip: u64, exempt: Vec<Network>) -> RateLimit {
    let number = |n| u32::try_from(n).unwrap_or(u32::MAX);
    RateLimit { responses_per_second: number(rate), slip: number(slip), exempt }
}

fn network(value: &Value) -> Result<Network, Wrong> {
    let wrong = || Wrong::new("is not a network", "write it as 10.0.0.0/8 or 2001:db8::/32, in quotes");
    Network::parse(text(value)?).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_what_shares_its_first_bits() {
        for (network, address, is_inside) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("10.0.0.0/8", "a00::1", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "::1", true),
        ] {
            let network = Network::parse(network).unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), is_inside, "{network} {address}");
        }
        for text in ["", "10.0.0.0/33", "10.0.0.0/x", "10.0.0.0/", "ten/8", "::/129"] {
            assert_eq!(Network::parse(text), None, "{text:?}");
        }
    }
}
