//! Programs and addresses of the operator's own: called before and after a switch, or to promote a standby.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::around::HttpLogin;
use super::places::{http_login, warn_clear_text};
use super::read::{Item, Section, Value, Wrong, duration, http_url, readable, text};

/// How long a call may take unless the file says otherwise,
const TIMEOUT: Duration = Duration::from_secs(10);
/// and at most: a switch waits for it.
const TIMEOUT_MAX: Duration = Duration::from_secs(300);
/// Calls of one kind; each costs time in the middle of a switch.
const HOOKS_MAX: usize = 8;
/// Words of one command.
const WORDS_MAX: usize = 64;
/// Bytes of one word.
const WORD_BYTES_MAX: usize = 4096;

/// What is called before and after a switch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hooks {
    /// Before the old primary is fenced; one that fails ends the switch.
    pub before: Vec<Hook>,
    /// When a switch that had begun is over, however it ended.
    pub after: Vec<Hook>,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// What is called.
    pub way: HookWay,
    /// How long it may take.
    pub timeout: Duration,
}

/// What is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookWay {
    /// A program, without a shell.
    Exec {
        /// Its absolute path.
        program: PathBuf,
        /// Its arguments.
        arguments: Vec<String>,
    },
    /// An address, by `POST`.
    Webhook {
        /// The address.
        url: Url,
        /// How this agent proves itself, where it must.
        login: Option<HttpLogin>,
        /// Certificate authorities to trust instead of the system's, a PEM file.
        ca_file: Option<PathBuf>,
    },
}

impl HookWay {
    /// What it is, for people; no secret.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Exec { program, .. } => program.display().to_string(),
            Self::Webhook { url, .. } => {
                format!("{}://{}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
            }
        }
    }
}

/// Reads `hooks`.
pub(super) fn hooks(section: &Section<'_>) -> Hooks {
    let Some(section) = section.item("hooks").and_then(|item| item.section(&["before", "after"])) else {
        return Hooks::default();
    };
    Hooks { before: list(&section, "before"), after: list(&section, "after") }
}

fn list(section: &Section<'_>, key: &str) -> Vec<Hook> {
    let items = section.item(key).and_then(|item| item.items()).unwrap_or_default();
    if items.len() > HOOKS_MAX {
        let reason = format!("has {} entries", items.len());
        section.sheet.problem(&section.key_of(key), reason, format!("write at most {HOOKS_MAX}"));
    }
    items.iter().filter_map(hook).collect()
}

fn hook(item: &Item<'_>) -> Option<Hook> {
    let section = item.section(&["exec", "webhook", "timeout"])?;
    let timeout = timeout(&section);
    let way = match (section.item("exec"), section.item("webhook")) {
        (Some(item), None) => exec(&item),
        (None, Some(item)) => {
            let section = item.section(&WEBHOOK_KEYS)?;
            webhook(&section)
        }
        (Some(_), Some(_)) | (None, None) => {
            let hint = "write exec: [\"/path/to/program\"], or webhook: {url: …}";
            section.sheet.problem(&section.key, "does not name one thing to call", hint);
            None
        }
    };
    Some(Hook { way: way?, timeout })
}

/// The keys of an address to call.
pub(super) const WEBHOOK_KEYS: [&str; 5] =
    ["url", "bearer_token_file", "bearer_token_env", "basic", "ca_file"];

/// The keys of a promotion by a hook.
pub(super) const PROMOTION_KEYS: [&str; 7] =
    ["command", "timeout", "url", "bearer_token_file", "bearer_token_env", "basic", "ca_file"];

/// Reads the command of a promotion by a program of the operator's own.
pub(super) fn exec_promotion(section: &Section<'_>) -> Option<Hook> {
    let way = section.required_item("command", "command: [\"/usr/local/bin/promote\"]");
    let way = way.and_then(|item| exec(&item));
    Some(Hook { way: way?, timeout: timeout(section) })
}

/// Reads the address of a promotion by a server of the operator's own.
pub(super) fn webhook_promotion(section: &Section<'_>) -> Option<Hook> {
    Some(Hook { way: webhook(section)?, timeout: timeout(section) })
}

fn timeout(section: &Section<'_>) -> Duration {
    section.or("timeout", TIMEOUT, duration(Duration::from_millis(100)..=TIMEOUT_MAX))
}

fn exec(item: &Item<'_>) -> Option<HookWay> {
    let items = item.items()?;
    if items.is_empty() || items.len() > WORDS_MAX {
        let hint = format!("write [\"/path/to/program\", \"argument\"], at most {WORDS_MAX} words");
        item.sheet.problem(&item.key, "is no command", hint);
        return None;
    }
    let program = items[0].read(program);
    let arguments = items[1..].iter().map(|item| item.read(word)).collect::<Option<Vec<String>>>();
    Some(HookWay::Exec { program: program?, arguments: arguments? })
}

fn word(value: &Value) -> Result<String, Wrong> {
    let word = text(value)?;
    if word.len() <= WORD_BYTES_MAX && !word.contains('\0') {
        return Ok(word.to_owned());
    }
    Err(Wrong::new("is no word of a command", format!("write at most {WORD_BYTES_MAX} bytes")))
}

fn program(value: &Value) -> Result<PathBuf, Wrong> {
    let path = PathBuf::from(word(value)?);
    if path.is_absolute() {
        return Ok(path);
    }
    Err(Wrong::new("is no absolute path", "no shell and no search path is asked: write /path/to/program"))
}

fn webhook(section: &Section<'_>) -> Option<HookWay> {
    let url = section.required("url", "url: https://automation.example.com/redis/promote", http_url);
    let (login, ca_file) = (http_login(section), readable(section, "ca_file"));
    let (url, login) = (url?, login?);
    if login.is_some() && url.scheme() == "http" {
        warn_clear_text(section);
    }
    Some(HookWay::Webhook { url, login, ca_file })
}
