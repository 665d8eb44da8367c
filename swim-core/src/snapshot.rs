//! A node in bytes: what it takes to stop one here and go on with it elsewhere, bit for bit.
//!
//! A recording of a node that has run for a month begins in the middle: with the whole state of the node
//! at some moment. So everything that decides what a node does next can be saved and loaded
//! ([`crate::Node::save`], [`crate::Node::load`]). The bytes are no format to keep: they are the fields of
//! this very source, one after the other, and only a core of the same [`SOURCE`] reads them.
//!
//! Each part derives its form from its own fields. What follows from other fields (hash tables, heaps, counters) is
//! skipped and rebuilt; then the whole is checked, for what was saved here always fits together, and what was damaged
//! since must not be found out by a panic in the middle of the protocol.

use alloc::vec::Vec;
use core::fmt;

use crate::node::Node;

/// The version of this crate.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A hash of this crate's sources, the same on every machine: two builds with the same number do the same
/// with the same inputs, and read each other's saved nodes. Comments count, line ends do not.
/// Dependencies do not count: `Cargo.lock` pins them.
pub const SOURCE: u64 = match u64::from_str_radix(env!("SWIM_CORE_SOURCE"), 16) {
    Ok(source) => source,
    Err(_) => panic!("build.rs writes a number"),
};

/// Why bytes are not a node.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum StateError {
    /// They were saved by another core, whose [`SOURCE`] this is.
    OtherSource(u64),
    /// They do not decode, at the part of this name.
    Malformed(&'static str),
    /// They decode, but what this part says contradicts itself or another part.
    Unsound(&'static str),
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherSource(source) => {
                write!(f, "the node was saved by a core of source {source:016x}; this one is {SOURCE:016x}")
            }
            Self::Malformed(part) => write!(f, "not a saved node: `{part}` does not decode"),
            Self::Unsound(part) => write!(f, "a damaged node: `{part}` does not hang together"),
        }
    }
}

impl core::error::Error for StateError {}

impl Node {
    /// Everything that decides what this node will do: a node that was [loaded](Self::load) from it and is handed the
    /// same inputs gives the same outputs, bit for bit. For recordings, not for keeping: only a core of the
    /// same [`SOURCE`] reads it. It holds the node's [`Seed`](crate::Seed), and so all its secrets.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        let bytes = postcard::to_extend(self, SOURCE.to_le_bytes().to_vec());
        bytes.expect("memory takes whatever is written, and every length is known")
    }

    /// The node that was [saved](Self::save).
    ///
    /// Damage is noticed where it would break the node; a number that is merely another one is not. A keeper of the
    /// bytes keeps a checksum with them. Takes no more memory than a multiple of their length.
    ///
    /// # Errors
    /// [`StateError`]: another core's bytes, or none that were ever a node.
    pub fn load(bytes: &[u8]) -> Result<Self, StateError> {
        let (source, bytes) = bytes.split_first_chunk().ok_or(StateError::Malformed("source"))?;
        let source = u64::from_le_bytes(*source);
        if source != SOURCE {
            return Err(StateError::OtherSource(source));
        }
        let (mut node, rest): (Self, _) =
            postcard::take_from_bytes(bytes).map_err(|_| StateError::Malformed("node"))?;
        if !rest.is_empty() {
            return Err(StateError::Malformed("end"));
        }
        node.rebuild();
        match node.unsound_part() {
            Some(part) => Err(StateError::Unsound(part)),
            None => Ok(node),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;
    use std::{fs, string::String};

    /// What `build.rs` prints in a folder that holds it and these sources, with this environment.
    fn source_of(build: &Path, name: &str, files: &[(&str, &str)]) -> String {
        let root = build.with_file_name(name);
        for (file, text) in files {
            let path = root.join("src").join(file);
            fs::create_dir_all(path.parent().expect("below src")).expect("a folder can be made");
            fs::write(path, text).expect("a file can be written");
        }
        let output = Command::new(build).env("CARGO_MANIFEST_DIR", &root).output();
        let output = output.expect("it was built for this machine");
        assert!(output.status.success(), "{output:?}");
        fs::remove_dir_all(root).expect("it was made here");
        let text = String::from_utf8(output.stdout).expect("it prints text");
        let line = text.lines().find_map(|line| line.split_once("SWIM_CORE_SOURCE="));
        line.expect("it prints the number").1.into()
    }

    #[test]
    fn the_source_depends_on_names_and_texts_and_not_on_folders_and_line_ends() {
        let folder = std::env::temp_dir().join(std::format!("swim-core-source-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder can be made");
        let build = folder.join("build");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("build.rs");
        let rustc = Command::new("rustc").arg("--edition=2024").arg(script).arg("-o").arg(&build).status();
        assert!(rustc.expect("rustc compiles this test, too").success());
        let of = |name, files: &[(&str, &str)]| source_of(&build, name, files);

        let plain = of("plain", &[("lib.rs", "mod a;\n"), ("a/mod.rs", "")]);
        assert_eq!(plain, of("elsewhere", &[("a/mod.rs", ""), ("lib.rs", "mod a;\r\n")]));
        assert_eq!(plain, of("notes", &[("a/mod.rs", ""), ("lib.rs", "mod a;\n"), ("a/notes", "x")]));
        let others = [
            of("text", &[("lib.rs", "mod a; \n"), ("a/mod.rs", "")]),
            of("name", &[("lib.rs", "mod a;\n"), ("a.rs", "")]),
            of("moved", &[("lib.rs", ""), ("a/mod.rs", "mod a;\n")]),
        ];
        assert!(others.iter().all(|other| *other != plain), "{plain} {others:?}");
        fs::remove_dir_all(folder).expect("it was made here");
    }
}
