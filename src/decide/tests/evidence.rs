//! Which sets of evidence reach which verdict: the tables of `docs/evidence.md`, played through the core.

use super::world::{World, alert, gap, millis, secs, site, vetoes};
use crate::config::{Maintenance, Mode, Promote, Topology};
use crate::decide::{Decision, Group, Leadership, Verdict};
use crate::types::{Check, CheckKind, ControlPlane, GapReason, Ratio, VantageAnswer};

/// What may agree with the probes.
const BESIDE_PROBES: [Group; 6] =
    [Group::Control, Group::Peer, Group::Client, Group::Domain, Group::Alert, Group::Anomaly];
const TOPOLOGIES: [Topology; 3] = [Topology::ActiveActive, Topology::ReplicaOf, Topology::Replication];
/// Rounds in which all is well: enough for a steady stability of the standby.
const CALM_ROUNDS: usize = 100;
/// Rounds of the outage: longer than a silent site is waited for.
const OUTAGE_ROUNDS: usize = 30;

/// What the probes meet at the active site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scene {
    /// The process is gone: its host refuses connections.
    Dead,
    /// Nothing there answers.
    Silent,
}

/// Where the agent that decides stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    OfItsOwn,
    BesideStandby,
}

/// Each generated table of the page, by its name.
pub(crate) fn tables() -> Vec<(&'static str, String)> {
    let mut tables: Vec<_> = TOPOLOGIES.iter().map(|t| (t.as_str(), of_topology(*t))).collect();
    tables.push(("conditions", conditions()));
    tables
}

fn of_topology(topology: Topology) -> String {
    let mut text = "| with the probes agree | dead: 1 | 2 | 3+ | silent: 1 | 2 | 3+ |\n".to_owned();
    text += "|---|---|---|---|---|---|---|\n";
    for groups in sets() {
        let named: Vec<&str> = groups.iter().map(|group| group.as_str()).collect();
        let named = if named.is_empty() { "nothing".to_owned() } else { named.join(" + ") };
        let cells: Vec<String> = [Scene::Dead, Scene::Silent]
            .into_iter()
            .flat_map(|scene| (1..=3).map(move |domains| (scene, domains)))
            .map(|(scene, domains)| cell(topology, &groups, scene, domains))
            .collect();
        text += &format!("| {named} | {} |\n", cells.join(" | "));
    }
    text
}

/// None, each one, each pair.
fn sets() -> Vec<Vec<Group>> {
    let ones = BESIDE_PROBES.iter().map(|group| vec![*group]);
    let pairs = BESIDE_PROBES.iter().enumerate().flat_map(|(position, first)| {
        BESIDE_PROBES[position + 1..].iter().map(move |second| vec![*first, *second])
    });
    std::iter::once(Vec::new()).chain(ones).chain(pairs).collect()
}

fn cell(topology: Topology, groups: &[Group], scene: Scene, domains: usize) -> String {
    if scene == Scene::Dead && groups.contains(&Group::Domain) {
        // A host that refuses connections is not silent.
        return "–".to_owned();
    }
    let best = |place| word(strongest(&mut prepared(topology, groups, scene, domains, place)).verdict);
    let (own, beside) = (best(Place::OfItsOwn), best(Place::BesideStandby));
    if own == beside { own.to_owned() } else { format!("{own} ({beside})") }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Hold => "hold",
        Verdict::Recommend => "recommend",
        Verdict::Failover => "**automatic**",
        Verdict::Halt => "halt",
    }
}

/// A world in which all is well, and then the outage begins.
fn prepared(topology: Topology, groups: &[Group], scene: Scene, domains: usize, place: Place) -> World {
    let mut world = calm(topology, groups, domains, place);
    world.rounds(CALM_ROUNDS);
    strike(&mut world, groups, scene);
    world
}

