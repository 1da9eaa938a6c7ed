#include "workload.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <ctime>
#include <exception>
#include <filesystem>
#include <latch>
#include <thread>
#include <utility>

namespace lsm::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Word {
  std::string_view text;
  Kind kind;
  bool threaded;  // takes ":N"
};

constexpr std::array kWords = {
    Word{"fillseq", Kind::fillseq, true},
    Word{"fillrandom", Kind::fillrandom, true},
    Word{"fillsync", Kind::fillsync, true},
    Word{"overwrite", Kind::overwrite, true},
    Word{"readrandom", Kind::readrandom, true},
    Word{"readmissing", Kind::readmissing, true},
    Word{"readseq", Kind::readseq, false},
    Word{"readreverse", Kind::readreverse, false},
    Word{"seekrandom", Kind::seekrandom, true},
    Word{"readwhilewriting", Kind::readwhilewriting, false},
    Word{"settle", Kind::settle, false},
    Word{"waitcompact", Kind::settle, false},
    Word{"compact", Kind::compact, false},
    Word{"amplification", Kind::amplification, false},
};

bool is_fill(Kind kind) {
  return kind == Kind::fillseq || kind == Kind::fillrandom ||
         kind == Kind::fillsync;
}
bool is_write(Kind kind) {
  return is_fill(kind) || kind == Kind::overwrite;
}
bool is_read(Kind kind) {
  return kind == Kind::readrandom || kind == Kind::readmissing ||
         kind == Kind::readseq || kind == Kind::readreverse ||
         kind == Kind::seekrandom;
}

Step parse_step(std::string_view text, unsigned default_threads) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const auto* word = std::ranges::find(kWords, name, &Word::text);
  if (word == kWords.end()) {
    std::string known;
    for (const Word& each : kWords) {
      known += fmt::format(" {}", each.text);
    }
    fail(fmt::format("unknown workload '{}'; known:{}", name, known));
  }
  Step step{word->kind, word->threaded ? default_threads : 1, {}};
  if (colon != std::string_view::npos) {
    const std::string_view digits = text.substr(colon + 1);
    const char* end = digits.data() + digits.size();
    const auto parsed = std::from_chars(digits.data(), end, step.threads);
    if (!word->threaded || parsed.ec != std::errc() || parsed.ptr != end ||
        step.threads < 1 || step.threads > 64) {
      fail(fmt::format("'{}': {} takes {}", text, name,
                       word->threaded ? "1 to 64 threads" : "no threads"));
    }
  }
  step.row = name == "waitcompact" ? "settle" : name;
  if (step.threads > 1) step.row += fmt::format(" x{}", step.threads);
  return step;
}

struct Times {
  double seconds = 0;
  double cpu_seconds = 0;
};

double cpu_now(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) +
         static_cast<double>(now.tv_nsec) * 1e-9;
}

// When one thread began and ended.
struct Lap {
  Clock::time_point begin;
  Clock::time_point end;
  double cpu_seconds = 0;  // this thread's own

  Times times() const {
    return {std::chrono::duration<double>(end - begin).count(), cpu_seconds};
  }
};

// Runs work(thread) on `threads` threads that start together.
template <class Work>
std::vector<Lap> run_laps(unsigned threads, const Work& work) {
  std::vector<Lap> laps(threads);
  std::vector<std::exception_ptr> errors(threads);
  std::latch start(threads);
  auto body = [&](unsigned thread) {
    start.arrive_and_wait();
    Lap& lap = laps[thread];
    const double cpu = cpu_now(CLOCK_THREAD_CPUTIME_ID);
    lap.begin = Clock::now();
    try {
      work(thread);
    } catch (...) {
      errors[thread] = std::current_exception();
    }
    lap.end = Clock::now();
    lap.cpu_seconds = cpu_now(CLOCK_THREAD_CPUTIME_ID) - cpu;
  };
  {
    std::vector<std::jthread> others;
    for (unsigned t = 1; t < threads; ++t)
      others.emplace_back(body, t);
    body(0);
  }
  for (const auto& error : errors) {
    if (error) std::rethrow_exception(error);
  }
  return laps;
}

