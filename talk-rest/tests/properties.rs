//! Properties of reading and of verification.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use bytes::Bytes;
use http::Response;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use talk_rest::model::{App, Conversation, Message, Presences, Reactor, SentMessage, User};
use talk_rest::webhook::{self, EventData, MessageEvent};
use talk_rest::{
    Batch, Call, InvalidCall, NewMessage, RestError, Secret, Timestamp, UserParams, app,
    conversation, conversations, presences, upload_file, user, users,
};

/// JSON with strings, numbers, lists and objects whose members have the names of the API.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z👍]{0,3}".prop_map(Value::from),
    ];
    let name = prop_oneof![
        prop::sample::select(vec![
            "id",
            "data",
            "type",
            "content",
            "children",
            "text",
            "custom",
            "participants",
            "lastMessage",
            "reactions",
            "createdAt",
            "readBy",
            "userId",
            "fileToken",
            "email",
            "widgets",
            "welcomeMessages",
            "location",
            "errorCode",
            "reasons",
            "message",
            "user",
        ])
        .prop_map(str::to_owned),
        "[a-z]{1,4}",
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        let object = btree_map(name.clone(), inner.clone(), 0..6);
        prop_oneof![
            vec(inner, 0..4).prop_map(Value::from),
            object.prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Reads a response as the answer of every kind of call.
fn decode_all(response: &Response<Bytes>) {
    fn decode<T>(call: &Call<T>, response: &Response<Bytes>) {
        if let Err(error) = call.decode(response) {
            assert!(!error.to_string().is_empty());
            let _ = (error.retry_safety(), error.status(), error.retry_after());
        }
    }
    let order = conversation("c").unwrap();
    let message = order.message("m").unwrap();
    decode(&app(), response);
    decode(&user("a").unwrap().put(UserParams::default()), response);
    decode(&user("a").unwrap().get(), response);
    decode(&user("a").unwrap().sessions(), response);
    decode(&order.get(), response);
    decode(&message.get(), response);
    decode(&order.send([NewMessage::system("x")]).unwrap(), response);
    decode(&presences().call(), response);
    let file = talk_rest::FileUpload::new("a", "b");
    decode(&upload_file(&file), response);
    let mut pages = users().limit(1).pages().unwrap();
    for _ in 0..3 {
        if let Some(call) = pages.next()
            && let Ok(page) = call.decode(response)
        {
            pages.received(&page);
        }
    }
    decode(&conversations().call().unwrap(), response);
    decode(&order.messages().call().unwrap(), response);
    decode(&message.reactions("x").unwrap().call().unwrap(), response);
    let mut batch = Batch::new();
    let handles = [1, 2, 3].map(|seq| batch.add_as(seq, &order.get()).unwrap());
    let call = batch.into_call().unwrap();
    if let Ok(answers) = call.decode(response) {
        for handle in &handles {
            let _ = answers.get(handle);
        }
    }
}

fn response(status: u16, body: impl Into<Bytes>) -> Response<Bytes> {
    let response = Response::builder()
        .status(status)
        .header("retry-after", "3");
    response.body(body.into()).unwrap()
}

const STATUSES: [u16; 8] = [200, 204, 301, 400, 404, 429, 500, 599];

/// Reads an object with unknown members, and returns it as JSON.
fn round_trip<T: DeserializeOwned + Serialize>(json: &Value) -> Value {
    let value: T = serde_json::from_value(json.clone()).unwrap();
    serde_json::to_value(&value).unwrap()
}

const KEY: &str = "sk_test_secret";
const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

fn verify(
    timestamp: &[u8],
    signature: &[u8],
    body: &[u8],
) -> Result<webhook::Event, webhook::Rejected> {
    let keys = [Secret::from(KEY)];
    let tolerance = Some(webhook::DEFAULT_TOLERANCE);
    webhook::verify(
        &keys,
        Some(timestamp),
        Some(signature),
        body,
        NOW,
        tolerance,
    )
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(
        body: Vec<u8>,
        status in prop::sample::select(&STATUSES[..]),
    ) {
        decode_all(&response(status, body));
    }

    #[test]
    fn any_json_is_read_without_panic(
        json in any_json(),
        status in prop::sample::select(&STATUSES[..]),
    ) {
        decode_all(&response(status, json.to_string()));
        let body = json.to_string();
        let signature = webhook::sign(&KEY.into(), b"1767225600", body.as_bytes());
        let _ = verify(b"1767225600", signature.as_bytes(), body.as_bytes());
    }

    #[test]
    fn unknown_members_survive(members in btree_map("x[a-z]{1,4}", any_json(), 0..5)) {
        let members: Map<String, Value> = members.into_iter().collect();
        let with = |known: Value| {
            let Value::Object(mut all) = known else { unreachable!() };
            all.extend(members.clone());
            Value::Object(all)
        };
        let message = with(json!({ "id": "m", "reactions": { "👍": with(json!({ "count": 1 })) } }));
        let conversation = json!({
            "id": "c", "lastMessage": message, "participants": { "alice": with(json!({})) },
        });
        let presence = with(json!({ "widgets": [with(json!({}))] }));
        for (json, again) in [
            (with(json!({ "id": "a" })), round_trip::<App> as fn(&Value) -> Value),
            (with(json!({ "id": "a" })), round_trip::<User>),
            (with(json!({ "id": "a" })), round_trip::<SentMessage>),
            (with(json!({ "userId": "a" })), round_trip::<Reactor>),
            (message.clone(), round_trip::<Message>),
            (with(conversation.clone()), round_trip::<Conversation>),
            (with(json!({ "data": { "alice": presence } })), round_trip::<Presences>),
            (
                with(json!({ "message": message, "conversation": conversation })),
                round_trip::<MessageEvent>,
            ),
        ] {
            prop_assert!(contains(&again(&json), &json), "{json} became {}", again(&json));
        }
    }

    #[test]
    fn unreadable_items_leave_others(bad in vec(any_json(), 0..4), places in vec(0..5usize, 0..4)) {
        let mut items = vec![json!({ "id": "a" }), json!({ "id": "b" }), json!({ "id": "c" })];
        for (item, place) in bad.into_iter().zip(places) {
            items.insert(place.min(items.len()), item);
        }
        let count = items.len();
        let body = json!({ "data": items }).to_string();
        let page = users().call().unwrap().decode(&response(200, body)).unwrap();
        prop_assert_eq!(page.items.len() + page.unreadable.len(), count);
        for id in ["a", "b", "c"] {
            prop_assert!(page.iter().any(|user| user.id == *id));
        }
    }

    #[test]
    fn signature_accepts_any_case(body: Vec<u8>, upper: u64) {
        let signature = webhook::sign(&KEY.into(), b"1767225600000", &body);
        let mixed: String = signature
            .chars()
            .enumerate()
            .map(|(i, c)| if upper >> i & 1 == 1 { c } else { c.to_ascii_lowercase() })
            .collect();
        let result = verify(b"1767225600000", mixed.as_bytes(), &body);
        let is_signed = matches!(result, Ok(_) | Err(webhook::Rejected::MalformedBody { .. }));
        prop_assert!(is_signed, "{:?}", result);
    }

    #[test]
    fn any_changed_byte_is_rejected(
        id in "[a-z0-9]{1,8}",
        place: prop::sample::Index,
        change in 1..=255u8,
        part in 0..3usize,
    ) {
        let body = json!({ "id": id, "type": "user.created", "data": {} }).to_string();
        let signature = webhook::sign(&KEY.into(), b"1767225600000", body.as_bytes());
        let mut parts = [b"1767225600000".to_vec(), signature.into_bytes(), body.into_bytes()];
        prop_assert!(verify(&parts[0], &parts[1], &parts[2]).is_ok());
        let changed = &mut parts[part];
        let place = place.index(changed.len());
        let before = changed[place];
        changed[place] ^= change;
        let is_other_case = part == 1 && before.eq_ignore_ascii_case(&changed[place]);
        let result = verify(&parts[0], &parts[1], &parts[2]);
        prop_assert_eq!(result.is_ok(), is_other_case, "{:?}", result);
    }

    #[test]
    fn batch_answers_reach_their_calls(
        order in Just((1..=10u64).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let mut batch = Batch::new();
        let call = user("alice").unwrap().get();
        let handles: Vec<_> = (1..=10).map(|seq| batch.add_as(seq, &call).unwrap()).collect();
        let answer = |seq: &u64| json!([seq, 200, { "id": seq.to_string() }]);
        let body = Value::Array(order.iter().map(answer).collect()).to_string();
        let answers = batch.into_call().unwrap().decode(&response(200, body)).unwrap();
        for (i, handle) in handles.iter().enumerate() {
            prop_assert_eq!(answers.get(handle).unwrap().id, (i + 1).to_string());
        }
    }

    #[test]
    fn requests_are_valid_for_any_id(text in "\\PC{1,40}") {
        let api = talk_rest::Api::new(&text, "sk_test").unwrap();
        let endpoint = conversation(&text).unwrap();
        let call = endpoint.participant(&text).unwrap().delete();
        let request = api.request(&call, NOW);
        if matches!(text.as_str(), "." | "..") {
            prop_assert_eq!(request.unwrap_err(), InvalidCall::Url);
            return Ok(());
        }
        let request = request.unwrap();
        let segments: Vec<_> = request.uri().path().split('/').collect();
        prop_assert_eq!(segments.len(), 7, "{}", request.uri());
        let decoded = percent_encoding::percent_decode_str(segments[6]).decode_utf8().unwrap();
        prop_assert_eq!(&*decoded, &*text);
    }
}

/// Returns `true` if every member of `part` is in `whole`, recursively. Members with `null` and
/// empty values may be absent, because both are equal to readers.
fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => part
            .iter()
            .all(|(name, part)| whole.get(name).is_some_and(|whole| contains(whole, part))),
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len() && whole.iter().zip(part).all(|(a, b)| contains(a, b))
        }
        _ => whole == part,
    }
}

