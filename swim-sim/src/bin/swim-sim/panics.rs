//! A panic inside a run is a finding and not the end of a sweep: its place is kept for the verdict, and nothing
//! is printed in the middle of other output.

use std::cell::RefCell;

thread_local! {
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Remembers where a panic was instead of printing it.
pub(crate) fn keep_quiet() {
    let loud = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if std::env::var_os("RUST_BACKTRACE").is_some() {
            loud(info);
        }
        let place = info.location().map(ToString::to_string);
        PLACE.with(|held| *held.borrow_mut() = place);
    }));
}

/// Where this thread panicked last.
pub(crate) fn place() -> Option<String> {
    PLACE.with(|held| held.borrow_mut().take())
}
