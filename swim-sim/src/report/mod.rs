//! A run, told to a person: one HTML page that needs nothing but a browser, and a trace for Perfetto.
//!
//! Both are written from a [`Timeline`](crate::Timeline), which saw what happened, and from [`Facts`], which
//! say how it was judged. The page is one file: styles, scripts and data are inside, nothing is fetched from
//! anywhere, so it can be attached to an issue and opened from disk ten years later.

mod columns;
mod data;
mod distribution;
mod facts;
mod page;
mod perfetto;

pub use facts::{Facts, Invariant};
pub use page::html;
pub use perfetto::perfetto;
