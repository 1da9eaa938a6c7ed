// The contract of base/file_system.h, run over every FileSystem there is.
#include "base/file_system.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/fault_file_system.h"
#include "base/posix_file_system.h"
#include "base/sim_file_system.h"
#include "support/catch.h"
#include "support/random.h"
#include "support/teach.h"
#include "support/temp_dir.h"

using namespace lsm;
using namespace std::string_literals;
using Mode = FileSystem::Mode;

namespace {

// One of the file systems, with an empty folder to work in.
struct Disk {
  explicit Disk(const std::string& kind) {
    if (kind == "posix") {
      folder = temporary.path();
      owned = make_posix_file_system();
    } else {
      folder = "db";
      owned = std::make_unique<SimFileSystem>();
      REQUIRE_OK(owned->create_dir(folder));
    }
    if (kind == "fault over sim") {
      wrapper = std::make_unique<FaultFileSystem>(*owned);
    }
  }

  FileSystem& fs() { return wrapper ? *wrapper : *owned; }
  std::string at(const std::string& name) const { return folder + "/" + name; }

  std::unique_ptr<File> create(const std::string& name,
                               std::string_view bytes = "") {
    auto file = fs().open(at(name), Mode::create);
    REQUIRE_OK(file);
    REQUIRE_OK((*file)->append(bytes));
    return std::move(*file);
  }

  std::string content(const std::string& name) {
    const auto bytes = read_file(fs(), at(name));
    REQUIRE_OK(bytes);
    return *bytes;
  }

  test::TempDir temporary;
  std::string folder;
  std::unique_ptr<FileSystem> owned;
  std::unique_ptr<FileSystem> wrapper;
};

// Declares `disk`, once for each kind.
#define FOR_EACH_FILE_SYSTEM(disk)                                   \
  const std::string kind =                                           \
      GENERATE(as<std::string>(), "posix", "sim", "fault over sim"); \
  INFO("file system: " << kind);                                     \
  Disk disk(kind)

template <class T>
bool names_path(const Result<T>& result, const std::string& path) {
  return !result && result.error().message.find(path) != std::string::npos;
}

}  // namespace

TEST_CASE("what is appended is read back", "[base]") {
  STORY("Append two pieces; read them whole, in part, and past the end.");
  FOR_EACH_FILE_SYSTEM(disk);
  const auto file = disk.create("a", "hello ");
  CHECK_OK(file->append(""));
  CHECK_OK(file->append("world"));
  CHECK_SAME(file->size().value(), 11u);
  CHECK_SAME(disk.content("a"), "hello world");

  char buffer[8] = {};
  CHECK_SAME(file->read_at(4, buffer).value(), 7u);
  CHECK_SAME(std::string(buffer, 7), "o world");
  CHECK_SAME(file->read_at(11, buffer).value(), 0u);
  CHECK_SAME(file->read_at(1 << 20, buffer).value(), 0u);
  CHECK_SAME(file->read_at(0, {}).value(), 0u);
}

TEST_CASE("each mode allows what it says", "[base]") {
  STORY("Create what exists, open what does not, write what is for reading.");
  FOR_EACH_FILE_SYSTEM(disk);
  const std::string path = disk.at("a");
  CHECK_ERROR(disk.fs().open(path, Mode::read), Code::not_found);
  CHECK_ERROR(disk.fs().open(path, Mode::write), Code::not_found);
  CHECK(names_path(disk.fs().open(path, Mode::read), path));
  disk.create("a", "one");
  CHECK_ERROR(disk.fs().open(path, Mode::create), Code::io);
  CHECK(names_path(disk.fs().open(path, Mode::create), path));

  const auto reader = disk.fs().open(path, Mode::read);
  REQUIRE_OK(reader);
  CHECK_FALSE((*reader)->append("two").has_value());
  CHECK_FALSE((*reader)->truncate(0).has_value());
  CHECK_FALSE((*reader)->allocate(10).has_value());
  CHECK_FALSE((*reader)->map(0, 3).has_value());

  const auto writer = disk.fs().open(path, Mode::write);
  REQUIRE_OK(writer);
  CHECK_OK((*writer)->append("two"));
  CHECK_SAME(disk.content("a"), "onetwo");
}

