//! The binary `swim-sim`, as its users call it: what it prints, what it writes, and how it ends.

mod input;
mod oracle;
mod recording;
mod run;
mod sandbox;
mod shrink;
mod sweep;
