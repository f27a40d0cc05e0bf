//! Evaluation of filters on diffs, in which only the changed attributes are known.

use serde_json::json;

use super::{FilterSubject, SimpleFilter, StringFilter};
use crate::model::{Access, ConversationDiff, ParticipantDiff};

#[test]
fn conversation_diff_knows_subject_and_custom() {
    let titled = SimpleFilter::new().subject(StringFilter::is("a"));
    let blue = SimpleFilter::new().custom("team", StringFilter::is("blue"));
    for (diff, expected) in [
        (json!({}), [None, None]),
        (json!({"subject": "a"}), [Some(true), None]),
        (json!({"subject": "b"}), [Some(false), None]),
        (json!({"subject": null}), [Some(false), None]),
        (json!({"custom": {"team": "blue"}}), [None, Some(true)]),
        (json!({"custom": {"team": "red"}}), [None, Some(false)]),
        (json!({"custom": {"team": null}}), [None, Some(false)]),
        (json!({"custom": {"floor": "3"}}), [None, None]),
        (json!({"custom": null}), [None, Some(false)]),
    ] {
        let read: ConversationDiff = serde_json::from_value(diff.clone()).unwrap();
        let subject = FilterSubject::from(&read);
        let matches = [titled.matches(&subject), blue.matches(&subject)];
        assert_eq!(matches, expected, "{diff}");
    }
}

#[test]
fn participant_diff_knows_access() {
    let writable = SimpleFilter::new().access(StringFilter::Is(Access::ReadWrite));
    for (diff, expected) in [
        (json!({}), None),
        (json!({"access": "ReadWrite"}), Some(true)),
        (json!({"access": "Read"}), Some(false)),
        // `null` resets access to its default, read and write.
        (json!({"access": null}), Some(true)),
    ] {
        let read: ParticipantDiff = serde_json::from_value(diff.clone()).unwrap();
        assert_eq!(
            writable.matches(&FilterSubject::from(&read)),
            expected,
            "{diff}"
        );
    }
}