fn calm(topology: Topology, groups: &[Group], domains: usize, place: Place) -> World {
    let mut world = World::pair(topology);
    if place == Place::BesideStandby {
        world.evidence.failure_domain = site("dc-b");
    }
    world.vantages(domains, &[("dc-x", Some(0.0)), ("dc-y", Some(0.0))][..domains - 1]);
    let has_cluster = topology != Topology::Replication || groups.contains(&Group::Control);
    for node in world.nodes.iter_mut().filter(|_| has_cluster) {
        node.control = Some(Ok(plane(None)));
    }
    if groups.contains(&Group::Domain) {
        world.node("dc-a").domain = vec![beside(Ok(millis(1)))];
    }
    world
}

fn plane(unavailable: Option<&str>) -> ControlPlane {
    let unavailable = unavailable.map(str::to_owned);
    let lag = Some(millis(200));
    let known = ControlPlane { lag, is_link_up: Some(true), is_fresh: Some(true), ..ControlPlane::default() };
    ControlPlane { unavailable, ..known }
}

fn beside(result: Result<std::time::Duration, crate::types::Gap>) -> Check {
    Check { name: "10.0.0.1:53".to_owned(), kind: CheckKind::Tcp, result }
}

/// The probes fail for every vantage, and the groups agree.
fn strike(world: &mut World, groups: &[Group], scene: Scene) {
    let has = |group| groups.contains(&group);
    let active = world.node("dc-a");
    match scene {
        Scene::Dead => {
            active.fail(GapReason::Refused);
            if has(Group::Control) {
                active.control = Some(Ok(plane(Some("bdb_unavailable"))));
            }
        }
        Scene::Silent => {
            active.fail(GapReason::Timeout);
            active.control = has(Group::Control).then(|| Err(gap(GapReason::Timeout)));
        }
    }
    if has(Group::Domain) {
        active.domain = vec![beside(Err(gap(GapReason::Timeout)))];
    }
    active.anomaly = has(Group::Anomaly).then_some(Ratio::ONE);
    if has(Group::Peer) {
        world.link(false);
        if let Some(Ok(plane)) = &mut world.node("dc-b").control {
            plane.is_link_up = Some(false);
        }
    }
    if has(Group::Client) {
        world.evidence.surroundings.client_errors = Some(Ok(Ratio::ONE));
    }
    if has(Group::Alert) {
        world.evidence.alerts = vec![alert("f1", secs(0))];
    }
    for vote in world.evidence.vantages.iter_mut().flat_map(votes) {
        vote.severity = Some(Ratio::ONE);
        vote.is_silent = scene == Scene::Silent;
        vote.is_domain_silent = has(Group::Domain).then_some(scene == Scene::Silent);
    }
}

fn votes(vantage: &mut VantageAnswer) -> impl Iterator<Item = &mut crate::types::Vote> {
    vantage.said.as_mut().ok().into_iter().flat_map(|report| &mut report.votes)
}

/// The decision that goes furthest while the outage lasts; the last such.
fn strongest(world: &mut World) -> Decision {
    let decisions = (0..OUTAGE_ROUNDS).map(|_| world.round());
    decisions.max_by_key(|decision| decision.verdict).unwrap()
}

/// What is taken away from an outage that all evidence agrees upon.
type Without = fn(&mut World);

