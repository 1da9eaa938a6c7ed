// `lsm shell`: one line, one command. The table kCommands is the whole
// language; a batch collects put and remove until `end`, a transaction until
// `commit` (sessions.h).
//
// A script (stdin is no terminal) goes on after a failed command, names the
// line on stderr, and ends with status 1.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <utility>

#include "base/posix_file_system.h"
#include "commands.h"
#include "line_input.h"
#include "manifest.h"
#include "scan.h"
#include "sessions.h"
#include "stats.h"
#include "text.h"
#include "tree_view.h"

namespace lsm::tool {
namespace {

using Words = std::vector<std::string>;

constexpr std::size_t kCompletions = 200;

class Shell {
 public:
  Shell(Db& db, std::string path)
      : db_(db), sessions_(db), path_(std::move(path)) {}
  // The exit status.
  int run();

 private:
  struct Command {
    std::string_view name;
    std::string_view arguments;
    std::string_view about;
    std::size_t fewest;
    std::size_t most;
    Result<void> (Shell::*run)(const Words& words);
  };
  static const std::array<Command, 19> kCommands;
  static const Command* find(std::string_view name);

  Result<void> execute(std::string_view line);
  Result<void> execute_in_batch(const Words& words);
  std::vector<std::string> complete(std::string_view line);

  Result<void> put(const Words& words);
  Result<void> get(const Words& words);
  Result<void> remove(const Words& words);
  Result<void> scan(const Words& words);
  Result<void> batch(const Words& words);
  Result<void> begin(const Words& words);
  Result<void> commit(const Words& words);
  Result<void> rollback(const Words& words);
  Result<void> snapshot(const Words& words);
  Result<void> release(const Words& words);
  Result<void> use(const Words& words);
  Result<void> flush(const Words& words);
  Result<void> compact(const Words& words);
  Result<void> sync(const Words& words);
  Result<void> stats(const Words& words);
  Result<void> tree(const Words& words);
  Result<void> verify(const Words& words);
  Result<void> help(const Words& words);
  Result<void> quit(const Words& words);

  Result<void> timed(std::string_view done, Result<void> (Db::*call)());

  std::string prompt() const;

