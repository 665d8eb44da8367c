//! System calls by name.

use nix::libc;
use serde::Serialize;

/// What a system call is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Purpose {
    Receive,
    Send,
    Wait,
    Timer,
    /// Wakes another thread, or waits for one.
    Thread,
    Other,
}

impl Purpose {
    pub(crate) const ALL: [Self; 6] =
        [Self::Receive, Self::Send, Self::Wait, Self::Timer, Self::Thread, Self::Other];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Receive => "receive",
            Self::Send => "send",
            Self::Wait => "wait",
            Self::Timer => "timer",
            Self::Thread => "threads",
            Self::Other => "other",
        }
    }
}

/// The name of system call `number`, and what it is for.
pub(crate) fn describe(number: libc::c_long) -> (String, Purpose) {
    let known = KNOWN.iter().find(|(known, ..)| *known == number);
    known.map_or_else(
        || (format!("syscall {number}"), Purpose::Other),
        |(_, name, purpose)| ((*name).to_owned(), *purpose),
    )
}

/// Those that a driver may make.
const KNOWN: &[(libc::c_long, &str, Purpose)] = &[
    (libc::SYS_recvfrom, "recvfrom", Purpose::Receive),
    (libc::SYS_recvmsg, "recvmsg", Purpose::Receive),
    (libc::SYS_recvmmsg, "recvmmsg", Purpose::Receive),
    (libc::SYS_sendto, "sendto", Purpose::Send),
    (libc::SYS_sendmsg, "sendmsg", Purpose::Send),
    (libc::SYS_sendmmsg, "sendmmsg", Purpose::Send),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_epoll_wait, "epoll_wait", Purpose::Wait),
    (libc::SYS_epoll_pwait, "epoll_pwait", Purpose::Wait),
    (libc::SYS_epoll_pwait2, "epoll_pwait2", Purpose::Wait),
    (libc::SYS_epoll_ctl, "epoll_ctl", Purpose::Other),
    (libc::SYS_timerfd_settime, "timerfd_settime", Purpose::Timer),
    (libc::SYS_clock_gettime, "clock_gettime", Purpose::Timer),
    (libc::SYS_futex, "futex", Purpose::Thread),
    (libc::SYS_sched_yield, "sched_yield", Purpose::Thread),
    (libc::SYS_write, "write", Purpose::Thread),
    (libc::SYS_read, "read", Purpose::Other),
    (libc::SYS_restart_syscall, "restart_syscall", Purpose::Other),
    (libc::SYS_mmap, "mmap", Purpose::Other),
    (libc::SYS_munmap, "munmap", Purpose::Other),
    (libc::SYS_madvise, "madvise", Purpose::Other),
    (libc::SYS_brk, "brk", Purpose::Other),
];
