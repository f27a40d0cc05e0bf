//! Comparison of an autoLink's text and URL: a reader must see where the link leads.

/// Returns `true` if `url` is the target of an address written as `text`.
///
/// An email address needs a `mailto:` URL with the same address, a phone number a `tel:` URL with
/// the same digits. A web address needs the same host and the same value for every other part in
/// the text. Parts absent from the text are free, but an absent scheme must be http or https.
///
/// An address with a scheme, or one that starts with `//`, may be the URL itself. Clients send
/// such links.
pub(super) fn agrees(url: &str, text: &str) -> bool {
    if url == text && has_scheme(text) {
        return true;
    }
    if let Some(address) = strip_scheme(url, "mailto:") {
        return strip_scheme(text, "mailto:")
            .unwrap_or(text)
            .eq_ignore_ascii_case(address);
    }
    if let Some(number) = strip_scheme(url, "tel:") {
        let number = digits(number);
        return !number.is_empty() && digits(strip_scheme(text, "tel:").unwrap_or(text)) == number;
    }
    let (url, text) = (WebAddress::split(url), WebAddress::split(text));
    if text.is_email() || text.is_phone() {
        return false;
    }
    let Some(scheme) = url.scheme else {
        return false;
    };
    let same_scheme = match text.scheme {
        Some(written) => written.eq_ignore_ascii_case(scheme),
        None => scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"),
    };
    same_scheme
        && !text.host.is_empty()
        && text.host.eq_ignore_ascii_case(url.host)
        && (text.path.is_empty()
            || text.path == url.path
            || (text.path == "/" && url.path.is_empty()))
        && (text.query.is_none() || text.query == url.query)
        && (text.fragment.is_none() || text.fragment == url.fragment)
}

/// Returns `true` if a non-empty rest follows a scheme or `//`.
fn has_scheme(url: &str) -> bool {
    let is_of_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let rest = match url.split_once(':') {
        Some((scheme, rest)) if !scheme.is_empty() && scheme.chars().all(is_of_scheme) => rest,
        _ => url.strip_prefix("//").unwrap_or_default(),
    };
    !rest.is_empty()
}

fn strip_scheme<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}

fn digits(number: &str) -> String {
    number
        .chars()
        .filter(|c| c.is_ascii_digit() || *c == '+')
        .collect()
}

struct WebAddress<'a> {
    scheme: Option<&'a str>,
    host: &'a str,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

impl<'a> WebAddress<'a> {
    fn split(address: &'a str) -> Self {
        let (address, fragment) = split_off(address, '#');
        let (address, query) = split_off(address, '?');
        let (scheme, address) = match address.split_once("//") {
            Some(("", rest)) => (None, rest),
            Some((scheme, rest)) if scheme.ends_with(':') && !scheme.contains('/') => {
                (Some(scheme.trim_end_matches(':')), rest)
            }
            _ => (None, address),
        };
        let (host, path) = address.split_at(address.find('/').unwrap_or(address.len()));
        Self {
            scheme,
            host,
            path,
            query,
            fragment,
        }
    }

    /// Returns `true` for an email address, which has no scheme.
    fn is_email(&self) -> bool {
        self.scheme.is_none() && self.host.contains('@')
    }

    /// Returns `true` for a phone number, which has no scheme. IP addresses are no phone numbers.
    fn is_phone(&self) -> bool {
        let is_of_phone = |c: char| c.is_ascii_digit() || c.is_whitespace() || "+-().".contains(c);
        self.scheme.is_none() && self.host.chars().all(is_of_phone) && !is_ip_address(self.host)
    }
}

/// Returns `true` for four numbers with points between them. Clients accept leading zeros.
fn is_ip_address(host: &str) -> bool {
    let numbers = host.split('.').map(str::parse::<u8>);
    numbers.clone().count() == 4 && numbers.into_iter().all(|number| number.is_ok())
}

