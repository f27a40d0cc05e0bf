//! Random histories against a small server, after which all snapshots must be correct.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use serde_json::{Value, json};

use super::kit::{Kit, event, unreadable};
use super::world::{Answer, World};
use crate::command::{RequestId, SubscriptionId};
use crate::error::ServerError;
use crate::live::interface::{FetchId, Get};
use crate::model::MessageId;
use crate::snapshot::{Snapshot, Topic};
use crate::wire::{Published, Request};

const SEEDS: u64 = 80;
const STEPS: usize = 700;

#[test]
fn random_histories_end_in_server_state() {
    let mut composed = BTreeMap::new();
    for seed in 0..SEEDS {
        let mut history = History::new(seed);
        for _ in 0..STEPS {
            history.step();
        }
        history.settle();
        history.check();
        for (kind, count) in &history.kit.composed {
            *composed.entry(*kind).or_default() += *count;
        }
    }
    // The kit composed and checked changes of several updates for every kind of list.
    for kind in ["messages", "participants", "reactions", "conversations"] {
        let count: usize = composed.get(kind).copied().unwrap_or_default();
        assert!(count > 10, "{kind}: {count} times in {composed:?}");
    }
}

/// Lists of several pages, whose pages are delayed while conversations move between them.
#[test]
fn lists_moving_while_paging_lose_nothing() {
    for seed in 0..16 {
        let mut history = History::with_conversations(seed, 75);
        for _ in 0..600 {
            history.step_lists();
        }
        history.settle();
        history.check();
    }
    // Lists with a rest behind the first 300 items, and losses while it is loaded.
    for seed in 0..4 {
        let mut history = History::with_conversations(seed, 420);
        history.load_all(Topic::Conversations { filter: None });
        for _ in 0..600 {
            history.step_lists();
        }
        history.settle();
        history.check();
    }
}

/// A conversation that only lists show has the same outputs if it is packed.
#[test]
fn packed_conversations_behave_as_open_ones() {
    for seed in 0..60 {
        let mut packing = History::with_conversations(seed, 12);
        let mut open = History::with_conversations(seed, 12);
        open.kit.live.stores.stay_open = true;
        let mut packed = 0;
        for history in [&mut packing, &mut open] {
            history.subscribe_to(Topic::Conversations { filter: None });
            history.settle();
        }
        for _ in 0..STEPS {
            packing.step();
            open.step();
            packed = packed.max(packing.kit.live.stores.packed_len());
        }
        assert!(packed > 3, "{packed} conversations were packed");
        assert_eq!(packing.kit.open, open.kit.open);
        assert_eq!(packing.kit.resolved, open.kit.resolved);
        assert_eq!(packing.kit.ended, open.kit.ended);
        assert!(packing.kit.seen == open.kit.seen, "snapshots differ");
        assert!(packing.kit.changes == open.kit.changes, "changes differ");
    }
}

/// A window of more than 300 messages, with quotes, and losses while its rest is loaded.
#[test]
fn long_windows_with_losses_end_in_server_state() {
    for seed in 1..4 {
        let mut history = History::new(seed);
        for n in 90..500 {
            let quotes = (n % 7 == 0).then(|| format!("m{}", n - 80));
            history.world.send("c", USERS[1 + n % 3], quotes);
        }
        let conversation = "c".try_into().unwrap();
        history.load_all(Topic::Messages { conversation });
        for step in 1..1_000 {
            history.step();
            match step % 150 {
                0 => history.disconnect(),
                1 => history.connect(),
                _ if step % 9 == 0 => history.change_old_message(),
                _ => {}
            }
        }
        history.settle();
        history.check();
    }
}

#[test]
fn unreadable_events_end_in_server_state() {
    for seed in 0..16 {
        let mut history = History::new(seed);
        history.has_damage = true;
        for _ in 0..STEPS {
            history.step();
        }
        history.settle();
        history.check();
    }
    for seed in 0..4 {
        let mut history = History::with_conversations(seed, 75);
        history.has_damage = true;
        for _ in 0..600 {
            history.step_lists();
        }
        history.settle();
        history.check();
    }
}

/// Returns `Some(true)` if a list is fully loaded, or `None` if the snapshot is not a list.
fn loaded_all(snapshot: &Snapshot) -> Option<bool> {
    match snapshot {
        Snapshot::Messages(Some(window)) => Some(window.loaded_all()),
        Snapshot::Participants(Some(window)) => Some(window.loaded_all()),
        Snapshot::Reactions(Some(window)) => Some(window.loaded_all()),
        Snapshot::Conversations(window) => Some(window.loaded_all()),
        _ => None,
    }
}

