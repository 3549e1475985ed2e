//! Administrators and their sessions.

use std::fmt;
use std::time::SystemTime;

use rusqlite::{OptionalExtension, params};

use super::sqlite::Sqlite;
use super::{StoreError, from_ms, to_ms};

/// SHA-256 of a session's token: the token itself is only in the browser.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenHash(pub [u8; 32]);

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// A session of an administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Its token, hashed.
    pub token: TokenHash,
    /// Whose it is.
    pub administrator: String,
    /// When it ends by itself.
    pub expires: SystemTime,
}

impl Sqlite {
    pub(super) fn put_administrator(&self, name: &str, password_hash: &str) -> Result<(), StoreError> {
        let put = || {
            self.connection.execute("DELETE FROM session WHERE administrator = ?1", params![name])?;
            self.connection.execute(
                "INSERT INTO administrator (name, password_hash) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET password_hash = excluded.password_hash",
                params![name, password_hash],
            )
        };
        put().map(|_| ()).map_err(|error| self.failed(&error))
    }

    pub(super) fn password_hash(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.connection
            .query_row("SELECT password_hash FROM administrator WHERE name = ?1", params![name], |row| {
                row.get(0)
            })
            .optional()
            .map_err(|error| self.failed(&error))
    }

    pub(super) fn has_administrator(&self) -> Result<bool, StoreError> {
        self.connection
            .query_row("SELECT EXISTS (SELECT 1 FROM administrator)", [], |row| row.get(0))
            .map_err(|error| self.failed(&error))
    }

    pub(super) fn put_session(&self, session: &SessionRow, now: SystemTime) -> Result<(), StoreError> {
        let put = || {
            self.connection.execute("DELETE FROM session WHERE expires_ms <= ?1", params![to_ms(now)])?;
            self.connection.execute(
                "INSERT INTO session (token_hash, administrator, expires_ms) VALUES (?1, ?2, ?3)
                 ON CONFLICT (token_hash) DO UPDATE SET expires_ms = excluded.expires_ms",
                params![session.token.0, session.administrator, to_ms(session.expires)],
            )
        };
        put().map(|_| ()).map_err(|error| self.failed(&error))
    }

    pub(super) fn session(
        &self,
        token: &TokenHash,
        now: SystemTime,
    ) -> Result<Option<SessionRow>, StoreError> {
        self.connection
            .query_row(
                "SELECT administrator, expires_ms FROM session WHERE token_hash = ?1 AND expires_ms > ?2",
                params![token.0, to_ms(now)],
                |row| {
                    Ok(SessionRow {
                        token: token.clone(),
                        administrator: row.get(0)?,
                        expires: from_ms(row.get(1)?),
                    })
                },
            )
            .optional()
            .map_err(|error| self.failed(&error))
    }

    pub(super) fn remove_session(&self, token: &TokenHash) -> Result<(), StoreError> {
        self.connection
            .execute("DELETE FROM session WHERE token_hash = ?1", params![token.0])
            .map(|_| ())
            .map_err(|error| self.failed(&error))
    }
}
