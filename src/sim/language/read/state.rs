//! States: a word, or a mapping that says more.

use std::time::Duration;

use crate::config::read::{Item, Section, Value, Wrong, duration, number, quoted, text};
use crate::types::Ratio;

/// The longest time that anything in a scenario takes.
pub const TIME_MAX: Duration = Duration::from_secs(30 * 86_400);

/// The state that an item says: one of the words, or a mapping with exactly one of the keys, which `keyed` reads.
/// Keys that may stand beside it are `beside`.
pub fn state<'a, T: Clone>(
    item: &Item<'a>,
    words: &[(&str, T)],
    keys: (&[&str], &[&str]),
    keyed: impl FnOnce(&str, &Section<'a>) -> Option<T>,
) -> Option<T> {
    let (keys, beside) = keys;
    if item.read(|value| Ok(matches!(value, Value::Map(_))))? {
        let section = item.section(&[keys, beside].concat())?;
        let key = only(&section, keys)?;
        return keyed(key, &section);
    }
    item.read(|value| {
        let given = text(value).map_err(|wrong| Wrong::new(wrong.reason, all_states(words, keys)))?;
        match words.iter().find(|(word, _)| *word == given) {
            Some((_, state)) => Ok(state.clone()),
            None => Err(Wrong::new(format!("{} is not known", quoted(given)), all_states(words, keys))),
        }
    })
}

fn all_states<T>(words: &[(&str, T)], keys: &[&str]) -> String {
    let words = words.iter().map(|(word, _)| (*word).to_owned());
    let keys = keys.iter().map(|key| format!("{{{key}: …}}"));
    format!("write one of {}", words.chain(keys).collect::<Vec<_>>().join(", "))
}

/// One of the words, or else what `other` reads.
///
/// # Errors
/// It is neither; the remedy names the words as well.
pub fn word_or<T: Clone>(
    value: &Value,
    words: &[(&str, T)],
    other: impl FnOnce(&Value) -> Result<T, Wrong>,
) -> Result<T, Wrong> {
    if let Value::Text(text) = value
        && let Some((_, meaning)) = words.iter().find(|(word, _)| word == text)
    {
        return Ok(meaning.clone());
    }
    let more = words.iter().map(|(word, _)| format!(", or {word}")).collect::<String>();
    other(value).map_err(|wrong| Wrong::new(wrong.reason, wrong.hint + &more))
}

/// The one of the keys that a section has; none, or more than one, is noted.
pub fn only<'k>(section: &Section<'_>, keys: &[&'k str]) -> Option<&'k str> {
    let found: Vec<&str> = keys.iter().copied().filter(|key| section.item(key).is_some()).collect();
    match found[..] {
        [key] => return Some(key),
        // An unknown key was noted already, and is probably the missing one.
        [] if !section.sheet.is_sound(&section.key) => {}
        [] => {
            let hint = format!("write one of {}", keys.join(", "));
            section.sheet.problem(&section.key, "says nothing that can happen", hint);
        }
        [..] => {
            let reason = format!("says {} at once", found.join(" and "));
            section.sheet.problem(&section.key, reason, "keep one, and give the others entries of their own");
        }
    }
    None
}

/// A time of up to thirty days.
///
/// # Errors
/// Anything else.
pub fn time(value: &Value) -> Result<Duration, Wrong> {
    duration(Duration::ZERO..=TIME_MAX)(value)
}

/// A time in whole seconds, at least one.
///
/// # Errors
/// Anything else.
pub fn whole_seconds(value: &Value) -> Result<Duration, Wrong> {
    let time = duration(Duration::from_secs(1)..=TIME_MAX)(value)?;
    if time.subsec_nanos() == 0 {
        Ok(time)
    } else {
        Err(Wrong::new("is not a whole number of seconds", "write it as 30s"))
    }
}

/// A share in percent.
///
/// # Errors
/// Anything else.
pub fn percent(value: &Value) -> Result<Ratio, Wrong> {
    let percent = number(|n| (0.0..=100.0).contains(&n), "a percentage from 0 to 100", "30")(value)?;
    Ok(Ratio::clamped(percent / 100.0))
}
