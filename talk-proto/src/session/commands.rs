//! Commands for calls, subscriptions and the connection.

use super::Session;
use crate::command::{Call, RequestId, SubscriptionId};
use crate::error::{CommandError, SessionError, TransportError};
use crate::http::HttpPurpose;
use crate::requests::{CallBody, CallPurpose, OutboundRequest, prepare};
use crate::secret::Secret;
use crate::snapshot::Topic;
use crate::timestamp::Timestamp;

impl Session {
    /// Makes a call. [`Event::Resolved`](crate::Event::Resolved) reports its result.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// use talk_proto::Call;
    ///
    /// let conversation = "lobby".try_into()?;
    /// let message = "Hello, *world*!".into();
    /// let request = session.call(now, Call::SendMessage { conversation, message })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CommandError::Ended`], [`CommandError::TooManyCalls`], [`CommandError::TooLarge`].
    pub fn call(&mut self, now: Timestamp, call: Call) -> Result<RequestId, CommandError> {
        self.accept_request(now)?;
        let request = RequestId(self.take_id());
        let me = &self.options.user_id;
        match prepare(call, request, me, self.now, &mut self.rng) {
            OutboundRequest::Get(get) => self.queue.push_read(request, get),
            OutboundRequest::Requests(bodies) => {
                let limit = self.options.limits.frame_size;
                let size = bodies.iter().map(CallBody::size).max().unwrap_or(0);
                if size > limit {
                    return Err(CommandError::TooLarge { size, limit });
                }
                self.queue.push_call(request, CallPurpose::User, bodies);
            }
        }
        Ok(request)
    }

    /// Subscribes to a topic. [`Event::Updated`](crate::Event::Updated) reports every snapshot. The
    /// first one is reported as soon as it is complete.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// use talk_proto::Topic;
    ///
    /// let conversation = "lobby".try_into()?;
    /// let subscription = session.subscribe(now, Topic::Messages { conversation })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CommandError::Ended`], [`CommandError::TooManySubscriptions`], [`CommandError::NoOutbox`].
    pub fn subscribe(
        &mut self,
        now: Timestamp,
        topic: Topic,
    ) -> Result<SubscriptionId, CommandError> {
        self.accept_subscription(now)?;
        let id = SubscriptionId(self.take_id());
        match topic {
            Topic::Outbox => self.outbox()?.subscribe(id),
            _ => {
                self.note_subscription(id, &topic);
                self.live.subscribe(self.now, id, topic);
                self.show_cached(id);
            }
        }
        Ok(id)
    }

    /// Ends a subscription; [`Event::SubscriptionEnded`](crate::Event::SubscriptionEnded) follows.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// use talk_proto::{CommandError, Topic};
    ///
    /// let conversation = "lobby".try_into()?;
    /// let messages = session.subscribe(now, Topic::Messages { conversation })?;
    /// session.unsubscribe(now, messages)?;
    /// assert_eq!(session.unsubscribe(now, messages), Err(CommandError::Unknown));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CommandError::Unknown`] if it has ended already.
    pub fn unsubscribe(&mut self, now: Timestamp, id: SubscriptionId) -> Result<(), CommandError> {
        self.accept(now)?;
        if let Some(outbox) = &mut self.durable.outbox
            && outbox.unsubscribe(id)
        {
            return Ok(());
        }
        self.live.unsubscribe(self.now, id)
    }

    /// Loads `count` more items of a list. `None` loads the list's default number.
    /// [`Event::Resolved`](crate::Event::Resolved) with [`Reply::Done`](crate::Reply::Done) follows
    /// the update with the new items.
    ///
    /// Overlapping calls are merged: a call for 10 items, made while a call for 5 is pending, loads
    /// 10 in total.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// use talk_proto::{CommandError, Topic};
    ///
    /// let conversation = "lobby".try_into()?;
    /// let messages = session.subscribe(now, Topic::Messages { conversation })?;
    /// let request = session.load_more(now, messages, Some(50))?;
    /// let too_many = CommandError::CountOutOfRange { given: 101, max: 100 };
    /// assert_eq!(session.load_more(now, messages, Some(101)), Err(too_many));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CommandError::Ended`], [`CommandError::TooManyCalls`], [`CommandError::Unknown`],
    /// [`CommandError::NotAList`], [`CommandError::CountOutOfRange`].
    pub fn load_more(
        &mut self,
        now: Timestamp,
        id: SubscriptionId,
        count: Option<usize>,
    ) -> Result<RequestId, CommandError> {
        self.accept_request(now)?;
        let outbox = self.durable.outbox.as_ref();
        if outbox.is_some_and(|outbox| outbox.is_subscribed(id)) {
            return Err(CommandError::NotAList);
        }
        let request = RequestId(self.take_id());
        self.live.load_more(self.now, request, id, count)?;
        self.queue.register_live_call(request, CallPurpose::User);
        Ok(request)
    }

