//! Campaigns: whole clusters of real `swim node --json` processes, both drivers mixed, are hurt on purpose and
//! judged by nothing but what they print.
//!
//! Each campaign ends with its figures and a verdict on standard error. The long ones are ignored unless they
//! are asked for, each has a short form that always runs; what needs root or a tool that is missing says so
//! and is skipped. `docs/campaigns.md` tells how to run them, with other sizes as well.
//!
//! | file | what is shown |
//! | --- | --- |
//! | `fifty` | many processes converge, and all survivors agree on a kill within the bound |
//! | `loss` | random loss buries nobody |
//! | `partition` | two halves bury each other, not their own, and grow together by themselves |
//! | `seeds` | seeds that are late, wrong, silent, or whose names are not known yet |
//! | `restart` | a new life wins at once, whatever its clock says; old and insane datagrams change nothing |
//! | `pause` | a stopped process blames nobody when it wakes |
//! | `idle` | what a member at rest asks of the kernel |
//! | `garbage` | a flood of nonsense neither grows, nor confuses, nor delays a member |
//! | `recording` | what was recorded happens again, bit for bit, also what a killed member recorded |
//! | `reflection` | a stranger gets no more than it gave, and nobody is made to send to strangers |
//!
//! The rest is equipment: `member` and `cluster` run processes and listen, `namespace` is a network of one's own,
//! `packet` makes datagrams by hand from docs/wire.md, `capture` reads and writes raw packets, `scale` holds sizes
//! and bounds, `report` the verdict.
#![forbid(unsafe_code)]

mod capture;
mod cluster;
mod fifty;
mod garbage;
mod idle;
mod loss;
mod member;
mod namespace;
mod packet;
mod partition;
mod pause;
mod recording;
mod reflection;
mod report;
mod restart;
mod scale;
mod seeds;
