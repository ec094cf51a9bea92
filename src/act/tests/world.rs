//! The world in memory: a record with true compare-and-swap, two sites, a clock, and all that can go wrong with them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;

use super::fuse::Fuse;
use crate::act::dns::{Answer, Dns, DnsError, Receipt, RecordChange, SendBy};
use crate::act::hook::{HookError, HookPoint};
use crate::act::{CurrentService, Promote, PromoteError};
use crate::config::Service;
use crate::decide::Plan;
use crate::decide::saga::Fencing;
use crate::lead::{Election, Standing, Term};
use crate::monitor::{SiteClient, WriteCanary};
use crate::store::OperatorAction;
use crate::types::*;

/// Where the old primary's stream of replication stands.
const HEAD_BYTES: u64 = 1000;

/// What a reload leaves of a service; nothing when it is gone.
pub(super) type Later = fn(Service) -> Option<Service>;

/// What happens to one change; without one it just works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DnsFault {
    None,
    Throttled,
    Denied,
    /// The answer is lost, and the change was not applied.
    LostBefore,
    /// The answer is lost, and the change was applied.
    LostAfter,
    /// As before, and the provider cannot be read either.
    BlindBefore,
    /// As before, and the provider cannot be read either.
    BlindAfter,
    /// Somebody else edits the fence between our read and our write.
    Foreign,
}

/// What the old primary does when it is to be paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Old {
    /// It does all that it should.
    Healthy,
    Alive,
    Gone,
    Unfenceable,
}

/// What happens to the order of promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Promotion {
    Works,
    FailsBefore,
    FailsAfter,
    /// It fails, is applied, and the target answers nobody any more.
    Unknown,
    /// One of the site's two targets is promoted, the other is not.
    Half,
    /// Nobody waits for it any more, and it may still happen.
    MayCome,
    /// So many orders in a row get no answer, and are not carried out so far.
    Doubtful(u32),
    /// The order gets no answer, and takes effect so much later.
    Late(Duration),
}

/// What was done, in order.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Event {
    Wrote(String),
    Failed,
    Changed(RecordState),
    Foreign,
    Fenced,
    /// A look found the old primary serving.
    Served,
    Promoted {
        fence: String,
    },
    /// Hooks were called.
    Hooked(&'static str),
    /// It was promoted although the old primary still took writes, or had some that had not arrived.
    Lost,
}

