//! One member on its own thread, printing its events.
//!
//!     cargo run -p swim-mio --example thread -- blue 127.0.0.1:7001
//!     cargo run -p swim-mio --example thread -- green 127.0.0.1:7002 127.0.0.1:7001

use swim_mio::{Config, NodeId, Settings};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(name), Some(bind)) = (args.next(), args.next()) else {
        return Err("usage: thread NAME ADDRESS [SEED…]".into());
    };
    let mut settings = Settings::new(Config::lan(), NodeId::from_name(&name), bind.parse()?);
    settings.metadata = name.into_bytes();
    settings.seeds = args.map(|seed| seed.parse()).collect::<Result<Vec<_>, _>>()?;

    let member = swim_mio::spawn(&settings)?;
    for event in member.events() {
        println!("{event:?}");
        println!("  {} members are known", member.members().len());
    }
    Ok(())
}
