//! From the command line to the driver's settings.

use std::net::{SocketAddr, UdpSocket};

use swim_core::Config;
use swim_mio::{Recording, Settings};

use crate::args::NodeArgs;
use crate::naming::Name;
use crate::node::error::NodeError;

/// Events kept while standard output does not take them.
const EVENTS_MAX: usize = 65_536;

#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) settings: Settings,
    pub(crate) name: Name,
}

impl Plan {
    /// Checks and completes what was asked for.
    pub(crate) fn new(args: &NodeArgs) -> Result<Self, NodeError> {
        let mut bind = args.bind.resolve_one(None).map_err(NodeError::Bind)?;
        let advertise = match &args.advertise {
            Some(addr) => Some(addr.resolve_one(Some(bind)).map_err(NodeError::Advertise)?),
            None if bind.ip().is_unspecified() => return Err(NodeError::Wildcard(bind)),
            None => None,
        };
        if bind.port() == 0 && args.name.is_none() {
            bind.set_port(free_port(bind)?);
        }
        let name = args.name.clone().unwrap_or_else(|| Name::default_for(reached_at(bind, advertise)));

        let mut options = args.profile.options();
        options.label.clone_from(&args.label);
        options.follow_address = args.follow_address;
        let settings = Settings {
            advertise,
            seeds: args.join.clone(),
            metadata: name.metadata("")?,
            events_max: EVENTS_MAX,
            unix_ms: args.epoch,
            state_file: args.state.clone(),
            recording: recording(args),
            ..Settings::new(Config::new(options)?, name.id(), bind)
        };
        Ok(Self { settings, name })
    }
}

fn recording(args: &NodeArgs) -> Option<Recording> {
    let path = args.record.as_ref()?;
    let (limit, redact) = (args.record_limit.0, args.record_redacted);
    Some(Recording { limit, redact, ..Recording::new(path) })
}

/// Where the others will reach a member that is bound to `bind`.
fn reached_at(bind: SocketAddr, advertise: Option<SocketAddr>) -> SocketAddr {
    let mut addr = advertise.unwrap_or(bind);
    if addr.port() == 0 {
        addr.set_port(bind.port());
    }
    addr
}

/// A port that was free a moment ago. Only for a member without a name, which is called after its port and
/// has to know it before it is bound.
fn free_port(bind: SocketAddr) -> Result<u16, NodeError> {
    let port = UdpSocket::bind(bind).and_then(|socket| socket.local_addr()).map(|addr| addr.port());
    port.map_err(|error| NodeError::Port(bind, error))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Args, Verb};
    use crate::exit::Exit;

    fn plan(line: &str) -> Result<Plan, NodeError> {
        let line = format!("swim node {line}");
        let Verb::Node(args) = Args::try_parse_from(line.split_whitespace()).expect("valid").verb else {
            panic!("a node")
        };
        Plan::new(&args)
    }

    #[test]
    fn a_member_without_a_name_is_called_after_its_port() {
        let plan = plan("--bind 127.0.0.1:0").expect("a plan");
        assert_ne!(plan.settings.bind.port(), 0);
        assert_eq!(plan.name.to_string(), format!("node-{}", plan.settings.bind.port()));
        assert_eq!(plan.settings.id, plan.name.id());
    }

    #[test]
    fn a_member_with_a_name_leaves_the_choice_of_the_port_to_the_driver() {
        let plan = plan("--bind 127.0.0.1:0 --name a").expect("a plan");
        assert_eq!(plan.settings.bind.port(), 0);
        assert_eq!(plan.settings.metadata, b"a\0");
    }

    #[test]
    fn behind_an_advertised_address_the_name_says_which() {
        let plan = plan("--bind 0.0.0.0:7946 --advertise 203.0.113.5:0").expect("a plan");
        assert_eq!(plan.name.to_string(), "node-203.0.113.5-7946");
    }

    #[test]
    fn seeds_by_name_are_left_to_the_driver() {
        let plan = plan("--bind 127.0.0.1:0 --join 10.0.0.1:1,no-such-host.invalid:2").expect("a plan");
        assert_eq!(
            plan.settings.seeds,
            ["10.0.0.1:1", "no-such-host.invalid:2"].map(|seed| seed.parse().expect("a seed"))
        );
    }

    #[test]
    fn a_label_that_is_too_long_is_refused_as_usage() {
        let error = plan(&format!("--bind 127.0.0.1:0 --label {}", "x".repeat(256))).expect_err("too long");
        assert_eq!(error.exit(), Exit::Usage);
    }
}
