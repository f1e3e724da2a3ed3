// What the rules remember of every service.
//
// Thread-safety: none.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <variant>
#include <vector>

#include <holdfast/detail/enumerators.hpp>
#include <holdfast/event.hpp>
#include <holdfast/event_fields.hpp>
#include <holdfast_sim/checks/detail/check_owed.hpp>
#include <holdfast_sim/checks/detail/huge_pages.hpp>

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
      carry_flag(value, flags_++);
    } else if constexpr (std::is_pointer_v<Plain>) {
      carry_address(value, moment_.longs[longs_++]);
    } else if constexpr (std::is_same_v<Plain, std::optional<std::uint32_t>> ||
                         std::is_same_v<Plain, std::optional<ShutdownCause>>) {
      carry_small(value);
    } else if constexpr (std::is_same_v<Plain, std::optional<Duration>>) {
      carry_optional_long(value);
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
      static_assert(std::is_same_v<Plain, std::string_view> || std::is_same_v<Plain, std::optional<std::string_view>>,
                    "a field of an event that no moment keeps");
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

  // An event that has flags has no short numbers.
  void carry_flag(bool& value, unsigned place) noexcept { value = ((moment_.small >> place) & 1U) != 0; }
  void carry_flag(const bool& value, unsigned place) noexcept {
    if (place == 0) moment_.small = 0;
    moment_.small |= static_cast<std::uint32_t>(value) << place;
  }

  // Of something that stays where it is as long as the moment is remembered.
  template <class Pointer>
  static void carry_address(Pointer& value, const std::int64_t& kept) noexcept {
    value = reinterpret_cast<Pointer>(static_cast<std::intptr_t>(kept));  // NOLINT(performance-no-int-to-ptr)
  }
  template <class Pointer>
  static void carry_address(const Pointer& value, std::int64_t& kept) noexcept {
    kept = reinterpret_cast<std::intptr_t>(value);
  }

  // Nothing is 0, and a number one more than it is.
  template <class Value>
  void carry_small(Value& value) noexcept {
    using Number = typename std::remove_const_t<Value>::value_type;
    if constexpr (!kOut) {
      moment_.small = value ? static_cast<std::uint32_t>(*value) + 1 : 0;
    } else if (moment_.small != 0) {
      value = static_cast<Number>(moment_.small - 1);
    }
  }

  // The second long number says whether the first one is there.
  template <class Value>
  void carry_optional_long(Value& value) noexcept {
    if constexpr (!kOut) {
      moment_.longs = {value ? value->count() : 0, value.has_value()};
    } else if (moment_.longs[1] != 0) {
      value = Duration{moment_.longs[0]};
    }
  }

  std::conditional_t<kOut, const Moment&, Moment&> moment_;
  std::size_t longs_ = 0;
  unsigned flags_ = 0;
  bool is_first_small_ = true;
};

// How many numbers of each size a kind of event has.
struct Sizes {
  std::size_t words = 0, flags = 0, smalls = 0, longs = 0, optional_smalls = 0;

  template <class Value>
  constexpr void operator()(std::string_view, const Value&) noexcept {
    if constexpr (std::is_enum_v<Value>) {
      ++words;
    } else if constexpr (std::is_same_v<Value, bool>) {
      ++flags;
    } else if constexpr (std::is_same_v<Value, std::uint32_t>) {
      ++smalls;
    } else if constexpr (std::is_same_v<Value, std::optional<std::uint32_t>> ||
                         std::is_same_v<Value, std::optional<ShutdownCause>>) {
      ++optional_smalls;
    } else if constexpr (std::is_same_v<Value, std::optional<Duration>>) {
      longs += 2;
    } else if constexpr (!std::is_same_v<Value, std::string_view> &&
                         !std::is_same_v<Value, std::optional<std::string_view>>) {
      ++longs;
    }
  }
  // The second short number takes the second place of a long one; an optional one has no other beside it, nor have
  // flags.
  [[nodiscard]] constexpr bool fit() const noexcept {
    return words <= 1 && flags <= 32 && (flags == 0 || smalls + optional_smalls == 0) &&
           (optional_smalls == 0 || (optional_smalls == 1 && smalls == 0)) && smalls <= 2 &&
           longs + (smalls > 1 ? 1 : 0) <= std::tuple_size_v<decltype(Moment::longs)>;
  }
};

