//! The binary `swim`.
fn main() {}
