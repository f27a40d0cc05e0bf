//! Delivery of frames between the sessions and the server.

use talk_emulator::server::{ConnectionId, Output as ServerOutput};
use talk_proto::{Input, Output, SocketClosed, SocketId, Timestamp};

use super::mail::{Address, Mail};
use super::net::Rule;
use super::probe::is_probe;
use super::unreadable::{with_unreadable_event, with_unreadable_item};
use super::wire::{self, Parcel, Wire};
use super::world::{APP, World, start};

impl World {
    pub(super) fn arrival(&mut self, who: usize) -> Timestamp {
        self.now + self.nets[who].latency(self.now, &mut self.rng)
    }

    /// Executes the outputs of a session.
    pub(super) fn drain(&mut self, who: usize) {
        let address = self.address(who);
        while let Some(output) = self.clients[who].poll(self.now) {
            let at = self.arrival(who);
            self.trace(who, || match &output {
                Output::SendFrame { frame, .. } => format!("> {}", start(frame.as_str())),
                output => format!("> {output:?}"),
            });
            match output {
                Output::OpenSocket { socket, .. } => {
                    self.mailbox.put(at, Mail::Connect(address, socket));
                }
                Output::SendFrame { socket, frame } => {
                    self.check_sent_frame(who, frame.as_str());
                    self.check_bot_frame(who, frame.as_str());
                    if let Some(wire) = self.wire_of(address, socket) {
                        wire.up.put(at, Parcel::Frame(frame.into_string()));
                    }
                }
                Output::CloseSocket { socket, .. } => {
                    if let Some(wire) = self.wire_of(address, socket) {
                        wire.up.put(at, Parcel::Goodbye);
                        wire.client_is_gone = true;
                    }
                }
                Output::FetchToken { fetch } => self.fetch_token(address, fetch),
                Output::SendHttp { http, request } => {
                    self.check_upload(who, request.body());
                    self.mailbox
                        .put(at, Mail::HttpRequest(address, http, request));
                }
                Output::Store { batch, changes } => self.store(who, batch, changes),
                Output::CheckFile { request, path, .. } => self.check_file(who, request, &path),
                // Cancelled exchanges are delivered anyway. The session must ignore them.
                Output::CancelHttp { .. } | Output::Event(_) => {}
            }
        }
        self.note_resolved(who);
        self.note_observed(who);
        self.note_inbox_events(who);
        if self.clients[who].crash_after == Some(0) {
            self.crash(who);
        }
    }

    fn wire_of(&mut self, client: Address, socket: SocketId) -> Option<&mut Wire> {
        let mut wires = self.wires.values_mut();
        wires.find(|wire| (wire.client, wire.socket) == (client, socket))
    }

    /// Puts the server's outputs in flight.
    pub(super) fn post(&mut self) {
        while let Some(output) = self.server.poll_output() {
            self.post_one(output);
        }
    }

    fn post_one(&mut self, output: ServerOutput) {
        match output {
            ServerOutput::SendFrame { connection, text } if is_probe(connection) => {
                self.probe_frames.push((connection, text));
            }
            ServerOutput::SendFrame { connection, text } => self.send_down(connection, text),
            ServerOutput::Close { connection, code } => {
                let cause = SocketClosed::ByServer { code };
                self.close_down(connection, cause);
            }
            // There is no address for webhooks.
            ServerOutput::SendWebhook { .. } | ServerOutput::CancelWebhook { .. } => {}
        }
    }

    pub(super) fn send_down(&mut self, connection: ConnectionId, text: String) {
        let Some(who) = self.wires.get(&connection).map(|wire| wire.client.who) else {
            return;
        };
        let text = self.damage_event(who, text);
        let at = self.arrival(who);
        if let Some(wire) = self.wires.get_mut(&connection) {
            if wire::head(&text).is_some_and(|(_, kind)| kind == "\"PUBLISH\"") {
                wire.last_publish = Some(text.clone());
            }
            wire.down.put(at, Parcel::Frame(text));
        }
    }

    /// Makes an event unreadable if a fault requires it and the frame is a publish.
    fn damage_event(&mut self, who: usize, text: String) -> String {
        let left = &mut self.nets[who].unreadable_events;
        let damaged = (*left > 0).then(|| with_unreadable_event(&text, &mut self.rng));
        if let Some(damaged) = damaged.flatten() {
            *left -= 1;
            return damaged;
        }
        text
    }

    /// Adds an unreadable item to the answer if a fault requires it and the answer has items.
    fn damage_answer(&mut self, who: usize, request: &str, answer: &mut String) {
        let left = &mut self.nets[who].unreadable_items;
        let damaged = (*left > 0).then(|| with_unreadable_item(request, answer, &mut self.rng));
        if let Some(damaged) = damaged.flatten() {
            *left -= 1;
            *answer = damaged;
        }
    }

