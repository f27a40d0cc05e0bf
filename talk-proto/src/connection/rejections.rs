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

#[cfg(test)]
mod tests {
    use super::{MAX_REJECTIONS, Rejections};
    use crate::wire::{Method, Request};

    fn get(path: &str) -> Request {
        Request::bare(Method::Get, path.to_owned())
    }

    #[test]
    fn a_request_is_given_up_at_the_fifth_token_however_often_each_was_not_accepted() {
        let mut rejections = Rejections::default();
        let counts = [1, 1, 2, 3, 4, 4, 5].map(|token| rejections.count(&get("/a"), token));
        assert_eq!(counts, [false, false, false, false, false, false, true]);
    }

    #[test]
    fn each_request_has_its_own_tokens() {
        let mut rejections = Rejections::default();
        for token in 1..u64::from(MAX_REJECTIONS) {
            assert!(!rejections.count(&get("/a"), token));
        }
        assert!(!rejections.count(&get("/b"), 5));
        assert!(rejections.count(&get("/a"), 5));
    }

    #[test]
    fn an_answer_and_a_loss_begin_anew() {
        let mut rejections = Rejections::default();
        let nearly = |rejections: &mut Rejections, from: u64| {
            for token in from..from + u64::from(MAX_REJECTIONS) - 1 {
                assert!(!rejections.count(&get("/a"), token));
            }
        };
        nearly(&mut rejections, 1);
        rejections.forget(&get("/b"));
        rejections.forget(&get("/a"));
        nearly(&mut rejections, 10);
        rejections.clear();
        nearly(&mut rejections, 20);
        assert!(rejections.count(&get("/a"), 30));
    }
}
