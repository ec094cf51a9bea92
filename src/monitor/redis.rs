//! A client of one Redis: our own socket and TLS under the driver's protocol, every command with a deadline.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, ProtocolVersion, RedisConnectionInfo, Value};
use tokio::task::JoinSet;
use tokio::time::timeout_at;

use super::canary::{CANARY_TTL, CanaryProbe};
use super::error::{Operation, RedisError};
use super::guard::{Guarded, Watch};
use super::info::InfoReply;
use super::login::password;
use super::patience::Patience;
use super::socket::{Ends, Farewell, open};
use super::tls::{TlsError, TlsIdentity, TlsProfiles};
use crate::config::Target;
use crate::types::{Clock, Role};

/// Commands waiting on one connection; a look sends one after another.
const PIPELINE_COMMANDS_MAX: usize = 4;

/// A client of one target. It keeps its connection between calls and drops it after any error, so that the next call
/// starts from the name's resolution again.
pub struct RedisClient {
    target: Target,
    tls: Option<TlsIdentity>,
    clock: Arc<dyn Clock>,
    kept: Mutex<Option<Live>>,
}

/// A connection and the task that drives it; the task ends with it.
struct Live {
    connection: MultiplexedConnection,
    watch: Arc<Watch>,
    is_reused: bool,
    _driver: JoinSet<()>,
}

impl fmt::Debug for RedisClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisClient").field("target", &self.target.name).finish_non_exhaustive()
    }
}

impl RedisClient {
    /// A client that connects at its first call.
    ///
    /// # Errors
    /// The target's TLS files cannot be used.
    pub fn new(target: Target, profiles: &TlsProfiles, clock: Arc<dyn Clock>) -> Result<Self, TlsError> {
        let tls = profiles.identity(&target)?;
        Ok(Self { target, tls, clock, kept: Mutex::new(None) })
    }

    /// The target.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// `PING`, with connection, TLS and AUTH before it where there is no connection; the round trip of PING alone.
    ///
    /// # Errors
    /// No connection, no answer before the deadline, or another answer than `PONG`.
    pub async fn ping(&self, patience: impl Into<Patience>) -> Result<Duration, RedisError> {
        let command = redis::cmd("PING");
        let (answer, elapsed) = self.ask(Operation::Ping, &command, patience.into()).await?;
        let is_pong = matches!(answer, Value::SimpleString(text) if text == "PONG");
        if is_pong { Ok(elapsed) } else { Err(RedisError::Unexpected { operation: Operation::Ping }) }
    }

    /// `INFO everything`, or plain `INFO` where the server does not know that section.
    ///
    /// # Errors
    /// No connection, no answer before the deadline, an error answer, or a text that is no INFO.
    pub async fn info(&self, patience: impl Into<Patience>) -> Result<InfoReply, RedisError> {
        let patience = patience.into();
        let everything = redis::cmd("INFO").arg("everything").take();
        let text = match self.ask(Operation::Info, &everything, patience).await {
            Ok((answer, _)) => bulk(Operation::Info, answer)?,
            // An older server answers an unknown section with an empty text, a proxy with an error.
            Err(RedisError::Reply { source, .. }) if source.code() == Some("ERR") => Vec::new(),
            Err(error) => return Err(error),
        };
        let text = if text.is_empty() {
            let (answer, _) = self.ask(Operation::Info, &redis::cmd("INFO"), patience).await?;
            bulk(Operation::Info, answer)?
        } else {
            text
        };
        InfoReply::parse(&text).map_err(|source| RedisError::Info { source })
    }

    /// Writes the canary, reads it back and compares; the time that both took.
    ///
    /// # Errors
    /// No connection, no answer before the deadline, an error answer, or another value than was written.
    pub async fn canary(
        &self,
        probe: &CanaryProbe,
        patience: impl Into<Patience>,
    ) -> Result<Duration, RedisError> {
        let patience = patience.into();
        let mut set = redis::cmd("SET");
        set.arg(&probe.key).arg(&probe.payload).arg("PX").arg(millis(CANARY_TTL));
        let (_, written) = self.ask(Operation::CanarySet, &set, patience).await?;
        let get = redis::cmd("GET").arg(&probe.key).take();
        let (answer, read) = self.ask(Operation::CanaryGet, &get, patience).await?;
        let is_gone = answer == Value::Nil;
        if is_gone || bulk(Operation::CanaryGet, answer)? != probe.payload {
            return Err(RedisError::Mismatch);
        }
        Ok(written + read)
    }

