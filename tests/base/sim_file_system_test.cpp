// Small cases of a power cut, each with the set of all images worked out by
// hand from the model in base/sim_file_system.h: the simulation must reach all
// of them, and nothing else.
#include "base/sim_file_system.h"

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "base/file_system.h"
#include "support/catch.h"
#include "support/random.h"
#include "support/teach.h"

using namespace lsm;
using namespace std::string_literals;
using Mode = FileSystem::Mode;
using Images = std::set<std::string>;

namespace {

// Everything the disk shows: "name=content;" for each file, "name/" and what
// is in it for each folder.
std::string tree(FileSystem& fs, const std::string& folder = "") {
  std::string text;
  const auto names = fs.list(folder + "/");
  REQUIRE_OK(names);
  for (const std::string& name : *names) {
    const std::string path = folder + "/" + name;
    if (fs.list(path)) {
      text += name + "/" + tree(fs, path);
    } else {
      text += name + "=" + read_file(fs, path).value() + ";";
    }
  }
  return text;
}

// The trees that power cuts make of this disk.
Images images(SimFileSystem& fs, CrashModel model, int seeds = 2000) {
  Images seen;
  for (int seed = 0; seed < seeds; seed++) {
    const auto fork = fs.clone();
    fork->power_cycle(model, static_cast<std::uint64_t>(seed));
    seen.insert(tree(*fork));
  }
  return seen;
}

std::unique_ptr<File> create(FileSystem& fs, const std::string& path,
                             std::string_view bytes = "") {
  auto file = fs.open(path, Mode::create);
  REQUIRE_OK(file);
  if (!bytes.empty()) REQUIRE_OK((*file)->append(bytes));
  return std::move(*file);
}

void sync_all(SimFileSystem& fs, File& file) {
  REQUIRE_OK(file.sync());
  REQUIRE_OK(fs.sync_dir("/"));
}

}  // namespace

TEST_CASE("synced bytes under a synced name stay", "[base]") {
  STORY("Append, sync, sync_dir; nothing is pending; cut the power.");
  INVARIANT("I1 synced bytes are there; I2 synced names are there");
  SimFileSystem fs;
  const auto file = create(fs, "a", "hello");
  sync_all(fs, *file);
  CHECK_SAME(images(fs, CrashModel::ordered), Images{"a=hello;"});
  CHECK_SAME(images(fs, CrashModel::any_subset), Images{"a=hello;"});
}

TEST_CASE("an unsynced tail is lost, torn, holed or kept", "[base]") {
  STORY("\"ab\" is synced, \"cd\" is not.");
  INVARIANT("I1 a file that grew ends anywhere from its synced length on");
  SimFileSystem fs;
  const auto file = create(fs, "a", "ab");
  sync_all(fs, *file);
  REQUIRE_OK(file->append("cd"));
  CHECK_SAME(images(fs, CrashModel::ordered),
             Images{"a=ab;", "a=abc;", "a=abcd;", "a=ab\0;"s, "a=ab\0\0;"s,
                    "a=abc\0;"s});
}

TEST_CASE("each page decides for itself", "[base]") {
  STORY("One byte changes in each of two synced pages, through a window.");
  INVARIANT("I1 each later page is old, new or torn");
  SimFileSystem fs;
  const auto file = create(fs, "a");
  REQUIRE_OK(file->allocate(2 * 4096));
  const auto window = file->map(0, 2 * 4096);
  REQUIRE_OK(window);
  sync_all(fs, *file);
  const auto image = [](char first, char second) {
    std::string bytes(2 * 4096, '\0');
    bytes[10] = first;
    bytes[5000] = second;
    return "a=" + bytes + ";";
  };
  CHECK(images(fs, CrashModel::ordered, 100) == Images{image(0, 0)});
  (*window)->bytes()[10] = 'x';
  (*window)->bytes()[5000] = 'y';
  CHECK(images(fs, CrashModel::ordered) ==
        Images{image(0, 0), image('x', 0), image(0, 'y'), image('x', 'y')});
  REQUIRE_OK(file->sync());
  CHECK(images(fs, CrashModel::ordered, 100) == Images{image('x', 'y')});
}

TEST_CASE("a page tears between sectors", "[base]") {
  STORY("One byte changes in the first sector of a page, one in its last.");
  SimFileSystem fs;
  const auto file = create(fs, "a");
  REQUIRE_OK(file->allocate(4096));
  sync_all(fs, *file);
  const auto window = file->map(0, 4096);
  REQUIRE_OK(window);
  (*window)->bytes()[0] = 'x';
  (*window)->bytes()[4095] = 'y';
  const auto image = [](char first, char last) {
    std::string bytes(4096, '\0');
    bytes.front() = first;
    bytes.back() = last;
    return "a=" + bytes + ";";
  };
  CHECK(images(fs, CrashModel::ordered) ==
        Images{image(0, 0), image('x', 0), image(0, 'y'), image('x', 'y')});
}

