// SPDX-License-Identifier: MIT
//! The blackboard of iceoryx2, in its variant for processes: one entry, one writer, two copies of the value.
//!
//! An entry has a type of fixed size: here so many bytes, as chosen when it is made; every value is just as
//! long. For a size that is chosen at run time, and because they copy an entry straight to where the caller
//! wants it (where `EntryHandle::get` hands it over by value, which costs another copy), the functions used
//! are those that iceoryx2's own C binding is made of.

use std::ffi::{c_char, c_int, c_void};
use std::{fs, ptr};

use iceoryx2::node::NodeCreationFailure;
use iceoryx2::port::reader::{__InternalEntryHandle, Reader};
use iceoryx2::port::writer::{__InternalEntryHandleMut, EntryHandleMutError, Writer};
use iceoryx2::prelude::*;
use iceoryx2::service::builder::blackboard::{BlackboardCreateError, BlackboardOpenError};
use iceoryx2::service::marker::CustomKeyMarker;
use iceoryx2::service::port_factory::blackboard::PortFactory;
use iceoryx2::service::static_config::message_type_details::{TypeDetail, TypeVariant};
use iceoryx2::testing::remove_global_mgmt_segment;

use crate::{Result, hand_over, seen, text_from};

type Board = PortFactory<ipc::Service, CustomKeyMarker>;

static KEY: u64 = 0;
const ALIGNMENT: usize = align_of::<u64>();

fn key() -> *const u8 {
    (&raw const KEY).cast()
}

fn key_type() -> TypeDetail {
    TypeDetail::new::<u64>(TypeVariant::FixedSize)
}

fn same_key(one: *const u8, other: *const u8) -> bool {
    unsafe { *one.cast::<u64>() == *other.cast::<u64>() }
}

fn value_type(size: usize) -> TypeDetail {
    TypeDetail::__internal_new_from_parts(TypeVariant::FixedSize, "bytes", size, ALIGNMENT)
        .expect("the name is short")
}

pub struct Store {
    board: Board, // goes before its node
    node: Node<ipc::Service>,
    config: Config,
}

pub struct Handle {
    entry: __InternalEntryHandle<ipc::Service>, // each goes before what it hangs on
    entry_mut: Option<__InternalEntryHandleMut<ipc::Service>>,
    _reader: Reader<ipc::Service, CustomKeyMarker>,
    _writer: Option<Writer<ipc::Service, CustomKeyMarker>>,
    _board: Board,
    _node: Node<ipc::Service>,
    size: usize,
}

pub(crate) fn node(config: &Config) -> Result<Node<ipc::Service>> {
    NodeBuilder::new()
        .config(config)
        .signal_handling_mode(SignalHandlingMode::Disabled)
        .create()
        .map_err(|error| match error {
            NodeCreationFailure::InsufficientPermissions => -libc::EACCES,
            _ => -libc::EIO,
        })
}

fn name() -> ServiceName {
    ServiceName::new("value").expect("the name is short")
}

/// Everything in `directory`, and in shared memory under names that begin with its parent's: a domain to itself,
/// apart from whatever else uses iceoryx2; short, for its events are sockets, whose paths may have 108 bytes. Nothing from a configuration file. What goes wrong is answered,
/// not logged.
pub(crate) fn configuration(directory: &str) -> Result<Config> {
    let path = Path::new(directory.as_bytes()).map_err(|_| -libc::ENAMETOOLONG)?;
    let parent = directory.rsplit('/').nth(1).ok_or(-libc::EINVAL)?;
    let prefix = format!("{parent}_");
    let mut config = Config::default();

    set_log_level(LogLevel::Fatal);
    config.global.set_root_path(&path);
    config.global.prefix = FileName::new(prefix.as_bytes()).map_err(|_| -libc::ENAMETOOLONG)?;
    Ok(config)
}

impl Store {
    fn new(directory: &str, size: usize, processes: usize) -> Result<Store> {
        let config = configuration(directory)?;
        let node = node(&config)?;
        let board = create(&node, size, processes + 1)?;

        Ok(Store {
            board,
            node,
            config,
        })
    }

