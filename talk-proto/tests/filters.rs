//! Filters: their normal form and their evaluation.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};
use talk_proto::{
    Timestamp,
    filter::{
        ConversationFilter, CustomFilter, CustomValues, FilterSubject, NumberFilter, SimpleFilter,
        StringFilter,
    },
    model::{Access, ConversationId, ConversationSnapshot, Custom, CustomPatch},
};

#[derive(Deserialize)]
struct Row {
    filter: Value,
    wire: Value,
}

fn check_vectors(file: &str, at_least: usize) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/vectors")
        .join(file);
    let text = std::fs::read_to_string(path).unwrap();
    let rows: Vec<Row> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(rows.len() >= at_least);
    for Row { filter, wire } in rows {
        let read: ConversationFilter = serde_json::from_value(filter.clone()).unwrap();
        assert_eq!(
            serde_json::to_value(read.normalized()).unwrap(),
            wire,
            "{filter}"
        );
    }
}

#[test]
fn filter_normal_form_matches_records() {
    check_vectors("filters.jsonl", 35);
}

/// Filters from a comparison of random filters.
#[test]
fn filter_normal_form_matches_more_records() {
    check_vectors("filters-extra.jsonl", 200);
}

#[test]
fn filter_malformed_is_refused_with_reason() {
    let refused = [
        (json!({"subjekt": ["==", "a"]}), "unknown field `subjekt`"),
        (json!({"subject": ["like", "a"]}), "unknown variant `like`"),
        (json!({"subject": ["=="]}), "expected [\"==\", value]"),
        (
            json!({"subject": ["==", "a", "b"]}),
            "expected [\"==\", value]",
        ),
        (json!({"subject": null}), "invalid type: null"),
        (json!({"isUnread": null}), "invalid type: null"),
        (
            json!({"createdAt": [">", "5"]}),
            "invalid type: string \"5\", expected f64",
        ),
        (json!({"createdAt": ["between", [1]]}), "invalid length 1"),
        (json!({"custom": {"a": "maybe"}}), "unknown variant `maybe`"),
        (
            json!({"custom": {"a": ["==", null]}}),
            "invalid type: null, expected a string",
        ),
        (json!(["all", []]), "unknown variant `all`"),
        (json!(["any"]), "expected an object of conditions"),
        (json!(["any", [["any", []]]]), "expected"),
        (json!("all"), "expected an object of conditions"),
    ];
    for (filter, reason) in refused {
        let error = serde_json::from_value::<ConversationFilter>(filter.clone()).unwrap_err();
        assert!(error.to_string().contains(reason), "{filter}: {error}");
    }
}

fn side() -> ConversationSnapshot {
    ConversationSnapshot::new(
        ConversationId::new("c").unwrap(),
        Timestamp::from_millis(10),
        Timestamp::from_millis(20),
    )
}

fn wants(filter: &SimpleFilter, side: &ConversationSnapshot) -> bool {
    filter.matches(&side.into()).unwrap()
}

#[test]
fn filter_absent_value_matches_only_negation() {
    let mut side = side();
    let custom = |filter: CustomFilter| SimpleFilter::new().custom("k", filter);
    let equal = |value: &str| CustomFilter::from(StringFilter::is(value));
    let different = |value: &str| CustomFilter::from(StringFilter::is_not(value));
    let among = |value: &str| CustomFilter::from(StringFilter::one_of([value]));
    let not_among = |value: &str| CustomFilter::from(StringFilter::none_of([value]));

    for (filter, wanted) in [
        (CustomFilter::Missing, true),
        (CustomFilter::Exists, false),
        (equal(""), false),
        (among(""), false),
        (different("v"), true),
        (not_among("v"), true),
    ] {
        assert_eq!(wants(&custom(filter.clone()), &side), wanted, "{filter:?}");
    }
    side.custom.insert("k", "");
    for (filter, wanted) in [
        (CustomFilter::Missing, false),
        (CustomFilter::Exists, true),
        (equal(""), true),
        (among("v"), false),
        (different(""), false),
        (not_among("v"), true),
    ] {
        assert_eq!(wants(&custom(filter.clone()), &side), wanted, "{filter:?}");
    }
    let subject = |filter: StringFilter<Option<String>>| SimpleFilter::new().subject(filter);
    assert!(wants(&subject(StringFilter::Is(None)), &side));
    assert!(wants(
        &SimpleFilter::new().subject(StringFilter::is_not("a")),
        &side
    ));
    assert!(!wants(
        &SimpleFilter::new().subject(StringFilter::one_of(["null"])),
        &side
    ));
}

