//! What a member at rest asks of the kernel, counted by strace.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::cluster::Cluster;
use crate::member::{Launch, Member};
use crate::report::Report;
use crate::scale::{Profile, seconds, size};

#[test]
fn a_member_at_rest_only_waits_sends_and_receives() {
    campaign(Report::beside("idle short"), 3, Profile::Local, Duration::from_secs(4), Duration::from_secs(4));
}

#[test]
#[ignore = "takes 2 minutes; run with: cargo test --release -p swim-cli --test campaigns -- --ignored at_rest"]
fn a_cluster_at_rest_only_waits_sends_and_receives() {
    campaign(
        Report::alone("idle"),
        size("SWIM_CAMPAIGN_NODES", 5),
        Profile::Lan,
        Duration::from_secs(40),
        seconds(60),
    );
}

fn campaign(mut report: Report, n: usize, profile: Profile, settle: Duration, time: Duration) {
    if let Err(why) = strace_works() {
        return report.skipped(why);
    }
    let mut cluster = Cluster::converged(&mut report, n, profile, None);
    let mut lonely: Vec<Member> =
        (0..2).map(|index| Member::start(&Launch::new(&format!("lone-{index}"), index, profile))).collect();
    std::thread::sleep(settle);
    let marks = cluster.marks();
    // stdin is polled for commands by a blocked read; asking for stats before and after costs a little, outside.
    let before: Vec<(u64, u64)> = cluster.members.iter_mut().map(traffic).collect();
    let traces: Vec<Trace> =
        cluster.members.iter().chain(&lonely).map(|member| Trace::start(member.pid())).collect();
    std::thread::sleep(time);
    let counts: Vec<Counts> = traces.into_iter().map(Trace::end).collect();
    let after: Vec<(u64, u64)> = cluster.members.iter_mut().map(traffic).collect();

    let quiet = cluster.marks() == marks.iter().map(|mark| mark + 2).collect::<Vec<_>>();
    report.must(quiet, "it was at rest: nothing happened that is told");
    let periods = time.as_secs_f64() / profile.period().as_secs_f64();
    for (index, member) in cluster.members.iter().enumerate() {
        let counts = &counts[index];
        let (sent, received) = (after[index].0 - before[index].0, after[index].1 - before[index].1);
        report.figure(format!("{} ({}): {}", member.name, member.driver, counts.per_second(time)));
        report.figure(format!(
            "{} ({}): its own counters: {sent} sent, {received} received; {periods:.0} periods",
            member.name, member.driver
        ));
        judge(&mut report, member.driver, counts, periods);
    }
    for (index, member) in lonely.iter_mut().enumerate() {
        let total = counts[n + index].total();
        report.must(total == 0, format!("a lone member ({}) made {total} system calls", member.driver));
    }
    report.verdict();
}

fn judge(report: &mut Report, driver: &str, counts: &Counts, periods: f64) {
    let wakes = counts.woken + counts.rang;
    let waits = counts.waits();
    report.must(waits <= wakes + 2, format!("{waits} waits for {wakes} wake-ups"));
    report.must(counts.empty <= wakes + 2, format!("{} empty reads for {wakes} wake-ups", counts.empty));
    let allowed = counts.received as f64 + periods + 2.0;
    report.must(
        wakes as f64 <= allowed * 1.03 + 2.0,
        format!("{wakes} wake-ups for {} packets and {periods:.0} periods", counts.received),
    );
    let others: u64 = counts.others.values().sum();
    // A task has its timer with the kernel: it is set for the end of the wait for an ack, and for the next period.
    let timer = if driver == "tokio" { (2.0 * periods * 1.03) as u64 + 4 } else { 0 };
    report.must(others <= timer, format!("{others} other calls (at most {timer}): {:?}", counts.others));
}

fn traffic(member: &mut Member) -> (u64, u64) {
    let stats = member.ask("stats");
    let of = |name: &str| stats[name].as_u64().unwrap_or(0);
    (of("datagrams_sent"), of("datagrams_received"))
}

