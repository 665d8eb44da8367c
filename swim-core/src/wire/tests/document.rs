//! The document about the format is part of it.

use std::fs;
use std::path::Path;

use super::golden::{BROADCAST, messages, updates};
use super::*;

#[test]
fn the_worked_example_in_the_document_is_what_is_written() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/wire.md");
    let document = fs::read_to_string(&path).expect("docs/wire.md beside the crate");
    let (_, example) = document.split_once("```hex\n").expect("a block of hex");
    let (example, _) = example.split_once("```").expect("the block's end");
    let datagram = Datagram {
        updates: Vec::from([updates()[1].1, updates()[4].1]),
        broadcasts: Vec::from([BROADCAST]),
        ..Datagram::bare(messages()[1].1)
    };
    assert_eq!(unhex(example), datagram.write());
}
