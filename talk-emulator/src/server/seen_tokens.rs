use std::collections::{BTreeMap, VecDeque};
use std::fmt;

/// The maximum number of remembered tokens.
const MAX: usize = 10_000;

/// The users of the tokens received on sockets. Without a secret any string is a token, and an
/// HTTP request identifies its user by the token only.
#[derive(Default)]
pub(super) struct SeenTokens {
    users: BTreeMap<String, String>,
    order: VecDeque<String>,
}

impl SeenTokens {
    pub(super) fn remember(&mut self, token: &str, user: &str) {
        if self
            .users
            .insert(token.to_owned(), user.to_owned())
            .is_some()
        {
            return;
        }
        self.order.push_back(token.to_owned());
        if self.order.len() > MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.users.remove(&oldest);
        }
    }

    pub(super) fn user(&self, token: &str) -> Option<&str> {
        self.users.get(token).map(String::as_str)
    }
}

/// Hides the tokens.
impl fmt::Debug for SeenTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeenTokens")
            .field("count", &self.users.len())
            .finish()
    }
}
