//! Commands of the users to their sessions.

use std::time::Duration;

use fastrand::Rng;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use talk_proto::{
    Call, CommandError, Reply, RequestId, Session, SubscriptionId, Timestamp, Topic,
    command::SendMessage,
    content::ContentBlock,
    filter::ConversationFilter,
    model::MessageId,
    search::SearchKind,
    upload::{Upload, UploadKind},
};

use super::broken::broken;
use super::op::Command;
use super::world::{CONVERSATIONS, Known, Proof, USERS, World};

/// The maximum number of subscriptions, and of searches, of a session.
const SUBSCRIPTIONS: usize = 10;
const SEARCHES: usize = 3;
/// The number of recent messages that users refer to, such as in replies and edits.
const KNOWN: usize = 40;
/// The number of times that a long window is extended in a row, and the time for each.
const LOADS: usize = 5;
const LOAD_TIME: Duration = Duration::from_millis(400);
const EMOJI: [&str; 4] = ["👍", "❤️", ":party:", "🎉"];
const WORDS: [&str; 6] = [
    "apple",
    "pear",
    "plum",
    "*bold*",
    "_fig_",
    "www.talk.example",
];

fn id<T: for<'a> TryFrom<&'a str>>(text: &str) -> T {
    T::try_from(text).unwrap_or_else(|_| broken("IDs are IDs", text))
}

fn params<T: DeserializeOwned>(params: Value) -> T {
    serde_json::from_value(params).unwrap_or_else(|error| broken("parameters", error.to_string()))
}

fn one<T: Copy>(of: &[T], dice: &mut Rng) -> T {
    of[dice.usize(..of.len())]
}

impl World {
    /// Executes a command in the session `who`, with details drawn from the seed `details`.
    pub(super) fn command(&mut self, who: usize, command: Command, details: u32) {
        if self.nets[who].asleep_until > self.now {
            return;
        }
        if self.undrained.is_some_and(|other| other != who) {
            self.finish_tick();
        }
        self.revive(who);
        self.steps += 1;
        self.trace(who, || format!("* {command:?}"));
        let mut dice = Rng::with_seed(details.into());
        let dice = &mut dice;
        let c = one(&CONVERSATIONS, dice);
        let known = self.known(dice);
        match (command, known) {
            (Command::Send, _) => self.send(who, c, None, dice),
            (Command::SendMany, _) => {
                let more = self.more_conversations;
                for _ in 0..dice.u32(5..70) {
                    // Messages move the conversations of long lists between their pages.
                    let c = if more.is_empty() { c } else { one(more, dice) };
                    self.send(who, c, None, dice);
                }
            }
            (Command::Reply, Some(known)) => self.send(who, known.conversation, Some(&known), dice),
            (Command::SendFile, _) => self.send_file(who, c, dice),
            (Command::DeleteMessage, Some(known)) => self.delete(who, &known),
            (Command::Cancel, _) => self.cancel(who, dice),
            (Command::Subscribe, known) => self.subscribe(who, known, dice),
            (Command::Unsubscribe, _) => {
                if let Some(id) = self.active(who, dice) {
                    // The subscription may have ended already.
                    self.execute(who, |session, now| drop(session.unsubscribe(now, id)));
                }
            }
            (Command::LoadMore, _) if self.has_long_windows => self.load_far(who),
            (Command::LoadMore, _) => {
                let count = [None, Some(3), Some(20), Some(30)][dice.usize(..4)];
                if let Some(id) = self.active(who, dice) {
                    self.ask(who, |session, now| session.load_more(now, id, count));
                }
            }
            (Command::SetToken, _) => self.set_token(who),
            (Command::NetworkChanged, _) => self.execute(who, Session::network_changed),
            (Command::Release, _) => self.execute(who, Session::release),
            (Command::Search, _) => self.search(who, dice),
            (Command::SearchMore, _) => {
                if let Some(id) = self.clients[who].searches.last().copied() {
                    self.ask(who, |session, now| session.search_more(now, id, None));
                }
            }
            (Command::EndSearch, _) => {
                if let Some(id) = self.clients[who].searches.pop() {
                    self.execute(who, |session, now| drop(session.end_search(now, id)));
                }
            }
            (Command::Upload, _) => self.upload(who, dice),
            (
                Command::Enqueue
                | Command::EnqueueReply
                | Command::ChangeEntry
                | Command::RetryAll
                | Command::Pause
                | Command::Resume,
                _,
            ) => self.outbox_command(who, command, c, dice),
            (command, known) => {
                if let Some(call) = call(command, c, known, dice) {
                    self.ask(who, |session, now| session.call(now, call));
                }
            }
        }
        self.undrained = Some(who);
    }

