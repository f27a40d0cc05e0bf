//! Masking of tokens and signatures.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// The replacement of a secret.
const MASK: &str = "***";

/// Returns a request with masked data and headers.
pub(super) fn mask_request(text: &str) -> String {
    mask_parts(text, 3)
}

/// Returns a response with a masked body. A refusal may repeat the token.
pub(super) fn mask_response(text: &str) -> String {
    mask_parts(text, 2)
}

/// Returns a frame with masked strings, except in the first parts. In these, the query of a path is
/// masked.
fn mask_parts(text: &str, first: usize) -> String {
    let Ok(Value::Array(mut parts)) = serde_json::from_str(text) else {
        return MASK.to_owned();
    };
    for (at, part) in parts.iter_mut().enumerate() {
        if at >= first {
            mask_strings(part);
        } else if let Value::String(path) = part {
            *path = mask_query(path).into_owned();
        }
    }
    Value::Array(parts).to_string()
}

/// Returns a request with masked credentials: tokens in its data and in the query of its path, and
/// the authorization in its headers.
pub(super) fn mask_credentials(text: &str) -> Cow<'_, str> {
    let Ok(Value::Array(mut parts)) = serde_json::from_str(text) else {
        return MASK.into();
    };
    let mut is_masked = false;
    for (at, part) in parts.iter_mut().enumerate() {
        match (at, part) {
            (2, Value::String(path)) => {
                let masked = mask_query(path).into_owned();
                is_masked |= masked != *path;
                *path = masked;
            }
            (3, data) => is_masked |= mask_members(data, &is_token_name),
            (4.., headers) => {
                is_masked |= mask_members(headers, &is_authorization);
                is_masked |= mask_members(headers, &is_token_name);
            }
            _ => {}
        }
    }
    match is_masked {
        true => Value::Array(parts).to_string().into(),
        false => text.into(),
    }
}

/// Returns `true` if a request may have credentials outside of its headers.
pub(super) fn may_have_credentials(text: &str, path: &str) -> bool {
    path.contains('?') || may_have_token(text)
}

/// Returns `true` if JSON may have a member with a token. Its name may be escaped.
fn may_have_token(text: &str) -> bool {
    text.contains("oken") || text.contains("OKEN") || text.contains("\\u")
}

/// Masks the members with a name that `is_secret` accepts. Returns `true` if there is one.
fn mask_members(value: &mut Value, is_secret: &impl Fn(&str) -> bool) -> bool {
    let mut is_masked = false;
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                if is_secret(name.trim()) {
                    *value = MASK.into();
                    is_masked = true;
                } else {
                    is_masked |= mask_members(value, is_secret);
                }
            }
        }
        Value::Array(list) => {
            for value in list {
                is_masked |= mask_members(value, is_secret);
            }
        }
        _ => {}
    }
    is_masked
}

fn is_authorization(name: &str) -> bool {
    name.eq_ignore_ascii_case("authorization")
}

/// Returns `true` for the name of a token of a user. The tokens of files have other names.
fn is_token_name(name: &str) -> bool {
    name.eq_ignore_ascii_case("token") || name.eq_ignore_ascii_case("boken")
}

/// Returns `true` for the path of a token renewal, and for paths that a client may have meant as
/// one: encoded, with a trailing slash, with a query, in upper case or below a base path.
pub(super) fn is_renewal(path: &str) -> bool {
    // Most paths are decided without an allocation.
    if !["enew", "ENEW", "%"].iter().any(|part| path.contains(part)) {
        return false;
    }
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    let path = percent_decode_str(&decoded).decode_utf8_lossy();
    let path = path.to_ascii_lowercase();
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let segments: Vec<_> = path.split('/').filter(|it| !it.is_empty()).collect();
    segments.windows(2).any(|pair| match pair {
        [session, renew] => session.starts_with("session") && renew.starts_with("renew"),
        _ => false,
    })
}

/// Returns the data of a request with masked tokens.
pub(in crate::server) fn mask_request_data<'a>(path: &str, data: &'a str) -> Cow<'a, str> {
    if is_renewal(path) {
        return mask_json(data).into();
    }
    if !may_have_token(data) {
        return data.into();
    }
    let mut value = serde_json::from_str(data).unwrap_or(MASK.into());
    match mask_members(&mut value, &is_token_name) || value == MASK {
        true => value.to_string().into(),
        false => data.into(),
    }
}

