//! The state file: the records survive a restart, the history does not.

use std::fs;
use std::io;
use std::path::PathBuf;

use crate::records::{RecordSpec, RecordType};
use crate::zone::Zone;

/// Where the records are kept between runs.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
}

/// The content of the file.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saved {
    /// The number of the last change.
    pub sequence: u64,
    /// The sets, without those of the apex that belong to the zone itself.
    pub records: Vec<RecordSpec>,
}

/// What can go wrong with the file.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It exists and cannot be read.
    #[error("cannot read {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// It cannot be written.
    #[error("cannot write {}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Its content is not a saved state.
    #[error("{} is not a saved state", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: serde_json::Error,
    },
}

impl StateFile {
    /// A state file, which need not exist.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Reads the file; `None` if there is none yet.
    pub fn load(&self) -> Result<Option<Saved>, StateError> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StateError::Read { path: self.path.clone(), source }),
        };
        let content = |source| StateError::Content { path: self.path.clone(), source };
        serde_json::from_slice(&text).map(Some).map_err(content)
    }

    /// Replaces the file as a whole.
    pub fn save(&self, zone: &Zone) -> Result<(), StateError> {
        let own = |kind| matches!(kind, RecordType::Ns | RecordType::Soa);
        let records = zone.records().iter().filter(|set| !own(set.key.kind)).map(RecordSpec::from).collect();
        let saved = Saved { sequence: zone.sequence(), records };
        let content = |source| StateError::Content { path: self.path.clone(), source };
        let text = serde_json::to_vec_pretty(&saved).map_err(content)?;
        let mut temporary = self.path.clone().into_os_string();
        temporary.push(".new");
        let write = |source| StateError::Write { path: self.path.clone(), source };
        fs::write(&temporary, text).map_err(write)?;
        fs::rename(&temporary, &self.path).map_err(write)
    }
}
