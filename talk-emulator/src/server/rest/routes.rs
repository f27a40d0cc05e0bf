//! The table of REST requests.

use super::call::Call;
use super::{
    app, conversation_list, conversations, import, messages, participants, presences, reactions,
    send, users,
};
use crate::server::refusal::Refusal;
use crate::server::reply::Reply;
use crate::server::request_cx::RequestCx;

/// A request with its path, to be run with its query and body.
pub(super) type Handler<'a> = Box<dyn FnOnce(&mut RequestCx<'_>, &Call) -> Reply + 'a>;

/// A request: its method, its path and its handler. Segments in braces are parameters.
struct Route {
    method: &'static str,
    path: &'static str,
    run: Run,
}

/// A handler by the number of parameters in its path.
enum Run {
    None(fn(&mut RequestCx<'_>, &Call) -> Reply),
    One(fn(&mut RequestCx<'_>, [&str; 1], &Call) -> Reply),
    Two(fn(&mut RequestCx<'_>, [&str; 2], &Call) -> Reply),
    Three(fn(&mut RequestCx<'_>, [&str; 3], &Call) -> Reply),
    Four(fn(&mut RequestCx<'_>, [&str; 4], &Call) -> Reply),
}

const fn route(method: &'static str, path: &'static str, run: Run) -> Route {
    Route { method, path, run }
}

#[rustfmt::skip]
static ROUTES: [Route; 26] = [
    route("GET", "/", Run::None(|cx, _| app::get(cx))),
    route("GET", "/users", Run::None(|cx, call| users::list(cx, call))),
    route("PUT", "/users", Run::None(users::put_all)),
    route("GET", "/users/{u}", Run::One(|cx, [u], _| users::get(cx, u))),
    route("PUT", "/users/{u}", Run::One(|cx, [u], call| users::put(cx, u, call))),
    route("GET", "/users/{u}/sessions", Run::One(|cx, [u], _| presences::sessions(cx, u))),
    route("GET", "/users/{u}/conversations",
        Run::One(|cx, [u], call| conversation_list::list_of_user(cx, u, call))),
    route("PATCH", "/users/{u}/conversations/{c}",
        Run::Two(|cx, [u, c], call| participants::patch_read_until(cx, u, c, call))),
    route("POST", "/presences", Run::None(|cx, call| presences::list(cx, call))),
    route("GET", "/conversations", Run::None(|cx, call| conversation_list::list(cx, call))),
    route("GET", "/conversations/{c}", Run::One(|cx, [c], _| conversations::get(cx, c))),
    route("PUT", "/conversations/{c}", Run::One(|cx, [c], call| conversations::put(cx, c, call))),
    route("DELETE", "/conversations/{c}", Run::One(|cx, [c], _| conversations::delete(cx, c))),
    route("PUT", "/conversations/{c}/participants/{u}",
        Run::Two(|cx, [c, u], call| participants::put(cx, c, u, call))),
    route("PATCH", "/conversations/{c}/participants/{u}",
        Run::Two(|cx, [c, u], call| participants::patch(cx, c, u, call))),
    route("DELETE", "/conversations/{c}/participants/{u}",
        Run::Two(|cx, [c, u], call| participants::delete(cx, c, u, call))),
    route("POST", "/conversations/{c}/readBy/{u}",
        Run::Two(|cx, [c, u], _| participants::read_by(cx, c, u))),
    route("POST", "/conversations/{c}/messages", Run::One(|cx, [c], call| send::send(cx, c, call))),
    route("GET", "/conversations/{c}/messages",
        Run::One(|cx, [c], call| messages::list(cx, c, call))),
    route("GET", "/conversations/{c}/messages/{m}",
        Run::Two(|cx, [c, m], _| messages::get(cx, c, m))),
    route("PUT", "/conversations/{c}/messages/{m}",
        Run::Two(|cx, [c, m], call| messages::put(cx, c, m, call))),
    route("DELETE", "/conversations/{c}/messages/{m}",
        Run::Two(|cx, [c, m], _| messages::delete(cx, c, m))),
    route("GET", "/conversations/{c}/messages/{m}/reactions/{emoji}",
        Run::Three(|cx, [c, m, emoji], call| reactions::list(cx, c, m, emoji, call))),
    route("PUT", "/conversations/{c}/messages/{m}/reactions/{emoji}/{u}",
        Run::Four(|cx, [c, m, emoji, u], _| reactions::put(cx, c, m, emoji, u))),
    route("DELETE", "/conversations/{c}/messages/{m}/reactions/{emoji}/{u}",
        Run::Four(|cx, [c, m, emoji, u], _| reactions::delete(cx, c, m, emoji, u))),
    route("POST", "/import/conversations/{c}/messages",
        Run::One(|cx, [c], call| import::import(cx, c, call))),
];

/// The requests that are handled outside of the table.
#[cfg(test)]
const OTHER_ROUTES: [(&str, &str); 2] = [("POST", "/batch"), ("POST", "/files")];

/// Returns the request for a method and the decoded segments of a path.
pub(super) fn find<'a>(method: &str, path: &[&'a str]) -> Option<Handler<'a>> {
    if path.iter().any(|segment| segment.is_empty()) {
        return None;
    }
    let mut routes = ROUTES.iter().filter(|route| route.method == method);
    let (route, params) = routes.find_map(|route| Some((route, route.params(path)?)))?;
    Some(Box::new(move |cx, call| route.run(cx, &params, call)))
}

/// Returns the path of a request without a trailing slash, which is tolerated.
///
/// # Errors
///
/// For a deletion, because a path whose last ID is empty would delete the object around it (our
/// choice).
pub(super) fn without_trailing_slash<'a, 'p>(
    method: &str,
    path: &'a [&'p str],
) -> Result<&'a [&'p str], Refusal> {
    match path.strip_suffix(&[""]) {
        Some([_, ..]) if method == "DELETE" => Err(Refusal::new(
            404,
            "ROUTE_NOT_FOUND",
            "The path of a deletion ends with a slash: its last ID is empty.",
        )),
        Some(path) => Ok(path),
        None => Ok(path),
    }
}

/// Returns the methods and paths of all requests.
#[cfg(test)]
pub(crate) fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    let table = ROUTES.iter().map(|route| (route.method, route.path));
    table.chain(OTHER_ROUTES)
}

impl Route {
    /// Returns the parameters of a path, or `None` if it is another path.
    fn params<'a>(&self, path: &[&'a str]) -> Option<Vec<&'a str>> {
        let pattern = self.path.split('/').filter(|segment| !segment.is_empty());
        let mut given = path.iter();
        let mut params = Vec::new();
        for segment in pattern {
            let given = *given.next()?;
            if segment.starts_with('{') {
                params.push(given);
            } else if segment != given {
                return None;
            }
        }
        given.next().is_none().then_some(params)
    }

    /// Runs the request. The number of parameters is that of the path.
    fn run(&self, cx: &mut RequestCx<'_>, params: &[&str], call: &Call) -> Reply {
        let mismatch = |_| Refusal::route_not_found();
        match self.run {
            Run::None(run) => run(cx, call),
            Run::One(run) => run(cx, params.try_into().map_err(mismatch)?, call),
            Run::Two(run) => run(cx, params.try_into().map_err(mismatch)?, call),
            Run::Three(run) => run(cx, params.try_into().map_err(mismatch)?, call),
            Run::Four(run) => run(cx, params.try_into().map_err(mismatch)?, call),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ROUTES, Run};

    #[test]
    fn route_handler_takes_parameters_of_path() {
        for route in &ROUTES {
            let expected = match route.run {
                Run::None(_) => 0,
                Run::One(_) => 1,
                Run::Two(_) => 2,
                Run::Three(_) => 3,
                Run::Four(_) => 4,
            };
            assert_eq!(route.path.matches('{').count(), expected, "{}", route.path);
        }
    }
}
