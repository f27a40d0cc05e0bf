//! The fuzz targets, as functions, so that `cargo test` can replay the corpus.

mod client;
mod client_and_server;
mod junk;
mod markup;
mod multipart;
mod rest;
mod search_stream;
mod server;
#[path = "../../talk-proto/tests/support/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    reason = "the tests of the core use more of it"
)]
mod support;
mod tokens;

pub use client::{frames, inputs};
pub use client_and_server::client_and_server;
pub use junk::junk;
pub use markup::markup;
pub use multipart::multipart;
pub use rest::rest;
pub use search_stream::search_stream;
pub use server::server_frames;
pub use tokens::tokens;

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Runs a target on every file of its corpus.
    fn replay(target: &str, run: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("corpus")
            .join(target);
        let mut files = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            run(&std::fs::read(entry.unwrap().path()).unwrap());
            files += 1;
        }
        assert!(files > 0, "{target} has no corpus");
    }

    macro_rules! corpora {
        ($($target:ident)+) => {
            $(
                #[test]
                fn $target() {
                    replay(stringify!($target), super::$target);
                }
            )+
        };
    }

    corpora! {
        client_and_server
        frames
        inputs
        junk
        markup
        multipart
        rest
        search_stream
        server_frames
        tokens
    }
}
