//! redrover's dashboards for Grafana: small tables of panels become the JSON that Grafana imports.
//!
//! Absent on purpose: anything that asks a server. That every query has an answer is tested where there are servers.

mod board;
mod panel;
mod redis;
mod services;

/// The file name and the text of every dashboard.
#[must_use]
pub fn all() -> Vec<(&'static str, String)> {
    [("redis.json", redis::board()), ("services.json", services::board())]
        .map(|(name, board)| (name, format!("{:#}\n", board.json())))
        .to_vec()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use serde_json::Value;

    use super::*;

    /// `cargo run -p redrover-dashboards` writes them anew, for review as a diff.
    #[test]
    fn the_committed_files_are_what_is_written_here() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dashboards");
        for (name, text) in all() {
            let committed = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
            assert!(committed == text, "dashboards/{name}: cargo run -p redrover-dashboards");
        }
    }

    #[test]
    fn panels_have_ids_of_their_own_and_cover_no_other() {
        for (name, text) in all() {
            let board: Value = serde_json::from_str(&text).unwrap();
            let panels = board["panels"].as_array().unwrap();
            let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
            assert_eq!(ids.len(), panels.len(), "{name}");
            let mut covered = BTreeSet::new();
            for panel in panels {
                let place = |key: &str| panel["gridPos"][key].as_u64().unwrap();
                assert!(place("x") + place("w") <= 24, "{name}: {}", panel["title"]);
                for x in place("x")..place("x") + place("w") {
                    for y in place("y")..place("y") + place("h") {
                        assert!(covered.insert((x, y)), "{name}: {} covers another", panel["title"]);
                    }
                }
            }
        }
    }

    #[test]
    fn every_query_asks_for_the_chosen_agent_only() {
        for (name, text) in all() {
            let board: Value = serde_json::from_str(&text).unwrap();
            for panel in board["panels"].as_array().unwrap() {
                for target in panel["targets"].as_array().into_iter().flatten() {
                    let expr = target["expr"].as_str().unwrap();
                    let selectors = expr.matches('{').count();
                    assert!(selectors > 0, "{name}: {expr}");
                    assert_eq!(expr.matches("instance=~\"$agent\"").count(), selectors, "{name}: {expr}");
                }
            }
        }
    }
}
