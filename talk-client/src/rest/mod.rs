//! The REST API for back ends, over the transport of sessions.
//!
//! [`RestClient`] sends the calls of `talk_rest`, all of whose names are in this module. With its
//! feature `rest`, an adapter crate has the function `rest_client`, which creates one for its
//! runtime.
//!
//! ```
//! use talk_client::rest::{NewMessage, RestClient, conversation};
//!
//! async fn announce(rest: &RestClient, order: &str) -> Result<(), Box<dyn std::error::Error>> {
//!     let notice = NewMessage::system("Payment received");
//!     rest.call(conversation(order)?.send([notice])?).await?;
//!     Ok(())
//! }
//! ```

mod client;
mod error;
mod network;

pub use talk_rest::*;

pub use self::client::RestClient;
pub use self::error::RestClientError;
