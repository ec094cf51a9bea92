//! `redrover demote SERVICE --datacenter DC`: makes each old primary of a site of plain replication a replica of the Redis
//! of the active site that took its place, after showing what stands there and asking. It discards what only the old
//! primary has, so nothing else in this program ever does it.

mod couples;
mod history;

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use prometheus_client::registry::Registry;

use super::operate::user;
use super::parts::{ConfigArgs, Failure, beside_the_agent, config, confirmed, service};
use crate::app::{now, open_dns_read_only};
use crate::config::{Address, Config, Service, Site, Topology};
use crate::decide::fence_of;
use crate::monitor::{Collectors, InfoReply, Metrics, Monitor, RedisClient, SiteClient as _, WriteCanary};
use crate::store::{Body, Journal as _, Kind, NewEntry, OperatorAction, Query, SqliteJournal, Story};
use crate::types::{CanaryResult, Facts, RecordState, Role, Snapshot, SystemClock};
use couples::counterparts;
use history::Standing;

/// Deadline of one order to a Redis, and of one command of a look: a person waits.
const ORDER_DEADLINE: Duration = Duration::from_secs(5);
/// The copy is waited for so long; a large one goes on by itself.
const COPY_LIMIT: Duration = Duration::from_secs(60);
/// Between two looks at it.
const COPY_POLL: Duration = Duration::from_millis(250);

#[derive(Debug, Args)]
pub(super) struct DemoteArgs {
    /// The service.
    service: String,
    /// The site whose Redis is to become a replica of the active site's.
    #[arg(long, value_name = "DATACENTER")]
    datacenter: String,
    /// Where that Redis reaches the primary, where the address of the configuration is not it; of sites of one Redis.
    #[arg(long, value_name = "HOST:PORT")]
    primary: Option<String>,
    /// Demote it although it has, or may have, writes that the primary lacks: they are gone then.
    #[arg(long)]
    discard_writes: bool,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// The two sites.
struct Pair<'a> {
    old: &'a Site,
    active: &'a Site,
    monitor: &'a Monitor,
    deadline: Duration,
}

pub(super) async fn run(args: DemoteArgs) -> Result<(), Failure> {
    let config = config(&args.config.file)?;
    let service = service(&config, &args.service)?;
    if service.topology != Topology::Replication {
        let text =
            format!("{} is no plain replication: its copies are turned around elsewhere", service.name);
        return Err(Failure::Wrong(text));
    }
    let found = service.sites.iter().find(|site| site.name.as_str() == args.datacenter);
    let old =
        found.ok_or_else(|| Failure::Wrong(format!("{} has no site {:?}", service.name, args.datacenter)))?;
    let journal = SqliteJournal::open_existing(&config.agent.data_dir)?;
    let dns = open_dns_read_only(&config, service).await?;
    let metrics = Metrics::register(&mut Registry::default());
    let monitor =
        Monitor::new(service, Arc::new(Collectors::new(&beside_the_agent(&config), metrics, clock())?))?;
    let state = dns.read().await?;
    let active = active(&config, service, &state, old, &journal).await?;
    let pair = Pair { old, active, monitor: &monitor, deadline: ORDER_DEADLINE };
    pair.check_primary().await?;
    let couples = pair.couples(args.primary.as_deref()).await?;
    if couples.iter().all(|couple| couple.is_replica) {
        println!("{} is a replica already; nothing was changed", old.name);
        return Ok(());
    }
    let couples = waiting(couples);
    for Couple { old: demoted, host, port, standing, .. } in &couples {
        let name = &demoted.target().name;
        println!("{} {name} is to become a replica of {host}:{port} at {}", old.name, active.name);
        println!("{standing}");
    }
    refuse_loss(&couples, &args)?;
    if !args.yes && !confirmed("Demote it?")? {
        return Err(anyhow::anyhow!("not demoted").into());
    }
    // Whoever was asked may have taken their time.
    if dns.read().await? != state {
        return Err(anyhow::anyhow!("not demoted: the record has changed meanwhile").into());
    }
    for _ in &couples {
        // Anew before each: somebody may write to one while another is demoted.
        pair.check_primary().await?;
        let couples = waiting(pair.couples(args.primary.as_deref()).await?);
        refuse_loss(&couples, &args)?;
        let Some(Couple { old: demoted, host, port, .. }) = couples.first() else { break };
        let action = OperatorAction::Demote { site: old.name.clone(), primary: format!("{host}:{port}") };
        let (service, body) = (service.name.clone(), Body::Ordered { action, by: user() });
        journal.append(vec![NewEntry { at_unix_ms: now().unix_ms(), service, incident: None, body }]).await?;
        demote(demoted, host, *port).await?;
        // At once: a run that breaks off must leave no replica that is a primary again after its next restart.
        keep(demoted).await;
    }
    pair.follow().await
}

