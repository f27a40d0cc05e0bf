//! Masking of tokens and signatures.

use std::borrow::Cow;

use serde_json::Value;

/// The replacement of a secret.
const MASK: &str = "***";

/// The request with a token in its data.
pub(super) const RENEW: &str = "/session/renew";

/// Returns a request with masked data and headers.
pub(super) fn mask_request(text: &str) -> String {
    mask_parts(text, 3)
}

/// Returns a response with a masked body. A refusal may repeat the token.
pub(super) fn mask_response(text: &str) -> String {
    mask_parts(text, 2)
}

/// Returns a frame with masked strings, except in the first parts.
fn mask_parts(text: &str, first: usize) -> String {
    let Ok(Value::Array(mut parts)) = serde_json::from_str(text) else {
        return MASK.to_owned();
    };
    for part in parts.iter_mut().skip(first) {
        mask_strings(part);
    }
    Value::Array(parts).to_string()
}

/// Returns a request with masked credentials in its headers.
pub(super) fn mask_headers(text: &str) -> Cow<'_, str> {
    let Ok(Value::Array(mut parts)) = serde_json::from_str(text) else {
        return MASK.into();
    };
    let mut is_masked = false;
    for part in parts.iter_mut().skip(4) {
        is_masked |= mask_authorization(part);
    }
    match is_masked {
        true => Value::Array(parts).to_string().into(),
        false => text.into(),
    }
}

/// Masks the members with the name `authorization`. Returns `true` if there is one.
fn mask_authorization(value: &mut Value) -> bool {
    let mut is_masked = false;
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                if name.trim().eq_ignore_ascii_case("authorization") {
                    *value = MASK.into();
                    is_masked = true;
                } else {
                    is_masked |= mask_authorization(value);
                }
            }
        }
        Value::Array(list) => {
            for value in list {
                is_masked |= mask_authorization(value);
            }
        }
        _ => {}
    }
    is_masked
}

/// Returns the data of a request with masked tokens.
pub(in crate::server) fn mask_request_data<'a>(path: &str, data: &'a str) -> Cow<'a, str> {
    if path != RENEW {
        return data.into();
    }
    mask_json(data).into()
}

/// Returns the text of a frame that is no request. It may be a malformed request with a token.
/// Therefore text from which a token could be read is masked as a whole.
pub(super) fn mask_unreadable(text: &str) -> Cow<'_, str> {
    if text.contains("oken") || text.contains("renew") || text.contains('\\') {
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
pub(super) fn mask_query(path: &str) -> Cow<'_, str> {
    let Some((path_only, query)) = path.split_once('?') else {
        return path.into();
    };
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
    fn mask_headers_hides_authorization() {
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
            assert_eq!(mask_headers(&frame(headers)), frame(masked));
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
    }
}
