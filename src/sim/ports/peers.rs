//! The other vantages: each answers from what it has published, by the shipped conversion.

use std::time::Duration;

use async_trait::async_trait;

use super::Gate;
use crate::control::report;
use crate::sim::language::Ports;
use crate::sim::world::{Life, Node};
use crate::types::{Gap, GapReason, Moment, ServiceName, VantageAnswer, VantageReport};

/// The way of one process to the other agents.
pub(in crate::sim) struct SimPeers {
    pub(in crate::sim) gate: Gate,
    pub(in crate::sim) probe_interval: Duration,
}

impl SimPeers {
    fn ask_one(
        &self,
        peer: usize,
        service: &ServiceName,
        deadline: Duration,
    ) -> (Result<VantageReport, Gap>, Duration) {
        let (world, agent) = (&self.gate.world, self.gate.agent);
        let (now, layout) = (world.now(), &world.layout);
        let mut state = world.state();
        let home = [Node::Datacenter(layout.homes[peer])];
        let to = layout.nodes(peer);
        let passage = state.network.passage(&layout.nodes(agent), &to, Ports::All);
        let mut round_trip = state.round_trip(layout.homes[agent], layout.homes[peer]);
        round_trip += state.actors[peer].late;
        let took = match state.travel(agent, passage, round_trip, deadline) {
            Ok(took) => took,
            Err((gap, took)) => return (Err(gap), took),
        };
        match (&state.actors[peer].life, &state.actors[peer].view) {
            (Life::Running, Some(view)) => {
                let wall = state.actors[peer].clocks.wall(now);
                let mono = now.saturating_sub(state.actors[peer].began);
                let view = view.of(service);
                (Ok(report(view.as_deref(), self.probe_interval, Moment { mono, wall })), took)
            }
            (Life::Frozen(_), _) => (Err(Gap::new(GapReason::Timeout, "no answer in time")), deadline),
            (Life::Gone, _) if state.is_dark[layout.homes[peer]] => {
                let gap = Gap::new(GapReason::ConnectTimeout, "no answer to the connection attempt");
                let _ = home;
                (Err(gap), deadline)
            }
            (Life::Running | Life::Gone, _) => {
                (Err(Gap::new(GapReason::Refused, "connection refused")), took)
            }
        }
    }
}

#[async_trait]
impl crate::monitor::Peers for SimPeers {
    async fn ask(&self, service: &ServiceName, deadline: Duration) -> Vec<VantageAnswer> {
        self.gate.pass().await;
        let layout = &self.gate.world.layout;
        let others = (0..layout.agents.len()).filter(|peer| *peer != self.gate.agent);
        let mut longest = Duration::ZERO;
        let answers = others.map(|peer| {
            let (said, took) = self.ask_one(peer, service, deadline);
            longest = longest.max(took);
            let failure_domain = layout.datacenters[layout.homes[peer]].clone();
            VantageAnswer { agent: layout.agents[peer].clone(), failure_domain, said }
        });
        let answers = answers.collect();
        self.gate.take(longest).await;
        answers
    }
}
