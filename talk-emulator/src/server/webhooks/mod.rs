//! Webhooks: events that the server sends to a back end over HTTP.
//!
//! Behaviour that no public documentation describes is marked "(our choice)".

mod causes;
mod delivery;
mod faults;
mod kind;
mod mentions;
mod notifications;
mod queue;
mod request;
mod schedule;
mod settings;

pub(super) use causes::{
    conversation_deleted, message_deleted, message_of, message_sent, message_updated,
    messages_read, user_created, user_updated,
};
pub use delivery::{WebhookAttempt, WebhookDelivery, WebhookState};
pub use kind::{UnknownWebhookKind, WebhookKind};
pub(super) use notifications::{notification_due, schedule_notifications};
pub(super) use queue::WebhookQueue;
pub use request::{WebhookAnswer, WebhookAttemptId, WebhookRequest};
pub use settings::WebhookSettings;
