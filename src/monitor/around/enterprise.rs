//! What the REST API of a Redis Enterprise cluster says of a database.
//!
//! Read are `/v1/bdbs/{id}/availability` and, of `/v1/bdbs/{id}`, the states of the syncers by which this cluster
//! receives the other clusters' writes (Active-Active and Replica Of), and the limit of memory. An available database has a bound port and
//! reachable primary shards; whether data can be read or written, or is fresh, is not said. A link that was cut may
//! still be called in sync for about a minute.
//!
//! Of a member of an Active-Active database the lag form of availability is asked, too: it tells a stale member, for
//! choosing where to go back or to move to. On any other database it fails for ever, and is never asked.
//!
//! Not read: the endpoint of a single node; peer statistics, whose units are not settled; and how long ago a syncer that
//! is out of sync was in sync. Several answers hold passwords, so fields are always named, and no body is kept or logged.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde::Deserialize;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout};
use url::Url;

use super::http::{self, Answer, HttpClients, below};
use crate::config::{Enterprise, Secret};
use crate::monitor::tls::{TlsError, TlsProfiles};
use crate::types::{Clock, ControlPlane, Gap, GapReason, Moment};

/// Largest accepted answer, in bytes: a database has a handful of sources.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Questions to one cluster at once. Five wrong logins within a quarter of an hour lock the user for half an hour:
/// with these, and one more after the silence, there are four.
const CONCURRENT_MAX: u32 = 3;
/// So long a cluster that refused the credentials is not asked again.
const SILENCE: Duration = Duration::from_secs(600);
/// Longest accepted error code, in bytes; it is shown to people and kept.
const CODE_BYTES_MAX: usize = 64;
/// Longest time that a syncer may say it is behind; what is more is no measurement.
const LAG_MS_MAX: f64 = 30.0 * 86_400_000.0;
/// How far a member of an Active-Active database may be behind to be called fresh. The cluster's own default of 100 ms is
/// tight even within a region.
const LAG_TOLERANCE_MS: u32 = 5000;

/// Whether the control plane holds a database for available.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::monitor) enum Availability {
    /// It does.
    Available,
    /// It does not, with its own code.
    Unavailable(String),
}

/// What is known of the credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Login {
    /// They were not tried yet, or the silence is over: one question at a time.
    Untried,
    /// They were accepted.
    Accepted,
    /// They were refused at that moment.
    Refused(Moment),
}

/// A client of one cluster, shared by all services with a database there, and by the inventory.
pub(in crate::monitor) struct EnterpriseClient {
    url: Url,
    metrics_url: Option<Url>,
    interval: Duration,
    username: String,
    password: Secret,
    client: Client,
    clock: Arc<dyn Clock>,
    login: Mutex<Login>,
    turns: Semaphore,
}

impl fmt::Debug for EnterpriseClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnterpriseClient").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

