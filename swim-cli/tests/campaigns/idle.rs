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
    let members: Vec<&mut Member> = cluster.members.iter_mut().chain(&mut lonely).collect();
    let Some(seen) = watch(&mut report, members, time) else {
        report.must(false, "it came to rest");
        return report.verdict();
    };
    let periods = time.as_secs_f64() / profile.period().as_secs_f64();
    for (member, Seen { counts, sent, received }) in cluster.members.iter().zip(&seen) {
        let who = format!("{} ({})", member.name, member.driver);
        report.figure(format!("{who}: {}", counts.per_second(time)));
        report.figure(format!(
            "{who}: its own counters: {sent} sent, {received} received; {periods:.0} periods"
        ));
        judge(&mut report, member.driver, counts, periods);
    }
    for (member, Seen { counts, .. }) in lonely.iter().zip(&seen[n..]) {
        let total = counts.total();
        report.must(total == 0, format!("a lone member ({}) made {total} system calls", member.driver));
    }
    report.verdict();
}

/// What one member did while it was watched.
struct Seen {
    counts: Counts,
    sent: u64,
    received: u64,
}

/// Watches members for a time in which they tell nothing; on a machine that gives them no rest, not at all.
fn watch(report: &mut Report, mut members: Vec<&mut Member>, time: Duration) -> Option<Vec<Seen>> {
    for _ in 0..5 {
        let marks: Vec<usize> = members.iter().map(|member| member.mark()).collect();
        let before: Vec<(u64, u64)> = members.iter_mut().map(|member| traffic(member)).collect();
        let traces: Vec<Trace> = members.iter().map(|member| Trace::start(member.pid())).collect();
        std::thread::sleep(time);
        let counts: Vec<Counts> = traces.into_iter().map(Trace::end).collect();
        let after: Vec<(u64, u64)> = members.iter_mut().map(|member| traffic(member)).collect();
        // Two answers to `stats`, and nothing else.
        if members.iter().zip(&marks).all(|(member, mark)| member.mark() == mark + 2) {
            let traffic = before.into_iter().zip(after);
            let seen = counts.into_iter().zip(traffic).map(|(counts, (before, after))| Seen {
                counts,
                sent: after.0 - before.0,
                received: after.1 - before.1,
            });
            return Some(seen.collect());
        }
        report.figure("something was told meanwhile: again");
    }
    None
}

/// One wake-up for each packet that arrives and for each period, and for each ping beyond that; one wait and one
/// empty read for each wake-up.
fn judge(report: &mut Report, driver: &str, counts: &Counts, periods: f64) {
    let more = counts.sent.saturating_sub((2.0 * periods) as u64);
    let wakes = counts.received + more + (periods * 1.03) as u64 + 4;
    report.must(counts.waits() <= wakes, format!("{} waits, of {wakes}", counts.waits()));
    report.must(counts.empty <= wakes, format!("{} empty reads, of {wakes}", counts.empty));
    let others: u64 = counts.others.values().sum();
    // A task has its timer with the kernel: it is set when it has pinged, and again when the ack has come.
    let timer = if driver == "tokio" { counts.sent + counts.sent / 32 + 4 } else { 0 };
    report.must(others <= timer, format!("{others} other calls, of {timer}: {:?}", counts.others));
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
