//! How people write what a scenario needs: `"1.5s"`, `"#3"`.

pub(crate) mod address;
pub(crate) mod duration;