    /// Cancels a request. The request is resolved at once with [`TransportError::Cancelled`] and
    /// never sent again.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// use talk_proto::Call;
    ///
    /// let request = session.call(now, Call::MarkAsRead { conversation: "lobby".try_into()? })?;
    /// session.cancel(now, request)?;
    /// assert_eq!(session.pending_calls(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CommandError::Unknown`] if it is resolved already.
    pub fn cancel(&mut self, now: Timestamp, request: RequestId) -> Result<(), CommandError> {
        self.accept(now)?;
        let mut idempotent = true;
        let maybe_happened = if self.queue.is_live_call(request) {
            let was_sent = self.live.cancel(self.now, request);
            let was_sent = was_sent.ok_or(CommandError::Unknown)?;
            was_sent | self.queue.cancel(request).is_some_and(|call| call.was_sent)
        } else if let Some(call) = self.queue.cancel(request) {
            idempotent = call.is_idempotent;
            // If the validation of an upload is pending, no byte of the file was sent.
            self.stop_upload(request).is_none() && call.was_sent
        } else if let Some(was_sent) = self.stop_upload(request) {
            idempotent = false;
            was_sent
        } else if let Some(search) = self.searches.cancel(request) {
            let was_sent = !self.http.is_unsent(HttpPurpose::Search(search));
            self.drain_searches();
            was_sent
        } else {
            return Err(CommandError::Unknown);
        };
        let cancelled = TransportError::Cancelled {
            maybe_happened,
            idempotent,
        };
        self.resolve(request, Err(cancelled.into()));
        Ok(())
    }

    /// Sets the token, and authenticates with it at once if there is a connection. Calls in flight
    /// and subscriptions are kept.
    pub fn set_token(&mut self, now: Timestamp, token: Secret) -> Result<(), CommandError> {
        self.accept(now)?;
        self.connection.set_token(self.now, token);
        self.drain_connection();
        Ok(())
    }

    /// Declares that the driver answers [`Output::FetchToken`](crate::Output::FetchToken) from now
    /// on, like [`Authentication::can_fetch_token`](crate::Authentication::can_fetch_token). The
    /// current token is used until it expires.
    pub fn allow_token_fetch(&mut self, now: Timestamp) {
        if self.accept(now).is_ok() {
            self.connection.allow_token_fetch();
            self.drain_connection();
        }
    }

    /// Handles a change of the network: brings a scheduled connection attempt forward to now, and
    /// probes an open connection.
    pub fn network_changed(&mut self, now: Timestamp) {
        if self.accept(now).is_ok() {
            self.connection.network_changed(self.now);
        }
    }

    /// Handles the release of the last handle: ended subscriptions stop lingering.
    pub fn release(&mut self, now: Timestamp) {
        if self.accept(now).is_ok() {
            self.live.end_linger(self.now);
        }
    }

    /// Ends the session with [`SessionError::Shutdown`]: pending requests fail, and the socket
    /// closes.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// session.shutdown(now);
    /// assert!(session.ended().is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn shutdown(&mut self, now: Timestamp) {
        if self.accept(now).is_ok() {
            self.end(SessionError::Shutdown);
        }
    }

    pub(super) fn accept_request(&mut self, now: Timestamp) -> Result<(), CommandError> {
        self.accept(now)?;
        let limit = self.options.limits.pending_calls;
        if self.pending_calls() >= limit {
            return Err(CommandError::TooManyCalls { limit });
        }
        Ok(())
    }

    pub(super) fn accept_subscription(&mut self, now: Timestamp) -> Result<(), CommandError> {
        self.accept(now)?;
        let limit = self.options.limits.subscriptions;
        if self.subscriptions() + self.searches.len() >= limit {
            return Err(CommandError::TooManySubscriptions { limit });
        }
        Ok(())
    }

    pub(super) fn accept(&mut self, now: Timestamp) -> Result<(), CommandError> {
        if let Some(error) = &self.ended {
            return Err(CommandError::Ended(error.clone()));
        }
        self.advance(now);
        Ok(())
    }
}
