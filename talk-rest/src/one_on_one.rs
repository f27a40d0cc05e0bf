//! IDs of conversations between two users.

use data_encoding::HEXLOWER;
use sha1::{Digest, Sha1};
use talk_proto::model::{ConversationId, EmptyId, UserId};

/// Returns the ID that the service is believed to derive for the conversation of two users, in
/// either order.
///
/// **Unconfirmed:** the rule is known from a third party and one sample in the documentation of the
/// service. Where an ID of your own choice works, prefer that.
///
/// ```
/// let id = talk_rest::unconfirmed_one_on_one_id(&"b".try_into()?, &"a".try_into()?)?;
/// assert_eq!(id, "d12e223825a919e00efd");
/// # Ok::<(), talk_rest::EmptyId>(())
/// ```
///
/// # Errors
/// None: the ID is never empty.
pub fn unconfirmed_one_on_one_id(a: &UserId, b: &UserId) -> Result<ConversationId, EmptyId> {
    let mut ids = [a.as_str(), b.as_str()];
    ids.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
    // A list of strings always has a JSON text.
    let json = serde_json::to_string(&ids).unwrap_or_default();
    let hash = HEXLOWER.encode(&Sha1::digest(json.as_bytes()));
    ConversationId::new(&hash[..20])
}
