//! Draws one fault: what breaks, when, for how long, and what mends it.

use std::time::Duration;

use super::incident::{Fault, MENDED_AT};
use crate::sim::chance::Chance;
use crate::sim::language::{
    AgentState, Answer, ClientErrors, ClockChange, ControlState, DnsState, FenceEdit, Fingerprint, Happening,
    Lag, LeaseState, LinkState, NetworkPath, NetworkState, Order, Place, Ports, Power, RecordEdit,
    RedisState, Seers, Side, Step, Token, Trigger, Webhook, When, Who, World,
};
use crate::types::{AgentName, AlertState, Ratio, RecordName, SiteName};

/// What breaks, and what mends it.
type Pair = (Vec<Happening>, Vec<Happening>);

/// Times are drawn in steps of this: what is printed is then the same.
const GRAIN: Duration = Duration::from_millis(100);

/// Draws one fault.
pub(super) fn fault(world: &World, chance: &mut Chance) -> Fault {
    let (breaks, mends) = pair(world, chance);
    let at = if chance.happens(0.3) {
        When::On(trigger(world, chance))
    } else {
        When::At(time(MENDED_AT, chance))
    };
    let lasts = chance.happens(0.5).then(|| time(Duration::from_secs(90), chance));
    Fault { at, breaks, mends, lasts }
}

/// Draws an outage of the active site that lasts until all is mended.
pub(super) fn outage(world: &World, chance: &mut Chance) -> Fault {
    let site = world.active.clone();
    let redis = |is| Happening::Redis {
        site: site.clone(),
        is,
        targets: Vec::new(),
        to: Seers::Everybody,
        service: None,
    };
    let power = |is| Happening::Datacenter { name: site.clone(), is };
    let (breaks, mends) = match chance.below(10) {
        0..6 => (redis(RedisState::Dead), redis(RedisState::Up)),
        6..8 => (redis(RedisState::Hung), redis(RedisState::Up)),
        _ => (power(Power::Dark), power(Power::Back)),
    };
    let at = When::At(time(MENDED_AT / 4, chance));
    Fault { at, breaks: vec![breaks], mends: vec![mends], lasts: None }
}

fn time(limit: Duration, chance: &mut Chance) -> Duration {
    let steps = limit.as_millis() / GRAIN.as_millis();
    GRAIN * u32::try_from(chance.below(usize::try_from(steps).unwrap_or(1))).unwrap_or(0)
}

fn trigger(world: &World, chance: &mut Chance) -> Trigger {
    let (_, step) = Step::WORDS[chance.below(Step::WORDS.len())];
    Trigger {
        agent: chance.happens(0.3).then(|| agent(world, chance)),
        step,
        side: if chance.happens(0.5) { Side::Before } else { Side::After },
        nth: if chance.happens(0.8) { 1 } else { 2 },
        delay: if chance.happens(0.8) { Duration::ZERO } else { time(Duration::from_secs(2), chance) },
    }
}

fn pair(world: &World, chance: &mut Chance) -> Pair {
    match chance.below(100) {
        0..30 => redis(world, chance),
        30..36 => datacenter(world, chance),
        36..48 => network(world, chance),
        48..64 => agents(world, chance),
        64..68 => clock(world, chance),
        68..77 => dns(chance),
        77..81 => lease(world, chance),
        81..83 => edit(world, chance),
        83..89 => person(world, chance),
        89..93 => alert(world, chance),
        93..96 if world.enterprise => control(world, chance),
        _ => around(world, chance),
    }
}

fn member(world: &World, chance: &mut Chance) -> SiteName {
    // What happens to the active site is what most depends on.
    if chance.happens(0.7) {
        world.active.clone()
    } else {
        world.members[chance.below(world.members.len())].clone()
    }
}

fn agent(world: &World, chance: &mut Chance) -> AgentName {
    world.agents[chance.below(world.agents.len())].name.clone()
}

fn who(world: &World, chance: &mut Chance) -> Who {
    match chance.below(10) {
        0 => Who::All,
        1..4 => Who::Leader,
        _ => Who::Named(agent(world, chance)),
    }
}

fn redis(world: &World, chance: &mut Chance) -> Pair {
    let site = member(world, chance);
    let answer = Answer::WORDS[chance.below(Answer::WORDS.len())].1;
    let losing = Ratio::clamped(chance.below(100) as f64 / 100.0);
    let is = match chance.below(20) {
        0..8 => RedisState::Dead,
        8..11 => RedisState::Hung,
        11..13 => RedisState::Silent,
        13 => RedisState::Unresolvable,
        14 => RedisState::Slow(time(Duration::from_secs(4), chance)),
        15..17 => RedisState::Losing(losing),
        _ => RedisState::Answering(answer),
    };
    let targets =
        if world.targets > 1 && chance.happens(0.5) { vec![chance.below(world.targets)] } else { Vec::new() };
    let to = match chance.below(20) {
        0 => Seers::Agents,
        1 => Seers::Clients,
        2 => Seers::Named(vec![agent(world, chance)]),
        _ => Seers::Everybody,
    };
    let state = |is, targets, to| Happening::Redis { site: site.clone(), is, targets, to, service: None };
    if chance.happens(0.08) {
        let left = time(Duration::from_secs(120), chance);
        let loading = Happening::Loading { site: site.clone(), left, service: None };
        return (vec![loading], vec![state(RedisState::Up, Vec::new(), Seers::Everybody)]);
    }
    (vec![state(is, targets, to)], vec![state(RedisState::Up, Vec::new(), Seers::Everybody)])
}

