//! The commands of inboxes, and the routing of their outputs.

use super::Session;
use crate::command::RequestId;
use crate::error::{CommandError, RequestError};
use crate::fault_injection::FaultInjection;
use crate::inbox::{DeliveryId, InboxId, InboxOptions, InboxOutput, Inboxes};
use crate::live::interface::Get;
use crate::model::EntryId;
use crate::outbox::{Enqueue, OnRefusal, Outbox};
use crate::requests::CallPurpose;
use crate::timestamp::Timestamp;

impl Session {
    /// Opens an inbox, which delivers new messages until it is closed.
    /// [`InboxEvent::Opened`](crate::inbox::InboxEvent::Opened) reports that its start is stored.
    /// An open inbox keeps the session connected. In a session without a store, it turns the outbox
    /// on, which answers need.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// use talk_proto::inbox::InboxOptions;
    ///
    /// let inbox = session.open_inbox(now, "support", InboxOptions::default())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CommandError::Ended`], [`CommandError::Standby`], [`CommandError::EmptyId`],
    /// [`CommandError::InboxOpen`], [`CommandError::InboxFilter`],
    /// [`CommandError::InboxUnreadable`], [`CommandError::TooManyInboxes`].
    pub fn open_inbox(
        &mut self,
        now: Timestamp,
        name: &str,
        options: InboxOptions,
    ) -> Result<InboxId, CommandError> {
        self.accept(now)?;
        if self.durable.is_standby {
            return Err(CommandError::Standby);
        }
        let id = InboxId(self.take_id());
        let has_store = self.durable.writer.is_some();
        let me = &self.options.user_id;
        let new = || Box::new(Inboxes::new(me.clone(), has_store.then_some(&[])));
        let inboxes = self.durable.inboxes.get_or_insert_with(new);
        inboxes.open(self.now, id, name, options)?;
        if !has_store {
            self.create_outbox();
        }
        self.durable.announce_next_batch();
        Ok(id)
    }

    /// Acknowledges a delivery.
    /// [`InboxEvent::Acked`](crate::inbox::InboxEvent::Acked) reports that this is stored. Returns
    /// `false` if the delivery is acknowledged already, or its inbox was closed.
    ///
    /// # Errors
    /// [`CommandError::Ended`].
    pub fn ack(&mut self, now: Timestamp, delivery: DeliveryId) -> Result<bool, CommandError> {
        self.accept(now)?;
        let inboxes = self.durable.inboxes.as_mut();
        Ok(inboxes.is_some_and(|inboxes| inboxes.ack(self.now, delivery)))
    }

    /// Puts the answer to a delivery into the outbox, and acknowledges the delivery in the same
    /// write. The ID of the entry is derived from the message, unless the answer has a
    /// [`dedup_key`](Enqueue::dedup_key). The entry is never held as stale, and a refused one does
    /// not block later answers. Held answers do not count towards the caps of the outbox. The
    /// oldest ones are discarded if there are more than 100, or if their files are larger than
    /// [`bytes`](crate::outbox::OutboxOptions::bytes). A repeated reply to one of the last 1,000
    /// deliveries returns the entry of the first one.
    ///
    /// # Errors
    /// [`CommandError::Ended`], [`CommandError::UnknownDelivery`], and those of
    /// [`enqueue`](Self::enqueue). After an error the delivery is not acknowledged.
    pub fn reply(
        &mut self,
        now: Timestamp,
        delivery: DeliveryId,
        mut answer: Enqueue,
    ) -> Result<EntryId, CommandError> {
        self.accept(now)?;
        let inboxes = self.durable.inboxes.as_mut();
        let inboxes = inboxes.ok_or(CommandError::UnknownDelivery)?;
        if let Some(entry) = inboxes.reply(delivery) {
            return Ok(entry.clone());
        }
        let question = inboxes.question(delivery);
        let question = question.ok_or(CommandError::UnknownDelivery)?;
        if FaultInjection::PositionBeforeReply.is_on() {
            inboxes.ack(self.now, delivery);
            self.store_changes();
        }
        let outbox = self.durable.outbox.as_mut().ok_or(CommandError::NoOutbox)?;
        answer.on_refusal = OnRefusal::Skip;
        answer.is_reply = true;
        if !FaultInjection::RandomReplyKey.is_on() {
            answer.dedup_key.get_or_insert_with(|| question.key());
        }
        let (to, limit) = (question.conversation, self.options.limits.frame_size);
        let entry = outbox.enqueue(self.now, &mut self.rng, to, answer, limit)?;
        if let Some(inboxes) = &mut self.durable.inboxes {
            inboxes.ack(self.now, delivery);
            inboxes.note_reply(delivery, entry.clone());
        }
        Ok(entry)
    }

