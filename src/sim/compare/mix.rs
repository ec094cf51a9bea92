//! The everyday mix: what goes wrong around a Redis in two or three datacenters, and how often. The shares are an
//! assumption; docs/comparison.md gives the figures by kind, so that everybody can weigh them anew.

use std::time::Duration;

use super::faults::timeline;
use crate::sim::chance::Chance;
use crate::sim::language::{AlertLevel, Alerts, Expect, Outcome, PolicyText, Scenario, When, World};

/// Virtual time after time 0: the longest fault begins after a minute or so, takes ten, and five of quiet follow.
const RUN: Duration = Duration::from_secs(1020);
/// Share of services with a third site, in the datacenter that otherwise only has an agent.
const THREE_SITES: f64 = 0.3;

/// What happens in an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The Redis of the active site is dead.
    Dead,
    /// It crashes, is started again and loads its data.
    Restart,
    /// It hangs for minutes.
    Hung,
    /// It hangs for seconds, up to three times.
    Freezes,
    /// Its datacenter has no power.
    Dark,
    /// Its datacenter is cut off.
    Isolated,
    /// It answers slower than applications wait.
    Slow,
    /// It answers slowly, and applications wait.
    Sluggish,
    /// It dies and comes back, over and over.
    Flapping,
    /// It refuses writes.
    Refusing,
    /// Packets to its datacenter are lost.
    Loss,
    /// One observer cannot reach it, and everybody else can.
    PathCut,
    /// A place that is not the active one is cut off.
    PlaceCut,
    /// All sites are dead.
    AllDead,
    /// It dies while the first standby is unfit.
    Unfit,
    /// The first standby dies, and nothing else happens.
    StandbyDead,
    /// One observer is killed or stands still, and nothing else happens.
    Observer,
    /// It dies while the DNS provider takes no changes.
    DnsTrouble,
    /// Redis refuses the password of the observers, and that of no application.
    Credentials,
    /// Its control plane fails, and Redis goes on.
    ControlPlane,
}

/// All kinds, and their shares in percent.
pub(super) const KINDS: [(Kind, u32); 20] = [
    (Kind::Dead, 12),
    (Kind::Restart, 9),
    (Kind::Hung, 4),
    (Kind::Freezes, 12),
    (Kind::Dark, 4),
    (Kind::Isolated, 3),
    (Kind::Slow, 4),
    (Kind::Sluggish, 3),
    (Kind::Flapping, 4),
    (Kind::Refusing, 5),
    (Kind::Loss, 6),
    (Kind::PathCut, 8),
    (Kind::PlaceCut, 4),
    (Kind::AllDead, 3),
    (Kind::Unfit, 5),
    (Kind::StandbyDead, 4),
    (Kind::Observer, 4),
    (Kind::DnsTrouble, 2),
    (Kind::Credentials, 2),
    (Kind::ControlPlane, 2),
];

impl Kind {
    /// What happens, for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dead => "dead for minutes",
            Self::Restart => "crash, restart and load",
            Self::Hung => "hung for minutes",
            Self::Freezes => "short freezes",
            Self::Dark => "datacenter without power",
            Self::Isolated => "datacenter cut off",
            Self::Slow => "slower than clients wait",
            Self::Sluggish => "slow, clients wait",
            Self::Flapping => "flapping",
            Self::Refusing => "refuses writes",
            Self::Loss => "packet loss",
            Self::PathCut => "path of one observer cut",
            Self::PlaceCut => "another place cut off",
            Self::AllDead => "all sites dead",
            Self::Unfit => "dead, first standby unfit",
            Self::StandbyDead => "standby dead",
            Self::Observer => "observer killed or frozen",
            Self::DnsTrouble => "dead, DNS takes no changes",
            Self::Credentials => "password of observers refused",
            Self::ControlPlane => "control plane fails",
        }
    }

    fn draw(chance: &mut Chance) -> Self {
        let all: u32 = KINDS.iter().map(|(_, share)| share).sum();
        let drawn = chance.below(usize::try_from(all).unwrap_or(1));
        let mut shares = KINDS.iter().flat_map(|(kind, share)| (0..*share).map(move |_| *kind));
        shares.nth(drawn).unwrap_or(Self::Dead)
    }
}

/// Draws an incident: the same number gives the same one.
pub(super) fn incident(seed: u64) -> (Kind, Scenario) {
    let mut chance = Chance::new(seed);
    let kind = Kind::draw(&mut chance);
    let mut world = World::default();
    if chance.happens(THREE_SITES) {
        world.members = world.datacenters.clone();
    }
    world.alerts = Alerts::Automatic;
    world.run = RUN;
    let mut timeline = timeline(kind, &world, &mut chance);
    timeline.sort_by_key(|event| match &event.at {
        When::At(at) => *at,
        When::On(_) => Duration::MAX,
    });
    let scenario = Scenario {
        name: kind.name().to_owned(),
        id: None,
        why: None,
        world,
        policy: PolicyText::default(),
        history: Vec::new(),
        timeline,
        expect: Expect {
            outcome: Outcome::Settled,
            alert: AlertLevel::None,
            max_dns_changes: u32::MAX,
            within: None,
            not_before: None,
            judged_from: Duration::ZERO,
            serves: None,
        },
    };
    (kind, scenario)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_make_a_whole_and_every_kind_is_drawn() {
        assert_eq!(KINDS.iter().map(|(_, share)| share).sum::<u32>(), 100);
        let drawn: Vec<Kind> = (0..2000).map(|seed| incident(seed).0).collect();
        for (kind, share) in KINDS {
            let count = drawn.iter().filter(|one| **one == kind).count();
            let wanted = 20 * usize::try_from(share).unwrap();
            assert!(count > wanted / 3 && count < wanted * 3, "{} {count}", kind.name());
        }
    }

    #[test]
    fn all_faults_end_early_enough_to_see_what_follows() {
        for seed in 0..2000 {
            let (kind, scenario) = incident(seed);
            let quiet = RUN - Duration::from_secs(240);
            let ends = scenario.timeline.iter().all(|event| matches!(event.at, When::At(at) if at < quiet));
            assert!(ends && !scenario.timeline.is_empty(), "{} {seed}", kind.name());
        }
    }
}
