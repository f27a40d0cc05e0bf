//! The application's responses to token fetches.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use talk_proto::{Input, Timestamp, TokenFetchId};

use super::mail::{Address, Mail};
use super::net::TokenAnswer;
use super::world::{APP, Proof, SECRET, World};

/// The lifetimes of tokens, in seconds.
const LIVES: [u64; 5] = [150, 400, 1_300, 3_600, 86_400];
/// A lifetime that is too short, in seconds.
const SHORT: u64 = 60;

impl World {
    /// Responds to a token fetch as the next token rule demands.
    pub(super) fn fetch_token(&mut self, client: Address, fetch: TokenFetchId) {
        let answer = self.nets[client.who].tokens.pop_front();
        let millis = match answer {
            Some(TokenAnswer::Silence) => return self.note_auth_failure(client.who),
            Some(TokenAnswer::Late) => self.rng.u64(1_000..90_000),
            _ => self.rng.u64(0..200),
        };
        let at = self.now + Duration::from_millis(millis);
        let life = LIVES[self.rng.usize(..LIVES.len())];
        let user = self.clients[client.who].user;
        let token = match answer {
            Some(TokenAnswer::Rejected) => {
                self.note_auth_failure(client.who);
                self.next_token += 1;
                format!("rejected-{}", self.next_token)
            }
            Some(TokenAnswer::ShortLived) => {
                self.note_auth_failure(client.who);
                self.token(user, at + Duration::from_secs(SHORT))
            }
            Some(TokenAnswer::Late) => {
                self.note_auth_failure(client.who);
                self.token(user, at + Duration::from_secs(life))
            }
            _ => self.token(user, at + Duration::from_secs(life)),
        };
        self.mailbox.put(at, Mail::Token(client, fetch, token));
    }

    /// Records an event after which a session suspects its token.
    pub(super) fn note_auth_failure(&mut self, who: usize) {
        self.clients[who].auth_failures += 1;
    }

    pub(super) fn deliver_token(&mut self, client: Address, fetch: TokenFetchId, token: String) {
        let Some(of) = self.at(client) else { return };
        if of.fetches.last() == Some(&fetch) {
            of.tokens.push(token.clone());
            if of.tokens.len() > 2 {
                of.tokens.remove(0);
            }
        }
        let result = Ok(token.into());
        self.input(client.who, Input::Token { fetch, result });
    }

    /// Creates a token. It is signed if the server checks signatures.
    pub(super) fn token(&mut self, user: &str, expires: Timestamp) -> String {
        self.next_token += 1;
        if self.proof != Proof::Signed {
            return format!("token-{}", self.next_token);
        }
        let encode = |json: serde_json::Value| BASE64URL_NOPAD.encode(json.to_string().as_bytes());
        let exp = expires.as_millis() / 1000;
        let claims =
            json!({"tokenType": "user", "iss": APP, "sub": user, "exp": exp, "n": self.next_token});
        let signed = format!("{}.{}", encode(json!({"alg": "HS256"})), encode(claims));
        // HMAC accepts keys of every length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()) else {
            return signed;
        };
        mac.update(signed.as_bytes());
        let signature = BASE64URL_NOPAD.encode(&mac.finalize().into_bytes());
        format!("{signed}.{signature}")
    }
}