fn split_off(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use talk_proto::content::{ContentBlock, MarkupSource, TextNode, parse_markup};

    use super::agrees;

    #[test]
    fn auto_link_matching_address_is_accepted() {
        for (text, url) in [
            ("example.com", "http://example.com"),
            ("example.com", "https://EXAMPLE.com/a/longer?path#there"),
            ("https://example.com/a?b#c", "https://example.com/a?b#c"),
            ("example.com/", "https://example.com"),
            ("Ann@example.com", "mailto:ann@example.com"),
            ("+1 (555) 123-4567", "tel:+15551234567"),
            ("127.0.0.1/a", "http://127.0.0.1/a"),
            ("127.0.0.1:4000", "http://127.0.0.1:4000"),
            ("18.24.01.52", "http://18.24.01.52"),
            ("https://ann@example.com", "https://ann@example.com"),
            ("https://112", "https://112"),
            ("//example.com/a", "//example.com/a"),
            ("//example.com/a", "https://example.com/a"),
        ] {
            assert!(agrees(url, text), "{text} leads to {url}");
        }
    }

    #[test]
    fn auto_link_other_address_is_rejected() {
        for (text, url) in [
            ("example.com", "http://evil.com"),
            ("example.com", "http://www.example.com"),
            ("example.com", "ftp://example.com"),
            ("example.com", "javascript:example.com"),
            ("https://example.com", "http://example.com"),
            ("example.com/a", "https://example.com/b"),
            ("example.com?a", "https://example.com?b"),
            ("example.com#a", "https://example.com"),
            ("example.com", "https://example.com@evil.com/"),
            ("ann@example.com", "mailto:eve@example.com"),
            ("+1 555 123 4567", "tel:+15551234568"),
            ("call us", "tel:"),
            ("ann@example.com", "https://ann@example.com"),
            ("ann@example.com", "https://ann@example.com/a"),
            ("+31612345678", "https://+31612345678"),
            ("06 1234 5678", "https://06 1234 5678"),
            ("112", "https://112"),
            ("", "https://"),
            ("//", "//"),
            ("//example.com/a", "//example.com/b"),
            ("example.com", "//example.com"),
        ] {
            assert!(!agrees(url, text), "{text} does not lead to {url}");
        }
    }
    /// Texts of the parts of addresses, in any order.
    fn written() -> impl Strategy<Value = String> {
        const PARTS: &str = "http https HTTPS ftp mailto tel : / // @ . ? # & = %20 - + ( ) \
            example ann com COM org www. localhost :80 555 0612345678 +1 é 日本 _ v2. , !";
        let parts: Vec<&str> = PARTS.split(' ').chain([" "]).collect();
        let part = prop_oneof![
            8 => prop::sample::select(parts).prop_map(str::to_owned),
            // Addresses and phone numbers, of which some have the form of the other.
            1 => "[0-9]{1,3}(\\.[0-9]{1,3}){2,4}",
            1 => "[0-9]{1,4}([-. ][0-9]{1,4}){1,4}",
        ];
        prop::collection::vec(part, 1..14).prop_map(|parts| parts.concat())
    }

    fn links(nodes: &[TextNode], found: &mut Vec<(String, String)>) {
        for node in nodes {
            match node {
                TextNode::AutoLink { url, text, .. } => {
                    found.push((url.to_string(), text.to_string()));
                }
                TextNode::Bold { children, .. } | TextNode::Italic { children, .. } => {
                    links(children, found);
                }
                _ => {}
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn auto_links_of_clients_are_accepted(text in written()) {
            let mut found = Vec::new();
            for block in parse_markup(&text, MarkupSource::Send) {
                if let ContentBlock::Text(block) = block {
                    links(&block.children, &mut found);
                }
            }
            for (url, text) in found {
                prop_assert!(agrees(&url, &text), "{} leads to {}", text, url);
            }
        }
    }
}
