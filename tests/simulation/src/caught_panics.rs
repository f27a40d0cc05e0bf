//! Expected panics, which are stored instead of printed.

use std::cell::{Cell, RefCell};
use std::panic::PanicHookInfo;
use std::sync::Once;

use super::broken::Broken;

thread_local! {
    static IS_CATCHING: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<Option<Broken>> = const { RefCell::new(None) };
}

/// A panic hook that stores the panics of the current thread.
pub(super) struct CaughtPanics;

impl CaughtPanics {
    /// Stores the panics of this thread while `run` runs. Panics of other threads are printed.
    pub(super) fn during<R>(run: impl FnOnce() -> R) -> R {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                if IS_CATCHING.get() {
                    LAST.set(Some(describe(info)));
                } else {
                    before(info);
                }
            }));
        });
        IS_CATCHING.set(true);
        let result = run();
        IS_CATCHING.set(false);
        result
    }

    /// Returns the last panic of this thread. The broken rule includes its location.
    pub(super) fn last() -> Broken {
        LAST.take().unwrap_or_else(|| Broken {
            rule: "no panic".to_owned(),
            detail: String::new(),
        })
    }
}

fn describe(info: &PanicHookInfo<'_>) -> Broken {
    let place = info.location().map_or_else(String::new, |location| {
        format!(" at {}:{}", location.file(), location.line())
    });
    Broken {
        rule: format!("no panic{place}"),
        detail: info.payload_as_str().unwrap_or_default().to_owned(),
    }
}