#[test]
fn empty_success_is_empty_object() {
    let put = user("a").unwrap().put(UserParams::default());
    put.decode(&response(204, "")).unwrap();
    put.decode(&response(200, " \n")).unwrap();
    let error = user("a")
        .unwrap()
        .get()
        .decode(&response(200, ""))
        .unwrap_err();
    assert!(matches!(error, RestError::Unreadable { .. }), "{error:?}");
}

#[test]
fn dot_segments_are_refused() {
    let api = |app: &str| talk_rest::Api::new(app, "sk_test").unwrap();
    for dots in [".", ".."] {
        let order = conversation("c").unwrap().participant(dots).unwrap();
        for (app_id, call) in [
            ("app", order.delete()),
            (dots, user("a").unwrap().put(UserParams::default())),
        ] {
            let error = api(app_id).request(&call, NOW).unwrap_err();
            assert_eq!(error, InvalidCall::Url, "{app_id} {call:?}");
        }
    }
    let call = user("...").unwrap().get();
    assert!(api("a.b").request(&call, NOW).is_ok());
}

#[test]
fn unreadable_answers_quote_no_values() {
    let order = conversation("c").unwrap();
    let mut batch = Batch::new();
    let handle = batch.add(&order.get()).unwrap();
    let batch = batch.into_call().unwrap();
    for answer in [
        r#""hush""#,
        r#"{"id":"c","participants":"hush"}"#,
        r#"{"id":"c","lastMessage":{"id":"m","createdAt":"hush"}}"#,
        r#"{"id":"c","custom":{"k":["hush"]},"lastMessage":"hush"}"#,
    ] {
        let read = order.get().decode(&response(200, answer)).unwrap_err();
        let answers = format!("[[1,200,{answer}]]");
        let answers = batch.decode(&response(200, answers)).unwrap();
        for error in [read, answers.get(&handle).unwrap_err()] {
            assert!(matches!(error, RestError::Unreadable { .. }), "{error:?}");
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("hush"), "{shown}");
        }
    }
    for body in ["hush", r#"{"type":"x","hush" "hush"}"#, r#""hush""#] {
        let read = order.get().decode(&response(200, body)).unwrap_err();
        let signature = webhook::sign(&KEY.into(), b"1767225600", body.as_bytes());
        let rejected = verify(b"1767225600", signature.as_bytes(), body.as_bytes()).unwrap_err();
        let shown = format!("{read} {read:?} {rejected} {rejected:?}");
        assert!(!shown.contains("hush"), "{shown}");
    }
}