    /// Closes the server's end. The session is notified after all frames in flight.
    pub(super) fn close_down(&mut self, connection: ConnectionId, cause: SocketClosed) {
        let Some(who) = self.wires.get(&connection).map(|wire| wire.client.who) else {
            return;
        };
        let at = self.arrival(who);
        if let Some(wire) = self.wires.get_mut(&connection) {
            wire.up.lose_all();
            wire.down.put_last(at, Parcel::Closed(cause));
            wire.server_is_gone = true;
        }
    }

    /// Handles an attempt to connect that reaches the server.
    pub(super) fn connect(&mut self, client: Address, socket: SocketId) {
        let net = &self.nets[client.who];
        if self.now < net.hangs_until {
            return;
        }
        let at = self.arrival(client.who);
        if self.now < self.nets[client.who].refuses_until {
            return self.mailbox.put(at, Mail::ConnectFailed(client, socket));
        }
        let Some(user) = self.at(client).map(|client| client.user) else {
            return;
        };
        let connection = ConnectionId(self.next_connection);
        self.next_connection += 1;
        self.server.open(self.now, connection, APP, user);
        let mut wire = Wire::new(client, socket);
        wire.down.put(at, Parcel::Opened);
        if self.clients[client.who].socket != Some(socket) {
            // The session has abandoned the attempt in the meantime. The server is notified.
            wire.client_is_gone = true;
            wire.up.put(at, Parcel::Goodbye);
        }
        self.wires.insert(connection, wire);
        self.post();
    }

    /// Delivers the next parcel from a session to the server.
    pub(super) fn deliver_up(&mut self, connection: ConnectionId) {
        let Some(wire) = self.wires.get_mut(&connection) else {
            return;
        };
        match wire.up.take() {
            Some(Parcel::Frame(text)) if !wire.server_is_gone => {
                let who = wire.client.who;
                self.serve(connection, who, &text);
            }
            Some(Parcel::Goodbye) => {
                wire.server_is_gone = true;
                self.server.closed(self.now, connection);
            }
            _ => {}
        }
        self.post();
        self.forget_wire(connection);
    }

    /// Passes a request to the server, or applies the next rule instead.
    fn serve(&mut self, connection: ConnectionId, who: usize, text: &str) {
        let request = wire::head(text).filter(|(_, kind)| *kind != "\"ACK\"");
        self.note_arrival(connection, text);
        if let Some((seq, _)) = request
            && self.is_ignored(connection, who, text)
        {
            self.note_ignored(who, text);
            if self.nets[who].ignored.are_done {
                for output in self.handle_at_server(connection, who, text) {
                    self.post_instead(connection, seq, output, None);
                }
            }
            return;
        }
        let rule = match request {
            Some(_) => self.nets[who].rules.front().copied(),
            None => None,
        };
        let rule = rule.filter(|rule| !(is_final(*rule) && is_nested(text)));
        if rule.is_some() {
            self.nets[who].rules.pop_front();
        }
        let (Some((seq, _)), Some(rule)) = (request, rule) else {
            return self.post_answer(connection, who, text);
        };
        self.note_rule(who, text, rule);
        match rule {
            Rule::Refuse(status) => {
                self.note_post_status(text, status);
                self.send_down(connection, refusal(seq, status));
            }
            Rule::Done500 => {
                self.note_post_status(text, 500);
                for output in self.handle_at_server(connection, who, text) {
                    self.post_instead(connection, seq, output, Some(500));
                }
            }
            Rule::LostAnswer => {
                if let Some(wire) = self.wires.get_mut(&connection) {
                    wire.down.lose_all();
                }
                for output in self.handle_at_server(connection, who, text) {
                    self.post_one(output);
                }
                self.server.closed(self.now, connection);
                self.post();
                self.close_down(connection, SocketClosed::Lost("it broke".to_owned()));
            }
        }
    }

    /// Passes a frame to the server, and puts its answer in flight. A send that the server refused
    /// can succeed when it is repeated, because later requests can overtake it and remove the
    /// reason for the refusal.
    fn post_answer(&mut self, connection: ConnectionId, who: usize, frame: &str) {
        let seq = wire::head(frame).map(|(seq, _)| seq);
        for mut output in self.handle_at_server(connection, who, frame) {
            if let ServerOutput::SendFrame {
                connection: to,
                text,
            } = &mut output
                && *to == connection
                && let Some((number, status)) = wire::head(text)
                && Some(number) == seq
            {
                if status.starts_with('4') {
                    self.note_refused(who, frame, status);
                } else if status == "200" {
                    self.damage_answer(who, frame, text);
                }
            }
            self.post_one(output);
        }
    }