/// Returns the text of a frame that is no request. It may be a malformed request with a token.
/// Therefore text from which a token could be read is masked as a whole.
pub(super) fn mask_unreadable(text: &str) -> Cow<'_, str> {
    let mut words = ["oken", "OKEN", "enew", "ENEW", "\\"].into_iter();
    if words.any(|word| text.contains(word)) {
        MASK.into()
    } else {
        text.into()
    }
}

/// Returns JSON with all strings masked.
pub(super) fn mask_json(text: &str) -> String {
    let mut value: Value = serde_json::from_str(text).unwrap_or(MASK.into());
    mask_strings(&mut value);
    value.to_string()
}

/// Returns a path with masked tokens and signatures in its query.
pub(in crate::server) fn mask_query(path: &str) -> Cow<'_, str> {
    let Some((path_only, query)) = path.split_once('?') else {
        return path.into();
    };
    if is_renewal(path_only) {
        return format!("{path_only}?{MASK}").into();
    }
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_secret(name) => Cow::Owned(format!("{name}={MASK}")),
        _ => pair.into(),
    });
    let pairs: Vec<_> = pairs.collect();
    format!("{path_only}?{}", pairs.join("&")).into()
}

/// Returns `true` for the name of a query parameter with a secret. Encoded names are not decoded.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        "token",
        "boken",
        "signature",
        "secret",
        "authorization",
        "%",
    ]
    .iter()
    .any(|word| name.contains(word))
}

fn mask_strings(value: &mut Value) {
    match value {
        Value::String(text) => MASK.clone_into(text),
        Value::Array(list) => list.iter_mut().for_each(mask_strings),
        Value::Object(object) => object.values_mut().for_each(mask_strings),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mask_request_hides_all_strings_of_data() {
        let frame =
            r#"[0,"POST","/session/renew",{"token":"t0","x":["t1"]},{"authorization":"t2"}]"#;
        let masked =
            r#"[0,"POST","/session/renew",{"token":"***","x":["***"]},{"authorization":"***"}]"#;
        assert_eq!(mask_request(frame), masked);
        assert_eq!(mask_request("[0"), "***");
    }

    #[test]
    fn mask_credentials_hides_authorization() {
        let frame = |headers: &str| format!(r#"[0,"GET","/me",{{"authorization":"a"}},{headers}]"#);
        for (headers, masked) in [
            (r#"{"Authorization":"t"}"#, r#"{"Authorization":"***"}"#),
            (
                r#"{"\u0061uthorization":["t"]}"#,
                r#"{"authorization":"***"}"#,
            ),
            (
                r#"0,[{"authorization":"t"}]"#,
                r#"0,[{"authorization":"***"}]"#,
            ),
            (r#"{ "x": "t" }"#, r#"{ "x": "t" }"#),
        ] {
            assert_eq!(mask_credentials(&frame(headers)), frame(masked));
        }
    }

    #[test]
    fn mask_request_data_hides_tokens_of_near_misses() {
        for path in [
            "/session/renew",
            "/session/renew/",
            "//session//renew",
            "/session%2Frenew",
            "/session%252frenew",
            "/Session/Renew",
            "/session/renew?x",
            "/session/renewal",
            "/v1/app/session/renew",
        ] {
            assert_eq!(mask_request_data(path, r#"["s"]"#), r#"["***"]"#, "{path}");
        }
        for (data, masked) in [
            (r#"{"Token": "s", "x": "y"}"#, r#"{"Token":"***","x":"y"}"#),
            (r#"[{"\u0074oken": ["s"]}]"#, r#"[{"token":"***"}]"#),
            (r#"{ "fileToken": "s" }"#, r#"{ "fileToken": "s" }"#),
            (r#"{ "text": "a token" }"#, r#"{ "text": "a token" }"#),
        ] {
            assert_eq!(mask_request_data("/conversations/renew/x", data), masked);
        }
    }

    #[test]
    fn mask_unreadable_hides_possible_tokens() {
        for text in [
            r#"[0,"POST","/session/renew",{"token":"t0""#,
            r#"[0,"POST","\u002fsession/x",{"\u0074oken":"t0""#,
        ] {
            assert_eq!(mask_unreadable(text), "***");
        }
        assert_eq!(mask_unreadable(r#"["ACK",1]"#), r#"["ACK",1]"#);
    }

    #[test]
    fn mask_query_hides_signatures() {
        assert_eq!(
            mask_query("/a?signature=s&x=1&tok%65n=t&Token=t"),
            "/a?signature=***&x=1&tok%65n=***&Token=***"
        );
        assert_eq!(mask_query("/a"), "/a");
        assert_eq!(mask_query("/session/renew?t"), "/session/renew?***");
    }
}
