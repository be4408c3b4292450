// SPDX-License-Identifier: MIT
//! The event service of iceoryx2: a notifier wakes every listener.

use std::ffi::{c_char, c_int};
use std::time::Duration;

use iceoryx2::port::listener::Listener;
use iceoryx2::port::notifier::Notifier;
use iceoryx2::prelude::*;
use iceoryx2::service::port_factory::event::PortFactory;

use crate::blackboard::{configuration, node};
use crate::{Result, hand_over, text_from};

pub struct Event {
    notifier: Option<Notifier<ipc::Service>>, // each goes before what it hangs on
    listener: Option<Listener<ipc::Service>>,
    _event: PortFactory<ipc::Service>,
    _node: Node<ipc::Service>,
}

impl Event {
    /// One side of it: the notifier's, or the listener's.
    fn new(directory: &str, notifies: bool) -> Result<Event> {
        let node = node(&configuration(directory)?)?;
        let name = ServiceName::new("news").expect("the name is short");
        let event = node
            .service_builder(&name)
            .event()
            .open_or_create()
            .map_err(|_| -libc::EIO)?;
        let (mut notifier, mut listener) = (None, None);

        if notifies {
            notifier = Some(event.notifier_builder().create().map_err(|_| -libc::EIO)?);
        } else {
            listener = Some(event.listener_builder().create().map_err(|_| -libc::EIO)?);
        }
        Ok(Event {
            notifier,
            listener,
            _event: event,
            _node: node,
        })
    }

    fn notify(&self) -> Result<()> {
        let notifier = self.notifier.as_ref().ok_or(-libc::EACCES)?;

        notifier.notify().map_err(|_| -libc::EIO)?;
        Ok(())
    }

    /// Asleep until somebody notifies.
    fn wait(&self, limit: Duration) -> Result<()> {
        let listener = self.listener.as_ref().ok_or(-libc::EACCES)?;

        match listener.timed_wait(|_| (), limit) {
            Ok(0) => Err(-libc::ETIMEDOUT),
            Ok(_) => Ok(()),
            Err(_) => Err(-libc::EIO),
        }
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn neighbours_event_attach(
    directory: *const c_char,
    notifies: bool,
    event: *mut *mut Event,
) -> c_int {
    let directory = unsafe { text_from(directory) };

    unsafe { hand_over(directory.and_then(|path| Event::new(path, notifies)), event) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn neighbours_event_notify(event: *const Event) -> c_int {
    unsafe { &*event }.notify().err().unwrap_or(0)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn neighbours_event_wait(event: *const Event, ns: i64) -> c_int {
    let limit = Duration::from_nanos(ns.max(0) as u64);

    unsafe { &*event }.wait(limit).err().unwrap_or(0)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn neighbours_event_detach(event: *mut Event) {
    drop(unsafe { Box::from_raw(event) });
}
