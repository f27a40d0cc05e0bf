use serde::{Deserialize, Serialize};

/// A version of the REST API, named by its date. A newer version includes the changes of all older
/// ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum RestVersion {
    /// The first version with a date.
    #[serde(rename = "2021-01-01")]
    V2021_01_01,
    /// Lists of conversations are ordered by last activity, and can be ordered otherwise.
    #[serde(rename = "2021-02-09")]
    V2021_02_09,
    /// Leaving a conversation removes it from the user's list.
    #[serde(rename = "2021-07-30")]
    V2021_07_30,
    /// The conversations of an unknown user are refused with status 404.
    #[default]
    #[serde(rename = "2024-01-01")]
    V2024_01_01,
}
