//! Cores that are wrong on purpose: what the properties must notice, and what each rule is worth.
//!
//! A search that finds nothing proves little until it is known what it would have found. `proof/mutants` builds a
//! copy of this workspace whose core has every entry of a catalogue in it: mistakes, and rules taken away. Here one
//! of them is switched on, for the whole process. A usual build has none.

mod built_in;

/// A mistake that a person could make.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mutant {
    /// What it is called.
    pub name: &'static str,
    /// What is wrong, in one sentence.
    pub mistake: &'static str,
    /// The numbers of the properties that fit: one of them must notice.
    pub noticed_by: &'static [&'static str],
}

/// A rule that is switched off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ablation {
    /// What it is called.
    pub name: &'static str,
    /// What the members do without the rule, in one sentence.
    pub without: &'static str,
    /// Options that switch the rule off, as `name=value`; none, if edits of the core do.
    pub options: &'static [&'static str],
}

/// All mistakes of this build.
#[must_use]
pub const fn all() -> &'static [Mutant] {
    built_in::MUTANTS
}

/// All ablations of this build.
#[must_use]
pub const fn ablations() -> &'static [Ablation] {
    built_in::ABLATIONS
}

/// Whether this build has this entry; `None`, none at all, it always has.
///
/// # Errors
/// There is none of that name, or none at all in this build.
pub(crate) fn check(name: Option<&str>) -> Result<(), String> {
    number(name).map(drop)
}

/// Switches on the entry of that name, for all nodes of this process; `None`: none.
///
/// # Errors
/// There is none of that name, or none at all in this build.
pub(crate) fn choose(name: Option<&str>) -> Result<(), String> {
    built_in::choose(number(name)?);
    Ok(())
}

fn names() -> impl Iterator<Item = &'static str> {
    let mutants = built_in::MUTANTS.iter().map(|mutant| mutant.name);
    mutants.chain(built_in::ABLATIONS.iter().map(|ablation| ablation.name))
}

/// The position in the catalogue, counted from 1; 0: none of it.
fn number(name: Option<&str>) -> Result<usize, String> {
    let Some(name) = name else { return Ok(0) };
    if let Some(index) = names().position(|known| known == name) {
        return Ok(index + 1);
    }
    let names: Vec<&str> = names().collect();
    Err(if names.is_empty() {
        format!(
            "mutant `{name}` is not in this build: `proof/mutants/run` builds a simulator that has the mutants"
        )
    } else {
        format!("there is no mutant `{name}`; there are: {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_that_this_build_does_not_have_is_refused_with_those_that_it_has_or_how_to_get_them() {
        assert!(choose(None).is_ok());
        let error = choose(Some("no-such-mutant")).expect_err("no entry has that name");
        let known = all().first().map_or("proof/mutants/run", |mutant| mutant.name);
        assert!(error.contains("no-such-mutant") && error.contains(known), "{error}");
    }
}
