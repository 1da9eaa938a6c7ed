// The commands of the course tool; each returns the exit status. Those with
// options of their own are in check.h, study.h and engine_commands.h.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rooms.h"

namespace lsm::course {

// map.cpp: where am I?
int command_map(const Course& course);

// study.cpp: one more hint; mine against the solution; the starter back.
int command_hint(const Course& course, const std::string& day, int task,
                 bool again);
int command_diff(const Course& course, const std::string& day, bool yes);
int command_reset(const Course& course, const std::string& day);
// "20261231-235959", for the names of what is kept in .mine/.
std::string timestamp();

// engine_commands.cpp: the whole engine, from the reference or from mine.
int command_test(const Course& course, bool quick, const std::string& only);
int command_mine(const Course& course, const std::string& rooms);
// Builds a tool ("lsm" or "lsm-bench"), from mine or from the reference: its
// path. Empty after a failure that it has told; `status` is then the exit's.
std::string built_tool(const Course& course, const std::string& tool, bool mine,
                       int& status);
// The same, and becomes it.
int command_tool(const Course& course, const std::string& tool,
                 const std::vector<std::string>& args, bool mine);

// book_server.cpp: builds the guide and serves it on this machine only.
int command_book(const Course& course, int port, bool build_only);

// "bytes=%20" in a URL to its path in `folder`; empty when it leads outside.
std::filesystem::path path_of_url(const std::filesystem::path& folder,
                                  std::string_view url);

}  // namespace lsm::course
