//! Phone numbers: 7 to 13 digits with single separators between them.

use super::scan::Link;
use crate::content::markup::chars::{count_steps, is_word};

const MIN_DIGITS: usize = 7;
const MAX_DIGITS: usize = 13;

/// Returns the phone numbers in `text`, in order.
///
/// The characters before and after a number may not be part of a word, nor `:`, `/` or `-`. The
/// character after a number cannot be the character before the next one. A range of years or of
/// clock times is not a number, but it uses the character after it in the same way.
pub(super) fn find(text: &str) -> Vec<Link> {
    let mut links = Vec::new();
    let mut before = Some(' ');
    let mut from = 0;
    while let Some(c) = text[from..].chars().next() {
        count_steps(1);
        let number = before
            .filter(|&c| may_surround(c))
            .and_then(|_| number(&text[from..]));
        let Some(length) = number else {
            before = Some(c);
            from += c.len_utf8();
            continue;
        };
        let end = from + length;
        let number = &text[from..end];
        if !is_range_of_years(number) && !is_range_of_times(number) {
            links.push(Link {
                start: from,
                end,
                url: url(number),
            });
        }
        from = end;
        before = None;
        // The next character is used up. JavaScript represents a character beyond U+FFFF by two
        // units, of which only the first is used up.
        if let Some(c) = text[end..].chars().next() {
            from += c.len_utf8();
            before = (c.len_utf16() == 2).then_some(c);
        }
    }
    links
}

fn may_surround(c: char) -> bool {
    !is_word(c) && !matches!(c, ':' | '/' | '-')
}

/// Returns the length of the longest number at the start of `text`. A number may start with `+` or
/// `(`, and its last two digits have no separator between them.
fn number(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = usize::from(matches!(bytes.first(), Some(b'+' | b'(')));
    let mut length = None;
    for digits in 1..=MAX_DIGITS {
        let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
        let is_separated = digits > 1 && is_separator(bytes.get(at)) && is_digit(at + 1);
        at += usize::from(is_separated);
        if !is_digit(at) {
            break;
        }
        at += 1;
        count_steps(1);
        let ends_well = text[at..].chars().next().is_none_or(may_surround);
        if digits >= MIN_DIGITS && !is_separated && ends_well {
            length = Some(at);
        }
    }
    length
}

fn is_separator(byte: Option<&u8>) -> bool {
    matches!(byte, Some(b' ' | b'(' | b')' | b'.' | b'-' | b'_' | b'+'))
}

/// Returns `true` for a range of years, as in `2010-2018`.
fn is_range_of_years(number: &str) -> bool {
    number.split_once('-').is_some_and(|(from, to)| {
        let is_year = |year: &str| year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit());
        is_year(from) && is_year(to) && from < to
    })
}

/// Returns `true` for a range of clock times, as in `9.00-17.30`.
fn is_range_of_times(number: &str) -> bool {
    let is_below = |digits: &str, limit: u8| {
        let is_number = digits.bytes().all(|b| b.is_ascii_digit());
        is_number && digits.parse().is_ok_and(|n: u8| n < limit)
    };
    let is_time = |time: &str| {
        time.split_once('.').is_some_and(|(hour, minute)| {
            let is_short = hour.len() <= 2 && minute.len() == 2;
            is_short && is_below(hour, 24) && is_below(minute, 60)
        })
    };
    number
        .split_once('-')
        .is_some_and(|(from, to)| is_time(from) && is_time(to))
}

fn url(number: &str) -> String {
    let dialled = number.chars().filter(|&c| c == '+' || c.is_ascii_digit());
    "tel:".chars().chain(dialled).collect()
}
