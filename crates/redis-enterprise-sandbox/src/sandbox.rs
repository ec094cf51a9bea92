//! Starting and stopping.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tracing::info;

use crate::clock::Clock;
use crate::control;
use crate::edge::{self, Bound, Hub, NameSockets, Papers, Tasks, TlsError};
use crate::options::Options;
use crate::plan::{ClusterPlan, Plan};
use crate::world::{Place, Ports, World};

/// The stand-in.
#[derive(Debug)]
pub struct Sandbox;

/// A running stand-in; it stops when this is dropped.
#[derive(Debug)]
pub struct Running {
    hello: Value,
    tasks: Tasks,
}

/// Why a sandbox could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be bound.
    #[error("cannot listen for {what}")]
    Listen {
        /// What for.
        what: String,
        /// The cause.
        source: io::Error,
    },
    /// A certificate cannot be made.
    #[error("cannot make a certificate")]
    Certificate(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A certificate cannot be written.
    #[error("cannot write {}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// The listeners of one cluster.
struct Listeners {
    rest: Bound,
    metrics: Bound,
    databases: Vec<(u32, Bound)>,
}

impl Sandbox {
    /// Binds all addresses and serves them on the runtime of the caller.
    ///
    /// # Errors
    ///
    /// When an address cannot be bound, or a certificate cannot be made or written.
    pub async fn start(options: Options) -> Result<Running, StartError> {
        let plan = &options.plan;
        let (ports, bound) = bind(plan).await?;
        let control = listen("the control endpoint", TcpListener::bind(options.control).await)?;
        let control_addr = listen("the control endpoint", control.local_addr())?;
        let names = listen("DNS", NameSockets::bind(options.dns).await)?;
        let clock = Clock::start();
        let world = World::new(plan, &ports, clock.started_unix_ms());
        let papers = papers(&world)?;
        let mut hello = hello(&world, &papers, control_addr, &options)?;
        hello["dns"] = json!(names.address.to_string());
        let hub = Arc::new(Hub::new(world, clock));
        let tasks = Tasks::default();
        tasks.spawn(edge::tick(Arc::clone(&hub)));
        tasks.spawn(edge::serve(control, control::router(Arc::clone(&hub))));
        tasks.spawn(names.serve(Arc::clone(&hub)));
        for (cluster, listeners) in bound.into_iter().enumerate() {
            open(&hub, &papers[cluster], &tasks, cluster, listeners);
        }
        info!(%control_addr, "the sandbox is up");
        Ok(Running { hello, tasks })
    }
}

impl Running {
    /// Where everything is: the control endpoint, and of each cluster its domain, the URLs of its nodes, its
    /// certificate, and its databases.
    #[must_use]
    pub fn hello(&self) -> &Value {
        &self.hello
    }

    /// Stops, and waits until nothing runs any more.
    pub async fn stop(self) {
        self.tasks.take().shutdown().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Dropping the set aborts what is in it.
        drop(self.tasks.take());
    }
}

fn listen<T>(what: &str, result: io::Result<T>) -> Result<T, StartError> {
    result.map_err(|source| StartError::Listen { what: what.to_owned(), source })
}

async fn bind(plan: &Plan) -> Result<(Ports, Vec<Listeners>), StartError> {
    let (mut ports, mut all) = (Ports::default(), Vec::new());
    for (index, cluster) in plan.clusters.iter().enumerate() {
        let addresses = addresses(index, cluster);
        let bound = edge::bind_all(&addresses, cluster.rest_port).await;
        let rest = listen(&format!("the REST API of {}", cluster.name), bound)?;
        ports.rest.push(rest.port);
        let bound = edge::bind_all(&addresses, cluster.metrics_port).await;
        let metrics = listen(&format!("the metrics of {}", cluster.name), bound)?;
        ports.metrics.push(metrics.port);
        let mut databases = Vec::new();
        for database in &cluster.databases {
            let bound = edge::bind_all(&addresses, database.port).await;
            let bound = listen(&format!("database {} of {}", database.uid, cluster.name), bound)?;
            ports.databases.insert((index, database.uid), bound.port);
            databases.push((database.uid, bound));
        }
        all.push(Listeners { rest, metrics, databases });
    }
    Ok((ports, all))
}

fn addresses(index: usize, cluster: &ClusterPlan) -> Vec<Ipv4Addr> {
    (1..=cluster.nodes).map(|node| World::address(index, node)).collect()
}

fn papers(world: &World) -> Result<Vec<Arc<Papers>>, StartError> {
    let of = |cluster: &crate::world::Cluster| {
        // The addresses are ours: the real one holds the two names only, and a client on one machine has no resolver
        // that knows them.
        let addresses = cluster.nodes.iter().map(|node| node.address.to_string());
        let names = [cluster.fqdn.clone(), format!("*.{}", cluster.fqdn)].into_iter().chain(addresses);
        Papers::new(names.collect()).map(Arc::new)
    };
    let certificate = |error: TlsError| StartError::Certificate(Box::new(error));
    world.clusters.iter().map(of).collect::<Result<_, _>>().map_err(certificate)
}

fn open(hub: &Arc<Hub>, papers: &Arc<Papers>, tasks: &Tasks, cluster: usize, listeners: Listeners) {
    for (node, listener) in (1..).zip(listeners.rest.listeners) {
        let (inner, papers) = (Arc::clone(hub), Arc::clone(papers));
        let serve = move |stream| edge::rest(Arc::clone(&inner), Arc::clone(&papers), cluster, node, stream);
        tasks.spawn(edge::keep(Arc::clone(hub), listener, move |w| w.rest_door(cluster, node), serve));
    }
    for (node, listener) in (1..).zip(listeners.metrics.listeners) {
        let (inner, papers) = (Arc::clone(hub), Arc::clone(papers));
        let serve =
            move |stream| edge::metrics(Arc::clone(&inner), Arc::clone(&papers), cluster, node, stream);
        tasks.spawn(edge::keep(Arc::clone(hub), listener, move |w| w.metrics_door(cluster, node), serve));
    }
    for (uid, bound) in listeners.databases {
        let place = Place { cluster, uid };
        for (node, listener) in (1..).zip(bound.listeners) {
            let (inner, papers) = (Arc::clone(hub), Arc::clone(papers));
            let serve =
                move |stream| edge::redis(Arc::clone(&inner), Arc::clone(&papers), place, node, stream);
            tasks.spawn(edge::keep(Arc::clone(hub), listener, move |w| w.redis_door(place, node), serve));
        }
    }
}

fn hello(
    world: &World,
    papers: &[Arc<Papers>],
    control: SocketAddr,
    options: &Options,
) -> Result<Value, StartError> {
    let mut clusters = serde_json::Map::new();
    for (cluster, papers) in world.clusters.iter().zip(papers) {
        let scheme = if cluster.is_plain { "http" } else { "https" };
        let url = |node: &crate::world::Node| format!("{scheme}://{}:{}", node.address, cluster.rest_port);
        let master = cluster.nodes.iter().find(|node| cluster.master == Some(node.uid)).map(url);
        let metrics =
            cluster.nodes.first().map(|node| format!("{scheme}://{}:{}", node.address, cluster.metrics_port));
        let nodes: serde_json::Map<_, _> =
            cluster.nodes.iter().map(|node| (node.uid.to_string(), json!(url(node)))).collect();
        let databases: serde_json::Map<_, _> = cluster
            .databases
            .iter()
            .map(|database| {
                let address = cluster.node(database.endpoint_node).map(|node| node.address.to_string());
                let name = cluster.endpoint_name(database.port);
                let at = json!({"port": database.port, "address": address, "dns_name": name});
                (database.uid.to_string(), at)
            })
            .collect();
        let ca_file = options.folder.as_ref().map(|folder| folder.join(format!("{}.pem", cluster.name)));
        if let Some(path) = &ca_file {
            let write = |source| StartError::Write { path: path.clone(), source };
            std::fs::write(path, papers.pem()).map_err(write)?;
        }
        let of = json!({
            "fqdn": cluster.fqdn, "url": master, "nodes": nodes, "metrics": metrics, "ca_file": ca_file, "certificate": papers.pem(),
            "databases": databases,
        });
        clusters.insert(cluster.name.clone(), of);
    }
    Ok(json!({"control": format!("http://{control}"), "clusters": clusters}))
}
