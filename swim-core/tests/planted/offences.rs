//! Every line below that ends in a mark is something that must not enter the core. The mark names the
//! lint that refuses it. Not compiled here: tests/refuses_nondeterminism.rs puts it into a copy.

extern crate std;

pub fn clock() -> u128 {
    std::time::Instant::now().elapsed().as_nanos() // refused by clippy::disallowed_methods
}

pub fn wall_clock(at: std::time::SystemTime) -> bool { // refused by clippy::disallowed_types
    at.elapsed().is_ok()
}

pub fn thread() {
    drop(std::thread::spawn(|| ())); // refused by clippy::disallowed_methods
}

pub fn nap(by: core::time::Duration) {
    std::thread::sleep(by); // refused by clippy::disallowed_methods
}

pub fn socket() -> bool {
    std::net::UdpSocket::bind("127.0.0.1:0").is_ok() // refused by clippy::disallowed_methods
}

pub fn stream(stream: &std::net::TcpStream) -> bool { // refused by clippy::disallowed_types
    stream.nodelay().is_ok()
}

pub fn file(file: &std::fs::File) -> bool { // refused by clippy::disallowed_types
    file.sync_all().is_ok()
}

pub fn environment() -> bool {
    std::env::var("SEED").is_ok() // refused by clippy::disallowed_methods
}

pub fn shared() -> core::sync::atomic::AtomicU64 { // refused by clippy::disallowed_types
    core::sync::atomic::AtomicU64::new(0) // refused by clippy::disallowed_types
}

pub fn double(x: f64) -> bool { // refused by clippy::disallowed_types
    x.is_nan()
}

pub fn single(x: u8) -> bool {
    (x as f32).is_nan() // refused by clippy::disallowed_types
}

pub fn literal() -> bool {
    let half = 0.5; // refused by clippy::default_numeric_fallback
    half < 1.0
}

pub fn arithmetic() -> bool {
    (0.5_f64 * 3.0_f64).is_nan() // refused by clippy::float_arithmetic
}

pub fn float_seconds(time: core::time::Duration) -> bool {
    time.as_secs_f64().is_nan() // refused by clippy::disallowed_methods
}

pub fn precision(x: u64) -> bool {
    (x as f64).is_nan() // refused by clippy::cast_precision_loss
}

pub fn random_order(set: &std::collections::HashSet<u64>) -> u64 { // refused by clippy::disallowed_types
    let mut sum = 0_u64;
    for x in set { // refused by clippy::iter_over_hash_type
        sum = sum.rotate_left(1) ^ x;
    }
    sum
}

pub fn random_map() -> bool {
    std::collections::HashMap::<u64, u64>::new().is_empty() // refused by clippy::disallowed_types
}

pub fn linked() -> std::string::String { // refused by clippy::std_instead_of_alloc
    std::string::String::new() // refused by clippy::std_instead_of_alloc
}

pub fn linked_core() -> std::time::Duration { // refused by clippy::std_instead_of_core
    core::time::Duration::ZERO
}

pub fn unproven(x: Option<u8>) -> u8 {
    x.unwrap() // refused by clippy::unwrap_used
}

pub fn unsafe_block(bytes: &[u8; 4]) -> u8 {
    unsafe { *bytes.as_ptr() } // refused by unsafe_code
}
