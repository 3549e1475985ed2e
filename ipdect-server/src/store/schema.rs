//! The tables, and how older ones are brought up to date.

use rusqlite::Connection;

/// One script a version; never changed once released.
const MIGRATIONS: &[&str] = &[include_str!("migrations/0001_first.sql")];

/// Why the tables cannot be brought up to date.
#[derive(Debug)]
pub(super) enum SchemaError {
    /// They were written by a later version.
    Newer {
        /// Their version.
        found: u32,
    },
    /// The database failed.
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for SchemaError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// The version that this program writes.
pub(super) fn newest() -> u32 {
    MIGRATIONS.len() as u32
}

/// Runs the scripts that have not run yet, each in one transaction with its number.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), SchemaError> {
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > newest() {
        return Err(SchemaError::Newer { found });
    }
    for (version, script) in (1_u32..).zip(MIGRATIONS).skip(found as usize) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(script)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}
