//! Traces from end to end: real nodes are recorded, and what was recorded is cut, bent and replayed.

mod cluster;
mod cost;
mod damage;
mod datagrams;
mod hostile;
mod redaction;
mod replaying;
mod ring;
