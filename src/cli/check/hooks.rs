//! Programs of the operator's own: whether they are there and may be run. None is run, and no address is called.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::report::{Fault, Report};
use crate::config::{Hook, HookWay, Promote, Service};

/// The bits of a file's mode that let somebody run it.
const EXECUTE: u32 = 0o111;

/// Looks for the programs of one service.
pub(super) fn programs(service: &Service, report: &mut Report) {
    let promotion = match &service.promote {
        Some(Promote::Hook { hook, .. }) => Some(hook),
        Some(Promote::Replicaof { .. } | Promote::Enterprise { .. }) | None => None,
    };
    let points = [("before", service.hooks.before.iter()), ("after", service.hooks.after.iter())];
    let hooks = points.into_iter().flat_map(|(point, hooks)| hooks.map(move |hook| (point, hook)));
    for (point, hook) in hooks.chain(promotion.map(|hook| ("promote", hook))) {
        let Hook { way: HookWay::Exec { program, .. }, .. } = hook else { continue };
        let what = format!("hook {point} {}", program.display());
        match look(program) {
            Ok(()) => report.good(&what, "is there and executable; it was not run"),
            Err(fault) => report.bad(&what, &fault),
        }
    }
}

fn look(program: &Path) -> Result<(), Fault> {
    let found = fs::metadata(program).map_err(|error| Fault::Missing(format!("cannot be run: {error}")))?;
    if !found.is_file() {
        return Err(Fault::Missing("is no file".to_owned()));
    }
    if found.permissions().mode() & EXECUTE == 0 {
        return Err(Fault::Missing("is not executable; chmod +x".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_must_be_there_and_executable() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, mode| {
            let path = folder.path().join(name);
            fs::write(&path, "#!/bin/sh\n").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            path
        };
        let rows = [
            (file("good", 0o755), None),
            (file("mine", 0o700), None),
            (file("plain", 0o644), Some("is not executable; chmod +x")),
            (folder.path().to_owned(), Some("is no file")),
            (folder.path().join("nowhere"), Some("cannot be run: No such file")),
        ];
        for (program, wanted) in rows {
            let found = look(&program).err().map(|fault| match fault {
                Fault::Missing(text) | Fault::Failed(text) => text,
            });
            let is_as_wanted = match (&found, wanted) {
                (Some(found), Some(wanted)) => found.starts_with(wanted),
                (found, wanted) => found.is_none() && wanted.is_none(),
            };
            assert!(is_as_wanted, "{}: {found:?}", program.display());
        }
    }
}
