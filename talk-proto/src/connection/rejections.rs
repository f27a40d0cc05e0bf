//! Requests for which no token is accepted, while tokens are good for others.

use std::collections::BTreeMap;

use crate::collections::GiveBack;
use crate::wire::Request;

/// A request is sent with this many tokens before it counts as refused.
pub(crate) const MAX_REJECTIONS: u32 = 5;

/// How many tokens were not accepted for a request of the live half, which asks anew each time.
#[derive(Default)]
pub(crate) struct Rejections(BTreeMap<String, Rejected>);

#[derive(Default)]
struct Rejected {
    tokens: u32,
    /// The last of them, by the number of the first request that it was good for.
    last: Option<u64>,
}

impl Rejections {
    /// The token that is accepted since request `accepted` is not accepted for this one. Whether
    /// it is given up. Others like it may meet the same: that counts once.
    pub(crate) fn count(&mut self, request: &Request, accepted: u64) -> bool {
        let rejected = self.0.entry(name(request)).or_default();
        if rejected.last.replace(accepted) != Some(accepted) {
            rejected.tokens += 1;
        }
        rejected.tokens >= MAX_REJECTIONS
    }

    /// The request was answered.
    pub(crate) fn forget(&mut self, request: &Request) {
        if !self.0.is_empty() {
            self.0.remove(&name(request));
        }
    }

    /// The connection is gone.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Gives back the memory of what is empty.
    pub(crate) fn give_back(&mut self) {
        self.0.give_back();
    }
}

fn name(request: &Request) -> String {
    format!("{} {} {}", request.method, request.path, request.data)
}
