//! Conversions of IDs.

use talk_proto::model::EmptyId;

/// Converts an ID.
pub(super) fn id<I, T>(id: I) -> Result<T, EmptyId>
where
    I: TryInto<T, Error: Into<EmptyId>>,
{
    id.try_into().map_err(Into::into)
}
