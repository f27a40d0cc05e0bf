//! User tokens: issuing them on an application's server, and finding out why one is refused.

mod check;
mod claims;
mod jwt;
mod problem;
mod signature;

pub use check::{TokenCheck, TokenReport};
pub use claims::TokenClaims;
pub use problem::TokenProblem;
pub use signature::{is_user_signature, sign_user_id};
