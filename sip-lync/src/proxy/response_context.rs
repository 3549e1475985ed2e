//! The response context of a forking proxy: which answer goes upstream, and which branches are cancelled.
#![doc = include_str!("../../docs/states/branch.md")]

/// Where one branch of a forked request stands.
///
/// RFC 3261 16.7
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Branch {
    /// Sent, nothing heard.
    Calling,
    /// A provisional response came.
    Proceeding,
    /// To be cancelled as soon as a provisional response comes (RFC 3261 9.1).
    CancelWanted,
    /// CANCEL was sent.
    Cancelling,
    /// The final response, ours or the endpoint's.
    Completed(u16),
}

/// Why branches are cancelled.
///
/// RFC 3326 3.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Because {
    /// Another branch answered.
    CompletedElsewhere,
    /// Another branch declined for everybody.
    DeclinedElsewhere,
    /// The caller gave up.
    CallerCancelled,
    /// Nobody answered in time.
    TimedOut,
    /// The call goes on to somebody else.
    Forwarded,
}

/// What happens to a response context; branches are named by their position.
///
/// RFC 3261 16.7, 16.8, 16.10
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// A response 101 to 199.
    Provisional(usize),
    /// A response 100, which ends at the proxy.
    Trying(usize),
    /// A final response with its status.
    Final(usize, u16),
    /// The caller sent CANCEL.
    CallerCancels,
    /// Timer C of an INVITE, timer F of another request.
    Timeout(usize),
    /// The connection to the endpoint is gone.
    FlowLost(usize),
    /// Those that are asked now have had their time, and somebody else is to be asked.
    NoAnswer,
}

/// What the proxy has to do; branches are named by their position.
///
/// RFC 3261 16.7
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Send the response that has just come upstream.
    Forward(usize),
    /// Send the stored final response of this branch upstream (or make one of that status).
    ForwardStored(usize, u16),
    /// Send CANCEL on this branch.
    Cancel(usize, Because),
    /// Ask whoever is next: [`ResponseContext::fork`].
    Next,
}

/// The response context of one forwarded request.
///
/// RFC 3261 16.7
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ResponseContext {
    invite: bool,
    branches: Vec<Branch>,
    /// The final status sent upstream.
    answered: Option<u16>,
    because: Option<Because>,
    /// Whether somebody else is asked when nobody here answers.
    next: bool,
}

impl ResponseContext {
    /// A context of `branches` branches, all of them just sent.
    ///
    /// RFC 3261 16.6
    #[must_use]
    pub fn new(invite: bool, branches: usize) -> Self {
        Self { invite, branches: vec![Branch::Calling; branches], answered: None, because: None, next: false }
    }

    /// The same with somebody else to be asked when nobody of these answers.
    ///
    /// RFC 3261 16.5
    #[must_use]
    pub fn with_next(self) -> Self {
        Self { next: true, ..self }
    }

    /// Branches to those who are asked next, after [`Action::Next`]; with none at all the best refusal so far goes
    /// upstream. `next`: there is somebody after them, too.
    ///
    /// RFC 3261 16.5, 16.7
    pub fn fork(&mut self, branches: usize, next: bool, actions: &mut Vec<Action>) {
        self.next = next && self.answered.is_none();
        self.branches.extend(core::iter::repeat_n(Branch::Calling, branches));
        self.choose(actions);
    }

    /// Whether somebody else is asked when nobody here answers.
    ///
    /// RFC 3261 16.5
    #[must_use]
    pub const fn has_next(&self) -> bool {
        self.next
    }

    /// The branches in the order in which they were made.
    ///
    /// RFC 3261 16.7
    #[must_use]
    pub fn branches(&self) -> &[Branch] {
        &self.branches
    }

    /// The final status that went upstream.
    ///
    /// RFC 3261 16.7
    #[must_use]
    pub const fn answered(&self) -> Option<u16> {
        self.answered
    }

    /// Whether nothing more can come.
    ///
    /// RFC 3261 16.7
    #[must_use]
    pub fn finished(&self) -> bool {
        self.branches.iter().all(|branch| matches!(branch, Branch::Completed(_)))
    }

