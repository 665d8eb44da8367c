//! Peers are built here, by the command that needs them, into `target/peers`. Nothing of them is kept in this
//! repository.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where Debian's packages put the sources of Go libraries.
const GO_PATH: &str = "/usr/share/gocode";
const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The binary `swim` of this workspace.
pub(crate) fn swim() -> Result<PathBuf, Box<dyn Error>> {
    ours("swim", "dist", &target()?, |_| {})
}

/// This package's program with many members.
pub(crate) fn members() -> Result<PathBuf, Box<dyn Error>> {
    ours(MEMBERS, "dist", &target()?, |_| {})
}

/// The same without tokio, as a program has it that uses swim-mio: in a folder of its own, where no other build of
/// the same name takes its path.
pub(crate) fn mio_members() -> Result<PathBuf, Box<dyn Error>> {
    ours(MEMBERS, "dist", &target()?.join("peers/mio"), |cargo| {
        cargo.arg("--no-default-features");
    })
}

/// `swim`, built to take little memory: for size, and with the C library inside.
pub(crate) fn small_swim() -> Result<PathBuf, Box<dyn Error>> {
    small("swim", |_| {})
}

/// The program with many members, without tokio, built to take little memory.
pub(crate) fn small_members() -> Result<PathBuf, Box<dyn Error>> {
    small(MEMBERS, |cargo| {
        cargo.arg("--no-default-features");
    })
}

const MEMBERS: &str = "swim-bench-members";

fn small(binary: &str, more: impl FnOnce(&mut Command)) -> Result<PathBuf, Box<dyn Error>> {
    let version = String::from_utf8(Command::new("rustc").arg("-vV").output()?.stdout)?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc names no host")?;
    let target = target()?;
    ours(binary, "small", &target, |cargo| {
        more(cargo.env("RUSTFLAGS", "-Ctarget-feature=+crt-static").args(["--target", host]));
    })?;
    Ok(target.join(host).join("small").join(binary))
}

/// Builds a program of this workspace into the directory `target`.
fn ours(
    binary: &str,
    profile: &str,
    target: &Path,
    more: impl FnOnce(&mut Command),
) -> Result<PathBuf, Box<dyn Error>> {
    let package = if binary == MEMBERS { "swim-bench" } else { "swim-cli" };
    let mut cargo = cargo();
    cargo.current_dir(WORKSPACE).args(["build", "--profile", profile, "--package", package, "--bin", binary]);
    more(&mut cargo);
    carry_out(cargo.arg("--target-dir").arg(target))?;
    Ok(target.join(profile).join(binary))
}

/// foca's own example of a member on UDP, from a copy of the crate that this one depends on.
pub(crate) fn foca() -> Result<PathBuf, Box<dyn Error>> {
    let here = target()?.join("peers/foca");
    fs::create_dir_all(&here)?;
    let output = cargo().current_dir(WORKSPACE).args(["metadata", "--format-version", "1"]).output()?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata names no packages")?;
    let foca = packages.iter().find(|package| package["name"] == "foca").ok_or("there is no foca")?;
    let manifest = Path::new(foca["manifest_path"].as_str().ok_or("foca has no manifest")?);
    let copy = here.join(foca["version"].as_str().ok_or("foca has no version")?);
    if !copy.exists() {
        carry_out(Command::new("cp").arg("-r").arg(manifest.with_file_name("")).arg(&copy))?;
        // It lies in the folder of this workspace, but is none of its members.
        let manifest = fs::read_to_string(copy.join("Cargo.toml"))?;
        fs::write(copy.join("Cargo.toml"), format!("{manifest}\n[workspace]\n"))?;
    }
    let example = "foca_insecure_udp_agent";
    let mut cargo = cargo();
    // As this workspace's profile `dist` has it.
    cargo.env("CARGO_PROFILE_RELEASE_LTO", "fat").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1");
    cargo.args(["build", "--release", "--features", "std,tracing,postcard-codec", "--example", example]);
    cargo.arg("--manifest-path").arg(copy.join("Cargo.toml"));
    carry_out(cargo.arg("--target-dir").arg(here.join("target")))?;
    Ok(here.join("target/release/examples").join(example))
}

/// hashicorp/memberlist as Debian packages it, in a program of ours with many members.
pub(crate) fn memberlist(go: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let here = target()?.join("peers/memberlist");
    fs::create_dir_all(&here)?;
    let binary = here.join("members");
    let mut build = Command::new(go);
    // As Debian builds: no modules, sources where its packages put them.
    build.env("GO111MODULE", "off").env("GOPATH", GO_PATH).env("GOCACHE", here.join("cache"));
    build.arg("build").arg("-o").arg(&binary);
    carry_out(build.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/peers/memberlist/main.go")))?;
    Ok(binary)
}

/// Whether Debian's package of memberlist is installed.
pub(crate) fn has_memberlist() -> bool {
    Path::new(GO_PATH).join("src/github.com/hashicorp/memberlist").is_dir()
}

/// `program`, if it is among those that a shell would find.
pub(crate) fn installed(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The target directory that this program was built into.
fn target() -> Result<PathBuf, Box<dyn Error>> {
    let program = std::env::current_exe()?;
    Ok(program.ancestors().nth(2).ok_or("this program lies in no target directory")?.to_owned())
}

fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.arg("--quiet");
    cargo
}

fn carry_out(command: &mut Command) -> Result<(), Box<dyn Error>> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)).into())
}
