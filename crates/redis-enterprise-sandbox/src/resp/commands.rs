//! What the proxy does with commands: some it answers itself, those with a key go to a shard, many it refuses.

use super::info::info;
use super::value::Value;
use crate::clock::Ms;
use crate::plan::Ping;
use crate::world::{Place, ShardState, SyncState, World, slot};

/// One client's connection.
#[derive(Debug, Clone)]
pub struct Session {
    /// The database.
    pub place: Place,
    /// The node that serves it.
    pub node: u32,
    /// Whether the client has logged in, where it must.
    is_known: bool,
    /// Whether it speaks the third version of the protocol.
    is_third: bool,
    /// Whether it has said goodbye.
    pub is_over: bool,
}

impl Session {
    /// A client that has just connected.
    pub fn new(place: Place, node: u32) -> Self {
        Self { place, node, is_known: false, is_third: false, is_over: false }
    }

    /// Executes one command; the bytes of the reply.
    pub fn execute(&mut self, world: &mut World, command: &[Vec<u8>]) -> Vec<u8> {
        let mut out = Vec::new();
        let words: Vec<String> =
            command.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        if let Some(name) = words.first() {
            self.dispatch(world, &name.to_ascii_uppercase(), &words, command).write(self.is_third, &mut out);
        }
        out
    }

    fn dispatch(&mut self, world: &mut World, name: &str, words: &[String], command: &[Vec<u8>]) -> Value {
        let Some(database) = world.database(self.place) else {
            return Value::Error("ERR there is no such database".to_owned());
        };
        let needs_login = database.password.is_some() && !self.is_known;
        match name {
            "AUTH" => return self.login(world, &words[1..]),
            "HELLO" => return self.hello(world, words),
            "QUIT" => {
                self.is_over = true;
                return Value::Status("OK");
            }
            _ if needs_login => return Value::Error("NOAUTH Authentication required.".to_owned()),
            _ => {}
        }
        match name {
            "GET" | "SET" | "DEL" | "EXISTS" | "PTTL" => self.keyed(world, name, words, command),
            _ => self.unkeyed(world, name, words),
        }
    }

    fn login(&mut self, world: &World, words: &[String]) -> Value {
        let password = world.database(self.place).and_then(|database| database.password.as_deref());
        let is_right = match (words, password) {
            ([given], Some(password)) => given == password,
            ([user, given], Some(password)) => user == "default" && given == password,
            ([user, _], None) => user == "default",
            _ => {
                let text = "ERR Client sent AUTH, but no password is set";
                return Value::Error(text.to_owned());
            }
        };
        self.is_known = is_right;
        if is_right { Value::Status("OK") } else { wrong_password() }
    }

    fn hello(&mut self, world: &World, words: &[String]) -> Value {
        match words.get(1).map(String::as_str) {
            Some(version @ ("2" | "3")) => self.is_third = version == "3",
            None => {}
            Some(_) => return Value::Error("NOPROTO unsupported protocol version".to_owned()),
        }
        if let Some(at) = words.iter().position(|word| word.eq_ignore_ascii_case("AUTH"))
            && let Value::Error(error) = self.login(world, words.get(at + 1..at + 3).unwrap_or_default())
        {
            return Value::Error(error);
        }
        let needs_login = world.database(self.place).is_some_and(|d| d.password.is_some()) && !self.is_known;
        if needs_login {
            return Value::Error(
                "NOAUTH HELLO must be called with the client already authenticated".to_owned(),
            );
        }
        let pair = |name: &str, value: Value| (Value::text(name), value);
        Value::Map(vec![
            pair("server", Value::text("redis")),
            pair("version", Value::text("7.4.2")),
            pair("proto", Value::Number(if self.is_third { 3 } else { 2 })),
            pair("mode", Value::text("cluster")),
            pair("role", Value::text("master")),
            pair("modules", Value::Array(Vec::new())),
        ])
    }

