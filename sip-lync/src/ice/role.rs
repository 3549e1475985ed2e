//! Which agent nominates, and how two that both think they do find out.

/// The role of an agent.
///
/// RFC 8445 6.1.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// It chooses the pairs: the offerer, unless the peer is lite.
    Controlling,
    /// It is told.
    Controlled,
}

impl Role {
    /// The other one.
    ///
    /// RFC 8445 6.1.1
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Controlling => Self::Controlled,
            Self::Controlled => Self::Controlling,
        }
    }
}

/// What follows from the role a check claims.
///
/// RFC 8445 7.3.1.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Conflict {
    /// The roles differ, as they should.
    None,
    /// Both claim the same role and the other agent has to change: 487 Role Conflict.
    Refuse,
    /// Both claim the same role and this agent changes.
    Switch,
}

/// What an agent does with a check of a peer that claims `theirs` with the tie-breaker `their_tie`.
///
/// RFC 8445 7.3.1.1
pub const fn resolve(ours: Role, our_tie: u64, theirs: Role, their_tie: u64) -> Conflict {
    match (ours, theirs) {
        (Role::Controlling, Role::Controlled) | (Role::Controlled, Role::Controlling) => Conflict::None,
        (Role::Controlling, Role::Controlling) => {
            if our_tie >= their_tie {
                Conflict::Refuse
            } else {
                Conflict::Switch
            }
        }
        (Role::Controlled, Role::Controlled) => {
            if our_tie >= their_tie {
                Conflict::Switch
            } else {
                Conflict::Refuse
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_conflict_exactly_one_agent_controls() {
        for role in [Role::Controlling, Role::Controlled] {
            for (left, right) in [(1, 2), (2, 1), (u64::MAX, 0)] {
                // Each sees the other's check.
                let at_left = resolve(role, left, role, right);
                let at_right = resolve(role, right, role, left);
                assert_ne!(at_left, at_right, "one switches, one refuses");
                assert!(at_left != Conflict::None && at_right != Conflict::None);
                let controls =
                    |outcome| if outcome == Conflict::Switch { role.other() } else { role } == Role::Controlling;
                // The larger tie-breaker controls.
                assert_eq!(controls(at_left), left > right);
                assert_eq!(controls(at_right), right > left);
            }
            assert_eq!(resolve(role, 1, role.other(), 1), Conflict::None);
        }
    }
}
