// SPDX-License-Identifier: MIT
//! The C face of two libraries; neighbours.h says what each function does.

mod blackboard;
mod event;
mod synchronizer;

use std::arch::asm;
use std::ffi::{CStr, c_char, c_int};

/// What every function answers instead of an error of its own kind: a negative errno value.
type Result<T> = std::result::Result<T, c_int>;

/// # Safety
/// `text` is null-terminated and outlives the answer.
unsafe fn text_from<'a>(text: *const c_char) -> Result<&'a str> {
    unsafe { CStr::from_ptr(text) }
        .to_str()
        .map_err(|_| -libc::EINVAL)
}

/// Give `made` away to C, as an opaque pointer.
///
/// # Safety
/// `place` can be written to.
unsafe fn hand_over<T>(made: Result<T>, place: *mut *mut T) -> c_int {
    match made {
        Ok(made) => {
            unsafe { place.write(Box::into_raw(Box::new(made))) };
            0
        }
        Err(error) => error,
    }
}

/// Make the compiler believe that the memory is read and written, as `use` does in C. (`black_box` puts the
/// pointer into memory besides.)
#[inline(always)]
fn seen(memory: *const u8) {
    unsafe { asm!("/* {0} */", in(reg) memory, options(nostack, preserves_flags)) };
}
