//! What the fuzz targets do. They are functions, so that the corpus is replayed by `cargo test`.

mod client;
mod markup;
mod server;

pub use client::{frames, inputs};
pub use markup::markup;
pub use server::server_frames;

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Runs a target on every file of its corpus.
    fn replay(target: &str, run: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        let mut files = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            run(&std::fs::read(entry.unwrap().path()).unwrap());
            files += 1;
        }
        assert!(files > 0, "{target} has no corpus");
    }

    #[test]
    fn frames() {
        replay("frames", super::frames);
    }

    #[test]
    fn inputs() {
        replay("inputs", super::inputs);
    }

    #[test]
    fn markup() {
        replay("markup", super::markup);
    }

    #[test]
    fn server_frames() {
        replay("server_frames", super::server_frames);
    }
}
