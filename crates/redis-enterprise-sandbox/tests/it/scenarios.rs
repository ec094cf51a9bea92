//! Twenty-nine states of a cluster, some in two versions where nobody says which is right: what is to be seen in each.
//!
//! `A` is the availability and `AL` with a limit of 100 ms, `E` that of the endpoint, `H` the health of the master, `N` and
//! `B` the states of nodes and of the database, `S` that of its source, `P` a PING and `W` a write. 0 is no answer.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::support::{Got, Rig, VIEWER};

/// Long enough for an answer that comes.
const A_WHILE: Duration = Duration::from_secs(2);

#[tokio::test]
async fn every_state_shows_what_it_must() {
    let scenarios: Value = serde_json::from_str(include_str!("../../fixtures/scenarios.json")).unwrap();
    for scenario in scenarios.as_array().unwrap() {
        let id = scenario["id"].as_str().unwrap();
        let mut plan: Value = serde_json::from_str(include_str!("../../fixtures/world.json")).unwrap();
        if let Some(profile) = scenario["profile"].as_str() {
            plan["clusters"][0]["profile"] = json!(profile);
        }
        if scenario["variants"].is_object() {
            plan["variants"] = scenario["variants"].clone();
        }
        let rig = Rig::with(plan).await;
        for step in scenario["steps"].as_array().into_iter().flatten() {
            match step["skip_ms"].as_u64() {
                Some(ms) => rig.skip(ms).await,
                None => rig.change(step["target"].as_str().unwrap(), step["change"].clone()).await,
            }
        }
        let node = u32::try_from(scenario["ask"].as_u64().unwrap_or(2)).unwrap();
        let database = u32::try_from(scenario["database"].as_u64().unwrap()).unwrap();
        for (what, wanted) in scenario["expect"].as_object().unwrap() {
            let mut found = seen(&rig, node, database, what, wanted).await;
            // A listener opens and closes a moment after its order.
            let start = Instant::now();
            while found != *wanted && start.elapsed() < A_WHILE {
                tokio::time::sleep(Duration::from_millis(20)).await;
                found = seen(&rig, node, database, what, wanted).await;
            }
            assert_eq!(&found, wanted, "{id}: {what}");
        }
    }
}

/// What is to be seen, in the form of what is expected.
async fn seen(rig: &Rig, node: u32, database: u32, what: &str, wanted: &Value) -> Value {
    let availability = format!("/v1/bdbs/{database}/availability");
    let lag = |ms: &str| format!("{availability}?extend_check=lag&availability_lag_tolerance_ms={ms}");
    let field = async |fields: &str| ask(rig, node, &format!("/v1/bdbs/{database}?fields={fields}")).await;
    match what {
        "A" => status(ask(rig, node, &availability).await),
        "AL" => status(ask(rig, node, &lag("100")).await),
        "AL_600000" => status(ask(rig, node, &lag("600000")).await),
        "code" => json!(ask(rig, node, &availability).await.expect("an answer").code()),
        "E_elsewhere" => {
            let serving = rig.address("a", database);
            let serving =
                serving.split(':').next().and_then(|host| host.rsplit('.').next()).map(str::to_owned);
            let other =
                (1..=3).find(|node| serving.as_deref() != Some(node.to_string().as_str())).expect("a node");
            status(ask(rig, other, &format!("/v1/local/bdbs/{database}/endpoint/availability")).await)
        }
        "H" => {
            let got = ask(rig, node, "/v1/local/node/master_healthcheck").await.expect("an answer");
            got.json()["status"].clone()
        }
        "N" => {
            let nodes = ask(rig, node, "/v1/nodes/status").await;
            let nodes = nodes.filter(|got| got.status == 200);
            let uid = wanted.as_object().and_then(|wanted| wanted.keys().next()).expect("a node").clone();
            let state = nodes.map_or(Value::Null, |got| got.json()[uid.as_str()]["node_status"].clone());
            json!({uid: state})
        }
        "B" => field("status").await.expect("an answer").json()["status"].clone(),
        "S" => {
            field("replica_sources").await.expect("an answer").json()["replica_sources"][0]["status"].clone()
        }
        "P" => redis(rig, database, "PING").await,
        "W" => redis(rig, database, "SET k v").await,
        other => panic!("nobody can see {other}"),
    }
}

async fn ask(rig: &Rig, node: u32, path: &str) -> Option<Got> {
    timeout(A_WHILE, rig.ask("a", node, Method::GET, path, Some(VIEWER), None)).await.ok()?.ok()
}

fn status(got: Option<Got>) -> Value {
    json!(got.map_or(0, |got| got.status))
}

/// The beginning of a reply at the address that the database had at the start.
async fn redis(rig: &Rig, database: u32, command: &str) -> Value {
    let Ok(mut stream) = TcpStream::connect(rig.address("a", database)).await else {
        return json!("refused");
    };
    let _ = stream.write_all(format!("{command}\r\n").as_bytes()).await;
    let mut reply = vec![0; 64];
    match timeout(A_WHILE, stream.read(&mut reply)).await {
        Err(_) => json!("silent"),
        Ok(Err(_) | Ok(0)) => json!("refused"),
        Ok(Ok(count)) => {
            let text = String::from_utf8_lossy(&reply[..count]).into_owned();
            json!(text.split_whitespace().next().unwrap_or_default())
        }
    }
}
