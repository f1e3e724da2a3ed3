// Memory that is given back to the system once nothing has happened for a while: what a start or an answer has freed,
// and the pages of the program's own files. A page of a file that is needed again is mapped again from the system's
// cache of that file; a start has read most of what it needs for the only time.
//
// Thread-safety: of SpareMemory none; the functions may be called at any time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <holdfast/event.hpp>

namespace holdfast::up {

struct Mapping {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;  // not in it
  friend bool operator==(const Mapping&, const Mapping&) = default;
};

// The mappings of files that are only read and that are what the file is: no page of them was changed, by a relocation
// or otherwise. `smaps`: as /proc/PID/smaps has them.
std::vector<Mapping> unchanged_mappings(std::istream& smaps);

// Does nothing where it cannot.
void give_spare_memory_back() noexcept;

// Calls give_back() when nothing has stirred for a while, once after each time that something has.
class SpareMemory final : public EventSink {
 public:
  // It takes this long to the double of it.
  static constexpr std::chrono::seconds kQuiet{5};

  explicit SpareMemory(std::function<void()> give_back = give_spare_memory_back,
                       std::chrono::milliseconds quiet = kQuiet)
      : give_back_(std::move(give_back)), quiet_(quiet) {}

  // As long as this exists it waits for quiet. The executor is that of the sinks.
  class Watch {
   public:
    Watch(SpareMemory& memory, const boost::asio::any_io_executor& executor) : memory_(memory) {
      memory.timer_.emplace(executor);
      memory.stir();
    }
    ~Watch() { memory_.timer_.reset(); }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    SpareMemory& memory_;
  };

  void on_event(const Event&) override { stir(); }
  // Something else has happened.
  void stir();

 private:
  void await();

  const std::function<void()> give_back_;
  const std::chrono::milliseconds quiet_;
  std::optional<boost::asio::steady_timer> timer_;
  bool waits_ = false;
  bool has_stirred_ = false;  // since it began to wait
};

}  // namespace holdfast::up
