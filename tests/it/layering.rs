//! The plan of the house, as a test: folders import downwards only, pure files stay pure, every file is in the tree.
//!
//! The sources are read as text, so the test needs no compiler, and a mistake is named by file and line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Each folder or file directly below `src`, from the ground up, and what it may import.
const HOUSE: &[(&str, &[&str])] = &[
    ("types", &[]),
    ("config", &["types"]),
    ("monitor", &["types", "config"]),
    ("analyse", &["types", "config"]),
    ("decide", &["types", "config"]),
    ("lead", &["types", "config"]),
    ("learn", &["types", "analyse"]),
    ("store", &["types", "decide"]),
    ("act", &["types", "config", "monitor", "decide", "lead", "store"]),
    ("control", &["types", "config", "monitor", "analyse", "decide", "lead", "learn", "store", "act"]),
    ("serve", &["types", "config", "monitor", "analyse", "learn", "store", "control"]),
    ("app", BELOW_APP),
    ("sim", BELOW_APP),
    ("replay", BELOW_APP),
    ("cli", BELOW_CLI),
];
const BELOW_APP: &[&str] =
    &["types", "config", "monitor", "analyse", "decide", "lead", "learn", "store", "act", "control", "serve"];
const BELOW_CLI: &[&str] = &[
    "types", "config", "monitor", "analyse", "decide", "lead", "learn", "store", "act", "control", "serve",
    "app", "sim", "replay",
];

/// The roots of the program: they wire, and may name everything.
const ROOTS: &[&str] = &["lib.rs", "main.rs"];

/// Folders (with a final slash) and files whose result depends on their arguments alone.
const PURE: &[&str] = &[
    "types/",
    "analyse/",
    "decide/",
    "monitor/info.rs",
    "monitor/normalise.rs",
    "monitor/catalog.rs",
    "monitor/catalog/",
    "monitor/exporter/blocked.rs",
    "monitor/exporter/command.rs",
    "monitor/exporter/families.rs",
    "monitor/exporter/keys/emit.rs",
    "monitor/exporter/keys/groups.rs",
    "monitor/exporter/keys/labels.rs",
    "monitor/exporter/keys/plan.rs",
    "monitor/exporter/keys/seen.rs",
    "monitor/exporter/reading.rs",
    "monitor/exporter/resp.rs",
    "monitor/inventory/databases.rs",
    "monitor/inventory/nodes.rs",
    "monitor/inventory/raw.rs",
    "monitor/inventory/sheet.rs",
    "monitor/inventory/text.rs",
    "monitor/inventory/v2.rs",
    "monitor/inventory/whole.rs",
    "monitor/signals/",
    "lead/lease.rs",
    "act/notify/message.rs",
    "act/notify/words.rs",
    "act/notify/chronicle.rs",
    "act/notify/chronicle/",
    "act/notify/desk.rs",
    "act/notify/backoff.rs",
    "act/notify/channel/text.rs",
    "act/notify/channel/slack.rs",
    "act/notify/channel/pagerduty.rs",
    "act/notify/channel/webhook.rs",
    "act/notify/channel/alertmanager.rs",
    "act/notify/channel/email.rs",
    "replay/stretch.rs",
    "replay/player.rs",
    "replay/incident.rs",
    "replay/score.rs",
    "replay/chart.rs",
    "replay/account.rs",
    "replay/report.rs",
    "replay/html.rs",
    "replay/prometheus/query.rs",
    "replay/prometheus/chunk.rs",
    "replay/prometheus/look.rs",
    "replay/prometheus/rebuild.rs",
    "replay/prometheus/vantages.rs",
];
/// The one reader of the system's clock.
const IMPURE: &[&str] = &["types/time.rs"];
/// What would make a result depend on something else: a clock, the outside, chance, the order of a hash map.
const FORBIDDEN: &[&str] = &[
    "tokio",
    "async",
    "await",
    "Instant::now",
    "SystemTime::now",
    "std::fs",
    "std::net::Tcp",
    "HashMap",
    "HashSet",
    "rand::",
];

/// The sources: path below `src`, with slashes, and text.
type Sources = BTreeMap<String, String>;

