//! A scenario that prints as what it can be repeated from.

use std::fmt;
use std::ops::Deref;

use crate::scenario::Scenario;

/// A scenario that was drawn. As `Debug` it is the text of a scenario file, because that is how proptest prints
/// the input that a test failed with: copied into a file, `swim-sim replay FILE` takes it.
#[derive(Clone, PartialEq)]
pub struct Drawn(pub Scenario);

impl Drawn {
    /// The text of a scenario file.
    #[must_use]
    pub fn toml(&self) -> String {
        toml::to_string(&self.0)
            .expect("scenarios can be written: they hold numbers, texts, lists and tables")
    }
}

impl Deref for Drawn {
    type Target = Scenario;

    fn deref(&self) -> &Scenario {
        &self.0
    }
}

impl fmt::Debug for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a scenario:\n\n{}", self.toml())
    }
}
