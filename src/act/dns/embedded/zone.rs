//! The zone as it is served: the file behind one lock, and a table of answers that readers take without waiting.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use super::file::File;
use super::store::{StoreError, ZoneStore};
use super::table::{Held, Table};
use crate::act::dns::{DnsError, RecordChange, wire};
use crate::config::{EmbeddedDns as Settings, Record};
use crate::types::{Moment, RecordName, RecordState, RecordType};

/// The zone's file, in the data directory.
const FILE_NAME: &str = "zone.db";
/// No version of the file: the table is loaded at the next opportunity.
const UNREAD: i64 = -1;

/// The configured records.
type Records = Vec<(RecordName, RecordType)>;

/// The embedded zone with its configured records.
pub struct EmbeddedZone {
    settings: Settings,
    opened: Mutex<Opened>,
    table: ArcSwap<Table>,
}

struct Opened {
    file: File,
    records: Records,
    version: i64,
}

impl EmbeddedZone {
    /// Opens `zone.db` in `data_dir` for the given records, and loads the table of answers. Blocks on the disk.
    ///
    /// # Errors
    /// [`DnsError::Misconfigured`] when a record cannot be held in this zone; otherwise the file's trouble.
    pub fn open<'a>(
        settings: &Settings,
        data_dir: &Path,
        records: impl IntoIterator<Item = &'a Record>,
    ) -> Result<Arc<Self>, DnsError> {
        let store = ZoneStore::open(&data_dir.join(FILE_NAME));
        Self::of(settings, records, store)
    }

    /// As [`EmbeddedZone::open`], to read only: it creates nothing, and no file is a zone that holds nothing.
    ///
    /// # Errors
    /// As [`EmbeddedZone::open`].
    pub fn open_read_only<'a>(
        settings: &Settings,
        data_dir: &Path,
        records: impl IntoIterator<Item = &'a Record>,
    ) -> Result<Arc<Self>, DnsError> {
        let store = ZoneStore::open_read_only(&data_dir.join(FILE_NAME));
        Self::of(settings, records, store)
    }

    /// As [`EmbeddedZone::open`], for the agent, which answers as well as it can: a damaged file is moved aside, a file
    /// that cannot be written is read, and where it cannot be read either, all names are answered with SERVFAIL. Opening
    /// is tried again meanwhile.
    ///
    /// # Errors
    /// [`DnsError::Misconfigured`], as [`EmbeddedZone::open`].
    pub fn open_for_agent<'a>(
        settings: &Settings,
        data_dir: &Path,
        records: impl IntoIterator<Item = &'a Record>,
        now: Moment,
    ) -> Result<Arc<Self>, DnsError> {
        let file = File::open_for_agent(data_dir.join(FILE_NAME), now)?;
        Self::with_file(settings, checked(settings, records)?, file)
    }

    fn of<'a>(
        settings: &Settings,
        records: impl IntoIterator<Item = &'a Record>,
        store: Result<ZoneStore, StoreError>,
    ) -> Result<Arc<Self>, DnsError> {
        let records = checked(settings, records)?;
        Self::with_file(settings, records, File::of(store?))
    }

    fn with_file(settings: &Settings, records: Records, file: File) -> Result<Arc<Self>, DnsError> {
        let version = file.version()?;
        let table = load(settings, &records, &file)?;
        Ok(Arc::new(Self {
            settings: settings.clone(),
            opened: Mutex::new(Opened { file, records, version }),
            table: ArcSwap::from_pointee(table),
        }))
    }

    /// Reloads the table of answers if another process has changed the file.
    ///
    /// # Errors
    /// The file cannot be read; the table stays as it was.
    pub async fn refresh(self: &Arc<Self>) -> Result<(), DnsError> {
        self.blocking(|zone, opened| zone.reload(opened)).await
    }

    /// Tries, changing nothing, whether the zone could hold these records instead of the present ones.
    ///
    /// # Errors
    /// [`DnsError::Misconfigured`] when one cannot be held in this zone, or is held as another type; otherwise the
    /// file's trouble.
    pub async fn check<'a>(
        self: &Arc<Self>,
        records: impl IntoIterator<Item = &'a Record>,
    ) -> Result<(), DnsError> {
        let records = checked(&self.settings, records)?;
        self.blocking(move |_, opened| {
            let new = records.iter().filter(|record| !opened.records.contains(record));
            new.map(|(name, kind)| opened.file.store()?.read(name, *kind)).try_for_each(|read| read.map(drop))
        })
        .await
    }

    /// Holds these records from here on, and no others.
    ///
    /// # Errors
    /// [`DnsError::Misconfigured`] when one cannot be held, and nothing changes; otherwise the file's trouble, and the
    /// names are answered as soon as it can be read.
    pub async fn hold<'a>(
        self: &Arc<Self>,
        records: impl IntoIterator<Item = &'a Record>,
    ) -> Result<(), DnsError> {
        let records = checked(&self.settings, records)?;
        self.blocking(move |zone, opened| {
            opened.records = records;
            opened.version = UNREAD;
            zone.publish(opened)
        })
        .await
    }

    async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self, &mut Opened) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, DnsError> {
        let zone = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || zone.with(work));
        done.await.map_err(|error| DnsError::Unavailable { detail: wire::chain(&error) })?.map_err(Into::into)
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(super) fn table(&self) -> Arc<Table> {
        self.table.load_full()
    }

    /// Reads from the file, and brings the table up to date on the way.
    pub(super) fn read(&self, name: &RecordName, kind: RecordType) -> Result<RecordState, StoreError> {
        self.with(|zone, opened| {
            zone.reload(opened)?;
            opened.file.store()?.read(name, kind)
        })
    }

    /// Changes the file and then the table, and returns the new serial number.
    pub(super) fn change(
        &self,
        name: &RecordName,
        kind: RecordType,
        change: &RecordChange,
    ) -> Result<u64, StoreError> {
        self.with(|zone, opened| {
            let serial = opened.file.store_mut()?.change(name, kind, change)?;
            // The change is durable. A table that cannot be loaded now is loaded by the next refresh.
            if let Err(error) = zone.publish(opened) {
                opened.version = UNREAD;
                tracing::warn!(%name, %error, "the zone's answers could not be reloaded after a change");
            }
            Ok(serial)
        })
    }

    // The table is published under the lock of the file, so an older table never replaces a newer one.
    fn with<T>(&self, work: impl FnOnce(&Self, &mut Opened) -> T) -> T {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        work(self, &mut opened)
    }

    fn reload(&self, opened: &mut Opened) -> Result<(), StoreError> {
        let is_new = opened.file.try_again();
        if !is_new && opened.file.version()? == opened.version { Ok(()) } else { self.publish(opened) }
    }

    fn publish(&self, opened: &mut Opened) -> Result<(), StoreError> {
        // The version is taken first: a change in between is then seen by the next reload.
        let version = opened.file.version()?;
        self.table.store(Arc::new(load(&self.settings, &opened.records, &opened.file)?));
        opened.version = version;
        Ok(())
    }
}

