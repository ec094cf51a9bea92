//! What goes wrong in each kind of incident: begin, degree and length are drawn, and all is mended in the end.

use std::time::Duration;

use super::mix::Kind;
use crate::sim::chance::Chance;
use crate::sim::language::{
    AgentState, Answer, ControlState, DnsState, Event, Happening, NetworkPath, NetworkState, Place, Ports,
    Power, RedisState, Seers, When, Who, World,
};
use crate::types::{AgentName, Ratio, SiteName};

const S: Duration = Duration::from_secs(1);
/// Times are drawn in steps of this.
const GRAIN: Duration = Duration::from_millis(100);
/// A fault begins so long after time 0 at most.
const BEGINS_MAX: Duration = Duration::from_secs(60);
/// How long an outage lasts that does not mend itself.
const LONG: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(600));

/// Draws what goes wrong.
pub(super) fn timeline(kind: Kind, world: &World, chance: &mut Chance) -> Vec<Event> {
    let mut plan = Plan { world, begin: time(S, BEGINS_MAX, chance), events: Vec::new() };
    let active = world.active.clone();
    let lasts = length(LONG, chance);
    match kind {
        Kind::Dead => plan.redis(&active, RedisState::Dead, lasts),
        Kind::Restart => restart(&mut plan, &active, chance),
        Kind::Hung => plan.redis(&active, RedisState::Hung, lasts),
        Kind::Freezes => freezes(&mut plan, &active, chance),
        Kind::Dark => {
            let power = |is| Happening::Datacenter { name: active.clone(), is };
            plan.during(lasts, power(Power::Dark), power(Power::Back));
        }
        Kind::Isolated => plan.around(&active, NetworkState::Cut, lasts),
        Kind::Slow => {
            let by = time(S / 2, S * 3, chance);
            plan.redis(&active, RedisState::Slow(by), lasts);
        }
        Kind::Sluggish => {
            let by = time(S / 20, S * 3 / 10, chance);
            plan.redis(&active, RedisState::Slow(by), lasts);
        }
        Kind::Flapping => flapping(&mut plan, &active, chance),
        Kind::Refusing => plan.redis(&active, RedisState::Answering(refusal(chance)), lasts),
        Kind::Loss => {
            let share = Ratio::clamped((5 + chance.below(26)) as f64 / 100.0);
            plan.around(&active, NetworkState::Losing(share), lasts);
        }
        Kind::PathCut => {
            let (observer, _) = outside(world, chance);
            let path = NetworkPath::Between(Place::Agent(observer), Place::Datacenter(active));
            plan.network(&path, NetworkState::Cut, lasts);
        }
        Kind::PlaceCut => {
            let (_, place) = outside(world, chance);
            plan.around(&place, NetworkState::Cut, lasts);
        }
        Kind::AllDead => world.members.iter().for_each(|site| plan.redis(site, RedisState::Dead, lasts)),
        Kind::Unfit => unfit(&mut plan, &active, lasts, chance),
        Kind::StandbyDead => plan.redis(&standby(world), RedisState::Dead, lasts),
        Kind::Observer => observer(&mut plan, lasts, chance),
        Kind::DnsTrouble => {
            let state = if chance.happens(0.5) { DnsState::Unavailable } else { DnsState::Throttled(20) };
            plan.during(lasts / 2, Happening::Dns(state), Happening::Dns(DnsState::Up));
            plan.redis(&active, RedisState::Dead, lasts);
        }
        Kind::Credentials => {
            let refused = RedisState::Answering(Answer::Auth);
            for site in &world.members {
                let state = |is, to| redis(site, is, to);
                let up = state(RedisState::Up, Seers::Everybody);
                plan.during(lasts, state(refused, Seers::Agents), up);
            }
        }
        Kind::ControlPlane => {
            let state = |is| Happening::Control { site: active.clone(), is };
            let no_quorum = ControlState::Status { status: 503, code: Some("no_quorum".to_owned()) };
            let is = if chance.happens(0.5) { ControlState::Dead } else { no_quorum };
            plan.during(lasts, state(is), state(ControlState::Up));
        }
    }
    plan.events
}

/// Events that are being put together.
struct Plan<'a> {
    world: &'a World,
    begin: Duration,
    events: Vec<Event>,
}

