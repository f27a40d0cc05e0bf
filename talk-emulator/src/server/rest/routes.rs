//! The table of REST requests.

use super::call::Call;
use super::{
    app, conversation_list, conversations, import, messages, participants, presences, reactions,
    send, users,
};
use crate::server::reply::Reply;
use crate::server::request_cx::RequestCx;

/// A request with its path, to be run with its query and body.
pub(super) type Handler<'a> = Box<dyn FnOnce(&mut RequestCx<'_>, &Call) -> Reply + 'a>;

fn run<'a>(handler: impl FnOnce(&mut RequestCx<'_>, &Call) -> Reply + 'a) -> Option<Handler<'a>> {
    Some(Box::new(handler))
}

/// Returns the request for a method and the decoded segments of a path.
pub(super) fn find<'a>(method: &str, path: &[&'a str]) -> Option<Handler<'a>> {
    if path.iter().any(|segment| segment.is_empty()) {
        return None;
    }
    match *path {
        [] if method == "GET" => run(|cx, _| app::get(cx)),
        ["users", ref path @ ..] => of_users(method, path),
        ["conversations", ref path @ ..] => of_conversations(method, path),
        ["presences"] if method == "POST" => run(|cx, call| presences::list(cx, call)),
        ["import", "conversations", c, "messages"] if method == "POST" => {
            run(move |cx, call| import::import(cx, c, call))
        }
        _ => None,
    }
}

fn of_users<'a>(method: &str, path: &[&'a str]) -> Option<Handler<'a>> {
    match (method, path) {
        ("GET", &[]) => run(|cx, call| users::list(cx, call)),
        ("PUT", &[]) => run(users::put_all),
        ("GET", &[user]) => run(move |cx, _| users::get(cx, user)),
        ("PUT", &[user]) => run(move |cx, call| users::put(cx, user, call)),
        ("GET", &[user, "sessions"]) => run(move |cx, _| presences::sessions(cx, user)),
        ("GET", &[user, "conversations"]) => {
            run(move |cx, call| conversation_list::list_of_user(cx, user, call))
        }
        ("PATCH", &[user, "conversations", c]) => {
            run(move |cx, call| participants::patch_read_until(cx, user, c, call))
        }
        _ => None,
    }
}

fn of_conversations<'a>(method: &str, path: &[&'a str]) -> Option<Handler<'a>> {
    match (method, path) {
        ("GET", &[]) => run(|cx, call| conversation_list::list(cx, call)),
        ("GET", &[c]) => run(move |cx, _| conversations::get(cx, c)),
        ("PUT", &[c]) => run(move |cx, call| conversations::put(cx, c, call)),
        ("DELETE", &[c]) => run(move |cx, _| conversations::delete(cx, c)),
        ("PUT", &[c, "participants", user]) => {
            run(move |cx, call| participants::put(cx, c, user, call))
        }
        ("PATCH", &[c, "participants", user]) => {
            run(move |cx, call| participants::patch(cx, c, user, call))
        }
        ("DELETE", &[c, "participants", user]) => {
            run(move |cx, call| participants::delete(cx, c, user, call))
        }
        ("POST", &[c, "readBy", user]) => run(move |cx, _| participants::read_by(cx, c, user)),
        ("POST", &[c, "messages"]) => run(move |cx, call| send::send(cx, c, call)),
        ("GET", &[c, "messages"]) => run(move |cx, call| messages::list(cx, c, call)),
        ("GET", &[c, "messages", m]) => run(move |cx, _| messages::get(cx, c, m)),
        ("PUT", &[c, "messages", m]) => run(move |cx, call| messages::put(cx, c, m, call)),
        ("DELETE", &[c, "messages", m]) => run(move |cx, _| messages::delete(cx, c, m)),
        ("GET", &[c, "messages", m, "reactions", emoji]) => {
            run(move |cx, call| reactions::list(cx, c, m, emoji, call))
        }
        ("PUT", &[c, "messages", m, "reactions", emoji, user]) => {
            run(move |cx, _| reactions::put(cx, c, m, emoji, user))
        }
        ("DELETE", &[c, "messages", m, "reactions", emoji, user]) => {
            run(move |cx, _| reactions::delete(cx, c, m, emoji, user))
        }
        _ => None,
    }
}