/// All that outlives an agent.
pub(super) struct State {
    pub(super) record: RecordState,
    pub(super) is_unreadable: bool,
    pub(super) faults: VecDeque<DnsFault>,
    pub(super) old: Old,
    /// When an entry of this label was written, the old primary serves again.
    pub(super) revival: Option<&'static str>,
    pub(super) promotion: Promotion,
    /// When an order takes effect that nobody waits for any more.
    pub(super) promoted_at: Option<Moment>,
    /// Until when the old primary is paused.
    pub(super) paused_until: Option<Moment>,
    /// Bytes of the old primary's writes that the target lacks, and how many arrive with each look.
    pub(super) missing: u64,
    pub(super) arriving: u64,
    /// The hooks before the switch fail.
    pub(super) hook_fails: bool,
    /// All hooks of one point take so long, and a promotion.
    pub(super) hooks_take: Duration,
    pub(super) promotion_takes: Duration,
    /// This agent stands still for so long while the target is promoted.
    pub(super) promotion_stalls: Duration,
    /// The target follows something else.
    pub(super) is_stranger: bool,
    /// When an entry of this label was written, so much time passes.
    pub(super) stall: Option<(&'static str, Duration)>,
    /// The roles of the target's Redis.
    pub(super) roles: Vec<Role>,
    pub(super) is_loading: bool,
    pub(super) is_silent: bool,
    pub(super) canary_fails: bool,
    /// Name servers answer the old value until the end of time.
    pub(super) is_stale: bool,
    /// When an entry of this label was written, a reload leaves this of the service.
    pub(super) reload: Option<(&'static str, Later)>,
    /// When an entry of this label was written, a person orders this.
    pub(super) interjection: Option<(&'static str, OperatorAction)>,
    /// Time that passes between the permit and the switch.
    pub(super) delay: Duration,
    /// How long the term lasts.
    pub(super) term: Option<Duration>,
    /// When it ends; it begins with the permit.
    pub(super) term_ends: Option<Moment>,
    pub(super) events: Vec<Event>,
    pub(super) first: RecordState,
}

/// The world.
pub(super) struct World {
    state: Mutex<State>,
    start: tokio::time::Instant,
    to: SiteName,
}

impl World {
    pub(super) fn new(record: RecordState, to: SiteName, role: Role) -> Self {
        let state = State {
            first: record.clone(),
            record,
            is_unreadable: false,
            faults: VecDeque::new(),
            old: Old::Gone,
            revival: None,
            promotion: Promotion::Works,
            promoted_at: None,
            paused_until: None,
            missing: 0,
            arriving: 0,
            is_stranger: false,
            hook_fails: false,
            hooks_take: Duration::ZERO,
            promotion_takes: Duration::ZERO,
            promotion_stalls: Duration::ZERO,
            stall: None,
            roles: vec![role],
            is_loading: false,
            is_silent: false,
            canary_fails: false,
            is_stale: false,
            reload: None,
            interjection: None,
            delay: Duration::ZERO,
            term: None,
            term_ends: None,
            events: Vec::new(),
        };
        Self { state: Mutex::new(state), start: tokio::time::Instant::now(), to }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn tell(&self, event: Event) {
        self.state().events.push(event);
    }

    pub(super) fn events(&self) -> Vec<Event> {
        self.state().events.clone()
    }

    pub(super) fn interjection(&self, labels: &[String]) -> Option<OperatorAction> {
        let mut state = self.state();
        let is_now = state.interjection.as_ref().is_some_and(|(at, _)| labels.iter().any(|l| l == at));
        if is_now { state.interjection.take().map(|(_, action)| action) } else { None }
    }

    /// What a reload does once entries with these labels are written.
    pub(super) fn reload(&self, labels: &[String], current: &CurrentService, service: &Service) {
        let mut state = self.state();
        let is_now = state.reload.is_some_and(|(at, _)| labels.iter().any(|label| label == at));
        if let Some((_, later)) = state.reload.take_if(|_| is_now) {
            match later(service.clone()) {
                Some(service) => current.replace(Arc::new(service)),
                None => current.withdraw(),
            }
        }
    }

    /// How long the agent stands still once entries with these labels are written.
    pub(super) fn stall(&self, labels: &[String]) -> Option<Duration> {
        let mut state = self.state();
        let is_now = state.stall.is_some_and(|(at, _)| labels.iter().any(|label| label == at));
        if is_now { state.stall.take().map(|(_, lasts)| lasts) } else { None }
    }

    /// Whether the old primary takes no writes.
    pub(super) fn is_paused(&self) -> bool {
        let now = self.now();
        self.state().paused_until.is_some_and(|until| now.mono < until.mono)
    }

    fn change(&self, change: &RecordChange) -> Result<Receipt, DnsError> {
        let mut state = self.state();
        let fault = state.faults.pop_front().unwrap_or(DnsFault::None);
        let detail = || "as the test wants".to_owned();
        match fault {
            DnsFault::Throttled => return Err(DnsError::Throttled { detail: detail() }),
            DnsFault::Denied => return Err(DnsError::Denied { action: "change", detail: detail() }),
            DnsFault::LostBefore => return Err(DnsError::Unknown { detail: detail() }),
            DnsFault::BlindBefore => {
                state.is_unreadable = true;
                return Err(DnsError::Unknown { detail: detail() });
            }
            DnsFault::Foreign => {
                let text =
                    "v=1;owner=somebody;epoch=70;active=dc-a;from=dc-a;at=1;decision=theirs".to_owned();
                state.record.fence = Some(ResourceSet::single(5, text));
                state.events.push(Event::Foreign);
            }
            DnsFault::None | DnsFault::LostAfter | DnsFault::BlindAfter => {}
        }
        if change.expected != state.record {
            return Err(DnsError::Conflict { detail: detail() });
        }
        state.record = change.wanted.clone();
        state.events.push(Event::Changed(change.wanted.clone()));
        match fault {
            DnsFault::LostAfter => Err(DnsError::Unknown { detail: detail() }),
            DnsFault::BlindAfter => {
                state.is_unreadable = true;
                Err(DnsError::Unknown { detail: detail() })
            }
            _ => Ok(Receipt { id: "1".to_owned() }),
        }
    }

    fn promote(&self) -> Result<(), PromoteError> {
        let (is_paused, now) = (self.is_paused(), self.now());
        let mut state = self.state();
        let promotion = std::mem::replace(&mut state.promotion, Promotion::Works);
        let target = TargetName::new("redis://b:6379").unwrap();
        let gap = |reason| Gap::new(reason, "as the test wants");
        let doubtful = Err(PromoteError::Doubtful { target: target.clone(), gap: gap(GapReason::Timeout) });
        let failed = Err(PromoteError::Promotion { target, gap: gap(GapReason::Permission) });
        match promotion {
            Promotion::FailsBefore => return failed,
            Promotion::MayCome => {
                let late = HookError::Late { hook: "/hook".to_owned(), limit: Duration::from_secs(1) };
                return Err(late.into());
            }
            Promotion::Doubtful(orders) => {
                if orders > 1 {
                    state.promotion = Promotion::Doubtful(orders - 1);
                }
                return doubtful;
            }
            Promotion::Late(by) => {
                state.promoted_at = Some(now.plus(by));
                return doubtful;
            }
            Promotion::Unknown if state.is_silent => {
                state.promotion = Promotion::Unknown;
                return doubtful;
            }
            _ => {}
        }
        let fence = state.record.fence.as_ref().unwrap().values.first().unwrap().clone();
        state.events.push(Event::Promoted { fence });
        let has_served = state.old == Old::Healthy || state.events.contains(&Event::Served);
        if has_served && (!is_paused || state.missing > 0 || state.is_stranger) {
            state.events.push(Event::Lost);
        }
        match promotion {
            Promotion::Half => state.roles[0] = Role::Primary,
            _ => state.roles.iter_mut().for_each(|role| *role = Role::Primary),
        }
        match promotion {
            Promotion::Works => Ok(()),
            Promotion::Unknown => {
                // Nor does any later order reach it.
                (state.is_silent, state.promotion) = (true, Promotion::Unknown);
                doubtful
            }
            Promotion::FailsAfter => doubtful,
            _ => failed,
        }
    }

    /// The old primary.
    fn look_back(&self, canary: WriteCanary) -> Vec<TargetSnapshot> {
        // Before the fencing it is asked whether it serves, after that only whether its host is there.
        let is_fenced = self.events().contains(&Event::Fenced);
        assert!(
            !is_fenced || canary == WriteCanary::Skip,
            "a canary at a paused primary waits for the pause's end"
        );
        let target = TargetName::new("redis://a:6379").unwrap();
        let serves = self.is_revived();
        let gap = match self.state().old {
            Old::Healthy | Old::Alive => GapReason::Misconf,
            Old::Gone => GapReason::Refused,
            Old::Unfenceable => GapReason::Timeout,
        };
        let gap = Gap::new(gap, "as the test wants");
        let mut seen = TargetSnapshot::blind(target, gap.clone(), Duration::ZERO);
        if serves || matches!(self.state().old, Old::Alive | Old::Healthy) {
            seen.ping = Ok(Duration::ZERO);
            let (stream, offset_bytes) = (Some("x".to_owned()), Some(HEAD_BYTES));
            let role = Some(Role::Primary);
            seen.facts = Ok(Facts { role, replication_id: stream, offset_bytes, ..Facts::default() });
            seen.canary = CanaryResult::Failed(gap);
        }
        if serves || (self.state().old == Old::Healthy && canary == WriteCanary::Write) {
            seen.canary = CanaryResult::Written(Duration::ZERO);
            self.tell(Event::Served);
        }
        vec![seen]
    }

    fn is_revived(&self) -> bool {
        let state = self.state();
        state.revival.is_some_and(|label| state.events.contains(&Event::Wrote(label.to_owned())))
    }

    fn look(&self, canary: WriteCanary) -> Vec<TargetSnapshot> {
        let now = self.now();
        let mut state = self.state();
        if state.promoted_at.is_some_and(|at| at.mono <= now.mono) {
            state.roles.iter_mut().for_each(|role| *role = Role::Primary);
        }
        state.missing = state.missing.saturating_sub(state.arriving);
        let state = state;
        let one = |role: &Role| {
            let target = TargetName::new("redis://b:6379").unwrap();
            if state.is_silent {
                let gap = Gap::new(GapReason::Timeout, "as the test wants");
                return TargetSnapshot::blind(target, gap, Duration::ZERO);
            }
            let link = Link { up: state.old == Old::Healthy, source: "a:6379".to_owned(), syncing: false };
            let facts = Facts {
                role: Some(*role),
                link: (*role == Role::Replica).then_some(link),
                loading: Some(state.is_loading),
                persistence_ok: Some(true),
                replication_id: Some(if state.is_stranger { "y" } else { "x" }.to_owned()),
                offset_bytes: Some(HEAD_BYTES - state.missing),
                ..Facts::default()
            };
            let canary = match (canary, role) {
                (WriteCanary::Skip, _) => CanaryResult::NotAsked,
                (WriteCanary::Write, Role::Primary) if !state.canary_fails => {
                    CanaryResult::Written(Duration::ZERO)
                }
                (WriteCanary::Write, _) => CanaryResult::Failed(Gap::new(GapReason::Readonly, "no")),
            };
            let (ping, elapsed) = (Ok(Duration::ZERO), Duration::ZERO);
            TargetSnapshot { target, ping, facts: Ok(facts), canary, samples: Vec::new(), elapsed }
        };
        state.roles.iter().map(one).collect()
    }
}

impl Clock for World {
    fn now(&self) -> Moment {
        let mono = self.start.elapsed();
        Moment { mono, wall: Duration::from_secs(1_700_000_000) + mono }
    }
}

/// The ports of one agent to the world.
pub(super) struct Ports {
    pub(super) world: Arc<World>,
    pub(super) fuse: Arc<Fuse>,
}

#[async_trait]
impl Dns for Ports {
    async fn read(&self) -> Result<RecordState, DnsError> {
        let state = self.world.state();
        if state.is_unreadable {
            return Err(DnsError::Unavailable { detail: "as the test wants".to_owned() });
        }
        Ok(state.record.clone())
    }

    async fn change(&self, change: &RecordChange, _: &SendBy) -> Result<Receipt, DnsError> {
        self.fuse.pass("change".to_owned(), async { self.world.change(change) }).await
    }

    async fn is_visible(&self, _: &Receipt) -> Result<bool, DnsError> {
        Ok(true)
    }

    async fn check(&self) -> Vec<DnsError> {
        Vec::new()
    }

    async fn answers(&self) -> Vec<Answer> {
        let state = self.world.state();
        let told = if state.is_stale { &state.first } else { &state.record };
        vec![Answer { server: "ns1".to_owned(), result: Ok(told.record.clone().unwrap()) }]
    }
}

#[async_trait]
impl Promote for Ports {
    async fn fence(&self, _: &SiteName, pause: Duration) -> Result<Vec<Fencing>, PromoteError> {
        let work = async {
            let target = TargetName::new("redis://a:6379").unwrap();
            let (is_revived, until) = (self.world.is_revived(), self.world.now().plus(pause));
            let mut state = self.world.state();
            let how = match state.old {
                _ if is_revived => Fencing::Paused,
                Old::Healthy | Old::Alive => Fencing::Paused,
                Old::Gone => Fencing::Gone,
                Old::Unfenceable => {
                    let gap = Gap::new(GapReason::Timeout, "as the test wants");
                    return Err(PromoteError::Unfenceable { target, gap });
                }
            };
            state.events.push(Event::Fenced);
            state.paused_until = Some(until).filter(|_| how == Fencing::Paused);
            Ok(vec![how])
        };
        self.fuse.pass("fence".to_owned(), work).await
    }

    async fn release(&self, _: &SiteName) {
        self.fuse.pass("release".to_owned(), async { self.world.state().paused_until = None }).await;
    }

    async fn promote(&self, _: &Plan) -> Result<(), PromoteError> {
        let work = async {
            let stalls = self.world.state().promotion_stalls;
            if !stalls.is_zero() {
                tokio::time::advance(stalls).await;
            }
            let takes = self.world.state().promotion_takes;
            tokio::time::sleep(takes).await;
            self.world.promote()
        };
        self.fuse.pass("promote".to_owned(), work).await
    }

    async fn hooks(&self, point: HookPoint<'_>, _: &Plan, limit: Duration) -> Result<Vec<String>, HookError> {
        let work = async {
            self.world.tell(Event::Hooked(point.as_str()));
            let takes = self.world.state().hooks_take;
            tokio::time::sleep(takes.min(limit)).await;
            let fails = self.world.state().hook_fails || takes > limit;
            match point == HookPoint::Before && fails {
                true => Err(HookError::Late { hook: "/hook".to_owned(), limit: Duration::from_secs(1) }),
                false => Ok(vec!["/hook: done".to_owned()]),
            }
        };
        self.fuse.pass(format!("hooks {}", point.as_str()), work).await
    }
}

#[async_trait]
impl SiteClient for Ports {
    async fn look(&self, site: &SiteName, _: Duration, canary: WriteCanary) -> Snapshot {
        let targets = match *site == self.world.to {
            true => self.world.look(canary),
            false => self.world.look_back(canary),
        };
        Snapshot {
            site: site.clone(),
            taken: self.world.now(),
            targets,
            control: None,
            domain: Vec::new(),
            anomaly: None,
        }
    }

    async fn surroundings(&self, _deadline: Duration) -> Surroundings {
        Surroundings::default()
    }
}

impl Election for Ports {
    fn standing(&self) -> Standing {
        Standing::Leads(Term { number: 1, until: self.world.state().term_ends })
    }

    fn step_down(&self) {}
}
