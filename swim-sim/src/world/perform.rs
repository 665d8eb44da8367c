//! Actions, carried out: one line for each says who does it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use swim_core::{Command, Config, Metadata, Options, Payload};

use super::World;
use crate::action::{Action, Inbox};
use crate::ground_truth::Happening;
use crate::ground_truth::Presence;
use crate::host::{HostId, Spec};
use crate::net::Network;

/// Hosts that there can be: so many have an address of their own.
const HOSTS_MAX: u32 = (1 << 24) - 1;

impl World {
    /// Does something to the world. `false`: it was not applicable, and nothing changed.
    pub fn perform(&mut self, action: &Action) -> bool {
        self.stir += 1;
        match action {
            Action::Crash(host) => self.note(&format_args!("crash {host:?}")),
            Action::Restart(host) => self.note(&format_args!("restart {host:?}")),
            Action::Pause { host, inbox: Inbox::Kept } => self.note(&format_args!("pause {host:?}")),
            Action::Pause { host, inbox: Inbox::Dropped } => {
                self.note(&format_args!("pause {host:?}, isolated meanwhile"));
            }
            Action::Resume(host) => self.note(&format_args!("resume {host:?}")),
            Action::Leave(host) => self.note(&format_args!("leave {host:?}")),
            Action::Unplug(host) => self.note(&format_args!("unplug {host:?}")),
            Action::Plug(host) => self.note(&format_args!("plug {host:?}")),
            other => self.note(&format_args!("{other:?}")),
        }
        let done = self.is_possible(action) && self.carry_out(action);
        self.notify(&Happening::Acted { action, done });
        done
    }

    /// Whether the hosts exist that the action needs. Links may be set up before their hosts are there.
    fn is_possible(&self, action: &Action) -> bool {
        let count = if action.is_about_links() { HOSTS_MAX as usize } else { self.hosts.len() };
        action.hosts().iter().all(|host| host.index() < count)
    }

    fn carry_out(&mut self, action: &Action) -> bool {
        match action {
            Action::Crash(host) => self.end_process(*host, Presence::Crashed),
            Action::Restart(host) => self.try_restart(*host, None, None),
            Action::RestartAs { host, memory, addr } => self.try_restart(*host, Some(*memory), *addr),
            Action::Start { like, seeds } => self.start_and_join(self.spec_like(*like), seeds),
            Action::Foreigner { like, label, addr, seeds } => {
                let spec = self.spec_elsewhere(*like, label, *addr);
                spec.is_some_and(|spec| self.start_and_join(spec, seeds))
            }
            Action::Twin { of, seeds } => self.start_and_join(self.spec_like(*of).id(self.id(*of)), seeds),
            Action::Pause { host, inbox } => self.try_pause(*host, *inbox),
            Action::Resume(host) => self.try_resume(*host),
            Action::Join { host, seeds } => self.give(*host, Command::Join { seeds }).is_some(),
            Action::Leave(host) => self.give(*host, Command::Leave).is_some(),
            Action::Move { host, addr } => self.try_move(*host, *addr),
            Action::Unplug(host) => self.set_unplugged(*host, true),
            Action::Plug(host) => self.set_unplugged(*host, false),
            Action::FillSendBuffer(host) => self.set_send_buffer_full(*host, true),
            Action::DrainSendBuffer(host) => self.set_send_buffer_full(*host, false),
            Action::Mask { host, addr } => self.set_mask(*host, Some(*addr)),
            Action::Unmask(host) => self.set_mask(*host, None),
            Action::Slow { host, service, queue } => {
                self.tune(*host, |host, _| host.slowness.set_service(*service, *queue as usize))
            }
            Action::Quicken(host) => self.tune(*host, |host, _| host.slowness.set_service(Duration::ZERO, 0)),
            Action::Drift { host, ppm } => self.tune(*host, |host, now| host.clock.set_drift(now, *ppm)),
            Action::Jump { host, by } => {
                self.node(*host).is_some() && self.tune(*host, |host, _| host.clock.leap(*by))
            }
            Action::LateTicks { host, up_to } => self.tune(*host, |host, _| host.slowness.set_late(*up_to)),
            Action::WallClock { host, ahead_ms } => {
                self.tune(*host, |host, _| host.wall_clock_ms = *ahead_ms)
            }
            Action::SetMetadata { host, text } => Metadata::new(text.as_bytes())
                .is_ok_and(|data| self.give(*host, Command::SetMetadata(data)).is_some()),
            Action::Broadcast { host, text } => Payload::new(text.as_bytes())
                .is_ok_and(|payload| self.give(*host, Command::Broadcast(payload)).is_some()),
            Action::Send { host, target, text } => {
                let (target, payload) = (self.id(*target), Payload::new(text.as_bytes()));
                payload.is_ok_and(|payload| self.give(*host, Command::Send { target, payload }).is_some())
            }
            Action::Remove { host, target } => {
                let target = self.id(*target);
                self.give(*host, Command::Remove { target }).is_some()
            }
            Action::Peace => self.make_peace(),
            _ => self.change_network(action) || self.harass(action),
        }
    }

