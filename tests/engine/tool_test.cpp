// The program `lsm` as its users meet it: scripts through stdin, files in and
// out, damaged stores, mistakes on the command line.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "lsm/db.h"
#include "run_tool.h"
#include "support/catch.h"
#include "support/random.h"
#include "support/teach.h"
#include "support/temp_dir.h"
#include "tools/lsm/steps.h"
#include "tools/lsm/text.h"

namespace lsm::test {
namespace {

using nlohmann::json;

// One line, naming what it is about.
void check_one_line(const std::string& err, const std::string& about) {
  CHECK(err.starts_with("lsm: "));
  CHECK(std::ranges::count(err, '\n') == 1);
  if (err.find(about) == std::string::npos) {
    FAIL_CHECK("it does not name " << about << ": " << err);
  }
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The files of a folder and what they hold.
std::map<std::string, std::string> contents(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    files[entry.path().filename().string()] = slurp(entry.path().string());
  }
  return files;
}

std::string only_file(const std::string& folder, const std::string& suffix) {
  for (const auto& [name, content] : contents(folder)) {
    if (name.ends_with(suffix)) return folder + "/" + name;
  }
  throw std::runtime_error("no " + suffix + " in " + folder);
}

// A store of 2,000 rows in one table of many blocks, closed.
std::string make_store(const TempDir& dir) {
  std::string script;
  for (int i = 0; i < 2000; ++i) {
    script += fmt::format("put key{:05} value{}\n", i, i * 7);
  }
  const Ran ran = run_tool({"shell", dir / "store", "--compression", "none"},
                           script + "flush\n");
  REQUIRE_SAME(ran.status, 0);
  return dir / "store";
}

void flip_bit(const std::string& path, std::size_t offset) {
  std::string bytes = slurp(path);
  REQUIRE(offset < bytes.size());
  bytes[offset] = static_cast<char>(bytes[offset] ^ 0x10);
  spill(path, bytes);
}

}  // namespace

TEST_CASE("a script talks to a store through stdin", "[engine][tool]") {
  STORY("put, get, remove and scan both ways, then the same store again.");
  const TempDir dir;
  const std::string store = dir / "store";
  const Ran first = run_tool({"shell", store},
                             "# fruit\n"
                             "put apple red\n"
                             "put banana 'yellow, bent'\n"
                             "put cherry \"\"\n"
                             "remove apple\n"
                             "get apple\n"
                             "get banana\n"
                             "get cherry\n"
                             "scan\n");
  CHECK_SAME(first.status, 0);
  CHECK_SAME(first.err, "");
  CHECK_SAME(first.out,
             "(absent)\nyellow, bent\n\"\"\n"
             "banana = yellow, bent\ncherry = \"\"\n");
  const Ran second = run_tool({"shell", store},
                              "put date brown\nscan --reverse --limit 2\n"
                              "scan banana cherry\nquit\nget date\n");
  CHECK_SAME(second.status, 0);
  CHECK_SAME(second.out,
             "date = brown\ncherry = \"\"\nbanana = yellow, bent\n");
}

TEST_CASE("a batch of a script is written whole, or not at all",
          "[engine][tool]") {
  STORY("One batch that ends well, one with a wrong line, one without end.");
  const TempDir dir;
  const Ran ran = run_tool({"shell", dir / "store"},
                           "put a 1\n"
                           "batch\nput b 2\nremove a\nend\n"
                           "batch\nput c 3\nbogus\nend\n"
                           "scan\n"
                           "batch\nput d 4\n");
  CHECK_SAME(ran.status, 1);
  CHECK_SAME(ran.out, "b = 2\n");
  CHECK(contains(ran.err, "lsm: line 8: "));
  CHECK(contains(ran.err, "lsm: line 9: "));
  CHECK(contains(ran.err, "lsm: line 12: "));
  CHECK_SAME(run_tool({"dump", dir / "store"}).out, "b = 2\n");
}

TEST_CASE("two transactions of a script meet in one key", "[engine][tool]") {
  STORY("Both read x and write it; the second commit is refused.");
  const TempDir dir;
  const Ran ran = run_tool({"shell", dir / "store"},
                           "put x 1\n"
                           "begin a\nget x\nput x 2\n"
                           "begin b\nget x\nput x 3\n"
                           "use a\nget x\ncommit\n"
                           "get x\n"
                           "use b\nget x\ncommit\n"
                           "get x\n");
  CHECK_SAME(ran.status, 1);
  CHECK_SAME(ran.out, "1\n1\n2\n2\n3\n2\n");
  CHECK(contains(ran.err, "lsm: line 14: "));
}

TEST_CASE("a snapshot of a script stays as it was", "[engine][tool]") {
  STORY("snapshot, back to the store, put and compact; look at both.");
  const TempDir dir;
  const Ran ran = run_tool({"shell", dir / "store"},
                           "put x old\nsnapshot before\nput x no\n"
                           "use\nput x new\nremove y\ncompact\nget x\n"
                           "use before\nscan\nrelease before\nscan\n");
  CHECK_SAME(ran.status, 1);
  CHECK(contains(ran.err, "lsm: line 3: a snapshot is read only"));
  CHECK_SAME(ran.out, "new\nx = old\nx = new\n");
}

TEST_CASE("what a script does not commit is not written, and it says so",
          "[engine][tool]") {
  STORY("One transaction is rolled back, one is open at the end.");
  const TempDir dir;
  const Ran ran = run_tool({"shell", dir / "store"},
                           "begin\nput a 1\nrollback\ncommit\n"
                           "begin t snapshot\nput b 2\nscan\n");
  CHECK_SAME(ran.status, 1);
  CHECK_SAME(ran.out, "b = 2\n");
  CHECK(contains(ran.err, "lsm: line 4: no transaction to commit"));
  CHECK(contains(ran.err, "lsm: line 7: t not committed"));
  CHECK_SAME(run_tool({"dump", dir / "store"}).out, "");
}

TEST_CASE("a script's mistakes name their line, and the rest goes on",
          "[engine][tool]") {
  STORY("An unknown command, a missing value, an open quote, a bad escape.");
  const TempDir dir;
  const Ran ran = run_tool({"shell", dir / "store"},
                           "putt a 1\nput a\nput \"a 1\nput \\q 1\nput z 9\n"
                           "scan\n");
  CHECK_SAME(ran.status, 1);
  CHECK_SAME(ran.out, "z = 9\n");
  CHECK(contains(ran.err,
                 "lsm: line 1: there is no command putt, did you "
                 "mean put?"));
  for (const char* line : {"line 2: ", "line 3: ", "line 4: "}) {
    CHECK(contains(ran.err, line));
  }
}

TEST_CASE("a key over the limit is refused, and nothing is written",
          "[engine][tool]") {
  STORY("A key of 65,535 bytes is put, one of 65,536 is refused.");
  const TempDir dir;
  const std::string longest(65'535, 'k');
  const Ran ran = run_tool({"shell", dir / "store"},
                           "put " + longest + " 1\nput k" + longest + " 2\n");
  CHECK_SAME(ran.status, 1);
  CHECK(contains(ran.err, "lsm: line 2: "));
  CHECK(!contains(ran.err, "line 1"));
  CHECK_SAME(run_tool({"dump", dir / "store"}).out, longest + " = 1\n");
}

TEST_CASE("escaped text is text, and comes back as the bytes it was",
          "[engine][tool]") {
  INVARIANT("I1, I2 of tools/lsm/text.h");
  STORY("Random bytes, readable UTF-8, and all that only looks like it.");
  CHECK_SAME(tool::escape_text("a\t\xe2\x86\x90\xff"), "a\\t\u2190\\xff");
  CHECK_SAME(tool::escape_text("\xc0\xaf"), "\\xc0\\xaf");  // overlong
  CHECK_SAME(tool::escape_text("\xed\xa0\x80"),
             "\\xed\\xa0\\x80");                            // surrogate
  CHECK_SAME(tool::escape_text("\xc2\x85"), "\\xc2\\x85");  // U+0085
  SEEDED_RANDOM(random, 3);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes = random.bytes(random.below(12));
    if (random.one_in(3)) bytes += "\xf0\x9f\x98\x80";
    const std::string text = tool::escape_text(bytes);
    CHECK(std::ranges::none_of(text, [](unsigned char c) { return c < 0x20; }));
    const auto back = tool::unescape_text(text);
    REQUIRE_OK(back);
    REQUIRE_SAME(*back, bytes);
    const auto words = tool::split_words("put " + tool::show_key(bytes) + " " +
                                         tool::show_key(bytes));
    REQUIRE_OK(words);
    REQUIRE_SAME(*words, std::vector<std::string>{"put", bytes, bytes});
    json(text).dump();  // throws unless it is UTF-8
  }
}

TEST_CASE("load and dump give back every byte", "[engine][tool]") {
  STORY(
      "Rows with every awkward byte go from one store through a TSV file "
      "into another.");
  const TempDir dir;
  SEEDED_RANDOM(random, 4);
  std::map<std::string, std::string> rows = {
      {"", ""}, {"tab\t", "line\nfeed\r"}, {"back\\slash", std::string(1, 0)}};
  for (int i = 0; i < 500; ++i) {
    rows[random.bytes(random.below(20))] = random.bytes(random.below(60));
  }
  {
    auto db = Db::open(dir / "a", {});
    REQUIRE_OK(db);
    for (const auto& [key, value] : rows)
      REQUIRE_OK((*db)->put(key, value));
    REQUIRE_OK((*db)->close());
  }
  const Ran dumped = run_tool({"dump", dir / "a", "--tsv"});
  CHECK_SAME(dumped.status, 0);
  const Ran loaded =
      run_tool({"load", dir / "b", "--tsv", "-", "--sync"}, dumped.out);
  CHECK_SAME(loaded.status, 0);
  CHECK(contains(loaded.err, fmt::format("loaded {} rows", rows.size())));

  auto db = Db::open(dir / "b", {});
  REQUIRE_OK(db);
  std::map<std::string, std::string> seen;
  {
    const auto it = (*db)->scan();
    for (it->seek_to_first(); it->valid(); it->next()) {
      seen.emplace(it->key(), it->value());
    }
    REQUIRE_OK(it->status());
  }
  REQUIRE_OK((*db)->close());
  CHECK(seen == rows);
}

TEST_CASE("dump takes bounds, a direction and a limit", "[engine][tool]") {
  STORY("Ten keys a to j; c up to h, backward, at most three.");
  const TempDir dir;
  std::string tsv;
  for (char c = 'a'; c <= 'j'; ++c)
    tsv += std::string(1, c) + "\t1\n";
  spill(dir / "in.tsv", tsv);
  REQUIRE_SAME(
      run_tool({"load", dir / "store", "--tsv", dir / "in.tsv"}).status, 0);
  CHECK_SAME(run_tool({"dump", dir / "store", "--tsv", "--from", "c", "--to",
                       "h", "--reverse", "--limit", "3"})
                 .out,
             "g\t1\nf\t1\ne\t1\n");
  CHECK_SAME(run_tool({"dump", dir / "store", "--tsv", "--to", "\\x63"}).out,
             "a\t1\nb\t1\n");
}

TEST_CASE("a malformed row is named by file and line; rows before it stay",
          "[engine][tool]") {
  const auto [row, why] = GENERATE(table<std::string, std::string>(
      {{"no tab here", "no tab"},
       {"", "no tab"},
       {"a\tb\tc", "second tab"},
       {"a\t\\q", "\\q"},
       {std::string(65'536, 'k') + "\tv", "65,536 bytes"}}));
  STORY("Two good rows, then: " + row.substr(0, 20));
  const TempDir dir;
  const std::string file = dir / "in.tsv";
  spill(file, "one\t1\ntwo\t2\n" + row + "\nfour\t4\n");
  const Ran ran = run_tool({"load", dir / "store", "--tsv", file});
  CHECK_SAME(ran.status, 1);
  CHECK(contains(ran.err, "lsm: " + file + ":3: "));
  CHECK(contains(ran.err, why));
  CHECK_SAME(run_tool({"dump", dir / "store"}).out, "one = 1\ntwo = 2\n");
}

TEST_CASE("mistakes on the command line end with status 2", "[engine][tool]") {
  STORY("An unknown command, a missing path, an unknown option, a bad number.");
  const Ran unknown = run_tool({"vrify", "x"});
  CHECK_SAME(unknown.status, 2);
  check_one_line(unknown.err, "did you mean \"verify\"?");
  CHECK(contains(unknown.err, "shell, load, dump"));
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"dump"},
        {"dump", "x", "--nope"},
        {"dump", "x", "--limit", "many"},
        {"load", "x"},
        {"shell", "x", "--compression", "zip"}}) {
    const Ran ran = run_tool(args);
    CHECK_SAME(ran.status, 2);
    check_one_line(ran.err, args[0]);
  }
  CHECK_SAME(run_tool({}).status, 2);
  const Ran help = run_tool({"--help"});
  CHECK_SAME(help.status, 0);
  CHECK(contains(help.out, "inspect"));
}

TEST_CASE("what cannot be opened is one line that names it, and status 1",
          "[engine][tool]") {
  STORY(
      "A path that is a file, a store that is not there, one that is open, "
      "an input that is not there.");
  const TempDir dir;
  spill(dir / "file", "not a store");
  const auto check = [&](const std::vector<std::string>& args,
                         const std::string& about) {
    const Ran ran = run_tool(args);
    CHECK_SAME(ran.status, 1);
    CHECK_SAME(ran.out, "");
    check_one_line(ran.err, about);
  };
  check({"shell", dir / "file"}, dir / "file");
  check({"dump", dir / "file"}, dir / "file");
  check({"dump", dir / "nothing"}, dir / "nothing");
  check({"stats", dir / "nothing"}, dir / "nothing");
  check({"verify", dir / "nothing"}, dir / "nothing");
  check({"inspect", dir / "file"}, dir / "file");
  check({"load", dir / "new", "--tsv", dir / "nothing"}, dir / "nothing");
  CHECK(!std::filesystem::exists(dir / "nothing"));
  CHECK(!std::filesystem::exists(dir / "new"));

  auto db = Db::open(dir / "open", {});
  REQUIRE_OK(db);
  check({"shell", dir / "open"}, dir / "open");
  check({"verify", dir / "open"}, dir / "open");
  REQUIRE_OK((*db)->close());
}

TEST_CASE("verify finds a sound store sound, and changes nothing",
          "[engine][tool]") {
  INVARIANT("I1 of tools/lsm/verify.h");
  STORY("A store that was killed is verified, then opened.");
  const TempDir dir;
  Writer writer({dir / "store", "--ops", "1000000", "--write-buffer", "64K"});
  REQUIRE(writer.wait_for(1500));
  writer.kill_and_drain();
  const auto before = contents(dir / "store");
  const Ran ran = run_tool({"verify", dir / "store"});
  CHECK_SAME(ran.err, "");
  CHECK_SAME(ran.status, 0);
  CHECK(contains(ran.out, "all sound"));
  CHECK(contents(dir / "store") == before);
  const json report =
      json::parse(run_tool({"verify", dir / "store", "--json"}).out);
  CHECK(report["sound"] == true);
  CHECK(report["records"] > 0);
}

TEST_CASE("verify names every damaged place by file and offset",
          "[engine][tool]") {
  INVARIANT("I4 of lsm/db.h: damage is reported, naming file and offset");
  STORY("Two flipped bits in two blocks of a table, one in the manifest.");
  const TempDir dir;
  const std::string store = make_store(dir);
  const std::string table = only_file(store, ".sst");
  const json blocks =
      json::parse(run_tool({"inspect", table, "--json"}).out)["blocks"];
  REQUIRE(blocks.size() > 6);
  for (const std::size_t block : {std::size_t{1}, std::size_t{5}}) {
    flip_bit(table, blocks[block]["offset"].get<std::size_t>() + 9);
  }
  const Ran ran = run_tool({"verify", store, "--json"});
  CHECK_SAME(ran.status, 1);
  check_one_line(ran.err, "2 damaged places");
  const json report = json::parse(ran.out);
  CHECK(report["sound"] == false);
  REQUIRE(report["damage"].size() == 2);
  CHECK(report["damage"][0]["file"] == table);
  CHECK(report["damage"][0]["offset"] == blocks[1]["offset"]);
  CHECK(report["damage"][1]["offset"] == blocks[5]["offset"]);

  // Without its manifest, the table is still looked at.
  flip_bit(only_file(store, ".manifest"), 60);
  const json worse = json::parse(run_tool({"verify", store, "--json"}).out);
  CHECK(worse["damage"].size() == 3);
  CHECK(worse["damage"][0]["file"] == only_file(store, ".manifest"));
  CHECK(worse["tables"] == 1);
}

TEST_CASE("a truncated or missing table is damage, for verify and inspect",
          "[engine][tool]") {
  STORY("A table loses its end; then it is gone.");
  const TempDir dir;
  const std::string store = make_store(dir);
  const std::string table = only_file(store, ".sst");
  std::filesystem::resize_file(table, 5000);
  CHECK_SAME(run_tool({"verify", store}).status, 1);
  const Ran inspected = run_tool({"inspect", table});
  CHECK_SAME(inspected.status, 1);
  check_one_line(inspected.err, table);
  std::filesystem::remove(table);
  const Ran missing = run_tool({"verify", store});
  CHECK_SAME(missing.status, 1);
  CHECK(contains(missing.out, table));
}

TEST_CASE("inspect of a damaged log ends with the verdict", "[engine][tool]") {
  STORY("A bit of the first record of a synced log is flipped.");
  const TempDir dir;
  Writer writer({dir / "killed", "--ops", "1000000", "--sync-every", "10"});
  REQUIRE(writer.wait_for(100));
  writer.kill_and_drain();
  const std::string log = only_file(dir / "killed", ".log");
  flip_bit(log, 60);
  const Ran inspected = run_tool({"inspect", log});
  CHECK_SAME(inspected.status, 1);
  check_one_line(inspected.err, log);
  const std::size_t last = inspected.out.rfind("\nVerdict: corruption. ");
  REQUIRE(last != std::string::npos);
  CHECK(contains(inspected.out.substr(last), "offset 32"));
  CHECK_SAME(inspected.out.find('\n', last + 1), inspected.out.size() - 1);
}

TEST_CASE("inspect tells what stands in each kind of file", "[engine][tool]") {
  STORY(
      "A table, a log of a killed writer, the manifest, CURRENT; as text "
      "and as JSON.");
  const TempDir dir;
  const std::string store = make_store(dir);
  const std::string table = only_file(store, ".sst");
  const auto inspect = [](const std::vector<std::string>& args) {
    std::vector<std::string> with_json = args;
    with_json.insert(with_json.begin(), "inspect");
    CHECK_SAME(run_tool(with_json).status, 0);
    with_json.emplace_back("--json");
    return json::parse(run_tool(with_json).out);
  };
  const json in_table = inspect({table, "--entries", "--hex", "0"});
  CHECK(in_table["type"] == "table");
  CHECK(in_table["properties"]["entries"] == 2000);
  CHECK(in_table["properties"]["smallest"]["key"] == "key00000");
  CHECK(in_table["blocks"][0]["entries"][3]["value"] == "value21");
  CHECK(in_table["blocks"][0]["hex"].get<std::string>().size() ==
        2 * in_table["blocks"][0]["unpacked_bytes"].get<std::size_t>());
  CHECK(contains(run_tool({"inspect", table, "--hex", "0"}).out, "key00000@1"));
  CHECK_SAME(run_tool({"inspect", table, "--hex", "99999"}).status, 1);

  const json manifest = inspect({only_file(store, ".manifest")});
  CHECK(manifest["type"] == "manifest");
  REQUIRE(manifest["tree"].size() == 1);
  CHECK(manifest["tree"][0]["entries"] == 2000);
  CHECK(manifest["store_id"] == in_table["store_id"]);
  const json current = inspect({store + "/CURRENT"});
  CHECK(current["manifest"] == manifest["number"]);

  Writer writer({dir / "killed", "--ops", "1000000", "--sync-every", "10"});
  REQUIRE(writer.wait_for(100));
  writer.kill_and_drain();
  const json log = inspect({only_file(dir / "killed", ".log"), "--entries"});
  CHECK(log["type"] == "log");
  CHECK(log["records"][0]["type"] == "data");
  CHECK(log["records"][0]["first_sequence"] == 1);
  // The last operation of a step puts its number (tools/lsm/steps.h).
  CHECK(log["records"][0]["operations"].back()["key"] == "#step");
  CHECK(log["records"][0]["operations"].back()["value"] == "1");
  CHECK(std::ranges::any_of(log["records"],
                            [](const json& r) { return r["type"] == "mark"; }));
}

TEST_CASE("stats as JSON tell the levels and their sum", "[engine][tool]") {
  STORY("2,000 rows in one table.");
  const TempDir dir;
  const std::string store = make_store(dir);
  const Ran ran = run_tool({"stats", store, "--json"});
  CHECK_SAME(ran.status, 0);
  const json stats = json::parse(ran.out);
  std::uint64_t entries = 0;
  for (const json& level : stats["levels"]) {
    entries += level["entries"].get<std::uint64_t>();
  }
  CHECK(entries == 2000);
  CHECK(stats["space_amplification"] == 1.0);
  CHECK(stats["write_amplification"].is_null());
  CHECK(contains(run_tool({"stats", store}).out, "space amplification   1.00"));
}

TEST_CASE("the writer reports each step, and goes on where the store stopped",
          "[engine][tool]") {
  STORY("Three steps, then up to five; the store is model[5].");
  const TempDir dir;
  CHECK_SAME(run_tool({"writer", dir / "s", "--ops", "3", "--report", "1"}).out,
             "0\n1\n2\n3\nwrote 3 steps\n");
  CHECK_SAME(run_tool({"writer", dir / "s", "--ops", "5", "--report", "1"}).out,
             "3\n4\n5\nwrote 2 steps\n");
  std::map<std::string, std::string> model;
  WriteBatch batch;
  for (std::uint64_t i = 0; i < 5; ++i) {
    tool::make_step(1, i, tool::StepShape(), batch);
    tool::apply_step(batch, model);
  }
  std::string expected;
  for (const auto& [key, value] : model) {
    expected += tool::escape_text(key) + "\t" + tool::escape_text(value) + "\n";
  }
  CHECK_SAME(run_tool({"dump", dir / "s", "--tsv"}).out, expected);
}

TEST_CASE("the demo runs, and leaves a sound store when asked to",
          "[engine][tool][long]") {
  STORY("lsm demo --keep: load, kill, recover, verify, look inside.");
  const TempDir dir;
  const Ran ran = run_tool({"demo", "--keep", dir / "store", "--seed", "1"});
  CHECK_SAME(ran.err, "");
  CHECK_SAME(ran.status, 0);
  CHECK(contains(ran.out, "GRINNING FACE"));
  CHECK(contains(ran.out, "forward and backward"));
  CHECK_SAME(run_tool({"verify", dir / "store"}).status, 0);
  const Ran again = run_tool({"demo", "--keep", dir / "store"});
  CHECK_SAME(again.status, 1);
  check_one_line(again.err, dir / "store");
}

}  // namespace lsm::test