    /// Returns `true` if the server leaves a request unanswered.
    fn is_ignored(&mut self, connection: ConnectionId, who: usize, text: &str) -> bool {
        let is_kept = matches!(wire::path(text), Some("/ping" | "/session/renew"));
        let ignored = &mut self.nets[who].ignored;
        !is_kept && ignored.take(self.now, connection, is_nested(text))
    }

    /// Puts an output in flight. If it is the answer to `seq`, a refusal with `status` replaces it,
    /// or nothing.
    fn post_instead(
        &mut self,
        connection: ConnectionId,
        seq: u64,
        output: ServerOutput,
        status: Option<u16>,
    ) {
        match output {
            ServerOutput::SendFrame {
                connection: to,
                text,
            } => {
                let is_answer = wire::head(&text)
                    .is_some_and(|(number, kind)| number == seq && kind != "\"PUBLISH\"");
                let is_replaced = to == connection && is_answer;
                let text = match status {
                    _ if !is_replaced => text,
                    Some(status) => refusal(seq, status),
                    None => return,
                };
                self.send_down(to, text);
            }
            ServerOutput::Close { connection, code } => {
                self.close_down(connection, SocketClosed::ByServer { code });
            }
            // There is no address for webhooks.
            ServerOutput::SendWebhook { .. } | ServerOutput::CancelWebhook { .. } => {}
        }
    }

    /// Delivers the next parcel from the server to a session.
    pub(super) fn deliver_down(&mut self, connection: ConnectionId) {
        let Some(wire) = self.wires.get_mut(&connection) else {
            return;
        };
        let (client, socket) = (wire.client, wire.socket);
        let parcel = wire.down.take();
        if matches!(parcel, Some(Parcel::Closed(_))) {
            wire.client_is_gone = true;
        }
        if self.at(client).is_none() {
            wire_is_nobodys(self.wires.get_mut(&connection));
        } else if let Some(parcel) = parcel {
            self.receive_parcel(connection, client.who, socket, parcel);
        }
        self.forget_wire(connection);
    }

    fn receive_parcel(
        &mut self,
        connection: ConnectionId,
        who: usize,
        socket: SocketId,
        parcel: Parcel,
    ) {
        match parcel {
            Parcel::Frame(_) if self.take_too_large(who) => {
                if let Some(wire) = self.wires.get_mut(&connection) {
                    wire.down.lose_all();
                    wire.client_is_gone = true;
                    let at = self.now;
                    wire.up.put_last(at, Parcel::Goodbye);
                }
                let cause = SocketClosed::FrameTooLarge;
                self.input(who, Input::SocketClosed { socket, cause });
            }
            Parcel::Frame(text) => {
                let text = text.as_str();
                self.input(who, Input::SocketFrame { socket, text });
            }
            Parcel::Opened => self.input(who, Input::SocketOpened { socket }),
            Parcel::Closed(cause) => self.input(who, Input::SocketClosed { socket, cause }),
            Parcel::Goodbye => {}
        }
    }

    /// Returns `true` if the next frame to a session must be larger than its transport accepts.
    fn take_too_large(&mut self, who: usize) -> bool {
        !self.clients[who].nested_reads.are_at_stake()
            && std::mem::take(&mut self.nets[who].next_is_too_large)
    }

    fn forget_wire(&mut self, connection: ConnectionId) {
        if self.wires.get(&connection).is_some_and(Wire::is_over) {
            self.wires.remove(&connection);
        }
    }
}

/// Discards the frames for a session that is over.
fn wire_is_nobodys(wire: Option<&mut Wire>) {
    if let Some(wire) = wire {
        wire.client_is_gone = true;
        wire.down.lose_all();
    }
}

fn is_final(rule: Rule) -> bool {
    matches!(rule, Rule::Refuse(402 | 403))
}

/// Returns `true` if a frame reads an item that appears inside another item: a user, a conversation
/// in a list, its last message, a quoted message. After a final refusal the item is absent or stale
/// in the snapshot, so that the snapshot would legitimately differ from the server's data.
fn is_nested(frame: &str) -> bool {
    let path = wire::path(frame).unwrap_or_default();
    let of_conversation = path.strip_prefix("/me/conversations/");
    path == "/users"
        || path.contains("/messages")
        || of_conversation.is_some_and(|rest| !rest.contains('/'))
}

pub(super) fn refusal(seq: u64, status: u16) -> String {
    format!(r#"[{seq},{status},{{"errorCode":"INJECTED","reasons":["It was to fail."]}}]"#)
}