#[test]
fn older_forms_of_answers_are_read() {
    let send = conversation("c")
        .unwrap()
        .send([NewMessage::system("x")])
        .unwrap();
    for body in [r#"[{"id":"m"}]"#, r#"{"data":[{"id":"m"}]}"#] {
        assert_eq!(send.decode(&response(200, body)).unwrap()[0].id, "m");
    }
    let body = r#"{"id":"c","participants":[],"welcomeMessages":null,"custom":null,"lastMessage":
        {"id":"m","text":"\ud83d cut","reactions":{"👍":3}}}"#;
    let read = conversation("c")
        .unwrap()
        .get()
        .decode(&response(200, body))
        .unwrap();
    assert!(read.participants.is_empty());
    let last = read.last_message.unwrap();
    assert_eq!(last.text.as_deref(), Some("\u{fffd} cut"));
    assert_eq!(last.reactions["👍"].count, Some(3));
    let body = r#"{"id":"a","pushTokens":{"fcm:1":true},"headerPhotoUrl":"x"}"#;
    let read = user("a")
        .unwrap()
        .get()
        .decode(&response(200, body))
        .unwrap();
    assert_eq!(read.push_tokens.len(), 1);
    assert_eq!(read.unknown_fields.get("headerPhotoUrl"), Some(&json!("x")));
}

