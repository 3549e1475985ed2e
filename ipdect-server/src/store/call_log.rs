//! The call log: the newest calls of each handset.

use std::time::SystemTime;

use rusqlite::{Connection, params};
use serde::Serialize;

use super::sqlite::Sqlite;
use super::{StoreError, from_ms, to_ms};
use crate::core::vocabulary::CallRecord;

/// How many calls are kept for each handset.
const KEPT: u32 = 1000;

/// A call as it was kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LoggedCall {
    /// IPEI of the handset.
    pub ipei: String,
    /// `handset-to-lync` or `lync-to-handset`.
    pub direction: String,
    /// URI of the other party, whole, so that redial works however long it is.
    pub peer: String,
    /// Its name, if known.
    pub peer_name: String,
    /// When it began.
    pub started: SystemTime,
    /// When it was answered.
    pub answered: Option<SystemTime>,
    /// When it ended.
    pub ended: SystemTime,
    /// `answered`, `missed`, `elsewhere`, `refused`, `cancelled` or `failed`.
    pub outcome: String,
    /// Status or reason in words.
    pub cause: String,
    /// Suite of the voice towards Lync.
    pub srtp: Option<String>,
}

pub(super) fn keep(connection: &Connection, call: &CallRecord) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO call (ipei, direction, peer, peer_name, started_ms, answered_ms, ended_ms, outcome, cause, srtp)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            call.ipei,
            call.direction,
            call.peer,
            call.peer_name,
            to_ms(call.started),
            call.answered.map(to_ms),
            to_ms(call.ended),
            call.outcome,
            call.cause,
            call.srtp,
        ])?;
    connection
        .prepare_cached(
            "DELETE FROM call WHERE ipei = ?1 AND id <=
                 (SELECT id FROM call WHERE ipei = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute(params![call.ipei, KEPT])?;
    Ok(())
}

impl Sqlite {
    pub(super) fn calls(&self, ipei: Option<&str>, limit: u32) -> Result<Vec<LoggedCall>, StoreError> {
        let read = || -> rusqlite::Result<Vec<LoggedCall>> {
            let mut statement = self.connection.prepare_cached(
                "SELECT ipei, direction, peer, peer_name, started_ms, answered_ms, ended_ms, outcome, cause, srtp
                 FROM call WHERE ?1 IS NULL OR ipei = ?1 ORDER BY id DESC LIMIT ?2",
            )?;
            statement
                .query_map(params![ipei, limit], |row| {
                    Ok(LoggedCall {
                        ipei: row.get(0)?,
                        direction: row.get(1)?,
                        peer: row.get(2)?,
                        peer_name: row.get(3)?,
                        started: from_ms(row.get(4)?),
                        answered: row.get::<_, Option<i64>>(5)?.map(from_ms),
                        ended: from_ms(row.get(6)?),
                        outcome: row.get(7)?,
                        cause: row.get(8)?,
                        srtp: row.get(9)?,
                    })
                })?
                .collect()
        };
        read().map_err(|error| self.failed(&error))
    }
}
