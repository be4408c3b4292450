/* SPDX-License-Identifier: MIT */
/* The errors of each call, by its manual page, and whether its caller can do without it. */
#include "faults.h"

const struct call access_call = {"access", {{ENOENT, PASSES}, {EACCES, PASSES}, {ENOMEM, PASSES}}};
const struct call allocate_call = {"malloc", {{ENOMEM, FAILS}}};
/* Whatever close says, the descriptor is closed. */
const struct call close_call = {"close", {{EINTR, PASSES}, {EIO, PASSES}, {ENOSPC, PASSES}}};
const struct call fallocate_call = {"fallocate",
                                    {{EINTR, PASSES},
                                     {EOPNOTSUPP, EITHER},
                                     {ENOSYS, EITHER},
                                     {ENOSPC, FAILS},
                                     {EDQUOT, FAILS},
                                     {ENOMEM, FAILS},
                                     {EFBIG, FAILS},
                                     {EIO, FAILS},
                                     {EPERM, FAILS}}};
const struct call fchmod_call = {"fchmod", {{EPERM, FAILS}, {EROFS, FAILS}, {EIO, FAILS}}};
const struct call fchown_call = {"fchown", {{EPERM, FAILS}, {EINVAL, FAILS}, {EROFS, FAILS}, {EIO, FAILS}}};
const struct call fgetxattr_call = {"fgetxattr",
                                    {{ENODATA, PASSES}, {EOPNOTSUPP, PASSES}, {EIO, FAILS}, {ENOMEM, FAILS}}};
const struct call fsetxattr_call = {"fsetxattr", {{EPERM, FAILS}, {ENOSPC, FAILS}, {EIO, FAILS}}};
const struct call fremovexattr_call = {
    "fremovexattr", {{ENODATA, PASSES}, {EOPNOTSUPP, PASSES}, {EPERM, FAILS}, {EIO, FAILS}}};
const struct call dup_call = {"fcntl, to duplicate", {{EMFILE, EITHER}, {EBADF, EITHER}}};
const struct call getfl_call = {"fcntl, for the mode", {{EBADF, EITHER}}};
const struct call add_seals_call = {"fcntl, to seal", {{EBUSY, FAILS}, {EPERM, FAILS}, {EINVAL, FAILS}}};
const struct call get_seals_call = {"fcntl, for the seals", {{EINVAL, EITHER}}};
const struct call fstat_call = {"fstat", {{ENOMEM, EITHER}, {EIO, EITHER}}};
const struct call fstatat_call = {"fstatat", {{ENOENT, EITHER}, {EACCES, EITHER}, {ENOMEM, EITHER}}};
const struct call fstatfs_call = {"fstatfs", {{ENOSYS, FAILS}, {EIO, FAILS}, {ENOMEM, FAILS}}};
const struct call ftruncate_call = {
    "ftruncate", {{EFBIG, FAILS}, {EIO, FAILS}, {EPERM, FAILS}, {EINTR, FAILS}, {ENOSPC, FAILS}}};
const struct call getcwd_call = {"getcwd", {{ENOENT, FAILS}, {EACCES, FAILS}, {ERANGE, FAILS}}};
const struct call getrandom_call = {"getrandom", {{ENOSYS, FAILS}, {EPERM, FAILS}}};
const struct call getrlimit_call = {"getrlimit", {{EPERM, PASSES}}};
const struct call kill_call = {"kill", {{EPERM, EITHER}, {EINVAL, EITHER}}};
const struct call linkat_call = {"linkat",
                                 {{EEXIST, EITHER},
                                  {EACCES, FAILS},
                                  {EDQUOT, FAILS},
                                  {EIO, FAILS},
                                  {ENOENT, FAILS},
                                  {ENOMEM, FAILS},
                                  {ENOSPC, FAILS},
                                  {EPERM, FAILS},
                                  {EROFS, FAILS},
                                  {EXDEV, FAILS}}};
/* ENXIO: the file ends before; else the kernel is asked in another way. */
const struct call lseek_call = {"lseek HOLE", {{ENXIO, FAILS}, {EINVAL, PASSES}, {EIO, PASSES}}};
const struct call dontdump_call = {"madvise DONTDUMP", {{EINVAL, PASSES}, {ENOMEM, PASSES}}};
const struct call populate_read_call = {
    "madvise POPULATE_READ", {{EINVAL, PASSES}, {EINTR, EITHER}, {EFAULT, FAILS}, {ENOMEM, FAILS}}};
const struct call populate_write_call = {
    "madvise POPULATE_WRITE",
    {{EINVAL, EITHER}, {EINTR, PASSES}, {EAGAIN, PASSES}, {EFAULT, FAILS}, {ENOMEM, FAILS}}};
const struct call wipe_on_fork_call = {"madvise WIPEONFORK", {{EINVAL, PASSES}}};
const struct call memfd_call = {"memfd_create",
                                {{EINVAL, EITHER},
                                 {ENOSYS, PASSES},
                                 {EPERM, PASSES},
                                 {EACCES, PASSES},
                                 {EMFILE, FAILS},
                                 {ENFILE, FAILS},
                                 {ENOMEM, FAILS}}};
const struct call mmap_call = {
    "mmap", {{ENOMEM, FAILS}, {EAGAIN, EITHER}, {ENODEV, FAILS}, {EPERM, FAILS}, {ENFILE, FAILS}}};
