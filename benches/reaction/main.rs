//! How fast a failover is, with real servers, beside Redis Sentinel.
//!
//! Each run kills two primaries with SIGKILL at the same moment: that of a redrover service, whose name is held by the
//! embedded name server or by BIND, and that of a group of three Sentinels with the same `down-after`. Clients ask the
//! authoritative name server, or a Sentinel, every millisecond, and try to write where they are told to.
//!
//! `cargo bench --bench reaction`; `REDROVER_RUNS` (default 20) runs for each provider, `REDROVER_WINDOW_MS` (1000) the
//! window, `REDROVER_INTERVAL_MS` (100) the time between two probes, `REDROVER_SENTINEL=0` leaves Sentinel out.
//! `REDROVER_ALERTS` (5) kills more have a real Prometheus and Alertmanager before the agent, which nobody else alerts.

mod alert;
mod client;
mod product;
mod sentinel;

#[expect(dead_code, unused_imports, reason = "the integration tests use the rest of it")]
#[path = "../../tests/it/support/mod.rs"]
mod support;

use std::time::Duration;

use alert::{AlertPath, STEP};
use product::{Holder, Product, Times};
use sentinel::Sentinels;

/// What is measured with.
#[derive(Debug, Clone, Copy)]
struct Rules {
    runs: u64,
    window: Duration,
    interval: Duration,
    with_sentinel: bool,
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let rules = Rules {
        runs: number("REDROVER_RUNS", 20),
        window: Duration::from_millis(number("REDROVER_WINDOW_MS", 1000)),
        interval: Duration::from_millis(number("REDROVER_INTERVAL_MS", 100)),
        with_sentinel: number("REDROVER_SENTINEL", 1) > 0,
    };
    println!(
        "confirm_window and down-after {:?}, probe_interval {:?}, probe_timeout {:?}; evidence: vantage (one agent), \
         peer (the standby's link), and an alert that is posted at the moment of the kill, so that the alert path \
         takes no part of the time",
        rules.window,
        rules.interval,
        product::timeout(rules.interval),
    );
    for holder in [Holder::Embedded, Holder::Bind] {
        let (mut times, mut beside) = (Vec::new(), Vec::new());
        for _ in 0..rules.runs {
            let (time, sentinel) = one(holder, rules).await;
            times.push(time);
            beside.extend(sentinel);
        }
        report(holder, &times, &beside);
    }
    let alerts = number("REDROVER_ALERTS", 5);
    if alerts > 0 {
        with_alert_path(alerts, rules).await;
    }
}

/// Kills of which the agent hears by Prometheus and Alertmanager.
async fn with_alert_path(kills: u64, rules: Rules) {
    let (mut arrivals, mut answers) = (Vec::new(), Vec::new());
    for _ in 0..kills {
        let mut product = Product::start(Holder::Embedded, rules).await;
        let mut path = AlertPath::start(product.agent()).await;
        product.wait_armed().await;
        let killed = product.kill();
        let (arrival, times) = tokio::join!(path.arrival(), product.write_again(killed));
        arrivals.push(arrival - killed.at);
        answers.push(times.answer);
    }
    println!(
        "\nThe alert path: scrape interval, evaluation interval and `for` {:?} each, group_wait 0 ({kills} kills)",
        STEP
    );
    line("kill -> the notification arrives", arrivals);
    line("kill -> changed answer", answers);
}

/// One kill of each.
async fn one(holder: Holder, rules: Rules) -> (Times, Option<Duration>) {
    let mut product = Product::start(holder, rules).await;
    let mut sentinels = match rules.with_sentinel {
        true => Some(Sentinels::start(rules.window).await),
        false => None,
    };
    product.wait_armed().await;
    let told = async {
        match &mut sentinels {
            Some(sentinels) => Some(sentinels.kill_and_write().await),
            None => None,
        }
    };
    let (times, beside) = tokio::join!(product.kill_and_write(), told);
    (times, beside)
}

fn report(holder: Holder, times: &[Times], beside: &[Duration]) {
    println!("\n{} ({} kills)", holder.name(), times.len());
    let of = |pick: fn(&Times) -> Duration| times.iter().map(pick).collect::<Vec<_>>();
    line("round that completes the window -> changed authoritative answer", of(|t| t.reaction));
    line("first failed probe -> changed answer, minus the window", of(|t| t.beyond_window));
    line("kill -> changed answer", of(|t| t.answer));
    line("kill -> first write at the new primary", of(|t| t.write));
    told_stages(times);
    if !beside.is_empty() {
        line("Sentinel: kill -> first write at the new primary", beside.to_vec());
        let mean = |all: &[Duration]| all.iter().sum::<Duration>().as_secs_f64() / all.len() as f64;
        let ours = of(|t| t.write);
        println!(
            "  ratio of the means, redrover to Sentinel: {:.2} (goal: at most 1.00)",
            mean(&ours) / mean(beside)
        );
        println!("  ratio of the medians: {:.2}", median(&ours) / median(beside));
    }
}

/// When each stage of the reaction was reached, and the slowest reaction whole.
fn told_stages(times: &[Times]) {
    let Some(slowest) = times.iter().max_by_key(|times| times.reaction) else { return };
    for (name, _) in &slowest.stages {
        let reached = times.iter().flat_map(|times| &times.stages).filter(|(stage, _)| stage == name);
        line(&format!("  the same round -> {name}"), reached.map(|(_, at)| *at).collect());
    }
    let told = slowest.stages.iter().map(|(name, at)| format!("{name} {}", at.as_millis()));
    println!("  the slowest, in ms: {}", told.collect::<Vec<_>>().join(", "));
}

fn line(what: &str, mut all: Vec<Duration>) {
    all.sort_unstable();
    let at = |share: f64| {
        let place = (share * all.len() as f64).ceil() as usize;
        all[place.clamp(1, all.len()) - 1].as_secs_f64() * 1000.0
    };
    println!(
        "  {what:<66} p50 {:>7.1} ms  p95 {:>7.1} ms  p99 {:>7.1} ms  most {:>7.1} ms",
        at(0.5),
        at(0.95),
        at(0.99),
        at(1.0)
    );
}

fn median(all: &[Duration]) -> f64 {
    let mut all = all.to_vec();
    all.sort_unstable();
    all[all.len() / 2].as_secs_f64()
}
