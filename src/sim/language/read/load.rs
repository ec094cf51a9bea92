//! The front door: from a path to the checked scenario.

use std::path::Path;
use std::time::Duration;

use super::names::Names;
use super::{event, expect, policy, world};
use crate::config::Problems;
use crate::config::read::{
    Item, Section, Sheet, Value, Wrong, boolean, choice, duration, root, source, text,
};
use crate::sim::language::{By, Ground, PastSwitch, PolicyText, Scenario, World};

/// Largest accepted file, in bytes: some thousand events.
pub const SCENARIO_BYTES_MAX: u64 = 256 * 1024;
/// The oldest switch that can still matter.
const AGO_MAX: Duration = Duration::from_secs(30 * 86_400);

/// Reads and checks a scenario file.
///
/// # Errors
/// Everything that is wrong with the file, in the order of its lines.
pub fn load(path: &Path) -> Result<Scenario, Problems> {
    parse(&source(path, SCENARIO_BYTES_MAX, "name a scenario file")?, path)
}

/// Reads and checks a scenario file that is played on a configuration: it must not say what that says.
///
/// # Errors
/// Everything that is wrong with the file, in the order of its lines.
pub fn load_on(ground: &Ground, path: &Path) -> Result<Scenario, Problems> {
    parse_on(Some(ground), &source(path, SCENARIO_BYTES_MAX, "name a scenario file")?, path)
}

/// Checks the text of a scenario file; `path` names it in problems.
///
/// # Errors
/// Everything that is wrong with the text, in the order of its lines.
pub fn parse(text: &str, path: &Path) -> Result<Scenario, Problems> {
    parse_on(None, text, path)
}

fn parse_on(ground: Option<&Ground>, text: &str, path: &Path) -> Result<Scenario, Problems> {
    let root = root(text, path, "write name, timeline and expect")?;
    let sheet = Sheet::new(path, &|_| None, &root);
    let scenario = scenario(&Item::root(&sheet, &root), ground).filter(|_| sheet.is_sound(""));
    scenario.ok_or_else(|| {
        let (problems, _) = sheet.into_notes();
        assert!(!problems.is_empty(), "a value that is missing was noted when it was read");
        Problems::new(problems)
    })
}

fn scenario(root: &Item<'_>, ground: Option<&Ground>) -> Option<Scenario> {
    let file = root.section(&["name", "id", "why", "world", "policy", "history", "timeline", "expect"])?;
    let name = file.required("name", "name: the active site dies", one_line);
    let own = |text: &str| text.to_owned();
    let id = file.optional("id", text).map(own);
    let why = file.optional("why", text).map(own);
    let world = world::read(file.item("world").as_ref(), ground);
    let names = Names::of(world.as_ref());
    let policy = match (file.item("policy"), ground) {
        (None, None) => Some(PolicyText::default()),
        (None, Some(ground)) => Some(ground.policy.clone()),
        (Some(item), None) => policy::read(&item),
        (item @ Some(_), Some(_)) => {
            world::refuse(item);
            None
        }
    };
    let history = history(&file, &names, world.as_ref());
    let timeline = event::timeline(&file, &names);
    let expect = expect::read(&file, &names, world.as_ref());
    // One file is played on several services: its reports must be told apart.
    let service = ground.and_then(|ground| ground.world().called.as_ref());
    let name = service.map_or_else(|| name.clone(), |service| Some(format!("{service}: {}", name.as_ref()?)));
    Some(Scenario {
        name: name?,
        id,
        why,
        world: world?,
        policy: policy?,
        history,
        timeline,
        expect: expect?,
    })
}

fn one_line(value: &Value) -> Result<String, Wrong> {
    let text = text(value)?.trim();
    if text.contains('\n') {
        return Err(Wrong::new("has more than one line", "write one line, and the rest under why"));
    }
    Ok(text.to_owned())
}

fn history(file: &Section<'_>, names: &Names<'_>, world: Option<&World>) -> Vec<PastSwitch> {
    let items = file.item("history").and_then(|item| item.items()).unwrap_or_default();
    let mut switches: Vec<PastSwitch> = Vec::new();
    for item in &items {
        let Some(switch) = past_switch(item, names) else { continue };
        if let Some(before) = switches.last() {
            if before.to != switch.from {
                let reason =
                    format!("begins at {}, but the switch before it led to {}", switch.from, before.to);
                item.sheet.problem(&item.key, reason, "let each switch begin where the last one led");
            }
            if before.ago <= switch.ago {
                item.sheet.problem(
                    &item.key,
                    "is not after the one before it",
                    "put the oldest switch first",
                );
            }
        }
        switches.push(switch);
    }
    if let Some((last, world)) = switches.last().zip(world)
        && last.to != world.active
        && file.sheet.is_sound("history")
    {
        let reason = format!("leads to {}, but {} is active", last.to, world.active);
        file.sheet.problem("history", reason, format!("write active: {} under world", last.to));
    }
    switches
}

fn past_switch(item: &Item<'_>, names: &Names<'_>) -> Option<PastSwitch> {
    let outer = item.section(&["switched"])?;
    let example = "switched: {from: dc-b, to: dc-a, ago: 10m, by: automatic}";
    let section =
        outer.required_item("switched", example)?.section(&["from", "to", "ago", "by", "acknowledged"])?;
    let from = section.required("from", "from: dc-b", |v| names.member(v));
    let to = section.required("to", "to: dc-a", |v| names.member(v));
    let ago = section.required("ago", "ago: 10m", duration(Duration::from_secs(1)..=AGO_MAX));
    let who = [("automatic", By::Automatic), ("operator", By::Operator)];
    let by = section.or("by", By::Automatic, choice(&who));
    let is_acknowledged = section.or("acknowledged", false, boolean);
    if from.is_some() && from == to {
        section.sheet.problem(&section.key, "leads to where it began", "write two different sites");
    }
    Some(PastSwitch { from: from?, to: to?, ago: ago?, by, is_acknowledged })
}
