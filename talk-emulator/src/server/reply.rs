//! The data of a request and its reply, for sockets and HTTP.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::refusal::Refusal;

/// The maximum size of an item, in bytes. Clients accept frames of 16 MiB.
const MAX_ITEM: usize = 15 * 1024 * 1024;

/// The JSON body of a 200 response, or a refusal.
pub(super) type Reply = Result<String, Refusal>;

/// The JSON data of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Body<'a>(pub(super) Option<&'a RawValue>);

impl<'a> Body<'a> {
    /// Parses the data of an item that clients receive in a frame.
    pub(super) fn parse_item<T: Deserialize<'a>>(self) -> Result<T, Refusal> {
        if self.0.is_some_and(|json| json.get().len() > MAX_ITEM) {
            return Err(Refusal::invalid(
                "INVALID_REQUEST",
                format!("The data has more than {MAX_ITEM} bytes."),
            ));
        }
        self.parse()
    }

    pub(super) fn parse<T: Deserialize<'a>>(self) -> Result<T, Refusal> {
        let json = self.0.map_or("{}", RawValue::get);
        serde_json::from_str(json).map_err(|error| {
            Refusal::invalid("INVALID_REQUEST", format!("The data is wrong: {error}."))
        })
    }
}

/// Returns a reply with this body.
pub(super) fn reply(body: &impl Serialize) -> Reply {
    serde_json::to_string(body).map_err(|error| {
        Refusal::new(
            500,
            "INTERNAL_ERROR",
            format!("The answer is no JSON: {error}."),
        )
    })
}

/// Returns an empty reply.
pub(super) fn done() -> Reply {
    Ok("{}".to_owned())
}
