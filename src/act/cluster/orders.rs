//! The orders to one database, each seen to its end.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Method, StatusCode};
use url::Url;

use super::ask::{Database, Told, client, code, send};
use super::{ClusterError, RefusedLogins};
use crate::config::{ClusterUser, Enterprise};
use crate::monitor::TlsProfiles;
use crate::types::{Clock, Moment, SiteName};

/// An order is seen to its end within so long; together with the request it stays below the life of a decision.
const LIMIT: Duration = Duration::from_secs(20);
/// What was sent and not answered is looked for so long.
const DOUBT_LIMIT: Duration = Duration::from_secs(10);
/// Between two looks at a change that is under way, and between two tries at a busy database.
const POLL: Duration = Duration::from_millis(250);

/// Sends orders about one database to its cluster.
pub struct ClusterOrders {
    site: SiteName,
    database: u32,
    url: Url,
    user: ClusterUser,
    client: Client,
    refused: RefusedLogins,
    clock: Arc<dyn Clock>,
}

/// How the traffic of a database came to be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// Somebody had stopped it before.
    Before,
    /// By this order, as the cluster says itself.
    Now,
    /// By this order, which the cluster has taken; it is too old to say so, and the database has to be looked at.
    Unsaid,
}

/// An order: what is sent, and what is to be seen afterwards.
struct Order {
    what: &'static str,
    method: Method,
    path: String,
    body: Option<&'static str>,
    is_done: fn(&Database) -> bool,
}

