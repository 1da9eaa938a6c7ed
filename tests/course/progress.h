// What the course remembers between two calls: build/course/progress.json.
// A verdict is kept with a fingerprint of everything it depends on, so a room
// that was edited since is known to be so.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "rooms.h"
#include "verdict.h"

namespace lsm::course {

// The hunt for a room's mutants (hunt.h). A mutant is called by its code,
// which tells nothing: what is hidden must not be read here.
struct Hunted {
  std::string current;           // the one that is hunted
  std::set<std::string> caught;  // and not shown before
  std::set<std::string> shown;   // by --reveal
  // Code -> how many different test files it has outlived, and which of them
  // was the last: running the same one again is no new try.
  std::map<std::string, int> misses;
  std::string missed_with;
};

struct Remembered {
  std::string fingerprint;  // of the room when it was checked; may be empty
  Tally core;
  Tally gold;
  int next_task = 0;  // of the first failure; 0 when there was none
  bool compiled = false;
  std::map<int, int> hints;  // task -> how many hints were shown
  Hunted hunted;
};

// Where a room stands, as the map shows it.
enum class State {
  coming,       // a later week's: nothing there yet
  reference,    // a reference only, no starter yet
  not_started,  // the starter as generated
  edited,       // changed since its last check, or never checked
  broken,       // did not compile when last checked
  in_progress,
  green,  // every core test passes
  gold,   // every test passes
};

class Progress {
 public:
  // Reads the file; one that is missing or unreadable is an empty one.
  static Progress load(const Course& course);
  // Writes it (temporary, then rename). A failure to write is not an error:
  // what is lost can be checked again.
  void save() const;

  bool first_run() const { return rooms_.empty() && !welcomed; }
  bool welcomed = false;

  const Remembered* find(const std::string& id) const;
  Remembered& at(const std::string& id) { return rooms_[id]; }

  // Keeps the verdict of a whole suite (nullptr: the room did not compile).
  void remember(const Course& course, const Room& room, const Verdict* verdict);

  State state(const Course& course, const Room& room) const;

  // Remembers that this room is being worked on.
  void work_on(const Room& room);

  // The day to work on: from the one worked on last, and on from 1.1 behind
  // the last one, the first open one that is not green; else the first that is
  // not gold; nullptr when all is done or nothing is open. Who began with 1.6
  // goes on with 1.7.
  const Room* next_day(const Course& course) const;

 private:
  std::filesystem::path path_;
  std::string last_;  // the id of the room that was worked on last
  std::map<std::string, Remembered> rooms_;
};

// Sixteen hexadecimal digits that change when the text does.
std::string fingerprint_of(std::string_view text);

// Changes when a file of the room, its suite, the tests' support or a room or
// base file below it changes.
std::string fingerprint(const Course& course, const Room& room);

}  // namespace lsm::course