    fn unkeyed(&self, world: &mut World, name: &str, words: &[String]) -> Value {
        let pings_shard = world.variants.ping == Ping::Shard;
        let (now, unix_ms) = (world.now, world.unix_ms(world.now));
        let version = world.clusters.get(self.place.cluster).map(|c| c.profile.software_version.clone());
        if let Some(database) = world.database_mut(self.place) {
            database.counts.others += 1;
            database.keys.expire(now);
        }
        let Some(database) = world.database(self.place) else { return Value::Bulk(None) };
        let argument = words.get(1).map(|word| word.to_ascii_uppercase());
        match (name, argument.as_deref()) {
            ("PING", text) => match world.trouble_of_any(self.place).filter(|_| pings_shard) {
                Some(trouble) => trouble,
                None if text.is_some() => Value::text(words[1].clone()),
                None => Value::Status("PONG"),
            },
            ("ECHO", Some(_)) => Value::text(words[1].clone()),
            ("INFO", _) => {
                let wanted: Vec<_> = words[1..].iter().map(|word| word.to_ascii_lowercase()).collect();
                Value::text(info(world, database, version.as_deref().unwrap_or_default(), &wanted))
            }
            ("DBSIZE", _) => Value::Number(i64::try_from(database.keys.len()).unwrap_or(i64::MAX)),
            ("TIME", _) => Value::Array(vec![
                Value::text((unix_ms / 1000).to_string()),
                Value::text((unix_ms % 1000 * 1000).to_string()),
            ]),
            ("SELECT", Some("0")) => Value::Status("OK"),
            ("CLIENT", Some("SETNAME" | "SETINFO" | "NO-TOUCH")) => Value::Status("OK"),
            ("CLIENT", Some("ID")) => Value::Number(7),
            ("SLOWLOG", Some("LEN")) => Value::Number(0),
            ("SLOWLOG", Some("GET")) | ("COMMAND" | "MODULE", _) => Value::Array(Vec::new()),
            _ => Value::Error(format!("ERR unknown command '{}'", words[0].to_ascii_lowercase())),
        }
    }

    fn keyed(&self, world: &mut World, name: &str, words: &[String], command: &[Vec<u8>]) -> Value {
        let Some(key) = command.get(1) else {
            return Value::Error(format!(
                "ERR wrong number of arguments for '{}' command",
                name.to_lowercase()
            ));
        };
        if let Some(trouble) = world.trouble_of(self.place, slot(key)) {
            return trouble;
        }
        let now = world.now;
        let writes = matches!(name, "SET" | "DEL");
        let Some(database) = world.database_mut(self.place) else { return Value::Bulk(None) };
        let is_copy = database.crdt.is_none() && database.sync.state != SyncState::Disabled;
        if writes && database.is_read_only && (is_copy || !database.sync.sources.is_empty()) {
            return Value::Error("READONLY You can't write against a read only replica.".to_owned());
        }
        let value = database.keys.get(key, now).map(<[u8]>::to_vec);
        if writes {
            database.counts.writes += 1;
        } else {
            database.counts.reads += 1;
            database.counts.hits += u64::from(value.is_some());
        }
        let until = database.keys.until(key, now);
        match name {
            "GET" => Value::Bulk(value),
            "EXISTS" => Value::Number(i64::from(value.is_some())),
            "DEL" => Value::Number(i64::from(value.is_some() && world.write(self.place, key.clone(), None))),
            "PTTL" => Value::Number(match until {
                None => -2,
                Some(None) => -1,
                Some(Some(until)) => i64::try_from(until.saturating_sub(now)).unwrap_or(i64::MAX),
            }),
            _ => match (command.get(2), expiry(&words[2..], now)) {
                (Some(value), Ok(until)) => {
                    let is_kept = world.write(self.place, key.clone(), Some((value.clone(), until)));
                    if is_kept { Value::Status("OK") } else { out_of_memory() }
                }
                (None, _) | (_, Err(())) => Value::Error("ERR syntax error".to_owned()),
            },
        }
    }
}

impl World {
    /// What a command gets whose shard is in trouble.
    fn trouble_of(&self, place: Place, slot: u16) -> Option<Value> {
        let shard = self.database(place)?.primary_of(slot)?;
        shard.lost_since?;
        Some(match shard.state {
            ShardState::Loading => Value::Error("LOADING Redis is loading the dataset in memory".to_owned()),
            ShardState::Ok | ShardState::Down | ShardState::Timeout => {
                Value::Error("ERR the shard of this key cannot be reached".to_owned())
            }
        })
    }

    /// What a command gets that goes to any shard, when one is in trouble.
    fn trouble_of_any(&self, place: Place) -> Option<Value> {
        let slots: Vec<_> = self.database(place)?.primaries().map(|shard| shard.slots.0).collect();
        slots.into_iter().find_map(|slot| self.trouble_of(place, slot))
    }
}

fn expiry(options: &[String], now: Ms) -> Result<Option<Ms>, ()> {
    let options: Vec<_> = options.iter().skip(1).map(|word| word.to_ascii_uppercase()).collect();
    match options.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => Ok(None),
        [unit @ ("PX" | "EX"), number] => {
            let number: Ms = number.parse().map_err(|_| ())?;
            let ms = if *unit == "EX" { number.saturating_mul(1000) } else { number };
            Ok(Some(now.saturating_add(ms)))
        }
        _ => Err(()),
    }
}

fn wrong_password() -> Value {
    Value::Error("WRONGPASS invalid username-password pair or user is disabled.".to_owned())
}

fn out_of_memory() -> Value {
    Value::Error("OOM command not allowed when used memory > 'maxmemory'.".to_owned())
}