    /// What is between the hosts. `false`: the action is about something else.
    fn change_network(&mut self, action: &Action) -> bool {
        let network: &mut Network = &mut self.fabric.network;
        match action {
            Action::Partition(groups) => {
                network.partition(&groups.iter().map(Vec::as_slice).collect::<Vec<_>>());
            }
            Action::Cut { source, target } => network.cut(*source, *target),
            Action::Uncut { source, target } => network.uncut(*source, *target),
            Action::Heal => network.heal(),
            Action::SetDefaultLink(link) => network.set_default_link(*link),
            Action::SetLink { source, target, link } => network.set_link(*source, *target, *link),
            Action::ResetLink { source, target } => network.reset_link(*source, *target),
            Action::SetLinksOf { host, directions, link } => network.set_links_of(*host, *directions, *link),
            Action::ResetLinksOf(host) => network.reset_links_of(*host),
            _ => return false,
        }
        true
    }

    /// Ends everything that lasts.
    fn make_peace(&mut self) -> bool {
        self.fabric.network.heal();
        self.fabric.network.reset_links();
        self.fabric.network.set_default_link(self.setup.link);
        self.fabric.channels.clear();
        for host in self.hosts() {
            self.set_unplugged(host, false);
            self.set_send_buffer_full(host, false);
            self.set_mask(host, None);
            self.try_resume(host);
            self.tune(host, |host, now| {
                host.slowness.set_service(Duration::ZERO, 0);
                host.slowness.set_late(Duration::ZERO);
                host.clock.set_drift(now, 0);
            });
        }
        true
    }

    /// What another host on the same kind of machine is started with.
    fn spec_like(&self, host: HostId) -> Spec {
        Spec::new(self.hosts[host.index()].config.clone())
    }

    /// The same for a host of another cluster. `None`: its label is too long.
    fn spec_elsewhere(&self, host: HostId, label: &str, addr: Option<SocketAddr>) -> Option<Spec> {
        let mut options: Options = self.hosts[host.index()].config.options().clone();
        options.label = label.into();
        let config = Config::new(options).ok()?;
        let spec = Spec::new(Arc::new(config));
        Some(match addr {
            Some(addr) => spec.addr(addr),
            None => spec,
        })
    }

    fn start_and_join(&mut self, spec: Spec, seeds: &[SocketAddr]) -> bool {
        let next = HostId(u32::try_from(self.hosts.len()).expect("fewer hosts than 2^32"));
        let addr = spec.addr.unwrap_or_else(|| Self::birthplace(next));
        if next.0 >= HOSTS_MAX || self.fabric.directory.host_at(addr).is_some() {
            return false;
        }
        let host = self.start(spec);
        if !seeds.is_empty() {
            self.give(host, Command::Join { seeds });
        }
        true
    }

    /// Writes an intervention into the transcript.
    pub(super) fn note(&mut self, what: &std::fmt::Arguments<'_>) {
        self.fabric.transcript.action(self.fabric.now, what);
    }
}
