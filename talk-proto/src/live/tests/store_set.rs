//! The sorted set of stores.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::live::key::StoreKey;
use crate::live::store_cx::StoreSet;
use crate::model::ConversationId;

proptest! {
    /// Any sequence of insertions and removals matches a tree.
    #[test]
    fn store_set_matches_a_tree(
        steps in prop::collection::vec(prop::option::of("[a-e]"), 0..40),
    ) {
        let (mut set, mut model) = (StoreSet::default(), BTreeSet::new());
        for step in steps {
            match step {
                Some(name) => {
                    let key = StoreKey::Messages(ConversationId::new(name).unwrap());
                    set.insert(key.clone());
                    model.insert(key);
                }
                None => prop_assert_eq!(set.pop_first(), model.pop_first()),
            }
        }
        while let Some(key) = model.pop_first() {
            prop_assert_eq!(set.pop_first(), Some(key));
        }
        prop_assert_eq!(set.pop_first(), None);
    }
}
