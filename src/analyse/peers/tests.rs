//! Groups of targets: who is told of, and who is not.

use super::band::{Outside, outside};
use super::{Compared, Peculiar, Peers};
use crate::analyse::model::{Direction, Rule};
use crate::types::{Role, SiteName, TargetName};

const PERIOD: i64 = 60;

fn key(site: &str, number: usize) -> (SiteName, TargetName) {
    (SiteName::new(site).unwrap(), TargetName::new(format!("redis-{number}")).unwrap())
}

/// Connected clients and evictions of the production rules, and a measure that depends on where the agent stands.
fn compared() -> [Compared; 3] {
    let rule = |direction, deviation_min, deviation_min_share| Rule {
        direction,
        deviation_min,
        deviation_min_share,
    };
    [
        Compared { rule: rule(Direction::Both, 10.0, 0.2), is_alike_everywhere: true },
        Compared { rule: rule(Direction::High, 5.0, 0.5), is_alike_everywhere: true },
        Compared { rule: rule(Direction::High, 0.002, 0.5), is_alike_everywhere: false },
    ]
}

/// Noise from -1 to 1 that is the same for ever.
fn noise(of: usize) -> f64 {
    (of as f64 * 0.618_033_988_75).fract() * 2.0 - 1.0
}

/// What a target shows in a period.
type Shape<'a> = &'a dyn Fn(usize, usize) -> [f64; 3];

/// A group in which all have about 25 clients, no evictions, and answer in half a millisecond.
fn alike(target: usize, time: usize) -> [f64; 3] {
    [25.0 + 4.0 * noise(target * 97 + time * 13), 0.0, 0.0005 + 0.0001 * noise(target * 31 + time)]
}

fn judge(members: &[(SiteName, TargetName)], role: Role, periods: usize, shape: Shape<'_>) -> Vec<Peculiar> {
    let mut peers = Peers::default();
    for time in 0..periods {
        for (target, key) in members.iter().enumerate() {
            peers.push(key.clone(), role, time as i64 * PERIOD, shape(target, time).to_vec());
        }
    }
    peers.judge(PERIOD, &compared())
}

fn five() -> Vec<(SiteName, TargetName)> {
    (0..5).map(|number| key("dc-a", number)).collect()
}

fn scores(found: &[Peculiar]) -> Vec<f64> {
    found.iter().map(|one| one.score.get()).collect()
}

#[test]
fn one_of_five_that_behaves_otherwise_is_found_and_the_others_are_not() {
    let found = judge(&five(), Role::Replica, 15, &|target, time| {
        let mut row = alike(target, time);
        row[0] = if target == 3 { 400.0 } else { row[0] };
        row
    });
    assert_eq!(scores(&found), [0.0, 0.0, 0.0, 1.0, 0.0]);
    let worst = found[3].worst.expect("it has a reason");
    assert_eq!((worst.place, worst.value, worst.peers), (0, 400.0, 4));
    assert!(worst.low >= 20.0 && worst.high <= 30.0, "{worst:?}");
    assert!(found.iter().enumerate().all(|(target, one)| target == 3 || one.worst.is_none()));
}

#[test]
fn one_of_three_and_of_four_is_found_as_well() {
    for size in [3, 4] {
        let members: Vec<_> = (0..size).map(|number| key("dc-a", number)).collect();
        let found = judge(&members, Role::Primary, 15, &|target, time| {
            let mut row = alike(target, time);
            row[0] = if target == 1 { 90.0 } else { row[0] };
            row
        });
        let one: Vec<f64> = (0..size).map(|target| f64::from(u8::from(target == 1))).collect();
        assert_eq!(scores(&found), one, "of {size}");
    }
}

#[test]
fn the_score_is_the_share_of_the_periods() {
    let found = judge(&five(), Role::Replica, 15, &|target, time| {
        let mut row = alike(target, time);
        row[1] = if target == 2 && time >= 12 { 300.0 } else { 0.0 };
        row
    });
    assert_eq!(scores(&found), [0.0, 0.0, 3.0 / 15.0, 0.0, 0.0]);
    let worst = found[2].worst.expect("it has a reason");
    assert_eq!((worst.place, worst.value, worst.low, worst.high), (1, 300.0, 0.0, 0.0));
}

#[test]
fn what_all_do_together_is_nobodys() {
    let found = judge(&five(), Role::Replica, 40, &|target, time| {
        let mut row = alike(target, time);
        // A daily course, a step, an eviction storm, and a slow network, of all.
        row[0] = (25.0 + noise(target * 97 + time)) * (1.0 + time as f64 / 5.0)
            + if time > 30 { 1000.0 } else { 0.0 };
        row[1] = if time > 32 { 500.0 + 10.0 * noise(target + time) } else { 0.0 };
        row[2] += if time > 35 { 0.4 } else { 0.0 };
        row
    });
    assert_eq!(scores(&found), [0.0; 5]);
}

