// Memory that `holdfast up` gives back once nothing has happened for a while.
#include <catch2/catch.hpp>

#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <holdfast/up/spare_memory.hpp>

namespace holdfast::spare_memory_test {

using namespace holdfast::up;
using namespace std::chrono_literals;

namespace {

std::string entry(const std::string& head, const std::string& anonymous = "0", const std::string& swap = "0") {
  return head +
         "\nSize:                 64 kB\nRss:                  64 kB\nPrivate_Dirty:         8 kB\nAnonymous:          "
         "  " +
         anonymous + " kB\nSwap:                 " + swap +
         " kB\nSwapPss:               0 kB\nVmFlags: rd ex mr mw me\n";
}

std::vector<Mapping> found_in(const std::string& text) {
  std::istringstream smaps{text};
  return unchanged_mappings(smaps);
}

// How much of a mapping is in memory, in bytes.
std::size_t resident(void* at, std::size_t length) {
  std::ifstream smaps{"/proc/self/smaps"};
  std::ostringstream head;
  head << std::hex << reinterpret_cast<std::uintptr_t>(at) << '-' << reinterpret_cast<std::uintptr_t>(at) + length
       << ' ';
  for (std::string line; std::getline(smaps, line);) {
    if (!line.starts_with(head.str())) continue;
    while (!line.starts_with("Rss:")) REQUIRE(std::getline(smaps, line));
    return std::stoul(line.substr(4)) * 1024;
  }
  FAIL("there is no such mapping");
  return 0;
}

}  // namespace

TEST_CASE("only mappings of files that nobody can write to and nobody has changed are dropped") {
  const std::string code = "1000-3000 r-xp 00000000 08:01 42                         /usr/bin/holdfast";
  const std::string data = "3000-4000 r--p 00002000 08:01 42                         /usr/bin/hold fast (deleted)";
  CHECK(found_in(entry(code) + entry(data)) == std::vector<Mapping>{{0x1000, 0x3000}, {0x3000, 0x4000}});
  // A page that a relocation has changed is in memory, or in the swap.
  CHECK(found_in(entry(data, "4") + entry(code)) == std::vector<Mapping>{{0x1000, 0x3000}});
  CHECK(found_in(entry(data, "0", "4")).empty());
  CHECK(found_in(entry(data, "0", "40")).empty());
  for (const std::string head :
       {"1000-3000 rw-p 00000000 08:01 42   /usr/bin/holdfast", "1000-3000 r-xp 00000000 00:00 0 ",
        "1000-3000 r-xp 00000000 00:00 0    [vdso]", "1000-3000 r-xs 00000000 08:01 42   /a",
        "1000-3000 rwxp 00000000 08:01 42   /usr/bin/holdfast", "1000 r-xp 0 08:01 42   /a"}) {
    INFO(head);
    CHECK(found_in(entry(head)).empty());
  }
  CHECK(found_in("").empty());
  CHECK(found_in(code + "\nRss: 64 kB\n").empty());  // a system that does not say
  CHECK(found_in(code + "\nAnonymous: 0 kB\n").empty());
}

TEST_CASE("a page of a file goes, and comes back as it is in the file; a page that was changed stays") {
  constexpr std::size_t kLength = 1 << 20;
  std::FILE* const file = std::tmpfile();
  REQUIRE(file != nullptr);
  const std::string content(kLength, 'x');
  REQUIRE(std::fwrite(content.data(), 1, kLength, file) == kLength);
  REQUIRE(std::fflush(file) == 0);
  const auto map = [&](int protection) {
    return static_cast<char*>(::mmap(nullptr, kLength, protection, MAP_PRIVATE, ::fileno(file), 0));
  };
  // The system joins neighbours that are alike: these two differ when it looks.
  char* const read = map(PROT_READ);
  char* const changed = map(PROT_READ | PROT_WRITE);
  changed[5] = 'y';
  REQUIRE(::mprotect(changed, kLength, PROT_READ) == 0);
  for (std::size_t i = 0; i < kLength; i += 4096) REQUIRE(read[i] == 'x');
  REQUIRE(resident(read, kLength) == kLength);
  give_spare_memory_back();
  CHECK(resident(read, kLength) == 0);
  CHECK(read[7] == 'x');
  CHECK(changed[5] == 'y');
  ::munmap(read, kLength);
  ::munmap(changed, kLength);
  std::fclose(file);
}

TEST_CASE("memory is given back once after each time that something has happened, and nobody waits afterwards") {
  boost::asio::io_context io;
  int given = 0;
  SpareMemory memory{[&] { ++given; }, 1ms};
  memory.on_event({});  // before anybody watches
  {
    const SpareMemory::Watch watch{memory, io.get_executor()};
    CHECK(given == 0);
    io.run();  // it ends, so no timer is left
    CHECK(given == 1);
    io.restart();
    io.run();
    CHECK(given == 1);
    io.restart();
    memory.on_event({});
    memory.stir();
    io.run();
    CHECK(given == 2);
    io.restart();
    memory.stir();
  }
  memory.stir();
  io.run();
  CHECK(given == 2);
}

TEST_CASE("what happens while it waits makes it wait once more") {
  boost::asio::io_context io;
  int given = 0, stirred = 0;
  SpareMemory memory{[&] {
                       ++given;
                       CHECK(stirred == 1);
                     },
                     1ms};
  const SpareMemory::Watch watch{memory, io.get_executor()};
  boost::asio::post(io, [&] {
    ++stirred;
    memory.stir();
  });
  CHECK(io.run_one() == 1);  // that
  CHECK(io.run_one() == 1);  // the end of the first wait
  CHECK(given == 0);
  io.run();
  CHECK(given == 1);
}

}  // namespace holdfast::spare_memory_test
