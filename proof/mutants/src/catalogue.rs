//! What the two files of the catalogue hold, and what makes an entry a good one.

use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, io};

use serde::Deserialize;

/// All entries, the mistakes first. An entry's position, counted from 1, is the number by which the built program
/// knows it.
pub(crate) struct Catalogue {
    pub(crate) mutants: Vec<Mutant>,
    pub(crate) ablations: Vec<Ablation>,
}

/// A mistake that a person could make.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mutant {
    pub(crate) name: String,
    /// What is wrong and what follows from it, in one sentence.
    pub(crate) mistake: String,
    /// Numbers of the properties that it breaks: one of them must notice.
    pub(crate) noticed_by: Vec<String>,
    pub(crate) edits: Vec<Edit>,
}

/// A rule of this library that is switched off: as SWIM or Lifeguard have it, or as it would be without the rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ablation {
    pub(crate) name: String,
    /// What the members do without the rule, in one sentence.
    pub(crate) without: String,
    /// Options that switch it off, as on the command line: `retries=0`.
    #[serde(default)]
    pub(crate) options: Vec<String>,
    #[serde(default)]
    pub(crate) edits: Vec<Edit>,
}

/// One text of the core and what stands in its place.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edit {
    /// Below `swim-core/src`.
    pub(crate) file: String,
    /// It occurs exactly once in the file. Between `«` and `»` is what is replaced, the rest is context; without
    /// these marks all of it is replaced.
    pub(crate) text: String,
    /// Statements for statements, an expression for an expression; nothing, if the statements are left out.
    pub(crate) instead: String,
}

impl Catalogue {
    /// The catalogue of this repository.
    pub(crate) fn read(folder: &Path) -> io::Result<Self> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Mutants {
            mutant: Vec<Mutant>,
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Ablations {
            ablation: Vec<Ablation>,
        }
        let Mutants { mutant: mutants } = parse(&folder.join("mutants.toml"))?;
        let Ablations { ablation: ablations } = parse(&folder.join("ablations.toml"))?;
        Ok(Self { mutants, ablations })
    }

    /// Every edit, with the number and the name of its entry.
    pub(crate) fn edits(&self) -> impl Iterator<Item = (usize, &str, &Edit)> {
        let mutants = self.mutants.iter().map(|entry| (&entry.name, &entry.edits));
        let ablations = self.ablations.iter().map(|entry| (&entry.name, &entry.edits));
        let numbered = (1..).zip(mutants.chain(ablations));
        numbered
            .flat_map(|(number, (name, edits))| edits.iter().map(move |edit| (number, name.as_str(), edit)))
    }

    /// What is wrong with entries by themselves, whatever the sources are.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut names = BTreeSet::new();
        let mutants = self.mutants.iter().map(|entry| (&entry.name, &entry.mistake));
        let ablations = self.ablations.iter().map(|entry| (&entry.name, &entry.without));
        for (name, sentence) in mutants.chain(ablations) {
            if !names.insert(name) {
                faults.push(format!("{name}: another entry has that name"));
            }
            if name.is_empty() || !name.bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase()) {
                faults.push(format!("{name}: a name has lower-case letters and hyphens only"));
            }
            if !sentence.ends_with('.') {
                faults.push(format!("{name}: `{sentence}` is no sentence"));
            }
        }
        let idle = self.mutants.iter().filter(|entry| entry.edits.is_empty() || entry.noticed_by.is_empty());
        faults.extend(idle.map(|entry| format!("{}: a mistake has edits and properties", entry.name)));
        let idle = self.ablations.iter().filter(|entry| entry.edits.is_empty() == entry.options.is_empty());
        faults.extend(idle.map(|entry| format!("{}: an ablation has either edits or options", entry.name)));
        faults
    }
}

fn parse<T: serde::de::DeserializeOwned>(path: &Path) -> io::Result<T> {
    let text = fs::read_to_string(path)?;
    toml::from_str(&text).map_err(|error| io::Error::other(format!("{}: {error}", path.display())))
}
