//! What is measured of a piece of work: time, instructions, allocations.
//!
//! An operation prepares its inputs and checks what came of them outside [`Meter::measure`], so that neither
//! side pays for the other's postman.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Measures pieces of work.
pub(crate) trait Meter {
    /// Does `work` and measures it.
    fn measure<R>(&mut self, work: impl FnOnce() -> R) -> R;
}

/// Measures nothing: to warm up, and to find out how often to repeat.
#[derive(Debug, Default)]
pub(crate) struct Nothing;

impl Meter for Nothing {
    fn measure<R>(&mut self, work: impl FnOnce() -> R) -> R {
        work()
    }
}

/// Measures one of the pieces of an operation, counted from 1, by another meter.
pub(crate) struct Only<'a, M> {
    pub(crate) which: u32,
    pub(crate) pieces: u32,
    pub(crate) meter: &'a mut M,
}

impl<M: Meter> Meter for Only<'_, M> {
    fn measure<R>(&mut self, work: impl FnOnce() -> R) -> R {
        self.pieces += 1;
        if self.pieces == self.which { self.meter.measure(work) } else { work() }
    }
}

/// Time on the wall.
#[derive(Debug, Default)]
pub(crate) struct Wall {
    spent: Duration,
    pieces: u64,
    /// The longest piece.
    pub(crate) longest: Duration,
}

impl Wall {
    /// Nanoseconds in all, less what looking at the clock takes, which is `look` for each piece.
    pub(crate) fn nanos(&self, look: f64) -> f64 {
        (self.spent.as_nanos() as f64 - look * self.pieces as f64).max(0.0)
    }

    /// Nanoseconds that a piece of no work takes.
    pub(crate) fn look() -> f64 {
        let mut rounds: Vec<f64> = (0..9)
            .map(|_| {
                let mut wall = Self::default();
                for piece in 0..10_000_u32 {
                    wall.measure(|| black_box(piece));
                }
                wall.spent.as_nanos() as f64 / wall.pieces as f64
            })
            .collect();
        median(&mut rounds)
    }
}

impl Meter for Wall {
    fn measure<R>(&mut self, work: impl FnOnce() -> R) -> R {
        let began = Instant::now();
        let result = work();
        let spent = began.elapsed();
        self.spent += spent;
        self.longest = self.longest.max(spent);
        self.pieces += 1;
        result
    }
}

/// Instructions: under callgrind, which counts what happens within [`collected`] and writes down what it has
/// counted whenever [`finished`] returns (`callgrind.rs`). On its own it is only slow.
#[derive(Debug, Default)]
pub(crate) struct Instructions;

impl Meter for Instructions {
    fn measure<R>(&mut self, work: impl FnOnce() -> R) -> R {
        collected(work)
    }
}

#[inline(never)]
fn collected<R>(work: impl FnOnce() -> R) -> R {
    black_box(work())
}

/// An operation has been measured; what follows is another one.
#[inline(never)]
pub(crate) fn finished() {
    black_box(());
}

/// Calls of the allocator.
#[derive(Debug, Default)]
pub(crate) struct Allocations {
    pub(crate) count: u64,
}

impl Meter for Allocations {
    fn measure<R>(&mut self, work: impl FnOnce() -> R) -> R {
        let before = ALLOCATIONS.get();
        let result = work();
        self.count += ALLOCATIONS.get() - before;
        result
    }
}

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static LIVE: Cell<i64> = const { Cell::new(0) };
}

struct Counting;

/// Bytes that this thread has allocated and not given back, as an amount to subtract another from.
pub(crate) fn live_bytes() -> i64 {
    LIVE.get()
}

fn count(calls: u64, taken: usize, given_back: usize) {
    // A thread that ends may allocate after its locals are gone; that is not measured.
    let _ = ALLOCATIONS.try_with(|allocations| allocations.set(allocations.get() + calls));
    let _ = LIVE.try_with(|live| live.set(live.get() + taken as i64 - given_back as i64));
}

#[expect(unsafe_code, reason = "an allocator cannot be written without; it only counts and passes on")]
// SAFETY: every call is passed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size(), 0);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, 0, layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, size, layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The one in the middle; 0 of none.
pub(crate) fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_sees_one_box_and_only_within_the_measure() {
        let mut allocations = Allocations::default();
        drop(black_box(Box::new(6_u64)));
        allocations.measure(|| drop(black_box(Box::new(7_u64))));
        assert_eq!(allocations.count, 1);
    }
}