  Db& db_;
  Sessions sessions_;
  const std::string path_;
  bool interactive_ = false;
  bool quit_ = false;
  std::optional<WriteBatch> batch_;  // while one is being collected
  bool spoiled_ = false;             // a line of it was wrong
};

constexpr std::size_t kAny = SIZE_MAX;

const std::array<Shell::Command, 19> Shell::kCommands = {{
    {"put", "KEY VALUE", "store a value", 2, 2, &Shell::put},
    {"get", "KEY", "the value of a key", 1, 1, &Shell::get},
    {"remove", "KEY", "forget a key", 1, 1, &Shell::remove},
    {"scan", "[FROM [TO]] [--reverse] [--limit N]",
     "rows from FROM up to, without, TO", 0, 5, &Shell::scan},
    {"batch", "", "put and remove lines until `end`: all, or none", 0, 0,
     &Shell::batch},
    {"begin", "[NAME] [snapshot|serializable]",
     "a transaction; put, get, remove and scan are its own now", 0, 2,
     &Shell::begin},
    {"commit", "", "make its writes visible together, or learn of a conflict",
     0, 0, &Shell::commit},
    {"rollback", "", "forget its writes", 0, 0, &Shell::rollback},
    {"snapshot", "[NAME]", "keep this moment, and read from it", 0, 1,
     &Shell::snapshot},
    {"release", "NAME", "give a snapshot up", 1, 1, &Shell::release},
    {"use", "[NAME]", "go to a transaction or snapshot, or to the store", 0, 1,
     &Shell::use},
    {"sync", "", "what was written survives a power cut from here on", 0, 0,
     &Shell::sync},
    {"flush", "", "write the memtable out as a table", 0, 0, &Shell::flush},
    {"compact", "", "merge everything into the deepest level", 0, 0,
     &Shell::compact},
    {"stats", "", "levels, memory, what writing cost", 0, 0, &Shell::stats},
    {"tree", "", "every run and table, with its keys", 0, 0, &Shell::tree},
    {"verify", "", "read and check every block of every table", 0, 0,
     &Shell::verify},
    {"help", "[COMMAND]", "this", 0, 1, &Shell::help},
    {"quit", "", "close the store (Ctrl-D does too)", 0, kAny, &Shell::quit},
}};

const Shell::Command* Shell::find(std::string_view name) {
  const auto* at = std::ranges::find(kCommands, name, &Command::name);
  return at == kCommands.end() ? nullptr : at;
}

Error bad(std::string message) {
  return {Code::invalid_argument, std::move(message)};
}

Error unknown(std::string_view word, std::span<const std::string_view> known) {
  const std::string_view close = nearest(word, known);
  return bad(
      fmt::format("there is no command {}{}; there are {}", show_key(word),
                  close.empty() ? "" : fmt::format(", did you mean {}?", close),
                  fmt::join(known, ", ")));
}

int Shell::run() {
  const Complete complete = [this](std::string_view line) {
    return this->complete(line);
  };
  const auto input = make_line_input(complete);
  interactive_ = input->interactive();
  if (interactive_) {
    fmt::print("{} is open. `help` tells the commands.\n", path_);
  }
  int status = 0;
  std::uint64_t number = 0;
  while (!quit_) {
    const auto line = input->next(prompt());
    if (!line) break;
    ++number;
    const auto done = execute(*line);
    std::fflush(stdout);
    if (done) continue;
    spoiled_ = batch_ && !interactive_;
    if (interactive_) {
      fmt::print(stderr, "{}\n", done.error().message);
    } else {
      fmt::print(stderr, "lsm: line {}: {}\n", number, done.error().message);
      status = 1;
    }
  }
  if (interactive_ && !quit_) fmt::print("\n");
  if (batch_) {
    const Error open = bad("the batch has no `end`: nothing of it was written");
    return report(fmt::format("line {}", number), open);
  }
  if (const auto names = sessions_.unfinished(); !names.empty()) {
    const Error open = bad(fmt::format(
        "{} not committed: nothing of it was written", fmt::join(names, ", ")));
    return report(fmt::format("line {}", number), open);
  }
  return status;
}

std::string Shell::prompt() const {
  if (batch_) return "  ... ";
  if (sessions_.in_use().empty()) return "lsm> ";
  return fmt::format("lsm({})> ", sessions_.in_use());
}

Result<void> Shell::execute(std::string_view line) {
  LSM_ASSIGN_OR_RETURN(const Words words, split_words(line));
  if (words.empty()) return {};
  if (batch_) return execute_in_batch(words);
  const Command* command = find(words[0]);
  if (command == nullptr) {
    std::vector<std::string_view> names;
    for (const Command& known : kCommands)
      names.push_back(known.name);
    return std::unexpected(unknown(words[0], names));
  }
  const std::size_t count = words.size() - 1;
  if (count < command->fewest || count > command->most) {
    return std::unexpected(bad(fmt::format(
        "expected: {} {}{}", command->name, command->arguments,
        count > command->most ? " (spaces in a key or value need quotes)"
                              : "")));
  }
  return (this->*command->run)(words);
}

// In a script a line that is wrong spoils the batch: better none of it than a
// part. Somebody at a terminal types the line again.
Result<void> Shell::execute_in_batch(const Words& words) {
  if (words[0] == "put" && words.size() == 3) {
    batch_->put(words[1], words[2]);
  } else if (words[0] == "remove" && words.size() == 2) {
    batch_->remove(words[1]);
  } else if (words[0] == "end" && words.size() == 1) {
    const WriteBatch batch = *std::exchange(batch_, std::nullopt);
    if (std::exchange(spoiled_, false)) {
      return std::unexpected(
          bad("a line of the batch was wrong: nothing of it was written"));
    }
    LSM_TRY(db_.write(batch));
    if (interactive_)
      fmt::print("{} written together\n", plural(batch.count(), "operation"));
  } else if (words[0] == "cancel" && words.size() == 1) {
    batch_.reset();
    if (interactive_) fmt::print("nothing was written\n");
  } else {
    return std::unexpected(
        bad("in a batch: put KEY VALUE, remove KEY, end, cancel"));
  }
  return {};
}

// Commands first; behind one that takes a key, the store's own keys.
std::vector<std::string> Shell::complete(std::string_view line) {
  std::vector<std::string> words;
  const std::size_t space = line.rfind(' ');
  if (space == line.npos) {
    for (const Command& command : kCommands)
      words.emplace_back(command.name);
    if (batch_) words = {"put", "remove", "end", "cancel"};
    return words;
  }
  const Command* command = find(line.substr(0, line.find(' ')));
  const auto prefix = unescape_text(line.substr(space + 1));
  const bool takes_key =
      batch_ || (command != nullptr &&
                 (command->name == "scan" ||
                  command->arguments.find("KEY") != std::string::npos));
  if (!takes_key || !prefix) return words;
  const ScanArgs from{.from = *prefix, .to = {}, .limit = kCompletions};
  const auto scanned =
      scan_rows(sessions_, from, [&](std::string_view key, std::string_view) {
        if (key.starts_with(*prefix)) words.push_back(show_key(key));
      });
  if (!scanned) words.clear();
  return words;
}

Result<void> Shell::put(const Words& words) {
  return sessions_.put(words[1], words[2]);
}

Result<void> Shell::get(const Words& words) {
  LSM_ASSIGN_OR_RETURN(const auto value, sessions_.get(words[1]));
  fmt::print("{}\n", value ? show_value(*value) : "(absent)");
  return {};
}

Result<void> Shell::remove(const Words& words) {
  return sessions_.remove(words[1]);
}

Result<void> Shell::scan(const Words& words) {
  ScanArgs args;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--reverse") {
      args.reverse = true;
    } else if (word == "--limit" && i + 1 < words.size()) {
      const std::string& number = words[++i];
      std::uint64_t limit = 0;
      const char* end = number.data() + number.size();
      const auto parsed = std::from_chars(number.data(), end, limit);
      if (parsed.ec != std::errc{} || parsed.ptr != end) {
        return std::unexpected(bad(
            fmt::format("--limit {}: expected a number", show_key(number))));
      }
      args.limit = limit;
    } else if (word.starts_with("--") || (args.from && args.to)) {
      return std::unexpected(bad(fmt::format(
          "{}: expected: scan {}", show_key(word), find("scan")->arguments)));
    } else {
      (args.from ? args.to : args.from) = word;
    }
  }
  const auto rows = scan_rows(
      sessions_, args, [](std::string_view key, std::string_view value) {
        fmt::print("{} = {}\n", show_key(key), show_value(value));
      });
  if (!rows) return std::unexpected(rows.error());
  if (interactive_) fmt::print("({})\n", plural(*rows, "row"));
  return {};
}

