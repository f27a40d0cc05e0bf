//! A search from its response, which arrives in parts, to its results.

use bytes::Bytes;
use talk_proto::{
    HttpFailure, Input, Reply, RequestError, TransportError, filter::ConversationFilter,
    search::SearchKind,
};

use super::history::History;
use super::unpaced;

/// The size of the first page of a query.
const FIRST_PAGE: usize = 3;

/// Returns the outcome of a search whose response arrives in parts of these sizes, repeatedly, and
/// the address of the next page. Checks that a page is cut off at its limits.
pub(crate) fn find(
    kind: SearchKind,
    frame_size: usize,
    body: &[u8],
    pieces: &[usize],
) -> (String, Option<String>) {
    let mut options = unpaced();
    options.limits.frame_size = frame_size;
    let mut history = History::new(options, 1);
    let world = &mut history.world;
    world.invariants.publish(&String::from_utf8_lossy(body));
    let search = world.start_search(kind);
    let request = world.set_query(search, "the query", &ConversationFilter::default());
    world.run();
    let http = world.last_http();
    world.http_head(http, 200);
    let mut rest = body;
    for size in pieces.iter().cycle() {
        if rest.is_empty() || world.is_resolved(request) {
            break;
        }
        let (piece, others) = rest.split_at((*size).min(rest.len()));
        rest = others;
        let chunk = Bytes::copy_from_slice(piece);
        world.input(Input::HttpChunk { http, chunk });
        world.run();
    }
    let was_cancelled = world.http_of("/search?")[0].cancelled;
    world.http_end(http);
    let looked_up = world.log.work().filter(|request| {
        let path = request.path.strip_prefix("/me/conversations/");
        request.method == "GET" && path.is_some_and(|id| !id.contains('/'))
    });
    assert!(looked_up.count() <= FIRST_PAGE);
    if let Err(RequestError::Transport(TransportError::ResponseTooLarge)) = world.outcome(request) {
        assert!(was_cancelled);
    } else {
        let received = body.len() - rest.len();
        assert!(received <= frame_size || pieces.iter().any(|size| *size > frame_size));
    }
    let outcome = match world.outcome(request) {
        Ok(reply @ Reply::Searched { loaded_all, .. }) => {
            let results = serde_json::to_string(reply).expect("it can be written");
            format!("{results} {loaded_all}")
        }
        other => format!("{other:?}"),
    };

    let pages = world.http_of("/search?").len();
    world.search_more(search, None);
    world.run();
    let next = world
        .http_of("/search?")
        .get(pages)
        .map(|asked| asked.uri.clone());
    if next.is_some() {
        let http = world.last_http();
        world.http_fail(http, HttpFailure::Network("gone".to_owned()));
    }
    let ended = world.session.end_search(world.now, search);
    assert_eq!(ended, Ok(()));
    history.heal();
    (outcome, next)
}
