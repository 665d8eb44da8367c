//! The binary `swim-sim`, as its users call it: what it prints, what it writes, and how it ends.

mod bad_input;
mod diff;
mod help;
mod holes;
mod lives;
mod merge;
mod oracle;
mod page;
mod place;
mod replay;
mod run;
mod shrink;
mod sweep;
