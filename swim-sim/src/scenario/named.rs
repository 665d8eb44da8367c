//! The scenarios that come with the program.

macro_rules! named {
    ($($name:literal),* $(,)?) => {
        /// Their names, in the order in which they are best read.
        pub const NAMES: &[&str] = &[$($name),*];

        /// The text of one.
        #[must_use]
        pub fn named(name: &str) -> Option<&'static str> {
            match name {
                $($name => Some(include_str!(concat!("../../scenarios/", $name, ".toml"))),)*
                _ => None,
            }
        }
    };
}

named! {
    "gc-pause", "split-brain",
}
