//! User tokens as issued by an application's server, and their problems.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::Sha256;
use talk_proto::{
    Secret, Timestamp,
    model::{AppId, UserId},
    token::{
        TokenCheck, TokenClaims, TokenProblem, TokenReport, is_user_signature, mint_app_token,
        sign_user_id,
    },
};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const NOW_SECONDS: u64 = 1_700_000_000;

fn app() -> AppId {
    "my_app".try_into().unwrap()
}

fn alice() -> UserId {
    "alice".try_into().unwrap()
}

/// Returns a token that is signed with `key` by independent code.
fn signed(header: &Value, claims: &Value) -> Secret {
    let encode = |part: &Value| BASE64URL_NOPAD.encode(part.to_string().as_bytes());
    let signed = format!("{}.{}", encode(header), encode(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(b"key").unwrap();
    mac.update(signed.as_bytes());
    let signature = BASE64URL_NOPAD.encode(&mac.finalize().into_bytes());
    Secret::from(format!("{signed}.{signature}"))
}

fn good() -> Value {
    json!({ "tokenType": "user", "iss": "my_app", "sub": "alice", "exp": NOW_SECONDS + 86_400 })
}

fn check(token: &Secret) -> TokenReport {
    let check = TokenCheck::new(NOW).secret("key");
    check.app_id(app()).user_id(alice()).check(token)
}

/// Returns the problems of a valid token after one claim is replaced.
fn problems_with(name: &str, value: Value) -> Vec<TokenProblem> {
    let mut claims = good();
    claims[name] = value;
    check(&signed(&json!({ "alg": "HS256" }), &claims)).problems
}

fn problems_without(name: &str) -> Vec<TokenProblem> {
    let mut claims = good();
    claims.as_object_mut().unwrap().remove(name);
    check(&signed(&json!({ "alg": "HS256" }), &claims)).problems
}

#[test]
fn token_minted_has_documented_claims() {
    let claims = TokenClaims::new(app(), alice()).expires_at(NOW + Duration::from_secs(86_400));
    let token = claims.mint(&"key".into());
    let decoded = token.expose().split('.').take(2).map(|part| {
        let json = BASE64URL_NOPAD.decode(part.as_bytes()).unwrap();
        serde_json::from_slice::<Value>(&json).unwrap()
    });
    let header = json!({ "alg": "HS256", "typ": "JWT" });
    assert_eq!(decoded.collect::<Vec<_>>(), [header, good()]);
    let report = check(&token);
    assert_eq!(report.problems, []);
    assert_eq!(report.app_id.as_deref(), Some("my_app"));
    assert_eq!(report.user_id.as_deref(), Some("alice"));
    assert_eq!(report.expires_at, Some(NOW + Duration::from_secs(86_400)));
}

#[test]
fn signature_matches_rfc_7515_example() {
    // Appendix A.1 uses a key that is not text. This is the well-known example of jwt.io.
    let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
                 eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.\
                 SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c";
    let check = TokenCheck::new(NOW).secret("your-256-bit-secret");
    let problems = check.check(&token.into()).problems;
    assert!(
        !problems.contains(&TokenProblem::WrongSignature),
        "{problems:?}"
    );
}

#[test]
fn token_check_distinguishes_mistakes() {
    let wrong_app = TokenProblem::WrongApp {
        expected: "my_app".into(),
        found: "other".into(),
    };
    assert_eq!(problems_with("iss", json!("other")), [wrong_app]);
    let wrong_user = TokenProblem::WrongUser {
        expected: "alice".into(),
        found: "bob".into(),
    };
    assert_eq!(problems_with("sub", json!("bob")), [wrong_user]);
    let milliseconds = TokenProblem::ExpiryInMilliseconds {
        meant: NOW + Duration::from_secs(60),
    };
    let exp = json!((NOW_SECONDS + 60) * 1000);
    assert_eq!(problems_with("exp", exp), [milliseconds]);
    let ago = Duration::from_secs(5);
    let expired = TokenProblem::Expired { ago };
    assert_eq!(problems_with("exp", json!(NOW_SECONDS - 5)), [expired]);
    let left = Duration::from_secs(119);
    let soon = TokenProblem::ExpiresSoon { left };
    assert_eq!(problems_with("exp", json!(NOW_SECONDS + 119)), [soon]);
    assert_eq!(problems_with("exp", json!(NOW_SECONDS + 120)), []);
    assert_eq!(problems_without("exp"), [TokenProblem::NoExpiry]);
    let no_type = TokenProblem::WrongTokenType { found: None };
    assert_eq!(problems_without("tokenType"), [no_type]);
    let app_type = TokenProblem::WrongTokenType {
        found: Some("app".into()),
    };
    assert_eq!(problems_with("tokenType", json!("app")), [app_type]);
    let no_text = TokenProblem::WrongTokenType {
        found: Some("7".into()),
    };
    assert_eq!(problems_with("tokenType", json!(7)), [no_text]);
}

#[test]
fn token_claims_of_wrong_type_are_refused() {
    for (name, value) in [
        ("iss", json!(5)),
        ("sub", json!(null)),
        ("exp", json!("1700000000")),
    ] {
        let problems = problems_with(name, value);
        let [TokenProblem::InvalidClaim { name: told, .. }] = problems[..] else {
            panic!("{problems:?}");
        };
        assert_eq!(told, name);
    }
    assert!(matches!(
        problems_without("sub")[..],
        [TokenProblem::InvalidClaim { name: "sub", .. }]
    ));
}

#[test]
fn token_needs_hs256_and_the_right_key() {
    let algorithm = |alg: &str| check(&signed(&json!({ "alg": alg }), &good())).problems;
    for found in ["none", "RS256", "HS512", "hs256"] {
        let found = found.to_owned();
        let problem = TokenProblem::WrongAlgorithm {
            found: found.clone(),
        };
        assert_eq!(algorithm(&found), [problem]);
    }
    let token = signed(&json!({ "alg": "HS256" }), &good());
    let other_key = TokenCheck::new(NOW).secret("another key").check(&token);
    assert_eq!(other_key.problems, [TokenProblem::WrongSignature]);
    assert!(!other_key.is_accepted());
    let unknown_key = TokenCheck::new(NOW).check(&token);
    assert_eq!(unknown_key.problems, []);
}

#[test]
fn token_malformed_is_reported() {
    let token = signed(&json!({ "alg": "HS256" }), &good());
    let token = token.expose();
    let quoted = format!("\"{token}\"");
    let bearer = format!("Bearer {token}");
    let cut = &token[..token.len() - 50];
    for text in ["", "token", "a.b.c", ".", "..", &quoted, &bearer, cut] {
        let report = check(&text.into());
        assert_eq!(report.problems, [TokenProblem::NotAToken], "{text:?}");
    }
}

#[test]
fn token_header_and_claims_must_be_objects() {
    for (header, claims) in [
        (json!(["HS256"]), good()),
        (json!("HS256"), good()),
        (json!({ "alg": "HS256" }), json!([good()])),
    ] {
        let report = check(&signed(&header, &claims));
        assert_eq!(
            report.problems,
            [TokenProblem::NotAToken],
            "{header} {claims}"
        );
    }
}

#[test]
fn token_refusals_precede_warnings() {
    let claims = json!({ "iss": "other", "sub": "alice" });
    let report = check(&signed(&json!({ "alg": "HS256" }), &claims));
    assert_eq!(report.problems.len(), 3);
    assert!(matches!(
        report.refused_for(),
        Some(TokenProblem::WrongApp { .. })
    ));
    assert_eq!(report.refused_for(), report.problems.first());
}

#[test]
fn app_token_equals_other_implementation() {
    let key = Secret::from("sk_test_secret");
    let app = AppId::new("app1").unwrap();
    let token = mint_app_token(&key, &app, Timestamp::from_millis(1_767_225_630_999));
    let expected = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlblR5cGUiOiJhcHAiLCJpc3MiOiJhc\
                    HAxIiwiZXhwIjoxNzY3MjI1NjMwfQ.5SPzl7LTn9R8znINtQGx6dTxKPWwxA_GZKB-kD5X01Y";
    assert_eq!(token.expose(), expected);
}

#[test]
fn legacy_signature_accepts_both_cases() {
    let key = Secret::from("key");
    let signature = sign_user_id(&key, &alice());
    // Made with `printf alice | openssl dgst -sha256 -hmac key`.
    assert_eq!(signature.expose(), SIGNATURE_OF_ALICE);
    assert!(is_user_signature(&key, &alice(), signature.expose()));
    assert!(is_user_signature(
        &key,
        &alice(),
        &signature.expose().to_uppercase()
    ));
    assert!(!is_user_signature(
        &key,
        &"bob".try_into().unwrap(),
        signature.expose()
    ));
    assert!(!is_user_signature(
        &"other".into(),
        &alice(),
        signature.expose()
    ));
    assert!(!is_user_signature(&key, &alice(), "not hex"));
}

const SIGNATURE_OF_ALICE: &str = "76fb55e929c06b97b01c35950ee5f72fe415b15ed3a7356c39e709906dbb5c45";

proptest! {
    #[test]
    fn token_check_any_text_is_refused_and_hidden(text in ".{40,200}") {
        let report = check(&text.as_str().into());
        prop_assert!(!report.is_accepted());
        let shown = format!("{report:?} {}", report.problems[0]);
        prop_assert!(!shown.contains(&text));
    }

    #[test]
    fn token_minted_is_accepted(
        app in ".{1,20}",
        user in ".{1,20}",
        key in ".{0,80}",
        life in 120_u64..1_000_000_000,
    ) {
        let (app, user) = (AppId::new(app).unwrap(), UserId::new(user).unwrap());
        let expires_at = NOW + Duration::from_secs(life);
        let claims = TokenClaims::new(app.clone(), user.clone()).expires_at(expires_at);
        let token = claims.mint(&Secret::from(key.as_str()));
        let check = TokenCheck::new(NOW).secret(key.as_str());
        let report = check.app_id(app).user_id(user).check(&token);
        prop_assert_eq!(report.problems, vec![]);
        prop_assert_eq!(report.expires_at, Some(expires_at));
        let shown = format!("{token:?} {claims:?}");
        prop_assert!(!shown.contains(token.expose()));
    }
}

#[test]
fn check_not_before_in_future_is_refused() {
    assert_eq!(problems_with("nbf", json!(NOW_SECONDS)), []);
    let early = problems_with("nbf", json!(NOW_SECONDS + 7));
    let wait = Duration::from_secs(7);
    assert_eq!(early, [TokenProblem::NotYetValid { wait }]);
    assert!(early[0].is_refused());
    assert!(matches!(
        problems_with("nbf", json!("soon"))[..],
        [TokenProblem::InvalidClaim { name: "nbf", .. }]
    ));
}

#[test]
fn check_critical_extension_is_refused() {
    let header = json!({ "alg": "HS256", "crit": ["b64"], "b64": true });
    let problems = check(&signed(&header, &good())).problems;
    assert_eq!(problems, [TokenProblem::CriticalExtension]);
    assert!(problems[0].is_refused());
}
