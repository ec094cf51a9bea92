//! Runs a program: no shell, an environment of a few variables, the call as JSON at its standard input.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::{Call, HookError, SAID_BYTES_MAX, after_colon, line};

/// What a program gets of this agent's own environment; the rest may hold secrets.
const KEPT: [&str; 4] = ["PATH", "HOME", "LANG", "TZ"];
/// Once a program has ended, so long is waited for what it has said: its children may hold the pipe open.
const PIPE_GRACE: Duration = Duration::from_millis(200);
/// And so long for its children to be told to end.
const KILL_LIMIT: Duration = Duration::from_secs(1);

/// Runs a program to its end; what it said. At the deadline it is killed, with all that it has started in its group.
pub(super) async fn run(program: &Path, arguments: &[String], call: &Call<'_>) -> Result<String, HookError> {
    let hook = || program.display().to_string();
    let mut command = Command::new(program);
    command.args(arguments).env_clear().current_dir("/").kill_on_drop(true).process_group(0);
    command.envs(KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command.envs(call.variables());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|source| HookError::Start { hook: hook(), source })?;
    let ended = attend(&mut child, call).await;
    let Some((status, said)) = ended.map_err(|source| HookError::Start { hook: hook(), source })? else {
        kill_group(&mut child).await;
        return Err(HookError::Late { hook: hook(), limit: call.limit });
    };
    if status.success() {
        return Ok(line(&said));
    }
    Err(HookError::Exit { hook: hook(), status: status.to_string(), said: after_colon(line(&said)) })
}

/// How a program ended, and what it said; `None` when it did not end in time.
type Ended = Option<(ExitStatus, Vec<u8>)>;

/// Tells a child the call, and reads what it says until it ends, or its time is over.
async fn attend(child: &mut Child, call: &Call<'_>) -> std::io::Result<Ended> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let tell = async {
        if let Some(mut stdin) = stdin {
            // A program may not care.
            let _ = stdin.write_all(call.json().to_string().as_bytes()).await;
        }
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let status = {
        let hear = async {
            tokio::join!(tell, read(stdout, &mut out), read(stderr, &mut err));
        };
        let late = tokio::time::sleep(call.limit);
        tokio::pin!(hear, late);
        let mut has_heard = false;
        let status = loop {
            tokio::select! {
                // Who ends at the last moment has ended.
                biased;
                status = child.wait() => break status?,
                () = &mut late => return Ok(None),
                () = &mut hear, if !has_heard => has_heard = true,
            }
        };
        if !has_heard {
            let _ = timeout(PIPE_GRACE, &mut hear).await;
        }
        status
    };
    // What went wrong stands at the standard error, as a rule.
    let said = if status.success() || line(&err).is_empty() { out } else { err };
    Ok(Some((status, said)))
}

/// Reads to the end; keeps the end of it.
async fn read(from: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) {
    let Some(mut from) = from else { return };
    let mut buffer = [0; SAID_BYTES_MAX];
    while let Ok(length) = from.read(&mut buffer).await
        && length > 0
    {
        into.extend_from_slice(&buffer[..length]);
        let more = into.len().saturating_sub(SAID_BYTES_MAX);
        into.drain(..more);
    }
}

/// Ends a child, and what it has started, as far as that stayed in its group.
async fn kill_group(child: &mut Child) {
    if let Some(id) = child.id() {
        let mut kill = Command::new("kill");
        kill.args(["-KILL", "--", &format!("-{id}")]).stdin(Stdio::null());
        kill.stdout(Stdio::null()).stderr(Stdio::null());
        let _ = timeout(KILL_LIMIT, kill.status()).await;
    }
    let _ = timeout(KILL_LIMIT, child.kill()).await;
}