// From the first thread's start to the last one's end, and the CPU time of
// the whole process.
template <class Work>
Times measure(unsigned threads, const Work& work) {
  const double cpu = cpu_now(CLOCK_PROCESS_CPUTIME_ID);
  const std::vector<Lap> laps = run_laps(threads, work);
  return Lap{std::ranges::min(laps, {}, &Lap::begin).begin,
             std::ranges::max(laps, {}, &Lap::end).end,
             cpu_now(CLOCK_PROCESS_CPUTIME_ID) - cpu}
      .times();
}

// Times single operations, or compiles to nothing.
struct NoTimer {
  void start() {}
  void stop() {}
};

struct Timer {
  Histogram* histogram;
  Clock::time_point begun{};

  void start() { begun = Clock::now(); }
  void stop() {
    const auto took = Clock::now() - begun;
    histogram->add(static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(took).count()));
  }
};

// Calls work(timer) with the one that is wanted.
template <class Work>
void with_timer(bool wanted, Histogram* histogram, const Work& work) {
  if (wanted) {
    work(Timer{histogram});
  } else {
    work(NoTimer{});
  }
}

void merge_latency(const std::vector<Histogram>& parts, Sample* sample) {
  if (parts.empty()) return;
  Histogram all;
  for (const Histogram& part : parts)
    all.merge(part);
  sample->latency = all;
}

std::uint64_t share(std::uint64_t total, unsigned threads, unsigned thread) {
  return total / threads + (thread < total % threads ? 1 : 0);
}

// What one thread's point reads saw, or must see.
struct Seen {
  Walk walk;
  std::uint64_t wrong = 0;  // values whose length or mark does not fit
};

void set_rate(const Config& config, std::uint64_t operations, Times times,
              Sample* sample) {
  sample->operations = operations;
  sample->seconds = times.seconds;
  sample->cpu_seconds = times.cpu_seconds;
  const double by = config.by_cpu ? times.cpu_seconds : times.seconds;
  sample->value = by > 0 ? static_cast<double>(operations) / by : 0;
}

}  // namespace

std::vector<Step> parse_plan(std::string_view text, unsigned threads) {
  std::vector<Step> plan;
  std::string state;
  std::vector<std::string> rows;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view word = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    Step step = parse_step(word, threads);
    if (state.empty() && !is_fill(step.kind)) {
      fail(fmt::format("{} needs a fill before it", step.row));
    }
    if (is_read(step.kind)) step.row += ", " + state;
    if (is_write(step.kind) || step.kind == Kind::readwhilewriting) {
      state = "tree";
    }
    if (step.kind == Kind::compact) state = "full";
    rows.push_back(step.row);
    const auto times = std::ranges::count(rows, step.row);
    if (times > 1) step.row += fmt::format(" #{}", times);
    plan.push_back(std::move(step));
  }
  if (plan.empty()) fail("no workload named");
  return plan;
}

Subject::Subject(std::string engine, const Config& config)
    : engine_(std::move(engine)),
      config_(config),
      path_(config.settings.path + '/' + engine_) {}

Subject::~Subject() {
  store_.reset();
  std::error_code ignored;  // an error on the way out has been reported
  std::filesystem::remove_all(path_, ignored);
}

void Subject::drop() {
  if (store_) store_->close();
  store_.reset();
  std::filesystem::remove_all(path_);
}

void Subject::make() {
  drop();
  std::filesystem::create_directories(path_);
  Settings settings = config_.settings;
  settings.path = path_;
  store_ = open_store(engine_, settings);
  model_ = Model{std::vector<std::uint32_t>(config_.shape.num), 0, 0};
}

// Not the engine's: every engine gets the same numbers.
std::uint64_t Subject::seed_of(unsigned thread) const {
  return mix(mix(config_.seed) + static_cast<std::uint64_t>(round_) * 4096 +
             step_number_ * 64 + thread);
}

