//! The model files of an agent.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::history::replace;
use super::learning::Place;
use crate::analyse::{ARTIFACT_BYTES_MAX, Artifact, ArtifactError};
use crate::types::ServiceName;

/// The ending of a model's file.
const ENDING: &str = "model";
/// Where a person's orders to retrain wait for the agent: a file for each service, or for [`ALL`].
const ORDERS: &str = "orders";
/// The ending of an order's file.
const ORDER_ENDING: &str = ".retrain";
/// No service has this name.
const ALL: &str = "*";

/// Why a model cannot be used or kept.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// It cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be written.
    #[error("{} cannot be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is refused.
    #[error("{} is refused", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ArtifactError,
    },
}

/// A file that was found.
#[derive(Debug)]
pub struct Listed {
    /// The file.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// What is in it, or why it is refused.
    pub artifact: Result<Artifact, ModelError>,
}

/// The folder of models and histories.
#[derive(Debug, Clone)]
pub struct Models {
    folder: PathBuf,
}

impl Models {
    /// The models in an agent's data folder.
    #[must_use]
    pub fn new(data_dir: &Path) -> Self {
        Self { folder: data_dir.join("models") }
    }

    /// Where the history of a target is.
    #[must_use]
    pub fn history(&self, place: &Place) -> PathBuf {
        self.folder.join(format!("{}.rows", file_name(place)))
    }

    /// Where what Prometheus knew of a target is.
    #[must_use]
    pub fn past(&self, place: &Place) -> PathBuf {
        self.folder.join(format!("{}.past", file_name(place)))
    }

    /// Where the model of a target is.
    #[must_use]
    pub fn path(&self, place: &Place) -> PathBuf {
        self.folder.join(format!("{}.{ENDING}", file_name(place)))
    }

    /// When the model file of a target was last written; nothing where there is none.
    pub(super) fn written(&self, place: &Place) -> Option<SystemTime> {
        std::fs::metadata(self.path(place)).and_then(|file| file.modified()).ok()
    }

    /// Keeps a model; the one before is replaced at once.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self, artifact: &Artifact, place: &Place) -> Result<(), ModelError> {
        let path = self.path(place);
        let bytes = artifact.encode().map_err(|source| ModelError::Refused { path: path.clone(), source })?;
        replace(&path, &bytes).map_err(|source| ModelError::Write { path, source })
    }

    /// Leaves an order for the agent: to make the models of a service, or of all, anew. It stands until it is obeyed, and
    /// to repeat it adds nothing.
    ///
    /// # Errors
    /// No agent has kept anything here, or the order cannot be written.
    pub fn order(&self, service: Option<&ServiceName>) -> Result<(), ModelError> {
        let path = self.order_path(service);
        let written = match std::fs::create_dir(self.folder.join(ORDERS)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => File::create(&path).map(drop),
        };
        written.map_err(|source| ModelError::Write { path, source })
    }

    /// The orders that stand.
    pub(super) fn orders(&self) -> BTreeSet<Option<ServiceName>> {
        // There is no folder before the first order.
        let files = std::fs::read_dir(self.folder.join(ORDERS)).into_iter().flatten();
        let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
        let order = |name: String| {
            let name = name.strip_suffix(ORDER_ENDING)?;
            if name == ALL { Some(None) } else { ServiceName::new(name).ok().map(Some) }
        };
        names.filter_map(order).collect()
    }

    /// Strikes out an order that was obeyed.
    pub(super) fn obeyed(&self, service: Option<&ServiceName>) -> Result<(), ModelError> {
        let path = self.order_path(service);
        std::fs::remove_file(&path).map_err(|source| ModelError::Write { path, source })
    }

    fn order_path(&self, service: Option<&ServiceName>) -> PathBuf {
        let name = service.map_or(ALL, |service| service.as_str());
        self.folder.join(ORDERS).join(format!("{name}{ORDER_ENDING}"))
    }

    /// Every model file, by name.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn list(&self) -> Result<Vec<Listed>, ModelError> {
        let fails = |source| ModelError::Read { path: self.folder.clone(), source };
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(fails(source)),
        };
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry.map_err(fails)?.path();
            if path.extension().is_some_and(|ending| ending == ENDING) {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths.into_iter().map(listed).collect())
    }
}

fn listed(path: PathBuf) -> Listed {
    let bytes = std::fs::metadata(&path).map(|file| file.len()).unwrap_or(0);
    Listed { artifact: load(&path), bytes, path }
}

/// Reads one model file.
pub(super) fn load(path: &Path) -> Result<Artifact, ModelError> {
    let mut bytes = Vec::new();
    let most = ARTIFACT_BYTES_MAX as u64 + 1024;
    let read = File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes));
    read.map_err(|source| ModelError::Read { path: path.to_owned(), source })?;
    Artifact::decode(&bytes).map_err(|source| ModelError::Refused { path: path.to_owned(), source })
}

/// A name that no other target has: what a file's name may hold, and a number made of all of it.
fn file_name((service, site, target): &Place) -> String {
    let plain = |text: &str| -> String {
        text.chars()
            .take(60)
            .map(|c| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' })
            .collect()
    };
    let whole = format!("{service}\n{site}\n{target}");
    let hash = whole.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let [service, site, target] = [service.as_str(), site.as_str(), target.as_str()].map(plain);
    format!("{service}.{site}.{target}.{hash:016x}")
}