#[test]
fn small_differences_are_none_however_regular() {
    let found = judge(&five(), Role::Replica, 15, &|target, _| {
        // Ten clients is the least that counts; evictions count upwards alone.
        let clients = if target == 4 { 34.9 } else { 25.0 };
        [clients, if target == 4 { 4.9 } else { 0.0 }, 0.0005]
    });
    assert_eq!(scores(&found), [0.0; 5]);
    let found =
        judge(&five(), Role::Replica, 15, &|target, _| [25.0, if target == 4 { 0.0 } else { 300.0 }, 0.0005]);
    assert_eq!(scores(&found), [0.0; 5], "less is not unusual where only more is");
}

#[test]
fn a_group_that_spreads_by_nature_has_a_wide_band() {
    let load = [70.0, 90.0, 100.0, 125.0, 140.0];
    let found = judge(&five(), Role::Primary, 15, &|target, time| {
        [load[target] + 5.0 * noise(target * 7 + time), 0.0, 0.0005]
    });
    assert_eq!(scores(&found), [0.0; 5]);
    let two_kinds = [0.0, 0.0, 500.0, 500.0, 500.0];
    let found = judge(&five(), Role::Primary, 15, &|target, _| [two_kinds[target], 0.0, 0.0005]);
    assert_eq!(scores(&found), [0.0; 5], "two of five are another kind, and no outliers");
}

#[test]
fn two_have_no_band_and_the_young_no_score() {
    let members = [key("dc-a", 0), key("dc-b", 0)];
    assert_eq!(judge(&members, Role::Primary, 15, &|target, _| [400.0 * target as f64, 0.0, 0.0]), []);
    assert_eq!(judge(&five(), Role::Replica, 4, &alike), []);
    assert_eq!(judge(&five(), Role::Replica, 5, &alike).len(), 5);
    assert_eq!(judge(&five(), Role::Other, 15, &alike), [], "what holds no data has no peers");
    assert_eq!(Peers::default().judge(PERIOD, &compared()), []);
}

#[test]
fn across_sites_latencies_are_not_compared() {
    let members = [key("dc-a", 0), key("dc-b", 0), key("dc-c", 0)];
    let odd =
        |row: [f64; 3]| move |target: usize, time: usize| if target == 2 { row } else { alike(target, time) };
    let found = judge(&members, Role::Replica, 15, &odd([25.0, 0.0, 0.2]));
    assert_eq!(scores(&found), [0.0; 3], "the way is longer");
    let found = judge(&members, Role::Replica, 15, &odd([25.0, 80.0, 0.2]));
    assert_eq!(scores(&found), [0.0, 0.0, 1.0]);
    let near = [key("dc-a", 0), key("dc-a", 1), key("dc-a", 2)];
    let found = judge(&near, Role::Replica, 15, &odd([25.0, 0.0, 0.2]));
    assert_eq!(scores(&found), [0.0, 0.0, 1.0], "within a site it counts");
}

#[test]
fn a_site_with_enough_is_compared_with_itself_and_the_others_with_all() {
    let mut members = five();
    members.push(key("dc-b", 0));
    let found = judge(&members, Role::Replica, 15, &|target, time| {
        let mut row = alike(target, time);
        row[1] = if target == 5 { 80.0 } else { 0.0 };
        row
    });
    assert_eq!(scores(&found), [0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
    assert_eq!(found[5].worst.map(|worst| worst.peers), Some(5));
}

#[test]
fn other_roles_and_the_silent_are_no_peers() {
    let mut peers = Peers::default();
    for time in 0..15_i64 {
        for number in 0..4 {
            let role = if number == 0 { Role::Primary } else { Role::Replica };
            let clients = if number == 0 { 900.0 } else { 25.0 };
            // The last is silent from the tenth period on.
            if number < 3 || time < 10 {
                peers.push(key("dc-a", number), role, time * PERIOD, vec![clients, 0.0, 0.0005]);
            }
        }
    }
    assert_eq!(peers.judge(PERIOD, &compared()), [], "two replicas are left");
    // One that was promoted begins anew as what it is.
    peers.push(key("dc-a", 1), Role::Primary, 15 * PERIOD, vec![25.0, 0.0, 0.0005]);
    assert_eq!(peers.judge(PERIOD, &compared()), []);
}

#[test]
fn what_cannot_be_compared_is_no_error() {
    let nothing = Outside::default();
    let rule = Rule::default();
    for (values, want) in [
        (vec![], vec![]),
        (vec![vec![]; 3], vec![nothing; 3]),
        (vec![vec![0.0; 15]; 5], vec![Outside { compared: 15, ..nothing }; 5]),
        (vec![vec![f64::NAN; 15]; 5], vec![nothing; 5]),
        (vec![vec![f64::INFINITY; 15]; 4], vec![nothing; 4]),
        (vec![vec![f64::MAX; 15]; 4], vec![Outside { compared: 15, ..nothing }; 4]),
    ] {
        assert_eq!(outside(&values, &rule), want, "{values:?}");
    }
    // Numbers as far apart as numbers can be, and one alone that ever moved.
    let wild = vec![vec![f64::MAX; 15], vec![f64::MIN; 15], vec![0.0; 15], vec![1e-300; 15]];
    assert_eq!(outside(&wild, &rule).len(), 4);
    let mut still = vec![vec![0.0; 15]; 5];
    still[2][14] = 1e-9;
    let found = outside(&still, &rule);
    assert_eq!(found.iter().map(|one| one.outside).sum::<usize>(), 0, "it is less than anything that counts");
}
