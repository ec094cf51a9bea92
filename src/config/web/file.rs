//! The front door: from a path to the checked rules.

use std::path::Path;

use super::rules::Web;
use super::{headers, tls, users};
use crate::config::read::{Item, Sheet, root, source};
use crate::config::{Problem, Problems};

/// Largest accepted file, in bytes.
const WEB_BYTES_MAX: u64 = 1024 * 1024;

/// Sound rules, and what is doubtful in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedWeb {
    /// The rules.
    pub web: Web,
    /// What a person should look at; nothing here keeps the server from running.
    pub warnings: Vec<Problem>,
}

/// Reads and checks the file, and reads the files that it names.
///
/// # Errors
/// Everything that is wrong with the file, in the order of its lines.
pub fn load_web(path: &Path) -> Result<LoadedWeb, Problems> {
    let hint = "name a YAML file with --web.config.file; an example is deploy/redrover/web.yml";
    let text = source(path, WEB_BYTES_MAX, hint)?;
    let root = root(&text, path, "leave --web.config.file out to serve everybody in clear text")?;
    let sheet = Sheet::new(path, &|_| None, &root);
    let web = web(&Item::root(&sheet, &root)).filter(|_| sheet.is_sound(""));
    let (problems, mut warnings) = sheet.into_notes();
    let Some(web) = web else {
        assert!(!problems.is_empty(), "a value that is missing was noted when it was read");
        return Err(Problems::new(problems));
    };
    warnings.sort_by_key(|warning| warning.line);
    Ok(LoadedWeb { web, warnings })
}

fn web(root: &Item<'_>) -> Option<Web> {
    let file = root.section(&["tls_server_config", "basic_auth_users", "http_server_config"])?;
    let tls = file.item("tls_server_config").map(|item| tls::read(&item));
    let users = file.item("basic_auth_users").map(|item| users::read(&item));
    let headers = file.item("http_server_config").map(|item| headers::read(&item));
    if tls.is_none() && users.is_some() {
        let hint = "add tls_server_config, or let nobody else listen on the way";
        file.sheet.warning("basic_auth_users", "are asked for passwords in clear text", hint);
    }
    Some(Web {
        tls: some_or_wrong(tls)?,
        users: some_or_wrong(users)?.unwrap_or_default(),
        headers: some_or_wrong(headers)?.unwrap_or_default(),
    })
}

/// `Some(None)` where the section is absent, `None` where it is wrong.
fn some_or_wrong<T>(section: Option<Option<T>>) -> Option<Option<T>> {
    match section {
        None => Some(None),
        Some(read) => read.map(Some),
    }
}