#[test]
fn the_sources_keep_to_the_plan() {
    let sources = read_sources();
    assert!(sources.contains_key("lib.rs"), "the sources were not found");
    let problems = check(&sources);
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn the_plan_has_no_circle() {
    for (floor, (folder, allowed)) in HOUSE.iter().enumerate() {
        for below in *allowed {
            assert!(HOUSE[..floor].iter().any(|(name, _)| name == below), "{folder} may not import {below}");
        }
    }
}

fn read_sources() -> Sources {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Sources::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a source folder can be read") {
            let path: PathBuf = entry.expect("a folder entry can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let below = path.strip_prefix(&root).expect("it was found there");
                let name = below.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
                sources.insert(name, std::fs::read_to_string(&path).expect("a source file can be read"));
            }
        }
    }
    sources
}

fn check(sources: &Sources) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, text) in sources {
        let tokens = tokens(text);
        check_arrows(path, &tokens, &mut problems);
        check_purity(path, &tokens, &mut problems);
        check_is_imported(path, sources, &mut problems);
    }
    problems
}

fn check_arrows(path: &str, tokens: &[Token], problems: &mut Vec<String>) {
    if ROOTS.contains(&path) {
        return;
    }
    let module = module_of(path);
    let owner = module[0].as_str();
    let Some((_, allowed)) = HOUSE.iter().find(|(name, _)| *name == owner) else {
        problems.push(format!("src/{path}: {owner} has no floor; give it one in HOUSE"));
        return;
    };
    for (line, imported) in imports(&module, tokens) {
        let Some(first) = imported.first().map(String::as_str) else {
            problems.push(format!("src/{path}:{line}: imports the root; name the folder"));
            continue;
        };
        if first != owner && !allowed.contains(&first) {
            problems
                .push(format!("src/{path}:{line}: {owner} may not import {first} ({})", imported.join("::")));
        }
    }
}

fn check_purity(path: &str, tokens: &[Token], problems: &mut Vec<String>) {
    let is_pure = PURE.iter().any(|p| if p.ends_with('/') { path.starts_with(p) } else { path == *p });
    if !is_pure || IMPURE.contains(&path) {
        return;
    }
    for word in FORBIDDEN {
        let word_tokens = self::tokens(word);
        let found = tokens.windows(word_tokens.len()).find(|window| is_phrase(window, &word_tokens));
        if let Some(window) = found {
            problems.push(format!("src/{path}:{}: `{word}` in a file that must be pure", window[0].line));
        }
    }
}

/// Whether the tokens are those of a phrase; its last word may be the beginning of a longer one: `Tcp`, `TcpStream`.
fn is_phrase(tokens: &[Token], phrase: &[Token]) -> bool {
    let Some(((last, start), (phrase_last, phrase_start))) = tokens.split_last().zip(phrase.split_last())
    else {
        return false;
    };
    let is_same = start.iter().zip(phrase_start).all(|(a, b)| a.text == b.text);
    let is_end = last.text == phrase_last.text
        || (phrase_last.text == "Tcp" && last.text.starts_with(phrase_last.text.as_str()));
    is_same && is_end
}

fn check_is_imported(path: &str, sources: &Sources, problems: &mut Vec<String>) {
    let Some(name) = module_of(path).pop() else { return };
    if ROOTS.contains(&path) {
        return;
    }
    let is_declared =
        |parent: &String| sources.get(parent).is_some_and(|text| declares_module(&tokens(text), &name));
    if !parents(path).iter().any(is_declared) && !is_named_by_path(path, sources) {
        problems.push(format!("src/{path}: no `mod {name};` imports this file"));
    }
}

/// Whether a `#[path = "…"]` of some file, relative to its folder, names this one.
fn is_named_by_path(path: &str, sources: &Sources) -> bool {
    let named = |line: &str| Some(line.trim().strip_prefix("#[path = \"")?.strip_suffix("\"]")?.to_owned());
    sources.iter().any(|(from, text)| {
        let folder: Vec<&str> = from.split('/').rev().skip(1).collect();
        text.lines().filter_map(named).any(|target| {
            let above = target.matches("../").count();
            let rest = target.trim_start_matches("../");
            let parts: Vec<&str> = folder.iter().skip(above).rev().copied().chain([rest]).collect();
            parts.join("/") == path
        })
    })
}

/// The files that may hold the `mod` line of this one.
fn parents(path: &str) -> Vec<String> {
    let module = path.strip_suffix("/mod.rs").or(path.strip_suffix(".rs")).unwrap_or(path);
    match module.rsplit_once('/') {
        Some((folder, _)) => vec![format!("{folder}/mod.rs"), format!("{folder}.rs")],
        None => ROOTS.iter().map(|root| (*root).to_owned()).collect(),
    }
}