/// Data on its way to the client.
enum Item {
    Answer(FetchId, Answer),
    Publish(Vec<Published>),
}

struct History {
    seed: u64,
    random: u64,
    kit: Kit,
    world: World,
    is_connected: bool,
    /// Answers that the server has made but not sent yet. Events may overtake them.
    made: VecDeque<(FetchId, Answer)>,
    incoming: VecDeque<Item>,
    topics: BTreeMap<SubscriptionId, Topic>,
    requests: Vec<RequestId>,
    conversations: Vec<String>,
    /// Set if windows may reach the cap.
    is_capped: bool,
    /// Set if some events are unreadable.
    has_damage: bool,
    /// Lists of conversations that were complete before a loss, and stay complete.
    complete: BTreeSet<SubscriptionId>,
    /// A list that is never unsubscribed.
    kept: Option<SubscriptionId>,
}

impl Drop for History {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the history of seed {} went wrong", self.seed);
        }
    }
}

const FILTERS: [&str; 6] = [
    "null",
    "null",
    r#"{"isUnread":true}"#,
    r#"{"access":["==","Read"]}"#,
    r#"{"hasMessages":false}"#,
    r#"["any",[{"subject":["!=",null],"isUnread":false},{"access":["==","Read"]}]]"#,
];
/// Members that events need if they have them.
const REQUIRED: [&str; 5] = ["state", "diff", "newLastMessage", "messageId", "userId"];
const USERS: [&str; 9] = [
    "me", "alice", "bob", "carl", "dora", "emil", "fred", "gina", "hugo",
];

impl History {
    fn new(seed: u64) -> Self {
        let mut history = Self::with_conversations(seed, 0);
        history.world = World::new();
        history
    }

    /// Creates a history that starts with `count` empty conversations.
    fn with_conversations(seed: u64, count: usize) -> Self {
        let mut conversations: Vec<String> = ["c", "d", "e", "f"].map(str::to_owned).into();
        conversations.extend((0..count).map(|n| format!("c{n}")));
        // Only some histories have windows that reach the cap.
        let is_capped = count == 0 && seed.is_multiple_of(4);
        Self {
            seed,
            random: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            kit: Kit::with_window(if is_capped { 35 } else { 100_000 }),
            is_capped,
            has_damage: false,
            world: World::with_conversations(&conversations),
            conversations,
            complete: BTreeSet::new(),
            kept: None,
            is_connected: false,
            made: VecDeque::new(),
            incoming: VecDeque::new(),
            topics: BTreeMap::new(),
            requests: Vec::new(),
        }
    }

    /// Opens a list and loads all of it.
    fn load_all(&mut self, topic: Topic) {
        self.subscribe_to(topic);
        let id = *self.topics.keys().next().unwrap();
        self.kept = Some(id);
        self.settle();
        while self.kit.seen[&id].last().and_then(loaded_all) == Some(false) {
            self.requests.extend(self.kit.try_load_more(id, Some(30)));
            self.settle();
        }
    }

    /// Changes an old message of the first conversation.
    fn change_old_message(&mut self) {
        let index = 250 + self.below(250);
        let is_deletion = self.below(3) == 0;
        let events = match is_deletion {
            true => self.world.delete("c", index),
            false => self.world.edit("c", index),
        };
        if self.is_connected && !events.is_empty() {
            let events = events.iter().map(event).collect();
            self.incoming.push_back(Item::Publish(events));
        }
    }