std::vector<Sample> Subject::run(const Step& step, int round,
                                 std::size_t number) {
  round_ = round;
  step_number_ = number;
  if (is_fill(step.kind)) make();
  if (is_write(step.kind)) ::sync();  // leave nobody's dirty pages behind

  Sample sample;
  sample.round = round;
  sample.engine = engine_;
  sample.row = step.row;
  std::vector<Sample> samples;
  switch (step.kind) {
    case Kind::fillseq:
    case Kind::fillrandom:
    case Kind::fillsync:
    case Kind::overwrite:
      write(step, &sample);
      break;
    case Kind::readrandom:
    case Kind::readmissing:
      read(step, &sample);
      break;
    case Kind::seekrandom:
      seek(step, &sample);
      break;
    case Kind::readseq:
    case Kind::readreverse:
      scan(step, &sample);
      break;
    case Kind::readwhilewriting:
      samples.push_back(read_while_writing(step, &sample));
      break;
    case Kind::settle:
    case Kind::compact:
      settle(step, &sample);
      break;
    case Kind::amplification:
      return amplification(sample);
  }
  store_->wait_idle();
  samples.insert(samples.begin(), std::move(sample));
  return samples;
}

NumberStream Subject::writes(const Step& step, unsigned thread) const {
  const std::uint64_t num = config_.shape.num;
  if (step.kind == Kind::fillseq) {
    std::uint64_t first = 0;
    for (unsigned t = 0; t < thread; ++t)
      first += share(num, step.threads, t);
    return NumberStream::sequential(first);
  }
  return NumberStream::random(seed_of(thread), num, step.threads, thread);
}

void Subject::write(const Step& step, Sample* sample) {
  const bool sync = step.kind == Kind::fillsync;
  const unsigned threads = step.threads;
  const std::uint64_t total = sync ? config_.syncs : config_.shape.num;
  // The i-th put of thread t is the store's put number base + i*T + t + 1.
  const std::uint64_t base = model_.puts;
  std::vector<Histogram> latency(config_.latency ? threads : 0);
  std::vector<ValueMaker> values(threads, ValueMaker(config_.shape));

  const Times times = measure(threads, [&](unsigned t) {
    const std::uint64_t count = share(total, threads, t);
    NumberStream numbers = writes(step, t);
    KeyMaker keys(config_.shape);
    with_timer(config_.latency, latency.data() + t, [&](auto timer) {
      for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t number = numbers.next();
        const auto key = keys.make(number);
        const auto value = values[t].make(number, base + i * threads + t + 1);
        timer.start();
        store_->put(key, value, sync);
        timer.stop();
      }
    });
  });
  set_rate(config_, total, times, sample);
  merge_latency(latency, sample);

  for (unsigned t = 0; t < threads; ++t) {
    const std::uint64_t count = share(total, threads, t);
    NumberStream numbers = writes(step, t);
    for (std::uint64_t i = 0; i < count; ++i) {
      model_.put(numbers.next(), base + i * threads + t + 1);
    }
  }
  model_.puts = base + total;
}

void Subject::read(const Step& step, Sample* sample) {
  const bool missing = step.kind == Kind::readmissing;
  const unsigned threads = step.threads;
  const std::uint64_t num = config_.shape.num;
  auto numbers_of = [&](unsigned thread) {
    return NumberStream::random(seed_of(thread), num, 1, 0);
  };

  std::vector<Walk> expected(threads);
  for (unsigned t = 0; t < threads && !missing; ++t) {
    NumberStream numbers = numbers_of(t);
    const std::uint64_t count = share(config_.reads, threads, t);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t stamp = model_.stamps[numbers.next()];
      if (stamp != 0) expected[t].take_stamp(stamp);
    }
  }

  std::vector<Seen> seen(threads);
  std::vector<Histogram> latency(config_.latency ? threads : 0);
  const ValueMaker values(config_.shape);
  auto loop = [&](unsigned t, NumberStream numbers, std::uint64_t count,
                  auto timer, Seen* out) {
    auto reader = store_->reader();
    KeyMaker keys(config_.shape);
    std::string value;
    Seen local;
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t number = numbers.next();
      const auto key = missing ? keys.make_missing(number) : keys.make(number);
      timer.start();
      const bool found = reader->get(key, &value);
      timer.stop();
      if (!found) continue;
      if (!values.fits(number, value)) {
        ++local.wrong;
      } else {
        local.walk.take_stamp(load_u64(value.data() + 8));
      }
    }
    out[t] = local;
  };

  std::vector<Seen> warm(1);
  loop(0, NumberStream::random(seed_of(63), num, 1, 0), config_.reads / 10,
       NoTimer{}, warm.data());
  const Times times = measure(threads, [&](unsigned t) {
    with_timer(config_.latency, latency.data() + t, [&](auto timer) {
      loop(t, numbers_of(t), share(config_.reads, threads, t), timer,
           seen.data());
    });
  });
  set_rate(config_, config_.reads, times, sample);
  merge_latency(latency, sample);

  for (unsigned t = 0; t < threads; ++t) {
    sample->found += seen[t].walk.entries;
    if (seen[t].wrong != 0) {
      sample->wrong =
          fmt::format("{} values of the wrong length or key", seen[t].wrong);
    } else if (seen[t].walk.entries != expected[t].entries) {
      sample->wrong = fmt::format("found {} keys, expected {}",
                                  seen[t].walk.entries, expected[t].entries);
    } else if (seen[t].walk != expected[t]) {
      sample->wrong = "some values are not the newest";
    }
  }
}

