//! What the demo shows, in order.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::observer::{is_firing, is_primary, ping, resolve, series, write};
use super::stage::{NAME, SITES, Stage};
use crate::cli::parts::Failure;

/// Time between two questions of the observer.
const POLL: Duration = Duration::from_millis(10);
/// The agent warms up within this.
const WARM_UP_LIMIT: Duration = Duration::from_secs(40);
/// The whole failover is over within this.
const FAILOVER_LIMIT: Duration = Duration::from_secs(40);
/// The old primary is held within this after its return.
const HOLD_LIMIT: Duration = Duration::from_secs(10);

/// Who holds the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Dns {
    /// A strict stand-in for Route 53.
    Route53,
    /// BIND, changed by signed updates.
    Rfc2136,
    /// The agent's own name server.
    Embedded,
}

/// What to leave out, to see the demo fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Without {
    /// Alertmanager posts to nowhere.
    Webhook,
    /// No promotion is configured.
    Promotion,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct DemoArgs {
    /// Who holds the record.
    #[arg(long, value_enum, default_value = "route53")]
    dns: Dns,
    /// Leave everything running at the end, until Ctrl-C.
    #[arg(long)]
    keep: bool,
    /// Leave a part out: the failover must then not happen, and the demo fails.
    #[arg(long, value_enum)]
    without: Option<Without>,
}

pub(in crate::cli) async fn run(args: DemoArgs) -> Result<(), Failure> {
    tokio::select! {
        done = show(&args) => done?,
        _ = tokio::signal::ctrl_c() => println!("\nstopped"),
    }
    Ok(())
}

async fn show(args: &DemoArgs) -> anyhow::Result<()> {
    let mut stage = Stage::new()?;
    let done = play(&mut stage, args).await;
    if done.is_err() {
        stage.keep_folder();
        println!("\nThe logs stay in {}", stage.folder().display());
    }
    done
}

async fn play(stage: &mut Stage, args: &DemoArgs) -> anyhow::Result<()> {
    let began = Instant::now();
    println!("redrover demo: two Redis sites, Prometheus, Alertmanager and one agent, all on this machine");
    println!("  logs: {}", stage.folder().display());
    raise(stage, args).await?;
    let elapsed = began.elapsed().as_secs_f64();
    println!("  everything is up after {elapsed:.1} s; {NAME} is {}", answer(stage).await);
    warm_up(stage).await?;
    learn(stage).await?;

    println!(
        "\nThe Redis of dc-a, the active site, is killed. Seconds from then on, seen by this observer\n(with intervals of 1 s and windows of 3 s; the examples to copy have 5 s and 20 s):"
    );
    let killed = Instant::now();
    stage.kill(SITES[0].0).await?;
    watch(stage, killed).await?;

    println!("\nWhat the agent wrote down (`redrover explain sessions --verdict failover`):\n");
    let explained = stage.redrover(&["explain", "sessions", "--verdict", "failover"]).await?;
    explained.lines().for_each(|line| println!("  {line}"));

    println!("\nThe old primary of dc-a comes back:");
    let back = Instant::now();
    stage.start_redis(0).await?;
    held(stage, back).await?;
    println!("\nDone in {:.0} s.", began.elapsed().as_secs_f64());
    if args.keep {
        keep(stage).await?;
    }
    Ok(())
}

