// What the rules remember of every service.
//
// Thread-safety: none.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include <holdfast/event.hpp>
#include <holdfast/event_fields.hpp>
#include <holdfast_sim/detail/check_owed.hpp>
#include <holdfast_sim/detail/huge_pages.hpp>

namespace holdfast::sim::detail {

// An event without its texts and its run.
struct Moment {
  TimePoint at;
  std::array<std::int64_t, 2> longs;
  std::uint32_t small;
  std::uint8_t kind;  // index into Event::What
  std::uint8_t word;  // an enumerator
};
static_assert(sizeof(Moment) == 32, "two of them share a cache line");

// Carries the fields of an event into a moment, or out of it: an enumerator, and two long numbers or two short ones and
// a long one at most.
template <bool kOut>
class Carrier {
 public:
  explicit Carrier(std::conditional_t<kOut, const Moment&, Moment&> moment) : moment_(moment) {}

  template <class Value>
  void operator()(std::string_view, Value& value) noexcept {
    using Plain = std::remove_const_t<Value>;
    if constexpr (std::is_enum_v<Plain>) {
      carry(value, moment_.word);
    } else if constexpr (std::is_same_v<Plain, bool>) {
      carry(value, moment_.small);
    } else if constexpr (std::is_same_v<Plain, std::optional<Duration>>) {
      carry_length(value, moment_.longs[longs_++]);
    } else if constexpr (std::is_same_v<Plain, Duration> || std::is_same_v<Plain, std::uint64_t>) {
      carry(value, moment_.longs[longs_++]);
    } else if constexpr (std::is_same_v<Plain, std::uint32_t>) {
      if (is_first_small_) {
        carry(value, moment_.small);
      } else {
        carry(value, moment_.longs[1]);
      }
      is_first_small_ = false;
    } else {
      static_assert(std::is_same_v<Plain, std::string_view>, "a field of an event that no moment keeps");
    }
  }

 private:
  template <class Value, class Kept>
  static void carry(Value& value, Kept& kept) noexcept {
    if constexpr (kOut) {
      value = static_cast<Value>(kept);
    } else if constexpr (std::is_same_v<Value, const Duration>) {
      kept = value.count();
    } else {
      kept = static_cast<Kept>(value);
    }
  }

  // A length of time is never negative where it is optional.
  static void carry_length(std::optional<Duration>& value, const std::int64_t& kept) noexcept {
    if (kept >= 0) value = Duration{kept};
  }
  static void carry_length(const std::optional<Duration>& value, std::int64_t& kept) noexcept {
    kept = value ? value->count() : -1;
  }

  std::conditional_t<kOut, const Moment&, Moment&> moment_;
  std::size_t longs_ = 0;
  bool is_first_small_ = true;
};

template <std::size_t Index = 0>
Event::What recall(const Moment& moment) {
  if constexpr (Index + 1 < std::variant_size_v<Event::What>) {
    if (moment.kind != Index) return recall<Index + 1>(moment);
  }
  std::variant_alternative_t<Index, Event::What> what{};
  visit_fields(Carrier<true>{moment}, what);
  return what;
}

// What the events so far say about one service. It is looked at with every event, so it and what is written with every
// event lie side by side.
struct alignas(64) Life {
  static constexpr std::uint64_t kShownMax = 4;

  std::uint64_t n = 0;
  std::uint64_t run = 0;
  TimePoint began;      // the latest run
  TimePoint due;        // the next run, while it waits for it; the end of the grace, while it stops under one
  TimePoint owed_at;    // when what is owed became due
  Duration ceiling{0};  // of the latest delay
  std::uint32_t generation = 0;
  std::uint32_t policy = 0;
  Attempt attempt = 0;
  Phase phase : 3 = Phase::starting;
  RestartPolicy restart : 2 = RestartPolicy::on_failure;
  StopCause stop_cause : 2 = StopCause::stop;  // while stopping
  bool present : 1 = false;
  Owed owed : 4 = Owed::nothing;
  StopCause owed_cause : 2 = StopCause::stop;  // of the stop that is owed
  bool run_alive : 1 = false;
  bool started_before : 1 = false;
  bool just_stopping : 1 = false;  // the latest event was `stopping`
  bool told_overdue : 1 = false;
  bool to_be_removed : 1 = false;
  bool restart_ignored : 1 = false;
  bool late_end_told : 1 = false;
  bool unknown : 1 = false;  // events were told without an `added`; that was told once, and they are ignored
  bool can_be_killed : 1 = false;
  bool has_grace : 1 = false;  // its run was asked to stop, has not ended, and is to be killed or abandoned when due
  bool killed : 1 = false;     // that run

  std::array<Moment, kShownMax> latest;  // event n at n % kShownMax

  void begin(const Event& event, const event::Added& added, std::uint32_t its_policy) {
    *this = Life{};
    generation = event.service.generation;
    run = added.runs_before.value;
    restart = added.restart;
    policy = its_policy;
    can_be_killed = added.can_be_killed;
    due = event.at;
    present = true;
  }

