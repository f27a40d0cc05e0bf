//! The server's treatment of messages and their idempotency keys.

use serde_json::json;
use talk_emulator::server::{ConnectionId, Output as ServerOutput};

use super::entry_files::name_in;
use super::network::refusal;
use super::posts::PostFrame;
use super::probe::{OBSERVER, Probes};
use super::wire;
use super::world::World;

impl World {
    /// Passes a frame to the server. Returns everything that the server sends.
    pub(super) fn handle_at_server(
        &mut self,
        connection: ConnectionId,
        who: usize,
        text: &str,
    ) -> Vec<ServerOutput> {
        let now = self.now;
        let Some(post) = self.stores.as_ref().and_then(|_| PostFrame::parse(text)) else {
            if let Some(stores) = &mut self.stores {
                stores.posts.note_request(text);
            }
            self.server.handle_frame(now, connection, text);
            return self.server_outputs();
        };
        let seq = wire::head(text).map_or(0, |(seq, _)| seq);
        let (key, is_refused) = (post.key.clone(), self.is_refused_before_key(who, &post));
        let stores = self.stores.as_ref();
        let is_expired = stores.is_some_and(|stores| stores.files.is_refused(post.content()));
        let outputs = if is_refused || is_expired {
            let text = refusal(seq, if is_refused { 403 } else { 400 });
            vec![ServerOutput::SendFrame { connection, text }]
        } else {
            let stores = self.stores.as_ref();
            let served = stores.map(|stores| stores.posts.served(now, post));
            let served = served.as_deref().unwrap_or(text);
            self.server.handle_frame(now, connection, served);
            self.server_outputs()
        };
        let answer = outputs.iter().find_map(|output| match output {
            ServerOutput::SendFrame {
                connection: to,
                text,
            } if *to == connection => {
                let (number, kind) = wire::head(text)?;
                (number == seq && kind != "\"PUBLISH\"").then_some(text)
            }
            _ => None,
        });
        if let (Some(answer), Some(stores)) = (answer, &mut self.stores) {
            stores.posts.answered(now, &key, answer);
        }
        outputs
    }

    fn server_outputs(&mut self) -> Vec<ServerOutput> {
        std::iter::from_fn(|| self.server.poll_output()).collect()
    }

    /// Returns `true` if the server checks the access of senders before their keys, and refuses
    /// this message.
    fn is_refused_before_key(&mut self, who: usize, post: &PostFrame) -> bool {
        let stores = self.stores.as_ref();
        let until = stores.map(|stores| stores.posts.checks_access_first_until);
        if until.is_none_or(|until| self.now >= until) {
            return false;
        }
        let path = format!(
            "/me/conversations/{}/participants/{}",
            post.conversation, self.clients[who].user
        );
        let mut probes = Probes::default();
        let (_, participant) = self.probe(&mut probes, OBSERVER, "GET", &path, &json!({}));
        self.close_probes(probes);
        participant["access"] != "ReadWrite"
    }

    /// Records the status of an answer that a rule replaces: of a message, or of a validated file.
    pub(super) fn note_post_status(&mut self, frame: &str, status: u16) {
        let Some(stores) = &mut self.stores else {
            return;
        };
        if let Some(post) = PostFrame::parse(frame) {
            stores.posts.note_status(&post.key, status);
        } else if let Some(name) = name_in(frame) {
            stores.files.note_status(name, status);
        }
    }
}