impl ClusterOrders {
    /// A sender of orders about a database of the cluster of a site; it connects at its first order.
    ///
    /// # Errors
    /// The certificates cannot be used.
    pub fn new(
        (site, database): (&SiteName, u32),
        cluster: &Enterprise,
        tls: &TlsProfiles,
        refused: RefusedLogins,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ClusterError> {
        let is_clear = cluster.url.scheme() == "http";
        let client = client(is_clear, cluster.ca_file.as_deref(), tls)
            .map_err(|source| ClusterError::Tls { site: site.clone(), source })?;
        let own = ClusterUser { username: cluster.username.clone(), password: cluster.password.clone() };
        Ok(Self {
            site: site.clone(),
            database,
            url: cluster.url.clone(),
            user: cluster.promotion.clone().unwrap_or(own),
            client,
            refused,
            clock,
        })
    }

    /// Makes a copy a database of its own: it takes no more writes of its source.
    ///
    /// # Errors
    /// The cluster refused, or nobody can tell ([`ClusterError::may_still_happen`]).
    pub async fn end_copying(&self) -> Result<(), ClusterError> {
        let found = self.readable().await?;
        if found.replica_read_only == Some(true) {
            return Err(ClusterError::ReadOnly { site: self.site.clone(), database: self.database });
        }
        if found.is_on_its_own() && found.is_settled() {
            return Ok(());
        }
        self.carry_out(&Order {
            what: "end the copying",
            method: Method::PUT,
            path: format!("v1/bdbs/{}", self.database),
            body: Some(r#"{"replica_sync":"disabled"}"#),
            is_done: |database| database.is_on_its_own() && database.is_settled(),
        })
        .await
    }

    /// Stops the traffic of the database, until [`Self::resume`] or a person lets it go on.
    ///
    /// # Errors
    /// The cluster refused, or nobody can tell.
    pub async fn stop(&self) -> Result<Stopped, ClusterError> {
        if self.readable().await?.traffic_manually_disabled == Some(true) {
            return Ok(Stopped::Before);
        }
        self.carry_out(&Order {
            what: "stop the traffic",
            method: Method::POST,
            path: format!("v1/bdbs/{}/actions/stop_traffic", self.database),
            body: None,
            is_done: |database| database.traffic_manually_disabled != Some(false) && database.is_settled(),
        })
        .await?;
        let said = self.readable().await.is_ok_and(|found| found.traffic_manually_disabled == Some(true));
        Ok(if said { Stopped::Now } else { Stopped::Unsaid })
    }

    /// Whether the traffic of the database is stopped; `None` where the cluster is too old to say so.
    ///
    /// # Errors
    /// The cluster does not answer.
    pub async fn is_stopped(&self) -> Result<Option<bool>, ClusterError> {
        Ok(self.readable().await?.traffic_manually_disabled)
    }

    /// Lets the traffic of the database go on.
    ///
    /// # Errors
    /// The cluster refused, or nobody can tell.
    pub async fn resume(&self) -> Result<(), ClusterError> {
        if self.readable().await?.traffic_manually_disabled == Some(false) {
            return Ok(());
        }
        self.carry_out(&Order {
            what: "resume the traffic",
            method: Method::POST,
            path: format!("v1/bdbs/{}/actions/resume_traffic", self.database),
            body: None,
            is_done: |database| database.traffic_manually_disabled != Some(true) && database.is_settled(),
        })
        .await
    }

    /// Whether the login is accepted, the database is there, and it can be promoted; nothing is changed.
    ///
    /// # Errors
    /// It is not.
    pub async fn check(&self) -> Result<(), ClusterError> {
        match self.readable().await?.replica_read_only {
            Some(true) => Err(ClusterError::ReadOnly { site: self.site.clone(), database: self.database }),
            Some(false) | None => Ok(()),
        }
    }

    /// Sends an order until it is taken or refused, and then looks until it is done.
    async fn carry_out(&self, order: &Order) -> Result<(), ClusterError> {
        let began = self.clock.now();
        loop {
            self.may_ask()?;
            match self.ask(&order.method, &order.path, order.body).await {
                Told::Answer(status, _) if status.is_success() => {
                    return self.see(order, began, LIMIT).await;
                }
                Told::Answer(StatusCode::CONFLICT, _) if self.clock.now().since(began) < LIMIT => {
                    tokio::time::sleep(POLL).await;
                }
                Told::Answer(StatusCode::CONFLICT, _) => {
                    let (site, database) = (self.site.clone(), self.database);
                    return Err(ClusterError::Busy { site, database, what: order.what });
                }
                // A server that fails may have begun.
                Told::Answer(status, _) if status.is_server_error() => {
                    return self.see(order, self.clock.now(), DOUBT_LIMIT).await;
                }
                Told::Answer(status, body) => {
                    let (site, what) = (self.site.clone(), order.what);
                    return Err(ClusterError::Refused {
                        site,
                        what,
                        status: status.as_u16(),
                        code: code(&body),
                    });
                }
                Told::Unreached(source) => {
                    return Err(ClusterError::Unreached { site: self.site.clone(), source });
                }
                Told::Lost => return self.see(order, self.clock.now(), DOUBT_LIMIT).await,
            }
        }
    }

    /// Looks until the order is done. That it is not done yet proves nothing: it may still be on its way.
    async fn see(&self, order: &Order, since: Moment, limit: Duration) -> Result<(), ClusterError> {
        loop {
            if self.readable().await.is_ok_and(|found| (order.is_done)(&found)) {
                return Ok(());
            }
            if self.clock.now().since(since) >= limit {
                let (site, what) = (self.site.clone(), order.what);
                return Err(ClusterError::InDoubt { site, what, within: limit });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// What the cluster says of the database, unless the login rests.
    async fn readable(&self) -> Result<Database, ClusterError> {
        self.may_ask()?;
        self.find().await
    }

    async fn find(&self) -> Result<Database, ClusterError> {
        let path = format!("v1/bdbs/{}?fields={}", self.database, Database::FIELDS);
        let (site, database) = (self.site.clone(), self.database);
        match self.ask(&Method::GET, &path, None).await {
            Told::Answer(StatusCode::OK, body) => serde_json::from_slice(&body)
                .map_err(|_| ClusterError::Unknown { site, database, status: StatusCode::OK.as_u16() }),
            Told::Answer(StatusCode::UNAUTHORIZED, _) => Err(ClusterError::Resting { site }),
            Told::Answer(status, _) => Err(ClusterError::Unknown { site, database, status: status.as_u16() }),
            Told::Unreached(source) => Err(ClusterError::Unreached { site, source }),
            // Nothing was asked for but a look.
            Told::Lost => {
                let status = StatusCode::REQUEST_TIMEOUT.as_u16();
                Err(ClusterError::Unknown { site, database, status })
            }
        }
    }

    fn may_ask(&self) -> Result<(), ClusterError> {
        let is_resting = self.refused.is_resting(self.url.as_str(), &self.user, &*self.clock);
        if is_resting { Err(ClusterError::Resting { site: self.site.clone() }) } else { Ok(()) }
    }

    async fn ask(&self, method: &Method, path: &str, body: Option<&str>) -> Told {
        let url = format!("{}/{path}", self.url.as_str().trim_end_matches('/'));
        let login = (self.user.username.as_str(), self.user.password.expose());
        let told = send(&self.client, (method.clone(), url), login, body).await;
        if matches!(told, Told::Answer(StatusCode::UNAUTHORIZED, _)) {
            self.refused.note(self.url.as_str(), &self.user, &*self.clock);
        }
        told
    }
}
