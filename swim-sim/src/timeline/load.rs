//! What each member sent, second by second.

use crate::traffic::Count;

/// A row for each host, in slices of time that are all of one length.
pub(crate) struct Load {
    /// By host and slice; rows may be short.
    pub(crate) rows: Vec<Vec<Count>>,
    /// Length of a slice, in ns.
    pub(crate) slice: u64,
}

/// The first length of a slice, in ns.
const SECOND: u64 = 1_000_000_000;

impl Default for Load {
    fn default() -> Self {
        Self { rows: Vec::new(), slice: SECOND }
    }
}

impl Load {
    pub(crate) fn sent(&mut self, host: u32, at: u64, bytes: usize, slices_max: usize) {
        while at / self.slice >= slices_max.max(1) as u64 {
            self.halve();
        }
        let (host, slice) = (host as usize, (at / self.slice) as usize);
        if self.rows.len() <= host {
            self.rows.resize_with(host + 1, Vec::new);
        }
        let row = &mut self.rows[host];
        if row.len() <= slice {
            row.resize(slice + 1, Count::default());
        }
        row[slice].add(bytes);
    }

    fn halve(&mut self) {
        self.slice *= 2;
        for row in &mut self.rows {
            let pairs = row.chunks(2).map(|pair| Count {
                datagrams: pair.iter().map(|sent| sent.datagrams).sum(),
                bytes: pair.iter().map(|sent| sent.bytes).sum(),
            });
            *row = pairs.collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_has_longer_slices_and_loses_nothing() {
        let mut load = Load::default();
        for second in 0..40 {
            load.sent(0, second * SECOND, 10, 8);
        }
        assert_eq!(load.slice, 8 * SECOND);
        assert_eq!(load.rows[0], [Count { datagrams: 8, bytes: 80 }; 5]);
    }
}