    /// `ROLE`: what the server is at this moment.
    ///
    /// # Errors
    /// No connection, no answer before the deadline, or an error answer.
    pub async fn role(&self, deadline: Duration) -> Result<Role, RedisError> {
        let (answer, _) = self.ask(Operation::Role, &redis::cmd("ROLE"), deadline.into()).await?;
        let unexpected = || RedisError::Unexpected { operation: Operation::Role };
        let Value::Array(parts) = answer else { return Err(unexpected()) };
        match parts.first() {
            Some(Value::BulkString(name)) if name == b"master" => Ok(Role::Primary),
            Some(Value::BulkString(name)) if name == b"slave" => Ok(Role::Replica),
            Some(Value::BulkString(_)) => Ok(Role::Other),
            _ => Err(unexpected()),
        }
    }

    /// `CLIENT PAUSE … WRITE`: writes wait for so long, reads go on. Asked over a new connection, once.
    ///
    /// # Errors
    /// No connection, no answer before the deadline (the outcome is then unknown), or an error answer.
    pub async fn pause_writes(&self, pause: Duration, deadline: Duration) -> Result<(), RedisError> {
        let command = redis::cmd("CLIENT").arg("PAUSE").arg(millis(pause).max(1)).arg("WRITE").take();
        self.change(Operation::PauseWrites, &command, deadline).await
    }

    /// `CLIENT UNPAUSE`: writes go on. Asked over a new connection, once.
    ///
    /// # Errors
    /// No connection, no answer before the deadline (the outcome is then unknown), or an error answer.
    pub async fn resume_writes(&self, deadline: Duration) -> Result<(), RedisError> {
        let command = redis::cmd("CLIENT").arg("UNPAUSE").take();
        self.change(Operation::ResumeWrites, &command, deadline).await
    }

    /// `REPLICAOF NO ONE`: the replica becomes a primary. Asked over a new connection, once.
    ///
    /// # Errors
    /// No connection, no answer before the deadline (the outcome is then unknown), or an error answer.
    pub async fn replicaof_no_one(&self, deadline: Duration) -> Result<(), RedisError> {
        let command = redis::cmd("REPLICAOF").arg("NO").arg("ONE").take();
        self.change(Operation::Promote, &command, deadline).await
    }

    /// `REPLICAOF host port`: the server becomes a replica, and loses what its primary has not. Asked over a new connection,
    /// once; only a person's command does it.
    ///
    /// # Errors
    /// No connection, no answer before the deadline (the outcome is then unknown), or an error answer.
    pub async fn replicaof(&self, host: &str, port: u16, deadline: Duration) -> Result<(), RedisError> {
        let command = redis::cmd("REPLICAOF").arg(host).arg(port).take();
        self.change(Operation::Demote, &command, deadline).await
    }

    /// `CONFIG REWRITE`: the server's configuration file says what it is at this moment.
    ///
    /// # Errors
    /// No connection, no answer before the deadline (the outcome is then unknown), or an error answer.
    pub async fn rewrite_config(&self, deadline: Duration) -> Result<(), RedisError> {
        let command = redis::cmd("CONFIG").arg("REWRITE").take();
        self.change(Operation::RewriteConfig, &command, deadline).await
    }

    /// Sends a command that changes the server: never twice, therefore never over a connection that may be stale.
    async fn change(
        &self,
        operation: Operation,
        command: &Cmd,
        deadline: Duration,
    ) -> Result<(), RedisError> {
        match self.ask_anew(operation, command, deadline.into()).await? {
            (Value::Okay, _) => Ok(()),
            (Value::SimpleString(text), _) if text.starts_with("OK") => Ok(()),
            _ => Err(RedisError::Unexpected { operation }),
        }
    }

