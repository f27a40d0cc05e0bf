//! Versions of the REST API.

/// A version of the REST API, in the header `TalkJS-REST-Version`.
///
/// The service uses the default of the app for requests without the header. This crate sends the
/// latest version by default, because its types are those of the latest version (our choice).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ApiVersion {
    /// Lists of conversations are sorted by creation.
    V2021_01_01,
    /// Lists of conversations are sorted by their last activity.
    V2021_02_09,
    /// Leaving a conversation removes it from the user's list.
    V2021_07_30,
    /// Lists of users that do not exist are answered with status 404.
    #[default]
    V2024_01_01,
}

impl ApiVersion {
    /// Returns the date in the header.
    ///
    /// ```
    /// use talk_rest::ApiVersion;
    ///
    /// assert_eq!(ApiVersion::default().as_str(), "2024-01-01");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2021_01_01 => "2021-01-01",
            Self::V2021_02_09 => "2021-02-09",
            Self::V2021_07_30 => "2021-07-30",
            Self::V2024_01_01 => "2024-01-01",
        }
    }
}
