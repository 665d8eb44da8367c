//! When each host is woken next.
//!
//! A host has one pending wake-up. Arming an earlier one leaves the old one in the queue, where its generation
//! says that it is void; a later deadline lets the old one come up for nothing, which then is put off. Every
//! answered probe puts its deadline off, so that is a quarter of all that happens in a cluster at rest: what
//! decides it lies here and not in the hosts, where it would cost some cache lines for each.

use swim_core::Instant;

use crate::host_id::HostId;
use crate::queue::{Pending, Queue};

/// The pending wake-ups of all hosts.
#[derive(Default)]
pub(crate) struct Alarms(Vec<Alarm>);

#[derive(Clone, Copy, Default)]
struct Alarm {
    armed: Option<Instant>,
    /// When the host has something to do. `None`: only the host knows.
    wanted: Option<Instant>,
    generation: u32,
}

impl Alarms {
    /// The host wants to be woken at `wanted`, and at no other time.
    pub(crate) fn set(&mut self, queue: &mut Queue, host: HostId, wanted: Instant) {
        let alarm = self.at(host);
        alarm.wanted = Some(wanted);
        if alarm.armed.is_some_and(|armed| armed <= wanted) {
            return;
        }
        alarm.armed = Some(wanted);
        alarm.generation = alarm.generation.wrapping_add(1);
        queue.push(wanted, Pending::Wake { host, generation: alarm.generation });
    }

    /// A wake-up has come up. `false`: it was void, or has been put off.
    pub(crate) fn rings(&mut self, queue: &mut Queue, host: HostId, generation: u32, now: Instant) -> bool {
        let alarm = self.at(host);
        if alarm.generation != generation {
            return false;
        }
        alarm.armed = None;
        match alarm.wanted.filter(|wanted| *wanted > now) {
            Some(wanted) => self.set(queue, host, wanted),
            None => return true,
        }
        false
    }

    /// Whether a wake-up for `at` will get through to its host, as far as can be known.
    pub(crate) fn will_ring(&self, host: HostId, generation: u32, at: Instant) -> bool {
        self.0.get(host.index()).is_some_and(|alarm| {
            alarm.generation == generation && alarm.wanted.is_none_or(|wanted| wanted <= at)
        })
    }

    /// The host may have changed its mind: when woken, it decides itself.
    pub(crate) fn uncertain(&mut self, host: HostId) {
        self.at(host).wanted = None;
    }

    /// The host is not to be woken.
    pub(crate) fn clear(&mut self, host: HostId) {
        let alarm = self.at(host);
        *alarm = Alarm { generation: alarm.generation.wrapping_add(1), ..Alarm::default() };
    }

    fn at(&mut self, host: HostId) -> &mut Alarm {
        if self.0.len() <= host.index() {
            self.grow(host);
        }
        &mut self.0[host.index()]
    }

    #[cold]
    fn grow(&mut self, host: HostId) {
        self.0.resize(host.index() + 1, Alarm::default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: HostId = HostId(3);

    const fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    /// When the host is woken, if nothing else happens.
    fn woken(alarms: &mut Alarms, queue: &mut Queue) -> Vec<Instant> {
        let mut times = Vec::new();
        while let Some((now, Pending::Wake { host, generation })) = queue.pop() {
            if alarms.rings(queue, host, generation, now) {
                times.push(now);
            }
        }
        times
    }

    #[test]
    fn only_the_last_time_counts_whether_it_was_put_off_or_brought_forward() {
        for wanted in [[10, 20, 30], [30, 20, 10], [20, 30, 10], [20, 10, 30]] {
            let (mut alarms, mut queue) = (Alarms::default(), Queue::default());
            wanted.iter().for_each(|millis| alarms.set(&mut queue, HOST, at(*millis)));
            assert_eq!(woken(&mut alarms, &mut queue), [at(wanted[2])]);
        }
    }

    #[test]
    fn a_host_that_may_have_changed_its_mind_is_asked() {
        let (mut alarms, mut queue) = (Alarms::default(), Queue::default());
        alarms.set(&mut queue, HOST, at(10));
        alarms.set(&mut queue, HOST, at(20));
        assert!(!alarms.will_ring(HOST, 1, at(10)));
        alarms.uncertain(HOST);
        assert!(alarms.will_ring(HOST, 1, at(10)) && !alarms.will_ring(HOST, 0, at(10)));
        assert_eq!(woken(&mut alarms, &mut queue), [at(10)]);
    }

    #[test]
    fn a_host_whose_process_ended_sleeps() {
        let (mut alarms, mut queue) = (Alarms::default(), Queue::default());
        alarms.set(&mut queue, HOST, at(10));
        alarms.clear(HOST);
        assert_eq!(woken(&mut alarms, &mut queue), []);
    }
}
