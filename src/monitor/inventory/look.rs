//! One look at a cluster: question after question, each with a deadline, all of them within the interval.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::StatusCode;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::databases::Named;
use super::raw::{Cluster, Database, Each, Health, License, MasterHealth, NodeStatus, Shard, Stats};
use super::sheet::Sheet;
use super::{databases, nodes, v2, whole};
use crate::monitor::around::{Availability, EnterpriseClient, Freshness, malformed, refused};
use crate::monitor::catalog::enterprise as to;
use crate::types::{Gap, GapReason};

/// Largest accepted document, in bytes: some hundred databases.
const DOCUMENT_BYTES_MAX: usize = 4 << 20;
/// Largest accepted page of metrics, in bytes.
const PAGE_BYTES_MAX: usize = 16 << 20;
/// Deadline of one question.
const QUESTION: Duration = Duration::from_secs(2);
/// Most databases whose availability is asked for one by one.
const DATABASES_MAX: usize = 100;
/// The fields of databases that are asked for; others hold passwords.
const FIELDS: &str = "uid,name,status,memory_size,replication,shards_count,crdt,crdt_sync,crdt_sources,replica_sync,\
                      replica_sources,traffic_manually_disabled";

/// A look that is under way.
struct Look<'a> {
    client: &'a EnterpriseClient,
    end: Instant,
    sheet: Sheet,
}

/// Looks at a cluster, for at most so long.
pub(super) async fn look(client: &EnterpriseClient, limit: Duration) -> Sheet {
    let mut look = Look { client, end: Instant::now() + limit, sheet: Sheet::default() };
    look.master().await;
    if !client.is_known() {
        // It did not even answer that, or refused the login: further questions would only hold up the decisions' own.
        return look.sheet;
    }
    look.whole().await;
    look.nodes().await;
    look.databases().await;
    look.alerts().await;
    look.metrics().await;
    look.sheet
}