void Subject::seek(const Step& step, Sample* sample) {
  const unsigned threads = step.threads;
  const std::uint64_t num = config_.shape.num;
  const std::uint64_t nexts = config_.seek_nexts;
  const bool fresh = !config_.reuse_cursor;
  auto numbers_of = [&](unsigned thread) {
    return NumberStream::random(seed_of(thread), num, 1, 0);
  };

  const std::uint64_t entry_bytes =
      config_.shape.key_bytes + config_.shape.value_bytes;
  std::vector<Walk> expected(threads);
  for (unsigned t = 0; t < threads; ++t) {
    NumberStream numbers = numbers_of(t);
    const std::uint64_t count = share(config_.reads, threads, t);
    for (std::uint64_t i = 0; i < count; ++i) {
      std::uint64_t wanted = nexts + 1;
      for (std::uint64_t at = numbers.next(); at < num && wanted != 0; ++at) {
        if (model_.stamps[at] == 0) continue;
        expected[t].take_stamp(model_.stamps[at]);
        expected[t].bytes += entry_bytes;
        --wanted;
      }
    }
  }

  std::vector<Walk> seen(threads);
  std::vector<Histogram> latency(config_.latency ? threads : 0);
  auto loop = [&](NumberStream numbers, std::uint64_t count, auto timer) {
    auto reader = store_->reader();
    KeyMaker keys(config_.shape);
    Walk local;
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto key = keys.make(numbers.next());
      timer.start();
      reader->seek(key, nexts, fresh, &local);
      timer.stop();
    }
    return local;
  };

  loop(NumberStream::random(seed_of(63), num, 1, 0), config_.reads / 10,
       NoTimer{});
  const Times times = measure(threads, [&](unsigned t) {
    with_timer(config_.latency, latency.data() + t, [&](auto timer) {
      seen[t] = loop(numbers_of(t), share(config_.reads, threads, t), timer);
    });
  });
  set_rate(config_, config_.reads, times, sample);
  merge_latency(latency, sample);

  for (unsigned t = 0; t < threads; ++t) {
    sample->found += seen[t].entries;
    if (seen[t] != expected[t]) {
      sample->wrong = fmt::format(
          "seeks met {} entries, expected {}, or not the right ones",
          seen[t].entries, expected[t].entries);
    }
  }
}

void Subject::scan(const Step& step, Sample* sample) {
  const Direction direction =
      step.kind == Kind::readseq ? Direction::forward : Direction::backward;
  Walk expected;
  expected.bytes =
      model_.live * (config_.shape.key_bytes + config_.shape.value_bytes);
  auto expect = [&](std::uint32_t stamp) {
    if (stamp != 0) expected.take_stamp(stamp);
  };
  if (direction == Direction::forward) {
    std::for_each(model_.stamps.begin(), model_.stamps.end(), expect);
  } else {
    std::for_each(model_.stamps.rbegin(), model_.stamps.rend(), expect);
  }

  Walk seen;
  const Times times =
      measure(1, [&](unsigned) { store_->reader()->scan(direction, &seen); });
  set_rate(config_, seen.entries, times, sample);
  sample->found = seen.entries;
  if (seen != expected) {
    sample->wrong = fmt::format(
        "the scan met {} entries, expected {}, or not the "
        "right ones in order",
        seen.entries, expected.entries);
  }
}

