//! The real binary, run as its users run it.

#[cfg(target_os = "linux")]
mod demo;
mod node;
mod record;
mod support;
