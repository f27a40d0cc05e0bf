//! Fuzz target for the check of tokens.

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use talk_proto::{Secret, Timestamp, token::{TokenCheck, TokenReport}};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const KEY: &str = "the-secret-key";
const ALGORITHM: &str = "HS256";

/// Checks the data itself as a token. Then builds claims from the data, with its first line as the
/// header, and checks them with a valid and an invalid signature. Skips data that contains the key,
/// because the check searches its output for the key.
pub fn tokens(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if text.contains(KEY) {
        return;
    }
    check(&text);

    let (header, claims) = text
        .split_once('\n')
        .unwrap_or((r#"{"alg":"HS256"}"#, &text));
    let encode = |part: &str| BASE64URL_NOPAD.encode(part.as_bytes());
    let signed = format!("{}.{}", encode(header), encode(claims));
    let good = format!("{signed}.{}", signature_of(&signed));
    let report = check(&good);
    let accepts = is_good(header, claims);
    assert_eq!(
        report.is_accepted(),
        accepts,
        "{header} {claims}: {report:?}"
    );

    let bad = format!("{signed}.{}", signature_of(&good));
    assert!(!check(&bad).is_accepted());
}

/// Checks a token twice and compares the reports. Neither the token's signature nor the key may
/// appear in the output.
fn check(token: &str) -> TokenReport {
    let app = "app".try_into().expect("an ID");
    let user = "alice".try_into().expect("an ID");
    let check = TokenCheck::new(NOW).secret(KEY).app_id(app).user_id(user);
    let token = Secret::from(token);
    let report = check.check(&token);
    assert_eq!(check.check(&token), report);
    let problems: Vec<_> = report.problems.iter().map(ToString::to_string).collect();
    let shown = format!("{check:?} {token:?} {report:?} {problems:?}");
    assert!(!shown.contains(KEY), "the output contains the key: {shown}");
    if let Some((_, signature)) = token.expose().rsplit_once('.')
        && signature.len() > 20
    {
        assert!(!shown.contains(signature), "the output contains a signature: {shown}");
    }
    report
}

fn signature_of(text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).expect("any key will do");
    mac.update(text.as_bytes());
    BASE64URL_NOPAD.encode(&mac.finalize().into_bytes())
}

/// Returns `true` if the service accepts this header and these claims with a valid signature.
fn is_good(header: &str, claims: &str) -> bool {
    let json = |text: &str| serde_json::from_str::<Value>(text).ok();
    let (Some(header), Some(claims)) = (json(header), json(claims)) else {
        return false;
    };
    let is_alive = match claims.get("exp") {
        None => true,
        Some(expiry) => expiry.as_f64().is_some_and(|seconds| {
            let millis = seconds * 1000.0;
            millis.floor() > NOW.as_millis() as f64
        }),
    };
    header["alg"] == ALGORITHM && claims["iss"] == "app" && claims["sub"] == "alice" && is_alive
}