fn datacenter(world: &World, chance: &mut Chance) -> Pair {
    let name = world.datacenters[chance.below(world.datacenters.len())].clone();
    let state = |is| vec![Happening::Datacenter { name: name.clone(), is }];
    (state(Power::Dark), state(Power::Back))
}

fn place(world: &World, chance: &mut Chance) -> Place {
    if chance.happens(0.5) {
        Place::Agent(agent(world, chance))
    } else {
        Place::Datacenter(world.datacenters[chance.below(world.datacenters.len())].clone())
    }
}

fn network(world: &World, chance: &mut Chance) -> Pair {
    let (one, other) = (place(world, chance), place(world, chance));
    let path = if one == other || chance.happens(0.4) {
        NetworkPath::Around(one)
    } else {
        NetworkPath::Between(one, other)
    };
    let losing = Ratio::clamped(chance.below(100) as f64 / 100.0);
    let is = match chance.below(6) {
        0..3 => NetworkState::Cut,
        3 => NetworkState::Rejected,
        4 => NetworkState::Losing(losing),
        _ => NetworkState::Slow(time(Duration::from_secs(2), chance)),
    };
    let only = if chance.happens(0.2) { Ports::Redis } else { Ports::All };
    let state = |is| vec![Happening::Network { path: path.clone(), is, only }];
    (state(is), state(NetworkState::Back))
}

fn agents(world: &World, chance: &mut Chance) -> Pair {
    // Who is killed must be the one who is started: a leader may be another one by then.
    let who = if chance.happens(0.15) { Who::All } else { Who::Named(agent(world, chance)) };
    let state = |is| Happening::Agent { who: who.clone(), is };
    let late = time(Duration::from_secs(5), chance);
    match chance.below(10) {
        0..4 => (vec![state(AgentState::Killed)], vec![state(AgentState::Started)]),
        4..7 => (vec![state(AgentState::Frozen)], vec![state(AgentState::Running)]),
        7 => (vec![state(AgentState::DiskFull)], vec![state(AgentState::DiskOk)]),
        8 => (vec![state(AgentState::Late(late))], vec![state(AgentState::Running)]),
        _ if chance.happens(0.2) => {
            let damaged = vec![state(AgentState::JournalDamaged), state(AgentState::Killed)];
            (damaged, vec![state(AgentState::Started)])
        }
        _ => (vec![state(AgentState::ResolverDead)], vec![state(AgentState::ResolverOk)]),
    }
}

fn clock(world: &World, chance: &mut Chance) -> Pair {
    // One that is named, so that the same one is set right again.
    let who = if chance.happens(0.1) { Who::All } else { Who::Named(agent(world, chance)) };
    let by = GRAIN + time(Duration::from_secs(7200), chance);
    let (jumps, returns) = match chance.happens(0.5) {
        true => (ClockChange::Ahead(by), ClockChange::Back(by)),
        false => (ClockChange::Back(by), ClockChange::Ahead(by)),
    };
    let clock = |change| vec![Happening::Clock { who: who.clone(), change }];
    (clock(jumps), clock(returns))
}

fn dns(chance: &mut Chance) -> Pair {
    let state = match chance.below(10) {
        0 => DnsState::Throttled(1 + u32::try_from(chance.below(12)).unwrap_or(0)),
        1 => DnsState::Busy(time(Duration::from_secs(20), chance)),
        2 | 3 => DnsState::ReplyLostAfter,
        4 | 5 => DnsState::ReplyLostBefore,
        6 => DnsState::Denied,
        7 => DnsState::Unavailable,
        8 => DnsState::ArrivesLate(GRAIN + time(Duration::from_secs(12), chance)),
        _ => DnsState::Pending,
    };
    (vec![Happening::Dns(state)], vec![Happening::Dns(DnsState::Up)])
}

fn lease(world: &World, chance: &mut Chance) -> Pair {
    let up = vec![Happening::Lease(LeaseState::Up)];
    let state = match chance.below(3) {
        0 => LeaseState::Down,
        1 => LeaseState::HeldBy(some_agents(world, chance)),
        _ => LeaseState::MovedTo(agent(world, chance)),
    };
    (vec![Happening::Lease(state)], up)
}

