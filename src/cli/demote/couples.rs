//! Which Redis of the active site each old primary is to follow, as far as their histories tell.

use crate::monitor::InfoReply;

/// The history of a server that never was a replica.
const NO_HISTORY: &str = "0000000000000000000000000000000000000000";

/// For each old primary the place of the one new one that it shares a history with, and nobody else does. With one of
/// each there is nothing to tell.
pub(super) fn counterparts(old: &[InfoReply], new: &[InfoReply]) -> Option<Vec<usize>> {
    if let ([_], [_]) = (old, new) {
        return Some(vec![0]);
    }
    let mut found = Vec::new();
    for info in old {
        let mut shared = (0..new.len()).filter(|place| is_shared(info, &new[*place]));
        match (shared.next(), shared.next()) {
            (Some(place), None) if !found.contains(&place) => found.push(place),
            _ => return None,
        }
    }
    (found.len() == new.len()).then_some(found)
}

/// Whether two servers know a common history: the one that they write, or the one that they have taken over.
fn is_shared(one: &InfoReply, other: &InfoReply) -> bool {
    histories(one).any(|history| histories(other).any(|known| known == history))
}

fn histories(info: &InfoReply) -> impl Iterator<Item = &str> {
    let known = ["master_replid", "master_replid2"].into_iter().filter_map(|field| info.get(field));
    known.filter(|history| !history.is_empty() && *history != NO_HISTORY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn infos(histories: &[(&str, &str)]) -> Vec<InfoReply> {
        let info = |(first, second): &(&str, &str)| {
            let text =
                format!("# Server\r\n# Replication\r\nmaster_replid:{first}\r\nmaster_replid2:{second}\r\n");
            InfoReply::parse(text.as_bytes()).unwrap()
        };
        histories.iter().map(info).collect()
    }

    #[test]
    fn each_follows_the_one_that_took_over_its_history() {
        type Rows<'a> = [(&'a [(&'a str, &'a str)], &'a [(&'a str, &'a str)], Option<&'a [usize]>)];
        let rows: &Rows<'_> = &[
            (&[("x", NO_HISTORY)], &[("a", NO_HISTORY)], Some(&[0])),
            (&[("x", NO_HISTORY), ("y", NO_HISTORY)], &[("a", "y"), ("b", "x")], Some(&[1, 0])),
            // One was demoted already, the other was started anew and knows where it came from.
            (&[("a", "x"), ("z", "y")], &[("a", "x"), ("b", "y")], Some(&[0, 1])),
            // Started anew, and without a history.
            (&[("x", NO_HISTORY), ("z", NO_HISTORY)], &[("a", "x"), ("b", "y")], None),
            // Both have come from one.
            (&[("x", "o"), ("y", "o")], &[("a", "o"), ("b", "o")], None),
            (&[("x", NO_HISTORY), ("x", NO_HISTORY)], &[("a", "x"), ("b", "y")], None),
            (&[("x", NO_HISTORY)], &[("a", "x"), ("b", "y")], None),
            (&[("x", NO_HISTORY), ("y", NO_HISTORY)], &[("a", "x")], None),
        ];
        for (old, new, wanted) in rows {
            assert_eq!(counterparts(&infos(old), &infos(new)).as_deref(), *wanted, "{old:?} {new:?}");
        }
    }
}
