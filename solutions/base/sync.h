// Mutex, lock and condition variable with names that Clang's thread-safety
// analysis can check: a member marked LSM_GUARDED_BY(mutex_) that is touched
// without the lock does not compile under clang -Wthread-safety.
//
// I1 Nothing in the engine waits except through Executor::wait.
// I2 Lock order is stated where a mutex is declared.
// With -DLSM_SINGLE_THREADED (the WebAssembly build) they cost nothing and do
// nothing: one thread never waits for itself.
#pragma once

#ifndef LSM_SINGLE_THREADED
#include <condition_variable>
#include <mutex>
#include <thread>
#endif

#if defined(__clang__)
#define LSM_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define LSM_THREAD_ANNOTATION(x)
#endif
#define LSM_CAPABILITY(x) LSM_THREAD_ANNOTATION(capability(x))
#define LSM_SCOPED_CAPABILITY LSM_THREAD_ANNOTATION(scoped_lockable)
#define LSM_GUARDED_BY(x) LSM_THREAD_ANNOTATION(guarded_by(x))
#define LSM_REQUIRES(...) \
  LSM_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define LSM_EXCLUDES(...) LSM_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define LSM_ACQUIRE(...) LSM_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define LSM_RELEASE(...) LSM_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define LSM_TRY_ACQUIRE(...) \
  LSM_THREAD_ANNOTATION(try_acquire_capability(__VA_ARGS__))
#define LSM_NO_THREAD_SAFETY_ANALYSIS \
  LSM_THREAD_ANNOTATION(no_thread_safety_analysis)

namespace lsm {

class CondVar;

class LSM_CAPABILITY("mutex") Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

#ifdef LSM_SINGLE_THREADED
  void lock() LSM_ACQUIRE() {}
  bool try_lock() LSM_TRY_ACQUIRE(true) { return true; }
  void unlock() LSM_RELEASE() {}
#else
  void lock() LSM_ACQUIRE() { mutex_.lock(); }
  bool try_lock() LSM_TRY_ACQUIRE(true) { return mutex_.try_lock(); }
  void unlock() LSM_RELEASE() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
#endif
};

// Holds the mutex from here to the end of the scope.
class LSM_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) LSM_ACQUIRE(mutex) : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() LSM_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Engine code never calls wait itself: Executor::wait does (executor.h).
class CondVar {
 public:
  CondVar() = default;
  CondVar(const CondVar&) = delete;
  CondVar& operator=(const CondVar&) = delete;

#ifdef LSM_SINGLE_THREADED
  void notify_all() {}
#else
  void notify_all() { changed_.notify_all(); }
  // Gives the mutex up while asleep and holds it again on return; may return
  // without a notification.
  void wait(Mutex& mutex) LSM_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    changed_.wait(lock);
    lock.release();
  }

 private:
  std::condition_variable changed_;
#endif
};

// For a wait too short to sleep through: a breath between two looks at an
// atomic. The core's other half, or its power budget, has the use of it.
inline void spin_pause() {
#ifndef LSM_SINGLE_THREADED
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
#endif
}

// Lets another thread that is ready have this core.
inline void yield_thread() {
#ifndef LSM_SINGLE_THREADED
  std::this_thread::yield();
#endif
}

}  // namespace lsm
