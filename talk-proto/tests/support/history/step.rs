//! What may happen.

use arbitrary::{Arbitrary, Unstructured};

/// More steps than this in a history tell nothing new.
const MAX_STEPS: usize = 400;

/// One thing that happens.
#[derive(Clone, Debug, Arbitrary)]
pub(crate) enum Step {
    /// A call, then the end of the tick or not.
    Call {
        kind: u8,
        id: u8,
        drains: bool,
    },
    /// A call, told at a time so many milliseconds ago.
    CallAgo {
        kind: u8,
        id: u8,
        ago: u16,
    },
    Subscribe {
        topic: u8,
        id: u8,
    },
    Unsubscribe(u8),
    LoadMore {
        which: u8,
        count: Option<u16>,
    },
    Cancel(u8),
    SetToken,
    AllowTokenFetch,
    NetworkChanged,
    Release,
    /// Happens one time in 256.
    ShutDown(u8),
    StartSearch(u8),
    Query {
        search: u8,
        text: u8,
    },
    SearchMore {
        search: u8,
        count: Option<u8>,
    },
    EndSearch(u8),
    Upload {
        kind: u8,
        size: u16,
        can_rewind: bool,
    },
    /// Something of any HTTP exchange, the latest one first.
    Http {
        which: u8,
        kind: u8,
    },
    /// Any piece of the body of any HTTP exchange.
    HttpPiece {
        which: u8,
        piece: Vec<u8>,
    },
    /// Milliseconds pass.
    Pass(u16),
    /// Seconds pass.
    PassSeconds(u8),
    /// The machine sleeps for seconds.
    Sleep(u8),
    /// A tick, told at a time so many milliseconds ago.
    Tick {
        ago: u16,
    },
    Close(u8),
    Network(u8),
    Tokens(u8),
    /// The next tokens live so long, in seconds.
    TokenLife(u16),
    /// The next requests are answered so.
    Answers {
        kind: u8,
        count: u8,
    },
    Publish {
        event: u8,
        id: u8,
    },
    /// A publish with any number.
    PublishNumbered {
        number: u8,
        event: u8,
    },
    /// An answer to any request.
    Answer {
        seq: u8,
        status: u16,
    },
    Text(String),
    /// Something of a socket, exchange or fetch that is over, or to come.
    Stale {
        which: u8,
        kind: u8,
    },
}

impl Step {
    /// The steps that `bytes` spell.
    pub(crate) fn all_of(bytes: &[u8]) -> Vec<Self> {
        let mut bytes = Unstructured::new(bytes);
        let mut steps = Vec::new();
        while !bytes.is_empty() && steps.len() < MAX_STEPS {
            steps.extend(Self::arbitrary(&mut bytes));
        }
        steps
    }
}
