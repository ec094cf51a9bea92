//! A strict stand-in for Google Cloud DNS and for what gives tokens. It shares no code with the client.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The project and the managed zone that are there.
pub const PROJECT: &str = "a-project";
pub const MANAGED_ZONE: &str = "example-test";
/// The zone's DNS name.
pub const DNS_NAME: &str = "example.test.";
/// The service account whose key is known.
pub const EMAIL: &str = "redrover@a-project.iam.gserviceaccount.com";
/// A change is `pending` when it is asked for so often.
const PENDING_ASKS: u32 = 2;

/// What goes wrong with the next change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done, and the connection closes.
    LoseRequest,
    /// All is done, and the connection closes.
    LoseReply,
    /// This status, with this reason, and nothing is done.
    Answer(u16, &'static str),
}

/// A running stand-in.
pub struct CloudDns {
    address: SocketAddr,
    world: Arc<Mutex<World>>,
    folder: TempDir,
    _tasks: JoinSet<()>,
}

type Key = (String, String);
/// TTL and data.
type Held = (u64, Vec<String>);

#[derive(Default)]
struct World {
    /// TTL and data of each name and type.
    sets: BTreeMap<Key, Held>,
    /// How often each change was asked for.
    changes: Vec<u32>,
    tokens: BTreeSet<String>,
    token_requests: usize,
    faults: VecDeque<Fault>,
    is_read_only: bool,
    public_key: String,
}

