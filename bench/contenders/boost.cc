/* SPDX-License-Identifier: MIT */
/*
 * Boost.Interprocess: an object with its lock, constructed in a managed_shared_memory segment. Of its two
 * locks for readers and writers the sharable one; the other, upgradable, is made for readers that become
 * writers. The segment loses its name at once, and processes inherit it over fork, so nothing stays behind
 * when the bench is killed.
 */
#include <cerrno>
#include <cstring>
#include <new>
#include <string>

#include <unistd.h>

#include <boost/interprocess/managed_shared_memory.hpp>
#include <boost/interprocess/sync/interprocess_sharable_mutex.hpp>
#include <boost/interprocess/sync/scoped_lock.hpp>
#include <boost/interprocess/sync/sharable_lock.hpp>

extern "C" {
#include "../contender.h"
extern const struct contender contender_boost;
}

namespace ipc = boost::interprocess;

namespace
{

struct Shared {
    ipc::interprocess_sharable_mutex mutex;
    std::size_t length = 0; /* 0: nothing written yet */
    std::size_t capacity = 0;
    ipc::offset_ptr<unsigned char> bytes;
};

struct Store {
    ipc::managed_shared_memory segment;
    Shared *shared;
};

/* Exceptions end here: the interface is C. */
template <class Action> auto guarded(Action action) -> decltype(action())
{
    try {
        return action();
    } catch (const ipc::interprocess_exception &failure) {
        return failure.get_native_error() > 0 ? -failure.get_native_error() : -EIO;
    } catch (const std::bad_alloc &) {
        return -ENOMEM;
    }
}

int create(const contender_setup *setup, void **store)
{
    const std::size_t administration = 64 * 1024;

    return guarded([&] {
        const std::string name = "seqshare-bench." + std::to_string(getpid());
        ipc::shared_memory_object::remove(name.c_str());
        ipc::managed_shared_memory segment(ipc::create_only, name.c_str(), setup->capacity + administration);
        ipc::shared_memory_object::remove(name.c_str());

        Shared *shared = segment.construct<Shared>("configuration")();
        shared->bytes = static_cast<unsigned char *>(segment.allocate_aligned(setup->capacity, 128));
        shared->capacity = setup->capacity;
        *store = new Store{std::move(segment), shared};
        return 0;
    });
}

int attach(void *store, contender_access, void **handle)
{
    *handle = static_cast<Store *>(store)->shared;
    return 0;
}

void detach(void *)
{
}

ssize_t read_value(void *handle, void *buffer, std::size_t size)
{
    auto *shared = static_cast<Shared *>(handle);

    return guarded([&]() -> ssize_t {
        const ipc::sharable_lock<ipc::interprocess_sharable_mutex> lock(shared->mutex);
        if (shared->length == 0)
            return -ENODATA;
        if (shared->length > size)
            return -ENOBUFS;
        std::memcpy(buffer, shared->bytes.get(), shared->length);
        return static_cast<ssize_t>(shared->length);
    });
}

int write_value(void *handle, const void *value, std::size_t length)
{
    auto *shared = static_cast<Shared *>(handle);

    if (length > shared->capacity)
        return -EMSGSIZE;
    return guarded([&] {
        const ipc::scoped_lock<ipc::interprocess_sharable_mutex> lock(shared->mutex);
        shared->length = length;
        std::memcpy(shared->bytes.get(), value, length);
        return 0;
    });
}

void destroy(void *store)
{
    delete static_cast<Store *>(store); /* not what is in it: whoever was killed may hold the lock for ever */
}

} // namespace

const struct contender contender_boost = {
    .name = "boost",
    .summary = "Boost.Interprocess, a copy under a sharable lock",
    .cannot_help = CONTENDER_CAN_WAIT | CONTENDER_CAN_SPOIL | CONTENDER_CAN_HANG | CONTENDER_READ_STORES,
    .create = create,
    .attach = attach,
    .read = read_value,
    .write = write_value,
    .detach = detach,
    .destroy = destroy,
};