/// System calls of one process, by what they were for.
#[derive(Default, Debug)]
struct Counts {
    sent: u64,
    received: u64,
    empty: u64,
    /// Waits that ended because something was ready.
    woken: u64,
    /// Waits that ended because of their timeout.
    rang: u64,
    others: BTreeMap<String, u64>,
}

impl Counts {
    fn waits(&self) -> u64 {
        self.woken + self.rang
    }

    fn total(&self) -> u64 {
        self.sent + self.received + self.empty + self.waits() + self.others.values().sum::<u64>()
    }

    fn per_second(&self, time: Duration) -> String {
        let rate = |count: u64| count as f64 / time.as_secs_f64();
        let others: u64 = self.others.values().sum();
        format!(
            "a second: {:.2} sends, {:.2} receives, {:.2} empty reads, {:.2} waits, {:.2} others; {:.2} in all",
            rate(self.sent),
            rate(self.received),
            rate(self.empty),
            rate(self.waits()),
            rate(others),
            rate(self.total()),
        )
    }

    /// One finished call as strace prints it.
    fn add(&mut self, name: &str, result: &str) {
        let failed = result.starts_with('-');
        match name {
            "sendto" | "sendmsg" => self.sent += 1,
            "sendmmsg" => self.sent += result.parse::<u64>().unwrap_or(1),
            "recvfrom" | "recvmsg" if failed => self.empty += 1,
            "recvfrom" | "recvmsg" => self.received += 1,
            "epoll_wait" | "epoll_pwait" | "epoll_pwait2" if result.starts_with('0') => self.rang += 1,
            "epoll_wait" | "epoll_pwait" | "epoll_pwait2" => self.woken += 1,
            _ => *self.others.entry(name.to_owned()).or_default() += 1,
        }
    }
}

/// strace attached to a running process.
struct Trace {
    strace: Child,
    file: std::path::PathBuf,
}

impl Trace {
    fn start(pid: u32) -> Self {
        let file = std::env::temp_dir().join(format!("swim-campaign-strace-{}-{pid}", std::process::id()));
        let strace = Command::new("strace")
            .args(["-f", "-qq", "-o"])
            .arg(&file)
            .args(["-p", &pid.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("strace starts");
        Self { strace, file }
    }

    /// Detaches, and counts every call that began and ended while it was attached.
    fn end(mut self) -> Counts {
        let pid = rustix::process::Pid::from_child(&self.strace);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
        let _ = self.strace.wait();
        let text = std::fs::read_to_string(&self.file).unwrap_or_default();
        let _ = std::fs::remove_file(&self.file);
        let mut counts = Counts::default();
        let mut unfinished = BTreeMap::new();
        // Calls that were under way when strace came are printed as the first of their threads: not counted,
        // unless they end.
        for line in text.lines() {
            let Some((thread, call)) = line.trim().split_once(' ') else { continue };
            let call = call.trim_start();
            let result = |call: &str| call.rsplit_once(" = ").map(|(_, result)| result.trim().to_owned());
            if call.ends_with("<unfinished ...>") {
                let name = call.split('(').next().unwrap_or_default();
                unfinished.insert(thread.to_owned(), name.to_owned());
            } else if call.starts_with("<... ") {
                if let (Some(name), Some(result)) = (unfinished.remove(thread), result(call)) {
                    counts.add(&name, &result);
                }
            } else if let (Some((name, _)), Some(result)) = (call.split_once('('), result(call))
                && !call.contains("<detached")
            {
                // A wait that only noticed that strace came or went.
                if !result.contains("ERESTART") && !result.contains("EINTR") && name != "restart_syscall" {
                    counts.add(name, &result);
                }
            }
        }
        counts
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        let _ = self.strace.kill();
        let _ = self.strace.wait();
    }
}

fn strace_works() -> Result<(), String> {
    let output = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).output();
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            Err(format!("strace does not work: {}", String::from_utf8_lossy(&output.stderr).trim()))
        }
        Err(error) => Err(format!("strace: {error}")),
    }
}