fn declares_module(tokens: &[Token], name: &str) -> bool {
    tokens.windows(3).any(|w| w[0].text == "mod" && w[1].text == name && w[2].text == ";")
}

/// The module path of a file: `act/dns/port.rs` is `[act, dns, port]`, and `act/mod.rs` is `[act]`.
fn module_of(path: &str) -> Vec<String> {
    if ROOTS.contains(&path) {
        return Vec::new();
    }
    let module = path.strip_suffix("/mod.rs").or(path.strip_suffix(".rs")).unwrap_or(path);
    module.split('/').map(str::to_owned).collect()
}

/// Every path from the root that the file names, by `crate`, `super` or `self`, with its line.
fn imports(module: &[String], tokens: &[Token]) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let mut inline = vec![(0, module.to_vec())];
    let (mut depth, mut i) = (0_usize, 0);
    while i < tokens.len() {
        let here = &inline.last().expect("the file itself is never left").1;
        let next = tokens.get(i + 1).map(|t| t.text.as_str());
        match tokens[i].text.as_str() {
            "mod" if tokens.get(i + 2).is_some_and(|t| t.text == "{") => {
                depth += 1;
                let inner = here.iter().cloned().chain(next.map(str::to_owned)).collect();
                inline.push((depth, inner));
                i += 3;
            }
            "{" => {
                depth += 1;
                i += 1;
            }
            "}" => {
                if inline.len() > 1 && inline.last().is_some_and(|(d, _)| *d == depth) {
                    inline.pop();
                }
                depth = depth.saturating_sub(1);
                i += 1;
            }
            "crate" if next == Some("as") => {
                found.push((tokens[i].line, Vec::new()));
                i += 1;
            }
            "crate" | "super" | "self" if next == Some("::") => {
                let base = here.clone();
                i = leaves(tokens, i, base, &mut found);
            }
            _ => i += 1,
        }
    }
    found
}

/// Follows one path, or one tree of a `use`, from token `i` on; returns the first token after it.
fn leaves(tokens: &[Token], mut i: usize, base: Vec<String>, found: &mut Vec<(usize, Vec<String>)>) -> usize {
    let line = tokens[i].line;
    let mut path = base;
    loop {
        match tokens.get(i).map(|t| t.text.as_str()) {
            Some("crate") => path.clear(),
            Some("self") => {}
            Some("super") => {
                path.pop();
            }
            Some("{") => {
                i += 1;
                while let Some(token) = tokens.get(i) {
                    match token.text.as_str() {
                        "}" => return i + 1,
                        "," => i += 1,
                        "as" => i += 2,
                        _ => i = leaves(tokens, i, path.clone(), found).max(i + 1),
                    }
                }
                return i;
            }
            Some(word) if is_word(word) || word == "*" => path.push(word.to_owned()),
            Some(_) | None => break,
        }
        i += 1;
        if tokens.get(i).is_none_or(|t| t.text != "::") {
            break;
        }
        i += 1;
    }
    found.push((line, path));
    i
}

/// A word, a `::`, or a single character of the rest.
#[derive(Debug, PartialEq, Eq)]
struct Token {
    text: String,
    line: usize,
}

/// The tokens of a source text, without comments and literals.
fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let (mut i, mut line) = (0, 1);
    while i < chars.len() {
        let end = match chars[i] {
            '/' if chars.get(i + 1) == Some(&'/') => until(&chars, i, |c| c == '\n'),
            '/' if chars.get(i + 1) == Some(&'*') => block_comment_end(&chars, i),
            '"' => string_end(&chars, i),
            'r' | 'b' | 'c' if literal_end(&chars, i).is_some() => literal_end(&chars, i).unwrap_or(i + 1),
            '\'' => quote_end(&chars, i),
            c if is_word_char(c) => {
                let end = until(&chars, i, |c| !is_word_char(c));
                tokens.push(Token { text: chars[i..end].iter().collect(), line });
                end
            }
            ':' if chars.get(i + 1) == Some(&':') => {
                tokens.push(Token { text: "::".to_owned(), line });
                i + 2
            }
            c => {
                if !c.is_whitespace() {
                    tokens.push(Token { text: c.to_string(), line });
                }
                i + 1
            }
        };
        line += chars[i..end].iter().filter(|c| **c == '\n').count();
        i = end;
    }
    tokens
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn until(chars: &[char], from: usize, is_end: impl Fn(char) -> bool) -> usize {
    chars[from..].iter().position(|c| is_end(*c)).map_or(chars.len(), |n| from + n)
}