const struct call private_mmap_call = {"private mmap", {{ENOMEM, PASSES}}};
const struct call mprotect_call = {"mprotect", {{ENOMEM, FAILS}, {EACCES, FAILS}}};
/* Whole mappings are always unmapped. */
const struct call munmap_call = {"munmap", {{ENOMEM, PASSES}}};
const struct call open_directory_call = {"open, of the directory",
                                         {{ENOENT, EITHER},
                                          {ENOTDIR, FAILS},
                                          {EACCES, EITHER},
                                          {ELOOP, FAILS},
                                          {EMFILE, FAILS},
                                          {ENFILE, FAILS},
                                          {ENOMEM, FAILS},
                                          {EINTR, FAILS}}};
const struct call open_proc_call = {
    "open, below /proc",
    {{ENOENT, EITHER}, {EACCES, EITHER}, {EMFILE, EITHER}, {ENFILE, EITHER}, {ENOMEM, EITHER}}};
const struct call open_nameless_call = {"openat, of a file without a name",
                                        {{EOPNOTSUPP, PASSES},
                                         {EISDIR, PASSES},
                                         {EINVAL, PASSES},
                                         {EACCES, FAILS},
                                         {EROFS, FAILS},
                                         {ENOSPC, FAILS},
                                         {EDQUOT, FAILS},
                                         {EMFILE, FAILS},
                                         {ENFILE, FAILS},
                                         {ENOMEM, FAILS}}};
const struct call open_new_call = {"openat, of a new file",
                                   {{EEXIST, PASSES},
                                    {EACCES, FAILS},
                                    {EROFS, FAILS},
                                    {ENOSPC, FAILS},
                                    {EDQUOT, FAILS},
                                    {EMFILE, FAILS},
                                    {ENFILE, FAILS},
                                    {ENOMEM, FAILS},
                                    {EINTR, FAILS}}};
/* replace makes a name that is not there, and reads what it may not write; unlink removes it. */
const struct call open_old_call = {"openat, of the name",
                                   {{ENOENT, EITHER},
                                    {EACCES, EITHER},
                                    {EROFS, EITHER},
                                    {ELOOP, EITHER},
                                    {ENXIO, EITHER},
                                    {EMFILE, FAILS},
                                    {ENFILE, FAILS},
                                    {ENOMEM, FAILS},
                                    {EINTR, FAILS},
                                    {EIO, FAILS}}};
const struct call poll_call = {"poll", {{EINTR, EITHER}, {ENOMEM, EITHER}, {NOTHING, EITHER}}};
const struct call pread_call = {
    "pread", {{EINTR, PASSES}, {EIO, FAILS}, {ENOMEM, FAILS}, {SHORT, EITHER}, {NOTHING, FAILS}}};
const struct call atfork_call = {"pthread_atfork", {{ENOMEM, PASSES}}};
const struct call pwrite_call = {"pwrite",
                                 {{EINTR, PASSES},
                                  {SHORT, PASSES},
                                  {NOTHING, FAILS},
                                  {ENOSPC, FAILS},
                                  {EDQUOT, FAILS},
                                  {EFBIG, FAILS},
                                  {EIO, FAILS},
                                  {EPERM, FAILS}}};
const struct call read_call = {"read",
                               {{EINTR, PASSES},
                                {SHORT, PASSES},
                                {NOTHING, EITHER},
                                {EIO, EITHER},
                                {ESRCH, EITHER},
                                {ENOMEM, EITHER},
                                {EACCES, EITHER}}};
const struct call readlinkat_call = {
    "readlinkat", {{EACCES, EITHER}, {EINVAL, EITHER}, {EIO, EITHER}, {ENOENT, EITHER}, {ENOMEM, EITHER}}};
const struct call renameat_call = {"renameat",
                                   {{EACCES, FAILS},
                                    {EBUSY, FAILS},
                                    {EDQUOT, FAILS},
                                    {EIO, FAILS},
                                    {ENOMEM, FAILS},
                                    {ENOSPC, FAILS},
                                    {EPERM, FAILS},
                                    {EROFS, FAILS}}};
const struct call membarrier_call = {"membarrier", {{ENOSYS, PASSES}, {EPERM, PASSES}, {EINVAL, PASSES}}};
const struct call exchange_call = {"renameat2 EXCHANGE",
                                   {{EINVAL, PASSES},
                                    {ENOSYS, PASSES},
                                    {EPERM, PASSES},
                                    {ENOENT, EITHER},
                                    {EACCES, FAILS},
                                    {EBUSY, FAILS},
                                    {EIO, FAILS},
                                    {ENOMEM, FAILS},
                                    {ENOSPC, FAILS},
                                    {EROFS, FAILS}}};
const struct call stat_call = {"stat", {{ENOENT, EITHER}, {EACCES, EITHER}, {ENOMEM, EITHER}}};
const struct call futex_wait_call = {
    "futex wait",
    {{EAGAIN, EITHER}, {EINTR, EITHER}, {ETIMEDOUT, EITHER}, {ENOSYS, EITHER}, {ENOMEM, EITHER}}};
const struct call futex_wake_call = {"futex wake", {{ENOSYS, PASSES}, {EFAULT, PASSES}, {ENOMEM, PASSES}}};
const struct call pidfd_call = {
    "pidfd_open", {{ENOSYS, EITHER}, {EMFILE, EITHER}, {ENFILE, EITHER}, {ENODEV, EITHER}, {EPERM, EITHER}}};
const struct call unlinkat_call = {
    "unlinkat",
    {{EACCES, EITHER}, {EBUSY, EITHER}, {EIO, EITHER}, {ENOMEM, EITHER}, {EPERM, EITHER}, {EROFS, EITHER}}};
