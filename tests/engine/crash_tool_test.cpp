// The program lsm-crash as its users meet it: its figures, its JSON, what it
// says of a disk that lies, mistakes on the command line.
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "run_tool.h"
#include "support/catch.h"
#include "support/teach.h"

namespace lsm::test {
namespace {

using nlohmann::json;

Ran run_crash(const std::vector<std::string>& args) {
  return run_tool(args, {}, LSM_CRASH_PATH);
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("an honest disk and an honest store: status 0, no bad image",
          "[engine][tool]") {
  STORY("Each policy, each way to end, 40 images.");
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{"--policy", "leveled"},
        {"--policy", "tiered", "--model", "any"},
        {"--policy", "simple", "--model", "ordered", "--append-log"},
        {"--transactions", "--policy", "leveled"},
        {"--kill"},
        {"--twice"}}) {
    std::vector<std::string> args = {"--images", "40", "--batches", "120"};
    args.insert(args.end(), more.begin(), more.end());
    const Ran ran = run_crash(args);
    CHECK_SAME(ran.status, 0);
    CHECK_SAME(ran.err, "");  // no progress line: this is no terminal
    CHECK(contains(ran.out, "40 images"));
    CHECK(contains(ran.out, "40 good, 0 bad"));
  }
}

TEST_CASE("the same arguments give the same bytes, another seed others",
          "[engine][tool]") {
  STORY("Twice with seed 5, once with seed 6; as text and as JSON.");
  for (const char* form : {"--break=late-sync", "--json"}) {
    const auto run = [&](const char* seed) {
      return run_crash({"--seed", seed, "--images", "50", form});
    };
    const Ran first = run("5");
    CHECK_SAME(run("5").out, first.out);
    CHECK(run("6").out != first.out);
  }
}

TEST_CASE("JSON has the figures, and null for a failure that is not",
          "[engine][tool]") {
  STORY("30 images of a kill on an honest disk.");
  const Ran ran = run_crash({"--kill", "--images", "30", "--json"});
  CHECK_SAME(ran.status, 0);
  const json report = json::parse(ran.out);
  CHECK_SAME(report["policy"].get<std::string>(), "leveled");
  CHECK_SAME(report["end"].get<std::string>(), "kill");
  CHECK_SAME(report["batches"].get<int>(), 400);
  CHECK_SAME(report["images"].get<int>(), 30);
  CHECK_SAME(report["bad"].get<int>(), 0);
  CHECK_SAME(report["losing"].get<int>(), 0);
  CHECK(report["operations"].get<int>() > 100);
  CHECK(report["first"].is_null());
}

TEST_CASE("a lying disk is told with its history, and can be had again",
          "[engine][tool]") {
  STORY("Syncs do nothing; the command that is printed is run.");
  const Ran ran = run_crash(
      {"--break", "sync", "--images", "100", "--batches", "100", "--json"});
  CHECK_SAME(ran.status, 1);
  const json report = json::parse(ran.out);
  CHECK(report["bad"].get<int>() > 0);
  const json& first = report["first"];
  CHECK(first["synced"].get<int>() <= first["started"].get<int>());
  const std::string command = first["command"];
  std::istringstream words(command);
  std::vector<std::string> args;
  for (std::string word; words >> word;)
    args.push_back(word);
  REQUIRE(args.size() > 1);
  args.erase(args.begin());  // the program
  const Ran again = run_crash(args);
  CHECK_SAME(again.status, 1);
  CHECK(contains(again.out, "1 image after a power cut: 0 good, 1 bad"));
  CHECK(contains(again.out, first["what"].get<std::string>()));
  CHECK(contains(again.out, command));
  CHECK(contains(again.out, "<-- power off before this"));
}

TEST_CASE("at one operation there is an image for each model, or for a draw",
          "[engine][tool]") {
  STORY("--at 50 alone; with one model; with 7 images; behind the end.");
  const auto images = [](std::vector<std::string> args) {
    args.insert(args.end(), {"--at", "50", "--json"});
    return json::parse(run_crash(args).out)["images"].get<int>();
  };
  CHECK_SAME(images({}), 2);
  CHECK_SAME(images({"--model", "any"}), 1);
  CHECK_SAME(images({"--kill"}), 1);
  CHECK_SAME(images({"--images", "7"}), 7);
  const Ran behind = run_crash({"--at", "1000000"});
  CHECK_SAME(behind.status, 1);
  CHECK(contains(behind.out, "there is no operation 1000000"));
}

TEST_CASE("a mistake on the command line names the option, with status 2",
          "[engine][tool]") {
  STORY(
      "Unknown names, numbers out of range, options that exclude each other.");
  struct Mistake {
    std::vector<std::string> args;
    std::string about;
  };
  for (const Mistake& mistake :
       std::vector<Mistake>{{{"--policy", "best"}, "--policy"},
                            {{"--model", "some"}, "--model"},
                            {{"--break", "disk"}, "--break"},
                            {{"--images", "0"}, "--images"},
                            {{"--images", "-3"}, "--images"},
                            {{"--batches", "0"}, "--batches"},
                            {{"--batches", "many"}, "--batches"},
                            {{"--at", "0"}, "--at"},
                            {{"--seed", "x"}, "--seed"},
                            {{"--kill", "--model", "any"}, "--model"},
                            {{"--kill", "--twice"}, "--kill"},
                            {{"--nonsense"}, "--nonsense"},
                            {{"file"}, "file"}}) {
    const Ran ran = run_crash(mistake.args);
    INFO(mistake.args[0]);
    CHECK_SAME(ran.status, 2);
    CHECK_SAME(ran.out, "");
    CHECK(contains(ran.err, mistake.about));
  }
}

TEST_CASE("help lists the options and what the exit status means",
          "[engine][tool]") {
  STORY("--help.");
  const Ran ran = run_crash({"--help"});
  CHECK_SAME(ran.status, 0);
  for (const char* word :
       {"--at", "--images", "--model", "--kill", "--twice", "--policy",
        "--seed", "--json", "--break", "exit status"}) {
    INFO(word);
    CHECK(contains(ran.out, word));
  }
}

}  // namespace lsm::test
