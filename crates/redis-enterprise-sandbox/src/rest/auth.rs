//! Who asks, and whether they may.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::reply::{Ask, Reply};
use crate::clock::Ms;
use crate::plan::Role;
use crate::world::{Login, World};

/// The life of a token that names none.
const TOKEN_SECONDS: u64 = 300;
const TOKEN_SECONDS_MAX: u64 = 86_400;

/// Who somebody is.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The user.
    pub user: String,
    /// What it may do.
    pub role: Role,
}

/// The user that a request names.
pub fn named(ask: &Ask) -> Option<String> {
    basic(ask.authorization.as_deref()?).map(|(user, _)| user)
}

/// Who asks; an answer when that does not come out.
pub fn caller(world: &mut World, ask: &Ask) -> Result<Caller, Reply> {
    let (now, timing, has_body) = (world.now, world.timing, world.variants.refusal_has_body);
    let refused = || refusal(has_body);
    let cluster = world.clusters.get_mut(ask.cluster).ok_or_else(refused)?;
    let header = ask.authorization.as_deref().ok_or_else(refused)?;
    if let Some(token) = header.strip_prefix(cluster.profile.token_scheme.as_str()) {
        let holder = cluster.accounts.iter().find(|account| account.holds_token(token.trim_start(), now));
        let holder = holder.ok_or_else(refused)?;
        return Ok(Caller { user: holder.name.clone(), role: holder.role });
    }
    let is_allowed = cluster.settings.basic_auth || !cluster.profile.basic_auth_optional;
    let (user, password) = basic(header).filter(|_| is_allowed).ok_or_else(refused)?;
    let account = cluster.accounts.iter_mut().find(|account| account.name == user).ok_or_else(refused)?;
    match account.login(&password, now, &timing) {
        Login::Good(role) => Ok(Caller { user, role }),
        Login::Bad => Err(refused()),
        Login::Expired => Err(Reply::error(401, "password_expired", "Password expired")),
    }
}

/// Gives a token to somebody who has logged in, or holds one.
pub fn token(world: &mut World, ask: &Ask, caller: &Caller) -> Reply {
    #[derive(serde::Deserialize)]
    struct Wish {
        ttl: Option<u64>,
    }
    let wish: Option<Wish> =
        if ask.body.is_empty() { Some(Wish { ttl: None }) } else { serde_json::from_slice(&ask.body).ok() };
    let seconds = wish.map(|wish| wish.ttl.unwrap_or(TOKEN_SECONDS));
    let Some(seconds) = seconds.filter(|seconds| (1..=TOKEN_SECONDS_MAX).contains(seconds)) else {
        return Reply::error(400, "invalid_ttl", "ttl is not 1 to 86400 seconds");
    };
    let until: Ms = world.now.saturating_add(seconds * 1000);
    let Some(cluster) = world.clusters.get_mut(ask.cluster) else { return refusal(false) };
    cluster.state_id += 1;
    // No secret stands behind it: it only has to look like a token, and to be another one each time.
    let body = STANDARD.encode(format!("{{\"sub\":\"{}\",\"n\":{}}}", caller.user, cluster.state_id));
    let token = format!("eyJhbGciOiJub25lIn0.{body}.sandbox");
    if let Some(account) = cluster.accounts.iter_mut().find(|account| account.name == caller.user) {
        account.give_token(token.clone(), until);
    }
    Reply::ok(json!({"access_token": token}))
}

fn refusal(has_body: bool) -> Reply {
    let reply =
        if has_body { Reply::error(401, "unauthorized", "Invalid credentials") } else { Reply::empty(401) };
    reply.with_header("www-authenticate", "Basic")
}

fn basic(header: &str) -> Option<(String, String)> {
    let decoded = STANDARD.decode(header.strip_prefix("Basic ")?.trim()).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}
