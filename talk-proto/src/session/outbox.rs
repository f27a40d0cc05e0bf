//! The commands of the outbox, and the routing of its outputs.

use std::sync::Arc;

use super::Session;
use crate::command::RequestId;
use crate::error::{CommandError, RequestError};
use crate::fault_injection::FaultInjection;
use crate::model::{ConversationId, EntryId};
use crate::outbox::{Enqueue, Entry, EntryAction, Outbox, OutboxOutput, Receipt};
use crate::requests::{CallBody, CallPurpose, follow_up, send_entry};
use crate::timestamp::Timestamp;
use crate::wire::{Published, ServerEvent};

impl Session {
    /// Adds a message to the outbox, which sends it as soon as possible, exactly once and in the
    /// order of its conversation. [`Event::EntryChanged`](crate::Event::EntryChanged) reports its
    /// progress, until [`Event::EntryRemoved`](crate::Event::EntryRemoved) reports that it was sent
    /// or discarded.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp, outbox::OutboxOptions};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let mut options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// options.outbox = Some(OutboxOptions::default());
    /// let mut session = Session::new(options, 0x5eed, now);
    /// let entry = session.enqueue(now, "lobby".try_into()?, "Hello, *world*!".into())?;
    /// let queued = session.outbox_entry(&entry).ok_or("the entry is new")?;
    /// assert_eq!(queued.plaintext(), "Hello, world!");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CommandError::Ended`], [`CommandError::NoOutbox`], [`CommandError::Standby`],
    /// [`CommandError::OutboxFull`], [`CommandError::TooLarge`], [`CommandError::UnknownEntry`].
    pub fn enqueue(
        &mut self,
        now: Timestamp,
        conversation: ConversationId,
        message: Enqueue,
    ) -> Result<EntryId, CommandError> {
        self.accept(now)?;
        let frame_size = self.options.limits.frame_size;
        let (outbox, rng) = (&mut self.durable.outbox, &mut self.rng);
        open(outbox)?.enqueue(self.now, rng, conversation, message, frame_size)
    }

    /// Changes an entry. Returns `false` if the entry does not exist, or if its state does not
    /// allow the action.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp, outbox::OutboxOptions};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let mut options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # options.outbox = Some(OutboxOptions::default());
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// use talk_proto::outbox::EntryAction;
    ///
    /// let entry = session.enqueue(now, "lobby".try_into()?, "Helo!".into())?;
    /// assert!(session.update_entry(now, &entry, EntryAction::Edit("Hello!".into()))?);
    /// assert!(session.update_entry(now, &entry, EntryAction::Cancel)?);
    /// assert!(!session.update_entry(now, &entry, EntryAction::Retry)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CommandError::Ended`], [`CommandError::NoOutbox`], [`CommandError::Standby`], and for an
    /// edit [`CommandError::OutboxFull`] and [`CommandError::TooLarge`].
    pub fn update_entry(
        &mut self,
        now: Timestamp,
        entry: &EntryId,
        action: EntryAction,
    ) -> Result<bool, CommandError> {
        self.accept(now)?;
        let frame_size = self.options.limits.frame_size;
        let (outbox, rng) = (&mut self.durable.outbox, &mut self.rng);
        open(outbox)?.update_entry(self.now, rng, entry, action, frame_size)
    }

    /// Sends all held entries again.
    ///
    /// # Errors
    /// [`CommandError::Ended`], [`CommandError::NoOutbox`], [`CommandError::Standby`].
    pub fn retry_all(&mut self, now: Timestamp) -> Result<(), CommandError> {
        self.accept(now)?;
        let now = self.now;
        open(&mut self.durable.outbox)?.retry_all(now);
        Ok(())
    }

    /// Stops sending entries of a conversation, until
    /// [`resume_conversation`](Self::resume_conversation) or the end of the session. An entry in
    /// flight is not stopped.
    ///
    /// # Errors
    /// [`CommandError::Ended`], [`CommandError::NoOutbox`], [`CommandError::Standby`].
    pub fn pause_conversation(
        &mut self,
        now: Timestamp,
        conversation: ConversationId,
    ) -> Result<(), CommandError> {
        self.accept(now)?;
        open(&mut self.durable.outbox)?.set_paused(conversation, true);
        Ok(())
    }

    /// Sends the entries of a paused conversation.
    ///
    /// # Errors
    /// [`CommandError::Ended`], [`CommandError::NoOutbox`], [`CommandError::Standby`].
    pub fn resume_conversation(
        &mut self,
        now: Timestamp,
        conversation: ConversationId,
    ) -> Result<(), CommandError> {
        self.accept(now)?;
        open(&mut self.durable.outbox)?.set_paused(conversation, false);
        Ok(())
    }

