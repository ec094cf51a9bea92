//! The order that follows every switch, and the split brain it guards against.

use super::decision::StandingOrder;
use super::evidence::{Evidence, RecordReading};
use super::fitness::promotes;
use super::policy::fence_of;
use crate::config::{Service, Topology};
use crate::types::{Fence, RecordState, Role, SiteName, Snapshot, TargetSnapshot};

/// How many sites accept writes, where only one may: those that claim to, but for those that are held back.
pub(super) fn writable_primaries(service: &Service, evidence: &Evidence) -> usize {
    match service.topology {
        Topology::ActiveActive => 1,
        Topology::Replication => claims(evidence),
        // Where no cluster is asked, nobody says what a site is.
        Topology::ReplicaOf => claims(evidence).max(1),
    }
}

fn claims(evidence: &Evidence) -> usize {
    let is_held = |seen: &Snapshot| evidence.controls.held.contains(&seen.site);
    evidence.snapshots.iter().filter(|seen| claims_primary(seen) && !is_held(seen)).count()
}

/// Whether old primaries can be kept from taking writes: of a Replica Of only by their clusters.
fn can_hold(service: &Service) -> bool {
    match service.topology {
        Topology::ActiveActive => false,
        Topology::Replication => true,
        Topology::ReplicaOf => promotes(service),
    }
}

pub(super) fn claims_primary(seen: &Snapshot) -> bool {
    seen.targets.iter().any(|t| t.facts.as_ref().is_ok_and(|f| f.role == Some(Role::Primary)))
}

/// The sites that were held back and have become replicas: a person has demoted them. A pause would keep what they
/// replicate waiting as well.
pub(super) fn demoted(evidence: &Evidence) -> Vec<SiteName> {
    let is_replica =
        |t: &TargetSnapshot| t.facts.as_ref().is_ok_and(|facts| facts.role == Some(Role::Replica));
    let is_demoted = |site: &&SiteName| {
        evidence
            .snapshot(site)
            .is_some_and(|seen| !seen.targets.is_empty() && seen.targets.iter().all(is_replica))
    };
    evidence.controls.held.iter().filter(is_demoted).cloned().collect()
}

/// Whether the fence tells which site was left: no switch is under way, or it has changed the name already. Before
/// that, the site that was left last may be the very target of the switch.
pub(super) fn is_settled(fence: Option<&Fence>, evidence: &Evidence) -> bool {
    let controls = &evidence.controls;
    let has_moved = |f: &Fence| f.intent.is_none() && controls.switching_to.as_ref() == Some(&f.active);
    !controls.is_switching || fence.is_some_and(has_moved)
}

/// The same order while the fence does not tell who is active. Where the record itself names a primary, a site that this
/// installation has left must not take writes beside it, whoever removed or overwrote the fence.
pub(super) fn orders_by_record(service: &Service, evidence: &Evidence) -> Vec<StandingOrder> {
    let controls = &evidence.controls;
    let RecordReading::Seen(view) = &evidence.record else { return Vec::new() };
    let Some(known) = controls.known_epoch else { return Vec::new() };
    let is_one = view.state.parted().is_none();
    if !can_hold(service) || controls.is_switching || !is_one || !is_void(&view.state, known, evidence) {
        return Vec::new();
    }
    let claims = |site: &SiteName| evidence.snapshot(site).is_some_and(claims_primary);
    let named = view.state.record.as_ref().and_then(|set| service.site_of(&set.values));
    let Some(named) = named.filter(|site| claims(&site.name)) else { return Vec::new() };
    let sites = service.sites.iter().map(|site| &site.name);
    sites
        .filter(|site| **site != named.name && controls.left.contains(site) && claims(site))
        .map(|site| StandingOrder { pause: site.clone() })
        .collect()
}

/// Whether a fence is nobody's word: it is gone or damaged, or it is not the one that was known, and has halted the service.
/// One of this installation that is under way or news may be the next step of a switch, whose target must not be held.
fn is_void(state: &RecordState, known: u64, evidence: &Evidence) -> bool {
    match fence_of(state) {
        Err(_) | Ok(None) => true,
        Ok(Some(fence)) => {
            let is_step = evidence.is_ours(&fence.owner) && fence.epoch > known;
            evidence.controls.halted.is_some() && fence.intent.is_none() && !is_step
        }
    }
}

/// The same order while two zones of the record do not agree because a switch came to its end between them. The zone that
/// changes first names the site that was moved to; while that says that it is a primary, the one that the same switch
/// has left must not take writes beside it.
pub(super) fn orders_between_zones(service: &Service, evidence: &Evidence) -> Vec<StandingOrder> {
    let RecordReading::Seen(view) = &evidence.record else { return Vec::new() };
    let Some((first, second)) = view.state.parted() else { return Vec::new() };
    let (moved, claimed) = (fence_of(&first).ok().flatten(), fence_of(&second).ok().flatten());
    let Some((moved, claimed)) = moved.zip(claimed) else { return Vec::new() };
    let is_half = moved.decision == claimed.decision
        && moved.epoch > claimed.epoch
        && moved.intent.is_none()
        && claimed.intent.as_ref() == Some(&moved.active);
    let named = first.record.as_ref().and_then(|set| service.site_of(&set.values));
    let is_named = named.is_some_and(|site| site.name == moved.active);
    if !can_hold(service)
        || evidence.controls.is_switching
        || !(evidence.is_ours(&moved.owner) && is_half && is_named)
    {
        return Vec::new();
    }
    let claims = |site: &SiteName| evidence.snapshot(site).is_some_and(claims_primary);
    match claims(&moved.active) && claims(&moved.from) {
        true => vec![StandingOrder { pause: moved.from }],
        false => Vec::new(),
    }
}

/// The order that follows every switch: each site that was ever left is paused while it claims to be a primary.
pub(super) fn standing_orders(
    fence: &Fence,
    active: Option<&SiteName>,
    service: &Service,
    evidence: &Evidence,
) -> Vec<StandingOrder> {
    let Some(active) = active else { return Vec::new() };
    if !can_hold(service) {
        return Vec::new();
    }
    let was_left = |site: &SiteName| *site == fence.from || evidence.controls.left.contains(site);
    let claims = |site: &SiteName| evidence.snapshot(site).is_some_and(claims_primary);
    let sites = service.sites.iter().map(|site| &site.name);
    sites
        .filter(|site| *site != active && was_left(site) && claims(site))
        .map(|site| StandingOrder { pause: site.clone() })
        .collect()
}
