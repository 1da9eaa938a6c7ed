// A mutant is a reference room with one known mistake: how the tests are
// tested. It is a file in tests/mutants/week1/day1_memtable/:
//
//   bug: A read takes the oldest version instead of the newest.
//   task: 2
//   file: memtable.cpp
//   --- find
//     exact lines of the reference file
//   --- replace
//     the wrong lines
//   --- end
//
// file and find/replace/end may be repeated, for an edit in several places.
// "unseen: why" says that no history of transactions can show it (--prove).
// I1 What is to be found stands exactly once in the reference file, as whole
//    lines; an edit that does not apply, or does not compile, is an error.
// I2 A mutant is killed when the suite of its own room fails, crashes or does
//    not end within kMutantLimit; a survivor is an error.
// I3 A room with mutants has at least kFewestMutants.
// With --prove the judge is lsm-check's proving ground instead of the suite,
// with the damaged room in the engine: program prove_3_5_mutant for room 3.5.
// I4 A mutant is caught when a history of its trial is wrong, or the program
//    crashes or does not end. One that is not is an error unless it says
//    `unseen`; so is one that says it and is caught, and more of them in a
//    room than kMostUnseen.
// I5 The engine is compiled against the reference's headers: a mutant of a
//    header cannot be proven, and is an error.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "rooms.h"

namespace lsm::course {

inline constexpr std::chrono::seconds kMutantLimit{60};
inline constexpr std::size_t kFewestMutants = 6;
inline constexpr std::size_t kMostUnseen = 5;

// what() is "file:line: what is wrong".
struct MutantError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Edit {
  std::string file;      // in the room's folder
  std::string find;      // whole lines
  std::string replace;   // whole lines, or none
  std::size_t line = 0;  // of "--- find", for errors
};

struct Mutant {
  std::string name;  // the file's name without .mutant
  std::string path;  // how errors call it
  std::string bug;
  std::string unseen;  // why no history shows it; empty: one must
  int task = 0;
  std::vector<Edit> edits;
};

// Throws MutantError.
Mutant parse_mutant(std::string_view name, std::string_view path,
                    std::string_view text);

// All mutants of a room, by name. Throws MutantError.
std::vector<Mutant> mutants_of(const Room& room);

// The reference's files with the edits applied. Throws MutantError.
std::map<std::string, std::string> apply_mutant(
    const Mutant& mutant, std::map<std::string, std::string> files);

// Is it compiled into nothing but its own room's objects?
bool can_be_proven(const Mutant& mutant);

// What a proving program (lsm-check --trial --json, or one that prints the
// same) found wrong, in words; nothing when all is well.
std::optional<std::string> first_wrong(const std::filesystem::path& program,
                                       std::chrono::seconds limit);

// Where the build folder keeps the room's copy that a mutant is made of, and
// putting a room's files there, and no others.
std::filesystem::path mutant_folder(const std::filesystem::path& build,
                                    const Room& room);
void write_room(const std::filesystem::path& folder,
                const std::map<std::string, std::string>& files);

// `course mutants [1.1 …] [--prove] [--build DIR]`.
int command_mutants(const Course& course, std::span<const std::string> args);

}  // namespace lsm::course
