//! The configuration that was read last, as text, in the journal's file: so a start can say what has changed since the
//! last one.

use rusqlite::OptionalExtension as _;

use super::{JournalError, SqliteJournal};

impl SqliteJournal {
    /// The outline that was kept last.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn outline(&self) -> Result<Option<String>, JournalError> {
        let read = |source| JournalError::Read { source };
        let sql = "SELECT body FROM outline";
        self.with(move |connection| connection.query_row(sql, [], |row| row.get(0)).optional().map_err(read))
            .await
    }

    /// Keeps an outline instead.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn keep_outline(&self, body: String) -> Result<(), JournalError> {
        let sql = "INSERT INTO outline (id, body) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET body = excluded.body";
        let work = move |connection: &mut rusqlite::Connection| {
            connection.execute(sql, [body]).map_err(|source| JournalError::Write { source })?;
            Ok(())
        };
        self.with(work).await
    }
}