impl EnterpriseClient {
    /// A client that connects at its first question.
    pub(super) fn new(
        enterprise: &Enterprise,
        clients: &HttpClients,
        profiles: &TlsProfiles,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, TlsError> {
        Ok(Self {
            url: enterprise.url.clone(),
            metrics_url: enterprise.metrics_url.clone(),
            interval: enterprise.interval,
            username: enterprise.username.clone(),
            password: enterprise.password.clone(),
            client: clients.for_url(&enterprise.url, enterprise.ca_file.as_ref(), profiles)?,
            clock,
            login: Mutex::new(Login::Untried),
            turns: Semaphore::new(CONCURRENT_MAX as usize),
        })
    }

    /// What the cluster says of a database, within the deadline. Only the availability can make it a gap: what is not
    /// said of the links stays unknown.
    pub async fn look(&self, database: u32, deadline: Duration) -> Result<ControlPlane, Gap> {
        let end = Instant::now() + deadline;
        // An answer that had no time left would say nothing, either.
        let turn = self.turn(deadline / 2).await?;
        let left = || end.saturating_duration_since(Instant::now());
        let unavailable = match self.availability(database, None, left()).await? {
            Availability::Available => None,
            Availability::Unavailable(code) => Some(code),
        };
        let (links, memory_limit_bytes) = self.fields(database, left()).await.unwrap_or_default();
        // Of a database that is not available, that it is not fresh either would be no news.
        let is_fresh = if links.is_member && unavailable.is_none() {
            let said = self.availability(database, Some(LAG_TOLERANCE_MS), left()).await;
            said.ok().map(|said| said == Availability::Available)
        } else {
            None
        };
        drop(turn);
        let Links { lag, is_up: is_link_up, is_copy, .. } = links;
        Ok(ControlPlane { unavailable, lag, is_link_up, is_fresh, memory_limit_bytes, is_copy })
    }

    /// How often the inventory is taken.
    pub(in crate::monitor) fn interval(&self) -> Duration {
        self.interval
    }

    /// Whether the credentials were accepted the last time.
    pub(in crate::monitor) fn is_known(&self) -> bool {
        *self.login.lock().unwrap_or_else(PoisonError::into_inner) == Login::Accepted
    }

    /// Asks for a document below the API's base, within the deadline.
    pub(in crate::monitor) async fn question(
        &self,
        path: &str,
        bytes_max: usize,
        deadline: Duration,
    ) -> Result<Answer, Gap> {
        let end = Instant::now() + deadline;
        let _turn = self.turn(deadline).await?;
        let left = end.saturating_duration_since(Instant::now());
        self.ask(&below(&self.url, path), bytes_max, left).await
    }

    /// Asks whether a database is available, or with a limit whether it is so much behind at most; the latter only of a
    /// member of an Active-Active database.
    pub(in crate::monitor) async fn available(
        &self,
        database: u32,
        lag: Freshness,
        deadline: Duration,
    ) -> Result<Availability, Gap> {
        let end = Instant::now() + deadline;
        let _turn = self.turn(deadline).await?;
        let left = end.saturating_duration_since(Instant::now());
        let tolerance = match lag {
            Freshness::Ignored => None,
            Freshness::Asked => Some(LAG_TOLERANCE_MS),
        };
        self.availability(database, tolerance, left).await
    }

    /// Asks for the cluster's own metrics; `None` where nobody says where they are.
    pub(in crate::monitor) async fn metrics(
        &self,
        bytes_max: usize,
        deadline: Duration,
    ) -> Option<Result<Answer, Gap>> {
        let url = self.metrics_url.as_ref()?;
        let end = Instant::now() + deadline;
        let _turn = match self.turn(deadline).await {
            Ok(turn) => turn,
            Err(gap) => return Some(Err(gap)),
        };
        let left = end.saturating_duration_since(Instant::now());
        Some(self.ask(url.as_str(), bytes_max, left).await)
    }

    /// Waits for a turn, for at most so long. That others were waited for says nothing of the cluster.
    async fn turn(&self, wait: Duration) -> Result<SemaphorePermit<'_>, Gap> {
        let turns = match self.standing()? {
            Login::Accepted => 1,
            Login::Untried | Login::Refused(_) => CONCURRENT_MAX,
        };
        let late = || Gap::new(GapReason::NotAsked, format!("no turn within {} ms", wait.as_millis()));
        let turn = timeout(wait, self.turns.acquire_many(turns)).await.map_err(|_| late())?;
        // Nobody closes the turns; if somebody did, there would be none.
        let turn = turn.map_err(|_| late())?;
        // Somebody else may have been refused while this one waited.
        self.standing()?;
        Ok(turn)
    }