async fn raise(stage: &mut Stage, args: &DemoArgs) -> anyhow::Result<()> {
    stage.start_redis(0).await?;
    stage.start_redis(1).await?;
    match args.dns {
        Dns::Route53 => stage.start_route53().await?,
        Dns::Rfc2136 => stage.start_named().await?,
        // It starts with the agent.
        Dns::Embedded => {}
    }
    stage.start_prometheus(args.without).await?;
    stage.write_config(args.dns, args.without)?;
    stage.start_agent().await?;
    let adopted = stage.redrover(&["adopt", "sessions", "--active", SITES[0].0, "--yes"]).await?;
    println!("  {}", adopted.lines().last().unwrap_or_default());
    let served = async {
        while resolve(stage.dns, NAME).await.is_none() {
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::time::timeout(WARM_UP_LIMIT, served).await.context("the name is not answered")
}

async fn answer(stage: &Stage) -> String {
    resolve(stage.dns, NAME).await.unwrap_or_else(|| "not answered".to_owned())
}

/// Waits until no veto about the warm-up, the record or the standby stands any more, and shows what it waits for.
async fn warm_up(stage: &Stage) -> anyhow::Result<()> {
    println!("\nThe agent warms up: it must have seen enough to trust the standby.");
    let until = Instant::now() + WARM_UP_LIMIT;
    let mut said = String::new();
    loop {
        let text = stage.redrover(&["explain", "sessions", "--output", "json"]).await.unwrap_or_default();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        let vetoes = json["decision"]["vetoes"].as_array().cloned().unwrap_or_default();
        let reasons: Vec<&str> = vetoes.iter().filter_map(|v| v["reason"]["reason"].as_str()).collect();
        let waits: Vec<&str> =
            reasons.iter().copied().filter(|r| !matches!(*r, "no_majority" | "no_promotion")).collect();
        if !text.is_empty() && waits.is_empty() {
            println!("  ready");
            return Ok(());
        }
        let now = waits.join(", ");
        if now != said {
            println!("  waiting: {now}");
            said = now;
        }
        if Instant::now() >= until {
            bail!("the agent did not get ready: {said}");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Waits until the analysis has learned what is usual at both Redis, and shows their scores.
async fn learn(stage: &Stage) -> anyhow::Result<()> {
    println!("\nThe agent learns what is usual at each Redis:");
    for (name, _) in SITES {
        let site = format!("datacenter=\"{name}\"");
        let number = async |begins| {
            let number = async {
                loop {
                    if let Some(number) = series(stage.agent, begins, &[&site]).await {
                        return number;
                    }
                    tokio::time::sleep(POLL).await;
                }
            };
            tokio::time::timeout(WARM_UP_LIMIT, number).await.with_context(|| format!("{name} got no score"))
        };
        let score = number("redrover_anomaly_score{").await?;
        let threshold = number("redrover_anomaly_threshold{").await?;
        println!("  anomaly score of {name}, by fixed limits: {score:.2}; anomalous above {threshold:.2}");
    }
    Ok(())
}

type Answer = Pin<Box<dyn Future<Output = bool> + Send>>;
type Question = Box<dyn Fn() -> Answer + Send>;

/// Watches all parts at once and prints what it sees, when it sees it.
async fn watch(stage: &Stage, killed: Instant) -> anyhow::Result<()> {
    let (agent, prometheus, dns) = (stage.agent, stage.prometheus, stage.dns);
    let standby = stage.redis_url(1);
    let port = stage.redis_port;
    let events: Vec<(&str, Question)> = vec![
        ("the agent sees dc-a failing", Box::new(move || Box::pin(fails(agent)))),
        ("the alert fires in Prometheus", Box::new(move || Box::pin(is_firing(prometheus, "RedisDown")))),
        ("Alertmanager's notification is durable at the agent", Box::new(move || Box::pin(accepted(agent)))),
        (
            "the Redis of dc-b is promoted",
            Box::new(move || {
                let url = standby.clone();
                Box::pin(async move { is_primary(&url).await })
            }),
        ),
        (
            "the name server answers the address of dc-b",
            Box::new(move || Box::pin(points_to(dns, SITES[1].1))),
        ),
        ("a write through the name succeeds", Box::new(move || Box::pin(writes(dns, port)))),
    ];
    let count = events.len();
    let (seen, mut news) = mpsc::channel(count);
    let mut tasks = JoinSet::new();
    for (what, question) in events {
        let seen = seen.clone();
        tasks.spawn(async move {
            while !question().await {
                tokio::time::sleep(POLL).await;
            }
            let _ = seen.send((what, killed.elapsed())).await;
        });
    }
    let all = async {
        for _ in 0..count {
            let Some((what, after)) = news.recv().await else { break };
            println!("  {:>7.3} s  {what}", after.as_secs_f64());
        }
    };
    if tokio::time::timeout(FAILOVER_LIMIT, all).await.is_err() {
        let said = stage.redrover(&["explain", "sessions"]).await.unwrap_or_default();
        said.lines().for_each(|line| println!("  {line}"));
        bail!("the failover did not happen within {} s", FAILOVER_LIMIT.as_secs());
    }
    println!("  {NAME} was {}, and is {}", SITES[0].1, answer(stage).await);
    Ok(())
}

async fn fails(agent: SocketAddr) -> bool {
    let labels = ["datacenter=\"dc-a\"", "state=\"fail"];
    let page = super::observer::get(&format!("http://{agent}/metrics")).await.unwrap_or_default();
    page.lines().any(|l| {
        l.starts_with("redrover_health{") && labels.iter().all(|x| l.contains(x)) && l.ends_with(" 1")
    })
}

async fn accepted(agent: SocketAddr) -> bool {
    series(agent, "redrover_webhook_notifications_total{", &["accepted"]).await.is_some_and(|n| n >= 1.0)
}

async fn points_to(dns: SocketAddr, address: &str) -> bool {
    resolve(dns, NAME).await.as_deref() == Some(address)
}

/// As a client would: ask for the name, connect to the answer, write.
async fn writes(dns: SocketAddr, port: u16) -> bool {
    match resolve(dns, NAME).await {
        Some(address) => write(&format!("redis://{address}:{port}")).await,
        None => false,
    }
}

/// The old primary answers, and a write there does not get through.
async fn held(stage: &Stage, back: Instant) -> anyhow::Result<()> {
    let url = stage.redis_url(0);
    println!("  {:>7.3} s  it answers, and says that it is a primary", back.elapsed().as_secs_f64());
    let held = async {
        let mut last = back.elapsed();
        loop {
            // A pause answers PING and keeps the write waiting beyond its deadline.
            let asked = back.elapsed();
            match write(&url).await {
                true => last = back.elapsed(),
                false if ping(&url).await => return (last, asked),
                false => {}
            }
            tokio::time::sleep(POLL).await;
        }
    };
    let (last, asked) =
        tokio::time::timeout(HOLD_LIMIT, held).await.context("the old primary was not held")?;
    println!(
        "  {:>7.3} s  the last write that it took, which is lost once it follows the new primary",
        last.as_secs_f64()
    );
    println!("  {:>7.3} s  a write there is held from then on, until a person decides", asked.as_secs_f64());
    Ok(())
}

async fn keep(stage: &Stage) -> anyhow::Result<()> {
    println!("\nEverything keeps running until Ctrl-C:");
    println!("  redrover      http://{}/metrics", stage.agent);
    println!("  Prometheus    http://{}/", stage.prometheus);
    println!("  Alertmanager  http://{}/", stage.alertmanager);
    println!("  DNS           dig @{} -p {} {NAME} A", stage.dns.ip(), stage.dns.port());
    println!("  Redis         {} and {}", stage.redis_url(0), stage.redis_url(1));
    println!(
        "  explain       {} explain sessions --config.file {}",
        std::env::current_exe()?.display(),
        stage.config_file().display()
    );
    std::future::pending().await
}
