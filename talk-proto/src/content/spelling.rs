//! The two spellings of node types: servers and snapshots write `autoLink`, and clients send
//! `autolink` for parsed markup. Both are read everywhere.

use serde::{Serialize, Serializer};

/// The spelling of node types in written JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    CamelCase,
    LowerCase,
}

impl Spelling {
    /// Returns the name in this spelling. `names` is the camelCase name and, if it differs, the
    /// lower-case name.
    pub(super) fn pick(self, names: &[&'static str]) -> &'static str {
        let name = match self {
            Self::CamelCase => names.first(),
            Self::LowerCase => names.last(),
        };
        name.copied().unwrap_or_default()
    }
}

/// A block, a node, or a list of either, that is serialised in one spelling at every depth.
#[derive(Clone, Copy)]
pub(crate) struct Spelled<'a, T: ?Sized> {
    pub(super) value: &'a T,
    pub(super) spelling: Spelling,
}

impl<T> Serialize for Spelled<'_, [T]>
where
    for<'a> Spelled<'a, T>: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let spelling = self.spelling;
        serializer.collect_seq(self.value.iter().map(|value| Spelled { value, spelling }))
    }
}