/// Each condition: what is said of it, and how it is missing, before the outage and in it.
const CONDITIONS: [(&str, Without, Without); 18] = [
    ("nothing: all of it is in order", |_| {}, |_| {}),
    ("`mode` is `recommend`, the default", |w| w.service.mode = Mode::Recommend, |_| {}),
    ("`mode` is `observe`", |w| w.service.mode = Mode::Observe, |_| {}),
    ("`dry_run: true`", |w| w.service.dry_run = true, |_| {}),
    ("`maintenance` of the service, or `redrover maintenance`", maintained, |_| {}),
    ("`redrover pause`", |w| w.evidence.controls.is_paused = true, |_| {}),
    ("this agent does not lead, or nobody can say who does", unled, |_| {}),
    ("2 failure domains, without `policy.accept_fewer_vantages`", |w| few(w, false), |_| {}),
    ("2 failure domains, with it", |w| few(w, true), |_| {}),
    ("1 of 3 failure domains sees it serve", |_| {}, |w| serving(w, 1)),
    ("2 of 3 failure domains see it serve", |_| {}, |w| serving(w, 2)),
    ("`promote` is missing", |w| w.service.promote = None, |_| {}),
    ("no cluster API (`enterprise`, `database`)", unmanaged, |_| {}),
    ("the standby's lag was not known before the outage", lagless, |_| {}),
    ("the standby was `policy.rpo_hard` behind", lagging, lagging),
    (
        "the standby has no memory for the load",
        |_| {},
        |w| w.node("dc-b").facts().memory_max_bytes = Some(1 << 30),
    ),
    ("the old primary hangs, and cannot be fenced", |_| {}, hang),
    ("it hangs, and `promote.without_fencing: true`", unfenced, hang),
];

fn conditions() -> String {
    let mut text =
        "| what is not in order | active-active | replica-of | replication |\n|---|---|---|---|\n".to_owned();
    for (said, before, during) in CONDITIONS {
        let cells: Vec<String> = TOPOLOGIES
            .iter()
            .map(|topology| {
                let groups = [Group::Control, Group::Peer, Group::Client, Group::Alert];
                let groups = if *topology == Topology::Replication { &groups[1..] } else { &groups[..] };
                let mut world = calm(*topology, groups, 3, Place::OfItsOwn);
                world.service.policy.accept_fewer_vantages = false;
                before(&mut world);
                world.rounds(CALM_ROUNDS);
                let has_cluster = world.node("dc-a").control.is_some();
                strike(&mut world, groups, Scene::Dead);
                if !has_cluster {
                    world.node("dc-a").control = None;
                }
                during(&mut world);
                reached(&strongest(&mut world))
            })
            .collect();
        text += &format!("| {said} | {} |\n", cells.join(" | "));
    }
    text
}

fn reached(decision: &Decision) -> String {
    let against: Vec<String> = vetoes(decision).iter().map(|label| format!("`{label}`")).collect();
    match against.is_empty() {
        true => word(decision.verdict).to_owned(),
        false => format!("{}: {}", word(decision.verdict), against.join(", ")),
    }
}

fn maintained(world: &mut World) {
    world.service.maintenance = vec![Maintenance { site: None, from_unix_ms: 0, until_unix_ms: i64::MAX }];
}

fn unled(world: &mut World) {
    world.evidence.controls.leadership = Leadership::Follows;
}

fn few(world: &mut World, is_accepted: bool) {
    world.evidence.vantages.truncate(1);
    world.service.policy.accept_fewer_vantages = is_accepted;
}

fn serving(world: &mut World, count: usize) {
    for vote in world.evidence.vantages.iter_mut().take(count).flat_map(votes) {
        vote.severity = Some(Ratio::ZERO);
        vote.is_silent = false;
    }
}

fn unmanaged(world: &mut World) {
    world.nodes.iter_mut().for_each(|node| node.control = None);
}

fn lagless(world: &mut World) {
    world.node("dc-b").facts().offset_bytes = None;
    if let Some(Ok(plane)) = &mut world.node("dc-b").control {
        plane.lag = None;
    }
}

fn lagging(world: &mut World) {
    // So many rounds of writes are missing, and the cluster says so too.
    world.behind_bytes = 10 * world.round_bytes;
    let behind = world.service.policy.rpo_hard;
    if let Some(Ok(plane)) = &mut world.node("dc-b").control {
        plane.lag = Some(behind);
    }
}

fn hang(world: &mut World) {
    world.node("dc-a").fail(GapReason::Timeout);
    world.node("dc-a").domain = vec![beside(Ok(millis(1)))];
}

fn unfenced(world: &mut World) {
    if world.service.promote.is_some() {
        world.service.promote = Some(Promote::Replicaof { without_fencing: true });
    }
}
