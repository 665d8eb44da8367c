//! `swim bench`: what the drivers cost, beside the same loops without a protocol.

mod contestant;
mod load;
mod peer;
mod process;
pub(crate) mod subject;

pub(crate) use contestant::Contestant;

use std::io;
use std::time::Duration;

use crate::args::BenchDriversArgs;
use crate::exit::Exit;

/// Measures and tells.
pub(crate) fn drivers(args: &BenchDriversArgs) -> Exit {
    match slice(args) {
        Ok(()) => Exit::Ok,
        Err(error) => {
            eprintln!("error: {error}");
            Exit::Failed
        }
    }
}

fn slice(args: &BenchDriversArgs) -> io::Result<()> {
    let mut all = std::collections::HashMap::<(Contestant, u8), Vec<(f64, f64, f64)>>::new();
    for _ in 0..args.rounds {
        for contestant in Contestant::ALL {
            for (w, workload) in load::Workload::ALL.into_iter().enumerate() {
                let mut peer = peer::Peer::new()?;
                let process = process::Process::start(contestant, peer.addr(), peer::ACK_LEN)?;
                peer.connect(process.addr())?;
                if contestant.bare().is_some() {
                    peer.get_acquainted()?;
                }
                workload.run(&mut peer, Duration::from_millis(30))?;
                let before = process.counted()?;
                let answers = workload.run(&mut peer, Duration::from_millis(args.seconds))?;
                std::thread::sleep(Duration::from_millis(2));
                let counted = process.counted()?.since(before);
                let per = answers.answered as f64;
                all.entry((contestant, w as u8)).or_default().push((
                    counted.cpu_ns as f64 / per,
                    counted.sleeps as f64 / per,
                    answers.rtt_ns.value_at_quantile(0.5) as f64,
                ));
            }
        }
    }
    for w in 0..2 {
        for contestant in Contestant::ALL {
            let mut v = all[&(contestant, w)].clone();
            v.sort_by(|a, b| a.0.total_cmp(&b.0));
            let m = v[v.len() / 2];
            println!(
                "{w} {:<36} {:>8.0} ns [{:>7.0} {:>7.0}] sleeps {:.3} p50 {:.1} us",
                contestant.name(),
                m.0,
                v[v.len() / 4].0,
                v[v.len() * 3 / 4].0,
                m.1,
                m.2 / 1e3
            );
        }
    }
    Ok(())
}