    fn ask(
        &mut self,
        who: usize,
        command: impl FnOnce(&mut Session, Timestamp) -> Result<RequestId, CommandError>,
    ) -> Option<RequestId> {
        let now = self.now;
        self.clients[who].ask(now, command)
    }

    fn known(&self, dice: &mut Rng) -> Option<Known> {
        let index = dice.usize(..self.known.len().max(1));
        self.known.get(index).cloned()
    }

    fn active(&self, who: usize, dice: &mut Rng) -> Option<SubscriptionId> {
        let shown = self.clients[who].shown.iter();
        let active: Vec<_> = shown.filter(|(_, s)| s.ended.is_none()).collect();
        let index = dice.usize(..active.len().max(1));
        active.get(index).map(|(id, _)| **id)
    }

    fn send(&mut self, who: usize, c: &'static str, reply_to: Option<&Known>, dice: &mut Rng) {
        let text = format!("{} {}", one(&WORDS, dice), one(&WORDS, dice));
        let mut message = SendMessage::text(text);
        if let Some(known) = reply_to {
            message = message.reply_to(id::<MessageId>(&known.id));
        }
        self.send_message(who, c, message);
    }

    fn send_file(&mut self, who: usize, c: &'static str, dice: &mut Rng) {
        let Some(token) = self.files.get(dice.usize(..self.files.len().max(1))) else {
            return;
        };
        let block = json!({"type": "file", "fileToken": token});
        let blocks: Vec<ContentBlock> = vec![params(block)];
        self.send_message(who, c, SendMessage::content(blocks));
    }

    fn send_message(&mut self, who: usize, c: &'static str, message: SendMessage) {
        let number = self.sends.next_number();
        let call = Call::SendMessage {
            conversation: id(c),
            message: message.custom("n", number.to_string()),
        };
        let from = (who, self.clients[who].life);
        if let Some(request) = self.ask(who, |session, now| session.call(now, call)) {
            self.sends.sent(number, from, request, c);
        }
    }

    fn delete(&mut self, who: usize, known: &Known) {
        let call = Call::DeleteMessage {
            conversation: id(known.conversation),
            message: id(&known.id),
        };
        self.sends.deleted(known.number);
        self.ask(who, |session, now| session.call(now, call));
    }

    fn cancel(&mut self, who: usize, dice: &mut Rng) {
        let requests = &self.clients[who].requests;
        let recent = requests.len().saturating_sub(6);
        if let Some(&request) = requests.get(dice.usize(recent..requests.len().max(recent + 1))) {
            // The request may be resolved already.
            self.execute(who, |session, now| drop(session.cancel(now, request)));
        }
    }

    fn subscribe(&mut self, who: usize, known: Option<Known>, dice: &mut Rng) {
        let shown = self.clients[who].shown.values();
        if shown.filter(|s| s.ended.is_none()).count() < SUBSCRIPTIONS {
            let now = self.now;
            let topic = topic(known, dice);
            self.clients[who].subscribe(now, topic);
        }
    }

