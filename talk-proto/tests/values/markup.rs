//! Markup and HTML: tags and comments contain no links, and malformed HTML is text.

use serde_json::Value;
use talk_proto::content::{MarkupSource, parse_markup, to_wire_json};

/// Returns the addresses of the links in the text, in order.
fn links(text: &str) -> Vec<String> {
    fn collect(node: &Value, links: &mut Vec<String>) {
        if node["type"] == "autolink" {
            links.extend(node["url"].as_str().map(str::to_owned));
        }
        for child in node["children"].as_array().into_iter().flatten() {
            collect(child, links);
        }
    }
    let content = parse_markup(text, MarkupSource::Send);
    let mut links = Vec::new();
    for block in serde_json::from_str::<serde_json::Value>(&to_wire_json(&content))
        .unwrap()
        .as_array()
        .unwrap()
    {
        collect(block, &mut links);
    }
    links
}

#[test]
fn tags_and_comments_hold_no_links() {
    for (text, expected) in [
        ("http://x.com", &["http://x.com"][..]),
        ("<b c='http://x.com'>", &[]),
        ("<b c=http://x.com>", &[]),
        ("<a href=\"http://x.com\">http://x.com</a>", &[]),
        ("<a/>http://x.com", &["http://x.com"]),
        ("<br/>http://x.com", &["http://x.com"]),
        ("<!-- http://x.com -->", &[]),
        ("<!-- http://x.com --!> http://y.com", &["http://y.com"]),
        ("<!-- - -- http://x.com -->", &[]),
        ("<!--- http://x.com -->", &[]),
        ("<!----> http://x.com", &["http://x.com"]),
    ] {
        assert_eq!(links(text), expected, "{text}");
    }
}

#[test]
fn markup_malformed_html_is_text() {
    for text in [
        "<!--> http://x.com",
        "<!---> http://x.com",
        "<a b=> http://x.com",
        "<a b==> http://x.com",
        "<a/b> http://x.com",
        "<1> http://x.com",
        "</1> http://x.com",
        "<!elem> http://x.com",
    ] {
        assert_eq!(links(text), ["http://x.com"], "{text}");
    }
}

#[test]
fn mention_undecodable_id_stays_text() {
    let node = |text: &str| {
        let content = parse_markup(text, MarkupSource::Send);
        serde_json::from_str::<serde_json::Value>(&to_wire_json(&content)).unwrap()[0]["children"]
            [0]
        .take()
    };
    assert_eq!(node("<!!mention:a%20b|Bob>")["id"], "a b");
    for text in [
        "<!!mention:a%|Bob>",
        "<!!mention:a%zz|Bob>",
        "<!!mention:%ff|Bob>",
    ] {
        assert_eq!(node(text), text);
    }
}

/// Characters directly after a phone number belong to the number and do not start an address.
#[test]
fn phone_number_continues_after_pound_with_pause() {
    for (text, expected) in [
        ("+1234,5a.com", &[][..]),
        ("+1234#,5a.com", &[]),
        ("+1234#,;5a.com", &[]),
        ("+1234#5a.com", &["http://a.com"]),
        ("+1234#-5a.com", &["http://5a.com"]),
        ("+1234# a.com", &["http://a.com"]),
    ] {
        assert_eq!(links(text), expected, "{text}");
    }
}
