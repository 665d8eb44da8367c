//! A member, started as a user would start it.

use std::future::pending;
use std::net::{Ipv4Addr, SocketAddr};

use swim_core::{Config, NodeId};
use swim_mio::Settings;
use tokio::runtime::Runtime;

use super::{Failure, ready};

fn settings(peer: SocketAddr) -> Settings {
    let bind = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut settings = Settings::new(Config::lan(), NodeId::from_name("measured"), bind);
    settings.seeds = vec![peer];
    settings
}

pub(super) fn mio(peer: SocketAddr) -> Result<(), Failure> {
    let member = swim_mio::spawn(&settings(peer))?;
    ready(member.local_addr())?;
    member.events().for_each(drop);
    Err("the member has stopped".into())
}

pub(super) fn tokio(runtime: std::io::Result<Runtime>, peer: SocketAddr) -> Result<(), Failure> {
    runtime?.block_on(async {
        let member = swim_tokio::spawn(&settings(peer))?;
        ready(member.local_addr())?;
        while member.next_event().await.is_some() {}
        pending::<Result<(), Failure>>().await
    })
}
