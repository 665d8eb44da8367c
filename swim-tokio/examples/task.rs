//! One member as a task, printing its events.
//!
//!     cargo run -p swim-tokio --example task -- blue 127.0.0.1:7001
//!     cargo run -p swim-tokio --example task -- green 127.0.0.1:7002 127.0.0.1:7001

use swim_tokio::{Config, NodeId, Settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(name), Some(bind)) = (args.next(), args.next()) else {
        return Err("usage: task NAME ADDRESS [SEED…]".into());
    };
    let mut settings = Settings::new(Config::lan(), NodeId::from_name(&name), bind.parse()?);
    settings.metadata = name.into_bytes();
    settings.seeds = args.map(|seed| seed.parse()).collect::<Result<Vec<_>, _>>()?;

    let member = swim_tokio::spawn(&settings)?;
    while let Some(event) = member.next_event().await {
        println!("{event:?}");
        println!("  {} members are known", member.members().await.len());
    }
    Ok(())
}
