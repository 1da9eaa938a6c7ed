// Brings many writers to one commit: whoever stands in front leads, takes those
// behind along, and answers them. One log append and one sync serve them all.
//
//   thread   1          2          3          4
//            submit A   .          .          .
//            lead {A}   submit B   submit C   .
//            │ commit   wait       wait       submit D
//            │ fsync    │          │          wait
//            answer A ─►lead{B C D}│          │
//            submit E   │ commit   │          │     one fsync
//            wait       │ fsync    │          │     for three
//            │          answer ───►done       done
//            lead {E}
//
//   queue    [A]  [A B C D]  [B C D]  [B C D E]  [E]  []
//
// I1 The front of the queue leads, and nobody else: commit runs one call at a
//    time. A group is a prefix of the queue, and stays in it until answered.
// I2 Nobody is overtaken: groups are committed in the order of arrival, and a
//    group's requests are in it in that order.
// I3 The mutex is never held while commit runs: writers line up meanwhile.
// I4 Every request is answered once, with what commit wrote into it. If commit
//    throws, with that: NotImplemented is Code::unimplemented.
// I5 A writer that was answered touches the queue no more, and the queue it:
//    `request` and its thread's stack are gone the moment it looks up.
// I6 All sleeping is in Executor::wait, and the answer is set under the mutex
//    that guards falling asleep: no wake-up is lost.
// Cost: alone, two lock-unlock pairs around commit, and three readings of the
// clock for a sync. In company, besides: at most limits.spins looks, then one
// sleep and one wake-up for a follower.
// Memory: nothing of its own; a writer stands in the queue on its own stack.
// Lock order: the queue's mutex is held over no call but Executor::wait.
// Thread safety: submit from any thread.
// Lifetime: executor and clock outlive the queue, the queue every submit.
// Used by: the engine, in front of WritePath::commit.
// Source: LevelDB's DBImpl::Write; looking before sleeping, and to stop what
// has not paid lately, is RocksDB's WriteThread::AwaitState; waiting for those
// who have just left is the idea of PostgreSQL's commit_delay.
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/executor.h"
#include "base/write_request.h"
#include "group_rule.h"

namespace lsm {

// ANCHOR: show-make
// `commit` sets the result of every request that it is given.
std::unique_ptr<WriteQueue> make_group_queue(WriteQueue::Commit commit,
                                             Executor& executor, Clock& clock,
                                             GroupLimits limits = {});
// ANCHOR_END: show-make

}  // namespace lsm
