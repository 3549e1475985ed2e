//! The users, found by address, by line and by account.

use std::collections::BTreeMap;

use super::{FrontEnd, FrontEndUser, address};

/// Where each user stands in the configuration.
#[derive(Clone, Debug, Default)]
pub(super) struct Directory {
    keys: BTreeMap<String, usize>,
    lines: BTreeMap<String, usize>,
    accounts: BTreeMap<(String, String), usize>,
}

impl Directory {
    pub(super) fn new(users: &[FrontEndUser]) -> Self {
        let mut directory = Self::default();
        for (at, user) in users.iter().enumerate() {
            directory.keys.entry(address::user_key(&user.uri)).or_insert(at);
            if let Some(line) = user.tel.as_deref().map(address::digits) {
                directory.lines.entry(line.trim_start_matches('+').to_owned()).or_insert(at);
            }
            let account = (user.domain.to_lowercase(), user.account.to_lowercase());
            directory.accounts.entry(account).or_insert(at);
        }
        directory.lines.remove("");
        directory
    }

    /// Whether `user@domain` is a user.
    pub(super) fn contains(&self, key: &str) -> bool {
        self.keys.contains_key(key)
    }

    /// The user with these digits, without plus.
    pub(super) fn of_line(&self, digits: &str) -> Option<usize> {
        self.lines.get(digits).copied()
    }
}

impl FrontEnd {
    /// The user `user@domain`.
    pub(super) fn user(&self, key: &str) -> Option<&FrontEndUser> {
        self.config.users.get(*self.directory.keys.get(key)?)
    }

    /// The user with a Windows account.
    pub(super) fn user_of_account(&self, domain: &str, account: &str) -> Option<&FrontEndUser> {
        let account = (domain.to_lowercase(), account.to_lowercase());
        self.config.users.get(*self.directory.accounts.get(&account)?)
    }

    pub(super) fn directory_key(&self, at: usize) -> String {
        self.config.users.get(at).map(|user| address::user_key(&user.uri)).unwrap_or_default()
    }
}
