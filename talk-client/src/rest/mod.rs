//! The REST API for back ends, over the transport of sessions.
//!
//! [`RestClient`] sends the calls of `talk_rest`, all of whose names are in this module. An adapter
//! crate makes one in one line, with its feature `rest`:
//!
//! ```no_run
//! # mod talk_tokio {
//! #     use talk_client::{NoRuntimeError, rest::{Api, RestClient}};
//! #     pub fn rest_client(_: Api) -> Result<RestClient, NoRuntimeError> { unimplemented!() }
//! # }
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use talk_client::rest::{Api, NewMessage, conversation};
//!
//! let rest = talk_tokio::rest_client(Api::new("my_app", "sk_test_1")?)?;
//! let order = conversation("order_1")?;
//! rest.call(order.send([NewMessage::system("Payment received")])?).await?;
//! # Ok(())
//! # }
//! ```

mod client;
mod error;
mod network;

pub use talk_rest::*;

pub use self::client::RestClient;
pub use self::error::RestClientError;
