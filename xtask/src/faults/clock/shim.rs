//! Preloaded into a process, this makes it see another wall clock: `CLOCK_SHIFT_S` seconds away from the machine's.
//! Clocks that only measure durations stay as they are.
//!
//! No part of the product and of no crate: `another_clock` compiles it when a scenario asks for it.

#![no_std]

use core::ffi::{c_char, c_int, c_long, c_longlong, c_void};
use core::sync::atomic::{AtomicI64, Ordering};

unsafe extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
    fn getenv(name: *const c_char) -> *const c_char;
    fn atoll(text: *const c_char) -> c_longlong;
}

#[cfg(target_arch = "x86_64")]
const CLOCK_GETTIME: c_long = 228;
#[cfg(target_arch = "aarch64")]
const CLOCK_GETTIME: c_long = 113;
const REALTIME: c_int = 0;
const REALTIME_COARSE: c_int = 5;

#[repr(C)]
pub struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

#[repr(C)]
pub struct Timeval {
    seconds: i64,
    microseconds: i64,
}

/// Read once: a process that clears its environment keeps its clock.
static SHIFT: AtomicI64 = AtomicI64::new(i64::MIN);

fn shift() -> i64 {
    let known = SHIFT.load(Ordering::Relaxed);
    if known != i64::MIN {
        return known;
    }
    // SAFETY: both take and give texts that end with NUL; the environment is not changed by the programs shifted here.
    let read = unsafe {
        let text = getenv(c"CLOCK_SHIFT_S".as_ptr());
        if text.is_null() { 0 } else { atoll(text) }
    };
    SHIFT.store(read, Ordering::Relaxed);
    read
}

/// # Safety
/// As of the C library's: `at` can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(clock: c_int, at: *mut Timespec) -> c_int {
    // SAFETY: the kernel checks what it is given.
    let done = unsafe { syscall(CLOCK_GETTIME, clock as c_long, at) } as c_int;
    if done == 0 && (clock == REALTIME || clock == REALTIME_COARSE) {
        // SAFETY: the kernel has just written there.
        unsafe { (*at).seconds += shift() };
    }
    done
}

/// # Safety
/// As of the C library's: `at` is null or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gettimeofday(at: *mut Timeval, _zone: *mut c_void) -> c_int {
    let mut now = Timespec { seconds: 0, nanoseconds: 0 };
    // SAFETY: `now` is ours.
    let done = unsafe { clock_gettime(REALTIME, &mut now) };
    if done == 0 && !at.is_null() {
        // SAFETY: the caller's promise.
        unsafe { *at = Timeval { seconds: now.seconds, microseconds: now.nanoseconds / 1000 } };
    }
    done
}

/// # Safety
/// As of the C library's: `at` is null or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn time(at: *mut i64) -> i64 {
    let mut now = Timespec { seconds: 0, nanoseconds: 0 };
    // SAFETY: `now` is ours.
    unsafe { clock_gettime(REALTIME, &mut now) };
    if !at.is_null() {
        // SAFETY: the caller's promise.
        unsafe { *at = now.seconds };
    }
    now.seconds
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
