//! The rows of one target, in a file that only grows until it is cut.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::analyse::Table;

const MAGIC: &str = "redrover-history 1";
/// The longest heading: names of measures.
const HEADING_BYTES_MAX: usize = 64 * 1024;
/// A file grows by this share beyond what is kept before it is cut.
const SURPLUS: usize = 4;
/// The largest file that is read: weeks of rows once a second.
const BYTES_MAX: u64 = 512 << 20;

/// Why a history cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
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
}

/// A row: its time in Unix seconds, its values, and whether it may be learned from.
pub(super) type Row = (i64, Vec<f32>, bool);

/// The history of one target.
///
/// A file of other measures, another period or another version is begun anew. A row that is not as it was written, such
/// as one that was cut by a crash, is left out.
#[derive(Debug, Clone)]
pub struct History {
    path: PathBuf,
    heading: String,
    columns: usize,
    rows_max: usize,
}

impl History {
    /// The history in a file, of at most `rows_max` rows.
    pub fn new<'a>(
        path: &Path,
        names: impl Iterator<Item = &'a str>,
        period_seconds: u32,
        rows_max: usize,
    ) -> Self {
        let names: Vec<&str> = names.collect();
        let heading = format!("{MAGIC} {period_seconds} {}\n", names.join(","));
        Self { path: path.to_owned(), heading, columns: names.len(), rows_max: rows_max.max(1) }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn push(&self, time: i64, row: &[f64], is_usual: bool) -> Result<(), HistoryError> {
        let row = row.iter().map(|value| *value as f32).collect();
        self.append(&[(time, row, is_usual)])
    }

    /// Rows of a time, Unix seconds, both ends counted, may not be learned from after all. Each is changed where it is, and
    /// nobody waits for the disk: this comes when a switch may be under way.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn take_back(&self, from: i64, until: i64) -> Result<(), HistoryError> {
        if !self.is_ours() {
            return Ok(());
        }
        let change = || -> io::Result<()> {
            let file = OpenOptions::new().read(true).write(true).open(&self.path)?;
            let (heading, size) = (self.heading.len() as u64, self.record_bytes() as u64);
            let rows = (file.metadata()?.len() - heading) / size;
            let mut record = vec![0; self.record_bytes()];
            for place in (0..rows).rev().map(|row| heading + row * size) {
                file.read_exact_at(&mut record, place)?;
                let Some((time, row, is_usual)) = parse(&record) else { continue };
                if time < from {
                    break;
                }
                if is_usual && time <= until {
                    file.write_all_at(&self.records(&[(time, row, false)]), place)?;
                }
            }
            Ok(())
        };
        change().map_err(|source| HistoryError::Write { path: self.path.clone(), source })
    }

    /// The time of the youngest row, Unix seconds.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn youngest(&self) -> Result<Option<i64>, HistoryError> {
        Ok(self.read()?.last().map(|(time, ..)| *time))
    }

    /// Adds rows that are younger than all others, each with its time in Unix seconds; all may be learned from.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn extend(&self, rows: &[(i64, Vec<f64>)]) -> Result<(), HistoryError> {
        let row =
            |(time, row): &(i64, Vec<f64>)| (*time, row.iter().map(|value| *value as f32).collect(), true);
        self.append(&rows.iter().map(row).collect::<Vec<Row>>())
    }

    /// Adds rows that are younger than all others.
    fn append(&self, rows: &[Row]) -> Result<(), HistoryError> {
        let size = std::fs::metadata(&self.path).map(|file| file.len()).unwrap_or(0);
        let kept = (self.heading.len() + self.rows_max * self.record_bytes()) as u64;
        if size == 0 || !self.is_ours() {
            return self.write(rows);
        }
        if size > kept + kept / SURPLUS as u64 {
            let mut all = self.read()?;
            all.extend_from_slice(rows);
            let surplus = all.len().saturating_sub(self.rows_max);
            return self.write(&all[surplus..]);
        }
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new().append(true).open(&self.path)?;
            // A record that was cut would shift all that follow.
            let torn = (size - self.heading.len() as u64) % self.record_bytes() as u64;
            if torn > 0 {
                file.set_len(size - torn)?;
            }
            file.write_all(&self.records(rows))
        };
        write().map_err(|source| HistoryError::Write { path: self.path.clone(), source })
    }

    /// All rows, the oldest first; none where there is no file.
    pub(super) fn read(&self) -> Result<Vec<Row>, HistoryError> {
        let fails = |source| HistoryError::Read { path: self.path.clone(), source };
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(fails(source)),
        };
        let mut bytes = Vec::new();
        file.take(BYTES_MAX).read_to_end(&mut bytes).map_err(fails)?;
        let Some(records) = bytes.strip_prefix(self.heading.as_bytes()) else { return Ok(Vec::new()) };
        let mut rows: Vec<Row> = Vec::new();
        for record in records.chunks_exact(self.record_bytes()) {
            if let Some(row) = parse(record)
                && rows.last().is_none_or(|(before, ..)| *before < row.0)
            {
                rows.push(row);
            }
        }
        Ok(rows)
    }

    /// The rows as a table.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn table<'a>(&self, names: impl Iterator<Item = &'a str>) -> Result<Table, HistoryError> {
        let mut table = Table::new(names);
        let rows = self.read()?;
        for (time, row, is_usual) in rows.iter().skip(rows.len().saturating_sub(self.rows_max)) {
            let row: Vec<f64> = row.iter().map(|value| f64::from(*value)).collect();
            table.push(*time, &row, *is_usual);
        }
        Ok(table)
    }

    /// Replaces the file by these rows.
    fn write(&self, rows: &[Row]) -> Result<(), HistoryError> {
        let mut bytes = self.heading.clone().into_bytes();
        bytes.extend(self.records(rows));
        replace(&self.path, &bytes).map_err(|source| HistoryError::Write { path: self.path.clone(), source })
    }

    /// Whether the file is of these measures and this period.
    fn is_ours(&self) -> bool {
        let mut heading = vec![0; self.heading.len().min(HEADING_BYTES_MAX)];
        let read = File::open(&self.path).and_then(|mut file| file.read_exact(&mut heading));
        read.is_ok() && heading == self.heading.as_bytes()
    }

    fn record_bytes(&self) -> usize {
        8 + 1 + 4 * self.columns + 4
    }

    fn records(&self, rows: &[Row]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(rows.len() * self.record_bytes());
        for (time, row, is_usual) in rows {
            let first = bytes.len();
            bytes.extend_from_slice(&time.to_le_bytes());
            bytes.push(u8::from(*is_usual));
            (0..self.columns).for_each(|place| {
                bytes.extend_from_slice(&row.get(place).copied().unwrap_or(f32::NAN).to_le_bytes());
            });
            let sum = checksum(&bytes[first..]);
            bytes.extend_from_slice(&sum.to_le_bytes());
        }
        bytes
    }
}

