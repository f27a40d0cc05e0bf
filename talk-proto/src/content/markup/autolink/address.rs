//! Validation of candidates for web and email addresses.

use super::letters::is_letter_or_digit;
use super::tld;
use crate::content::markup::chars::{count_steps, starts_with_ignoring_case};

/// Removes trailing punctuation, and closing brackets without an opening bracket.
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

/// Returns `true` for the characters that a web address may contain after its host.
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

/// Returns `true` for the characters that an email address may contain before its `@`, except `.`,
/// which may not occur twice in a row.
pub(super) fn is_local_part_char(c: char) -> bool {
    is_letter_or_digit(c) || "!#$%&'*+/=?^_`{|}~-".contains(c)
}

/// Returns the start of the first `http://` or `https://`. The caller cuts a candidate off there,
/// so that a preceding word does not become part of the address.
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

/// Returns `true` for `scheme://anything`, and for `scheme:host` if the host contains a dot and a
/// letter. Returns `false` for script schemes.
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

/// Returns `true` for a host with a known top-level domain, with or without a leading `//`.
pub(super) fn is_domain_url(url: &str) -> bool {
    let host = url
        .strip_prefix("//")
        .unwrap_or(url)
        .split(['/', '#', '?', ':'])
        .next();
    host.and_then(|host| host.rsplit_once('.'))
        .is_some_and(|(_, name)| tld::is_known(name))
}

/// Returns `true` if the host consists of four numbers up to 255.
pub(super) fn is_ip_url(url: &str) -> bool {
    let host = url.split([':', '/', '?', '#']).next().unwrap_or_default();
    host.split('.').count() == 4
        && host
            .split('.')
            .all(|octet| octet.len() <= 3 && octet.parse::<u8>().is_ok())
}

/// Returns `true` for an address with a known top-level domain.
pub(super) fn is_email(address: &str) -> bool {
    address
        .rsplit_once('.')
        .is_some_and(|(_, name)| tld::is_known(name))
}
