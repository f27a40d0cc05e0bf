//! Texts without markup.

/// Characters without which a text has neither markup nor an address nor a phone number. A full stop
/// counts unless white space follows, or nothing.
const MARKS: &[u8] = b"*_~`<-+@:/0123456789";

/// Whether there is surely nothing in the text but text.
pub(super) fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_stop = |index: usize| {
        let next = bytes.get(index + 1);
        bytes[index] == b'.' && next.is_some_and(|next| !next.is_ascii_whitespace())
    };
    !(0..bytes.len()).any(|index| MARKS.contains(&bytes[index]) || is_stop(index))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{MarkupSource, Nodes, read};
    use super::is_plain;

    #[test]
    fn what_people_write_is_often_plain() {
        for text in [
            "",
            "Hello, world!",
            "The kettle is on. No?\nÇa va…",
            "(and so on.)\t",
        ] {
            assert_eq!(is_plain(text), !text.contains(".)"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_plain_text_is_read_as_it_is(
            text in prop_oneof![
                "[a-zA-ZéßİあＡ１。&;#!?,()\\[\\]{}='\"%$^|\\\\ .\n\r\t\u{a0}\u{200b}😀]{0,40}",
                "(www|com|a|&amp;|#|\\.|[ \n>]|\"|[(])([ \n.]|b){0,12}",
                "\\PC{0,20}",
            ],
        ) {
            prop_assume!(is_plain(&text));
            for source in [MarkupSource::Send, MarkupSource::Edit, MarkupSource::Translation] {
                let (mut expected, mut nodes) = (Nodes::default(), Nodes::default());
                expected.push_text(&text);
                read(&text, source, &mut nodes);
                prop_assert_eq!(nodes.finish(), expected.finish());
            }
        }
    }
}