TEST_CASE("a folder is not a file, nor the reverse", "[base]") {
  STORY("Open a folder; list, sync and create below a file.");
  FOR_EACH_FILE_SYSTEM(disk);
  FileSystem& fs = disk.fs();
  disk.create("file");
  REQUIRE_OK(fs.create_dir(disk.at("folder")));
  CHECK_OK(fs.create_dir(disk.at("folder")));  // there already: fine
  CHECK_ERROR(fs.open(disk.at("folder"), Mode::read), Code::io);
  CHECK_ERROR(fs.open(disk.at("folder"), Mode::write), Code::io);
  CHECK_ERROR(fs.create_dir(disk.at("file")), Code::io);
  CHECK_FALSE(fs.list(disk.at("file")).has_value());
  CHECK_FALSE(fs.sync_dir(disk.at("file")).has_value());
  CHECK_FALSE(fs.open(disk.at("file/x"), Mode::create).has_value());
  CHECK_SAME(fs.exists(disk.at("file/x")).value(), false);
  CHECK_ERROR(fs.create_dir(disk.at("none/x")), Code::not_found);
  CHECK_ERROR(fs.open(disk.at("none/x"), Mode::create), Code::not_found);
}

TEST_CASE("list gives names, sorted", "[base]") {
  STORY("Create b, a, and folder c with d in it; list both folders.");
  FOR_EACH_FILE_SYSTEM(disk);
  FileSystem& fs = disk.fs();
  disk.create("b");
  disk.create("a");
  REQUIRE_OK(fs.create_dir(disk.at("c")));
  disk.create("c/d");
  CHECK_SAME(fs.list(disk.folder).value(),
             std::vector<std::string>{"a", "b", "c"});
  CHECK_SAME(fs.list(disk.at("c")).value(), std::vector<std::string>{"d"});
  CHECK_ERROR(fs.list(disk.at("none")), Code::not_found);
  CHECK_SAME(fs.exists(disk.at("c/d")).value(), true);
  CHECK_SAME(fs.exists(disk.at("c/e")).value(), false);
}

TEST_CASE("rename replaces, and what was open stays readable", "[base]") {
  STORY("Rename new over old, with old still open.");
  INVARIANT("I4 rename() replaces atomically");
  FOR_EACH_FILE_SYSTEM(disk);
  FileSystem& fs = disk.fs();
  const auto old_file = disk.create("current", "old");
  disk.create("temporary", "new");
  CHECK_OK(fs.rename(disk.at("temporary"), disk.at("current")));
  CHECK_SAME(disk.content("current"), "new");
  CHECK_SAME(fs.exists(disk.at("temporary")).value(), false);
  char buffer[3] = {};
  CHECK_SAME(old_file->read_at(0, buffer).value(), 3u);
  CHECK_SAME(std::string(buffer, 3), "old");
  CHECK_ERROR(fs.rename(disk.at("none"), disk.at("x")), Code::not_found);
  CHECK(names_path(fs.rename(disk.at("none"), disk.at("x")), disk.at("none")));
  // Onto itself: nothing happens.
  CHECK_OK(fs.rename(disk.at("current"), disk.at("current")));
  CHECK_SAME(disk.content("current"), "new");
}

TEST_CASE("a link is a second name of the same bytes", "[base]") {
  STORY("Link a as b; append through a; remove a; read b.");
  FOR_EACH_FILE_SYSTEM(disk);
  FileSystem& fs = disk.fs();
  const auto file = disk.create("a", "one");
  CHECK_OK(fs.link(disk.at("a"), disk.at("b")));
  CHECK_OK(file->append("two"));
  CHECK_OK(fs.remove(disk.at("a")));
  CHECK_SAME(disk.content("b"), "onetwo");
  CHECK_ERROR(fs.link(disk.at("a"), disk.at("c")), Code::not_found);
  disk.create("c");
  CHECK_ERROR(fs.link(disk.at("b"), disk.at("c")), Code::io);
}