    /// Returns the entries of the outbox, oldest first.
    pub fn outbox_entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        let outbox = self.durable.outbox.as_ref().into_iter();
        outbox.flat_map(|outbox| outbox.entries())
    }

    /// Returns an entry of the outbox.
    pub fn outbox_entry(&self, entry: &EntryId) -> Option<&Arc<Entry>> {
        self.durable.outbox.as_ref()?.entry(entry)
    }

    /// Returns the receipt of an entry that was sent less than 24 h ago.
    pub fn outbox_receipt(&self, entry: &EntryId) -> Option<&Receipt> {
        self.durable.outbox.as_ref()?.receipt(self.now, entry)
    }

    pub(super) fn outbox(&mut self) -> Result<&mut Outbox, CommandError> {
        let outbox = self.durable.outbox.as_deref_mut();
        outbox.ok_or(CommandError::NoOutbox)
    }

    /// Passes the times of new messages to the outbox.
    pub(super) fn note_server_times(&mut self, events: &[Published]) {
        let Some(outbox) = &mut self.durable.outbox else {
            return;
        };
        for event in events {
            if let Ok(ServerEvent::MessageCreated { state, .. }) = event
                && let Some(time) = state.server_time()
            {
                outbox.note_server_time(time);
            }
        }
    }

    /// Performs the due work of the outbox.
    pub(super) fn advance_outbox(&mut self) {
        let Some(outbox) = &mut self.durable.outbox else {
            return;
        };
        let is_ready = self.connection.is_ready();
        let live = &self.live;
        outbox.advance(self.now, is_ready, |c| live.newest_server_time(c));
        self.drain_outbox();
    }

    /// Removes the sent entries whose messages are visible or in no open window.
    pub(super) fn leave_outbox(&mut self) {
        let Some(outbox) = &mut self.durable.outbox else {
            return;
        };
        let mut leaving = outbox.leaving();
        leaving.retain(|(_, conversation, message)| {
            !self.live.awaits_message(conversation, message)
                || FaultInjection::ForgottenUnseen.is_on()
        });
        if !leaving.is_empty() {
            outbox.leave(self.now, leaving.into_iter().map(|(seq, ..)| seq));
            self.drain_outbox();
        }
    }

    fn drain_outbox(&mut self) {
        while let Some(output) = self.durable.poll_outbox() {
            match output {
                OutboxOutput::Event(event) => self.emit(event),
                OutboxOutput::Send { seq, message } => {
                    let request = RequestId(self.take_id());
                    self.push_entry(seq, request, send_entry(request, &message));
                }
                OutboxOutput::Upload { seq, file } => self.upload_file(seq, *file),
                OutboxOutput::StopUpload(request) => self.stop_file(request),
                OutboxOutput::FollowUp {
                    seq,
                    conversation,
                    message,
                    change,
                } => {
                    let request = RequestId(self.take_id());
                    let body = follow_up(request, &conversation, &message, &change);
                    self.push_entry(seq, request, body);
                }
                OutboxOutput::Cancel(request) => {
                    self.queue.cancel(request);
                }
                OutboxOutput::Echoes {
                    conversation,
                    changes,
                } => {
                    self.show_cached_echoes(&conversation);
                    self.live.set_echoes(self.now, &conversation, changes);
                }
                OutboxOutput::FetchPage {
                    seq,
                    conversation,
                    cursor,
                } => {
                    let cursor = cursor.as_deref();
                    self.live.fetch_page(self.now, seq, conversation, cursor);
                }
            }
        }
        self.drain_live();
    }

    fn push_entry(&mut self, seq: u64, request: RequestId, body: CallBody) {
        let purpose = CallPurpose::Outbox { seq };
        self.queue.push_call(request, purpose, vec![body]);
        if let Some(outbox) = &mut self.durable.outbox {
            outbox.set_request(seq, request);
        }
    }

    /// Removes all entries from the request queue after a connection loss.
    pub(super) fn withdraw_entries(&mut self) {
        let Some(outbox) = &mut self.durable.outbox else {
            return;
        };
        for (seq, request) in outbox.in_flight() {
            let call = self.queue.cancel(request);
            outbox.handle_cancelled(seq, call.is_none_or(|call| call.was_sent));
        }
        outbox.restart_searches();
    }

    /// Ends the outbox.
    pub(super) fn end_outbox(&mut self, error: &RequestError) {
        if let Some(outbox) = &mut self.durable.outbox {
            outbox.end(self.now, error);
            self.drain_outbox();
        }
    }
}

/// Returns the outbox if its entries are known.
fn open(outbox: &mut Option<Box<Outbox>>) -> Result<&mut Outbox, CommandError> {
    let outbox = outbox.as_deref_mut().ok_or(CommandError::NoOutbox)?;
    match outbox.is_open() {
        true => Ok(outbox),
        false => Err(CommandError::Standby),
    }
}
