//! The drivers share no crate but the core, which knows no operating system. What both need of it stands in
//! one file, twice.

#[test]
fn both_drivers_have_the_same_os_rs() {
    let (mine, other) = (include_str!("../src/os.rs"), include_str!("../../swim-tokio/src/os.rs"));
    assert!(mine == other, "copy src/os.rs from the one that you changed to the other");
}