fn load(settings: &Settings, records: &[(RecordName, RecordType)], file: &File) -> Result<Table, StoreError> {
    let store = file.store().ok();
    let serial = store.map_or(Ok(0), ZoneStore::serial)?;
    let held = records.iter().map(|(name, kind)| {
        let Some(store) = store else { return Ok(Held { name, kind: *kind, state: None }) };
        let state = match store.read(name, *kind) {
            Ok(state) => Some(state),
            // One bad row must not take the other names down: its own name answers SERVFAIL.
            Err(error @ (StoreError::Row { .. } | StoreError::Kind { .. })) => {
                tracing::error!(%name, %error, "a name is not served");
                None
            }
            Err(error) => return Err(error),
        };
        Ok(Held { name, kind: *kind, state })
    });
    Ok(Table::new(settings, serial, held.collect::<Result<Vec<_>, _>>()?))
}

fn checked<'a>(
    settings: &Settings,
    records: impl IntoIterator<Item = &'a Record>,
) -> Result<Records, DnsError> {
    let mut known = Records::new();
    for record in records {
        check(settings, record, &known)?;
        known.push((record.name.clone(), record.kind));
    }
    Ok(known)
}

/// Whether a zone can hold a record beside the known ones.
pub(super) fn check(
    settings: &Settings,
    record: &Record,
    known: &[(RecordName, RecordType)],
) -> Result<(), DnsError> {
    let name = &record.name;
    let zone = &settings.zone;
    let refuse = |detail: String| Err(DnsError::Misconfigured { detail });
    let fence = match name.fence() {
        Ok(fence) => fence,
        Err(error) => return refuse(format!("the name of the fence of {name} {error}")),
    };
    if !name.is_within(zone) {
        return refuse(format!("{name} does not lie in the embedded zone {zone}"));
    }
    if name == zone && record.kind == RecordType::Cname {
        return refuse(format!("{name} is the embedded zone itself, which cannot be a CNAME"));
    }
    if known.iter().any(|(n, _)| n == name || *n == fence || n.fence().as_ref() == Ok(name)) {
        return refuse(format!("{name} or its fence belongs to two services"));
    }
    if settings.name_servers.iter().any(|server| server.name == *name || server.name == fence) {
        return refuse(format!("{name} is also a name server of the zone"));
    }
    Ok(())
}
