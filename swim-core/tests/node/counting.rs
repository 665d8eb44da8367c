//! An allocator that counts.
//!
//! The counters belong to the thread, so that tests beside this one do not disturb it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static COUNTED: Cell<bool> = const { Cell::new(false) };
}

/// Takes note of `allocations`, and of what they change in the number of bytes held.
fn count(allocations: u64, bytes: isize) {
    // A thread that ends may allocate after its locals are gone; no test measures that.
    let _ = COUNTED.try_with(|counted| {
        if counted.get() {
            let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + allocations));
        }
    });
    let _ = LIVE.try_with(|live| live.set(live.get() + bytes));
}

#[expect(unsafe_code, reason = "an allocator cannot be written without; it only counts and passes on")]
// SAFETY: every call is passed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size() as isize);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, -(layout.size() as isize));
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, size as isize - layout.size() as isize);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often this thread allocates in `work`.
pub(crate) fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    COUNTED.set(true);
    work();
    COUNTED.set(false);
    ALLOCATIONS.get() - before
}

/// Does something that belongs to the test and not to what it measures.
pub(crate) fn uncounted<T>(work: impl FnOnce() -> T) -> T {
    let counted = COUNTED.replace(false);
    let result = work();
    COUNTED.set(counted);
    result
}

/// Bytes that this thread allocated and has not given back, as an amount to subtract another from.
pub(crate) fn live_bytes() -> isize {
    LIVE.get()
}