template <std::size_t Index = 0>
consteval bool every_kind_fits_a_moment() {
  if constexpr (Index == std::variant_size_v<Event::What>) {
    return true;
  } else {
    std::variant_alternative_t<Index, Event::What> what{};
    Sizes sizes;
    visit_fields(sizes, what);
    return sizes.fit() && every_kind_fits_a_moment<Index + 1>();
  }
}
static_assert(every_kind_fits_a_moment(), "an event has more fields than a moment keeps");

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
  TimePoint began;  // the latest run
  TimePoint due;  // the next run, while it waits for it; the end of the start_timeout, while it starts; the success of
                  // a probe; the end of the grace, while it stops
  TimePoint owed_at;    // when what is owed became due
  Duration ceiling{0};  // of the latest delay
  std::uint32_t generation = 0;
  std::uint32_t policy : 24 = 0;  // and in the byte that it leaves free
  Owed owed : 5 = Owed::nothing;
  Attempt attempt = 0;
  Phase phase : 3 = Phase::starting;
  StopCause stop_cause : 4 = StopCause::stop;  // while stopping
  bool present : 1 = false;
  bool run_alive : 1 = false;
  StopCause owed_cause : 4 = StopCause::stop;  // of the stop that is owed
  bool started_before : 1 = false;
  // These four are mostly tested together.
  bool has_grace : 1 = false;  // its run was asked to stop, has not ended, and is to be killed or abandoned when due
  bool breaker_has_opened : 1 = false;  // and has not closed since
  bool says_when_ready : 1 = false;
  bool has_watchdog : 1 = false;
  bool just_stopping : 1 = false;  // the latest event was `stopping`
  bool reported_overdue : 1 = false;
  bool to_be_removed : 1 = false;
  bool to_be_forgotten : 1 = false;  // it has terminated, and its policy says so
  bool restart_ignored : 1 = false;
  bool unknown : 1 = false;  // events came without an `added`; that was reported once, and they are ignored
  bool can_be_killed : 1 = false;
  bool killed : 1 = false;  // that run
  bool runs_side_by_side : 1 = false;
  bool last_run_failed : 1 = false;   // the latest run that ended
  bool must_close : 1 = false;        // its breaker: the probe has ended cleanly
  bool may_close : 1 = false;         // its breaker: a command asks for it, if nothing overtakes that
  bool owed_is_optional : 1 = false;  // the command behind it may have come too late; the events do not show it

  std::array<Moment, kShownMax> latest;  // event n at n % kShownMax

  void begin(const Event& event, const event::Added& added, std::uint32_t its_policy) {
    *this = Life{};
    generation = event.service.generation;
    run = added.runs_before.value;
    policy = its_policy & 0xffffff;
    can_be_killed = added.can_be_killed;
    runs_side_by_side = added.runs_side_by_side;
    says_when_ready = added.policy->ready == Ready::notified;
    has_watchdog = added.policy->watchdog.has_value();
    due = event.at;
    present = true;
  }

  // It runs, and its breaker closes when that run has stayed up until it is due.
  [[nodiscard]] bool probes() const noexcept {
    return present && run_alive && breaker_has_opened && phase == Phase::running;
  }

  // Its runs may be probes, or say when they are ready, or have to give signs of life.
  [[nodiscard]] bool runs_specially() const noexcept { return breaker_has_opened || says_when_ready || has_watchdog; }

  // It runs, and has to give signs of life.
  [[nodiscard]] bool is_watched() const noexcept {
    return has_watchdog && present && run_alive && phase == Phase::running;
  }

  // Its delay has passed, and it waits for its turn: nobody knows when it is due.
  [[nodiscard]] bool is_limited() const noexcept { return due == TimePoint::max() && phase == Phase::backing_off; }

  // Its run has begun, and is not ready.
  [[nodiscard]] bool starts() const noexcept {
    return says_when_ready && present && run_alive && phase == Phase::starting;
  }

  // What it does, or must have done, when it is due is limited by a deadline.
  [[nodiscard]] bool has_deadline() const noexcept { return has_grace || starts() || probes(); }

  [[nodiscard]] bool waits() const noexcept {
    return present && !run_alive && (phase == Phase::starting || phase == Phase::backing_off);
  }

  void owe(Owed what, TimePoint at, StopCause cause = StopCause::stop) noexcept {
    owed = what;
    owed_at = at;
    owed_cause = cause;
    owed_is_optional = false;
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
static_assert(holdfast::detail::enumerators_of<Phase>() <= 1 << 3 &&
                  holdfast::detail::enumerators_of<StopCause>() <= 1 << 4 &&
                  holdfast::detail::enumerators_of<Owed>() <= 1 << 5,
              "a bit field of Life is too small for its enumeration");

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
  bool late_end_reported = false;
  // What the present graces last says nothing of the default one: the supervisor stood still, its timer is late, or the
  // service was given another policy.
  bool grace_is_special = false;
  bool gives_signs = false;                   // its run has been silent, and gives signs of life again
  TimePoint silent_since = TimePoint::min();  // the latest sign of life of its run; min: the events do not show it
  Duration lateness{0};                       // of the supervisor, while it watches its run: its watchdog may give that
  TimePoint stop_asked_at;                    // while it stops
  TimePoint close_asked_at;                   // when a breaker that must or may close was to do so
  TimePoint ready_at;                         // of a run that says when it is ready, while it runs
  std::uint64_t turn = 0;                     // while it is limited, from 1
  // Runs that were abandoned while the service went on, and that have not ended.
  struct AbandonedRun {
    std::uint64_t run;
    TimePoint began;
  };
  std::vector<AbandonedRun> abandoned_runs;

  void begin(const Event& event) {
    last_error = std::string_view{};
    stop_grace = Duration{-1};
    forget_failures();
    name = event.name;
    show_from(event.n);
  }

  void has_grace_of(const ServicePolicy& policy) noexcept { stop_grace = policy.stop_grace.value_or(Duration{-1}); }

  // A trace that breaks the rules may have an event with the number 0, which is none.
  void show_from(std::uint64_t n) noexcept { shown_from = std::max<std::uint64_t>(n, 1); }

  void forget_failures() noexcept {
    failures = 0;
    failed_at.clear();
  }
};

