//! Searches and uploads, and the answers to their HTTP requests.

use bytes::Bytes;
use talk_proto::{
    HttpFailure, HttpId, Input,
    filter::ConversationFilter,
    search::SearchKind,
    upload::{Upload, UploadKind},
};

use super::choice::pick;
use super::{History, Step, World};
use crate::support::millis;

/// The body of a search response: messages, conversations, and unreadable lines.
const FOUND: &str = concat!(
    "{\"data\":[\n",
    r#"{"id":"m1","conversationId":"c1","type":"UserMessage","senderId":"bob","custom":{},"#,
    r#""createdAt":3,"editedAt":null,"referencedMessageId":"m0","origin":"web","#,
    r#""content":[{"type":"text","children":["text of m1"]}],"reactions":{},"#,
    r#""subject":null,"photoUrl":null,"welcomeMessages":[],"joinedAt":2,"lastMessageAt":2,"#,
    r#""unreadMessageCount":0,"isUnread":false,"readUntil":2,"everyoneReadUntil":2,"#,
    r#""access":"ReadWrite","notify":true}"#,
    "\n,{\"id\":\"no result\"}\n],\"cursor\":\"next\"}",
);
const UPLOADED: &str = r#"{"fileToken":"a-file-token"}"#;

/// Leaves the HTTP requests of searches and uploads to the history.
pub(super) fn hold(world: &mut World) {
    for part in ["/search?", "/files"] {
        world.script.hold_http(part);
    }
}

impl History {
    pub(super) fn take_over_http(&mut self, step: &Step) {
        match step {
            Step::StartSearch(kind) => {
                let kinds = [SearchKind::Messages, SearchKind::Conversations];
                let kind = kinds[usize::from(kind % 2)];
                let world = &mut self.world;
                self.searches
                    .extend(world.session.start_search(world.now, kind));
            }
            Step::Query { search, text } => {
                if let Some(search) = pick(&self.searches, *search) {
                    let text = format!("query number {text}");
                    let filter = ConversationFilter::default();
                    let request = self.world.try_set_query(search, &text, &filter);
                    self.requests.extend(request);
                }
            }
            Step::SearchMore { search, count } => {
                if let Some(search) = pick(&self.searches, *search) {
                    let count = count.map(usize::from);
                    self.requests
                        .extend(self.world.try_search_more(search, count));
                }
            }
            Step::EndSearch(search) => {
                if let Some(search) = pick(&self.searches, *search) {
                    let _ = self.world.session.end_search(self.world.now, search);
                }
            }
            Step::Upload {
                kind,
                size,
                can_rewind,
            } => {
                let mut upload = upload(*kind, *size);
                upload.can_rewind = *can_rewind;
                self.world.invariants.keep_secret(&upload.filename);
                self.requests.extend(self.world.try_upload(upload));
            }
            Step::Http { which, kind } => {
                if let Some(http) = self.exchange(*which) {
                    self.world.drain();
                    self.world.input(input(http, *kind));
                }
            }
            Step::HttpPiece { which, piece } => {
                if let Some(http) = self.exchange(*which) {
                    self.world.drain();
                    let chunk = Bytes::copy_from_slice(piece);
                    self.world.input(Input::HttpChunk { http, chunk });
                }
            }
            _ => {}
        }
    }

    /// Returns one of the HTTP requests so far, pending or finished; 0 is the latest.
    fn exchange(&self, which: u8) -> Option<HttpId> {
        let mut latest_first = self.world.log.http.iter().rev();
        latest_first.nth(which.into()).map(|asked| asked.id)
    }

    /// Answers every pending search with results, and every pending upload with a token.
    pub(super) fn answer_held_requests(&mut self) {
        let world = &mut self.world;
        let held = world
            .log
            .http
            .iter()
            .filter(|asked| !asked.is_over && world.script.holds_http(&asked.uri));
        let held: Vec<_> = held
            .map(|asked| (asked.id, asked.uri.contains("/search?")))
            .collect();
        for (http, is_search) in held {
            let body = if is_search { FOUND } else { UPLOADED };
            world.input(Input::HttpHead { http, status: 200 });
            let chunk = Bytes::from_static(body.as_bytes());
            world.input(Input::HttpChunk { http, chunk });
            world.input(Input::HttpEnd { http });
        }
    }
}

fn upload(kind: u8, size: u16) -> Upload {
    let length = Some(f64::from(size));
    let kind = match kind % 5 {
        0 => UploadKind::File,
        1 => UploadKind::Image {
            width: length,
            height: None,
        },
        2 => UploadKind::Video {
            width: length,
            height: length,
            duration: length,
        },
        3 => UploadKind::Audio { duration: length },
        _ => UploadKind::Voice { duration: None },
    };
    Upload::new(kind, "a \"secret\" name.txt", size.into())
}

fn input(http: HttpId, kind: u8) -> Input<'static> {
    let chunk = |body: &'static str| Bytes::from_static(body.as_bytes());
    let cut = usize::from(kind) % FOUND.len();
    let failure = |failure| Input::HttpFailed { http, failure };
    match kind % 16 {
        0..=3 => Input::HttpHead { http, status: 200 },
        4 => Input::HttpHead { http, status: 401 },
        5 => Input::HttpHead { http, status: 429 },
        6 => Input::HttpHead { http, status: 503 },
        7 => Input::HttpHead {
            http,
            status: u16::from(kind) * 3,
        },
        8 => Input::HttpChunk {
            http,
            chunk: chunk(FOUND),
        },
        9 => Input::HttpChunk {
            http,
            chunk: chunk(&FOUND[cut..]),
        },
        10 => Input::HttpChunk {
            http,
            chunk: chunk(UPLOADED),
        },
        11 | 12 => Input::HttpEnd { http },
        13 => failure(HttpFailure::Network("gone".to_owned())),
        14 => failure(HttpFailure::Unanswered("silence".to_owned())),
        _ => match kind / 16 % 2 {
            0 => failure(HttpFailure::Source("unreadable".to_owned())),
            _ => failure(HttpFailure::Stalled {
                after: millis(kind.into()),
            }),
        },
    }
}
