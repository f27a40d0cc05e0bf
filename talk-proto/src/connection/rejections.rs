//! Requests for which no token is accepted, while tokens are good for others.

use std::collections::BTreeMap;

use crate::collections::GiveBack;
use crate::wire::Request;

/// A request is sent with this many tokens before it counts as refused.
pub(crate) const MAX_REJECTIONS: u32 = 5;

/// How often no token was accepted for a request of the live half, which asks anew each time.
#[derive(Default)]
pub(crate) struct Rejections(BTreeMap<String, u32>);

impl Rejections {
    /// Counts one. Whether the request is given up with it.
    pub(crate) fn count(&mut self, request: &Request) -> bool {
        let count = self.0.entry(name(request)).or_default();
        *count += 1;
        let is_last = *count >= MAX_REJECTIONS;
        if is_last {
            self.0.remove(&name(request));
        }
        is_last
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
    format!("{} {}", request.method, request.path)
}
