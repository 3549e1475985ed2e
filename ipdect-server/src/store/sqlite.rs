//! The embedded engine.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, params};

use super::schema::{SchemaError, migrate, newest};
use super::{StoreError, call_log, from_ms, to_ms};
use crate::core::vocabulary::{Restored, StoreWrite, Subscription};

/// A database file.
#[derive(Debug)]
pub struct Sqlite {
    pub(super) connection: Connection,
    pub(super) file: PathBuf,
}

impl Sqlite {
    /// Opens or makes the file, readable for its owner only, since it holds the keys of handsets.
    pub(super) fn open(file: &Path) -> Result<Self, StoreError> {
        let folder =
            file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        let unwritable = |error: &dyn std::fmt::Display| StoreError {
            file: folder.to_owned(),
            what: format!("the data folder cannot be written ({error})"),
            remedy: "make it writable for the user that runs the server, or name another one in store.url"
                .to_owned(),
        };
        fs::create_dir_all(folder).map_err(|error| unwritable(&error))?;
        create_private(file).map_err(|error| unwritable(&error))?;
        let mut connection = Connection::open(file).map_err(|error| unwritable(&error))?;
        prepare(&connection).map_err(|error| failed(file, &error))?;
        migrate(&mut connection).map_err(|error| match error {
            SchemaError::Newer { found } => StoreError {
                file: file.to_owned(),
                what: format!(
                    "it was written by a newer version (schema {found}, this server knows {})",
                    newest()
                ),
                remedy: "run the newer version, or restore an older copy of the file".to_owned(),
            },
            SchemaError::Sqlite(error) => failed(file, &error),
        })?;
        Ok(Self { connection, file: file.to_owned() })
    }

    pub(super) fn failed(&self, error: &rusqlite::Error) -> StoreError {
        failed(&self.file, error)
    }

    pub(super) fn write(&self, write: &StoreWrite) -> Result<(), StoreError> {
        self.keep(write).map_err(|error| self.failed(&error))
    }

    pub(super) fn write_all(&self, writes: &[StoreWrite]) -> Result<(), StoreError> {
        let all = || {
            self.connection.execute_batch("BEGIN IMMEDIATE")?;
            writes.iter().try_for_each(|write| self.keep(write))?;
            self.connection.execute_batch("COMMIT")
        };
        all().map_err(|error| {
            if !self.connection.is_autocommit() {
                // The transaction is given up whole; what remains of it is nothing.
                let _ = self.connection.execute_batch("ROLLBACK");
            }
            self.failed(&error)
        })
    }

    fn keep(&self, write: &StoreWrite) -> rusqlite::Result<()> {
        let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| {
            self.connection.prepare_cached(sql)?.execute(values).map(|_| ())
        };
        match write {
            StoreWrite::Subscription(Subscription { ipei, ipui, uak, dsaa2 }) => run(
                "INSERT INTO subscription (ipei, ipui, uak, dsaa2) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (ipei) DO UPDATE SET ipui = excluded.ipui, uak = excluded.uak, dsaa2 = excluded.dsaa2",
                params![ipei, ipui, uak, dsaa2],
            ),
            StoreWrite::Unsubscribed { ipei } => {
                run("DELETE FROM subscription WHERE ipei = ?1", params![ipei])?;
                run("DELETE FROM location WHERE ipei = ?1", params![ipei])
            }
            StoreWrite::Location { ipei, tpui } => run(
                "INSERT INTO location (ipei, tpui) VALUES (?1, ?2) ON CONFLICT (ipei) DO UPDATE SET tpui = excluded.tpui",
                params![ipei, tpui],
            ),
            StoreWrite::Call(record) => call_log::keep(&self.connection, record),
            StoreWrite::Detached { ipei } => run("DELETE FROM location WHERE ipei = ?1", params![ipei]),
            StoreWrite::PresenceEnd { ipei, at: Some(at) } => run(
                "INSERT INTO presence_end (ipei, at_ms) VALUES (?1, ?2)
                 ON CONFLICT (ipei) DO UPDATE SET at_ms = excluded.at_ms",
                params![ipei, to_ms(*at)],
            ),
            StoreWrite::PresenceEnd { ipei, at: None } => {
                run("DELETE FROM presence_end WHERE ipei = ?1", params![ipei])
            }
        }
    }

    pub(super) fn restored(&self) -> Result<Restored, StoreError> {
        let read = || {
            let mut restored = Restored::default();
            let mut statement =
                self.connection.prepare("SELECT ipei, ipui, uak, dsaa2 FROM subscription ORDER BY ipei")?;
            for row in statement.query_map([], |row| {
                Ok(Subscription {
                    ipei: row.get(0)?,
                    ipui: row.get(1)?,
                    uak: row.get(2)?,
                    dsaa2: row.get(3)?,
                })
            })? {
                restored.subscriptions.push(row?);
            }
            let mut statement = self.connection.prepare("SELECT ipei, tpui FROM location ORDER BY ipei")?;
            for row in statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))? {
                restored.locations.push(row?);
            }
            let mut statement =
                self.connection.prepare("SELECT ipei, at_ms FROM presence_end ORDER BY ipei")?;
            for row in statement.query_map([], |row| Ok((row.get(0)?, from_ms(row.get(1)?))))? {
                restored.presence_ends.push(row?);
            }
            Ok(restored)
        };
        read().map_err(|error| self.failed(&error))
    }
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)
}

fn failed(file: &Path, error: &rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode::{
        CannotOpen, DatabaseBusy, DatabaseCorrupt, DatabaseLocked, DiskFull, NotADatabase, ReadOnly,
    };
    let remedy = match error.sqlite_error_code() {
        Some(NotADatabase | DatabaseCorrupt) => {
            "restore a copy of the file, or move it away and start with an empty one"
        }
        Some(ReadOnly | CannotOpen) => {
            "make the file and its folder writable for the user that runs the server"
        }
        Some(DiskFull) => "make room on the disk",
        Some(DatabaseBusy | DatabaseLocked) => {
            "another program uses it: stop that one, only one server may run on a store"
        }
        _ => "look at the disk and at the file's owner",
    };
    StoreError {
        file: file.to_owned(),
        what: format!("the store failed ({error})"),
        remedy: remedy.to_owned(),
    }
}

#[cfg(unix)]
fn create_private(file: &Path) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().append(true).create(true).mode(0o600).open(file).map(|_| ())
}

#[cfg(not(unix))]
fn create_private(file: &Path) -> io::Result<()> {
    fs::OpenOptions::new().append(true).create(true).open(file).map(|_| ())
}
