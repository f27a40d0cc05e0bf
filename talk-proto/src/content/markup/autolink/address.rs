//! Whether what looks like an address is one.

use super::letters::is_letter_or_digit;
use super::tld;
use crate::content::markup::chars::{count_steps, starts_with_ignoring_case};

/// Cuts off punctuation, and closing brackets that were not opened.
pub(super) fn without_trailing_punctuation(text: &str) -> &str {
    const BRACKETS: [(char, char); 3] = [('(', ')'), ('{', '}'), ('[', ']')];
    let count = |wanted: char| text.matches(wanted).count();
    count_steps(text.len());
    let mut unopened = BRACKETS.map(|(open, close)| count(close).saturating_sub(count(open)));
    text.trim_end_matches(
        |c| match BRACKETS.iter().position(|&(_, close)| close == c) {
            Some(kind) if unopened[kind] > 0 => {
                unopened[kind] -= 1;
                true
            }
            Some(_) => false,
            None => may_not_end_path(c),
        },
    )
}

/// What a web address may go on with after its host.
pub(super) fn is_path_char(c: char) -> bool {
    is_letter_or_digit(c)
        || may_not_end_path(c)
        || matches!(
            c,
            '-' | '+'
                | '&'
                | '@'
                | '#'
                | '/'
                | '%'
                | '='
                | '~'
                | '_'
                | '('
                | ')'
                | '|'
                | '\''
                | '$'
                | '*'
                | '['
                | ']'
                | '{'
                | '}'
                | '✓'
        )
}

fn may_not_end_path(c: char) -> bool {
    matches!(c, '?' | '!' | ':' | ',' | '.' | ';' | '^')
}

/// What may stand before an `@`, except `.`, which may not stand twice.
pub(super) fn is_local_part_char(c: char) -> bool {
    is_letter_or_digit(c) || "!#$%&'*+/=?^_`{|}~-".contains(c)
}

/// Where `http://` or `https://` starts. With no space before it, what is before it is none of it.
pub(super) fn common_scheme(text: &str) -> Option<usize> {
    count_steps(text.len());
    text.match_indices("://").find_map(|(colon, _)| {
        ["https", "http"].into_iter().find_map(|scheme| {
            let start = colon.checked_sub(scheme.len())?;
            text.as_bytes()[start..colon]
                .eq_ignore_ascii_case(scheme.as_bytes())
                .then_some(start)
        })
    })
}

/// `scheme://anything`, or `scheme:host` with a host that looks like one.
pub(super) fn is_scheme_url(url: &str) -> bool {
    if ["javascript:", "vbscript:"]
        .iter()
        .any(|scheme| starts_with_ignoring_case(url, scheme))
    {
        return false;
    }
    url.split_once(':').is_some_and(|(_, rest)| {
        let host = rest.split([':', '/']).next().unwrap_or_default();
        let is_name = host.contains('.') && host.contains(|c: char| c.is_ascii_alphabetic());
        rest.starts_with("//") || is_name
    })
}

/// A host, with or without `//` before it, in a top-level domain that exists.
pub(super) fn is_domain_url(url: &str) -> bool {
    let host = url
        .strip_prefix("//")
        .unwrap_or(url)
        .split(['/', '#', '?', ':'])
        .next();
    host.and_then(|host| host.rsplit_once('.'))
        .is_some_and(|(_, name)| tld::is_known(name))
}

/// Four numbers up to 255.
pub(super) fn is_ip_url(url: &str) -> bool {
    let host = url.split([':', '/', '?', '#']).next().unwrap_or_default();
    host.split('.').count() == 4
        && host
            .split('.')
            .all(|octet| octet.len() <= 3 && octet.parse::<u8>().is_ok())
}

/// An address in a top-level domain that exists.
pub(super) fn is_email(address: &str) -> bool {
    address
        .rsplit_once('.')
        .is_some_and(|(_, name)| tld::is_known(name))
}
