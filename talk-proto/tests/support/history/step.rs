//! The steps of a history.

use arbitrary::{Arbitrary, Unstructured};

/// The maximum number of steps in a history. Longer histories find no further failures.
const MAX_STEPS: usize = 400;

/// A step of a history.
#[derive(Clone, Debug, Arbitrary)]
pub(crate) enum Step {
    /// Makes a call. The tick may end with it, or include the next step.
    Call {
        kind: u8,
        id: u8,
        drains: bool,
    },
    /// Makes a call at a time this many milliseconds ago.
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
    /// Shuts down with a probability of 1 in 256.
    Shutdown(u8),
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
    /// Opens or closes an inbox, or handles a delivery.
    Inbox {
        kind: u8,
        which: u8,
    },
    /// An input for any HTTP request; 0 is the latest.
    Http {
        which: u8,
        kind: u8,
    },
    /// A part of the body of any HTTP request.
    HttpPiece {
        which: u8,
        piece: Vec<u8>,
    },
    /// Advances the time by milliseconds.
    Pass(u16),
    /// Advances the time by seconds.
    PassSeconds(u8),
    /// Suspends the machine for seconds.
    Sleep(u8),
    /// A tick at a time this many milliseconds ago.
    Tick {
        ago: u16,
    },
    Close(u8),
    Network(u8),
    Tokens(u8),
    /// Sets the lifetime of the next tokens in seconds.
    TokenLife(u16),
    /// Sets the answers to the next requests.
    Answers {
        kind: u8,
        count: u8,
    },
    Publish {
        event: u8,
        id: u8,
    },
    /// Publishes an event with any number.
    PublishNumbered {
        number: u8,
        event: u8,
    },
    /// Answers any request.
    Answer {
        seq: u8,
        status: u16,
    },
    Text(String),
    /// An input for a finished or future socket, HTTP request or token fetch.
    Stale {
        which: u8,
        kind: u8,
    },
}

impl Step {
    /// Decodes the steps from `bytes`.
    #[allow(dead_code, reason = "the fuzz targets use it")]
    pub(crate) fn all_of(bytes: &[u8]) -> Vec<Self> {
        let mut bytes = Unstructured::new(bytes);
        let mut steps = Vec::new();
        while !bytes.is_empty() && steps.len() < MAX_STEPS {
            steps.extend(Self::arbitrary(&mut bytes));
        }
        steps
    }
}
