//! What a program has to bring that has no standard library: memory, and an end for panics.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::panic::PanicInfo;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

/// Zeroed pages cost nothing until they are touched. (Much more would cost the compiler: it evaluates
/// the static.)
const ARENA_BYTES: usize = 64 << 20;

/// Hands out one arena from front to back and takes nothing back: the process is short.
struct Bump {
    arena: UnsafeCell<[u8; ARENA_BYTES]>,
    used: AtomicUsize,
}

// SAFETY: the arena is reached only through blocks that `alloc` has handed out, and `used` is atomic, so
// that no two blocks overlap.
unsafe impl Sync for Bump {}

// SAFETY: blocks lie within the arena, do not overlap, and are aligned: the arena's address is taken
// into account.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let arena = self.arena.get().cast::<u8>();
        let taken = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            let end = block(arena, used, layout)?.checked_add(layout.size())?;
            (end <= ARENA_BYTES).then_some(end)
        });
        match taken.ok().and_then(|used| block(arena, used, layout)) {
            // SAFETY: the block ends within the arena: checked above, from the same `used`.
            Some(start) => unsafe { arena.add(start) },
            None => ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, _block: *mut u8, _layout: Layout) {}
}

/// Where in the arena a block begins when `used` bytes of it are taken.
fn block(arena: *mut u8, used: usize, layout: Layout) -> Option<usize> {
    let end = (arena as usize).checked_add(used)?;
    Some(end.checked_next_multiple_of(layout.align())? - arena as usize)
}

#[global_allocator]
static MEMORY: Bump = Bump { arena: UnsafeCell::new([0; ARENA_BYTES]), used: AtomicUsize::new(0) };

/// Kills the process with a signal. `./check` has a time limit for platforms where it cannot.
#[panic_handler]
fn panic(_info: &PanicInfo<'_>) -> ! {
    loop {
        // SAFETY: an illegal instruction has no effect but the signal.
        #[cfg(target_arch = "x86_64")]
        unsafe {
            core::arch::asm!("ud2");
        }
    }
}

/// Named by the unwind tables of `core`, never called: panics abort.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// As above.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume() {}
