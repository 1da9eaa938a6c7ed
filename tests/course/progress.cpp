#include "progress.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>

#include "syllabus.h"

namespace lsm::course {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// FNV-1a, 64 bits (Fowler, Noll, Vo): enough to notice an edit.
class Fingerprint {
 public:
  void add(std::string_view text) {
    for (const char c : text)
      step(static_cast<unsigned char>(c));
    step(0);
  }
  void add_folder(const fs::path& folder) {
    for (const auto& [name, content] : read_sources(folder)) {
      add(name);
      add(content);
    }
  }
  std::string text() const { return fmt::format("{:016x}", hash_); }

 private:
  void step(unsigned char byte) { hash_ = (hash_ ^ byte) * 0x100000001b3u; }
  std::uint64_t hash_ = 0xcbf29ce484222325u;
};

Json tally_json(const Tally& tally) {
  return {{"passed", tally.passed}, {"total", tally.total}};
}

Tally tally_from(const Json& json) {
  return {.passed = json.value("passed", std::size_t{0}),
          .total = json.value("total", std::size_t{0})};
}

Json hunted_json(const Hunted& hunted) {
  return {{"current", hunted.current},
          {"caught", hunted.caught},
          {"shown", hunted.shown},
          {"misses", hunted.misses},
          {"missed_with", hunted.missed_with}};
}

Hunted hunted_from(const Json& json) {
  Hunted hunted;
  hunted.current = json.value("current", "");
  hunted.caught = json.value("caught", hunted.caught);
  hunted.shown = json.value("shown", hunted.shown);
  hunted.misses = json.value("misses", hunted.misses);
  hunted.missed_with = json.value("missed_with", "");
  return hunted;
}

}  // namespace

std::string fingerprint_of(std::string_view text) {
  Fingerprint result;
  result.add(text);
  return result.text();
}

std::string fingerprint(const Course& course, const Room& room) {
  Fingerprint result;
  result.add_folder(room.mine);
  result.add(fs::is_regular_file(room.suite) ? read_file(room.suite)
                                             : std::string{});
  result.add_folder(course.root / "tests" / "support");
  result.add_folder(course.root / "solutions" / "base");
  for (const Room& below : course.rooms) {
    if (below.id == room.id) break;
    result.add_folder(below.reference);
  }
  return result.text();
}

Progress Progress::load(const Course& course) {
  Progress result;
  result.path_ = course.build / "progress.json";
  try {
    std::ifstream file(result.path_);
    const Json json = Json::parse(file);
    result.welcomed = json.value("welcomed", false);
    result.last_ = json.value("last", "");
    for (const auto& [id, saved] : json.at("rooms").items()) {
      Remembered& room = result.rooms_[id];
      room.fingerprint = saved.value("fingerprint", "");
      room.core = tally_from(saved.value("core", Json::object()));
      room.gold = tally_from(saved.value("gold", Json::object()));
      room.next_task = saved.value("next_task", 0);
      room.compiled = saved.value("compiled", false);
      const Json hints = saved.value("hints", Json::object());
      for (const auto& [task, shown] : hints.items()) {
        room.hints[std::stoi(task)] = shown.get<int>();
      }
      room.hunted = hunted_from(saved.value("hunted", Json::object()));
    }
  } catch (const std::exception&) {
    result.rooms_.clear();
  }
  return result;
}

void Progress::save() const {
  Json rooms = Json::object();
  for (const auto& [id, room] : rooms_) {
    Json hints = Json::object();
    for (const auto& [task, shown] : room.hints) {
      hints[std::to_string(task)] = shown;
    }
    rooms[id] = {
        {"fingerprint", room.fingerprint},   {"core", tally_json(room.core)},
        {"gold", tally_json(room.gold)},     {"next_task", room.next_task},
        {"compiled", room.compiled},         {"hints", hints},
        {"hunted", hunted_json(room.hunted)}};
  }
  const Json json = {{"version", 1},
                     {"welcomed", welcomed},
                     {"last", last_},
                     {"rooms", rooms}};
  fs::path temporary = path_;
  temporary += ".new";
  std::error_code ignored;
  fs::create_directories(path_.parent_path(), ignored);
  {
    std::ofstream file(temporary);
    file << json.dump(2) << '\n';
    if (!file) return;
  }
  fs::rename(temporary, path_, ignored);
}

const Remembered* Progress::find(const std::string& id) const {
  const auto found = rooms_.find(id);
  return found == rooms_.end() ? nullptr : &found->second;
}

void Progress::remember(const Course& course, const Room& room,
                        const Verdict* verdict) {
  Remembered& kept = rooms_[room.id];
  kept.fingerprint = fingerprint(course, room);
  kept.compiled = verdict != nullptr;
  if (verdict == nullptr) return;
  kept.core = verdict->core();
  kept.gold = verdict->gold();
  const TestResult* first = verdict->first_failure();
  kept.next_task = first == nullptr ? 0 : first->test.task;
}

State Progress::state(const Course& course, const Room& room) const {
  if (!is_open(room)) return State::reference;
  const Remembered* kept = find(room.id);
  if (kept == nullptr || kept->fingerprint.empty() ||
      kept->fingerprint != fingerprint(course, room)) {
    return is_changed(room) ? State::edited : State::not_started;
  }
  if (!kept->compiled) return State::broken;
  if (kept->core.all()) {
    return kept->gold.passed == kept->gold.total ? State::gold : State::green;
  }
  return is_changed(room) ? State::in_progress : State::not_started;
}

void Progress::work_on(const Room& room) {
  last_ = room.id;
  save();
}

const Room* Progress::next_day(const Course& course) const {
  const auto last = std::ranges::find(course.rooms, last_, &Room::id);
  const auto begin = static_cast<std::size_t>(
      last == course.rooms.end() ? 0 : last - course.rooms.begin());
  const Room* not_gold = nullptr;
  for (std::size_t i = 0; i < course.rooms.size(); i++) {
    const Room& room = course.rooms[(begin + i) % course.rooms.size()];
    if (!is_open(room)) continue;
    const State now = state(course, room);
    if (now != State::green && now != State::gold) return &room;
    if (now == State::green && not_gold == nullptr) not_gold = &room;
  }
  return not_gold;
}

}  // namespace lsm::course
