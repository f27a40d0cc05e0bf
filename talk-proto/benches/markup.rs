//! Parsing takes time proportional to the length of the text. Each family of adversarial inputs
//! must have the same throughput at 256 KiB and at 1 MiB.
//!
//! A test of the crate counts the parser's steps and proves the same without a clock.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use talk_proto::content::{MarkupSource, parse_markup};

/// The sizes in bytes.
const SIZES: [usize; 2] = [256 << 10, 1 << 20];

fn main() {
    divan::main();
}

/// Measures the parsing of a repeated pattern.
macro_rules! families {
    ($($name:ident: $pattern:expr,)*) => {$(
        #[divan::bench(args = SIZES)]
        fn $name(bencher: Bencher<'_, '_>, size: usize) {
            let text = $pattern.repeat(size / $pattern.len());
            let bencher = bencher.counter(BytesCount::of_str(&text));
            bencher.bench(|| parse_markup(black_box(&text), MarkupSource::Send));
        }
    )*};
}

families! {
    plain: "what people write, day by day. ",
    open_delimiters: " *a _b ~c",
    open_delimiters_on_lines: "*a\n",
    delimiters_alone: "*",
    nested_delimiters: "*_~",
    code_that_never_ends: "```a",
    angle_brackets: "<",
    tags: "<a b='",
    open_links: "<http://a|b",
    links: "<https://example.com|*a*> ",
    list_lines: "- a\n",
    empty_list_lines: "-\n",
    schemes: "http://",
    addresses: "https://example.com/a ",
    dots: "a.",
    at_signs: "a@",
    parentheses: "((((",
    digits: "1",
    phone_numbers: "+31 20 123 45 67 ",
}

/// An address as long as the text.
#[divan::bench(args = SIZES)]
fn long_address(bencher: Bencher<'_, '_>, size: usize) {
    let start = "https://example.com/";
    let text = format!("{start}{}", "a/(b)?c=d&".repeat((size - start.len()) / 10));
    let bencher = bencher.counter(BytesCount::of_str(&text));
    bencher.bench(|| parse_markup(black_box(&text), MarkupSource::Send));
}