    /// Extends the window of the messages of the first conversation several times.
    fn load_far(&mut self, who: usize) {
        let wanted = Topic::Messages {
            conversation: id(CONVERSATIONS[0]),
        };
        for _ in 0..LOADS {
            let mut shown = self.clients[who].shown.iter();
            let found = shown.find(|(_, s)| s.ended.is_none() && s.topic == wanted);
            match found.map(|(id, _)| *id) {
                Some(id) => {
                    self.ask(who, |session, now| session.load_more(now, id, Some(100)));
                }
                None => {
                    let now = self.now;
                    self.clients[who].subscribe(now, wanted.clone());
                }
            }
            self.undrained = Some(who);
            self.run_for(LOAD_TIME);
            self.revive(who);
            if self.nets[who].asleep_until > self.now {
                return;
            }
        }
    }

    fn set_token(&mut self, who: usize) {
        if self.proof == Proof::Boken {
            return;
        }
        let user = self.clients[who].user;
        let token = self.token(user, self.now + Duration::from_secs(3_600));
        let client = &mut self.clients[who];
        client.tokens.push(token.clone());
        client.token_set();
        self.execute(who, |session, now| {
            drop(session.set_token(now, token.into()));
        });
    }

    fn search(&mut self, who: usize, dice: &mut Rng) {
        let kind = [SearchKind::Messages, SearchKind::Conversations][dice.usize(..2)];
        if self.clients[who].searches.len() < SEARCHES {
            let mut search = None;
            self.execute(who, |session, now| {
                search = session.start_search(now, kind).ok();
            });
            self.clients[who].searches.extend(search);
        }
        let searches = &self.clients[who].searches;
        let Some(&id) = searches.get(dice.usize(..searches.len().max(1))) else {
            return;
        };
        let text = one(&["app", "p", "subject", "fig plum"], dice);
        let filter = filter(dice).unwrap_or_default();
        self.ask(who, |session, now| {
            session.set_query(now, id, text, &filter)
        });
    }

    fn upload(&mut self, who: usize, dice: &mut Rng) {
        let names = ["a.txt", "photo \"1\".jpg", "ж.pdf"];
        let mut upload = Upload::new(UploadKind::File, one(&names, dice), dice.u64(0..1 << 40));
        if dice.u8(..4) == 0 {
            upload = upload.once();
        }
        let file = upload.clone();
        if let Some(request) = self.ask(who, |session, now| session.upload(now, file)) {
            self.uploads.insert((who, request), upload);
        }
    }

    /// Handles the calls that were resolved.
    pub(super) fn note_resolved(&mut self, who: usize) {
        let from = (who, self.clients[who].life);
        for (request, result) in std::mem::take(&mut self.clients[who].resolved) {
            self.uploads.remove(&(who, request));
            let sent = self.sends.resolved(from, request, &result);
            match (sent, result) {
                (Some((number, conversation)), Ok(Reply::Sent(id))) => {
                    self.known.truncate(KNOWN - 1);
                    self.known.push_front(Known {
                        conversation,
                        id: id.as_str().to_owned(),
                        number,
                    });
                }
                (None, Ok(Reply::Uploaded { file_token })) => {
                    self.files.truncate(KNOWN - 1);
                    self.files.push_front(file_token);
                }
                _ => {}
            }
        }
    }
}

