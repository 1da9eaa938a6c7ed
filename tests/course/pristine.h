// The proof that an untouched starter fails as a starter should: with no
// warning, and with every test case saying which task is still to be written.
// It takes the starters as the solutions make them, not those in week*/, so
// that a learner's own work never stands in its way.
//
// I1 Alone: each room's starter compiles without warnings on the reference of
//    the rooms below it, and every test case of its suite fails with "not
//    implemented yet: <its own id> task n": none passes, crashes or hangs.
// I2 Together: all starters in one build compile, and every test case of every
//    suite fails with "not implemented yet: <some id> task n".
#pragma once

#include <span>
#include <string>

#include "rooms.h"

namespace lsm::course {

// `course pristine [--build DIR] [1.1 …]`; DIR is where the copies of the
// starters are built.
int command_pristine(const Course& course, std::span<const std::string> args);

}  // namespace lsm::course