impl Plan<'_> {
    fn at(&mut self, at: Duration, what: Happening) {
        self.events.push(Event { at: When::At(at), what });
    }

    fn during(&mut self, lasts: Duration, breaks: Happening, mends: Happening) {
        self.at(self.begin, breaks);
        self.at(self.begin + lasts, mends);
    }

    fn redis(&mut self, site: &SiteName, is: RedisState, lasts: Duration) {
        let state = |is| redis(site, is, Seers::Everybody);
        self.during(lasts, state(is), state(RedisState::Up));
    }

    fn network(&mut self, path: &NetworkPath, is: NetworkState, lasts: Duration) {
        let state = |is| Happening::Network { path: path.clone(), is, only: Ports::All };
        self.during(lasts, state(is), state(NetworkState::Back));
    }

    fn around(&mut self, place: &SiteName, is: NetworkState, lasts: Duration) {
        self.network(&NetworkPath::Around(Place::Datacenter(place.clone())), is, lasts);
    }
}

fn restart(plan: &mut Plan<'_>, site: &SiteName, chance: &mut Chance) {
    let (down, left) = (time(S * 2, S * 6, chance), time(S, S * 45, chance));
    let begin = plan.begin;
    plan.at(begin, redis(site, RedisState::Dead, Seers::Everybody));
    plan.at(begin + down, Happening::Loading { site: site.clone(), left, service: None });
    plan.at(begin + down + left, redis(site, RedisState::Up, Seers::Everybody));
}

fn freezes(plan: &mut Plan<'_>, site: &SiteName, chance: &mut Chance) {
    for _ in 0..=chance.below(3) {
        let lasts = length((S * 2, S * 25), chance);
        plan.redis(site, RedisState::Hung, lasts);
        plan.begin += lasts + time(S * 60, S * 150, chance);
    }
}

fn flapping(plan: &mut Plan<'_>, site: &SiteName, chance: &mut Chance) {
    for _ in 0..4 + chance.below(7) {
        let lasts = time(S * 10, S * 40, chance);
        plan.redis(site, RedisState::Dead, lasts);
        plan.begin += lasts + time(S * 5, S * 25, chance);
    }
}

/// The first standby is unfit from before the active site dies until after it is back.
fn unfit(plan: &mut Plan<'_>, active: &SiteName, lasts: Duration, chance: &mut Chance) {
    let site = standby(plan.world);
    let is = match chance.below(3) {
        0 => RedisState::Dead,
        1 => RedisState::Hung,
        _ => RedisState::Answering(refusal(chance)),
    };
    let before = time(S, S * 60, chance);
    plan.redis(&site, is, before + lasts + S);
    plan.begin += before;
    plan.redis(active, RedisState::Dead, lasts);
}

fn observer(plan: &mut Plan<'_>, lasts: Duration, chance: &mut Chance) {
    let agents = &plan.world.agents;
    let who = Who::Named(agents[chance.below(agents.len())].name.clone());
    let state = |is| Happening::Agent { who: who.clone(), is };
    let (breaks, mends) = if chance.happens(0.5) {
        (AgentState::Killed, AgentState::Started)
    } else {
        (AgentState::Frozen, AgentState::Running)
    };
    plan.during(lasts, state(breaks), state(mends));
}

/// How a Redis refuses writes that still answers PING.
fn refusal(chance: &mut Chance) -> Answer {
    [Answer::Misconf, Answer::Oom, Answer::Readonly, Answer::Noreplicas][chance.below(4)]
}

/// The site that is next in order.
fn standby(world: &World) -> SiteName {
    world.members[1].clone()
}

/// An observer, and its place, outside the active site's datacenter.
fn outside(world: &World, chance: &mut Chance) -> (AgentName, SiteName) {
    let all: Vec<_> = world.agents.iter().filter(|agent| agent.datacenter != world.active).collect();
    let drawn = all[chance.below(all.len())];
    (drawn.name.clone(), drawn.datacenter.clone())
}

fn redis(site: &SiteName, is: RedisState, to: Seers) -> Happening {
    Happening::Redis { site: site.clone(), is, targets: Vec::new(), to, service: None }
}

/// A time, each as likely as another.
fn time(least: Duration, most: Duration, chance: &mut Chance) -> Duration {
    whole(least + chance.time(most - least))
}

/// A length: short ones are as many more than long ones as they are shorter.
fn length((least, most): (Duration, Duration), chance: &mut Chance) -> Duration {
    let ratio = most.as_secs_f64() / least.as_secs_f64();
    whole(least.mul_f64(ratio.powf(chance.share())))
}

fn whole(time: Duration) -> Duration {
    GRAIN * u32::try_from(time.as_millis() / GRAIN.as_millis()).unwrap_or(u32::MAX)
}
