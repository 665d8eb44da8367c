//! Links the C library and nothing else: no unwinder, no compiler runtime of the platform.

fn main() {
    println!("cargo::rustc-link-arg-bins=-nodefaultlibs");
    println!("cargo::rustc-link-arg-bins=-lc");
    println!("cargo::rerun-if-changed=build.rs");
}
