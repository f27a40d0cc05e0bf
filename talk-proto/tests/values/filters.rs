//! Construction of filters, evaluation on diffs, and their form on the wire.

use serde_json::{Value, json};
use talk_proto::{
    filter::{ConversationFilter, NumberFilter, SimpleFilter, StringFilter},
    model::Access,
};

fn json_of(filter: impl Into<ConversationFilter>) -> Value {
    serde_json::to_value(filter.into()).unwrap()
}

fn normal(filter: SimpleFilter) -> Value {
    json_of(ConversationFilter::from(filter).normalized())
}

#[test]
fn filter_conditions_are_written_by_name() {
    let filter = SimpleFilter::new()
        .access(StringFilter::Is(Access::ReadWrite))
        .created_at(5..)
        .joined_at(..5)
        .last_activity_at(..=5)
        .subject(StringFilter::none_of(["a", "b"]))
        .has_messages(true)
        .is_unread(false);
    let expected = json!({
        "access": ["==", "ReadWrite"],
        "createdAt": [">=", 5],
        "joinedAt": ["<", 5],
        "lastActivityAt": ["<=", 5],
        "subject": ["!oneOf", ["a", "b"]],
        "hasMessages": true,
        "isUnread": false,
    });
    assert_eq!(json_of(filter.clone()), expected);
    let optional: Option<ConversationFilter> = filter.clone().into();
    assert_eq!(optional, Some(ConversationFilter::All(filter)));
}

#[test]
fn filter_custom_key_repeated_is_replaced() {
    let filter = SimpleFilter::new()
        .custom("a", StringFilter::is("1"))
        .custom("b", StringFilter::is("2"))
        .custom("a", StringFilter::is("3"));
    let expected = json!({"custom": {"a": ["==", "3"], "b": ["==", "2"]}});
    assert_eq!(json_of(filter), expected);
}

/// JSON has no infinity. Such a condition is left out, or can never be met.
#[test]
fn filter_condition_on_infinity_is_omitted() {
    let created = |filter| normal(SimpleFilter::new().created_at(filter));
    let (least, most, nan) = (f64::NEG_INFINITY, f64::INFINITY, f64::NAN);
    let always = json!({});
    let never = json!(["any", []]);
    for filter in [
        NumberFilter::Above(least),
        NumberFilter::Below(most),
        NumberFilter::AtLeast(least),
        NumberFilter::AtMost(most),
        NumberFilter::Between(least, most),
        NumberFilter::NotBetween(5.0, 5.0),
        NumberFilter::NotBetween(nan, 5.0),
    ] {
        assert_eq!(created(filter), always, "{filter:?}");
    }
    for filter in [
        NumberFilter::Above(most),
        NumberFilter::Below(least),
        NumberFilter::AtLeast(most),
        NumberFilter::AtMost(least),
        NumberFilter::NotBetween(least, most),
        NumberFilter::Between(5.0, 5.0),
        NumberFilter::Between(5.0, nan),
        NumberFilter::Above(nan),
    ] {
        assert_eq!(created(filter), never, "{filter:?}");
    }
    for (filter, expected) in [
        (NumberFilter::Between(5.0, most), json!([">", 4])),
        (NumberFilter::Between(least, 5.0), json!(["<", 5])),
        (NumberFilter::NotBetween(5.0, most), json!(["<", 5])),
        (NumberFilter::NotBetween(least, 5.0), json!([">", 4])),
        (NumberFilter::Between(5.0, 9.0), json!(["between", [5, 9]])),
    ] {
        assert_eq!(
            created(filter),
            json!({"createdAt": expected}),
            "{filter:?}"
        );
    }
}

#[test]
fn condition_malformed_is_refused_with_expectation() {
    for (filter, wanted) in [
        (
            json!({"createdAt": 5}),
            r#"[">", n], ["between", [low, high]]"#,
        ),
        (json!({"createdAt": ["~", 5]}), "unknown variant `~`"),
        (
            json!({"custom": {"a": 5}}),
            r#""exists", "!exists", ["==", value]"#,
        ),
        (json!({"subject": 5}), r#"["==", value], ["!=", value]"#),
    ] {
        let error = serde_json::from_value::<ConversationFilter>(filter.clone()).unwrap_err();
        assert!(error.to_string().contains(wanted), "{filter}: {error}");
    }
}

/// Strings are sorted by UTF-16 units, as in JavaScript. Keys that are array indices come first,
/// sorted by value.
#[test]
fn filter_normal_form_sorts_as_javascript() {
    let texts = ["b", "\u{e000}", "\u{10000}", "a", "b"];
    let subject = |filter| normal(SimpleFilter::new().subject(filter));
    let sorted = json!(["a", "b", "\u{10000}", "\u{e000}"]);
    assert_eq!(
        subject(StringFilter::one_of(texts)),
        json!({"subject": ["oneOf", sorted]})
    );
    assert_eq!(
        subject(StringFilter::none_of(texts)),
        json!({"subject": ["!oneOf", sorted]})
    );
    let mut filter = SimpleFilter::new();
    for key in [
        "b",
        "10",
        "9",
        "01",
        "+1",
        "4294967295",
        "4294967294",
        "0",
        "a",
    ] {
        filter = filter.custom(key, StringFilter::is(""));
    }
    let text = serde_json::to_string(&filter).unwrap();
    let keys: Vec<_> = text.split('"').skip(3).step_by(6).collect();
    let expected = [
        "0",
        "9",
        "10",
        "4294967294",
        "+1",
        "01",
        "4294967295",
        "a",
        "b",
    ];
    assert_eq!(keys, expected, "{text}");
}
