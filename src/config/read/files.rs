//! Files that the configuration names: secrets and certificates.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use super::{Section, path, text};
use crate::config::Secret;

/// Largest accepted secret, in bytes; a token of 64 KiB is a mistaken file.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// Reads the secret that a section names by `<stem>_file` or `<stem>_env`; absent when it names none.
/// Neither the secret nor the name is ever repeated in a problem: the secret may stand where its name belongs.
pub fn secret(section: &Section<'_>, stem: &str) -> Option<Secret> {
    let (file_name, env_name) = (format!("{stem}_file"), format!("{stem}_env"));
    let file = section.item(&file_name);
    let env = section.item(&env_name);
    if file.is_some() && env.is_some() {
        let reason = format!("is given as well as {file_name}");
        section.sheet.problem(&section.key_of(&env_name), reason, "keep one of the two");
        return None;
    }
    if let Some(item) = file {
        let full = section.sheet.resolve(&item.read(path)?);
        return from_file(section, &item.key, &full);
    }
    let item = env?;
    let value = section.sheet.variable(item.read(text)?);
    let (reason, hint) = match value {
        Some(value) if !value.is_empty() => return Some(Secret::new(value)),
        Some(_) => ("names an environment variable that is empty", "set the variable"),
        None => ("names an environment variable that is not set", "set the variable"),
    };
    section.sheet.problem(&item.key, reason, format!("{hint}, or use {file_name}"));
    None
}

fn from_file(section: &Section<'_>, key: &str, full: &Path) -> Option<Secret> {
    let sheet = section.sheet;
    let fail = |reason: &str, hint: &str| {
        sheet.problem(key, reason, hint);
        None
    };
    let hint = "name a file that holds the secret; a relative path starts at the folder of the configuration";
    let bytes = match read_file(full, SECRET_BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(error) => return fail(&format!("names a file that {}", unread(&error)), hint),
    };
    if bytes.len() as u64 > SECRET_BYTES_MAX {
        return fail(&format!("names a file of more than {SECRET_BYTES_MAX} bytes"), hint);
    }
    let Ok(content) = String::from_utf8(bytes) else {
        return fail("names a file that is not UTF-8 text", hint);
    };
    let content = without_end(&content);
    if content.is_empty() {
        return fail("names a file that is empty", hint);
    }
    if is_world_readable(full) {
        sheet.warning(key, "names a file that every user of this machine can read", "chmod o-r the file");
    }
    Some(Secret::new(content))
}

/// The content without the end of its last line.
fn without_end(content: &str) -> &str {
    let content = content.strip_suffix('\n').unwrap_or(content);
    content.strip_suffix('\r').unwrap_or(content)
}

/// The secret in a file as it is now; `None` where it cannot be read or holds none.
#[must_use]
pub fn secret_of_file(path: &Path) -> Option<Secret> {
    let bytes = read_file(path, SECRET_BYTES_MAX).ok()?;
    let content = String::from_utf8(bytes).ok().filter(|text| text.len() as u64 <= SECRET_BYTES_MAX)?;
    let content = without_end(&content);
    (!content.is_empty()).then(|| Secret::new(content))
}

/// Checks that a file named at `name` can be read, and gives its full path.
pub fn readable(section: &Section<'_>, name: &str) -> Option<PathBuf> {
    let full = section.sheet.resolve(&section.optional(name, path)?);
    if let Err(error) = read_file(&full, 1) {
        let reason = format!("{} {}", full.display(), unread(&error));
        section.sheet.problem(&section.key_of(name), reason, "name a PEM file that this program may read");
        return None;
    }
    Some(full)
}

/// Why a file could not be read, as the predicate of a sentence about it.
pub fn unread(error: &std::io::Error) -> String {
    if error.kind() == ErrorKind::NotFound {
        return "does not exist".to_owned();
    }
    format!("cannot be read: {}", error.kind())
}

/// Reads a regular file, but at most one byte more than `max`.
///
/// # Errors
/// The file cannot be read, or is a folder, a pipe or a device.
pub fn read_file(path: &Path, max: u64) -> std::io::Result<Vec<u8>> {
    // A named pipe without a writer would block for ever when opened.
    let meta = std::fs::metadata(path)?;
    if meta.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    if !meta.is_file() {
        return Err(ErrorKind::InvalidInput.into());
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(max + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether every user of the machine can read a file.
#[cfg(unix)]
#[must_use]
pub fn is_world_readable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o004 != 0)
}

/// Whether every user of the machine can read a file.
#[cfg(not(unix))]
#[must_use]
pub fn is_world_readable(_path: &Path) -> bool {
    false
}
