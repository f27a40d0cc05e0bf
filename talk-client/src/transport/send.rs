//! Thread-safety bounds that apply on native targets and not on wasm32.
//!
//! A browser's sockets, timers and callbacks belong to one thread, so a bound of [`Send`] would
//! exclude them. `--cfg talk_local_futures` drops the bounds on a native target too: a check of
//! them where the wasm32 target is not installed.

use std::future::Future;
use std::pin::Pin;

use futures_util::stream::Stream;

/// A boxed future: [`Send`] on native targets, not on wasm32.
#[cfg(not(any(target_arch = "wasm32", talk_local_futures)))]
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
/// A boxed future: [`Send`] on native targets, not on wasm32.
#[cfg(any(target_arch = "wasm32", talk_local_futures))]
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A boxed stream: [`Send`] on native targets, not on wasm32.
#[cfg(not(any(target_arch = "wasm32", talk_local_futures)))]
pub type BoxStream<'a, T> = Pin<Box<dyn Stream<Item = T> + Send + 'a>>;
/// A boxed stream: [`Send`] on native targets, not on wasm32.
#[cfg(any(target_arch = "wasm32", talk_local_futures))]
pub type BoxStream<'a, T> = Pin<Box<dyn Stream<Item = T> + 'a>>;

macro_rules! marker {
    ($(#[$doc:meta])* $name:ident, $bound:ident) => {
        $(#[$doc])*
        #[cfg(not(any(target_arch = "wasm32", talk_local_futures)))]
        pub trait $name: $bound {}
        #[cfg(not(any(target_arch = "wasm32", talk_local_futures)))]
        impl<T: $bound + ?Sized> $name for T {}

        $(#[$doc])*
        #[cfg(any(target_arch = "wasm32", talk_local_futures))]
        pub trait $name {}
        #[cfg(any(target_arch = "wasm32", talk_local_futures))]
        impl<T: ?Sized> $name for T {}
    };
}

marker! {
    /// [`Send`] on native targets, no requirement on wasm32. Implemented for every type that
    /// meets it.
    MaybeSend, Send
}

marker! {
    /// [`Sync`] on native targets, no requirement on wasm32. Implemented for every type that
    /// meets it.
    MaybeSync, Sync
}

/// A function that is stored and called once.
pub(crate) trait BoxableFnOnce<A, T>: MaybeSend {
    fn call(self: Box<Self>, argument: A) -> T;
}

impl<A, T, F: FnOnce(A) -> T + MaybeSend> BoxableFnOnce<A, T> for F {
    fn call(self: Box<Self>, argument: A) -> T {
        (*self)(argument)
    }
}

/// A function that is stored, shared and called many times.
pub(crate) trait SharableFn<A, T>: MaybeSend + MaybeSync {
    fn call(&self, argument: A) -> T;
}

impl<A, T, F: Fn(A) -> T + MaybeSend + MaybeSync> SharableFn<A, T> for F {
    fn call(&self, argument: A) -> T {
        self(argument)
    }
}