fn block_comment_end(chars: &[char], from: usize) -> usize {
    let (mut i, mut depth) = (from, 0_usize);
    while i + 1 < chars.len() {
        match (chars[i], chars[i + 1]) {
            ('/', '*') => (i, depth) = (i + 2, depth + 1),
            ('*', '/') if depth == 1 => return i + 2,
            ('*', '/') => (i, depth) = (i + 2, depth - 1),
            _ => i += 1,
        }
    }
    chars.len()
}

/// The end of a string whose opening quote is at `from`.
fn string_end(chars: &[char], from: usize) -> usize {
    let mut i = from + 1;
    while i < chars.len() {
        match chars[i] {
            '\\' => i += 2,
            '"' => return i + 1,
            _ => i += 1,
        }
    }
    chars.len()
}

/// The end of a literal with a prefix (`r"…"`, `r#"…"#`, `b"…"`, `b'…'`, `br#"…"#`); `None` where a word begins.
fn literal_end(chars: &[char], from: usize) -> Option<usize> {
    let after = until(chars, from, |c| !is_word_char(c));
    let prefix: String = chars[from..after].iter().collect();
    match prefix.as_str() {
        "r" | "br" | "cr" => {
            let quote = until(chars, after, |c| c != '#');
            let hashes = quote - after;
            (chars.get(quote) == Some(&'"')).then_some(())?;
            let closes = |i: &usize| {
                chars[*i] == '"' && chars[i + 1..].iter().take_while(|c| **c == '#').count() >= hashes
            };
            Some((quote + 1..chars.len()).find(closes).map_or(chars.len(), |i| i + 1 + hashes))
        }
        "b" | "c" if chars.get(after) == Some(&'"') => Some(string_end(chars, after)),
        "b" if chars.get(after) == Some(&'\'') => Some(quote_end(chars, after)),
        _ => None,
    }
}

/// The end of what a single quote begins: a character, or else the name of a lifetime.
fn quote_end(chars: &[char], from: usize) -> usize {
    match (chars.get(from + 1), chars.get(from + 2)) {
        // The escaped character may be a quote itself.
        (Some('\\'), Some(_)) => {
            (until(chars, (from + 3).min(chars.len()), |c| c == '\'') + 1).min(chars.len())
        }
        (Some(_), Some('\'')) => from + 3,
        _ => until(chars, from + 1, |c| !is_word_char(c)),
    }
}

mod self_test {
    use super::*;

    fn sources(files: &[(&str, &str)]) -> Sources {
        files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    }

    /// The problems of one planted file, whose parents declare it.
    fn planted(path: &str, text: &str) -> Vec<String> {
        let mut files = sources(&[(path, text)]);
        let module = module_of(path);
        for (depth, name) in module.iter().enumerate() {
            let parent = match depth {
                0 => "lib.rs".to_owned(),
                _ => format!("{}/mod.rs", module[..depth].join("/")),
            };
            files.entry(parent).or_default().push_str(&format!("mod {name};"));
        }
        check(&files)
    }

    #[test]
    fn arrows_upward_are_caught_in_every_spelling() {
        let rows = [
            ("types/alert.rs", "use crate::config::Config;"),
            ("types/alert.rs", "use crate::{\n    types::Alert, config::{Config, Mode}};"),
            ("types/alert.rs", "fn f(_: crate::config::Config) {}"),
            ("types/alert.rs", "use super::super::config::Config;"),
            ("types/alert.rs", "use self::super::super::config;"),
            ("types/mod.rs", "mod alert; pub use super::config::Config;"),
            ("types/alert.rs", "mod tests { use super::super::super::config::Config; }"),
            ("types/alert.rs", "mod tests {} use super::super::{config::Config};"),
            ("types/alert.rs", "use crate::*;"),
            ("types/alert.rs", "use crate as root;"),
            ("types/alert.rs", "use crate::{self as root};"),
            ("monitor/info.rs", "use crate::decide::Reason;"),
            ("decide/step.rs", "use crate::store::Journal;"),
            ("store/journal.rs", "use crate::config::Config;"),
            ("act/dns/port.rs", "use super::super::super::control::View;"),
            ("serve/api.rs", "use crate::act::Permit;"),
            ("serve/api.rs", "let x = 'a'; let y = crate::decide::step(\"'\");"),
            ("app.rs", "use crate::cli::Arguments;"),
            ("sim/mod.rs", "use super::app::App;"),
            ("attic/mod.rs", ""),
        ];
        for (path, text) in rows {
            let problems = planted(path, text);
            assert!(!problems.is_empty(), "{path}: {text}");
            let is_arrow = |p: &String| {
                ["may not import", "imports the root", "has no floor"].iter().any(|w| p.contains(w))
            };
            assert!(problems.iter().all(is_arrow), "{path}: {text}: {problems:?}");
        }
    }