/// Those that are to be demoted still.
fn waiting(couples: Vec<Couple<'_>>) -> Vec<Couple<'_>> {
    couples.into_iter().filter(|couple| !couple.is_replica).collect()
}

/// Nothing that only an old primary has is discarded without a word.
fn refuse_loss(couples: &[Couple<'_>], args: &DemoteArgs) -> Result<(), Failure> {
    let lost = couples.iter().map(|couple| couple.standing).find(|standing| !standing.is_lossless());
    let Some(standing) = lost.filter(|_| !args.discard_writes) else { return Ok(()) };
    let hint = "save a copy first (redis-cli --rdb), and use --discard-writes";
    Err(anyhow::anyhow!("not demoted: {standing}; {hint}").into())
}

/// An old primary, and where the one is that it is to follow.
struct Couple<'a> {
    old: &'a RedisClient,
    host: String,
    port: u16,
    standing: Standing,
    is_replica: bool,
}

fn clock() -> Arc<SystemClock> {
    Arc::new(SystemClock::new())
}

/// The active site, which is not the one that is to be demoted; or why nothing may be demoted at this moment.
async fn active<'a>(
    config: &Config,
    service: &'a Service,
    state: &RecordState,
    old: &Site,
    journal: &SqliteJournal,
) -> Result<&'a Site, Failure> {
    let no = |why: String| Failure::from(anyhow::anyhow!("not demoted: {why}"));
    if state.parted().is_some() {
        return Err(no("the two zones of the record differ".to_owned()));
    }
    let pointed = state.record.as_ref().and_then(|set| service.site_of(&set.values));
    let Some(active) = pointed else {
        return Err(no(format!("{} points to no configured site", service.record.name)));
    };
    if active.name == old.name {
        return Err(no(format!("{} points to {}", service.record.name, old.name)));
    }
    let Some(fence) = fence_of(state)? else {
        return Err(no(format!("{} was not adopted", service.name)));
    };
    if let Some(to) = &fence.intent {
        return Err(no(format!("a switch to {to} is under way")));
    }
    if fence.active != active.name {
        return Err(no(format!(
            "the record points to {}, and the fence names {}",
            active.name, fence.active
        )));
    }
    let story = story(journal, service).await?;
    if story.unfinished.is_some() {
        return Err(no("a switch is unfinished".to_owned()));
    }
    // Another agent of this installation may have switched since; anybody else's fence is nobody's word.
    let is_fellows =
        config.agent.name == fence.owner || config.agent.vantages.iter().any(|v| v.name == fence.owner);
    if !is_fellows {
        return Err(no(format!("the fence was written by {}, who is unknown here", fence.owner)));
    }
    Ok(active)
}

async fn story(journal: &SqliteJournal, service: &Service) -> Result<Story, Failure> {
    let mut story = Story::default();
    loop {
        let query = Query {
            service: Some(service.name.clone()),
            kinds: vec![Kind::Adopted, Kind::Ticketed, Kind::Stepped, Kind::Ended, Kind::Remembered],
            after: story.seq,
            ..Query::default()
        };
        let entries = journal.read(query).await?;
        let is_last = entries.len() < Query::LIMIT_MAX;
        entries.iter().for_each(|entry| story.tell(entry));
        if is_last {
            return Ok(story);
        }
    }
}

