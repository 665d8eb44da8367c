//! `swim-sim merge`: the shards of a sweep become one.

use std::collections::BTreeMap;

use swim_sim::sweep::{Record, Tally};

use crate::args::MergeArgs;
use crate::error::Error;
use crate::exit::Exit;
use crate::summary::{exit, summary};
use crate::sweep::{line, output};

pub(crate) fn merge(args: &MergeArgs) -> Result<Exit, Error> {
    let mut records = BTreeMap::new();
    for path in &args.files {
        let text = std::fs::read_to_string(path).map_err(Error::file(path))?;
        for (number, text) in (1..).zip(text.lines()) {
            let record: Record = serde_json::from_str(text)
                .map_err(|error| Error::usage(format!("{}:{number}: {error}", path.display())))?;
            let seed = record.seed;
            if records.insert(seed, record.clone()).is_some_and(|earlier| earlier != record) {
                let path = path.display();
                return Err(Error::usage(format!(
                    "{path}:{number}: seed {seed} was there before, with another result"
                )));
            }
        }
    }
    let mut tally = Tally::default();
    records.values().for_each(|record| tally.add(record));
    if let Some(path) = &args.jsonl {
        let mut out = output(path)?;
        records.values().try_for_each(|record| line(&mut out, record)).map_err(Error::file(path))?;
        out.flush().map_err(Error::file(path))?;
    }
    if args.jsonl.as_deref() != Some(std::path::Path::new("-")) {
        summary(&tally, true);
        anstream::println!("digest: {:016x}", tally.digest);
    }
    Ok(exit(&tally, true))
}
