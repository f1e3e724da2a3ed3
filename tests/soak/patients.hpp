// What a soaked fleet is made of: services that crash, end, hang and wait, each run as the dice say.
//
// The dice are keyed draws, so a seed fixes what each run of each service wants to do; real time makes no two soaks
// alike all the same.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <holdfast/asio/context.hpp>
#include <holdfast/policy.hpp>
#include <holdfast/random.hpp>

namespace soak {

class Dice {
 public:
  Dice(holdfast::Seed seed, std::string_view who, std::uint64_t throws_before = 0)
      : key_{.seed = seed, .name = holdfast::name_hash(who)}, index_(throws_before) {}

  std::uint64_t up_to(std::uint64_t max) {
    return uniform_up_to(draw(key_, holdfast::Purpose::run_length, index_++), max);
  }
  holdfast::Duration up_to(holdfast::Duration max) {
    return holdfast::Duration{static_cast<std::int64_t>(up_to(static_cast<std::uint64_t>(max.count())))};
  }

 private:
  holdfast::DrawKey key_;
  std::uint64_t index_;
};

struct Ward {
  holdfast::Seed seed;
  boost::asio::any_io_executor pool;    // other threads, for work that blocks
  std::atomic<std::int64_t> alive = 0;  // instances
};

// One run of one service. Counted while it exists.
class Patient {
 public:
  explicit Patient(Ward& ward) : ward_(ward) { ++ward_.alive; }
  ~Patient() { --ward_.alive; }
  Patient(const Patient&) = delete;
  Patient& operator=(const Patient&) = delete;

  boost::asio::awaitable<void> run(holdfast::Context& ctx);

 private:
  Ward& ward_;
};

// Of service `number`: most are kept alive for ever, some have a breaker or end for good.
holdfast::ServiceConfig config_of(unsigned number);

}  // namespace soak
