//! Hashes the sources, so that a recording says whether it was made by this very core.
//!
//! The same on every machine: paths are relative with `/` between their parts and sorted, line ends are
//! counted as `\n`. The hash is FNV-1a, whose 64 bits distinguish builds and resist no attack.

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let mut files = Vec::new();
    collect(&root.join("src"), "src", &mut files);
    files.sort();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut feed = |bytes: &[u8]| {
        for byte in bytes.iter().filter(|byte| **byte != b'\r') {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        // No byte of a text: nothing moves unseen from one text to the next.
        hash = (hash ^ 0xff).wrapping_mul(0x0000_0100_0000_01b3);
    };
    for (name, path) in files {
        feed(name.as_bytes());
        feed(&fs::read(path).expect("a source of this crate can be read"));
    }
    println!("cargo::rustc-env=SWIM_CORE_SOURCE={hash:016x}");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src");
}

/// All sources below `folder`, by name.
fn collect(folder: &Path, name: &str, files: &mut Vec<(String, PathBuf)>) {
    for entry in fs::read_dir(folder).expect("a folder of this crate can be read") {
        let path = entry.expect("an entry can be read").path();
        let file = path.file_name().and_then(|file| file.to_str()).expect("names are UTF-8");
        let name = format!("{name}/{file}");
        if path.is_dir() {
            collect(&path, &name, files);
        } else if name.ends_with(".rs") {
            files.push((name, path));
        }
    }
}
