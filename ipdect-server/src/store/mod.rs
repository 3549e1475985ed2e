//! What must survive a restart: subscriptions, locations, the call log, presence, administrators and their sessions.
//!
//! The database is driven from a thread of its own; nobody waits for it but those who ask for an answer.

mod call_log;
mod login;
mod schema;
mod sqlite;
mod thread;

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::config::StoreUrl;
use crate::core::vocabulary::{Restored, StoreWrite};

pub use call_log::LoggedCall;
pub use login::{SessionRow, TokenHash};
pub use sqlite::Sqlite;
pub use thread::{StoreHandle, StoreStopped};

/// A store that cannot be opened or used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError {
    /// The file.
    pub file: PathBuf,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.file.display(), self.what, self.remedy)
    }
}

impl std::error::Error for StoreError {}

/// The store, whichever engine is behind it.
#[derive(Debug)]
pub enum Store {
    /// A file of the embedded database.
    Sqlite(Sqlite),
}

impl Store {
    /// Opens it, makes it if it does not exist, and brings its tables up to date.
    pub fn open(url: &StoreUrl) -> Result<Self, StoreError> {
        match url {
            StoreUrl::Sqlite(file) => Sqlite::open(file).map(Self::Sqlite),
        }
    }

    /// Keeps something.
    pub fn write(&mut self, write: &StoreWrite) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(write),
        }
    }

    /// Keeps many things at once.
    pub fn write_all(&mut self, writes: &[StoreWrite]) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write_all(writes),
        }
    }

    /// What the core needs at the start.
    pub fn restored(&self) -> Result<Restored, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.restored(),
        }
    }

    /// The newest calls first: of one handset, or of all.
    pub fn calls(&self, ipei: Option<&str>, limit: u32) -> Result<Vec<LoggedCall>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.calls(ipei, limit),
        }
    }

    /// Adds an administrator or changes his password; his sessions end.
    pub fn put_administrator(&mut self, name: &str, password_hash: &str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.put_administrator(name, password_hash),
        }
    }

    /// The password hash of an administrator.
    pub fn password_hash(&self, name: &str) -> Result<Option<String>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.password_hash(name),
        }
    }

    /// Whether there is any administrator.
    pub fn has_administrator(&self) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.has_administrator(),
        }
    }

    /// Keeps a session; sessions that have expired are removed.
    pub fn put_session(&mut self, session: &SessionRow, now: SystemTime) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.put_session(session, now),
        }
    }

    /// The session with this token, if it has not expired.
    pub fn session(&self, token: &TokenHash, now: SystemTime) -> Result<Option<SessionRow>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.session(token, now),
        }
    }

    /// Ends a session.
    pub fn remove_session(&mut self, token: &TokenHash) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.remove_session(token),
        }
    }
}

/// Milliseconds since 1970, as times are kept.
fn to_ms(at: SystemTime) -> i64 {
    match at.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
    }
}

fn from_ms(ms: i64) -> SystemTime {
    let distance = Duration::from_millis(ms.unsigned_abs());
    let at = if ms < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) };
    at.unwrap_or(UNIX_EPOCH)
}