fn parse(record: &[u8]) -> Option<Row> {
    let (content, sum) = record.split_last_chunk::<4>()?;
    let (time, rest) = content.split_first_chunk::<8>()?;
    let (usual, cells) = rest.split_first()?;
    let cells = cells.as_chunks::<4>().0.iter().map(|cell| f32::from_le_bytes(*cell)).collect();
    (checksum(content) == u32::from_le_bytes(*sum)).then(|| (i64::from_le_bytes(*time), cells, *usual == 1))
}

/// FNV-1a.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// Replaces a file at once: whoever reads it finds all of the old or all of the new.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let fresh = path.with_extension("new");
    let mut file = File::create(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    const NAMES: [&str; 2] = ["a", "b"];

    fn history(folder: &Path, rows_max: usize) -> History {
        History::new(&folder.join("x.rows"), NAMES.into_iter(), 60, rows_max)
    }

    fn times(history: &History) -> Vec<i64> {
        history.read().unwrap().into_iter().map(|(time, ..)| time).collect()
    }

    #[test]
    fn rows_come_back_and_the_oldest_make_room() {
        let folder = tempfile::tempdir().unwrap();
        let history = history(folder.path(), 100);
        assert_eq!(times(&history), [0_i64; 0]);
        for minute in 0..1000 {
            history.push(minute * 60, &[minute as f64, f64::NAN], minute % 2 == 0).unwrap();
        }
        let rows = history.read().unwrap();
        assert!((100..=130).contains(&rows.len()), "{}", rows.len());
        let (time, row, is_usual) = rows.last().unwrap();
        assert_eq!((*time, row[0], row[1].is_nan(), *is_usual), (59_940, 999.0, true, false));
        assert_eq!(history.table(NAMES.into_iter()).unwrap().rows(), 100);
    }

    #[test]
    fn a_torn_row_is_left_out_and_does_not_shift_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let history = history(folder.path(), 100);
        (0..3).for_each(|minute| history.push(minute, &[1.0, 2.0], true).unwrap());
        let bytes = std::fs::read(&history.path).unwrap();
        std::fs::write(&history.path, &bytes[..bytes.len() - 5]).unwrap();
        assert_eq!(times(&history), [0, 1]);
        history.push(9, &[1.0, 2.0], true).unwrap();
        assert_eq!(times(&history), [0, 1, 9]);
        // A flipped bit loses its row alone.
        let mut bytes = std::fs::read(&history.path).unwrap();
        let place = history.heading.len() + history.record_bytes() + 10;
        bytes[place] ^= 1;
        std::fs::write(&history.path, bytes).unwrap();
        assert_eq!(times(&history), [0, 9]);
    }

    #[test]
    fn rows_are_taken_back_where_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let history = history(folder.path(), 100);
        history.take_back(0, 9).expect("nothing is there");
        (0..10).for_each(|time| history.push(time, &[time as f64, 2.0], time != 4).unwrap());
        let before = std::fs::metadata(&history.path).unwrap();
        history.take_back(3, 6).unwrap();
        let rows = history.read().unwrap();
        let usual: Vec<i64> = rows.iter().filter(|row| row.2).map(|row| row.0).collect();
        assert_eq!(usual, [0, 1, 2, 7, 8, 9]);
        assert!(rows.iter().all(|(time, row, _)| *row == [*time as f32, 2.0]), "{rows:?}");
        assert_eq!(std::fs::metadata(&history.path).unwrap().ino(), before.ino(), "no file is written anew");
    }

    #[test]
    fn a_file_of_other_measures_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        history(folder.path(), 10).push(1, &[1.0, 2.0], true).unwrap();
        let other = History::new(&folder.path().join("x.rows"), ["a", "c"].into_iter(), 60, 10);
        assert_eq!(times(&other), [0_i64; 0]);
        other.push(2, &[1.0, 2.0], true).unwrap();
        assert_eq!(times(&other), [2]);
    }
}
