//! A [`State`] in a file: read and replaced before the member starts, and written by a thread when it has changed.
//!
//! A file is never altered: its successor is written beside it, synced, and renamed over it, so a process that is killed
//! leaves the one or the other. Whatever is wrong with the file, the member runs: a file of no use is renamed to `….bad`.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::Builder;
use std::time::Duration;

use swim_core::{Event, Instant, NodeId};

use super::Wake;
use super::state::{BadState, STATE_BYTES_MAX, State};
use crate::Engine;

/// The pause after the first write and the longest one: it doubles with each write. A new epoch does not wait.
const WRITE_PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(30));

/// How long the end of a member waits for its last write. A disk may hang.
const LAST_WRITE_MAX: Duration = Duration::from_secs(2);

/// A member's state file, and what was last written to it.
pub(super) struct StateFile {
    path: PathBuf,
    salt: u64,
    written: State,
    /// The table's revision that it is of.
    revision: u64,
    /// Not before then.
    next_at: Instant,
    pause: Duration,
    is_failing: bool,
    writer: Option<Writer>,
    /// What went wrong before the member ran.
    early: Vec<String>,
}

struct Writer {
    states: SyncSender<State>,
    results: Receiver<io::Result<()>>,
}

/// What the file at `path` says of member `id`: nothing if there is none, or none of use, which is then set aside.
pub(super) fn read(path: &Path, id: NodeId) -> (Option<State>, Option<String>) {
    let bad = match read_bounded(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return (None, None),
        Err(error) => error.to_string(),
        Ok(bytes) => match State::from_bytes(&bytes) {
            Ok(state) if state.id == id => return (Some(state), None),
            Ok(state) => BadState::OfAnother(state.id).to_string(),
            Err(error) => error.to_string(),
        },
    };
    let aside = beside(path, ".bad");
    // A folder or a device was never this member's.
    let moved = if path.is_file() { fs::rename(path, &aside) } else { Err(ErrorKind::InvalidInput.into()) };
    let done = match moved {
        Ok(()) => format!("it is now {}", aside.display()),
        Err(error) => format!("it could not be set aside ({error})"),
    };
    (None, Some(format!("{bad}; {done}")))
}

/// No more than a state can be, so that any file may be named here.
fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is no regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(STATE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl StateFile {
    /// Writes the first state of this run, above the former epoch, before another member can learn of it.
    pub(super) fn begin(path: &Path, first: State, salt: u64, found: Option<String>) -> Self {
        let failed = write(path, &first).err().map(|error| error.to_string());
        let (is_failing, early) = (failed.is_some(), found.into_iter().chain(failed).collect());
        let (path, written, next_at) = (path.to_owned(), first, Instant::ORIGIN);
        let pause = WRITE_PAUSE.0;
        Self { path, salt, written, revision: 0, next_at, pause, is_failing, writer: None, early }
    }

    pub(super) fn start(&mut self, engine: &mut Engine, wake: &Wake) {
        for error in std::mem::take(&mut self.early) {
            self.report(engine, &error);
        }
        match Writer::start(self.path.clone(), Wake::clone(wake)) {
            Ok(writer) => self.writer = Some(writer),
            Err(error) => self.report(engine, &error),
        }
    }

    /// After every turn: has it written if it has changed, now and then.
    pub(super) fn turn(&mut self, engine: &mut Engine) {
        let Some(writer) = &self.writer else { return };
        if let Some(result) = writer.results.try_iter().last() {
            self.note(engine, result);
        }
        let (node, now) = (engine.node(), engine.last_now());
        let is_new_epoch = node.me().epoch != self.written.epoch;
        let is_due = node.revision() != self.revision && now >= self.next_at;
        if is_new_epoch || is_due {
            self.hand_over(engine);
        }
    }

    /// Hands the state to the writer, if it has changed. A writer that is busy gets it at another turn.
    fn hand_over(&mut self, engine: &Engine) {
        let (node, now) = (engine.node(), engine.last_now());
        let state = State::of_node(node, &self.written.known_peers, self.salt);
        let revision = node.revision();
        if state != self.written || self.is_failing {
            let Some(writer) = &self.writer else { return };
            if matches!(writer.states.try_send(state.clone()), Err(TrySendError::Full(_))) {
                return;
            }
            self.written = state;
        }
        (self.revision, self.next_at) = (revision, now.after(self.pause));
        self.pause = (self.pause * 2).min(WRITE_PAUSE.1);
    }

    /// The member has ended: writes what has changed, and waits for that.
    pub(super) fn finish(&mut self, engine: &mut Engine) {
        let Some(Writer { states, results }) = self.writer.take() else { return };
        let state = State::of_node(engine.node(), &self.written.known_peers, self.salt);
        // Always: an earlier write may have failed. A writer that is busy has room once it is done.
        let began = std::time::Instant::now();
        let mut last = Some(state);
        while let Some(state) = last.take() {
            match states.try_send(state) {
                Err(TrySendError::Full(state)) if began.elapsed() < LAST_WRITE_MAX => {
                    std::thread::sleep(Duration::from_millis(5));
                    last = Some(state);
                }
                _ => {}
            }
        }
        drop(states);
        loop {
            match results.recv_timeout(LAST_WRITE_MAX.saturating_sub(began.elapsed())) {
                Ok(result) => self.note(engine, result),
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    return self.report(engine, &"the last write has not ended yet");
                }
            }
        }
    }

    /// Failures are reported once until a write succeeds.
    fn note(&mut self, engine: &mut Engine, result: io::Result<()>) {
        let was_failing = std::mem::replace(&mut self.is_failing, result.is_err());
        if let Err(error) = result {
            // Something else is to be tried: another state, at another time.
            self.revision = 0;
            if !was_failing {
                self.report(engine, &format!("it cannot be written: {error}"));
            }
        }
    }

    fn report(&self, engine: &mut Engine, error: &impl ToString) {
        let path = self.path.display().to_string().into();
        engine.report(Event::StateNotKept { path, error: error.to_string().into() });
    }
}

impl Writer {
    fn start(path: PathBuf, wake: Wake) -> io::Result<Self> {
        let (states, inbox) = sync_channel::<State>(1);
        let (reports, results) = sync_channel(8);
        Builder::new().name("swim-state".to_owned()).spawn(move || {
            for state in inbox {
                if reports.send(write(&path, &state)).is_err() {
                    return;
                }
                wake();
            }
        })?;
        Ok(Self { states, results })
    }
}

fn write(path: &Path, state: &State) -> io::Result<()> {
    let next = beside(path, ".tmp");
    let mut file = File::create(&next)?;
    file.write_all(&state.to_bytes())?;
    file.sync_all()?;
    drop(file);
    fs::rename(&next, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// The same path with `suffix` behind it.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(OsStr::new(suffix));
    name.into()
}
