//! The invariants of inboxes.

use std::collections::{BTreeMap, BTreeSet};

use talk_proto::inbox::{DeliveryId, InboxEvent, InboxId};
use talk_proto::model::{ConversationId, MessageId};
use talk_proto::{Event, Timestamp};

/// An observer of all inboxes of a session that panics if an invariant is violated.
#[derive(Default)]
pub(crate) struct InboxInvariants {
    inboxes: BTreeMap<InboxId, Observed>,
    deliveries: BTreeSet<DeliveryId>,
}

#[derive(Default)]
struct Observed {
    is_open: bool,
    has_ended: bool,
    max_unacked: usize,
    out: BTreeSet<DeliveryId>,
    /// The last delivery of each conversation.
    last: BTreeMap<ConversationId, Timestamp>,
    messages: BTreeSet<(ConversationId, MessageId)>,
}

impl InboxInvariants {
    /// Records that the session has accepted an inbox.
    pub(crate) fn accepted(&mut self, inbox: InboxId, max_unacked: usize) {
        let observed = Observed {
            max_unacked: max_unacked.max(1),
            ..Observed::default()
        };
        let before = self.inboxes.insert(inbox, observed);
        assert!(before.is_none(), "{inbox:?} was given twice");
    }

    pub(crate) fn event(&mut self, event: &Event) {
        match event {
            Event::Inbox { inbox, event } => self.inbox_event(*inbox, event),
            Event::Ended(_) => {
                let open = self.inboxes.values().find(|inbox| !inbox.has_ended);
                assert!(open.is_none(), "an inbox is left at the end");
            }
            _ => {}
        }
    }

    fn inbox_event(&mut self, id: InboxId, event: &InboxEvent) {
        let inbox = self.inboxes.get_mut(&id).expect("the inbox was accepted");
        assert!(!inbox.has_ended, "{event:?} after the end of {id:?}");
        match event {
            InboxEvent::Opened => {
                assert!(!inbox.is_open, "{id:?} was opened twice");
                inbox.is_open = true;
            }
            InboxEvent::Delivered(delivery) => {
                assert!(inbox.is_open, "{delivery:?} before the inbox was open");
                let is_new = self.deliveries.insert(delivery.id);
                assert!(is_new, "{delivery:?} has the ID of another one");
                let (conversation, message) = (&delivery.conversation.id, &delivery.message);
                let key = (conversation.clone(), message.id.clone());
                assert!(inbox.messages.insert(key), "{delivery:?} is repeated");
                let last = inbox.last.insert(conversation.clone(), message.created_at);
                assert!(last <= Some(message.created_at), "{delivery:?} is late");
                inbox.out.insert(delivery.id);
                let limit = inbox.max_unacked;
                assert!(inbox.out.len() <= limit, "more than {limit} are out");
            }
            InboxEvent::Acked { delivery } => {
                assert!(inbox.out.remove(delivery), "{delivery:?} is not out");
            }
            InboxEvent::Ended { .. } => inbox.has_ended = true,
            _ => {}
        }
    }
}
