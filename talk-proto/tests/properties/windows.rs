//! A window of messages and its changes, compared with a sorted list.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use talk_proto::{
    Event, Snapshot, SubscriptionId, Topic, Update, changes::Changes, model::MessageSnapshot,
};

use crate::support::{Answer, World, conversation, data, unpaced};

/// The number of messages in a first window.
const FIRST_PAGE: usize = 30;

/// An event in the conversation, or an action of the consumer.
#[derive(Clone, Debug)]
enum Step {
    /// Messages arrive as one step.
    Come(u8),
    /// A message changes or is deleted.
    Edit(prop::sample::Index),
    Delete(prop::sample::Index),
    /// The last message of the window is deleted.
    DeleteLast,
    Clear,
    LoadMore(u8),
    /// The connection is lost and restored.
    Lose,
    /// The consumer polls its subscription.
    Look,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..5_u8).prop_map(Step::Come),
        4 => any::<prop::sample::Index>().prop_map(Step::Edit),
        4 => any::<prop::sample::Index>().prop_map(Step::Delete),
        2 => Just(Step::DeleteLast),
        1 => Just(Step::Clear),
        2 => (1..40_u8).prop_map(Step::LoadMore),
        1 => Just(Step::Lose),
        3 => Just(Step::Look),
    ]
}

/// The number and version of each message, newest first.
type List = Vec<(u64, u64)>;

/// The conversation on the server.
#[derive(Default)]
struct Conversation {
    messages: List,
    next: u64,
}

impl Conversation {
    fn come(&mut self) -> (u64, u64) {
        self.next += 1;
        let message = (self.next, 0);
        self.messages.insert(0, message);
        message
    }

    /// Returns a page of messages that are older than the cursor.
    fn page(&self, limit: usize, cursor: Option<u64>) -> Value {
        let is_older = |(number, _): &&(u64, u64)| cursor.is_none_or(|cursor| *number < cursor);
        let mut older = self.messages.iter().filter(is_older);
        let page: List = older.by_ref().take(limit).copied().collect();
        let last = page.last().filter(|_| older.next().is_some());
        let cursor = last.map(|(number, _)| number.to_string());
        json!({"data": page.iter().map(message).collect::<Vec<_>>(), "cursor": cursor})
    }
}

fn message((number, version): &(u64, u64)) -> Value {
    let mut message = data::message(&format!("m{number}"), *number);
    message["custom"] = json!({"version": version.to_string()});
    message
}

fn event(kind: &str, number: u64, members: Value) -> Value {
    let mut event = members;
    event["type"] = json!(kind);
    event["conversationId"] = json!("c1");
    event["messageId"] = json!(format!("m{number}"));
    event
}

/// A consumer that polls occasionally.
#[derive(Default)]
struct Consumer {
    seen: Vec<Arc<MessageSnapshot>>,
    latest: Vec<Arc<MessageSnapshot>>,
    loaded_all: bool,
    /// The changes from `seen` to `latest`; `None` if nothing changed.
    pending: Option<Changes>,
    events: usize,
}

impl Consumer {
    /// Receives the updates since the last poll and checks that each follows from the previous one.
    fn take(&mut self, world: &World, id: SubscriptionId) {
        let events = world.log.events[self.events..].iter();
        let updates = events.filter_map(|(_, event)| match event {
            Event::Updated {
                subscription,
                update,
            } if *subscription == id => Some(update),
            _ => None,
        });
        for update in updates.cloned().collect::<Vec<_>>() {
            self.update(*update);
        }
        self.events = world.log.events.len();
    }

    fn update(&mut self, update: Update) {
        let Snapshot::Messages(Some(window)) = update.snapshot else {
            panic!("{update:?}");
        };
        let next: Vec<_> = window.iter().cloned().collect();
        assert_leads(&update.changes, &self.latest, &next);
        self.latest = next;
        self.loaded_all = window.loaded_all();
        let limit = self.latest.len();
        self.pending = Some(match self.pending.take() {
            Some(pending) => pending.then(update.changes, limit),
            None => update.changes,
        });
    }

    fn look(&mut self) {
        if let Some(changes) = self.pending.take() {
            assert_leads(&changes, &self.seen, &self.latest);
            self.seen = self.latest.clone();
        }
        assert_same(&self.seen, &self.latest);
    }

    fn list(&self) -> List {
        let number = |text: &str| text.parse().expect("a number");
        let messages = self.latest.iter();
        messages
            .map(|message| {
                let version = message.custom.get("version").expect("it has one");
                (number(&message.id.as_str()[1..]), number(version))
            })
            .collect()
    }
}

/// Checks that the changes lead from one list to the other, and that unchanged items keep their
/// allocation.
fn assert_leads(
    changes: &Changes,
    before: &[Arc<MessageSnapshot>],
    after: &[Arc<MessageSnapshot>],
) {
    if let Changes::List(changes) = changes {
        assert_same(&changes.apply(before, after), after);
        let mut came = changes
            .inserted
            .iter()
            .filter(|at| changes.updated.contains(at));
        assert_eq!(came.next(), None, "inserted and updated");
    }
}