    /// What is known of the credentials, or why they are not tried now.
    fn standing(&self) -> Result<Login, Gap> {
        let login = *self.login.lock().unwrap_or_else(PoisonError::into_inner);
        let Login::Refused(since) = login else { return Ok(login) };
        let ago = self.clock.now().since(since);
        if ago >= SILENCE {
            return Ok(login);
        }
        let detail = format!(
            "the cluster refused the credentials {} s ago; so as not to lock the user, they rest for {} s",
            ago.as_secs(),
            SILENCE.as_secs()
        );
        Err(Gap::new(GapReason::Auth, detail))
    }

    async fn availability(
        &self,
        database: u32,
        tolerance_ms: Option<u32>,
        deadline: Duration,
    ) -> Result<Availability, Gap> {
        let lag = tolerance_ms
            .map_or_else(String::new, |ms| format!("?extend_check=lag&availability_lag_tolerance_ms={ms}"));
        let url = below(&self.url, &format!("v1/bdbs/{database}/availability{lag}"));
        let answer = self.ask(&url, ANSWER_BYTES_MAX, deadline).await?;
        match answer.status {
            StatusCode::OK if answer.body.trim_ascii().is_empty() => Ok(Availability::Available),
            StatusCode::OK => Err(Gap::new(GapReason::Protocol, "an answer of 200 that is not empty")),
            StatusCode::SERVICE_UNAVAILABLE => unavailable(&answer.body),
            StatusCode::NOT_FOUND => {
                let detail = format!("the cluster knows no database {database}, or has no availability API");
                Err(Gap::new(GapReason::ErrorReply, detail))
            }
            status => Err(refused(status)),
        }
    }

    /// The lag of the links and whether they are in sync, and the limit of memory, where the cluster says so.
    async fn fields(&self, database: u32, deadline: Duration) -> Result<(Links, Option<u64>), Gap> {
        let fields = "crdt,crdt_sync,crdt_sources,replica_sync,replica_sources,memory_size,replication";
        let url = below(&self.url, &format!("v1/bdbs/{database}?fields={fields}"));
        let answer = self.ask(&url, ANSWER_BYTES_MAX, deadline).await?;
        if answer.status != StatusCode::OK {
            return Err(refused(answer.status));
        }
        let database: Database = serde_json::from_slice(&answer.body).map_err(|_| malformed())?;
        let limit = database.memory_limit();
        Ok((database.links(), limit))
    }

    async fn ask(&self, url: &str, bytes_max: usize, deadline: Duration) -> Result<Answer, Gap> {
        let request = self.client.get(url).basic_auth(&self.username, Some(self.password.expose()));
        let answer = http::ask(request, bytes_max, deadline).await.map_err(|error| error.gap())?;
        let is_refused = answer.status == StatusCode::UNAUTHORIZED;
        let login = if is_refused { Login::Refused(self.clock.now()) } else { Login::Accepted };
        *self.login.lock().unwrap_or_else(PoisonError::into_inner) = login;
        if is_refused { Err(refused(answer.status)) } else { Ok(answer) }
    }
}

fn unavailable(body: &[u8]) -> Result<Availability, Gap> {
    #[derive(Deserialize)]
    struct Refusal {
        error_code: Option<String>,
    }
    let refusal: Refusal = serde_json::from_slice(body).map_err(|_| malformed())?;
    let is_known = |code: &String| code == "no_quorum" || code.starts_with("bdb_unavailable");
    let is_sound = |code: &String| {
        code.len() <= CODE_BYTES_MAX && code.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    match refusal.error_code.filter(|code| is_known(code) && is_sound(code)) {
        Some(code) => Ok(Availability::Unavailable(code)),
        // Something on the way is not available, or the cluster has a word that is not known here.
        None => Err(Gap::new(GapReason::ErrorReply, "an answer of 503 without a known error_code")),
    }
}

/// Whether the lag of a database is asked for, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::monitor) enum Freshness {
    /// It is not.
    Ignored,
    /// It is; only of a member of an Active-Active database.
    Asked,
}