impl Pair<'_> {
    /// Each Redis that is to be demoted, with its primary to be.
    async fn couples(&self, primary: Option<&str>) -> Result<Vec<Couple<'_>>, Failure> {
        let (old, new) = (self.monitor.clients(&self.old.name), self.monitor.clients(&self.active.name));
        let (old_infos, new_infos) = (self.infos(old).await?, self.infos(new).await?);
        let Some(places) = counterparts(&old_infos, &new_infos) else {
            let text = format!(
                "not demoted: the histories (INFO replication, master_replid) of the Redis of {} and {} do not tell which \
                 follows which, so that is for a person to say, by REPLICAOF at each",
                self.old.name, self.active.name
            );
            return Err(anyhow::anyhow!(text).into());
        };
        if primary.is_some() && old.len() > 1 {
            let text = "--primary names one Redis, and the site has several";
            return Err(Failure::Wrong(text.to_owned()));
        }
        let couple = |(place, counterpart): (usize, usize)| -> Result<Couple<'_>, Failure> {
            let (host, port) = match primary {
                Some(text) => parsed(text)?,
                None => address(&new[counterpart])?,
            };
            let (info, followed) = (&old_infos[place], &new_infos[counterpart]);
            let standing = Standing::between(info, followed);
            let is_replica = info.get("role") == Some("slave") && follows(info, followed, &host, port);
            Ok(Couple { old: &old[place], host, port, standing, is_replica })
        };
        places.into_iter().enumerate().map(couple).collect()
    }

    async fn infos(&self, clients: &[Arc<RedisClient>]) -> Result<Vec<InfoReply>, Failure> {
        let mut infos = Vec::new();
        for client in clients {
            infos.push(client.info(self.deadline).await.map_err(|error| {
                let (name, gap) = (&client.target().name, error.gap());
                anyhow::anyhow!("not demoted: {name} does not answer ({})", gap.reason.as_str())
            })?);
        }
        Ok(infos)
    }

    async fn look(&self, site: &Site, canary: WriteCanary) -> Snapshot {
        self.monitor.look(&site.name, self.deadline, canary).await
    }

    /// Sees the active site take a write at this moment.
    async fn check_primary(&self) -> Result<(), Failure> {
        let seen = self.look(self.active, WriteCanary::Write).await;
        let name = &self.active.name;
        for target in &seen.targets {
            let role = target.facts.as_ref().ok().and_then(|facts| facts.role);
            let why = match &target.canary {
                CanaryResult::Written(_) if role == Some(Role::Primary) => continue,
                CanaryResult::Written(_) => "it says that it is no primary".to_owned(),
                CanaryResult::Failed(gap) => format!("it took no write ({})", gap.reason.as_str()),
                CanaryResult::NotAsked => match target.gap() {
                    Some(gap) => format!("it does not answer ({})", gap.reason.as_str()),
                    None => {
                        "no write canary is configured, so nobody can tell that it takes writes".to_owned()
                    }
                },
            };
            let text = format!("not demoted: {name} is active, and {} serves nobody: {why}", target.target);
            return Err(anyhow::anyhow!(text).into());
        }
        Ok(())
    }

    /// Waits for the copies, and says how far they came.
    async fn follow(&self) -> Result<(), Failure> {
        let began = now();
        loop {
            let seen = self.look(self.old, WriteCanary::Skip).await;
            let all = |is: fn(&Facts) -> bool| {
                seen.targets.iter().all(|target| target.facts.as_ref().is_ok_and(is))
            };
            let are_replicas = all(|facts| facts.role == Some(Role::Replica));
            if are_replicas && all(|facts| facts.link.as_ref().is_some_and(|link| link.up)) {
                println!("{} is a replica of {}, and its link is up", self.old.name, self.active.name);
                return Ok(());
            }
            if now().since(began) >= COPY_LIMIT {
                let what = if are_replicas {
                    "its link is not up yet"
                } else {
                    "it does not say that it is a replica"
                };
                let hint = "does it reach the primary at that address, and has it masteruser and masterauth?";
                return Err(
                    anyhow::anyhow!("{} was told to follow, but {what}; {hint}", self.old.name).into()
                );
            }
            tokio::time::sleep(COPY_POLL).await;
        }
    }
}

/// Whether a replica is one of this primary: it says so, or has taken over its history, at whatever address it has reached
/// it. One that follows somebody else is not done with.
fn follows(replica: &InfoReply, primary: &InfoReply, host: &str, port: u16) -> bool {
    let is_told =
        replica.get("master_host") == Some(host) && replica.count("master_port") == Some(u64::from(port));
    let history = replica.get("master_replid");
    is_told || (history.is_some() && history == primary.get("master_replid"))
}

/// Orders it, and lifts the pause: a paused replica would keep what it replicates waiting.
async fn demote(client: &RedisClient, host: &str, port: u16) -> Result<(), Failure> {
    if let Err(error) = client.replicaof(host, port, ORDER_DEADLINE).await {
        // Its answer may be lost, and the order carried out.
        let role = client.role(ORDER_DEADLINE).await;
        if !matches!(role, Ok(Role::Replica)) {
            let text = format!("{} did not confirm REPLICAOF; look at what it is", client.target().name);
            return Err(anyhow::Error::new(error).context(text).into());
        }
    }
    if let Err(error) = client.resume_writes(ORDER_DEADLINE).await {
        println!("the pause was not lifted ({}); it runs out within a minute", error.gap().reason.as_str());
    }
    Ok(())
}

/// Lets it be a replica after its next restart, too.
async fn keep(client: &RedisClient) {
    let name = &client.target().name;
    match client.rewrite_config(ORDER_DEADLINE).await {
        Ok(()) => println!("the redis.conf of {name} says so, too"),
        Err(error) => println!(
            "the redis.conf of {name} does not say so yet ({}): let it, or it is a primary again after its next restart",
            error.gap().detail
        ),
    }
}

fn address(client: &RedisClient) -> Result<(String, u16), Failure> {
    match &client.target().address {
        Address::Tcp { host, port } => Ok((host.clone(), *port)),
        Address::Unix(_) => {
            Err(Failure::Wrong("the primary is known by a socket: say --primary HOST:PORT".to_owned()))
        }
    }
}

fn parsed(text: &str) -> Result<(String, u16), Failure> {
    let parts = text.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
    match parts.filter(|(host, _)| !host.is_empty()) {
        Some((host, port)) => Ok((host.trim_matches(['[', ']']).to_owned(), port)),
        None => Err(Failure::Wrong(format!("--primary {text:?} is not HOST:PORT"))),
    }
}
