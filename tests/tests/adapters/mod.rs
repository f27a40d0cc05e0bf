//! A suite that runs on every runtime that Talk supports.
//!
//! A scenario is written once, for any [`Adapter`](adapter::Adapter). The macro at the end of its
//! file turns it into a test for each runtime. Servers run on threads of their own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

/// Creates a test of every scenario on every runtime.
macro_rules! on_every_runtime {
    ($($scenario:ident),* $(,)?) => {
        $(
            mod $scenario {
                use crate::adapters::adapter::{
                    AsyncStd, Smol, TokioCurrentThread, TokioMultiThread, run,
                };

                #[test]
                fn on_tokio_with_one_thread() {
                    run::<TokioCurrentThread>(super::$scenario::<TokioCurrentThread>());
                }

                #[test]
                fn on_tokio_with_many_threads() {
                    run::<TokioMultiThread>(super::$scenario::<TokioMultiThread>());
                }

                #[test]
                fn on_async_std() {
                    run::<AsyncStd>(super::$scenario::<AsyncStd>());
                }

                #[test]
                fn on_smol() {
                    run::<Smol>(super::$scenario::<Smol>());
                }
            }
        )*
    };
}

mod adapter;
mod hostile;
mod inbox;
mod own;
mod server;
mod session;
mod transport;
