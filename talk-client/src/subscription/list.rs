//! Snapshots that are lists.

use talk_proto::Window;

/// A snapshot that shows a part of a list, of which more can be loaded.
///
/// Implemented for the snapshots of this crate, and only for those.
///
/// ```
/// use talk_client::ListSnapshot;
///
/// /// Whether a list, which may be hidden from the user, has more to show.
/// fn has_more(snapshot: &impl ListSnapshot) -> bool {
///     snapshot.window().is_some_and(|window| !window.loaded_all())
/// }
/// ```
pub trait ListSnapshot: sealed::Sealed {
    /// What the list holds.
    type Item;

    /// The part that is loaded; `None` where there is no list.
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

    pub trait Sealed {}

    impl<T> Sealed for Window<T> {}

    impl<T> Sealed for Option<Window<T>> {}
}