    /// Returns a number below `n`.
    fn below(&mut self, n: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random >> 33).unwrap() % n
    }

    fn conversation(&mut self) -> String {
        let count = self.conversations.len();
        let index = self.below(count).min(self.below(count));
        self.conversations[index].clone()
    }

    fn user(&mut self) -> &'static str {
        USERS[self.below(USERS.len())]
    }

    fn step(&mut self) {
        if !self.is_connected && self.below(10) == 0 {
            self.connect();
        }
        match self.below(200) {
            0..60 => self.change_world(),
            60..95 => self.make_answer(),
            95..130 => self.send_answer(),
            130..180 => self.receive(),
            180..190 => self.subscribe(),
            190..193 => self.unsubscribe(),
            193..196 => self.load_more(),
            196..198 => self.get(),
            198 => self.pass_time(),
            _ if self.below(2) == 0 => self.disconnect(),
            _ => {}
        }
        self.kit.drain();
    }

    /// Answers all requests at once, except for pages of lists.
    fn step_lists(&mut self) {
        if !self.is_connected && self.below(5) == 0 {
            self.connect();
        }
        match self.below(200) {
            0..100 => self.change_list(),
            100..125 => self.make_answer(),
            125..150 => self.send_answer(),
            150..160 => {
                let filter = FILTERS[self.below(FILTERS.len())];
                let filter = serde_json::from_str(filter).unwrap();
                self.subscribe_to(Topic::Conversations { filter });
            }
            160..164 => self.unsubscribe(),
            164..190 => self.load_more(),
            190..192 => self.disconnect(),
            _ => {}
        }
        let is_page = |request: &Request| request.path == "/me/conversations";
        while let Some(at) = self.kit.open.iter().position(|(_, r)| !is_page(r)) {
            self.answer_open(at);
            let answer = self.made.pop_back().unwrap();
            self.incoming.push_back(Item::Answer(answer.0, answer.1));
        }
        for _ in 0..self.incoming.len().min(20) {
            self.receive();
        }
        self.kit.drain();
    }

    /// Moves a conversation, or changes the filters that it matches.
    fn change_list(&mut self) {
        let index = self.below(self.conversations.len());
        let conversation = self.conversations[index].clone();
        let world = &mut self.world;
        let events = match self.random % 16 {
            0..9 => world.send(&conversation, "alice", None),
            9 => world.delete(&conversation, 0),
            10 | 11 => world.read(&conversation),
            12 => world.set_subject(&conversation, "subject"),
            13 => world.set_access(&conversation, "me"),
            _ => world.toggle_member(&conversation, "me"),
        };
        if self.is_connected && !events.is_empty() {
            let events = events.into_iter().map(|event| self.damaged(event));
            let events = events.collect();
            self.incoming.push_back(Item::Publish(events));
        }
    }

    fn change_world(&mut self) {
        let (conversation, user) = (self.conversation(), self.user());
        let conversation = conversation.as_str();
        let message = self.below(40).min(self.below(40));
        let what = self.below(40);
        let name = format!("{user}{}", self.below(9));
        let reacted = self.watched_message(conversation).unwrap_or(message / 4);
        let world = &mut self.world;
        let events = match what {
            0..12 => {
                let newest = &world.conversations[conversation].messages;
                let quotes = newest.get(message + 25).map(|message| message.id.clone());
                world.send(
                    conversation,
                    user,
                    quotes.filter(|_| what.is_multiple_of(2)),
                )
            }
            12..15 => world.edit(conversation, message),
            15..18 => world.delete(conversation, message),
            18..22 => world.react(conversation, reacted, user),
            22..25 => world.rename(user, &name),
            25..27 => world.set_subject(conversation, &name),
            27 => world.read(conversation),
            28..31 => world.toggle_member(conversation, user),
            31 => world.toggle_member(conversation, "me"),
            32..34 => world.set_access(conversation, user),
            34..37 if user != "me" => world.toggle_typing(conversation, user),
            37 => world.toggle_online(user),
            38 if message == 0 => world.clear(conversation),
            _ => world.edit(conversation, message + 30),
        };
        if self.is_connected && !events.is_empty() {
            let events = events.into_iter().map(|event| self.damaged(event));
            let events = events.collect();
            self.incoming.push_back(Item::Publish(events));
        }
    }

    /// Reads an event, in some histories after replacing a required member by a number.
    fn damaged(&mut self, mut json: Value) -> Published {
        if !self.has_damage || self.below(8) > 0 {
            return event(&json);
        }
        let (from, count) = (self.below(REQUIRED.len()), REQUIRED.len());
        let mut names = REQUIRED.iter().cycle().skip(from).take(count);
        let Some(name) = names.find(|name| json.get(name).is_some()) else {
            return event(&json);
        };
        json[name] = json!(7);
        unreadable(&json)
    }

    fn make_answer(&mut self) {
        if self.is_connected && !self.kit.open.is_empty() {
            self.answer_open(0);
        }
    }

    fn answer_open(&mut self, at: usize) {
        let (fetch, request) = self.kit.open.remove(at);
        let data: Value = serde_json::from_str(&request.data).unwrap();
        let answer = self
            .world
            .answer(&request.method.to_string(), &request.path, &data);
        self.made.push_back((fetch, answer));
    }

    fn send_answer(&mut self) {
        if let Some((fetch, answer)) = self.made.pop_front() {
            self.incoming.push_back(Item::Answer(fetch, answer));
        }
    }

    fn receive(&mut self) {
        let now = self.kit.now;
        match self.incoming.pop_front() {
            None => {}
            Some(Item::Answer(fetch, Ok(body))) => {
                let body = serde_json::value::to_raw_value(&body).unwrap();
                self.kit.live.handle_answer(now, fetch, Ok(Some(&body)));
            }
            Some(Item::Answer(fetch, Err((status, code)))) => {
                let refused = ServerError::new(status, code, Vec::new());
                self.kit.live.handle_answer(now, fetch, Err(refused.into()));
            }
            Some(Item::Publish(events)) => {
                self.kit.live.handle_events(now, events);
            }
        }
    }

    fn subscribe(&mut self) {
        let conversation = self.conversation().as_str().try_into().unwrap();
        let user = self.user().try_into().unwrap();
        let topic = match self.below(12) {
            0..3 => Topic::Messages { conversation },
            3 => Topic::Conversation { conversation },
            4 | 5 => Topic::Conversations {
                filter: serde_json::from_str(FILTERS[self.below(FILTERS.len())]).unwrap(),
            },
            6 | 7 => Topic::Participants { conversation },
            8 => Topic::Typing { conversation },
            9 => Topic::Participant { conversation, user },
            10 => Topic::Reactions {
                message: self.reacted_message(conversation.as_str()),
                emoji: "👍".try_into().unwrap(),
                conversation,
            },
            _ if self.below(2) == 0 => Topic::User { user },
            _ => Topic::Online { user },
        };
        self.subscribe_to(topic);
    }

    fn subscribe_to(&mut self, topic: Topic) {
        let id = self.kit.subscribe(topic.clone());
        self.topics.insert(id, topic);
    }

    /// Returns the index of the message in `conversation` whose reactions are shown.
    fn watched_message(&self, conversation: &str) -> Option<usize> {
        let messages = &self.world.conversations[conversation].messages;
        self.topics.values().find_map(|topic| match topic {
            Topic::Reactions {
                conversation: of,
                message,
                ..
            } if *of == conversation => messages.iter().position(|it| *message == it.id.as_str()),
            _ => None,
        })
    }

    /// Returns a message that may have reactions, or one that does not exist.
    fn reacted_message(&mut self, conversation: &str) -> MessageId {
        let at = self.below(8);
        let messages = &self.world.conversations[conversation].messages;
        let id = messages.get(at).map_or("m9999", |message| &message.id);
        id.try_into().unwrap()
    }

    fn unsubscribe(&mut self) {
        if !self.topics.is_empty() {
            let index = self.below(self.topics.len());
            let id = *self.topics.keys().nth(index).unwrap();
            if self.kept == Some(id) {
                return;
            }
            self.topics.remove(&id);
            self.complete.remove(&id);
            self.kit.unsubscribe(id);
        }
    }

    fn load_more(&mut self) {
        if !self.topics.is_empty() {
            let (index, count) = (self.below(self.topics.len()), self.below(30) + 1);
            let id = *self.topics.keys().nth(index).unwrap();
            self.requests
                .extend(self.kit.try_load_more(id, Some(count)));
        }
    }

    fn get(&mut self) {
        let conversation = self.conversation().as_str().try_into().unwrap();
        let user = self.user().try_into().unwrap();
        let message = format!("m{}", self.below(120)).try_into().unwrap();
        let get = match self.below(5) {
            0 => Get::User(user),
            1 => Get::Conversation(conversation),
            2 => Get::Participant(conversation, user),
            3 => Get::Message(conversation, message),
            _ => Get::FirstReactions(conversation, message, "👍".try_into().unwrap()),
        };
        self.requests.push(self.kit.get(get));
    }

    fn pass_time(&mut self) {
        let seconds = u64::try_from(self.below(20)).unwrap();
        self.kit.now = self.kit.now + Duration::from_secs(seconds);
        self.kit.live.handle_timeout(self.kit.now);
    }

    fn disconnect(&mut self) {
        if self.is_connected {
            self.is_connected = false;
            for (id, seen) in &self.kit.seen {
                if let Some(Snapshot::Conversations(window)) = seen.last()
                    && window.loaded_all()
                    && self.topics.contains_key(id)
                {
                    self.complete.insert(*id);
                }
            }
            self.kit.open.clear();
            self.made.clear();
            self.incoming.clear();
            self.world.subscribed.clear();
            self.kit.live.handle_lost(self.kit.now);
        }
    }

    fn connect(&mut self) {
        if !self.is_connected {
            self.is_connected = true;
            self.kit.live.handle_ready(self.kit.now);
        }
    }

    /// Delivers all pending data.
    fn settle(&mut self) {
        self.connect();
        for _ in 0..10_000 {
            self.kit.drain();
            self.make_answer();
            self.send_answer();
            self.receive();
            if self.kit.open.is_empty() && self.made.is_empty() && self.incoming.is_empty() {
                self.kit.drain();
                if self.kit.open.is_empty() {
                    return;
                }
            }
        }
        panic!("seed {}: it does not settle", self.seed);
    }

    fn check(&mut self) {
        let seed = self.seed;
        for request in &self.requests {
            assert!(
                self.kit.resolved.contains_key(request),
                "seed {seed}: {request:?} hangs"
            );
        }
        for (id, topic) in &self.topics {
            assert!(
                !self.kit.ended.contains_key(id),
                "seed {seed}: {topic:?} ended"
            );
            let shown = self.kit.seen.get(id).and_then(|seen| seen.last());
            let shown = shown.unwrap_or_else(|| panic!("seed {seed}: {topic:?} shows nothing"));
            let loaded_all = loaded_all(shown);
            let shown = serde_json::to_value(shown).unwrap();
            let mut right = self.right(topic);
            if let (Some(items), Some(list)) = (shown.as_array(), right.as_array_mut()) {
                let rest = list.len().saturating_sub(items.len());
                list.truncate(items.len());
                assert!(
                    loaded_all != Some(true) || rest == 0,
                    "seed {seed}: {topic:?} has {rest} more"
                );
                assert!(
                    rest == 0 || self.is_capped || !self.complete.contains(id),
                    "seed {seed}: {topic:?} is no longer complete"
                );
            }
            assert!(
                shown == right,
                "seed {seed}: {topic:?}\nshows {shown:#}\nnot   {right:#}"
            );
        }
        for id in self.topics.keys().copied().collect::<Vec<_>>() {
            self.kit.unsubscribe(id);
        }
        for _ in 0..4 {
            self.kit.wait(40);
        }
        assert!(self.kit.live.is_idle(), "seed {seed}: something stays");
        self.settle();
        assert!(
            self.world.subscribed.is_empty(),
            "seed {seed}: {:?}",
            self.world.subscribed
        );
    }

    /// Returns the correct snapshot of a topic; of a list, all items.
    fn right(&self, topic: &Topic) -> Value {
        let world = &self.world;
        let is_mine = |name: &str| world.mine().iter().any(|mine| mine == name);
        match topic {
            // The live half has no outbox.
            Topic::Outbox => Value::Null,
            Topic::User { user } => json!(world.user(user.as_str())),
            Topic::Online { user } => world.user(user.as_str()).map_or(
                Value::Null,
                |shown| json!({"user": shown, "isConnected": world.online.contains(user.as_str())}),
            ),
            Topic::Conversations { filter } => {
                let filter = filter.clone().unwrap_or_default();
                let mine = world.mine_that_match(&filter);
                mine.iter().map(|name| world.shown_side(name)).collect()
            }
            Topic::Conversation { conversation: c }
            | Topic::Messages { conversation: c }
            | Topic::Participants { conversation: c }
            | Topic::Participant {
                conversation: c, ..
            }
            | Topic::Typing { conversation: c }
            | Topic::Reactions {
                conversation: c, ..
            } if !is_mine(c.as_str()) => {
                json!(null)
            }
            Topic::Conversation { conversation } => world.shown_side(conversation.as_str()),
            Topic::Messages { conversation } => {
                let name = conversation.as_str();
                let messages = world.conversations[name].messages.iter();
                messages.map(|message| world.shown(name, message)).collect()
            }
            Topic::Participants { conversation } => {
                world.shown_participants(conversation.as_str()).into()
            }
            Topic::Participant { conversation, user } => {
                world.shown_participant(conversation.as_str(), user.as_str())
            }
            Topic::Typing { conversation } => {
                let typing = world.typing(conversation.as_str());
                let Some(users) = typing["usersTyping"].as_object() else {
                    return typing;
                };
                let mut users: Vec<_> = users.iter().collect();
                users.sort_by_key(|(_, since)| since.as_i64());
                let users: Vec<_> = users
                    .iter()
                    .filter_map(|(user, _)| world.user(user))
                    .collect();
                json!({"many": false, "users": users})
            }
            Topic::Reactions {
                conversation,
                message,
                ..
            } => {
                let messages = &world.conversations[conversation.as_str()].messages;
                let Some(message) = messages.iter().find(|m| m.id == message.as_str()) else {
                    return json!(null);
                };
                let mut reactions: Vec<_> = message.reactions.iter().collect();
                reactions.sort_by_key(|(_, at)| **at);
                let shown = |(user, at): (&String, &i64)| {
                    Some(json!({"user": world.user(user)?, "createdAt": at}))
                };
                reactions.into_iter().filter_map(shown).collect()
            }
        }
    }
}