TEST_CASE("an allocated length may be lost, never what was synced", "[base]") {
  STORY("\"ab\" is synced; then two pages are allocated, and not synced.");
  SimFileSystem fs;
  const auto file = create(fs, "a", "ab");
  sync_all(fs, *file);
  REQUIRE_OK(file->allocate(8192));
  for (const std::string& image : images(fs, CrashModel::ordered, 200)) {
    REQUIRE(image.starts_with("a=ab"));
    REQUIRE(image.find_first_not_of('\0', 4) == image.size() - 1);
    REQUIRE(image.size() <= 2 + 8192 + 1);
  }
}

TEST_CASE("the sync of a file does not keep its name", "[base]") {
  STORY("Create and sync, without sync_dir.");
  INVARIANT("I2 names that sync_dir covered are there");
  SimFileSystem fs;
  const auto file = create(fs, "a", "hello");
  REQUIRE_OK(file->sync());
  CHECK_SAME(images(fs, CrashModel::ordered), Images{"", "a=hello;"});
}

TEST_CASE("ordered: the changes of names survive as a prefix", "[base]") {
  STORY("Create a and b; rename a to c.");
  SimFileSystem fs;
  create(fs, "a");
  create(fs, "b");
  REQUIRE_OK(fs.rename("a", "c"));
  CHECK_SAME(images(fs, CrashModel::ordered),
             Images{"", "a=;", "a=;b=;", "b=;c=;"});
}

TEST_CASE("any_subset: in any order, but for one name", "[base]") {
  STORY("Create a and b; rename a to c: the rename needs the creation.");
  SimFileSystem fs;
  create(fs, "a");
  create(fs, "b");
  REQUIRE_OK(fs.rename("a", "c"));
  CHECK_SAME(images(fs, CrashModel::any_subset),
             Images{"", "a=;", "b=;", "a=;b=;", "c=;", "b=;c=;"});
}

TEST_CASE("a rename leads to the old file or the new", "[base]") {
  STORY("CURRENT is durable; tmp is renamed over it; OLD is removed.");
  INVARIANT("I3 a rename is in the image as a whole or not at all");
  SimFileSystem fs;
  sync_all(fs, *create(fs, "OLD"));
  sync_all(fs, *create(fs, "CURRENT", "old"));
  sync_all(fs, *create(fs, "tmp", "new"));
  REQUIRE_OK(fs.rename("tmp", "CURRENT"));
  REQUIRE_OK(fs.remove("OLD"));
  const std::string before = "CURRENT=old;OLD=;tmp=new;";
  const std::string after = "CURRENT=new;";
  CHECK_SAME(images(fs, CrashModel::ordered),
             Images{before, "CURRENT=new;OLD=;", after});
  // LevelDB #195: the removal reached the disk, the rename did not.
  CHECK_SAME(
      images(fs, CrashModel::any_subset),
      Images{before, "CURRENT=new;OLD=;", after, "CURRENT=old;tmp=new;"});
  REQUIRE_OK(fs.sync_dir("/"));
  CHECK_SAME(images(fs, CrashModel::any_subset), Images{after});
}

TEST_CASE("sync_dir covers its own folder", "[base]") {
  STORY("Folder d is created; d/x in it; only d is synced, then only /.");
  SimFileSystem fs;
  REQUIRE_OK(fs.create_dir("d"));
  create(fs, "d/x");
  REQUIRE_OK(fs.sync_dir("d"));
  CHECK_SAME(images(fs, CrashModel::any_subset), Images{"", "d/x=;"});
  create(fs, "d/y");
  REQUIRE_OK(fs.sync_dir("/"));
  CHECK_SAME(images(fs, CrashModel::any_subset), Images{"d/x=;", "d/x=;y=;"});
}

TEST_CASE("a move to another folder is durable with either sync", "[base]") {
  STORY("Rename d/x to e/x; sync one of the two folders.");
  for (const std::string synced : {"d", "e"}) {
    SimFileSystem fs;
    REQUIRE_OK(fs.create_dir("d"));
    REQUIRE_OK(fs.create_dir("e"));
    REQUIRE_OK(fs.sync_dir("/"));
    create(fs, "d/x");
    REQUIRE_OK(fs.rename("d/x", "e/x"));
    CHECK_SAME(images(fs, CrashModel::any_subset),
               Images{"d/e/", "d/x=;e/", "d/e/x=;"});
    REQUIRE_OK(fs.sync_dir(synced));
    CHECK_SAME(images(fs, CrashModel::any_subset), Images{"d/e/x=;"});
  }
}

