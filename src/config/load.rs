//! The front door: from a path to the checked configuration.

use std::path::Path;

use super::checked::Config;
use super::error::{Problem, Problems};
use super::read::{Env, Item, Sheet, Value, read_file, tree, unread};
use super::{check, evidence, sections};

/// Largest accepted file, in bytes: some thousand services.
pub const CONFIG_BYTES_MAX: u64 = 1024 * 1024;

/// A sound configuration, and what is doubtful in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What a person should look at; nothing here keeps the program from running.
    pub warnings: Vec<Problem>,
}

/// For whom a configuration is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// An agent of this version, with the leadership that the file can name; [`load`] asks for these.
    Agent,
    /// A simulated agent, whose leader is elected by the simulator.
    Simulator,
}

/// Reads and checks a configuration file. `env` gives the value of an environment variable.
///
/// # Errors
/// Everything that is wrong with the file, in the order of its lines.
pub fn load(path: &Path, env: Env<'_>) -> Result<Loaded, Problems> {
    let fail = |reason: String, hint: &str| Err(whole(path, None, reason, hint));
    let bytes = match read_file(path, CONFIG_BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(error) => {
            let hint = "name a YAML file with --config.file; a first one is deploy/redrover/redrover.yml";
            return fail(unread(&error), hint);
        }
    };
    if bytes.len() as u64 > CONFIG_BYTES_MAX {
        return fail(format!("has more than {CONFIG_BYTES_MAX} bytes"), "name a configuration file");
    }
    match String::from_utf8(bytes) {
        Ok(text) => parse(&text, path, env, Rules::Agent),
        Err(error) => {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = 1 + good.iter().filter(|byte| **byte == b'\n').count() as u64;
            let hint = "save it as UTF-8";
            Err(whole(path, Some(line), "is not UTF-8 text".to_owned(), hint))
        }
    }
}

/// Checks the text of a configuration file; `path` names it in problems, and relative paths in it start at its folder.
///
/// # Errors
/// Everything that is wrong with the text, in the order of its lines.
pub fn parse(text: &str, path: &Path, env: Env<'_>, rules: Rules) -> Result<Loaded, Problems> {
    let root = match tree(text) {
        Ok(root) => root,
        Err((line, reason)) => {
            return Err(whole(
                path,
                line,
                format!("is not valid YAML: {reason}"),
                "mend the syntax at this line",
            ));
        }
    };
    if root.value == Value::Null {
        let hint = "describe agent, datacenters and services";
        return Err(whole(path, None, "is empty".to_owned(), hint));
    }
    let sheet = Sheet::new(path, env, &root);
    let raw = sections::config(&Item::root(&sheet, &root));
    if let Some(raw) = &raw {
        check::check(&sheet, raw, rules);
    }
    let config = if sheet.is_sound("") { raw.and_then(|raw| raw.build()) } else { None };
    let Some(config) = config else {
        let (problems, _) = sheet.into_notes();
        assert!(!problems.is_empty(), "a value that is missing was noted when it was read");
        return Err(Problems::new(problems));
    };
    evidence::warn(&sheet, &config);
    let (_, mut warnings) = sheet.into_notes();
    warnings.sort_by_key(|warning| warning.line);
    Ok(Loaded { config, warnings })
}

fn whole(path: &Path, line: Option<u64>, reason: String, hint: &str) -> Problems {
    Problems::new(vec![Problem {
        path: path.to_owned(),
        line,
        key: String::new(),
        reason,
        hint: hint.to_owned(),
    }])
}