struct Request {
    method: String,
    path: String,
    query: HashMap<String, String>,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

type Reply = (u16, Value);

impl CloudDns {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let key = folder.path().join("key.pem");
        openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", &text(&key)]);
        let public = folder.path().join("public.pem");
        openssl(&["pkey", "-in", &text(&key), "-pubout", "-out", &text(&public)]);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let world = Arc::new(Mutex::new(World { public_key: text(&public), ..World::default() }));
        let shared = Arc::clone(&world);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&shared), address));
            }
        });
        Self { address, world, folder, _tasks: tasks }
    }

    /// The base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where the metadata server is.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// The key file of the service account.
    pub fn key_file(&self) -> Value {
        let key = fs::read_to_string(self.folder.path().join("key.pem")).expect("the key");
        json!({
            "type": "service_account", "project_id": PROJECT, "private_key_id": "k1", "private_key": key,
            "client_email": EMAIL, "token_uri": format!("{}/token", self.url()),
        })
    }

    /// A folder for files of the test.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What goes wrong with the next changes.
    pub fn faults(&self, faults: &[Fault]) {
        self.world().faults = faults.iter().copied().collect();
    }

    /// Takes every token back.
    pub fn revoke(&self) {
        self.world().tokens.clear();
    }

    /// How often a token was asked for.
    pub fn token_requests(&self) -> usize {
        self.world().token_requests
    }

    /// Whether changes are forbidden.
    pub fn set_read_only(&self, is_read_only: bool) {
        self.world().is_read_only = is_read_only;
    }

    /// Sets a set as somebody else would.
    pub fn set_foreign(&self, name: &str, kind: &str, ttl: u64, data: &[&str]) {
        let data = data.iter().map(|value| (*value).to_owned()).collect();
        self.world().sets.insert((name.to_owned(), kind.to_owned()), (ttl, data));
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn openssl(words: &[&str]) {
    let output = Command::new("openssl").args(words).output().expect("openssl is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

async fn serve(mut stream: TcpStream, world: Arc<Mutex<World>>, address: SocketAddr) {
    let Some(request) = receive(&mut stream).await else { return };
    let reply = world.lock().unwrap_or_else(PoisonError::into_inner).answer(&request, address);
    let Some((status, body)) = reply else { return };
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    // A client that has gone is no matter here.
    drop(stream.write_all(format!("{head}{body}").as_bytes()).await);
}

async fn receive(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let mut lines = head.lines();
            let mut words = lines.next()?.split(' ');
            let (method, target) = (words.next()?.to_owned(), words.next()?);
            let header =
                |line: &str| line.split_once(": ").map(|(n, v)| (n.to_ascii_lowercase(), v.to_owned()));
            let headers: HashMap<_, _> = lines.filter_map(header).collect();
            let length = headers.get("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                let (path, query) = target.split_once('?').unwrap_or((target, ""));
                let pairs = url::form_urlencoded::parse(query.as_bytes()).into_owned();
                let body = bytes[end + 4..end + 4 + length].to_vec();
                return Some(Request {
                    method,
                    path: path.to_owned(),
                    query: pairs.collect(),
                    headers,
                    body,
                });
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

fn problem(status: u16, reason: &str, message: &str) -> Reply {
    let error = json!({"code": status, "message": message, "errors": [{"domain": "global", "reason": reason, "message": message}]});
    (status, json!({ "error": error }))
}

impl World {
    fn answer(&mut self, request: &Request, address: SocketAddr) -> Option<Reply> {
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/computeMetadata/v1/instance/service-accounts/default/token") => {
                let flavor = request.headers.get("metadata-flavor").map(String::as_str);
                return Some(match flavor {
                    Some("Google") => self.grant(),
                    _ => problem(403, "forbidden", "Missing Metadata-Flavor:Google header."),
                });
            }
            ("POST", "/token") => {
                return Some(match self.proves(&request.body, &format!("http://{address}/token")) {
                    Ok(()) => self.grant(),
                    Err(why) => (400, json!({"error": "invalid_grant", "error_description": why})),
                });
            }
            _ => {}
        }
        let bearer = request.headers.get("authorization").and_then(|text| text.strip_prefix("Bearer "));
        if !bearer.is_some_and(|token| self.tokens.contains(token)) {
            return Some(problem(401, "authError", "Invalid Credentials"));
        }
        let zone = format!("/dns/v1/projects/{PROJECT}/managedZones/{MANAGED_ZONE}");
        let Some(rest) = request.path.strip_prefix(&zone) else {
            let message = "The 'parameters.managedZone' resource does not exist.";
            return Some(problem(404, "notFound", message));
        };
        match (request.method.as_str(), rest) {
            ("GET", "") => {
                Some((200, json!({"kind": "dns#managedZone", "name": MANAGED_ZONE, "dnsName": DNS_NAME})))
            }
            ("GET", "/rrsets") => Some(self.list(&request.query)),
            ("POST", "/changes") => self.change(&request.body),
            ("GET", _) => Some(self.state(rest)),
            _ => Some(problem(405, "httpMethodNotAllowed", "no")),
        }
    }

    fn grant(&mut self) -> Reply {
        self.token_requests += 1;
        let token = format!("ya29.{}", self.token_requests);
        self.tokens.insert(token.clone());
        (200, json!({"access_token": token, "expires_in": 3599, "token_type": "Bearer"}))
    }

    /// Whether a form holds an assertion that the account's key has signed.
    fn proves(&self, form: &[u8], audience: &str) -> Result<(), String> {
        let form: HashMap<_, _> = url::form_urlencoded::parse(form).into_owned().collect();
        if form.get("grant_type").map(String::as_str) != Some("urn:ietf:params:oauth:grant-type:jwt-bearer") {
            return Err("the grant type is not that of an assertion".to_owned());
        }
        let assertion = form.get("assertion").ok_or("there is no assertion")?;
        let (signed, signature) = assertion.rsplit_once('.').ok_or("it has no signature")?;
        let (head, claims) = signed.split_once('.').ok_or("it has no claims")?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|error| error.to_string());
        let object =
            |part: &str| serde_json::from_slice::<Value>(&decode(part)?).map_err(|error| error.to_string());
        let (head, claims) = (object(head)?, object(claims)?);
        let seconds = |name: &str| claims[name].as_u64().unwrap_or(0);
        let is_right = head["alg"] == "RS256"
            && claims["iss"] == EMAIL
            && claims["aud"] == audience
            && claims["scope"] == "https://www.googleapis.com/auth/ndev.clouddns.readwrite"
            && seconds("iat") > 0
            && seconds("exp") > seconds("iat")
            && seconds("exp") <= seconds("iat") + 3600;
        if !is_right {
            return Err(format!("a claim is wrong: {head} {claims}"));
        }
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let (data, proof) = (folder.path().join("data"), folder.path().join("proof"));
        fs::write(&data, signed).map_err(|error| error.to_string())?;
        fs::write(&proof, decode(signature)?).map_err(|error| error.to_string())?;
        let words =
            ["dgst", "-sha256", "-verify", &self.public_key, "-signature", &text(&proof), &text(&data)];
        let status = Command::new("openssl").args(words).output().map_err(|error| error.to_string())?.status;
        if status.success() { Ok(()) } else { Err("Invalid JWT Signature.".to_owned()) }
    }

    fn list(&self, query: &HashMap<String, String>) -> Reply {
        let (Some(name), Some(kind)) = (query.get("name"), query.get("type")) else {
            return problem(400, "required", "this stand-in wants a name and a type");
        };
        if !name.ends_with('.') {
            return problem(400, "invalid", "Invalid value for 'parameters.name'");
        }
        let found = self.sets.get(&(name.clone(), kind.clone())).map(|(ttl, data)| {
            json!({"kind": "dns#resourceRecordSet", "name": name, "type": kind, "ttl": ttl, "rrdatas": data,
                "signatureRrdatas": []})
        });
        (
            200,
            json!({"kind": "dns#resourceRecordSetsListResponse", "rrsets": found.into_iter().collect::<Vec<_>>()}),
        )
    }

    fn change(&mut self, body: &[u8]) -> Option<Reply> {
        let fault = self.faults.pop_front();
        match fault {
            Some(Fault::LoseRequest) => return None,
            Some(Fault::Answer(status, reason)) => return Some(problem(status, reason, "as the test wants")),
            Some(Fault::LoseReply) | None => {}
        }
        let reply = match self.applied(body) {
            Ok(sets) => {
                self.sets = sets;
                self.changes.push(0);
                let id = self.changes.len().to_string();
                (200, json!({"kind": "dns#change", "id": id, "status": "pending"}))
            }
            Err(refusal) => refusal,
        };
        if fault == Some(Fault::LoseReply) { None } else { Some(reply) }
    }

    /// The sets as they are after a change, or why there is none.
    fn applied(&self, body: &[u8]) -> Result<BTreeMap<Key, Held>, Reply> {
        if self.is_read_only {
            return Err(problem(403, "forbidden", "The caller does not have permission"));
        }
        let invalid = |what: &str| problem(400, "invalid", what);
        let change: Value = serde_json::from_slice(body).map_err(|_| invalid("it is not JSON"))?;
        let read = |list: &str| -> Result<Vec<(Key, Held)>, Reply> {
            let list = change[list].as_array().cloned().unwrap_or_default();
            list.iter().map(|set| self.set(set)).collect()
        };
        let (deletions, additions) = (read("deletions")?, read("additions")?);
        if deletions.is_empty() && additions.is_empty() {
            return Err(problem(
                400,
                "required",
                "The change must contain at least one addition or deletion.",
            ));
        }
        let mut sets = self.sets.clone();
        for (number, (key, held)) in deletions.iter().enumerate() {
            let place = format!("'entity.change.deletions[{number}]'");
            let sorted = |data: &[String]| data.iter().cloned().collect::<BTreeSet<_>>();
            match sets.remove(key) {
                None => {
                    let message =
                        format!("The {place} resource named '{} ({})' does not exist.", key.0, key.1);
                    return Err(problem(404, "notFound", &message));
                }
                Some((ttl, data)) if ttl == held.0 && sorted(&data) == sorted(&held.1) => {}
                Some(_) => {
                    return Err(problem(
                        412,
                        "conditionNotMet",
                        &format!("Precondition not met for {place}"),
                    ));
                }
            }
        }
        for (number, (key, wanted)) in additions.into_iter().enumerate() {
            let place = format!("'entity.change.additions[{number}]'");
            let is_alias = key.1 == "CNAME";
            let beside = sets.keys().any(|(name, kind)| *name == key.0 && (kind == "CNAME") != is_alias);
            if sets.contains_key(&key) {
                let message = format!("The resource {place} named '{} ({})' already exists", key.0, key.1);
                return Err(problem(409, "alreadyExists", &message));
            }
            if beside {
                let message = format!(
                    "The resource record set {place} is invalid because the DNS name may not have a CNAME beside other sets"
                );
                return Err(problem(400, "cnameResourceRecordSetConflict", &message));
            }
            sets.insert(key, wanted);
        }
        Ok(sets)
    }

    /// One set of a change, each value held against its type.
    fn set(&self, set: &Value) -> Result<(Key, Held), Reply> {
        let invalid = |what: &str| problem(400, "invalid", &format!("Invalid value: {what} in {set}"));
        let name = set["name"].as_str().ok_or_else(|| invalid("name"))?;
        let kind = set["type"].as_str().ok_or_else(|| invalid("type"))?;
        let ttl = set["ttl"].as_u64().filter(|ttl| *ttl <= 0x7fff_ffff).ok_or_else(|| invalid("ttl"))?;
        if !(name == DNS_NAME || name.ends_with(&format!(".{DNS_NAME}"))) {
            return Err(invalid("a name outside the zone"));
        }
        let data: Vec<String> = set["rrdatas"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|v| Some(v.as_str()?.to_owned()))
            .collect();
        let is_good = |value: &String| match kind {
            "A" => value.parse::<std::net::Ipv4Addr>().is_ok(),
            "AAAA" => value.parse::<std::net::Ipv6Addr>().is_ok(),
            "CNAME" => value.ends_with('.') && !value.contains(' ') && data.len() == 1,
            "TXT" => is_quoted(value),
            _ => false,
        };
        if data.is_empty() || !data.iter().all(is_good) {
            return Err(invalid("rrdatas"));
        }
        Ok(((name.to_owned(), kind.to_owned()), (ttl, data)))
    }

    fn state(&mut self, path: &str) -> Reply {
        let number = path.strip_prefix("/changes/").and_then(|id| id.parse::<usize>().ok());
        let Some(asks) = number.and_then(|n| self.changes.get_mut(n.checked_sub(1)?)) else {
            return problem(404, "notFound", "The 'parameters.changeId' resource does not exist.");
        };
        *asks += 1;
        let status = if *asks > PENDING_ASKS { "done" } else { "pending" };
        (200, json!({"kind": "dns#change", "id": path.trim_start_matches("/changes/"), "status": status}))
    }
}

/// Quoted strings of at most 255 bytes with spaces between, in which only printable characters stand.
fn is_quoted(value: &str) -> bool {
    let mut rest = value;
    loop {
        let Some(inside) = rest.strip_prefix('"') else { return false };
        let (mut length, mut bytes) = (0, inside.bytes().enumerate());
        let end = loop {
            match bytes.next() {
                None => return false,
                Some((at, b'"')) => break at,
                Some((_, b'\\')) => {
                    if bytes.next().is_some_and(|(_, byte)| byte.is_ascii_digit()) {
                        bytes.next();
                        bytes.next();
                    }
                    length += 1;
                }
                Some((_, 0x20..=0x7e)) => length += 1,
                Some(_) => return false,
            }
        };
        if length > 255 {
            return false;
        }
        rest = &inside[end + 1..];
        if rest.is_empty() {
            return true;
        }
        rest = rest.trim_start_matches(' ');
    }
}
