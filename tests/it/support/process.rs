//! Child processes that end with the test, and the one way to wait for something.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// Longest wait for a server to come up; generous, as other builds and tests may share the machine.
pub const START_LIMIT: Duration = Duration::from_secs(30);
/// Time between two looks at a condition.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// How much of a log a failed test shows.
const LOG_TAIL_LINES: usize = 60;

/// Waits until `probe` gives a value, and panics with `what` when it gives none within `limit`.
pub async fn wait_for<T>(what: &str, limit: Duration, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let look = async {
        loop {
            if let Some(value) = probe().await {
                return value;
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    };
    match tokio::time::timeout(limit, look).await {
        Ok(value) => value,
        Err(_) => panic!("waited {limit:?} in vain for {what}"),
    }
}

/// As [`wait_for`], for a condition without a value.
pub async fn wait_until(what: &str, limit: Duration, mut probe: impl AsyncFnMut() -> bool) {
    wait_for(what, limit, async || probe().await.then_some(())).await;
}

/// A program of this workspace, beside the redrover binary under test.
pub fn sibling_binary(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_redrover")).with_file_name(name);
    assert!(path.exists(), "{} is missing: cargo build --workspace --all-targets", path.display());
    path
}

/// The first of these programs that is installed.
pub fn installed(names: &[&str]) -> PathBuf {
    find(names).unwrap_or_else(|| panic!("none of {names:?} is installed: scripts/install.sh"))
}

fn find(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    // Servers may stand where only root's path leads.
    let folders = || std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    names.iter().find_map(|name| folders().map(|d| d.join(name)).find(|p| p.is_file()))
}

/// A running child: killed when dropped, its output kept, and shown when the test fails.
pub struct Process {
    name: String,
    child: Child,
    folder: TempDir,
}

impl Process {
    /// Starts a program; `name` is what failures call it.
    pub fn start(name: &str, command: &mut Command) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the log");
        let log = |file| File::create(folder.path().join(file)).expect("a log file");
        let child = tied_to_this_thread(command)
            .stdin(Stdio::null())
            .stdout(log("stdout"))
            .stderr(log("stderr"))
            .spawn()
            .unwrap_or_else(|e| panic!("{name} does not start: {e}"));
        Self { name: name.to_owned(), child, folder }
    }

    /// Waits until the program is up, as `probe` sees it; panics early when the program has ended.
    pub async fn wait_ready(&mut self, mut probe: impl AsyncFnMut() -> bool) {
        let what = format!("{} to be ready", self.name);
        wait_until(&what, START_LIMIT, async || {
            if let Some(status) = self.exit_status() {
                panic!("{} ended while it was to start: {status}", self.name);
            }
            probe().await
        })
        .await;
    }

    /// Waits for the first whole line of the program's standard output, and returns it.
    pub async fn wait_stdout_line(&mut self) -> String {
        let mut line = None;
        let stdout = self.folder.path().join("stdout");
        self.wait_ready(async || {
            let text = fs::read_to_string(&stdout).unwrap_or_default();
            line = text.split_once('\n').map(|(first, _)| first.to_owned());
            line.is_some()
        })
        .await;
        line.expect("it was waited for")
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How the program ended; `None` while it runs.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child of our own can be asked")
    }

    /// Waits until the program has ended.
    pub async fn wait_exit(&mut self, limit: Duration) -> ExitStatus {
        let what = format!("{} to end", self.name);
        wait_for(&what, limit, async || self.exit_status()).await
    }

    /// Sends a signal by name, such as `TERM` or `HUP`.
    pub fn signal(&self, signal: &str) {
        let status = Command::new("kill").args(["-s", signal, &self.id().to_string()]).status();
        assert!(status.is_ok_and(|s| s.success()), "{} gets no signal {signal}", self.name);
    }

    /// Freezes the program: connections stay open and nothing answers.
    pub fn stop(&self) {
        self.signal("STOP");
    }

    /// Lets a frozen program go on.
    pub fn cont(&self) {
        self.signal("CONT");
    }

    /// Kills the program, and returns when it is gone.
    pub fn kill(&mut self) {
        // Both fail only for a child that is gone and waited for, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// What the program has written to its standard output.
    pub fn stdout(&self) -> String {
        self.read("stdout")
    }

    /// What the program has written to its standard error.
    pub fn stderr(&self) -> String {
        self.read("stderr")
    }

    fn read(&self, file: &str) -> String {
        let bytes = fs::read(self.folder.path().join(file)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            for (stream, text) in [("stdout", self.stdout()), ("stderr", self.stderr())] {
                let lines: Vec<_> = text.lines().collect();
                let tail = &lines[lines.len().saturating_sub(LOG_TAIL_LINES)..];
                eprintln!("--- {} {stream}, last {} of {} lines", self.name, tail.len(), lines.len());
                tail.iter().for_each(|line| eprintln!("{line}"));
            }
        }
    }
}

/// The same command, killed by the kernel when the thread that started it ends, for when the test itself is killed.
fn tied_to_this_thread(command: &Command) -> Command {
    let Some(setpriv) = find(&["setpriv"]).filter(|_| cfg!(target_os = "linux")) else {
        return same_surroundings(Command::new(command.get_program()), command);
    };
    let mut tied = Command::new(setpriv);
    tied.args(["--pdeathsig", "KILL", "--"]).arg(command.get_program());
    same_surroundings(tied, command)
}

fn same_surroundings(mut to: Command, from: &Command) -> Command {
    to.args(from.get_args());
    if let Some(folder) = from.get_current_dir() {
        to.current_dir(folder);
    }
    for (key, value) in from.get_envs() {
        match value {
            Some(value) => to.env(key, value),
            None => to.env_remove(key),
        };
    }
    to
}

/// What a program that ran to its end has said.
#[derive(Debug)]
pub struct Output {
    /// The exit code; -1 for a program that a signal ended.
    pub code: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// Runs a program to its end.
pub async fn run(name: &str, command: &mut Command, limit: Duration) -> Output {
    let mut process = Process::start(name, command);
    let status = process.wait_exit(limit).await;
    Output { code: status.code().unwrap_or(-1), stdout: process.stdout(), stderr: process.stderr() }
}

mod tests {
    use super::*;

    #[tokio::test]
    async fn a_dropped_process_is_gone() {
        let process = Process::start("sleep", Command::new("sleep").arg("60"));
        let id = process.id();
        assert!(Path::new("/proc").join(id.to_string()).exists());
        drop(process);
        assert!(!Path::new("/proc").join(id.to_string()).exists());
    }

    #[tokio::test]
    async fn a_program_that_ends_is_reported_with_its_output() {
        let output =
            run("sh", Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]), START_LIMIT).await;
        assert_eq!((output.code, &*output.stdout, &*output.stderr), (3, "out\n", "err\n"));
    }

    #[tokio::test]
    #[should_panic(expected = "in vain for a miracle")]
    async fn waiting_in_vain_says_for_what() {
        wait_until("a miracle", Duration::from_millis(1), async || false).await;
    }

    #[tokio::test]
    #[should_panic(expected = "false ended while it was to start")]
    async fn a_server_that_ends_at_once_is_not_waited_for() {
        Process::start("false", &mut Command::new("false")).wait_ready(async || false).await;
    }
}
