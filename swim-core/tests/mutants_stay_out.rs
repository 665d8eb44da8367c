//! The mistakes of `src/mutant.rs` are in no build but the one that asks for them: this very program, which
//! links the core, is searched for their names. In the build with mutants they must be found in it, or the
//! search would find nothing anywhere.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use swim_core::{Config, Epoch, Identity, Input, Instant, Node, NodeId, Seed};

/// The names, as they stand in the source: in quotes after the variant.
fn names() -> Vec<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/mutant.rs");
    let source = fs::read_to_string(source).expect("a source of this crate");
    let rows = source.split("\nmutants! {").nth(1).expect("the list").split("\n}").next().unwrap_or_default();
    let name =
        |row: &str| Some(row.strip_prefix("    ")?.split_once(" \"")?.1.strip_suffix('"')?.to_string());
    rows.lines().filter(|row| !row.starts_with("     ")).filter_map(name).collect()
}

#[test]
fn no_mutant_is_in_a_build_that_does_not_ask_for_them() {
    let names = names();
    assert!(names.len() >= 32, "{names:?}");
    let program = fs::read(std::env::current_exe().expect("this program")).expect("readable");
    #[cfg(swim_mutants)]
    swim_core::mutant::choose(swim_core::mutant::Mutant::from_name(std::hint::black_box("none of them")));
    assert!(linked(), "the node's code must be in here for the search to mean something");
    for name in names {
        assert_eq!(found(&program, &name), cfg!(swim_mutants), "{name}");
    }
}

/// A node is made, so that the core is part of this program.
fn linked() -> bool {
    let addr = ([127, 0, 0, 1], 7946).into();
    let me = Identity { id: NodeId(1), addr, epoch: Epoch(1_700_000_000_000) };
    let mut node = Node::new(Arc::new(Config::lan()), me, Seed([1; 32]), Instant::ORIGIN);
    node.handle(Instant::ORIGIN, Input::Tick);
    node.is_running()
}

fn found(program: &[u8], text: &str) -> bool {
    program.windows(text.len()).any(|window| window == text.as_bytes())
}
