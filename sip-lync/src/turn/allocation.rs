//! The life of an allocation, seen from the client.
#![doc = include_str!("../../docs/states/turn_allocation.md")]

/// Where an allocation is.
///
/// RFC 8656 5, 7, 8, MS-TURN 3.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Nothing was asked for.
    Idle,
    /// A connection is being opened.
    Connecting,
    /// The fixed hello was sent on it.
    Greeting,
    /// An allocation was asked for.
    Requesting,
    /// It stands.
    Standing,
    /// It stands and is being prolonged.
    Refreshing,
    /// It is being given back.
    Releasing,
    /// It is over.
    Ended,
}

/// What happens to an allocation.
///
/// RFC 8656 5, 7, 8, MS-TURN 3.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Trigger {
    /// The owner wants one, over datagrams.
    AllocateByDatagrams,
    /// The owner wants one, over a connection.
    AllocateByStream,
    /// The connection stands.
    Opened,
    /// The connection stands and begins with the hello.
    OpenedForHello,
    /// The server's hello came.
    Greeted,
    /// The server granted what was asked for.
    Granted,
    /// The server wants proof, and we have new material for it.
    Challenged,
    /// The server sent us to another one, reached by datagrams.
    ElsewhereByDatagrams,
    /// The server sent us to another one, reached by a connection.
    ElsewhereByStream,
    /// The server refused, finally.
    Refused,
    /// The server does not answer.
    TimedOut,
    /// The connection is gone.
    Closed,
    /// It is time to prolong.
    RefreshDue,
    /// The owner needs it no more.
    Release,
}

/// What is to be done.
///
/// RFC 8656 5, 7, 8, MS-TURN 3.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// Ask the owner for a connection.
    Connect,
    /// Tell the owner to close it.
    Disconnect,
    /// Send the hello.
    Greet,
    /// Ask for the allocation.
    SendAllocate,
    /// Ask for more time.
    SendRefresh,
    /// Give it back.
    SendRelease,
    /// Set the time of the next refresh.
    StartRefresh,
    /// Tell the owner the addresses.
    ReportAllocated,
    /// Tell the owner that there is none.
    ReportFailed,
    /// Tell the owner that it is gone.
    ReportLost,
    /// Tell the owner that it was given back.
    ReportReleased,
}

/// One step; it starts in [`State::Idle`].
///
/// RFC 8656 5, 7, 8, MS-TURN 3.2
#[must_use]
pub const fn step(state: State, trigger: Trigger) -> (State, &'static [Effect]) {
    use Effect::{
        Connect, Disconnect, Greet, ReportAllocated, ReportFailed, ReportLost, ReportReleased, SendAllocate,
        SendRefresh, SendRelease, StartRefresh,
    };
    use State::{Connecting, Ended, Greeting, Idle, Refreshing, Releasing, Requesting, Standing};
    use Trigger as T;
    match (state, trigger) {
        (Idle, T::AllocateByDatagrams) => (Requesting, &[SendAllocate]),
        (Idle, T::AllocateByStream) => (Connecting, &[Connect]),
        (Idle, T::Release) => (Ended, &[ReportReleased]),

        (Connecting, T::Opened) => (Requesting, &[SendAllocate]),
        (Connecting, T::OpenedForHello) => (Greeting, &[Greet]),
        (Connecting, T::Closed | T::TimedOut) => (Ended, &[ReportFailed]),
        (Connecting | Greeting | Requesting, T::Release) => (Ended, &[Disconnect, ReportReleased]),

        (Greeting, T::Greeted) => (Requesting, &[SendAllocate]),
        (Greeting, T::Refused | T::TimedOut) => (Ended, &[Disconnect, ReportFailed]),
        (Greeting | Requesting, T::Closed) => (Ended, &[ReportFailed]),

        (Requesting, T::Granted) => (Standing, &[StartRefresh, ReportAllocated]),
        (Requesting, T::Challenged) => (Requesting, &[SendAllocate]),
        (Requesting, T::ElsewhereByDatagrams) => (Requesting, &[SendAllocate]),
        (Requesting, T::ElsewhereByStream) => (Connecting, &[Disconnect, Connect]),
        (Requesting, T::Refused | T::TimedOut) => (Ended, &[Disconnect, ReportFailed]),

        (Standing, T::RefreshDue) => (Refreshing, &[SendRefresh]),
        (Standing | Refreshing, T::Release) => (Releasing, &[SendRelease]),
        (Standing | Refreshing, T::Closed) => (Ended, &[ReportLost]),

        (Refreshing, T::Granted) => (Standing, &[StartRefresh]),
        (Refreshing, T::Challenged) => (Refreshing, &[SendRefresh]),
        (Refreshing, T::Refused | T::TimedOut) => (Ended, &[Disconnect, ReportLost]),

        (Releasing, T::Challenged) => (Releasing, &[SendRelease]),
        (Releasing, T::Granted | T::Refused | T::TimedOut) => (Ended, &[Disconnect, ReportReleased]),
        (Releasing, T::Closed) => (Ended, &[ReportReleased]),

        // What cannot happen there, or comes too late.
        (
            Idle,
            T::Opened
            | T::OpenedForHello
            | T::Greeted
            | T::Granted
            | T::Challenged
            | T::ElsewhereByDatagrams
            | T::ElsewhereByStream
            | T::Refused
            | T::TimedOut
            | T::Closed
            | T::RefreshDue,
        )
        | (
            Connecting,
            T::AllocateByDatagrams
            | T::AllocateByStream
            | T::Greeted
            | T::Granted
            | T::Challenged
            | T::ElsewhereByDatagrams
            | T::ElsewhereByStream
            | T::Refused
            | T::RefreshDue,
        )
        | (
            Greeting,
            T::AllocateByDatagrams
            | T::AllocateByStream
            | T::Opened
            | T::OpenedForHello
            | T::Granted
            | T::Challenged
            | T::ElsewhereByDatagrams
            | T::ElsewhereByStream
            | T::RefreshDue,
        )
        | (
            Requesting,
            T::AllocateByDatagrams
            | T::AllocateByStream
            | T::Opened
            | T::OpenedForHello
            | T::Greeted
            | T::RefreshDue,
        )
        | (
            Standing,
            T::AllocateByDatagrams
            | T::AllocateByStream
            | T::Opened
            | T::OpenedForHello
            | T::Greeted
            | T::Granted
            | T::Challenged
            | T::ElsewhereByDatagrams
            | T::ElsewhereByStream
            | T::Refused
            | T::TimedOut,
        )
        | (
            Refreshing | Releasing,
            T::AllocateByDatagrams
            | T::AllocateByStream
            | T::Opened
            | T::OpenedForHello
            | T::Greeted
            | T::ElsewhereByDatagrams
            | T::ElsewhereByStream
            | T::RefreshDue,
        )
        | (Releasing, T::Release)
        | (
            Ended,
            T::AllocateByDatagrams
            | T::AllocateByStream
            | T::Opened
            | T::OpenedForHello
            | T::Greeted
            | T::Granted
            | T::Challenged
            | T::ElsewhereByDatagrams
            | T::ElsewhereByStream
            | T::Refused
            | T::TimedOut
            | T::Closed
            | T::RefreshDue
            | T::Release,
        ) => (state, &[]),
    }
}
