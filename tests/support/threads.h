// Threads for tests. Every thread of a test is started here, so that an
// exception in one of them (an unfinished task, a failed expectation) fails
// the test instead of ending the process.
//
//   run_threads(4, [&](int i) { … });
//   run_threads(2, [&](int i, const std::atomic<bool>& stop) {
//     while (!stop && !done) { … }      // for a loop that waits for others
//   });
//
// Catch2's assertions are not thread-safe: inside the function throw (see
// `expect`), outside it CHECK what the threads left behind.
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <latch>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace lsm::test {

// Throws `what` unless `condition` holds: CHECK for use inside a thread.
inline void expect(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error(what);
}

// Calls function(0) … function(count - 1), each on its own thread, all started
// together; joins all, then rethrows the first exception any of them threw.
// A function that takes a second argument gets a flag that turns true when
// another thread has failed: a loop that waits for the others must watch it.
template <typename Function>
void run_threads(int count, Function&& function) {
  std::atomic<bool> stop = false;
  std::atomic<bool> failed = false;
  std::exception_ptr first;
  std::latch start(count);
  const auto body = [&](int i) {
    start.arrive_and_wait();
    try {
      if constexpr (std::is_invocable_v<Function&, int,
                                        const std::atomic<bool>&>) {
        function(i, stop);
      } else {
        function(i);
      }
    } catch (...) {
      if (!failed.exchange(true)) first = std::current_exception();
      stop = true;
    }
  };
  std::vector<std::thread> threads;
  threads.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; i++)
    threads.emplace_back(body, i);
  for (std::thread& thread : threads)
    thread.join();
  if (first) std::rethrow_exception(first);
}

}  // namespace lsm::test
