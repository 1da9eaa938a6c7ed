// Starting programs: what comes back, and that a time limit really ends them.
#include "course/process.h"

#include <chrono>

#include "support/catch.h"

namespace lsm::course {
namespace {

using namespace std::chrono_literals;

TEST_CASE("status, stdout and stderr come back", "[course]") {
  const Finished finished = run({"sh", "-c", "echo out; echo err >&2; exit 3"});
  CHECK(finished.status == 3);
  CHECK(finished.output == "out\n");
  CHECK(finished.errors == "err\n");
  CHECK_FALSE(finished.timed_out);
}

TEST_CASE("a program that is not there has status 127", "[course]") {
  const Finished finished = run({"/no/such/program"});
  CHECK(finished.status == 127);
  CHECK(finished.errors == "/no/such/program: No such file or directory");
}

TEST_CASE("a signal is 128 and its number", "[course]") {
  CHECK(run({"sh", "-c", "kill -SEGV $$"}).status == 128 + 11);
}

TEST_CASE("it runs in the folder it is told", "[course]") {
  CHECK(run({"pwd"}, "/").output == "/\n");
}

TEST_CASE("the time limit kills the children too", "[course]") {
  // The child holds the pipe open for a minute if it survives.
  const Finished finished =
      run({"sh", "-c", "echo begun; sleep 60 & wait"}, {}, 300ms);
  CHECK(finished.timed_out);
  CHECK(finished.output == "begun\n");
}

TEST_CASE("more output than a pipe holds arrives whole", "[course]") {
  CHECK(run({"sh", "-c", "yes | head -c 1000000"}, {}, 30s).output.size() ==
        1'000'000);
}

}  // namespace
}  // namespace lsm::course