#[test]
fn filter_has_messages_uses_last_activity() {
    let mut side = side();
    let with_messages = SimpleFilter::new().has_messages(true);
    assert!(!wants(&with_messages, &side));
    side.last_message_at = Timestamp::from_millis(15);
    assert!(wants(&with_messages, &side));
    assert!(wants(&SimpleFilter::new().last_activity_at(15..16), &side));
}

#[test]
fn diff_decides_only_given_fields() {
    let mut subject = FilterSubject::default();
    subject.is_unread = Some(true);
    let unread = SimpleFilter::new().is_unread(true);
    let read = SimpleFilter::new().is_unread(false);
    let titled = SimpleFilter::new().subject(StringFilter::is("a"));
    let unread_and_titled = unread.clone().subject(StringFilter::is("a"));
    let read_and_titled = read.clone().subject(StringFilter::is("a"));
    assert_eq!(unread.matches(&subject), Some(true));
    assert_eq!(read.matches(&subject), Some(false));
    assert_eq!(titled.matches(&subject), None);
    assert_eq!(unread_and_titled.matches(&subject), None);
    assert_eq!(read_and_titled.matches(&subject), Some(false));

    let any = |filters: [&SimpleFilter; 2]| -> ConversationFilter {
        filters.into_iter().cloned().collect()
    };
    assert_eq!(any([&titled, &unread]).matches(&subject), Some(true));
    assert_eq!(any([&titled, &read]).matches(&subject), None);
    assert_eq!(
        any([&read, &read_and_titled]).matches(&subject),
        Some(false)
    );
    assert_eq!(
        ConversationFilter::Any(Vec::new()).matches(&subject),
        Some(false)
    );
}

fn text() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "a", "b", "null", "\u{e000}", "\u{10000}"]).prop_map(Into::into)
}

fn texts<T: Clone + std::fmt::Debug + 'static>(
    value: impl Strategy<Value = T> + Clone + 'static,
) -> impl Strategy<Value = StringFilter<T>> {
    let values = prop::collection::vec(value.clone(), 0..4);
    prop_oneof![
        value.clone().prop_map(StringFilter::Is),
        value.prop_map(StringFilter::IsNot),
        values.clone().prop_map(StringFilter::OneOf),
        values.prop_map(StringFilter::NoneOf),
    ]
}

fn access() -> impl Strategy<Value = Access> + Clone {
    prop::sample::select(vec![Access::Read, Access::ReadWrite])
}

fn number() -> impl Strategy<Value = NumberFilter> {
    let n = (-2..6_i32).prop_map(f64::from);
    let pair = (n.clone(), n.clone());
    prop_oneof![
        n.clone().prop_map(NumberFilter::Above),
        n.clone().prop_map(NumberFilter::Below),
        n.clone().prop_map(NumberFilter::AtLeast),
        n.prop_map(NumberFilter::AtMost),
        pair.clone()
            .prop_map(|(low, high)| NumberFilter::Between(low, high)),
        pair.prop_map(|(low, high)| NumberFilter::NotBetween(low, high)),
    ]
}

prop_compose! {
    fn simple()(
        access in prop::option::weighted(0.2, texts(access())),
        created_at in prop::option::weighted(0.2, number()),
        custom in prop::collection::btree_map(text(), prop_oneof![
            Just(CustomFilter::Exists),
            Just(CustomFilter::Missing),
            texts(text().boxed()).prop_map(CustomFilter::Value),
        ], 0..3),
        has_messages in prop::option::weighted(0.2, any::<bool>()),
        is_unread in prop::option::weighted(0.2, any::<bool>()),
        joined_at in prop::option::weighted(0.2, number()),
        last_activity_at in prop::option::weighted(0.2, number()),
        subject in prop::option::weighted(0.2, texts(prop::option::of(text()).boxed())),
    ) -> SimpleFilter {
        let mut filter = SimpleFilter::new();
        filter.access = access;
        filter.created_at = created_at;
        filter.custom = custom;
        filter.has_messages = has_messages;
        filter.is_unread = is_unread;
        filter.joined_at = joined_at;
        filter.last_activity_at = last_activity_at;
        filter.subject = subject;
        filter
    }
}

fn filter() -> impl Strategy<Value = ConversationFilter> {
    prop_oneof![
        simple().prop_map(ConversationFilter::All),
        prop::collection::vec(simple(), 0..4).prop_map(ConversationFilter::Any),
    ]
}

