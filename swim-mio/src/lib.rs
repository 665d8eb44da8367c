//! Drives `swim-core`.
