//! Reads what happens to datacenters and lines.

use super::names::Names;
use super::state::{only, percent, state, time};
use crate::config::read::{Item, Section, choice};
use crate::sim::language::{Happening, NetworkPath, NetworkState, Place, Ports, Power};

/// Reads `datacenter`.
pub fn datacenter(item: &Item<'_>, names: &Names<'_>) -> Option<Happening> {
    let section = item.section(&["name", "is"])?;
    let name = section.required("name", "name: dc-a", |v| names.datacenter(v));
    let is = section.required("is", "is: dark", choice(&[("dark", Power::Dark), ("back", Power::Back)]));
    Some(Happening::Datacenter { name: name?, is: is? })
}

/// Reads `network`.
pub fn network(item: &Item<'_>, names: &Names<'_>) -> Option<Happening> {
    let section = item.section(&["between", "around", "is", "only"])?;
    let path = match only(&section, &["between", "around"])? {
        "between" => between(&section, names),
        _ => section.optional("around", |v| names.place(v)).map(NetworkPath::Around),
    };
    let words = [
        ("back", NetworkState::Back),
        ("cut", NetworkState::Cut),
        ("oneway", NetworkState::Oneway),
        ("rejected", NetworkState::Rejected),
    ];
    let is = section.required_item("is", "is: cut").and_then(|item| {
        state(&item, &words, (&["losing", "slow"], &[]), |key, section| match key {
            "losing" => section.optional(key, percent).map(NetworkState::Losing),
            _ => section.optional(key, time).map(NetworkState::Slow),
        })
    });
    if matches!((&path, &is), (Some(NetworkPath::Around(_)), Some(NetworkState::Oneway))) {
        let hint = "write between: [from, to], once for each other place";
        section.sheet.problem(&section.key_of("is"), "has no direction around a place", hint);
    }
    let only = section.or("only", Ports::All, choice(&[("redis", Ports::Redis)]));
    Some(Happening::Network { path: path?, is: is?, only })
}

fn between(section: &Section<'_>, names: &Names<'_>) -> Option<NetworkPath> {
    let item = section.item("between")?;
    let items = item.items()?;
    let places: Vec<Place> = items.iter().filter_map(|item| item.read(|v| names.place(v))).collect();
    if places.len() < items.len() {
        return None;
    }
    match &places[..] {
        [one, other] if one != other => Some(NetworkPath::Between(one.clone(), other.clone())),
        _ => {
            let hint = "write two, such as [dc-a, b1]";
            item.sheet.problem(&item.key, "is not a pair of different places", hint);
            None
        }
    }
}
