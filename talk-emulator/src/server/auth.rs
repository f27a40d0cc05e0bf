//! Verification and creation of tokens.

use talk_proto::{
    Secret, Timestamp,
    model::{AppId, EmptyId, UserId},
    token::{TokenCheck, TokenClaims},
};

use super::refusal::Refusal;

/// The claims of a verified token.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// The user; absent if an emulator without a secret cannot read the token.
    pub(super) user: Option<String>,
    pub(super) expires: Option<Timestamp>,
}

/// Verifies a token for an app. Without a secret every token is valid.
pub(super) fn verify(
    secret: Option<&str>,
    app: &str,
    token: &str,
    now: Timestamp,
) -> Result<Identity, Refusal> {
    let token = Secret::from(token);
    let Some(secret) = secret else {
        let report = TokenCheck::new(now).check(&token);
        let is_ours = report.app_id.as_deref() == Some(app);
        return Ok(Identity {
            user: report.user_id.filter(|_| is_ours),
            expires: None,
        });
    };
    let app = AppId::new(app).map_err(|_| Refusal::app_not_found())?;
    let report = TokenCheck::new(now)
        .secret(secret)
        .app_id(app)
        .check(&token);
    if let Some(problem) = report.refused_for() {
        return Err(Refusal::unauthorized(format!(
            "The token is refused: {problem}."
        )));
    }
    Ok(Identity {
        user: report.user_id,
        expires: report.expires_at,
    })
}

/// Issues a token for a user without one. It never expires. Without a secret it is signed with the
/// empty string and not verified.
pub(super) fn issue(secret: Option<&str>, app: &str, user: &str) -> Result<Secret, Refusal> {
    let invalid = |error: EmptyId| Refusal::invalid("INVALID_ID", error.to_string());
    let app = AppId::new(app).map_err(invalid)?;
    let user = UserId::new(user).map_err(invalid)?;
    Ok(TokenClaims::new(app, user).mint(&Secret::from(secret.unwrap_or_default())))
}

/// Returns `true` if `signature` is the user's signature, the scheme that preceded tokens.
pub(super) fn is_signature_of(secret: &str, user: &str, signature: &str) -> bool {
    UserId::new(user)
        .is_ok_and(|user| talk_proto::token::is_user_signature(&secret.into(), &user, signature))
}
