//! From a path to the tree of its text, or to what is wrong with the file as a whole.

use std::path::Path;

use serde_saphyr::Spanned;

use super::{Value, read_file, tree, unread};
use crate::config::{Problem, Problems};

/// Reads a text file of at most `bytes_max` bytes; `hint` says which file to name instead.
///
/// # Errors
/// The file cannot be read, is too large, or is not UTF-8.
pub fn source(path: &Path, bytes_max: u64, hint: &str) -> Result<String, Problems> {
    let fail = |reason: String, hint: &str| Err(whole(path, None, reason, hint));
    let bytes = match read_file(path, bytes_max) {
        Ok(bytes) => bytes,
        Err(error) => return fail(unread(&error), hint),
    };
    if bytes.len() as u64 > bytes_max {
        return fail(format!("has more than {bytes_max} bytes"), hint);
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + good.iter().filter(|byte| **byte == b'\n').count() as u64;
        whole(path, Some(line), "is not UTF-8 text".to_owned(), "save it as UTF-8")
    })
}

/// Reads the tree of a text that must hold something; `describe` says what, such as `describe the agent`.
///
/// # Errors
/// The text is not YAML, or empty.
pub fn root(text: &str, path: &Path, describe: &str) -> Result<Spanned<Value>, Problems> {
    let root = tree(text).map_err(|(line, reason)| {
        let reason = format!("is not valid YAML: {reason}");
        whole(path, line, reason, "mend the syntax at this line")
    })?;
    if root.value == Value::Null {
        return Err(whole(path, None, "is empty".to_owned(), describe));
    }
    Ok(root)
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
