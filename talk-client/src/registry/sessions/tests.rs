//! The active sessions, compared with a minimal model.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use talk_proto::{Addresses, SessionOptions};

use super::{SessionKey, Sessions};

/// Returns keys of which some collide if their parts are joined to one string, and some differ only
/// in one address.
fn keys() -> Vec<Arc<SessionKey>> {
    let mut keys = Vec::new();
    for (app, user) in [("a", "b"), ("a:b", "c"), ("a", "b:c"), ("b", "a")] {
        for part in 0..4 {
            let mut options =
                SessionOptions::new(app.try_into().unwrap(), user.try_into().unwrap());
            let mut addresses = Addresses::of_host("127.0.0.1:1");
            match part {
                0 => {}
                1 => addresses.realtime.push('x'),
                2 => addresses.rest.push('x'),
                _ => addresses.internal.push('x'),
            }
            options.addresses = addresses;
            keys.push(Arc::new(SessionKey::of(&options)));
        }
    }
    keys
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Requests the session of a key.
    Ask(usize),
    /// Creates a private session.
    ForceNew(usize),
    /// Ends a session that was created before. It may have ended already.
    End(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..16usize).prop_map(Step::Ask),
        1 => (0..16usize).prop_map(Step::ForceNew),
        3 => any::<usize>().prop_map(Step::End),
    ]
}

proptest! {
    #[test]
    fn sessions_agree_with_a_searched_list(steps in vec(step(), 0..200)) {
        let keys = keys();
        let mut sessions = Sessions::new();
        // The created sessions: their key, and a flag for shared ones.
        let mut made: Vec<(usize, bool)> = Vec::new();
        for step in steps {
            match step {
                Step::Ask(key) => {
                    let expected = made.iter().position(|known| *known == (key, true));
                    let new = made.len();
                    let (&given, is_new) = sessions.get_or_insert(&keys[key], new);
                    prop_assert_eq!(given, expected.unwrap_or(new));
                    prop_assert_eq!(is_new, expected.is_none());
                    if is_new {
                        made.push((key, true));
                    }
                }
                Step::ForceNew(key) => made.push((key, false)),
                Step::End(any) if !made.is_empty() => {
                    let session = any % made.len();
                    let (key, _) = made[session];
                    sessions.remove_if(&keys[key], |active| *active == session);
                    made[session].1 = false;
                }
                Step::End(_) => {}
            }
            for (number, key) in keys.iter().enumerate() {
                let expected = made.iter().position(|known| *known == (number, true));
                prop_assert_eq!(sessions.active.get(key).copied(), expected);
            }
        }
    }
}
