//! Faults that a test plants in our own code, one a process, to see whether its suite finds them: a suite that passes with a
//! forgotten check proves nothing of the check.
//!
//! Only a build with the feature `planted-faults` has them, and no release can be such a build. Without it the question is a
//! constant, and what would follow a yes is not compiled in.

#[cfg(all(feature = "planted-faults", not(debug_assertions)))]
compile_error!("planted-faults is for tests alone: nothing that is released is built with it");

/// Whether this fault is planted: `CLARITY_PLANTED` names it. The first time that it is asked for is told on standard error,
/// so that a fault which was never reached is not taken for one that was found.
#[cfg(feature = "planted-faults")]
pub fn planted(fault: &str) -> bool {
    use std::sync::{LazyLock, Once};

    static NAMED: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("CLARITY_PLANTED").ok());
    static REACHED: Once = Once::new();
    let is_planted = NAMED.as_deref() == Some(fault);
    if is_planted {
        REACHED.call_once(|| eprintln!("planted: {fault}"));
    }
    is_planted
}

/// No fault is: this build has none.
#[cfg(not(feature = "planted-faults"))]
#[inline]
pub const fn planted(_fault: &str) -> bool {
    false
}
