//! The first baseline: three failed probes in a row, then the record is written, whatever it holds.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::act::dns::Dns as _;
use crate::monitor::{SiteClient as _, WriteCanary};
use crate::sim::ports::{SimDns, SimEyes};

/// Time from one probe to the next.
const INTERVAL: Duration = Duration::from_secs(5);
/// A probe that takes longer has failed.
const TIMEOUT: Duration = Duration::from_secs(1);
/// So many failures in a row are an outage.
const FAILURES: u32 = 3;

/// The prober.
pub(super) struct ThreeProbes {
    pub(super) eyes: SimEyes,
    pub(super) dns: SimDns,
}

impl ThreeProbes {
    /// Probes for ever; the first probe comes after `phase`.
    pub(super) async fn run(self, phase: Duration) {
        tokio::time::sleep(phase).await;
        let mut ticks = interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut active, mut failures) = (None, 0);
        loop {
            ticks.tick().await;
            if active.is_none() {
                active = self.named().await;
            }
            let Some(member) = active else { continue };
            if answers(&self.eyes, member, TIMEOUT).await {
                failures = 0;
                continue;
            }
            failures += 1;
            // A change that fails is tried again with the next probe that fails.
            if failures >= FAILURES
                && let Some(next) = self.next(member).await
                && self.dns.upsert(next).await.is_ok()
            {
                (active, failures) = (Some(next), 0);
            }
        }
    }

    /// The member that the record names, if it can be read.
    async fn named(&self) -> Option<usize> {
        let state = self.dns.read().await.ok()?;
        let record = state.record?;
        self.dns.gate.world.layout.member_of_value(self.dns.service, record.values.first()?)
    }

    /// The next member that answers.
    async fn next(&self, active: usize) -> Option<usize> {
        let members = self.eyes.gate.world.layout.members.len();
        for step in 1..members {
            let member = (active + step) % members;
            if answers(&self.eyes, member, TIMEOUT).await {
                return Some(member);
            }
        }
        None
    }
}

/// Whether every address of a member answers a PING in time.
pub(super) async fn answers(eyes: &SimEyes, member: usize, timeout: Duration) -> bool {
    let site = eyes.gate.world.layout.member_name(member).clone();
    let seen = eyes.look(&site, timeout, WriteCanary::Skip).await;
    seen.targets.iter().all(|target| target.ping.is_ok())
}