    /// One step; what is to be done is appended to `actions`.
    ///
    /// RFC 3261 16.7, 16.8, 16.10
    #[must_use]
    pub fn step(mut self, trigger: Trigger, actions: &mut Vec<Action>) -> Self {
        match trigger {
            Trigger::Provisional(at) => {
                let known = self.progress(at, actions);
                if known && self.answered.is_none() {
                    actions.push(Action::Forward(at));
                }
            }
            Trigger::Trying(at) => {
                self.progress(at, actions);
            }
            Trigger::Final(at, status) => self.completed(at, status, actions),
            Trigger::CallerCancels => {
                self.next = false;
                self.cancel_others(None, Because::CallerCancelled, actions);
            }
            Trigger::NoAnswer => {
                if self.next && self.answered.is_none() {
                    self.next = false;
                    self.cancel_others(None, Because::Forwarded, actions);
                    actions.push(Action::Next);
                }
            }
            Trigger::Timeout(at) => self.timeout(at, actions),
            Trigger::FlowLost(at) => {
                if self.branches.get(at).is_some_and(|branch| !matches!(branch, Branch::Completed(_))) {
                    self.complete_locally(at, 480, actions);
                }
            }
        }
        self
    }

    /// Whether the branch waits for its final response.
    fn progress(&mut self, at: usize, actions: &mut Vec<Action>) -> bool {
        let because = self.because.unwrap_or(Because::CallerCancelled);
        let Some(branch) = self.branches.get_mut(at) else { return false };
        match *branch {
            Branch::Calling => {
                *branch = Branch::Proceeding;
                true
            }
            Branch::Proceeding | Branch::Cancelling => true,
            Branch::CancelWanted => {
                *branch = Branch::Cancelling;
                actions.push(Action::Cancel(at, because));
                true
            }
            Branch::Completed(_) => false,
        }
    }

    fn completed(&mut self, at: usize, status: u16, actions: &mut Vec<Action>) {
        let Some(branch) = self.branches.get_mut(at) else { return };
        let before = *branch;
        match before {
            Branch::Calling | Branch::Proceeding | Branch::CancelWanted | Branch::Cancelling => {
                *branch = Branch::Completed(status);
            }
            Branch::Completed(first) => {
                // A 2xx again, or of another dialog behind the same branch: each goes upstream (RFC 3261 16.7 5).
                if self.invite && (200..300).contains(&first) && (200..300).contains(&status) {
                    actions.push(Action::Forward(at));
                }
                return;
            }
        }
        match status {
            200..300 => {
                if self.answered.is_none() || self.invite {
                    actions.push(Action::Forward(at));
                    self.answered = self.answered.or(Some(status));
                }
                self.next = false;
                self.cancel_others(Some(at), Because::CompletedElsewhere, actions);
            }
            600.. => {
                self.next = false;
                self.cancel_others(Some(at), Because::DeclinedElsewhere, actions);
                self.choose(actions);
            }
            _ => self.choose(actions),
        }
    }

    fn complete_locally(&mut self, at: usize, status: u16, actions: &mut Vec<Action>) {
        if let Some(branch) = self.branches.get_mut(at) {
            *branch = Branch::Completed(status);
        }
        self.choose(actions);
    }

    fn timeout(&mut self, at: usize, actions: &mut Vec<Action>) {
        let invite = self.invite;
        let Some(branch) = self.branches.get_mut(at) else { return };
        match *branch {
            Branch::Proceeding if invite => {
                *branch = Branch::Cancelling;
                self.because = self.because.or(Some(Because::TimedOut));
                actions.push(Action::Cancel(at, Because::TimedOut));
            }
            Branch::Calling | Branch::Proceeding | Branch::CancelWanted | Branch::Cancelling => {
                self.complete_locally(at, 408, actions);
            }
            Branch::Completed(_) => {}
        }
    }

    fn cancel_others(&mut self, winner: Option<usize>, because: Because, actions: &mut Vec<Action>) {
        if !self.invite {
            return;
        }
        self.because = Some(because);
        for (at, branch) in self.branches.iter_mut().enumerate() {
            if Some(at) == winner {
                continue;
            }
            match *branch {
                Branch::Calling => *branch = Branch::CancelWanted,
                Branch::Proceeding => {
                    *branch = Branch::Cancelling;
                    actions.push(Action::Cancel(at, because));
                }
                Branch::CancelWanted | Branch::Cancelling | Branch::Completed(_) => {}
            }
        }
    }

    /// Sends the best final response when all branches have one (RFC 3261 16.7 6).
    fn choose(&mut self, actions: &mut Vec<Action>) {
        if self.answered.is_some() || !self.finished() {
            return;
        }
        if self.next {
            self.next = false;
            actions.push(Action::Next);
            return;
        }
        let best = self
            .branches
            .iter()
            .enumerate()
            .filter_map(|(at, branch)| match branch {
                Branch::Completed(status) => Some((rank(*status), at, *status)),
                Branch::Calling | Branch::Proceeding | Branch::CancelWanted | Branch::Cancelling => None,
            })
            .min();
        if let Some((_, at, status)) = best {
            self.answered = Some(status);
            actions.push(Action::ForwardStored(at, status));
        }
    }
}

