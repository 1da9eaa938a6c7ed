// The FileSystem of the machine: pread, write, fdatasync, mmap, flock. One
// for the whole process.
//
// Where allocate() is trusted (I5 of file_system.h), and where it says
// not_supported so that its caller appends instead:
//
//   ext4, xfs, tmpfs   fallocate reserves blocks and later stores land in
//                      them, so a full disk shows at the fallocate
//   btrfs, zfs, APFS   copy on write: a store into reserved space may still
//                      need a new block
//   overlay, nfs, fuse what lies below is not known; overlay is what containers
//                      show, so put a store on a volume if its speed matters
//   everything else    not in the list, so not trusted
//
// The list is of those who keep the promise, not of those who break it: the
// price of a wrong entry is a process killed by SIGBUS on a full disk.
// Cost: each call one system call; map() without MAP_POPULATE.
#pragma once

#include "base/file_system.h"

namespace lsm {

// Lives as long as the process; counts for every store that uses it. A store
// that wants counters of its own makes one.
FileSystem& posix_file_system();
std::unique_ptr<FileSystem> make_posix_file_system();

}  // namespace lsm
