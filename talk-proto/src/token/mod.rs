//! Creation of tokens on an application's server, and checks of user tokens.

mod check;
mod claims;
mod jwt;
mod problem;
mod signature;

pub use check::{TokenCheck, TokenReport};
pub use claims::{TokenClaims, mint_app_token};
pub use problem::TokenProblem;
pub use signature::{is_user_signature, sign_user_id};
