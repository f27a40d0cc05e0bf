//! Verification of webhooks.
//!
//! The service sends events to a back end as HTTP requests. [`verify`] checks the signature of a
//! request over the raw bytes of its body, and reads the event:
//!
//! ```
//! use talk_rest::{Secret, Timestamp, webhook::{self, EventData, Rejected}};
//!
//! fn receive(
//!     headers: &http::HeaderMap,
//!     body: &[u8],
//!     now: Timestamp,
//! ) -> Result<(), Rejected> {
//!     let keys = [Secret::from("sk_test_1")];
//!     let tolerance = Some(webhook::DEFAULT_TOLERANCE);
//!     let event = webhook::verify_headers(&keys, headers, body, now, tolerance)?;
//!     if let EventData::MessageSent(sent) = &event.data {
//!         println!("{:?}: {:?}", event.id, sent.message.text);
//!     }
//!     Ok(())
//! }
//! ```
//!
//! A receiver must answer with status 200 within five seconds. Otherwise the service sends the
//! webhook once more. So the same event may arrive more than once, and events may arrive in any
//! order: store [`Event::id`], or use [`SeenEvents`].

mod event;
mod seen;
mod verification;

pub use event::{
    ConversationEvent, Event, EventData, MessageEvent, MessageReadEvent, NotificationEvent,
    UserEvent,
};
pub use seen::SeenEvents;
pub use verification::{
    DEFAULT_TOLERANCE, Rejected, SIGNATURE_HEADER, TIMESTAMP_HEADER, sign, verify, verify_headers,
};