// The latest events of a service whose latest run is `run`, oldest first, to show what led to a violation. Only the
// text of the latest failure is still known.
std::vector<std::string> lines_of(const Life& life, const Past& past, std::uint64_t run);

// How much later than it is due something may be decided about a run that is watched: the supervisor's timer is that of
// the watchdog, and a supervisor that looks late looks later again.
inline Duration slack_of(const Life& life, const Past& past) noexcept {
  return life.is_watched() ? past.lateness : Duration{0};
}

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
  // The grace of services that have none of their own: the supervisor's shutdown_timeout. The shutdown reports it.
  // Before that the first run that is killed or abandoned shows it.
  std::optional<Duration> default_grace = std::nullopt;

  // nullopt: it is not known yet.
  [[nodiscard]] std::optional<Duration> grace_of(const Past& past) const noexcept {
    return past.stop_grace >= Duration::zero() ? std::optional{past.stop_grace} : default_grace;
  }

  // Prefetches it.
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
      if (goes_on_after(life.stop_cause)) life.owe(Owed::stop, at, cause);
      return;
    case Phase::terminated: return;
  }
}

inline void owe_what_restarts(Life& life, TimePoint at) {
  switch (life.phase) {
    case Phase::running: return life.owe(Owed::stop_to_restart, at);
    case Phase::backing_off: return life.owe(Owed::start_now, at);
    case Phase::terminated: return life.owe(Owed::be_replaced, at);
    case Phase::starting:
      if (life.run_alive) life.owe(Owed::stop_to_restart, at);
      return;
    case Phase::stopping:
      if (goes_on_after(life.stop_cause) && life.stop_cause != StopCause::restart) {
        life.owe(Owed::stop_to_restart, at);
      }
      return;
  }
}

// A command that was given before the latest run began was carried out by that run. Within one instant the events do
// not show which was given first.
inline void owes_a_restart(Life& life, TimePoint at) {
  owe_what_restarts(life, at);
  if (life.owed != Owed::nothing && life.started_before && life.began == at) life.owed_is_optional = true;
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