    /// What the dead left goes too, and what iceoryx2 keeps for the next to come.
    fn destroy(self) {
        self.node.try_cleanup_dead_nodes();
        drop(self.board);
        drop(self.node);
        let _ = unsafe { remove_global_mgmt_segment::<ipc::Service>(&self.config) };
        let _ = fs::remove_dir_all(self.config.global.root_path().to_string());
    }
}

fn create(node: &Node<ipc::Service>, size: usize, processes: usize) -> Result<Board> {
    let mut empty = vec![0u64; size.div_ceil(size_of::<u64>())];
    let creator = node
        .service_builder(&name())
        .blackboard_creator::<CustomKeyMarker>()
        .max_readers(processes)
        .max_nodes(processes);

    unsafe {
        creator
            .__internal_set_key_type_details(&key_type())
            .__internal_set_key_eq_cmp_func(Box::new(same_key))
            .__internal_add(
                key(),
                empty.as_mut_ptr().cast(),
                value_type(size),
                Box::new(|| {}),
            )
    }
    .create()
    .map_err(|error| match error {
        BlackboardCreateError::AlreadyExists => -libc::EEXIST,
        BlackboardCreateError::InsufficientPermissions => -libc::EACCES,
        _ => -libc::EIO,
    })
}

fn open(node: &Node<ipc::Service>) -> Result<Board> {
    let opener = node
        .service_builder(&name())
        .blackboard_opener::<CustomKeyMarker>();

    unsafe {
        opener
            .__internal_set_key_type_details(&key_type())
            .__internal_set_key_eq_cmp_func(Box::new(same_key))
    }
    .open()
    .map_err(|error| match error {
        BlackboardOpenError::DoesNotExist => -libc::ENOENT,
        BlackboardOpenError::ExceedsMaxNumberOfNodes => -libc::EUSERS,
        BlackboardOpenError::InsufficientPermissions => -libc::EACCES,
        _ => -libc::EIO,
    })
}

impl Handle {
    /// With a node of its own: the node is what tells whether the process lives.
    fn new(directory: &str, size: usize, writing: bool) -> Result<Handle> {
        let node = node(&configuration(directory)?)?;
        let board = open(&node)?;
        let reader = board.reader_builder().create().map_err(|_| -libc::EUSERS)?;
        let entry = unsafe { reader.__internal_entry(key(), &value_type(size)) }
            .map_err(|_| -libc::ENOENT)?;
        let mut writer = None;
        let mut entry_mut = None;

        if writing {
            let made = board.writer_builder().create().map_err(|_| -libc::EBUSY)?;

            entry_mut = Some(take(&made, size)?);
            writer = Some(made);
        }
        Ok(Handle {
            entry,
            entry_mut,
            _reader: reader,
            _writer: writer,
            _board: board,
            _node: node,
            size,
        })
    }

    /// # Safety
    /// `place` has room for a value.
    #[inline]
    unsafe fn get(&self, place: *mut u8) {
        unsafe { self.entry.get(place, self.size, ALIGNMENT, ptr::null_mut()) };
    }

    /// # Safety
    /// `value` can be read, and is of the entry's size.
    #[inline]
    unsafe fn set(&self, value: *const u8) -> Result<()> {
        let entry = self.entry_mut.as_ref().ok_or(-libc::EACCES)?;

        unsafe {
            let cell = entry.__internal_get_ptr_to_write_cell(self.size, ALIGNMENT);

            cell.copy_from_nonoverlapping(value, self.size);
            entry.__internal_update_write_cell();
        }
        Ok(())
    }
}

impl Handle {
    /// So many reads. The size is a constant where `N` is not 0: so a program written in Rust has it, whose
    /// `EntryHandle::get` of a type of that size comes to these very instructions.
    ///
    /// # Safety
    /// `place` has room for a value, and `N` is its size or 0.
    unsafe fn get_times<const N: usize>(&self, place: *mut u8, times: usize) {
        let size = if N == 0 { self.size } else { N };

        for _ in 0..times {
            unsafe { self.entry.get(place, size, ALIGNMENT, ptr::null_mut()) };
            seen(place);
        }
    }