TEST_CASE("both names of a file show the same image", "[base]") {
  STORY("Link a as b, all durable; append without sync; cut the power.");
  SimFileSystem fs;
  const auto file = create(fs, "a");
  REQUIRE_OK(fs.link("a", "b"));
  sync_all(fs, *file);
  REQUIRE_OK(file->append("1"));
  CHECK_SAME(images(fs, CrashModel::ordered),
             Images{"a=;b=;", "a=1;b=1;", "a=\0;b=\0;"s});
}

TEST_CASE("a removed file that was not synced may come back", "[base]") {
  STORY("A durable file is removed without sync_dir, then with it.");
  SimFileSystem fs;
  sync_all(fs, *create(fs, "a", "1"));
  REQUIRE_OK(fs.remove("a"));
  CHECK_SAME(images(fs, CrashModel::ordered), Images{"", "a=1;"});
  REQUIRE_OK(fs.sync_dir("/"));
  CHECK_SAME(images(fs, CrashModel::ordered), Images{""});
}

TEST_CASE("the power goes off at each operation in turn", "[base]") {
  STORY("Six operations; cut the power at each; see what is promised.");
  for (std::uint64_t cut = 1; cut <= 7; cut++) {
    INFO("power off at operation " << cut);
    SimFileSystem fs;
    fs.cut_power_at(cut);
    std::uint64_t succeeded = 0;
    const auto count = [&](bool success) { succeeded += success ? 1 : 0; };
    auto file = fs.open("a", Mode::create);
    count(file.has_value());
    if (file) {
      count((*file)->append("one").has_value());
      count((*file)->sync().has_value());
    }
    count(fs.sync_dir("/").has_value());
    count(fs.rename("a", "b").has_value());
    count(fs.sync_dir("/").has_value());
    CHECK_SAME(succeeded, cut - 1);
    if (cut <= 6) {
      CHECK_ERROR(fs.list("/"), Code::io);
      CHECK_ERROR(fs.exists("a"), Code::io);
      CHECK_ERROR(fs.open("a", Mode::read), Code::io);
    }
    fs.power_cycle(CrashModel::any_subset, cut);
    const std::string image = tree(fs);
    if (cut <= 2) CHECK((image.empty() || image == "a=;"));
    if (cut == 5) CHECK_SAME(image, "a=one;");
    if (cut == 6) CHECK((image == "a=one;" || image == "b=one;"));
    if (cut == 7) CHECK_SAME(image, "b=one;");
  }
}

TEST_CASE("stores after the power went off reach nothing", "[base]") {
  STORY("Store x, cut the power at a sync, store y into the same window.");
  SimFileSystem fs;
  const auto file = create(fs, "a");
  REQUIRE_OK(file->allocate(10));
  sync_all(fs, *file);
  const auto window = file->map(0, 10);
  REQUIRE_OK(window);
  (*window)->bytes()[0] = 'x';
  fs.cut_power_at(fs.operations() + 1);
  CHECK_ERROR(file->sync(), Code::io);
  (*window)->bytes()[1] = 'y';
  const std::string zeros(9, '\0');
  CHECK(images(fs, CrashModel::ordered) ==
        Images{"a=\0"s + zeros + ";", "a=x" + zeros + ";"});
}

TEST_CASE("handles of before a power cycle are dead", "[base]") {
  STORY("A file, a window and a lock; cycle the power; use them.");
  INVARIANT("I4 every File, Window and FileLock of before is dead");
  SimFileSystem fs;
  auto lock = fs.lock("LOCK");
  REQUIRE_OK(lock);
  const auto file = create(fs, "a", std::string(10, 'x'));
  auto window = file->map(0, 10);
  REQUIRE_OK(window);
  sync_all(fs, *file);
  fs.power_cycle(CrashModel::ordered, 1);
  CHECK_ERROR(file->append("y"), Code::io);
  CHECK_ERROR(file->sync(), Code::io);
  CHECK_ERROR(file->size(), Code::io);
  CHECK_ERROR(file->close(), Code::io);
  (*window)->bytes()[0] = 'z';
  window->reset();
  CHECK_SAME(read_file(fs, "a").value(), std::string(10, 'x'));
  const auto again = fs.lock("LOCK");
  REQUIRE_OK(again);
  lock->reset();  // the dead lock does not release the new one
  CHECK_ERROR(fs.lock("LOCK"), Code::busy);
}

TEST_CASE("a kill keeps every byte and every name", "[base]") {
  STORY("Nothing is synced; kill; all is there; then the power goes, too.");
  SimFileSystem fs;
  const auto lock = fs.lock("LOCK");
  const auto file = create(fs, "a");
  REQUIRE_OK(file->allocate(3));
  const auto window = file->map(0, 3);
  REQUIRE_OK(window);
  (*window)->bytes()[0] = 'x';
  fs.kill();
  (*window)->bytes()[1] = 'y';  // by nobody: the process is gone
  CHECK_SAME(tree(fs), "LOCK=;a=x\0\0;"s);
  CHECK_ERROR(file->append("y"), Code::io);
  CHECK_OK(fs.lock("LOCK"));
  CHECK(images(fs, CrashModel::ordered).contains(""));
}

