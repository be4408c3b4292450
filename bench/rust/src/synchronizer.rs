// SPDX-License-Identifier: MIT
//! mmap-sync: one writer, two copies of the value in mapped files, readers counted in a third.
//!
//! As its documentation says is best: files on tmpfs (the caller's part); values stored with rkyv, bytes as
//! a whole; `read` without checking the bytes, which its examples do and its benchmark shows to be the
//! fastest: right for who trusts the writer. Two parameters are ours. A writer that finds the copy it must
//! fill in use sleeps before it looks again: by default a second, made for values that change every few
//! seconds; here a microsecond. And after a second, as in its examples, it takes the readers for dead and
//! overwrites.

use std::ffi::{c_char, c_int, c_void};
use std::slice;
use std::time::Duration;

use bytecheck::CheckBytes;
use mmap_sync::guard::ReadResult;
use mmap_sync::locks::LockDisabled;
use mmap_sync::synchronizer::{Synchronizer, SynchronizerError};
use rkyv::with::CopyOptimize;
use rkyv::{Archive, Serialize};
use wyhash::WyHash;

use crate::{Result, hand_over, seen, text_from};

const SCRATCH: usize = 1024; // its default
const NAP_NS: u64 = 1_000;
const GRACE: Duration = Duration::from_secs(1);

type Shared = Synchronizer<WyHash, LockDisabled, SCRATCH, NAP_NS>;

#[derive(Archive, Serialize)]
#[archive_attr(derive(CheckBytes))]
struct Value {
    #[with(CopyOptimize)]
    bytes: Vec<u8>,
}

pub struct Handle {
    lent: Option<ReadResult<'static, Value>>, // points into `shared`, and goes before it
    shared: *mut Shared,
    value: Value, // of the last write; kept for its memory
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.lent = None;
        drop(unsafe { Box::from_raw(self.shared) });
    }
}

impl Handle {
    fn new(prefix: &str) -> Handle {
        let shared = Box::new(Shared::with_params(prefix.as_ref()));

        Handle {
            lent: None,
            shared: Box::into_raw(shared),
            value: Value { bytes: Vec::new() },
        }
    }

    /// The newest value, held until `give_back`; not to be called again before. The only caller of the
    /// library's `read`, which becomes a part of it, and puts the guard where it stays: to move it there cost
    /// as much again as all the rest.
    #[inline(never)]
    fn borrow(&mut self) -> Result<&[u8]> {
        match unsafe { (*self.shared).read::<Value>(false) } {
            Ok(held) => Ok(&self.lent.insert(held).bytes),
            Err(error) => Err(errno(error)),
        }
    }

    #[inline]
    fn give_back(&mut self) {
        self.lent = None;
    }

    fn write(&mut self, value: &[u8]) -> Result<()> {
        self.value.bytes.clear();
        self.value.bytes.extend_from_slice(value);
        unsafe { (*self.shared).write(&self.value, GRACE) }.map_err(errno)?;
        Ok(())
    }
}

#[cold]
fn errno(error: SynchronizerError) -> c_int {
    use SynchronizerError::*;

    match error {
        UninitializedState => -libc::ENODATA,
        FailedStateRead(error) if error.raw_os_error() == Some(libc::ENOENT) => -libc::ENODATA,
        FailedStateRead(error) | FailedDataRead(error) | FailedDataWrite(error) => {
            -error.raw_os_error().unwrap_or(libc::EIO)
        }
        _ => -libc::EIO,
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn neighbours_mmap_sync_open(
    prefix: *const c_char,
    handle: *mut *mut Handle,
) -> c_int {
    unsafe { hand_over(text_from(prefix).map(Handle::new), handle) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn neighbours_mmap_sync_read(
    handle: *mut Handle,
    buffer: *mut c_void,
    size: usize,
) -> isize {
    let handle = unsafe { &mut *handle };
    let length = match handle.borrow() {
        Ok(value) if value.len() > size => -libc::ENOBUFS as isize,
        Ok(value) => {
            unsafe { buffer.copy_from_nonoverlapping(value.as_ptr().cast(), value.len()) };
            value.len() as isize
        }
        Err(error) => error as isize,
    };

    handle.give_back();
    length
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn neighbours_mmap_sync_borrow(
    handle: *mut Handle,
    value: *mut *const c_void,
) -> isize {
    match unsafe { (*handle).borrow() } {
        Ok(lent) => {
            unsafe { value.write(lent.as_ptr().cast()) };
            lent.len() as isize
        }
        Err(error) => error as isize,
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn neighbours_mmap_sync_give_back(handle: *mut Handle) {
    unsafe { (*handle).give_back() };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn neighbours_mmap_sync_write(
    handle: *mut Handle,
    value: *const c_void,
    length: usize,
) -> c_int {
    let value = unsafe { slice::from_raw_parts(value.cast(), length) };

    match unsafe { (*handle).write(value) } {
        Ok(()) => 0,
        Err(error) => error,
    }
}

/// So many reads, each a copy of what the guard lends, in a loop that the library becomes a part of.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn neighbours_mmap_sync_read_times(
    handle: *mut Handle,
    buffer: *mut c_void,
    size: usize,
    times: usize,
) -> c_int {
    let shared = unsafe { &mut *(*handle).shared };

    for _ in 0..times {
        match unsafe { shared.read::<Value>(false) } {
            Ok(held) if held.bytes.len() == size => unsafe {
                buffer.copy_from_nonoverlapping(held.bytes.as_ptr().cast(), size);
            },
            Ok(_) => return -libc::EBADMSG,
            Err(error) => return errno(error),
        }
        seen(buffer.cast());
    }
    0
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn neighbours_mmap_sync_write_times(
    handle: *mut Handle,
    value: *const c_void,
    length: usize,
    times: usize,
) -> c_int {
    let handle = unsafe { &mut *handle };
    let value = unsafe { slice::from_raw_parts(value.cast(), length) };

    for _ in 0..times {
        if let Err(error) = handle.write(value) {
            return error;
        }
    }
    0
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn neighbours_mmap_sync_close(handle: *mut Handle) {
    drop(unsafe { Box::from_raw(handle) });
}