    /// Closes an inbox. [`InboxEvent::Ended`](crate::inbox::InboxEvent::Ended) follows once its
    /// acknowledgements are stored. Returns `false` if the inbox is not open.
    ///
    /// # Errors
    /// [`CommandError::Ended`].
    pub fn close_inbox(&mut self, now: Timestamp, inbox: InboxId) -> Result<bool, CommandError> {
        self.accept(now)?;
        let inboxes = self.durable.inboxes.as_mut();
        Ok(inboxes.is_some_and(|inboxes| inboxes.close(self.now, inbox)))
    }

    /// Turns the outbox on in memory. Without one, every answer would fail, and a program that
    /// skips messages after failures would lose them.
    fn create_outbox(&mut self) {
        if self.durable.outbox.is_none() {
            let options = self.options.outbox.get_or_insert_default().clone();
            let me = self.options.user_id.clone();
            let outbox = Outbox::new(me, options, self.now, None);
            self.durable.outbox = Some(Box::new(outbox));
        }
    }

    /// Performs the due work of the inboxes.
    pub(super) fn advance_inboxes(&mut self) {
        if let Some(inboxes) = &mut self.durable.inboxes {
            let (now, live) = (self.now, &self.live);
            let is_ready = self.connection.is_ready();
            inboxes.advance(now, is_ready, &|sender| live.recent_sender(now, sender));
            self.drain_inboxes();
        }
    }

    fn drain_inboxes(&mut self) {
        while let Some(output) = self.durable.poll_inboxes() {
            match output {
                InboxOutput::Event(event) => self.emit(event),
                InboxOutput::Subscribe => self.live.subscribe_inboxes(self.now),
                InboxOutput::Unsubscribe => self.live.unsubscribe_inboxes(self.now),
                InboxOutput::UnsubscribeMessages {
                    conversation,
                    token,
                } => {
                    if self.connection.is_ready() {
                        self.live
                            .unsubscribe_messages(self.now, conversation, token);
                    }
                }
                InboxOutput::Read { token, read } => {
                    self.live.read_for_inbox(self.now, token, read);
                }
                InboxOutput::LookUp {
                    lookup,
                    conversation,
                    message,
                } => {
                    let request = RequestId(self.take_id());
                    let purpose = CallPurpose::Inbox { lookup };
                    self.queue.register_live_call(request, purpose);
                    let get = Get::Known(conversation, message);
                    self.live.get(self.now, request, get);
                }
                InboxOutput::CancelLookUp(lookup) => {
                    if let Some(request) = self.queue.inbox_lookup(lookup) {
                        self.live.cancel(self.now, request);
                        self.queue.finish_live_call(request);
                    }
                }
            }
        }
        self.drain_live();
    }

    /// Restarts the reads of the inboxes, after their requests were dropped.
    pub(super) fn restart_inboxes(&mut self) {
        if let Some(inboxes) = &mut self.durable.inboxes {
            inboxes.handle_lost(self.now);
        }
    }

    /// Ends all inboxes.
    pub(super) fn end_inboxes(&mut self, error: &RequestError) {
        if let Some(inboxes) = &mut self.durable.inboxes {
            inboxes.end(error);
            self.drain_inboxes();
        }
    }
}