/// Returns a call with random arguments.
fn call(command: Command, c: &str, known: Option<Known>, dice: &mut Rng) -> Option<Call> {
    let n = dice.u32(..);
    let u = one(&USERS, dice);
    let (conversation, user) = (id(c), id(u));
    let access = one(&["Read", "ReadWrite", "ReadWrite", "ReadWrite"], dice);
    Some(match command {
        Command::MarkAsRead => Call::MarkAsRead { conversation },
        Command::MarkAsUnread => Call::MarkAsUnread { conversation },
        Command::MarkAsTyping => Call::MarkAsTyping { conversation },
        Command::CreateConversation => Call::CreateConversation {
            conversation,
            params: params(json!({"subject": "created"})),
        },
        Command::SetConversation => Call::SetConversation {
            conversation,
            params: params(conversation_params(n)),
        },
        Command::CreateUser => Call::CreateUser {
            user,
            params: params(json!({"name": u})),
        },
        Command::SetUser => Call::SetUser {
            user,
            params: params(json!({"name": format!("{u} {n}"), "custom": {"k": n.to_string()}})),
        },
        Command::CreateParticipant => Call::CreateParticipant {
            conversation,
            user,
            params: params(json!({})),
        },
        Command::SetParticipant => Call::SetParticipant {
            conversation,
            user,
            params: params(json!({"access": access})),
        },
        Command::EditParticipant => Call::EditParticipant {
            conversation,
            user,
            params: params(json!({"notify": n.is_multiple_of(2), "access": access})),
        },
        Command::DeleteParticipant => Call::DeleteParticipant { conversation, user },
        Command::Get if n.is_multiple_of(3) => Call::GetConversation { conversation },
        Command::Get if n.is_multiple_of(2) => Call::GetUser { user },
        Command::Get if n.is_multiple_of(5) => Call::GetParticipant { conversation, user },
        _ => return call_about_message(command, known?, n, dice),
    })
}

fn conversation_params(n: u32) -> Value {
    match n % 5 {
        0 => json!({"subject": null, "custom": null}),
        1 => json!({"notify": n.is_multiple_of(2)}),
        2 => json!({"custom": {"color": "red", "gone": null}}),
        3 => json!({"custom": {"color": null}, "welcomeMessages": ["welcome"]}),
        _ => json!({"subject": format!("subject {}", n % 3), "photoUrl": "https://x.example/y"}),
    }
}

fn call_about_message(command: Command, known: Known, n: u32, dice: &mut Rng) -> Option<Call> {
    let (conversation, message) = (id(known.conversation), id(&known.id));
    let emoji = id(one(&EMOJI, dice));
    Some(match command {
        Command::EditMessage => Call::EditMessage {
            conversation,
            message,
            edit: format!("{} edit {n}", one(&WORDS, dice)).into(),
        },
        Command::AddReaction => Call::AddReaction {
            conversation,
            message,
            emoji,
        },
        Command::RemoveReaction => Call::RemoveReaction {
            conversation,
            message,
            emoji,
        },
        Command::Translate => Call::TranslateMessage {
            conversation,
            message,
            language: "nl".to_owned(),
        },
        Command::Get if n.is_multiple_of(7) => Call::GetFirstReactions {
            conversation,
            message,
            emoji,
        },
        Command::Get => Call::GetMessage {
            conversation,
            message,
        },
        _ => return None,
    })
}

fn topic(known: Option<Known>, dice: &mut Rng) -> Topic {
    let conversation = id(one(&CONVERSATIONS, dice));
    let user = id(one(&USERS, dice));
    match (dice.u32(0..12), known) {
        (0, _) => Topic::User { user },
        (1, _) => Topic::Online { user },
        (2 | 3, _) => Topic::Conversation { conversation },
        (4 | 5, _) => Topic::Messages { conversation },
        (6, _) => Topic::Participants { conversation },
        (7, _) => Topic::Participant { conversation, user },
        (8, _) => Topic::Typing { conversation },
        (9, Some(known)) => Topic::Reactions {
            conversation: id(known.conversation),
            message: id(&known.id),
            emoji: id(one(&EMOJI, dice)),
        },
        _ => Topic::Conversations {
            filter: filter(dice),
        },
    }
}

fn filter(dice: &mut Rng) -> Option<ConversationFilter> {
    let filters = [
        json!({"isUnread": true}),
        json!({"custom": {"color": ["==", "red"]}}),
        json!({"custom": {"color": "!exists"}}),
        json!({"subject": ["oneOf", ["subject 1", null]]}),
        json!({"hasMessages": true, "access": ["==", "ReadWrite"]}),
        json!(["any", [{"access": ["==", "Read"]}, {"custom": {"color": ["!=", "red"]}}]]),
    ];
    let index = dice.usize(..filters.len() * 2);
    filters.get(index).map(|filter| params(filter.clone()))
}
