//! The credentials of back ends.

use ::http::header::ORIGIN;
use talk_proto::Secret;
use talk_proto::Timestamp;
use talk_proto::model::AppId;
use talk_proto::token::{TokenCheck, TokenProblem, TokenReport};

use crate::server::http::{self, HttpRequest};
use crate::server::loopback::is_loopback_origin;
use crate::server::refusal::Refusal;

/// Checks the credentials of a request: an app token, or the secret itself.
///
/// Without a secret every value counts as an app token, except tokens of users (our choice). An
/// absent or empty header is refused, so that a back end that forgets it fails here too. Without a
/// secret, pages of other host names are refused, even if the name resolves to this machine (our
/// choice).
pub(super) fn check(
    request: &HttpRequest,
    secret: Option<&str>,
    app: &str,
    now: Timestamp,
) -> Result<(), Refusal> {
    if secret.is_none() && has_foreign_origin(request) {
        return Err(Refusal::unauthorized(
            "Pages of other machines may not use the REST API of an emulator without a secret.",
        ));
    }
    let token = http::token(request).filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| {
        Refusal::unauthorized("The request has no `Authorization: Bearer TOKEN`.")
    })?;
    check_token(token, secret, app, now)
}

fn has_foreign_origin(request: &HttpRequest) -> bool {
    let origins = request.headers().get_all(ORIGIN).iter();
    let mut origins = origins.map(|origin| origin.to_str().unwrap_or_default());
    origins.any(|origin| !is_loopback_origin(origin))
}

fn check_token(
    token: &str,
    secret: Option<&str>,
    app: &str,
    now: Timestamp,
) -> Result<(), Refusal> {
    let token = Secret::from(token);
    let Some(secret) = secret else {
        return match TokenCheck::new(now).check(&token) {
            report if is_user_token(&report) => Err(user_token()),
            _ => Ok(()),
        };
    };
    if is_equal(token.expose(), secret) {
        return Ok(());
    }
    let app = AppId::new(app).map_err(|_| Refusal::app_not_found())?;
    let report = TokenCheck::new(now)
        .secret(secret)
        .app_id(app)
        .check(&token);
    // App tokens have no user.
    let is_user_claim =
        |problem: &TokenProblem| matches!(problem, TokenProblem::InvalidClaim { name: "sub", .. });
    let mut problems = report.problems.iter().filter(|it| !is_user_claim(it));
    if let Some(problem) = problems.find(|problem| problem.is_refused()) {
        let reason = format!("The token is refused: {problem}.");
        return Err(Refusal::unauthorized(reason));
    }
    if is_app_token(&report) {
        Ok(())
    } else {
        Err(user_token())
    }
}

/// Returns `true` for the documented type `app`, and for `admin`, which some back ends send.
fn is_app_token(report: &TokenReport) -> bool {
    report.problems.iter().any(|problem| {
        let TokenProblem::WrongTokenType { found: Some(found) } = problem else {
            return false;
        };
        matches!(found.as_str(), "app" | "admin")
    })
}

fn is_user_token(report: &TokenReport) -> bool {
    !report.problems.iter().any(|problem| {
        matches!(
            problem,
            TokenProblem::NotAToken | TokenProblem::WrongTokenType { .. }
        )
    })
}

fn user_token() -> Refusal {
    Refusal::unauthorized(
        "The REST API needs an app token: a token with `tokenType` \"app\", signed with the secret \
         key, or the secret key itself.",
    )
}

/// Returns `true` if the strings are equal. The comparison takes constant time.
fn is_equal(given: &str, expected: &str) -> bool {
    let pairs = given.bytes().zip(expected.bytes());
    given.len() == expected.len() && pairs.fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}
