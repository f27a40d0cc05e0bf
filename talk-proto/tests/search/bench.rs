//! A session with one search.

use serde_json::{Value, json};
use talk_proto::{
    Event, HttpId, Reply, RequestError, RequestId,
    filter::ConversationFilter,
    search::{SearchId, SearchKind, SearchStatus},
};

use crate::support::{Answer, World, unpaced};

pub(crate) struct Bench {
    pub(crate) world: World,
    pub(crate) search: SearchId,
}

impl Bench {
    pub(crate) fn new(kind: SearchKind) -> Self {
        Self::in_world(World::new(unpaced()), kind)
    }

    pub(crate) fn in_world(mut world: World, kind: SearchKind) -> Self {
        world.script.hold_http("/search?");
        world.script.add(|request| {
            let path = request.path.strip_prefix("/me/conversations/")?;
            let body = match path.strip_suffix("/messages") {
                Some(_) => json!({"data": [], "cursor": null}),
                None if path.starts_with("gone") => {
                    return Some(Answer::refuse(404, "CONVERSATION_NOT_FOUND"));
                }
                None => side(path),
            };
            (request.method == "GET").then_some(Answer::Reply(200, body))
        });
        world.script.add(|request| {
            let ids = request.data["ids"].as_array()?.clone();
            let users = ids.into_iter().map(|id| {
                let id = id.as_str().unwrap_or_default().to_owned();
                let user = json!({"id": id, "name": id, "custom": {}, "locale": null,
                    "photoUrl": null, "role": "default", "welcomeMessage": null});
                (id, user)
            });
            let users: serde_json::Map<_, _> = users.collect();
            (request.method == "GET").then_some(Answer::Reply(200, Value::Object(users)))
        });
        let search = world.start_search(kind);
        Self { world, search }
    }

    pub(crate) fn messages() -> Self {
        Self::new(SearchKind::Messages)
    }

    pub(crate) fn conversations() -> Self {
        Self::new(SearchKind::Conversations)
    }

    /// Sets a query and sends its request.
    pub(crate) fn query(&mut self, text: &str) -> RequestId {
        let filter = ConversationFilter::default();
        let request = self.world.set_query(self.search, text, &filter);
        self.world.run();
        request
    }

    pub(crate) fn more(&mut self, limit: Option<usize>) -> RequestId {
        let request = self.world.search_more(self.search, limit);
        self.world.run();
        request
    }

    /// Answers the pending page with these lines in one part.
    pub(crate) fn answer(&mut self, results: &[Value], cursor: Option<&str>) {
        let http = self.http();
        self.world.http_answer(http, 200, &body(results, cursor));
    }

    /// Searches for `text` and answers its first page with these results.
    pub(crate) fn found(mut self, results: &[Value], cursor: Option<&str>) -> Self {
        self.query("text");
        self.answer(results, cursor);
        self
    }

    pub(crate) fn http(&self) -> HttpId {
        self.world.last_http()
    }

    /// Returns the paths and queries of the search requests, without the REST base of the app.
    pub(crate) fn asked(&self) -> Vec<&str> {
        let asked = self.world.http_of("/search?");
        let below = asked.iter().map(|asked| {
            let below = asked
                .uri
                .strip_prefix("http://127.0.0.1:4000/public_api/v1/app");
            below.unwrap_or(&asked.uri)
        });
        below.collect()
    }

    /// Returns the updates of the search: the IDs of the results and the status.
    pub(crate) fn updates(&self) -> Vec<(Vec<String>, SearchStatus)> {
        let events = self.world.log.events.iter();
        let updates = events.filter_map(|(_, event)| match event {
            Event::SearchUpdated {
                search,
                results,
                status,
            } if *search == self.search => Some((ids(results), *status)),
            _ => None,
        });
        updates.collect()
    }

    /// Returns the IDs in the reply to the request, and `true` if they are all results.
    pub(crate) fn outcome(&self, request: RequestId) -> (Vec<String>, bool) {
        match self.world.outcome(request) {
            Ok(Reply::Searched {
                results,
                loaded_all,
            }) => (ids(results), *loaded_all),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn error(&self, request: RequestId) -> RequestError {
        self.world.outcome(request).clone().unwrap_err()
    }
}

/// Returns the IDs of results.
pub(crate) fn ids(results: &talk_proto::search::SearchResults) -> Vec<String> {
    let results = serde_json::to_value(results).unwrap();
    let results = results.as_array().unwrap().iter();
    results
        .map(|result| {
            let id = result.get("message").unwrap_or(result)["id"].as_str();
            id.unwrap().to_owned()
        })
        .collect()
}

/// Returns the body of a search response.
pub(crate) fn body(results: &[Value], cursor: Option<&str>) -> String {
    let lines: Vec<_> = results.iter().map(Value::to_string).collect();
    let end = cursor.map_or("]}".to_owned(), |cursor| {
        format!("],\"cursor\":{}}}", json!(cursor))
    });
    let list = lines.join("\n,");
    let line_break = if list.is_empty() { "" } else { "\n" };
    format!("{{\"data\":[\n{list}{line_break}{end}")
}

pub(crate) fn side(id: &str) -> Value {
    json!({"id": id, "subject": null, "photoUrl": null, "welcomeMessages": [], "custom": {},
           "createdAt": 1, "joinedAt": 2, "lastMessageAt": 2, "unreadMessageCount": 0,
           "isUnread": false, "readUntil": 2, "everyoneReadUntil": 2, "access": "ReadWrite",
           "notify": true})
}

/// Returns a message in a search response.
pub(crate) fn message(id: &str, conversation: &str) -> Value {
    json!({"id": id, "conversationId": conversation, "type": "UserMessage", "senderId": "bob",
           "custom": {}, "createdAt": 3, "editedAt": null, "referencedMessageId": null,
           "origin": "web", "content": [{"type": "text", "children": ["found"]}],
           "reactions": {}})
}
