//! Disks that fail: a small one that can be filled, one that can only be read, and a limit for machines where nothing may
//! be mounted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::agent::Agent;

/// A small disk of its own, in memory; gone when dropped.
pub struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// Mounts one over an empty folder; `None` where that is not permitted.
    pub fn mount(folder: &Path, size: &str) -> Option<Self> {
        let options = format!("size={size},mode=755");
        let is_done = ran(Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder));
        is_done.then(|| Self { folder: folder.to_owned() })
    }

    /// Lets it be read only, or written again. Nobody may have a file of it open to write.
    pub fn set_read_only(&self, is_read_only: bool) {
        let options = if is_read_only { "remount,ro" } else { "remount,rw" };
        let is_done = ran(Command::new("mount").args(["-o", options]).arg(&self.folder));
        assert!(is_done, "{} cannot be mounted with {options}", self.folder.display());
    }

    /// Takes all the space that is left.
    pub fn fill(&self) {
        let is_full = fs::write(self.filler(), vec![0; 64 * 1024 * 1024]).is_err();
        assert!(is_full, "the disk is small");
    }

    /// Gives it back.
    pub fn empty(&self) {
        fs::remove_file(self.filler()).expect("the filler can be removed");
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a file may still be open.
        ran(Command::new("umount").arg("-l").arg(&self.folder));
    }
}

/// The same command, for which a file that grows beyond a limit is an error and no death.
pub fn outlive_limits(command: &mut Command) {
    let mut outer = Command::new("sh");
    outer
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(command.get_program())
        .args(command.get_args());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => outer.env(key, value),
            None => outer.env_remove(key),
        };
    }
    *command = outer;
}

/// Lets no file of the agent grow beyond so many bytes; `None` lifts that.
pub fn limit_files(agent: &mut Agent, bytes: Option<u64>) {
    let limit = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
    let id = agent.process().id().to_string();
    let is_done = ran(Command::new("prlimit").args(["--pid", &id, &format!("--fsize={limit}:")]));
    assert!(is_done, "the agent's files can be limited");
}

fn ran(command: &mut Command) -> bool {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
