//! A refusal that does not mean absence ends the subscriptions.

use serde_json::json;

use super::kit::*;
use crate::ServerError;

/// Refuses the first pending request with this method.
fn refuse(kit: &mut Kit, method: &str) {
    let lines = kit.open.iter();
    let mut lines = lines.map(|(_, request)| format!("{} {}", request.method, request.path));
    let line = lines.find(|line| line.starts_with(method)).unwrap();
    kit.refuse(&line, 402, "PLAN_LIMIT");
}

#[test]
fn refusal_of_data_or_subscription_ends_it() {
    for topic in topics() {
        for method in ["GET", "SUBSCRIBE"] {
            let mut kit = Kit::new();
            let [first, second] = [topic.clone(), topic.clone()].map(|topic| kit.subscribe(topic));
            kit.drain();
            refuse(&mut kit, method);
            let refused = ServerError::new(402, "PLAN_LIMIT", Vec::new());
            for id in [first, second] {
                let error = Some(refused.clone().into());
                assert_eq!(kit.ended.get(&id), Some(&error), "{method} {topic:?}");
                assert_eq!(kit.count(id), 0);
            }
            assert_eq!(kit.live.subscriptions(), 0);
            // A later subscription sends a request again.
            let again = kit.subscribe(topic.clone());
            let sent = kit.reconnect();
            assert!(
                sent.iter().any(|request| request.starts_with("GET")),
                "{sent:?}"
            );
            assert!(!kit.ended.contains_key(&again));
        }
    }
}

#[test]
fn two_refusals_at_once_end_it_once() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    kit.drain();
    for (fetch, request) in std::mem::take(&mut kit.open) {
        let refused = ServerError::new(402, request.method.to_string(), Vec::new());
        kit.live.handle_answer(kit.now, fetch, Err(refused.into()));
    }
    kit.drain();
    let first = ServerError::new(402, "SUBSCRIBE", Vec::new());
    assert_eq!(kit.ended[&id], Some(first.into()));
    assert_eq!(kit.live.subscriptions(), 0);
}

#[test]
fn refused_state_causes_no_further_update() {
    let mut kit = Kit::new();
    let id = kit.conversation("c");
    kit.drain();
    kit.answer(SIDE, &side("c"));
    let edited = json!({"type": "conversation.edited", "conversationId": "c",
                        "diff": {"subject": "news"}});
    kit.live.handle_events(kit.now, [event(&edited)]);
    kit.refuse(MESSAGES, 402, "PLAN_LIMIT");
    let refused = ServerError::new(402, "PLAN_LIMIT", Vec::new());
    assert_eq!(kit.ended[&id], Some(refused.into()));
    assert_eq!(kit.count(id), 0);
}
