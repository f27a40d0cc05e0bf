//! Connections and their subscriptions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use talk_proto::encode_component;

use super::conversation::Conversation;
use super::output::ConnectionId;

/// A user id, shared by the user's connections and subscriptions.
pub(super) type UserId = Arc<str>;

/// The subject of a subscription.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    /// A user, of `/users`.
    User(String),
    /// `/users/{id}/online`
    Online(String),
    /// `/me/conversations` of a user.
    Conversations(String),
    /// A part of a conversation.
    Conversation { id: String, part: Part },
}

/// A part of a conversation. `Side` must be the first variant: ranges start there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// The conversation as seen by a user.
    Side(String),
    Messages,
    Participants,
    Participant(String),
    Typing,
    Reactions {
        message: String,
        emoji: String,
    },
}

impl Topic {
    pub(super) fn side(conversation: &str, user: &str) -> Self {
        Self::part(conversation, Part::Side(user.to_owned()))
    }

    pub(super) fn part(conversation: &str, part: Part) -> Self {
        Self::Conversation {
            id: conversation.to_owned(),
            part,
        }
    }

    /// Returns the path of the subscription.
    pub(super) fn path(&self) -> String {
        let (id, part) = match self {
            Self::User(user) => return format!("/users/{}", encode_component(user)),
            Self::Online(user) => return format!("/users/{}/online", encode_component(user)),
            Self::Conversations(_) => return "/me/conversations".to_owned(),
            Self::Conversation { id, part } => (id, part),
        };
        let part = match part {
            Part::Side(_) => String::new(),
            Part::Messages => "/messages".to_owned(),
            Part::Participants => "/participants".to_owned(),
            Part::Participant(user) => format!("/participants/{}", encode_component(user)),
            Part::Typing => "/typing".to_owned(),
            Part::Reactions { message, emoji } => {
                format!(
                    "/messages/{}/reactions/{}",
                    encode_component(message),
                    encode_component(emoji)
                )
            }
        };
        format!("/me/conversations/{}{part}", encode_component(id))
    }

    /// Returns `true` if the topic includes the state of a user's sides.
    fn includes_side_state(&self) -> bool {
        match self {
            Self::Conversations(_) => true,
            Self::Conversation { part, .. } => matches!(part, Part::Side(_)),
            Self::User(_) | Self::Online(_) => false,
        }
    }
}

/// The authenticated connections of an app, indexed by user and by topic.
#[derive(Debug, Default)]
pub(super) struct Subscribers {
    connections: BTreeMap<ConnectionId, Subscriber>,
    users: BTreeMap<UserId, UserEntry>,
    topics: BTreeMap<Topic, BTreeMap<ConnectionId, UserId>>,
}

#[derive(Debug, Default)]
struct UserEntry {
    connections: BTreeSet<ConnectionId>,
    /// The number of subscriptions that include the state of sides.
    sides: usize,
}

#[derive(Debug)]
struct Subscriber {
    user: UserId,
    topics: BTreeSet<Topic>,
}

impl Subscribers {
    /// Adds a connection. Returns `true` if it is the user's first.
    pub(super) fn connect(&mut self, connection: ConnectionId, user: &str) -> bool {
        let user: UserId = self
            .users
            .get_key_value(user)
            .map_or_else(|| user.into(), |(known, _)| known.clone());
        let entry = self.users.entry(user.clone()).or_default();
        let first = entry.connections.is_empty();
        entry.connections.insert(connection);
        self.connections
            .entry(connection)
            .or_insert_with(|| Subscriber {
                user,
                topics: BTreeSet::new(),
            });
        first
    }

    /// Removes a connection and its subscriptions. Returns the user if it was the last one.
    pub(super) fn disconnect(&mut self, connection: ConnectionId) -> Option<UserId> {
        let Subscriber { user, topics } = self.connections.remove(&connection)?;
        for topic in topics {
            self.remove_from_topic(connection, &user, &topic);
        }
        let entry = self.users.get_mut(&user)?;
        entry.connections.remove(&connection);
        if !entry.connections.is_empty() {
            return None;
        }
        self.users.remove(&user);
        Some(user)
    }

    pub(super) fn subscribe(&mut self, connection: ConnectionId, topic: Topic) {
        let Some(subscriber) = self.connections.get_mut(&connection) else {
            return;
        };
        if subscriber.topics.insert(topic.clone()) {
            let user = subscriber.user.clone();
            if let Some(entry) = self.users.get_mut(&user) {
                entry.sides += usize::from(topic.includes_side_state());
            }
            self.topics
                .entry(topic)
                .or_default()
                .insert(connection, user);
        }
    }

    pub(super) fn unsubscribe(&mut self, connection: ConnectionId, topic: &Topic) {
        let Some(subscriber) = self.connections.get_mut(&connection) else {
            return;
        };
        if subscriber.topics.remove(topic) {
            let user = subscriber.user.clone();
            self.remove_from_topic(connection, &user, topic);
        }
    }