  [[nodiscard]] bool waits() const noexcept {
    return present && !run_alive && (phase == Phase::starting || phase == Phase::backing_off);
  }

  void owe(Owed what, TimePoint at, StopCause cause = StopCause::stop) noexcept {
    owed = what;
    owed_at = at;
    owed_cause = cause;
  }

  template <class What>
  void keep(const Event& event, const What& what) noexcept {
    Moment& moment = latest[event.n % kShownMax];
    moment.at = event.at;
    moment.kind = static_cast<std::uint8_t>(event.what.index());
    visit_fields(Carrier<false>{moment}, what);
    n = event.n;
  }
};
static_assert(offsetof(Life, latest) == 64);

// A text that is kept in place if it is short, as those of errors mostly are: it is replaced with every failure.
class KeptText {
 public:
  KeptText() = default;
  KeptText& operator=(std::string_view text) {
    size_ = static_cast<std::uint8_t>(std::min<std::size_t>(text.size(), kLong));
    if (size_ < kLong) {
      std::copy(text.begin(), text.end(), in_place_.begin());
    } else if (long_) {
      *long_ = text;
    } else {
      long_ = std::make_unique<std::string>(text);
    }
    return *this;
  }
  [[nodiscard]] std::string_view text() const noexcept {
    return size_ < kLong ? std::string_view{in_place_.data(), size_} : std::string_view{*long_};
  }

 private:
  static constexpr std::size_t kLong = 24;

  std::array<char, kLong - 1> in_place_{};
  std::uint8_t size_ = 0;  // kLong: it is not in place
  std::unique_ptr<std::string> long_;
};

// What is looked at when a run has failed or a rule is broken, the first 64 bytes for every failure.
struct alignas(64) Past {
  KeptText last_error;               // of the latest run that failed
  std::uint64_t failures = 0;        // that the breaker was asked about, since they were forgotten
  std::vector<TimePoint> failed_at;  // the latest of them, as many as can matter: a ring once it is full
  std::string name;
  TimePoint ignored_at;          // when a restart command seemed to be ignored
  std::uint64_t shown_from = 1;  // the earliest number of an event that can be shown
  Duration stop_grace{-1};       // negative: none
  TimePoint stop_asked_at;       // while it stops under a grace

  void begin(const Event& event) {
    last_error = std::string_view{};
    stop_grace = Duration{-1};
    forget_failures();
    name = event.name;
    shown_from = event.n;
  }

  void forget_failures() noexcept {
    failures = 0;
    failed_at.clear();
  }
};

// The latest events of a service whose latest run is `run`, oldest first, to show what led to a violation. Only the
// text of the latest failure is still known.
std::vector<std::string> lines_of(const Life& life, const Past& past, std::uint64_t run);

// One event of one service while the rules look at it.
struct Step {
  const Event& event;
  Life& life;
  Past& past;
  std::uint64_t run_before;   // the latest run before the event
  Owed paid = Owed::nothing;  // what was owed and has come
  bool explained = false;     // a rule that is broken already says what is wrong with the event

  [[nodiscard]] std::vector<std::string> lines() const { return lines_of(life, past, run_before); }
};

// All services, by slot.
struct Lives {
  std::vector<Life, HugePages<Life>> lives;
  std::vector<Past, HugePages<Past>> pasts;

  // Lets it come into the cache.
  void fetch(std::uint32_t slot) const noexcept {
    constexpr std::size_t kCacheLine = 64;
    for (std::size_t at = 0; at < sizeof(Life); at += kCacheLine) {
      __builtin_prefetch(reinterpret_cast<const char*>(&lives[slot]) + at, 1);
    }
    __builtin_prefetch(&pasts[slot], 1);
  }

  // " (feed-1, feed-7 and 3 more)"
  [[nodiscard]] std::string names_of_the_active() const;
};

// What a service owes after a stop, a restart and a removal were asked for.
inline void owes_a_stop(Life& life, TimePoint at, StopCause cause) {
  switch (life.phase) {
    case Phase::starting: return life.owe(life.run_alive ? Owed::stop : Owed::cancel, at, cause);
    case Phase::running:
    case Phase::backing_off: return life.owe(Owed::stop, at, cause);
    case Phase::stopping:
      if (life.stop_cause == StopCause::restart) life.owe(Owed::stop, at, cause);
      return;
    case Phase::terminated: return;
  }
}

inline void owes_a_restart(Life& life, TimePoint at) {
  switch (life.phase) {
    case Phase::running: return life.owe(Owed::stop_to_restart, at);
    case Phase::backing_off: return life.owe(Owed::start_now, at);
    case Phase::terminated: return life.owe(Owed::be_replaced, at);
    case Phase::starting:
    case Phase::stopping: return;
  }
}

inline void owes_a_removal(Life& life, TimePoint at) {
  life.to_be_removed = true;
  life.restart_ignored = false;
  if (life.phase == Phase::terminated) return life.owe(Owed::be_removed, at);
  owes_a_stop(life, at, StopCause::remove);
}

inline void forget_failures(Step& step) noexcept {
  step.life.attempt = 0;
  step.past.forget_failures();
}

}  // namespace holdfast::sim::detail