/// Lower is better: 6xx, then the lowest class, and within 4xx the answers that help the caller to try again.
fn rank(status: u16) -> (u16, u16) {
    let class = if status >= 600 { 0 } else { status / 100 };
    let within = match status {
        401 | 407 | 415 | 420 | 484 => 0,
        // An endpoint that is merely gone or timed out says less than one that refused.
        480 | 408 | 487 => 2,
        _ => 1,
    };
    (class, within)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(invite: bool, branches: usize, triggers: &[Trigger]) -> (ResponseContext, Vec<Action>) {
        let mut actions = Vec::new();
        let mut context = ResponseContext::new(invite, branches);
        for trigger in triggers {
            context = context.step(*trigger, &mut actions);
        }
        (context, actions)
    }

    #[test]
    fn the_first_2xx_cancels_the_branches_that_ring() {
        let (_, actions) =
            run(true, 2, &[Trigger::Provisional(0), Trigger::Provisional(1), Trigger::Final(1, 200)]);
        assert_eq!(
            actions,
            [
                Action::Forward(0),
                Action::Forward(1),
                Action::Forward(1),
                Action::Cancel(0, Because::CompletedElsewhere)
            ]
        );
    }

    #[test]
    fn cancel_waits_for_a_provisional_response() {
        let (_, actions) = run(true, 1, &[Trigger::CallerCancels, Trigger::Trying(0)]);
        assert_eq!(actions, [Action::Cancel(0, Because::CallerCancelled)]);
    }

    #[test]
    fn one_busy_endpoint_does_not_end_the_ringing_of_another() {
        let (context, actions) = run(true, 2, &[Trigger::Final(0, 486), Trigger::Provisional(1)]);
        assert_eq!(actions, [Action::Forward(1)]);
        assert_eq!(context.answered(), None);
    }

    #[test]
    fn a_global_decline_ends_all_and_is_the_answer() {
        let (_, actions) =
            run(true, 2, &[Trigger::Provisional(1), Trigger::Final(0, 603), Trigger::Final(1, 487)]);
        assert_eq!(
            actions,
            [
                Action::Forward(1),
                Action::Cancel(1, Because::DeclinedElsewhere),
                Action::ForwardStored(0, 603)
            ]
        );
    }

    #[test]
    fn the_best_refusal_goes_upstream_once_all_have_refused() {
        let (_, actions) = run(true, 2, &[Trigger::Final(0, 480), Trigger::Final(1, 486)]);
        assert_eq!(actions, [Action::ForwardStored(1, 486)]);
    }

    #[test]
    fn whoever_is_next_is_asked_when_time_is_up_or_all_have_refused() {
        let mut actions = Vec::new();
        let ringing = ResponseContext::new(true, 1).with_next().step(Trigger::Provisional(0), &mut actions);
        actions.clear();
        let mut late = ringing.clone().step(Trigger::NoAnswer, &mut actions);
        assert_eq!(actions, [Action::Cancel(0, Because::Forwarded), Action::Next]);
        actions.clear();
        late.fork(1, false, &mut actions);
        let late = late.step(Trigger::Final(0, 487), &mut actions).step(Trigger::Final(1, 486), &mut actions);
        assert_eq!((actions.as_slice(), late.answered()), (&[Action::ForwardStored(1, 486)][..], Some(486)));
        actions.clear();
        let busy = ringing.clone().step(Trigger::Final(0, 486), &mut actions);
        assert_eq!((actions.as_slice(), busy.answered()), (&[Action::Next][..], None));
        for end in [Trigger::Final(0, 603), Trigger::CallerCancels] {
            actions.clear();
            let ended = ringing.clone().step(end, &mut actions).step(Trigger::NoAnswer, &mut actions);
            assert!(!actions.contains(&Action::Next) && !ended.has_next(), "{actions:?}");
        }
    }

    #[test]
    fn a_request_other_than_invite_is_answered_once_and_never_cancelled() {
        let (_, actions) = run(false, 2, &[Trigger::Final(0, 200), Trigger::Final(1, 200)]);
        assert_eq!(actions, [Action::Forward(0)]);
    }
}