TEST_CASE("remove takes files and empty folders", "[base]") {
  STORY("Remove a file that is open, a full folder, an empty one, nothing.");
  FOR_EACH_FILE_SYSTEM(disk);
  FileSystem& fs = disk.fs();
  const auto file = disk.create("a", "still here");
  CHECK_OK(fs.remove(disk.at("a")));
  CHECK_SAME(fs.exists(disk.at("a")).value(), false);
  char buffer[5] = {};
  CHECK_SAME(file->read_at(0, buffer).value(), 5u);
  CHECK_SAME(std::string(buffer, 5), "still");
  REQUIRE_OK(fs.create_dir(disk.at("folder")));
  disk.create("folder/b");
  CHECK_FALSE(fs.remove(disk.at("folder")).has_value());
  CHECK_OK(fs.remove(disk.at("folder/b")));
  CHECK_OK(fs.remove(disk.at("folder")));
  CHECK_ERROR(fs.remove(disk.at("folder")), Code::not_found);
}

TEST_CASE("truncate cuts, and extends with zeros", "[base]") {
  STORY("Cut 6 bytes to 2, then extend to 4: the old bytes are gone.");
  FOR_EACH_FILE_SYSTEM(disk);
  const auto file = disk.create("a", "abcdef");
  CHECK_OK(file->truncate(2));
  CHECK_SAME(disk.content("a"), "ab");
  CHECK_OK(file->truncate(4));
  CHECK_BYTES(disk.content("a"), "ab\0\0"s);
  CHECK_OK(file->append("z"));
  CHECK_BYTES(disk.content("a"), "ab\0\0z"s);
}

TEST_CASE("a window shows allocated space and writes through", "[base]") {
  STORY("Allocate two windows; store across page borders; unmap; read.");
  INVARIANT("I5 storing below an allocated size needs no new space");
  FOR_EACH_FILE_SYSTEM(disk);
  const auto file = disk.create("a", "head");
  const Result<void> allocated = file->allocate(2 * kWindowAlignment);
  if (kind == "posix" && !allocated) {
    CHECK_ERROR(allocated, Code::not_supported);
    return;
  }
  REQUIRE_OK(allocated);
  CHECK_SAME(file->size().value(), 2 * kWindowAlignment);
  CHECK_OK(file->allocate(10));  // less than there is: nothing changes
  CHECK_SAME(file->size().value(), 2 * kWindowAlignment);

  std::string expected(2 * kWindowAlignment, '\0');
  expected.replace(0, 4, "head");
  {
    const auto first = file->map(0, kWindowAlignment);
    const auto second = file->map(kWindowAlignment, kWindowAlignment);
    REQUIRE_OK(first);
    REQUIRE_OK(second);
    CHECK_SAME((*first)->bytes().size(), kWindowAlignment);
    CHECK_SAME(std::string((*first)->bytes().data(), 5), "head\0"s);
    const std::string stored = "across the border of two pages";
    std::ranges::copy(stored, (*first)->bytes().begin() + 4090);
    (*second)->bytes().back() = '!';
    expected.replace(4090, stored.size(), stored);
    expected.back() = '!';
    // Seen through the file while the window is still mapped.
    CHECK(disk.content("a") == expected);
    CHECK_OK(file->sync());
  }
  CHECK(disk.content("a") == expected);

  CHECK_ERROR(file->map(1, 10), Code::invalid_argument);
  CHECK_ERROR(file->map(kWindowAlignment, 2 * kWindowAlignment),
              Code::invalid_argument);
  CHECK_ERROR(file->map(UINT64_MAX - kWindowAlignment + 1, 10),
              Code::invalid_argument);
}