Result<void> Shell::batch(const Words&) {
  if (!sessions_.in_use().empty()) {
    return std::unexpected(
        bad(fmt::format("{} is in use: `use` goes back to the store",
                        show_key(sessions_.in_use()))));
  }
  batch_.emplace();
  spoiled_ = false;
  return {};
}

Result<void> Shell::begin(const Words& words) {
  Isolation isolation = Isolation::serializable;
  std::string name = "tx";
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "snapshot") {
      isolation = Isolation::snapshot;
    } else if (words[i] != "serializable") {
      name = words[i];
    }
  }
  return sessions_.begin(name, isolation);
}
Result<void> Shell::commit(const Words&) {
  LSM_TRY(sessions_.commit());
  if (interactive_) fmt::print("committed\n");
  return {};
}
Result<void> Shell::rollback(const Words&) {
  return sessions_.rollback();
}
Result<void> Shell::snapshot(const Words& words) {
  return sessions_.snapshot(words.size() > 1 ? words[1] : "snapshot");
}
Result<void> Shell::release(const Words& words) {
  return sessions_.release(words[1]);
}
Result<void> Shell::use(const Words& words) {
  return sessions_.use(words.size() > 1 ? words[1] : "");
}

// On a terminal, says how long it took: these are the slow ones.
Result<void> Shell::timed(std::string_view done, Result<void> (Db::*call)()) {
  const auto begin = std::chrono::steady_clock::now();
  LSM_TRY((db_.*call)());
  const std::chrono::duration<double> time =
      std::chrono::steady_clock::now() - begin;
  if (interactive_) fmt::print("{} in {}\n", done, show_seconds(time.count()));
  return {};
}

Result<void> Shell::flush(const Words&) {
  return timed("flushed", &Db::flush);
}
Result<void> Shell::sync(const Words&) {
  return timed("durable", &Db::sync);
}
Result<void> Shell::compact(const Words&) {
  return timed("compacted", &Db::compact);
}

Result<void> Shell::verify(const Words&) {
  LSM_TRY(db_.verify());
  fmt::print("every table is sound\n");
  return {};
}

Result<void> Shell::stats(const Words&) {
  fmt::print("{}", stats_text(db_.stats()));
  return {};
}

Result<void> Shell::tree(const Words&) {
  LSM_ASSIGN_OR_RETURN(const auto state,
                       read_manifest(posix_file_system(), path_));
  if (state) fmt::print("{}", tree_text(*state));
  const Stats stats = db_.stats();
  fmt::print("memtables: {}, {} frozen\n", show_bytes(stats.memtable_bytes),
             stats.frozen_memtables);
  return {};
}

Result<void> Shell::help(const Words& words) {
  const Command* only = words.size() > 1 ? find(words[1]) : nullptr;
  for (const Command& command : kCommands) {
    if (only != nullptr && only != &command) continue;
    std::string usage(command.name);
    if (!command.arguments.empty()) usage += " ";
    usage += command.arguments;
    fmt::print("  {:<26} {}{}\n", usage,
               usage.size() > 26 ? fmt::format("\n{:29}", "") : "",
               command.about);
  }
  if (only == nullptr) {
    fmt::print(
        "\nKeys and values with spaces go into quotes; \\t \\n \\0 \\\\ \\\" "
        "and "
        "\\xNN are\nany byte. A # begins a comment.\n");
  }
  return {};
}

Result<void> Shell::quit(const Words&) {
  quit_ = true;
  return {};
}

}  // namespace

int run_shell(const std::string& path, const Options& options) {
  auto db = open_store(path, options, true);
  if (!db) return report(path, db.error());
  int status = Shell(**db, path).run();
  if (const auto closed = (*db)->close(); !closed) {
    status = report(path, closed.error());
  }
  return status;
}

}  // namespace lsm::tool