    fn remove_from_topic(&mut self, connection: ConnectionId, user: &str, topic: &Topic) {
        if let Some(entry) = self.users.get_mut(user) {
            entry.sides -= usize::from(topic.includes_side_state());
        }
        if let Some(of_topic) = self.topics.get_mut(topic) {
            of_topic.remove(&connection);
            if of_topic.is_empty() {
                self.topics.remove(topic);
            }
        }
    }

    /// Iterates over the subscriptions of a connection.
    pub(super) fn topics_of(&self, connection: ConnectionId) -> impl Iterator<Item = &Topic> {
        let topics = self.connections.get(&connection).map(|it| &it.topics);
        topics.into_iter().flatten()
    }

    /// Returns the number of subscriptions of a connection.
    pub(super) fn count(&self, connection: ConnectionId) -> usize {
        self.connections
            .get(&connection)
            .map_or(0, |subscriber| subscriber.topics.len())
    }

    /// Returns `true` if the connection belongs to the user.
    pub(super) fn belongs_to(&self, connection: ConnectionId, user: &str) -> bool {
        self.connections
            .get(&connection)
            .is_some_and(|subscriber| *subscriber.user == *user)
    }

    pub(super) fn is_connected(&self, user: &str) -> bool {
        self.users.contains_key(user)
    }

    /// Iterates over the user's connections, each with the first conversation of which it observes
    /// the typing users.
    pub(super) fn typing_topics(
        &self,
        user: &str,
    ) -> impl Iterator<Item = (ConnectionId, Option<&str>)> {
        let connections = self.users.get(user).into_iter();
        let connections = connections.flat_map(|entry| &entry.connections);
        connections.map(|connection| {
            let topics = self.connections.get(connection).map(|it| &it.topics);
            let typing = topics.into_iter().flatten().find_map(|topic| match topic {
                Topic::Conversation {
                    id,
                    part: Part::Typing,
                } => Some(id.as_str()),
                _ => None,
            });
            (*connection, typing)
        })
    }

    /// Returns `true` if any of the user's connections is subscribed to sides.
    pub(super) fn has_side_subscription(&self, user: &str) -> bool {
        self.users.get(user).is_some_and(|entry| entry.sides > 0)
    }

    /// Iterates over the connections subscribed to a topic.
    pub(super) fn for_topic<'a>(
        &'a self,
        topic: &Topic,
    ) -> impl Iterator<Item = (ConnectionId, &'a UserId)> + use<'a> {
        self.topics
            .get(topic)
            .into_iter()
            .flatten()
            .map(|(connection, user)| (*connection, user))
    }

    /// Iterates over the connections of participants subscribed to a part of a conversation.
    pub(super) fn for_part<'a>(
        &'a self,
        id: &str,
        part: Part,
        conversation: &'a Conversation,
    ) -> impl Iterator<Item = (ConnectionId, &'a UserId)> + use<'a> {
        self.for_topic(&Topic::part(id, part))
            .filter(|(_, user)| conversation.participants.contains_key(&***user))
    }

    /// Returns the user's connections subscribed to this side or to the list of conversations.
    pub(super) fn for_side(&self, conversation: &str, user: &str) -> BTreeSet<ConnectionId> {
        let list = Topic::Conversations(user.to_owned());
        let side = Topic::side(conversation, user);
        self.for_topic(&list)
            .chain(self.for_topic(&side))
            .map(|(connection, _)| connection)
            .collect()
    }

    /// Returns the user's connections subscribed to any part of the conversation or to the list.
    pub(super) fn for_any_part(&self, conversation: &str, user: &str) -> BTreeSet<ConnectionId> {
        let list = Topic::Conversations(user.to_owned());
        let first = Topic::part(conversation, Part::Side(String::new()));
        let wants = |topics: &BTreeSet<Topic>| {
            topics.contains(&list)
                || topics.range(&first..).next().is_some_and(
                    |topic| matches!(topic, Topic::Conversation { id, .. } if id == conversation),
                )
        };
        self.users
            .get(user)
            .into_iter()
            .flat_map(|entry| &entry.connections)
            .filter(|connection| {
                self.connections
                    .get(connection)
                    .is_some_and(|it| wants(&it.topics))
            })
            .copied()
            .collect()
    }

    /// Iterates over the connections of participants subscribed to any reaction to the message.
    pub(super) fn for_reactions<'a>(
        &'a self,
        id: &'a str,
        message: &'a str,
        conversation: &'a Conversation,
    ) -> impl Iterator<Item = (ConnectionId, &'a UserId)> {
        let reactions = |emoji: String| {
            Topic::part(
                id,
                Part::Reactions {
                    message: message.to_owned(),
                    emoji,
                },
            )
        };
        self.topics
            .range(reactions(String::new())..)
            .take_while(move |(topic, _)| {
                let Topic::Conversation { id: of, part } = topic else {
                    return false;
                };
                of == id && matches!(part, Part::Reactions { message: to, .. } if to == message)
            })
            .flat_map(|(_, of_topic)| of_topic)
            .map(|(connection, user)| (*connection, user))
            .filter(|(_, user)| conversation.participants.contains_key(&***user))
    }
}
