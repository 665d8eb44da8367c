//! Deliberately broken cores: what the laws must notice.
//!
//! A search that finds nothing proves little until it is known what it would have found. In a build with
//! `RUSTFLAGS='--cfg swim_mutants'`, which no dependant can switch on and no release has, the core has mistakes
//! in it that can be chosen by name, one for a whole process. Here they are chosen, and each is hunted: seed
//! after seed until some law is broken. One that survives shows which law is missing.

use crate::scenario::ScenarioError;

/// One of the mistakes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mistake {
    /// What it is called.
    pub name: &'static str,
    /// What is wrong, and in parentheses which laws should notice.
    pub about: &'static str,
}

impl Mistake {
    /// What is wrong.
    #[must_use]
    pub fn wrong(&self) -> &'static str {
        self.about.rsplit_once(" (").map_or(self.about, |(wrong, _)| wrong)
    }

    /// The numbers of the laws that fit: one of them should notice.
    pub fn laws(&self) -> impl Iterator<Item = &'static str> + use<> {
        let named = self.about.rsplit_once(" (").and_then(|(_, laws)| laws.strip_suffix(")."));
        named.into_iter().flat_map(|laws| laws.split(", "))
    }
}

/// All mistakes of this build: none in a usual one.
#[must_use]
pub fn all() -> Vec<Mistake> {
    #[cfg(swim_mutants)]
    {
        use swim_core::mutant::Mutant;
        Mutant::ALL.iter().map(|mutant| Mistake { name: mutant.name(), about: mutant.about() }).collect()
    }
    #[cfg(not(swim_mutants))]
    Vec::new()
}

/// Whether this build can make this mistake; `None`, none, it always can.
///
/// # Errors
/// There is none of that name, or none at all in this build.
pub(crate) fn check(name: Option<&str>) -> Result<(), ScenarioError> {
    match name {
        Some(name) if !all().iter().any(|mistake| mistake.name == name) => Err(unknown(name)),
        _ => Ok(()),
    }
}

/// Chooses the mistake that all nodes of this process make from now on; `None`: none.
///
/// # Errors
/// There is none of that name, or none at all in this build.
pub(crate) fn choose(name: Option<&str>) -> Result<(), ScenarioError> {
    #[cfg(swim_mutants)]
    {
        use swim_core::mutant::{Mutant, choose};
        let mutant = name.map(|name| Mutant::from_name(name).ok_or_else(|| unknown(name))).transpose()?;
        choose(mutant);
        Ok(())
    }
    #[cfg(not(swim_mutants))]
    name.map_or(Ok(()), |name| Err(unknown(name)))
}

fn unknown(name: &str) -> ScenarioError {
    if cfg!(swim_mutants) {
        let names: Vec<&str> = all().iter().map(|mistake| mistake.name).collect();
        return ScenarioError(format!("there is no mutant `{name}`; there are: {}", names.join(", ")));
    }
    ScenarioError(format!(
        "mutant `{name}` is not in this build: build it with RUSTFLAGS='--cfg swim_mutants' (and a --target-dir of its own)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_and_what_fits_are_told_apart() {
        let mistake = Mistake { name: "x", about: "A timer (of two) is forgotten: nobody wakes (L1, B36)." };
        assert_eq!(mistake.wrong(), "A timer (of two) is forgotten: nobody wakes");
        assert_eq!(mistake.laws().collect::<Vec<_>>(), ["L1", "B36"]);
    }

    /// Every mistake names laws, and each of them is one that runs are judged by.
    #[cfg(swim_mutants)]
    #[test]
    fn every_mistake_names_laws_that_are_watched() {
        let scenario = crate::scenario::Scenario::calm(1, 3);
        let scenario = crate::scenario::Scenario { expect: expecting_something(), ..scenario };
        let case = crate::properties::Case::of(&scenario).expect("the defaults are in range");
        let watched: Vec<&str> =
            crate::properties::standard(&case).iter().map(|law| law.property().id).collect();
        for mistake in all() {
            let unknown: Vec<_> = mistake.laws().filter(|law| !watched.contains(law)).collect();
            assert!(mistake.laws().count() > 0 && unknown.is_empty(), "{}: {unknown:?}", mistake.name);
        }
    }

    #[cfg(swim_mutants)]
    fn expecting_something() -> crate::scenario::Expect {
        crate::scenario::Expect { nobody_dead: true, ..Default::default() }
    }

    #[cfg(not(swim_mutants))]
    #[test]
    fn a_usual_build_has_no_mutants_and_says_how_to_get_them() {
        assert_eq!(all(), []);
        assert!(choose(None).is_ok());
        assert!(choose(Some("dead-over-alive")).expect_err("none here").0.contains("--cfg swim_mutants"));
    }
}