    #[test]
    fn arrows_downward_and_mere_words_are_not() {
        let rows = [
            ("types/alert.rs", "use super::names::ServiceName; use crate::types::Moment;"),
            (
                "types/alert.rs",
                "//! [`crate::config::Config`] `tokio`\n/* crate::config /* nested */ tokio */",
            ),
            (
                "types/alert.rs",
                "const A: &str = \"crate::config tokio\"; const B: &str = r#\"\" crate::config\"#;",
            ),
            (
                "types/alert.rs",
                "fn f<'a>(x: &'a str) -> &'a str { x } const Q: char = '\\''; const R: char = '\"';",
            ),
            ("types/alert.rs", "mod tests { use super::*; use super::super::names; }"),
            ("types/alert.rs", "pub(crate) fn a() {} pub(super) fn b(operand: u8) {} fn c(awaited: u8) {}"),
            ("types/time.rs", "use std::time::Instant; fn f() { Instant::now(); }"),
            ("monitor/redis.rs", "use tokio::net::TcpStream; async fn f() { g().await }"),
            (
                "act/dns/port.rs",
                "use super::super::Permit; use crate::{monitor::{RedisClient as Client}, types::*};",
            ),
            ("control/cycle.rs", "use crate::{act::switch, decide::step, store::{Journal, Ticket}};"),
            ("cli/run.rs", "use crate::{app::App, config::load};"),
            ("main.rs", "use redrover::cli;"),
        ];
        for (path, text) in rows {
            let problems = planted(path, text);
            assert!(problems.is_empty(), "{path}: {text}: {problems:?}");
        }
    }

    #[test]
    fn a_clock_the_outside_and_chance_are_caught_in_a_pure_file() {
        let rows = [
            ("types/alert.rs", "fn f() { tokio::time::timeout(d, g); }"),
            ("decide/step.rs", "async fn f() {}"),
            ("decide/step.rs", "fn f() { g().await }"),
            ("decide/policy.rs", "fn f() { let t = std::time::Instant::now(); }"),
            ("decide/policy.rs", "fn f() { let t = SystemTime :: now(); }"),
            ("monitor/info.rs", "use std::fs::read;"),
            ("monitor/normalise.rs", "use std::net::TcpStream;"),
            ("monitor/catalog.rs", "use std::collections::HashMap;"),
            ("lead/lease.rs", "fn f() -> u8 { rand::random() }"),
        ];
        for (path, text) in rows {
            let problems = planted(path, text);
            assert_eq!(problems.len(), 1, "{path}: {text}: {problems:?}");
            assert!(problems[0].contains("must be pure"), "{problems:?}");
        }
    }

    #[test]
    fn a_file_that_nobody_imports_is_caught() {
        let files = [
            ("lib.rs", "pub mod types; // mod lost;"),
            ("types/mod.rs", "mod alert; mod inline {}"),
            ("types/alert.rs", "#[path = \"suite.rs\"]\nmod suite;"),
            ("types/inline.rs", ""),
            ("types/lost.rs", ""),
            ("types/suite.rs", ""),
            ("config.rs", ""),
        ];
        let problems = check(&sources(&files));
        assert_eq!(
            problems,
            [
                "src/config.rs: no `mod config;` imports this file",
                "src/types/inline.rs: no `mod inline;` imports this file",
                "src/types/lost.rs: no `mod lost;` imports this file",
            ]
        );
    }

    #[test]
    fn a_problem_names_its_line() {
        let problems = planted("types/alert.rs", "//! A text.\n\n\"a\nb\";\nuse crate::config;");
        assert_eq!(problems, ["src/types/alert.rs:5: types may not import config (config)"]);
    }
}