prop_compose! {
    fn any_side()(
        access in access(),
        times in (0..4_i64, 0..4_i64, 0..4_i64),
        custom in prop::collection::btree_map(text(), text(), 0..4),
        is_unread in any::<bool>(),
        subject in prop::option::of(text()),
    ) -> ConversationSnapshot {
        let (created_at, joined_at, last_message_at) = times;
        let mut side = side();
        side.access = access;
        side.created_at = Timestamp::from_millis(created_at);
        side.joined_at = Timestamp::from_millis(joined_at);
        side.last_message_at = Timestamp::from_millis(last_message_at);
        side.custom = custom.into_iter().collect::<Custom>();
        side.is_unread = is_unread;
        side.subject = subject.map(Into::into);
        side
    }
}

/// Returns `true` if the filter matches, by the documented rules applied to the JSON of filter and
/// conversation.
fn naively_wants(filter: &Value, side: &Value) -> bool {
    if filter[0] == "any" {
        let filters = filter[1].as_array().unwrap();
        return filters.iter().any(|filter| naively_wants(filter, side));
    }
    let meets = |condition: &Value, value: &Value| match condition {
        Value::String(presence) => value.is_null() == (presence == "!exists"),
        Value::Bool(wanted) => value == wanted,
        _ => {
            let operand = &condition[1];
            let number = |json: &Value| json.as_f64().unwrap_or(f64::NAN);
            let among = || operand.as_array().unwrap().contains(value);
            let between =
                || number(&operand[0]) <= number(value) && number(value) < number(&operand[1]);
            match condition[0].as_str().unwrap() {
                "==" => operand == value,
                "!=" => operand != value,
                "oneOf" => among(),
                "!oneOf" => !among(),
                ">" => number(value) > number(operand),
                "<" => number(value) < number(operand),
                ">=" => number(value) >= number(operand),
                "<=" => number(value) <= number(operand),
                "between" => between(),
                "!between" => !between(),
                operator => unreachable!("{operator}"),
            }
        }
    };
    filter
        .as_object()
        .unwrap()
        .iter()
        .all(|(name, condition)| match name.as_str() {
            "custom" => condition
                .as_object()
                .unwrap()
                .iter()
                .all(|(key, condition)| {
                    meets(condition, side["custom"].get(key).unwrap_or(&Value::Null))
                }),
            "lastActivityAt" => meets(condition, &side["lastMessageAt"]),
            "hasMessages" => meets(condition, &json!(side["lastMessageAt"] != side["joinedAt"])),
            name => meets(condition, &side[name]),
        })
}

/// Returns `subject` with only some attributes known.
fn forget<'a>(subject: FilterSubject<'a>, known: u8, keys: &'a CustomPatch) -> FilterSubject<'a> {
    let mut subject = subject;
    let is_known = |bit: u8| known & (1 << bit) != 0;
    subject.access = subject.access.filter(|_| is_known(0));
    subject.created_at = subject.created_at.filter(|_| is_known(1));
    subject.has_messages = subject.has_messages.filter(|_| is_known(2));
    subject.is_unread = subject.is_unread.filter(|_| is_known(3));
    subject.joined_at = subject.joined_at.filter(|_| is_known(4));
    subject.last_activity_at = subject.last_activity_at.filter(|_| is_known(5));
    subject.subject = subject.subject.filter(|_| is_known(6));
    if !is_known(7) {
        subject.custom = CustomValues::Some(keys);
    }
    subject
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn filter_normal_form_matches_equally(filter in filter(), side in any_side()) {
        let naive = naively_wants(
            &serde_json::to_value(&filter).unwrap(),
            &serde_json::to_value(&side).unwrap(),
        );
        prop_assert_eq!(filter.matches(&(&side).into()), Some(naive));
        prop_assert_eq!(filter.normalized().matches(&(&side).into()), Some(naive));
    }

    #[test]
    fn filter_normal_form_is_idempotent(filter in filter()) {
        let normal = filter.normalized();
        prop_assert_eq!(normal.normalized(), normal);
    }

    #[test]
    fn filter_json_round_trips(filter in filter()) {
        let text = serde_json::to_string(&filter).unwrap();
        prop_assert_eq!(serde_json::from_str::<ConversationFilter>(&text).unwrap(), filter);
    }

    #[test]
    fn partial_data_decision_holds_for_full_data(
        filter in filter(),
        side in any_side(),
        known in any::<u8>(),
        keys in prop::collection::vec(text(), 0..3),
    ) {
        let value = |key: &String| side.custom.get(key).map(Into::into);
        let keys: CustomPatch = keys.iter().map(|key| (key.clone(), value(key))).collect();
        let subject = forget((&side).into(), known, &keys);
        if let Some(told) = filter.matches(&subject) {
            prop_assert_eq!(Some(told), filter.matches(&(&side).into()));
        }
    }
}