    /// So many writes, as `EntryHandleMut::update_with_copy` does them.
    ///
    /// # Safety
    /// `value` can be read, and is of the entry's size; `N` is that or 0.
    unsafe fn set_times<const N: usize>(&self, value: *const u8, times: usize) -> Result<()> {
        let entry = self.entry_mut.as_ref().ok_or(-libc::EACCES)?;
        let size = if N == 0 { self.size } else { N };

        for _ in 0..times {
            unsafe {
                let cell = entry.__internal_get_ptr_to_write_cell(size, ALIGNMENT);

                seen(value);
                cell.copy_from_nonoverlapping(value, size);
                entry.__internal_update_write_cell();
            }
        }
        Ok(())
    }
}

/// The writer's side of the entry. One that was killed keeps it for good: iceoryx2 frees what else a dead
/// process held, and not this.
fn take(
    writer: &Writer<ipc::Service, CustomKeyMarker>,
    size: usize,
) -> Result<__InternalEntryHandleMut<ipc::Service>> {
    unsafe { writer.__internal_entry(key(), &value_type(size)) }.map_err(|error| match error {
        EntryHandleMutError::HandleAlreadyExists => -libc::EOWNERDEAD,
        EntryHandleMutError::EntryDoesNotExist => -libc::ENOENT,
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn neighbours_blackboard_create(
    directory: *const c_char,
    size: usize,
    processes: usize,
    store: *mut *mut Store,
) -> c_int {
    let directory = unsafe { text_from(directory) };
    let made = directory.and_then(|directory| Store::new(directory, size, processes));

    unsafe { hand_over(made, store) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn neighbours_blackboard_attach(
    directory: *const c_char,
    size: usize,
    writing: bool,
    handle: *mut *mut Handle,
) -> c_int {
    let directory = unsafe { text_from(directory) };
    let made = directory.and_then(|directory| Handle::new(directory, size, writing));

    unsafe { hand_over(made, handle) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn neighbours_blackboard_read(
    handle: *const Handle,
    buffer: *mut c_void,
    size: usize,
) -> isize {
    let handle = unsafe { &*handle };

    if size < handle.size {
        return -libc::ENOBUFS as isize;
    }
    unsafe { handle.get(buffer.cast()) };
    handle.size as isize
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn neighbours_blackboard_write(
    handle: *const Handle,
    value: *const c_void,
    length: usize,
) -> c_int {
    let handle = unsafe { &*handle };

    if length != handle.size {
        return -libc::EMSGSIZE;
    }
    match unsafe { handle.set(value.cast()) } {
        Ok(()) => 0,
        Err(error) => error,
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn neighbours_blackboard_read_times(
    handle: *const Handle,
    buffer: *mut c_void,
    size: usize,
    times: usize,
) -> c_int {
    let handle = unsafe { &*handle };
    let place = buffer.cast();

    if size < handle.size {
        return -libc::ENOBUFS;
    }
    match handle.size {
        8 => unsafe { handle.get_times::<8>(place, times) },
        64 => unsafe { handle.get_times::<64>(place, times) },
        _ => unsafe { handle.get_times::<0>(place, times) },
    }
    0
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn neighbours_blackboard_write_times(
    handle: *const Handle,
    value: *const c_void,
    length: usize,
    times: usize,
) -> c_int {
    let handle = unsafe { &*handle };
    let value = value.cast();

    if length != handle.size {
        return -libc::EMSGSIZE;
    }
    let done = match length {
        8 => unsafe { handle.set_times::<8>(value, times) },
        64 => unsafe { handle.set_times::<64>(value, times) },
        _ => unsafe { handle.set_times::<0>(value, times) },
    };

    done.err().unwrap_or(0)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn neighbours_blackboard_detach(handle: *mut Handle) {
    drop(unsafe { Box::from_raw(handle) });
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn neighbours_blackboard_destroy(store: *mut Store) {
    unsafe { Box::from_raw(store) }.destroy();
}
