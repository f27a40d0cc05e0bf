//! Snapshots that are lists.

use talk_proto::Window;

/// A snapshot of a part of a list, of which more can be loaded.
///
/// The trait is sealed: the list snapshots of this crate implement it.
///
/// ```
/// use talk_client::ListSnapshot;
///
/// /// Returns `true` if a list, which may be hidden from the user, has more items to load.
/// fn has_more(snapshot: &impl ListSnapshot) -> bool {
///     snapshot.window().is_some_and(|window| !window.loaded_all())
/// }
/// ```
pub trait ListSnapshot: sealed::Sealed {
    /// The items of the list.
    type Item;

    /// Returns the loaded part; `None` if there is no list.
    fn window(&self) -> Option<&Window<Self::Item>>;
}

impl<T> ListSnapshot for Window<T> {
    type Item = T;

    fn window(&self) -> Option<&Self> {
        Some(self)
    }
}

impl<T> ListSnapshot for Option<Window<T>> {
    type Item = T;

    fn window(&self) -> Option<&Window<T>> {
        self.as_ref()
    }
}

mod sealed {
    use super::Window;

    #[expect(unnameable_types, reason = "it seals a trait")]
    pub trait Sealed {}

    impl<T> Sealed for Window<T> {}

    impl<T> Sealed for Option<Window<T>> {}
}
