//! The front door: from a path to the checked configuration.

use std::path::Path;

use super::checked::Config;
use super::error::{Problem, Problems};
use super::outline::Outline;
use super::read::{Env, Item, Sheet, root, source};
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
    /// The file key by key, to say later what has changed in it.
    pub outline: Outline,
}

/// For whom a configuration is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// An agent of this version, with the leadership that the file can name; [`load`] asks for these.
    Agent,
    /// A simulated agent, whose leader is elected by the simulator.
    Simulator,
}

/// Reads and checks an agent's configuration file. `env` gives the value of an environment variable.
///
/// # Errors
/// Everything that is wrong with the file, in the order of its lines.
pub fn load(path: &Path, env: Env<'_>) -> Result<Loaded, Problems> {
    load_for(path, env, Rules::Agent)
}

/// Reads and checks a configuration file for somebody.
///
/// # Errors
/// Everything that is wrong with the file, in the order of its lines.
pub fn load_for(path: &Path, env: Env<'_>, rules: Rules) -> Result<Loaded, Problems> {
    let hint = "name a YAML file with --config.file; a first one is deploy/redrover/redrover.yml";
    parse(&source(path, CONFIG_BYTES_MAX, hint)?, path, env, rules)
}

/// Checks the text of a configuration file; `path` names it in problems, and relative paths in it start at its folder.
///
/// # Errors
/// Everything that is wrong with the text, in the order of its lines.
pub fn parse(text: &str, path: &Path, env: Env<'_>, rules: Rules) -> Result<Loaded, Problems> {
    let root = root(text, path, "describe agent, datacenters and services")?;
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
    let outline = Outline::of(&root);
    let (_, mut warnings) = sheet.into_notes();
    warnings.sort_by_key(|warning| warning.line);
    Ok(Loaded { config, warnings, outline })
}