/// What a status means that is no answer.
pub(in crate::monitor) fn refused(status: StatusCode) -> Gap {
    let reason = match status {
        StatusCode::UNAUTHORIZED => GapReason::Auth,
        StatusCode::FORBIDDEN => GapReason::Permission,
        _ => GapReason::ErrorReply,
    };
    let what = if status.is_redirection() { ", a redirect, which is not followed" } else { "" };
    Gap::new(reason, format!("the cluster answered with HTTP {}{what}", status.as_u16()))
}

/// What an answer is that cannot be read.
pub(in crate::monitor) fn malformed() -> Gap {
    // The parser's own words could repeat what must not be shown.
    Gap::new(GapReason::Protocol, "the answer is not the JSON that was asked for")
}

/// The fields of a database that are asked for; those with passwords are not.
#[derive(Deserialize)]
struct Database {
    crdt: Option<bool>,
    crdt_sync: Option<String>,
    crdt_sources: Option<Vec<SyncSource>>,
    replica_sync: Option<String>,
    replica_sources: Option<Vec<SyncSource>>,
    /// Bytes; what is none must not hide the rest.
    memory_size: Option<serde_json::Value>,
    replication: Option<bool>,
}

/// One syncer's source; its address may hold a password and is not read.
#[derive(Deserialize)]
struct SyncSource {
    status: Option<String>,
    /// Milliseconds; valid only while in sync.
    lag: Option<f64>,
}

/// What is said of the links by which a database receives the writes of others.
#[derive(Debug, Default)]
struct Links {
    lag: Option<Duration>,
    is_up: Option<bool>,
    /// It is a member of an Active-Active database.
    is_member: bool,
    /// It is a copy of another database.
    is_copy: Option<bool>,
}

impl Database {
    /// The memory that the data itself may take: the limit is for the replicas in the cluster, too. Where nobody says that
    /// there are none, there are.
    fn memory_limit(&self) -> Option<u64> {
        let copies = if self.replication == Some(false) { 1 } else { 2 };
        // A limit that is too small to be divided is still one: 0 would be none.
        self.memory_size.as_ref()?.as_u64().map(|bytes| if bytes == 0 { 0 } else { (bytes / copies).max(1) })
    }

    /// The largest lag, and whether the links are in sync. Nothing is said where people have stopped them, where they
    /// disagree (which of them leads where is not known here), or while data is copied anew: its source is alive, and
    /// its copy is not whole.
    fn links(self) -> Links {
        let is_member = self.crdt == Some(true);
        let (state, sources) = match is_member {
            true => (self.crdt_sync, self.crdt_sources),
            false => (self.replica_sync, self.replica_sources),
        };
        let sources = sources.unwrap_or_default();
        // A copy that was paused, or has failed, is one all the same: it goes on when somebody lets it.
        let is_copy = match state.as_deref() {
            _ if is_member => None,
            Some("disabled") => Some(false),
            Some(_) => Some(!sources.is_empty()),
            None => None,
        };
        if state.as_deref() != Some("enabled") || sources.is_empty() {
            return Links { is_member, is_copy, ..Links::default() };
        }
        let all_are = |status: &str| sources.iter().all(|source| source.status.as_deref() == Some(status));
        let (lag, is_up) = match (all_are("in-sync"), all_are("out-of-sync")) {
            (true, _) => (lag(&sources), Some(true)),
            (_, true) => (None, Some(false)),
            (false, false) => (None, None),
        };
        Links { lag, is_up, is_member, is_copy }
    }
}

/// The largest lag, if all sources say theirs.
fn lag(sources: &[SyncSource]) -> Option<Duration> {
    let each = sources.iter().map(|source| {
        let ms = source.lag.filter(|ms| (0.0..=LAG_MS_MAX).contains(ms))?;
        Some(Duration::from_secs_f64(ms / 1000.0))
    });
    each.collect::<Option<Vec<_>>>()?.into_iter().max()
}
