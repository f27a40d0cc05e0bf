//! `notification.triggered`: notifications of messages that stay unread.

use std::time::Duration;

use serde::Serialize;
use talk_proto::Timestamp;

use super::causes::{queue_in, raw, user_view};
use super::kind::WebhookKind;
use super::mentions;
use crate::server::conversation::{Conversation, Notify, PendingNotification};
use crate::server::machine::Server;
use crate::server::message::{Message, MessageKind};
use crate::server::request_cx::RequestCx;
use crate::server::timers::Timer;
use crate::server::views::{ConversationView, MessageView, UserView};

/// The maximum number of messages of a notification (our choice).
const MAX_MESSAGES: usize = 100;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NotificationData<'a> {
    notification_id: String,
    recipient: Option<UserView<'a>>,
    /// The sender of the last message (our choice).
    sender: Option<UserView<'a>>,
    conversation: ConversationView<'a>,
    messages: Vec<MessageView<'a>>,
}

/// Schedules the notifications of a new message. A recipient with a pending notification gets no
/// second one.
pub(in crate::server) fn schedule_notifications(cx: &mut RequestCx<'_>, id: &str, message: &str) {
    let Some(after) = cx.settings.webhooks.notify_after() else {
        return;
    };
    let (now, at) = (cx.millis(), cx.millis().saturating_add(after));
    let Ok(conversation) = cx.store.conversation_mut(id) else {
        return;
    };
    let (messages, participants) = (&conversation.messages, &mut conversation.participants);
    let Some(message) = messages.get(message) else {
        return;
    };
    if message.kind == MessageKind::SystemMessage {
        return;
    }
    let from = message.created_at;
    for (user, participation) in participants {
        let pending = participation.pending_notification.as_ref();
        if pending.is_some_and(|pending| pending.at > now)
            || !message.is_unread_by(user, participation.read_until)
            || !is_notified(participation.notify, message, user)
        {
            continue;
        }
        participation.pending_notification = Some(PendingNotification { from, at });
        let due = Timer::notification(cx.app, id, user);
        cx.timers.set(cx.now + Duration::from_millis(after), due);
    }
}

/// Queues the notification of a user if messages have been unread for the whole time. If older ones
/// were read meanwhile, the notification is postponed.
pub(in crate::server) fn notification_due(cx: &mut RequestCx<'_>, id: &str, user: &str) {
    let (now, after) = (cx.millis(), cx.settings.webhooks.notify_after());
    let Ok(conversation) = cx.store.conversation_mut(id) else {
        return;
    };
    let Some(participation) = conversation.participants.get_mut(user) else {
        return;
    };
    let is_due = |pending: &mut PendingNotification| pending.at <= now;
    let pending = participation.pending_notification.take_if(is_due);
    let (Some(pending), Some(after)) = (pending, after) else {
        return;
    };
    let unread = unread(conversation, user, pending.from);
    let (Some(first), Some(last)) = (unread.first(), unread.last()) else {
        return;
    };
    let (from, at) = (first.created_at, first.created_at.saturating_add(after));
    // The time of a message may be ahead of the clock by milliseconds.
    if at > now && from > pending.from {
        if let Some(participation) = conversation.participants.get_mut(user) {
            participation.pending_notification = Some(PendingNotification { from, at });
        }
        let due = Timer::notification(cx.app, id, user);
        cx.timers.set(cx.now + Duration::from_millis(at - now), due);
        return;
    }
    let sender = last.sender.clone().unwrap_or_default();
    let Ok(conversation) = cx.store.conversation(id) else {
        return;
    };
    let messages = self::unread(conversation, user, pending.from).into_iter();
    let data = raw(&NotificationData {
        notification_id: cx.random.id("ntf_"),
        recipient: user_view(cx.store, user),
        sender: user_view(cx.store, &sender),
        conversation: ConversationView::new(id, conversation),
        messages: messages
            .map(|it| MessageView::new(id, conversation, it))
            .collect(),
    });
    queue_in(cx, WebhookKind::NotificationTriggered, id, data);
}

/// Returns the messages from a time on that a user has not read and is notified of, oldest first.
fn unread<'a>(conversation: &'a Conversation, user: &str, from: u64) -> Vec<&'a Message> {
    let Some(participation) = conversation.participants.get(user) else {
        return Vec::new();
    };
    let newest = conversation.messages.before(None);
    let mut unread: Vec<_> = newest
        .take_while(|message| message.created_at >= from)
        .filter(|message| {
            message.is_unread_by(user, participation.read_until)
                && is_notified(participation.notify, message, user)
        })
        .take(MAX_MESSAGES)
        .collect();
    unread.reverse();
    unread
}

fn is_notified(notify: Notify, message: &Message, user: &str) -> bool {
    match notify {
        Notify::Always(is_on) => is_on,
        Notify::Only(_) => mentions::of_message(message).iter().any(|it| it == user),
    }
}

impl Server {
    /// Sets the timers of the pending notifications of restored data.
    pub(in crate::server) fn restore_notifications(&mut self) {
        for (app, state) in &self.apps {
            for (id, conversation) in state.store.conversations.iter() {
                for (user, participation) in &conversation.participants {
                    if let Some(pending) = &participation.pending_notification {
                        let at = Timestamp::default() + Duration::from_millis(pending.at);
                        self.timers.set(at, Timer::notification(app, id, user));
                    }
                }
            }
        }
    }
}
