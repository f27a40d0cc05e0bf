//! Stands in until the filters land.
#![allow(missing_docs)]
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct ConversationFilter {}
impl ConversationFilter {
    pub(crate) fn normalized(&self) -> Self {
        self.clone()
    }
}