fn assert_same(have: &[Arc<MessageSnapshot>], want: &[Arc<MessageSnapshot>]) {
    assert_eq!(have.len(), want.len());
    let mut pairs = have.iter().zip(want);
    assert!(pairs.all(|(have, want)| Arc::ptr_eq(have, want)));
}

/// The expected snapshot of a conversation.
#[derive(Debug, PartialEq)]
struct Expected {
    list: List,
    loaded_all: bool,
}

impl Expected {
    fn first_of(conversation: &Conversation, count: usize) -> Self {
        let list: List = conversation.messages.iter().take(count).copied().collect();
        let loaded_all = list.len() == conversation.messages.len();
        Self { list, loaded_all }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 128,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn window_shows_newest_and_changes_apply(
        before in 0..80_usize,
        cap in prop_oneof![Just(100_000), 31..60_usize],
        steps in vec(step(), 0..40),
    ) {
        let server = Rc::new(RefCell::new(Conversation::default()));
        for _ in 0..before {
            server.borrow_mut().come();
        }
        let mut options = unpaced();
        options.limits.window = cap;
        let mut world = World::new(options);
        let conversation_of_server = Rc::clone(&server);
        world.script.add(move |request| {
            let is_page = request.line() == "GET /me/conversations/c1/messages";
            let cursor = request.data["cursor"].as_str();
            let cursor = cursor.map(|cursor| cursor.parse().expect("ours"));
            let limit = request.data["limit"].as_u64();
            let limit = limit.and_then(|limit| usize::try_from(limit).ok());
            let page = || conversation_of_server.borrow().page(limit.unwrap_or(1), cursor);
            is_page.then(|| Answer::Reply(200, page()))
        });
        let id = world.subscribe(Topic::Messages { conversation: conversation("c1") });
        world.run();
        let mut consumer = Consumer::default();
        let mut expected = Expected::first_of(&server.borrow(), FIRST_PAGE);
        for step in steps {
            let mut conversation = server.borrow_mut();
            let mut events = Vec::new();
            match &step {
                Step::Come(count) => for _ in 0..*count {
                    let came = conversation.come();
                    expected.list.insert(0, came);
                    events.push(event("message.created", came.0, json!({"state": message(&came)})));
                }
                Step::Edit(which) | Step::Delete(which) if !conversation.messages.is_empty() => {
                    let at = which.index(conversation.messages.len());
                    let (number, version) = conversation.messages[at];
                    let shown = expected.list.iter().position(|(other, _)| *other == number);
                    if matches!(step, Step::Edit(_)) {
                        let version = version + 1;
                        conversation.messages[at].1 = version;
                        if let Some(shown) = shown {
                            expected.list[shown].1 = version;
                        }
                        let diff = json!({"diff": {"custom": {"version": version.to_string()}}});
                        events.push(event("message.edited", number, diff));
                    } else {
                        conversation.messages.remove(at);
                        if let Some(shown) = shown {
                            expected.list.remove(shown);
                        }
                        events.push(event("message.deleted", number, json!({})));
                    }
                }
                Step::DeleteLast => if let Some((number, _)) = expected.list.pop() {
                    conversation.messages.retain(|(other, _)| *other != number);
                    events.push(event("message.deleted", number, json!({})));
                }
                Step::Clear => {
                    conversation.messages.clear();
                    expected = Expected { list: Vec::new(), loaded_all: true };
                    events.push(json!({"type": "conversation.cleared", "conversationId": "c1"}));
                }
                // A full window loads nothing, and does not notice that nothing is left to load.
                Step::LoadMore(count) if !expected.loaded_all && expected.list.len() < cap => {
                    let count = expected.list.len() + usize::from(*count);
                    expected = Expected::first_of(&conversation, count);
                }
                _ => {}
            }
            drop(conversation);
            if expected.list.len() > cap {
                expected.list.truncate(cap);
                expected.loaded_all = false;
            }
            if !events.is_empty() {
                world.publish(&events);
                world.run();
            }
            match step {
                Step::LoadMore(count) => {
                    prop_assert!(world.load_more(id, Some(count.into())).is_ok());
                    world.run();
                }
                Step::Lose => {
                    world.cut();
                    world.run_for(crate::support::seconds(40));
                }
                Step::Look => consumer.look(),
                _ => {}
            }
            consumer.take(&world, id);
            prop_assert_eq!(&consumer.list(), &expected.list);
            // A reload may notice that all unseen messages were deleted.
            let shows_all = expected.list.len() == server.borrow().messages.len();
            expected.loaded_all |= shows_all && consumer.loaded_all;
            prop_assert_eq!(consumer.loaded_all, expected.loaded_all);
        }
        consumer.take(&world, id);
        consumer.look();
    }
}