    /// Asks over the kept connection or a new one, and keeps it when all went well.
    pub(super) async fn ask(
        &self,
        operation: Operation,
        command: &Cmd,
        patience: Patience,
    ) -> Result<(Value, Duration), RedisError> {
        if let Some(mut live) = self.take() {
            match self.exchange(&mut live, operation, command, patience.ends()).await {
                Ok(answer) => return Ok(self.keep(live, answer)),
                // The server closed an idle connection: that is no news about the server.
                Err(RedisError::Lost { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.ask_anew(operation, command, patience).await
    }

    async fn ask_anew(
        &self,
        operation: Operation,
        command: &Cmd,
        patience: Patience,
    ) -> Result<(Value, Duration), RedisError> {
        let mut live = self.connect(patience).await?;
        let answer = self.exchange(&mut live, operation, command, patience.ends()).await?;
        Ok(self.keep(live, answer))
    }

    async fn exchange(
        &self,
        live: &mut Live,
        operation: Operation,
        command: &Cmd,
        ends: Ends,
    ) -> Result<(Value, Duration), RedisError> {
        live.watch.begin();
        let start = self.clock.now();
        let answer = match timeout_at(ends.end, live.connection.send_packed_command(command)).await {
            Err(_) => return Err(RedisError::Timeout { operation, deadline: ends.deadline }),
            Ok(answer) => answer.and_then(Value::extract_error),
        };
        let elapsed = self.clock.now().since(start);
        match answer.map_err(|source| RedisError::of_driver(operation, source)) {
            Ok(value) => Ok((value, elapsed)),
            Err(RedisError::Lost { .. }) if !live.is_reused && live.watch.refusal().is_some() => {
                Err(RedisError::Refused { words: live.watch.refusal().unwrap_or_default() })
            }
            // The driver calls an answer that the server's end cut a mistake of grammar.
            Err(RedisError::Lost { .. }) if live.watch.has_ended() => Err(RedisError::Lost {
                operation,
                source: io::Error::from(io::ErrorKind::UnexpectedEof).into(),
            }),
            Err(error) => Err(error),
        }
    }

    async fn connect(&self, patience: Patience) -> Result<Live, RedisError> {
        let stream = open(&self.target.address, self.tls.as_ref(), patience.ends(), Farewell::Reset).await?;
        let watch = Arc::new(Watch::default());
        let info =
            RedisConnectionInfo::default().set_protocol(ProtocolVersion::RESP2).set_skip_set_lib_name();
        let config = AsyncConnectionConfig::new()
            .set_response_timeout(None)
            .set_connection_timeout(None)
            .set_pipeline_buffer_size(PIPELINE_COMMANDS_MAX);
        let guarded = Guarded::new(stream, Arc::clone(&watch));
        // Without credentials and library name this exchanges nothing: AUTH is our own command, for its exact answer.
        let (connection, driver) = MultiplexedConnection::new_with_config(&info, guarded, config)
            .await
            .map_err(|source| RedisError::of_driver(Operation::Auth, source))?;
        let mut tasks = JoinSet::new();
        tasks.spawn(driver);
        let mut live = Live { connection, watch, is_reused: false, _driver: tasks };
        if let Some(password) = password(&self.target, patience.ends()).await {
            let mut auth = redis::cmd("AUTH");
            auth.arg(self.target.username.as_deref()).arg(password.expose());
            self.exchange(&mut live, Operation::Auth, &auth, patience.ends()).await?;
        }
        Ok(live)
    }

    fn take(&self) -> Option<Live> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn keep<T>(&self, live: Live, answer: T) -> T {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(Live { is_reused: true, ..live });
        answer
    }
}

fn bulk(operation: Operation, answer: Value) -> Result<Vec<u8>, RedisError> {
    if let Value::BulkString(bytes) = answer { Ok(bytes) } else { Err(RedisError::Unexpected { operation }) }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
