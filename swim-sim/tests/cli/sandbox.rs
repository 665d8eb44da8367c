//! A folder of a test's own, and the program that is called there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// How the lines begin that say how to repeat something.
const PROGRAM: &str = "cargo run --release -p swim-sim --";
/// The program.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_swim-sim");

/// A folder of a test's own.
pub(crate) struct Sandbox(PathBuf);

/// What one call did.
pub(crate) struct Ran {
    /// The exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Sandbox {
    /// An empty folder of this name.
    pub(crate) fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli").join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder for this test");
        Self(folder)
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.0.join(file)
    }

    pub(crate) fn write(&self, file: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(file), bytes).expect("a writable folder");
    }

    pub(crate) fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    /// Calls the program with these words.
    pub(crate) fn run(&self, words: &str) -> Ran {
        self.call(Command::new(BINARY).args(words.split_whitespace()))
    }

    /// The same, and interrupts it after a second as Ctrl-C does.
    pub(crate) fn interrupt(&self, words: &str) -> Ran {
        let timeout = ["--foreground", "--preserve-status", "--signal=INT", "1", BINARY];
        self.call(Command::new("timeout").args(timeout).args(words.split_whitespace()))
    }

    /// The same through a shell, in which `swim-sim` is the program.
    pub(crate) fn shell(&self, line: &str) -> Ran {
        let line = format!("swim_sim() {{ '{BINARY}' \"$@\"; }}; {}", line.replace("swim-sim", "swim_sim"));
        self.call(Command::new("sh").arg("-c").arg(line))
    }

    /// Calls the command that a `replay:` line has.
    pub(crate) fn again(&self, ran: &Ran) -> Ran {
        let line = ran.line("replay: ");
        let words = [PROGRAM, "proof/mutants/run"].iter().find_map(|program| line.strip_prefix(program));
        let words = words.unwrap_or_else(|| panic!("{line}"));
        self.shell(&format!("swim-sim{words}"))
    }

    fn call(&self, command: &mut Command) -> Ran {
        let Output { status, stdout, stderr } =
            command.current_dir(&self.0).env_remove("NO_COLOR").output().expect("it can be started");
        let text = |bytes| String::from_utf8(bytes).expect("it writes UTF-8");
        Ran { code: status.code().expect("it ends by itself"), out: text(stdout), err: text(stderr) }
    }
}

impl Ran {
    /// The rest of the last line that begins like this.
    pub(crate) fn line(&self, prefix: &str) -> &str {
        let found = self.out.lines().rev().find_map(|line| line.strip_prefix(prefix));
        found.unwrap_or_else(|| panic!("no line begins with {prefix:?} in\n{}{}", self.out, self.err))
    }

    pub(crate) fn digest(&self) -> &str {
        self.line("digest: ")
    }

    /// The same, and that it ended like this.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n{}{}", self.out, self.err);
        self
    }
}