impl Look<'_> {
    /// Any node answers this of itself; nobody says with which status it answers that the master is not reached.
    async fn master(&mut self) {
        let path = "v1/local/node/master_healthcheck";
        let answer = self.client.question(path, DOCUMENT_BYTES_MAX, self.left()).await;
        let said = answer.and_then(|answer| match answer.status {
            StatusCode::OK | StatusCode::SERVICE_UNAVAILABLE => {
                serde_json::from_slice::<MasterHealth>(&answer.body).map_err(|_| malformed())
            }
            status => Err(refused(status)),
        });
        if let Some(health) = self.sheet.take("master", said) {
            whole::master(&mut self.sheet, &health);
        }
    }

    async fn whole(&mut self) {
        if let Some(cluster) = self.ask::<Cluster>("cluster", "v1/cluster").await {
            whole::cluster(&mut self.sheet, &cluster);
        }
        if let Some(license) = self.ask::<License>("license", "v1/license").await {
            whole::license(&mut self.sheet, &license);
        }
        // Newer releases only; that it is not there is no gap.
        match self.read::<Health>("v4/cluster/health").await {
            Ok(health) => whole::certificates(&mut self.sheet, &health),
            Err(Silence::Absent) => {}
            Err(Silence::Gap(gap)) => self.sheet.note("certificates", &gap),
        }
    }

    async fn nodes(&mut self) {
        if let Some(status) = self.ask::<Each<NodeStatus>>("nodes", "v1/nodes/status").await {
            nodes::status(&mut self.sheet, &status);
        }
        if let Some(stats) = self.ask::<Each<Stats>>("node_stats", "v1/nodes/stats/last").await {
            nodes::stats(&mut self.sheet, &stats);
        }
        if let Some(shards) = self.ask::<Vec<Shard>>("shards", "v1/shards").await {
            nodes::shards(&mut self.sheet, &shards);
        }
        if let Some(stats) = self.ask::<Each<Stats>>("shard_stats", "v1/shards/stats/last").await {
            nodes::shard_stats(&mut self.sheet, &stats);
        }
    }

    async fn databases(&mut self) {
        let path = format!("v1/bdbs?fields={FIELDS}");
        let Some(all) = self.ask::<Vec<Database>>("databases", &path).await else { return };
        let named: Vec<(Named, &Database)> = all.iter().filter_map(|d| Some((Named::of(d)?, d))).collect();
        for (named, database) in &named {
            databases::database(&mut self.sheet, named, database);
        }
        let named: Vec<Named> = named.into_iter().map(|(named, _)| named).collect();
        if let Some(stats) = self.ask::<Each<Stats>>("database_stats", "v1/bdbs/stats/last").await {
            databases::stats(&mut self.sheet, &named, &stats);
        }
        for named in named.iter().take(DATABASES_MAX) {
            self.availability(named).await;
        }
        if named.len() > DATABASES_MAX {
            self.sheet.note("availability", &Gap::new(GapReason::NotAsked, ""));
        }
    }

    /// Whether a database is available, and whether a member of an Active-Active one is fresh. Of any other the lag form
    /// fails for ever, and is never asked.
    async fn availability(&mut self, named: &Named) {
        let said = self.client.available(named.uid, Freshness::Ignored, self.left()).await;
        let is_available = self.sheet.take("availability", said).map(|said| said == Availability::Available);
        self.sheet.flag(&to::DATABASE_AVAILABLE, &named.labels(), is_available);
        if named.is_member && is_available == Some(true) {
            let said = self.client.available(named.uid, Freshness::Asked, self.left()).await;
            let is_fresh = self.sheet.take("freshness", said).map(|said| said == Availability::Available);
            self.sheet.flag(&to::DATABASE_FRESH, &named.labels(), is_fresh);
        }
    }

    async fn alerts(&mut self) {
        if let Some(alerts) = self.ask("cluster_alerts", "v1/cluster/alerts").await {
            whole::alerts(&mut self.sheet, "cluster", "", &alerts);
        }
        for (kind, question, path) in
            [("node", "node_alerts", "v1/nodes/alerts"), ("database", "database_alerts", "v1/bdbs/alerts")]
        {
            let each: Option<BTreeMap<String, _>> = self.ask(question, path).await;
            for (id, alerts) in each.unwrap_or_default() {
                whole::alerts(&mut self.sheet, kind, &id, &alerts);
            }
        }
    }

    async fn metrics(&mut self) {
        let left = self.left();
        let Some(said) = self.client.metrics(PAGE_BYTES_MAX, left).await else { return };
        let page = said.and_then(|answer| match answer.status {
            StatusCode::OK => Ok(String::from_utf8_lossy(&answer.body).into_owned()),
            status => Err(refused(status)),
        });
        if let Some(page) = self.sheet.take("metrics", page) {
            v2::read(&mut self.sheet, &page);
        }
    }

    /// Asks, and notes why there is no answer.
    async fn ask<T: DeserializeOwned>(&mut self, question: &'static str, path: &str) -> Option<T> {
        match self.read(path).await {
            Ok(document) => Some(document),
            Err(Silence::Absent) => {
                self.sheet.note(question, &Gap::new(GapReason::ErrorReply, ""));
                None
            }
            Err(Silence::Gap(gap)) => {
                self.sheet.note(question, &gap);
                None
            }
        }
    }

    async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T, Silence> {
        let answer = self.client.question(path, DOCUMENT_BYTES_MAX, self.left()).await?;
        match answer.status {
            StatusCode::OK => serde_json::from_slice(&answer.body).map_err(|_| Silence::Gap(malformed())),
            StatusCode::NOT_FOUND => Err(Silence::Absent),
            status => Err(Silence::Gap(refused(status))),
        }
    }

    fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now()).min(QUESTION)
    }
}

/// Why there is no document.
enum Silence {
    /// The cluster does not know the path.
    Absent,
    /// It did not say.
    Gap(Gap),
}

impl From<Gap> for Silence {
    fn from(gap: Gap) -> Self {
        Self::Gap(gap)
    }
}
