//! The guide: one page for each task, in reading order.
//!
//! | page | for |
//! | --- | --- |
//! | [`getting_started`] | the first program, against a local emulator |
//! | [`concepts`] | session, ref, snapshot, subscription, window, changes |
//! | [`sending`] | text, content, replies; retries and order |
//! | [`offline`] | messages that survive a lost connection and a crash |
//! | [`receiving`] | live windows, histories, unread messages |
//! | [`bots`] | programs that answer each message once |
//! | [`authentication`] | tokens, and servers that act for several users |
//! | [`files`] | uploads with progress |
//! | [`search`] | searches in messages and conversations |
//! | [`errors`] | kinds of errors, and when a retry is safe |
//! | [`connection`] | connection states and reconnecting |
//! | [`testing`] | tests with the emulator |
//! | [`testing_back_ends`] | tests of REST calls and webhooks |
//! | [`inspector`] | a web page that shows the traffic and the data of an emulator |
//! | [`event_loops`] | other runtimes, and no runtime at all |
//! | [`production`] | limits, logs, metrics, shutdown |
//! | [`from_javascript`] | every name of the JavaScript Data API |
//!
//! The pages use `talk_tokio`. Every adapter crate has the same names, and `talk_client` has all
//! except `get_talk_session`. Each code block is a test that runs against the emulator.

// The code blocks of the pages use crates that depend on this one, so the package of the examples
// runs them.
macro_rules! pages {
    ($($(#[$doc:meta])* $page:ident $file:literal,)*) => {
        $(
            #[cfg_attr(not(doctest), doc = include_str!($file))]
            #[cfg_attr(doctest, doc = "A page of the guide.")]
            pub mod $page {}
        )*
    };
}

pages! {
    getting_started "getting_started.md",
    concepts "concepts.md",
    sending "sending.md",
    offline "offline.md",
    receiving "receiving.md",
    bots "bots.md",
    authentication "authentication.md",
    files "files.md",
    search "search.md",
    errors "errors.md",
    connection "connection.md",
    testing "testing.md",
    testing_back_ends "testing_back_ends.md",
    inspector "inspector.md",
    event_loops "event_loops.md",
    production "production.md",
    from_javascript "from_javascript.md",
}