#[test]
fn debug_shows_no_secrets_and_no_texts() {
    let secret = "hush";
    let key = "sk_hush";
    let api = talk_rest::Api::new("app", key).unwrap();
    let order = conversation("c").unwrap();
    let sent = NewMessage::user("a".try_into().unwrap(), secret).custom("k", secret);
    let call = order.send([sent.clone()]).unwrap();
    let request = api.request(&call, NOW).unwrap();
    let message =
        json!({ "id": "m", "text": secret, "attachment": { "url": secret }, "x": secret });
    let body = json!({ "id": "c", "subject": secret, "lastMessage": message }).to_string();
    let read = order.get().decode(&response(200, body)).unwrap();
    let user_body = json!({ "id": "a", "email": [secret], "pushTokens": { "fcm:hush": true } });
    let read_user = user("a")
        .unwrap()
        .get()
        .decode(&response(200, user_body.to_string()))
        .unwrap();
    let unreadable = app().decode(&response(200, secret)).unwrap_err();
    let refusal = json!({ "errorCode": "INVALID", "reasons": { secret: [secret] } }).to_string();
    let refused = app().decode(&response(400, refusal)).unwrap_err();
    let RestError::Refused(refusal) = &refused else {
        panic!("{refused:?}");
    };
    let reason = &refusal.reasons[0];
    let params = UserParams::named(secret).email([secret]).push_token(secret);
    let file = talk_rest::FileUpload::new(secret, secret);
    let filtered = conversations().parameter("filter", secret);
    let other = json!({ "id": "e", "type": "x", "data": { "text": secret } }).to_string();
    let signature = webhook::sign(&key.into(), b"1767225600", other.as_bytes());
    let event = webhook::verify(
        &[key.into()],
        Some(b"1767225600"),
        Some(signature.as_bytes()),
        other.as_bytes(),
        NOW,
        None,
    )
    .unwrap();
    assert!(matches!(event.data, EventData::Other { .. }));
    let headers = request.headers();
    let shown = format!(
        "{api:?} {call:?} {headers:?} {sent:?} {read:?} {read_user:?} {unreadable:?} {refused:?} \
         {reason:?} {params:?} {file:?} {filtered:?} {event:?} {:?}",
        filtered.clone().call(),
    );
    assert!(!shown.contains(secret), "{shown}");
    assert!(
        shown.contains("UserParams {\"email\", \"name\", \"pushTokens\"}"),
        "{shown}"
    );
}
