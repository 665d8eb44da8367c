//! Links that are bad in one way.

use std::time::Duration;

use crate::action::FaultClass;
use crate::net::{Burst, Latency, Rate};
use crate::{Link, PER_CENT};

/// How bad a link can be: below this.
pub(super) const WORST: u32 = 100;
/// How bad a link can be that is so all the time.
pub(super) const MILD: u32 = 25;

/// Whether it is a fault that links have.
pub(super) const fn is_of_links(class: FaultClass) -> bool {
    use FaultClass::{Burst, Corruption, Duplication, Latency, Loss, Mtu, Rate, Reordering, Spike};
    matches!(class, Loss | Burst | Duplication | Reordering | Corruption | Rate | Mtu | Latency | Spike)
}

/// `link` with a fault of this class; the worse, the higher the dial, from 0 to 99.
pub(super) fn bad(link: Link, class: FaultClass, dial: u32) -> Link {
    let ms = |n: u32| Duration::from_millis(n.into());
    let per_cent = (dial + 1) * PER_CENT;
    match class {
        FaultClass::Loss => link.loss(per_cent),
        FaultClass::Burst => {
            link.burst(Burst { begin_ppm: 2 * PER_CENT, end_ppm: 5 * PER_CENT, loss_ppm: per_cent })
        }
        FaultClass::Duplication => link.duplication(per_cent),
        FaultClass::Reordering => link.reordering(per_cent, ms(10 + 5 * dial)),
        FaultClass::Corruption => link.corruption(per_cent / 10),
        FaultClass::Rate => {
            link.rate(Rate { bytes_per_second: u64::from(40_000 - 350 * dial), queue_bytes: 16_000 })
        }
        FaultClass::Mtu => link.mtu(1_280 - 7 * dial),
        FaultClass::Latency => {
            link.latency(Latency::Exponential { min: ms(1), mean_extra: ms(2 * (dial + 1)) })
        }
        FaultClass::Spike => link.spikes(per_cent / 10, ms(2_000)),
        _ => link,
    }
}