Sample Subject::read_while_writing(const Step& step, Sample* sample) {
  const std::uint64_t num = config_.shape.num;
  const std::uint64_t base = model_.puts;
  const std::uint64_t reader_seed = seed_of(0);
  const std::uint64_t writer_seed = seed_of(1);

  // The writer only adds: what is there now must be found, more may be.
  std::uint64_t expected = 0;
  NumberStream probe = NumberStream::random(reader_seed, num, 1, 0);
  for (std::uint64_t i = 0; i < config_.reads; ++i) {
    expected += model_.stamps[probe.next()] != 0 ? 1 : 0;
  }

  Sample writer = *sample;
  std::vector<Histogram> latency(config_.latency ? 2 : 0);
  std::atomic<bool> stop = false;
  std::uint64_t puts = 0;
  Seen seen;
  auto read = [&](auto timer) {
    auto reader = store_->reader();
    NumberStream numbers = NumberStream::random(reader_seed, num, 1, 0);
    KeyMaker keys(config_.shape);
    const ValueMaker values(config_.shape);
    std::string value;
    for (std::uint64_t i = 0; i < config_.reads; ++i) {
      const std::uint64_t number = numbers.next();
      const auto key = keys.make(number);
      timer.start();
      const bool found = reader->get(key, &value);
      timer.stop();
      if (!found) continue;
      ++seen.walk.entries;
      seen.wrong += values.fits(number, value) ? 0 : 1;
    }
  };
  auto write = [&](auto timer) {
    NumberStream numbers = NumberStream::random(writer_seed, num, 1, 0);
    KeyMaker keys(config_.shape);
    ValueMaker values(config_.shape);
    while (!stop.load(std::memory_order_relaxed)) {
      const std::uint64_t number = numbers.next();
      const auto key = keys.make(number);
      const auto value = values.make(number, base + ++puts);
      timer.start();
      store_->put(key, value, false);
      timer.stop();
    }
  };
  // The writer goes on until the reader is done, or has failed. Each has its
  // own time: the writer's last put may be a stalled one.
  const std::vector<Lap> laps = run_laps(2, [&](unsigned t) {
    struct Stop {
      std::atomic<bool>& flag;
      ~Stop() { flag = true; }
    } stopper{stop};
    with_timer(config_.latency, latency.data() + t, [&](auto timer) {
      if (t == 0) {
        read(timer);
      } else {
        write(timer);
      }
    });
  });

  NumberStream numbers = NumberStream::random(writer_seed, num, 1, 0);
  for (std::uint64_t i = 0; i < puts; ++i) {
    model_.put(numbers.next(), base + i + 1);
  }
  model_.puts = base + puts;

  sample->row = step.row + ", reader";
  set_rate(config_, config_.reads, laps[0].times(), sample);
  sample->found = seen.walk.entries;
  if (seen.wrong != 0) {
    sample->wrong =
        fmt::format("{} values of the wrong length or key", seen.wrong);
  } else if (seen.walk.entries < expected) {
    sample->wrong = fmt::format("found {} keys, expected at least {}",
                                seen.walk.entries, expected);
  }
  writer.row = step.row + ", writer";
  set_rate(config_, puts, laps[1].times(), &writer);
  if (config_.latency) {
    sample->latency = latency[0];
    writer.latency = latency[1];
  }
  return writer;
}

void Subject::settle(const Step& step, Sample* sample) {
  sample->unit = Unit::seconds;
  const Times times = measure(1, [&](unsigned) {
    if (step.kind == Kind::compact) {
      store_->compact_all();
    } else {
      store_->flush();
    }
    store_->wait_idle();
  });
  set_rate(config_, 0, times, sample);
  sample->value = config_.by_cpu ? times.cpu_seconds : times.seconds;
}

std::vector<Sample> Subject::amplification(const Sample& blank) {
  const auto entry_bytes =
      static_cast<double>(config_.shape.key_bytes + config_.shape.value_bytes);
  std::vector<Sample> samples;
  auto add = [&](const char* row, std::optional<std::uint64_t> bytes,
                 std::uint64_t entries) {
    if (!bytes) return;
    Sample sample = blank;
    sample.unit = Unit::factor;
    sample.row = row;
    sample.operations = *bytes;
    sample.value = static_cast<double>(*bytes) /
                   (static_cast<double>(entries) * entry_bytes);
    samples.push_back(std::move(sample));
  };
  add("write amplification", store_->bytes_written(), model_.puts);
  add("space amplification", store_->live_bytes(), model_.live);
  return samples;
}

}  // namespace lsm::bench