TEST_CASE("close is idempotent, and a closed file fails", "[base]") {
  STORY("Close twice; then append, read and sync.");
  FOR_EACH_FILE_SYSTEM(disk);
  const auto file = disk.create("a", "x");
  CHECK_OK(file->close());
  CHECK_OK(file->close());
  char buffer[1] = {};
  CHECK_FALSE(file->append("y").has_value());
  CHECK_FALSE(file->read_at(0, buffer).has_value());
  CHECK_FALSE(file->sync().has_value());
  CHECK_SAME(disk.content("a"), "x");
}

TEST_CASE("a lock excludes a second one while it lives", "[base]") {
  STORY("Lock, lock again, open and close the same file, lock again.");
  FOR_EACH_FILE_SYSTEM(disk);
  FileSystem& fs = disk.fs();
  const std::string path = disk.at("LOCK");
  auto first = fs.lock(path);
  REQUIRE_OK(first);
  CHECK_ERROR(fs.lock(path), Code::busy);
  CHECK(names_path(fs.lock(path), path));
  {
    const auto unrelated = fs.open(path, Mode::read);
    REQUIRE_OK(unrelated);
    CHECK_OK((*unrelated)->close());
  }
  CHECK_ERROR(fs.lock(path), Code::busy);
  first->reset();
  CHECK_OK(fs.lock(path));
  CHECK_ERROR(fs.lock(disk.at("none/LOCK")), Code::not_found);
}

TEST_CASE("read_file refuses what is larger than its limit", "[base]") {
  STORY("A file of 5 bytes; limits of 5 and 4.");
  FOR_EACH_FILE_SYSTEM(disk);
  disk.create("a", "12345");
  CHECK_SAME(read_file(disk.fs(), disk.at("a"), 5).value(), "12345");
  CHECK_ERROR(read_file(disk.fs(), disk.at("a"), 4), Code::not_supported);
  CHECK_ERROR(read_file(disk.fs(), disk.at("b")), Code::not_found);
}

TEST_CASE("counters tell what went through", "[base]") {
  STORY("Append 10 bytes, report 7 mapped, read 4, sync file and folder.");
  FOR_EACH_FILE_SYSTEM(disk);
  const IoCounters before = disk.fs().counters();
  const auto file = disk.create("a", "0123456789");
  disk.fs().count_mapped(7);
  char buffer[4] = {};
  CHECK_OK(file->read_at(0, buffer));
  CHECK_OK(file->sync());
  CHECK_OK(disk.fs().sync_dir(disk.folder));
  const IoCounters after = disk.fs().counters();
  CHECK_SAME(after.bytes_written - before.bytes_written, 17u);
  CHECK_SAME(after.bytes_read - before.bytes_read, 4u);
  CHECK_SAME(after.reads - before.reads, 1u);
  CHECK_SAME(after.syncs - before.syncs, 2u);
}

TEST_CASE("random appends, cuts and reads agree with a string", "[base]") {
  STORY("2,000 random changes of one file, each compared with a string.");
  FOR_EACH_FILE_SYSTEM(disk);
  SEEDED_RANDOM(random, 7);
  const auto file = disk.create("a");
  std::string model;
  for (int i = 0; i < 2000; i++) {
    switch (random.below(8)) {
      case 0: {
        const std::size_t size = random.below(model.size() + 5000);
        REQUIRE_OK(file->truncate(size));
        model.resize(size);
        break;
      }
      case 1:
        REQUIRE_OK(file->sync());
        break;
      default: {
        const std::string bytes = random.bytes(random.below(3000));
        REQUIRE_OK(file->append(bytes));
        model += bytes;
      }
    }
    const std::size_t offset = random.below(model.size() + 10);
    std::string buffer(random.below(9000), '?');
    const auto count = file->read_at(offset, buffer);
    REQUIRE_OK(count);
    buffer.resize(*count);
    REQUIRE(buffer == model.substr(std::min(offset, model.size()),
                                   std::min(*count, model.size())));
    if (model.size() > 200'000) {
      REQUIRE_OK(file->truncate(0));
      model.clear();
    }
  }
  CHECK(disk.content("a") == model);
}
