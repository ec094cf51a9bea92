//! Alertmanager: posts notifications to the agents, through their own HTTP side.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use tokio::task::JoinSet;

use super::agent::{Doors, TOKEN};
use super::language::{Fingerprint, Token, Webhook};
use super::leaks;
use super::world::{EPOCH, State, Trace, What, World};
use crate::types::AlertState;

/// A post that is not answered within so long is given up.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Alertmanager.
pub(super) struct Alertmanager {
    world: Arc<World>,
    doors: Doors,
    posts: JoinSet<()>,
    /// When each alert that fires began: by its name, its site and its service.
    began: BTreeMap<(String, Option<String>, usize), Duration>,
}

impl Alertmanager {
    pub(super) fn new(world: Arc<World>, doors: Doors) -> Self {
        Self { world, doors, posts: JoinSet::new(), began: BTreeMap::new() }
    }

    /// Posts a notification, as often as it asks for.
    pub(super) fn post(&mut self, webhook: &Webhook) {
        let now = self.world.now();
        let services: Vec<usize> = match webhook.service {
            Some(one) => vec![one],
            None => (0..self.world.layout.services.len()).collect(),
        };
        let starts: Vec<(usize, Duration)> =
            services.into_iter().map(|service| (service, self.starts(webhook, service, now))).collect();
        let leaders = self.world.state().leaders(now);
        let mut agents: Vec<usize> =
            webhook.to.iter().flat_map(|who| self.world.layout.who(who, &leaders)).collect();
        agents.sort_unstable();
        agents.dedup();
        for agent in agents {
            let post = Post {
                world: Arc::clone(&self.world),
                doors: Arc::clone(&self.doors),
                agent,
                webhook: webhook.clone(),
                starts: starts.clone(),
            };
            self.posts.spawn(post.run(now));
        }
    }

    /// When an alert began, after time 0; it is forgotten when it is resolved.
    fn starts(&mut self, webhook: &Webhook, service: usize, now: Duration) -> Duration {
        let site = webhook.site.as_ref().map(ToString::to_string);
        let key = (webhook.alert.clone(), site, service);
        let known = match webhook.state {
            AlertState::Firing => *self.began.entry(key).or_insert(now),
            AlertState::Resolved => self.began.remove(&key).unwrap_or(now),
        };
        webhook.starts.map_or(known, |starts| self.world.zero + starts)
    }
}

/// One agent's share of the posts of a notification.
struct Post {
    world: Arc<World>,
    doors: Doors,
    agent: usize,
    webhook: Webhook,
    starts: Vec<(usize, Duration)>,
}

impl Post {
    async fn run(self, from: Duration) {
        let times = self.webhook.times.max(1);
        let same = self.body();
        let mut waiting = JoinSet::new();
        for nth in 0..times {
            let at = from + self.webhook.over.mul_f64(f64::from(nth) / f64::from(times));
            if at > self.world.now() {
                self.world.until(at).await;
            }
            let body = match self.webhook.fingerprint {
                Fingerprint::Random => {
                    let number = self.world.state().chance.number();
                    same.replace(&fingerprint(0), &fingerprint(number))
                }
                Fingerprint::Same => same.clone(),
            };
            let door = self.doors.lock().unwrap_or_else(PoisonError::into_inner)[self.agent].clone();
            // A process that is dead refuses the connection, and Alertmanager comes again only when it is told to.
            let Some(door) = door else { continue };
            let answer = knock(door, body, self.webhook.token);
            if times == 1 {
                self.note(answer.await);
            } else {
                waiting.spawn(answer);
                while let Some(Ok(status)) = waiting.try_join_next() {
                    self.note(status);
                }
            }
        }
        while let Some(Ok(status)) = waiting.join_next().await {
            self.note(status);
        }
    }

    fn note(&self, status: Option<u16>) {
        // 0 stands for no answer.
        let (now, status) = (self.world.now(), status.unwrap_or(0));
        note(&mut self.world.state(), now, self.agent, status);
    }

    fn body(&self) -> String {
        if let Some(body) = &self.webhook.body {
            return body.clone();
        }
        let webhook = &self.webhook;
        let state = match webhook.state {
            AlertState::Firing => "firing",
            AlertState::Resolved => "resolved",
        };
        let alert = |(service, starts): &(usize, Duration)| {
            let wall = (EPOCH + *starts).saturating_sub(self.world.zero);
            let starts = humantime::format_rfc3339_millis(UNIX_EPOCH + wall).to_string();
            let name = &self.world.layout.services[*service];
            let mut labels = BTreeMap::from([
                ("alertname", webhook.alert.clone()),
                ("redis_service", name.to_string()),
                ("severity", "critical".to_owned()),
            ]);
            if let Some(site) = &webhook.site {
                labels.insert("datacenter", site.to_string());
            }
            let number = match webhook.fingerprint {
                Fingerprint::Same => fnv(&format!("{labels:?}")),
                // Each post puts its own one in.
                Fingerprint::Random => 0,
            };
            serde_json::json!({
                "status": state, "labels": labels, "annotations": {}, "startsAt": starts,
                "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "", "fingerprint": fingerprint(number),
            })
        };
        let alerts: Vec<_> = self.starts.iter().map(alert).collect();
        serde_json::json!({
            "version": "4", "groupKey": format!("{{}}:{{alertname={:?}}}", webhook.alert), "status": state,
            "receiver": "redrover", "alerts": alerts,
        })
        .to_string()
    }
}

/// Posts a body; `None` when no answer came in time.
async fn knock(door: Router, body: String, token: Token) -> Option<u16> {
    let request = Request::post("/webhook/alertmanager").header(header::CONTENT_TYPE, "application/json");
    let request = match token {
        Token::Good => request.header(header::AUTHORIZATION, format!("Bearer {TOKEN}")),
        Token::Bad => request.header(header::AUTHORIZATION, "Bearer wrong"),
        Token::Missing => request,
    };
    let request = request.body(Body::from(body)).ok()?;
    let answered = tokio::time::timeout(TIMEOUT, TowerToHyperService::new(door).call(request));
    Some(leaks::read("/webhook/alertmanager", answered.await.ok()?.ok()?).await)
}

/// Writes an answer down; those that say the same, one after the other, are one line.
fn note(state: &mut State, now: Duration, agent: usize, status: u16) {
    if let Some(Trace { what: What::Notified { agent: last_agent, status: last, times }, .. }) =
        state.trace.last_mut()
        && (*last_agent, *last) == (agent, status)
    {
        *times += 1;
        return;
    }
    state.trace.push(Trace { at: now, what: What::Notified { agent, status, times: 1 } });
}

fn fingerprint(number: u64) -> String {
    format!("{number:016x}")
}

/// FNV-1a, as Prometheus makes fingerprints.
fn fnv(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