/// Two agents that follow each other in the world's list; one where there is one.
fn some_agents(world: &World, chance: &mut Chance) -> Vec<AgentName> {
    let first = chance.below(world.agents.len());
    let names = world.agents.iter().cycle().skip(first).take(world.agents.len().min(2));
    names.map(|agent| agent.name.clone()).collect()
}

/// Somebody else's hand: nothing mends it but a person.
fn edit(world: &World, chance: &mut Chance) -> Pair {
    let edited = match chance.below(4) {
        0 => Happening::Fence { edit: FenceEdit::Missing, service: None },
        1 => {
            let text = format!("v=1;owner=x;epoch=99;active={0};from={0};at=1;decision=x", world.active);
            Happening::Fence { edit: FenceEdit::Text(text), service: None }
        }
        2 => {
            let site = world.members[chance.below(world.members.len())].clone();
            Happening::Record { value: Some(RecordEdit::Site(site)), ttl: None, service: None }
        }
        _ => {
            let value = RecordName::new("elsewhere.example.org").ok().map(RecordEdit::Other);
            Happening::Record { value, ttl: None, service: None }
        }
    };
    (vec![edited], Vec::new())
}

fn person(world: &World, chance: &mut Chance) -> Pair {
    let order = |does, who| Happening::Operator { does, who, service: None };
    let lasts = GRAIN * 10 + time(Duration::from_secs(300), chance);
    let site = world.members[chance.below(world.members.len())].clone();
    match chance.below(6) {
        0 | 1 => (vec![order(Order::Pause, Who::All)], vec![order(Order::Resume, Who::All)]),
        2 => (vec![order(Order::Ack, Who::All)], Vec::new()),
        3 | 4 => (vec![order(Order::Failover(site), who(world, chance))], Vec::new()),
        _ => {
            let of = if chance.happens(0.8) { Some(site) } else { None };
            // Whole seconds are what the language can say.
            let lasts = Duration::from_secs(lasts.as_secs().max(1));
            (vec![order(Order::Maintenance(of, lasts), Who::All)], Vec::new())
        }
    }
}

fn alert(world: &World, chance: &mut Chance) -> Pair {
    let state = if chance.happens(0.8) { AlertState::Firing } else { AlertState::Resolved };
    let webhook = Webhook {
        to: vec![if chance.happens(0.7) { Who::All } else { Who::Named(agent(world, chance)) }],
        alert: "RedisDown".to_owned(),
        state,
        site: chance.happens(0.8).then(|| member(world, chance)),
        starts: None,
        token: if chance.happens(0.9) { Token::Good } else { Token::Bad },
        times: if chance.happens(0.8) { 1 } else { 40 },
        over: time(Duration::from_secs(10), chance),
        fingerprint: if chance.happens(0.7) { Fingerprint::Same } else { Fingerprint::Random },
        service: None,
        body: None,
    };
    (vec![Happening::Webhook(webhook)], Vec::new())
}

fn control(world: &World, chance: &mut Chance) -> Pair {
    let site = member(world, chance);
    let code = |code: &str| ControlState::Status { status: 503, code: Some(code.to_owned()) };
    let is = match chance.below(6) {
        0 => ControlState::Dead,
        1 => ControlState::Hung,
        2 => code("no_quorum"),
        3 => code("bdb_unavailable"),
        4 => ControlState::Status { status: 401, code: None },
        _ => ControlState::Malformed,
    };
    let state = |is| vec![Happening::Control { site: site.clone(), is }];
    (state(is), state(ControlState::Up))
}

fn around(world: &World, chance: &mut Chance) -> Pair {
    let site = world.members[chance.below(world.members.len())].clone();
    let share = Ratio::clamped(chance.below(101) as f64 / 100.0);
    let clients = |errors| Happening::Clients { site: None, errors };
    match chance.below(5) {
        0 => {
            let is = if chance.happens(0.5) {
                Lag::Unknown
            } else {
                Lag::Behind(time(Duration::from_secs(90), chance))
            };
            let whole = Happening::Lag { site: site.clone(), is: Lag::Behind(world.lag) };
            (vec![Happening::Lag { site, is }], vec![whole])
        }
        1 => {
            let percent = u32::try_from(chance.below(140)).unwrap_or(0).max(1);
            let whole = Happening::Memory { site: site.clone(), percent: world.memory_percent };
            (vec![Happening::Memory { site, percent }], vec![whole])
        }
        2 => {
            let link = |is| vec![Happening::Link { site: site.clone(), is }];
            (link(LinkState::Down), link(LinkState::Up))
        }
        3 => (vec![clients(ClientErrors::Share(share))], vec![clients(ClientErrors::Measured)]),
        _ => (vec![clients(ClientErrors::Unknown)], vec![clients(ClientErrors::Measured)]),
    }
}