TEST_CASE("the same seed draws the same image", "[base]") {
  STORY("Random unsynced work; each seed twice.");
  INVARIANT("I5 the same calls and the same seed give the same image");
  SEEDED_RANDOM(random, 5);
  SimFileSystem fs;
  for (int i = 0; i < 10; i++) {
    create(fs, std::to_string(i), random.bytes(random.below(20'000)));
  }
  Images different;
  for (std::uint64_t seed = 0; seed < 50; seed++) {
    const auto one = fs.clone();
    const auto two = fs.clone();
    one->power_cycle(CrashModel::any_subset, seed);
    two->power_cycle(CrashModel::any_subset, seed);
    const std::string image = tree(*one);
    REQUIRE(tree(*two) == image);
    different.insert(image);
  }
  CHECK(different.size() > 25);
}

TEST_CASE("a clone goes its own way", "[base]") {
  STORY("Clone; change both; neither sees the other's change.");
  SimFileSystem fs;
  const auto file = create(fs, "a", "one");
  REQUIRE_OK(fs.link("a", "b"));
  const auto fork = fs.clone();
  REQUIRE_OK(file->append("two"));
  {
    const auto theirs = fork->open("b", Mode::write);
    REQUIRE_OK(theirs);
    REQUIRE_OK((*theirs)->append("2"));
  }
  REQUIRE_OK(fork->remove("b"));
  CHECK_SAME(tree(fs), "a=onetwo;b=onetwo;");
  CHECK_SAME(tree(*fork), "a=one2;");
}

TEST_CASE("the hook sees each operation before it takes effect", "[base]") {
  STORY("Clone before every operation; look at the trees.");
  SimFileSystem fs;
  std::vector<std::string> trees;
  fs.before_each_operation([&](const SimOperation& operation) {
    REQUIRE_SAME(operation.number, trees.size() + 1);
    trees.push_back(tree(*fs.clone()));
  });
  const auto file = create(fs, "a", "1");
  REQUIRE_OK(fs.remove("a"));
  fs.before_each_operation(nullptr);
  REQUIRE_OK(fs.create_dir("d"));
  CHECK_SAME(trees, std::vector<std::string>{"", "a=;", "a=1;"});
  CHECK_SAME(fs.operations(), 4u);
}

TEST_CASE("the hook is told what the operation is", "[base]") {
  STORY("Each kind of operation once; what is told of it is written down.");
  SimFileSystem fs;
  std::vector<std::string> told;
  fs.before_each_operation([&](const SimOperation& one) {
    told.push_back(std::to_string(one.number) + " " + std::string(one.what) +
                   " " + std::string(one.path) + " " + std::string(one.to) +
                   " " + std::to_string(one.bytes));
  });
  REQUIRE_OK(fs.create_dir("d"));
  {
    const auto lock = fs.lock("d/lock");
    REQUIRE_OK(lock);
    const auto file = create(fs, "d/a", "123");
    REQUIRE_OK(file->allocate(100));
    REQUIRE_OK(file->truncate(50));
    REQUIRE_OK(file->sync());
    REQUIRE_OK(file->close());  // reading, listing and closing change nothing
    REQUIRE_OK(read_file(fs, "d/a"));
  }
  REQUIRE_OK(fs.rename("d/a", "d/b"));
  REQUIRE_OK(fs.link("d/b", "d/c"));
  REQUIRE_OK(fs.remove("d/b"));
  REQUIRE_OK(fs.sync_dir("d"));
  CHECK_SAME(told,
             std::vector<std::string>{
                 "1 create_dir d  0", "2 lock d/lock  0", "3 create d/a  0",
                 "4 append d/a  3", "5 allocate d/a  100", "6 truncate d/a  50",
                 "7 sync d/a  0", "8 rename d/a d/b 0", "9 link d/b d/c 0",
                 "10 remove d/b  0", "11 sync_dir d  0"});
}

TEST_CASE("damage shows, and survives the power", "[base]") {
  STORY("Flip bit 9 of \"aaa\": byte 1, second lowest bit; cut to 2 bytes.");
  SimFileSystem fs;
  sync_all(fs, *create(fs, "a", "aaa"));
  CHECK_OK(fs.flip_bit("a", 9));
  CHECK_SAME(tree(fs), "a=aca;");  // 0x61 ^ 0x02 = 0x63
  CHECK_OK(fs.truncate_to("a", 2));
  fs.power_cycle(CrashModel::ordered, 1);
  CHECK_SAME(tree(fs), "a=ac;");
  CHECK_ERROR(fs.flip_bit("b", 0), Code::not_found);
}
