#include <holdfast_sim/checks.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include <holdfast_sim/event_fields.hpp>
#include <holdfast_sim/event_log.hpp>

namespace holdfast::sim {

using holdfast::to_string;

__extension__ using Wide = __int128;

// ---------------------------------------------------------------------------------------------------------------------
// The rules
// ---------------------------------------------------------------------------------------------------------------------

namespace {

constexpr std::array<RuleText, kRuleCount> kRules{{
    {"time_never_goes_backwards", "No event is earlier than the one before it."},
    {"events_are_numbered_without_gaps", "The events of a service are numbered from 1; the first is `added`."},
    {"makes_only_legal_transitions", "A phase is followed only by one that may follow it."},
    {"runs_are_numbered_in_order",
     "Each run has the number after the last one's, begins when no other is alive, and is told as started, running, "
     "ended."},
    {"tells_how_long_runs_lasted", "The end of a run tells the time that has passed since its start."},
    {"never_runs_after_termination", "A terminated service starts no run."},
    {"never_starts_after_shutdown", "No run starts after a shutdown was requested."},
    {"follows_the_restart_policy",
     "What follows an end that nobody asked for is what the restart policy says: completed, failed or backing off."},
    {"keeps_every_retry_within_its_ceiling",
     "A delay after a failure lies within min(max, base * 2^(attempt - 1)); one after a clean exit is fixed."},
    {"spreads_its_delays", "Over all failures of a run, delays are half their ceilings on average, as chance allows."},
    {"draws_every_delay_anew", "A service does not wait for the same share of its ceiling again and again."},
    {"starts_when_the_delay_has_passed",
     "A run starts at the very time it is due, or when a restart command cuts the wait short; the first at once."},
    {"trips_exactly_when_the_window_says_so",
     "The breaker opens at the failure that fills its window, and at no other, and terminates the service."},
    {"stops_when_asked",
     "At a shutdown, stop or remove every service concerned stops at that instant, and is cancelled once its run has "
     "ended, whatever it returned; nothing stops unasked."},
    {"restarts_when_commanded",
     "A restart command starts a waiting service at once, a running one when its run has ended, and adds a terminated "
     "one again, unless a shutdown or a remove overtakes it."},
    {"removes_when_commanded", "A service that is to be removed is gone once it has terminated, and no other is."},
    {"removed_services_stay_silent", "Nothing is told about a service after it was removed."},
    {"shuts_down_once", "A shutdown is told once, and `all_terminated` only if no service is active."},
    {"drains_by_its_deadline",
     "A drain is over when the last service has terminated or its deadline has come; whoever is left is abandoned "
     "first, and none is active afterwards."},
    {"tells_late_ends_once", "Only the end of an abandoned run is told as late, and only once."},
    {"last_error_is_kept", "A termination tells the error of the latest run that failed."},
    {"gauge_never_goes_negative", "No more services terminate than were added."},
    {"counters_agree_with_events", "At the end the supervisor's counters are what its events add up to."},
}};

constexpr std::size_t index_of(Rule rule) noexcept { return static_cast<std::size_t>(rule); }
static_assert(index_of(Rule::counters_agree_with_events) + 1 == kRuleCount);

// Which phase may follow which: a row of bits for each, in the order starting, running, backing_off, stopping,
// terminated, as semantics lay them down.
constexpr std::array<unsigned, 5> kMayFollow{{
    0b11110,  // starting: all but itself
    0b11100,  // running: backing_off, stopping, terminated
    0b11001,  // backing_off: starting, stopping, terminated
    0b10101,  // stopping: starting and backing_off for a stop in order to restart; terminated
    0b00000,  // terminated
}};

bool may_follow(Phase from, Phase to) noexcept {
  return ((kMayFollow[static_cast<std::size_t>(from)] >> static_cast<unsigned>(to)) & 1U) != 0;
}

// What must be told next about a service, at the very instant at which it became due.
enum class Owed : std::uint8_t {
  nothing,
  be_ready,
  back_off_after_clean_exit,
  back_off_after_failure,
  complete,
  fail,
  trip,
  open_circuit,
  stop,
  cancel,
  start_again,
  start_now,        // these three are waived if a remove has overtaken the restart
  stop_to_restart,  //
  be_replaced,      //
  be_removed,
};

struct OwedText {
  Rule rule;
  std::string_view says;
};
constexpr std::array<OwedText, 15> kOwedTexts{{
    {Rule::runs_are_numbered_in_order, ""},
    {Rule::runs_are_numbered_in_order, "a run that started is told as running at once"},
    {Rule::follows_the_restart_policy, "a clean exit under always is followed by backing_off clean_exit"},
    {Rule::follows_the_restart_policy, "a failure that does not fill the window is followed by backing_off failure"},
    {Rule::follows_the_restart_policy, "a clean exit under this policy is followed by terminated completed"},
    {Rule::follows_the_restart_policy, "a fatal error, or a failure under never, is followed by terminated failed"},
    {Rule::trips_exactly_when_the_window_says_so, "a failure that fills the window is followed by breaker_tripped"},
    {Rule::trips_exactly_when_the_window_says_so, "a tripped breaker is followed by terminated circuit breaker open"},
    {Rule::stops_when_asked, "a service that is asked to stop is told as stopping, with the cause, at once"},
    {Rule::stops_when_asked, "a service that was stopped and has no run is terminated cancelled at once"},
    {Rule::restarts_when_commanded, "a run that was stopped for a restart is followed by the next one at once"},
    {Rule::restarts_when_commanded, "a restart command starts a waiting service at once"},
    {Rule::restarts_when_commanded, "a restart command asks a running service to stop at once"},
    {Rule::restarts_when_commanded, "a restart command adds a terminated service again at once"},
    {Rule::removes_when_commanded, "a terminated service that is to be removed is removed at once"},
}};

constexpr const OwedText& text_of(Owed owed) noexcept { return kOwedTexts[static_cast<std::size_t>(owed)]; }

constexpr bool may_be_overtaken(Owed owed) noexcept { return owed >= Owed::start_now && owed <= Owed::be_replaced; }

// Whether an event of kind What is what is owed.
template <class What>
bool pays(Owed, StopCause, const What&) noexcept {
  return false;
}
bool pays(Owed owed, StopCause, const event::Started&) noexcept {
  return owed == Owed::start_again || owed == Owed::start_now;
}
bool pays(Owed owed, StopCause, const event::Running&) noexcept { return owed == Owed::be_ready; }
bool pays(Owed owed, StopCause, const event::BackingOff& what) noexcept {
  return owed == (what.cause == BackoffCause::failure ? Owed::back_off_after_failure : Owed::back_off_after_clean_exit);
}
bool pays(Owed owed, StopCause, const event::BreakerTripped&) noexcept { return owed == Owed::trip; }
bool pays(Owed owed, StopCause cause, const event::Stopping& what) noexcept {
  return what.cause == StopCause::restart ? owed == Owed::stop_to_restart : owed == Owed::stop && what.cause == cause;
}
bool pays(Owed owed, StopCause, const event::Terminated& what) noexcept {
  switch (what.why.reason) {
    case Termination::Reason::completed: return owed == Owed::complete;
    case Termination::Reason::cancelled: return owed == Owed::cancel;
    case Termination::Reason::circuit_open: return owed == Owed::open_circuit;
    case Termination::Reason::failed: return owed == Owed::fail;
    case Termination::Reason::abandoned: return false;
  }
  return false;
}
bool pays(Owed owed, StopCause, const event::Removed&) noexcept {
  return owed == Owed::be_removed || owed == Owed::be_replaced;
}

}  // namespace

std::span<const RuleText, kRuleCount> rules() noexcept { return kRules; }

std::string_view to_string(Rule rule) noexcept { return kRules[index_of(rule)].name; }

// ---------------------------------------------------------------------------------------------------------------------
// What is remembered
// ---------------------------------------------------------------------------------------------------------------------

namespace {

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
  TimePoint due;        // the next run, while it waits for it
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

  std::array<Moment, kShownMax> latest;  // event n at n % kShownMax

  void begin(const Event& event, const event::Added& added, std::uint32_t its_policy) {
    *this = Life{};
    generation = event.service.generation;
    run = added.runs_before.value;
    restart = added.restart;
    policy = its_policy;
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

// What is looked at when a run has failed or a rule is broken.
struct alignas(64) Past {
  std::string last_error;            // of the latest run that failed
  std::uint64_t failures = 0;        // that the breaker was asked about, since they were forgotten
  std::vector<TimePoint> failed_at;  // the latest of them, as many as can matter: a ring once it is full
  std::string name;
  TimePoint ignored_at;          // when a restart command seemed to be ignored
  std::uint64_t shown_from = 1;  // the earliest number of an event that can be shown

  void begin(const Event& event) {
    last_error.clear();
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
std::vector<std::string> lines_of(const Life& life, const Past& past, std::uint64_t run) {
  std::vector<std::string> lines;
  std::string_view error = past.last_error;
  for (std::uint64_t i = life.n; i >= past.shown_from && i + Life::kShownMax > life.n; --i) {
    const Moment& moment = life.latest[i % Life::kShownMax];
    Event event{.at = moment.at, .service = {.generation = 1}, .name = past.name, .run = {run}, .what = recall(moment)};
    if (auto* const terminated = std::get_if<event::Terminated>(&event.what)) terminated->last_error = error;
    if (auto* const ended = std::get_if<event::Ended>(&event.what); ended && ended->outcome != Outcome::clean) {
      ended->error = std::exchange(error, {});
    }
    lines.push_back(describe(event));
    if (std::holds_alternative<event::Started>(event.what)) --run;
  }
  std::reverse(lines.begin(), lines.end());
  return lines;
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

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Running along
// ---------------------------------------------------------------------------------------------------------------------

struct Checks::State {
  std::vector<Life> lives;  // by slot
  std::vector<Past> pasts;  // by slot
  std::vector<BackoffPolicy> policies;

  Counters counted;
  TimePoint now = TimePoint::min();

  // A restart in place: removed, and to be added again with the next event.
  struct Replaced {
    std::string name;
    TimePoint at;
    std::uint64_t run;
    std::vector<std::string> lines;
  };
  std::optional<Replaced> replaced;

  std::uint64_t supervisor_n = 0;
  std::optional<event::ShutdownRequested> shutdown;
  TimePoint shutdown_at;
  bool drained = false;
  bool drain_is_late = false;                  // told
  TimePoint drain_over_by = TimePoint::max();  // the instant at the end of which the drain must be over
  std::uint64_t abandoned = 0;

  // Delays after failures, as shares of their ceilings. The excess overflows after 2^32 delays of nothing at the
  // earliest.
  std::uint64_t shares = 0;
  std::int64_t shares_over_half = 0;  // their sum less a half for each, in units of 2^-32
  std::uint64_t pairs = 0;            // of consecutive shares of one service
  std::uint64_t pairs_alike = 0;
  bool told_alike = false;

  std::array<Verdict, kRuleCount> verdicts{};
  std::vector<Violation> violations;

  State() {
    for (std::size_t i = 0; i < kRuleCount; ++i) verdicts[i].rule = static_cast<Rule>(i);
  }

  // -- Telling ------------------------------------------------------------------------------------------------------

  void tested(Rule rule) noexcept { ++verdicts[index_of(rule)].tested; }

  [[nodiscard]] bool counts_only(Rule rule) noexcept {
    ++verdicts[index_of(rule)].violated;
    return violations.size() >= kViolationsKeptMax;
  }

  void violated(Rule rule, std::string_view service, TimePoint at, std::string says, std::vector<std::string> events) {
    if (counts_only(rule)) return;
    violations.push_back({rule, std::string{service}, at, std::move(says), std::move(events)});
  }

  // `says` makes the text; it is called only if the rule is broken.
  template <class Says>
  bool test(Rule rule, bool holds, Step& step, const Says& says) {
    tested(rule);
    if (!holds) broken(rule, step, says);
    return holds;
  }

  template <class Says>
  [[gnu::noinline, gnu::cold]] void broken(Rule rule, Step& step, const Says& says) {
    step.explained = true;
    if (counts_only(rule)) return;
    auto lines = step.lines();
    if (shutdown && is_about_shutdown(rule)) lines.insert(lines.begin(), shutdown_line());
    lines.push_back(describe(step.event));
    violations.push_back({rule, std::string{step.event.name}, step.event.at, says(), std::move(lines)});
  }

  static bool is_about_shutdown(Rule rule) noexcept {
    return rule == Rule::never_starts_after_shutdown || rule == Rule::stops_when_asked ||
           rule == Rule::drains_by_its_deadline;
  }

  [[nodiscard]] std::string shutdown_line() const { return describe({.at = shutdown_at, .what = *shutdown}); }

  // -- The order of everything --------------------------------------------------------------------------------------

  template <class AnyEvent, class Line>
  void time_never_goes_backwards(const AnyEvent& event, const Line& line) {
    tested(Rule::time_never_goes_backwards);
    if (event.at < now) [[unlikely]] {
      violated(Rule::time_never_goes_backwards, event.name, event.at,
               fmt::format("is at {}, after an event at {}", to_string(event.at), to_string(now)), {line()});
    }
    now = event.at;
  }

  void on_event(const Event& event) {
    time_never_goes_backwards(event, [&] { return describe(event); });
    if (event.at > drain_over_by) drain_is_over_in_time(event.at, {shutdown_line(), describe(event)});
    if (replaced) comes_back_in_place(event);
    if (event.about_supervisor()) return on_supervisor_event(event);
    if (const auto* const added = std::get_if<event::Added>(&event.what)) return on_added(event, *added);
    if (!is_known(event.service)) return on_stray_event(event);
    Step step = step_of(event);
    events_are_numbered_without_gaps(step);
    is_not_overdue(step);
    step.explained = false;
    std::visit(
        [&](const auto& what) {
          on(step, what);
          step.life.keep(event, what);
        },
        event.what);
    step.life.just_stopping = std::holds_alternative<event::Stopping>(event.what);
  }

  [[nodiscard]] bool is_known(ServiceId id) const noexcept {
    return id.slot < lives.size() && lives[id.slot].generation == id.generation && lives[id.slot].present;
  }

  Step step_of(const Event& event) {
    const std::uint32_t slot = event.service.slot;
    if (slot >= lives.size()) {
      lives.resize(slot + 1);
      pasts.resize(slot + 1);
    }
    return {event, lives[slot], pasts[slot], lives[slot].run};
  }

  void on_added(const Event& event, const event::Added& added) {
    Step step = step_of(event);
    removed_services_stay_silent(step);
    step.past.begin(event);
    step.life.begin(event, added, policy_index(*added.backoff));
    test(Rule::events_are_numbered_without_gaps, event.n == 1, step,
         [&] { return fmt::format("has the number {} instead of 1", event.n); });
    test(Rule::runs_are_numbered_in_order, event.run == added.runs_before, step,
         [&] { return fmt::format("is told with run {}, having had {}", event.run.value, added.runs_before.value); });
    ++counted.spawned;
    ++counted.active_services;
    step.life.keep(event, added);
  }

  // An event of a service that is not there.
  void on_stray_event(const Event& event) {
    Step step = step_of(event);
    if (event.service.generation <= step.life.generation) {
      if (step.life.unknown) return;
      test(Rule::removed_services_stay_silent, false, step,
           [&] { return fmt::format("{} is told, though the service was removed", kind(event)); });
      return;
    }
    if (!step.life.present) {
      step.past.begin(event);
      step.life = Life{};
      step.life.generation = event.service.generation;
      step.life.unknown = true;
    }
    test(Rule::events_are_numbered_without_gaps, false, step,
         [&] { return fmt::format("its first event is {} instead of added", kind(event)); });
  }

  std::uint32_t policy_index(const BackoffPolicy& policy) {
    constexpr std::size_t kLookBack = 16;  // fleets repeat a few policies
    const std::size_t first = policies.size() < kLookBack ? 0 : policies.size() - kLookBack;
    for (std::size_t i = policies.size(); i > first; --i) {
      if (policies[i - 1] == policy) return static_cast<std::uint32_t>(i - 1);
    }
    policies.push_back(policy);
    return static_cast<std::uint32_t>(policies.size() - 1);
  }

  void events_are_numbered_without_gaps(Step& step) {
    const bool follows = test(Rule::events_are_numbered_without_gaps, step.event.n == step.life.n + 1, step, [&] {
      return fmt::format("has the number {} instead of {}", step.event.n, step.life.n + 1);
    });
    if (!follows) step.past.shown_from = step.event.n;
  }

  // An id is used for one service only; another one has its slot only after it was removed.
  void removed_services_stay_silent(Step& step) {
    const Life& life = step.life;
    test(Rule::removed_services_stay_silent, !life.present, step,
         [&] { return fmt::format("takes the place of \"{}\", which was not removed", step.past.name); });
    if (life.present) return;
    test(Rule::removed_services_stay_silent, step.event.service.generation > life.generation, step,
         [] { return "is added under an id that was used before"; });
  }

  // -- What is owed -------------------------------------------------------------------------------------------------

  // Holds what comes against what was owed. Nothing else may be told about the service in between.
  template <class What>
  void settle(Step& step, const What& what) {
    Life& life = step.life;
    const Owed owed = life.owed;
    life.owed = Owed::nothing;
    if (life.restart_ignored && step.event.at > step.past.ignored_at) restarts_when_commanded(step);
    if (owed == Owed::nothing) return;
    const bool right = pays(owed, life.owed_cause, what);
    if (right && step.event.at == life.owed_at) {
      step.paid = owed;
      tested(text_of(owed).rule);
    } else if (!right && may_be_overtaken(owed)) {
      life.restart_ignored = true;
      step.past.ignored_at = life.owed_at;
    } else if (!step.explained) {
      const Rule rule = blame(owed, step.event);
      test(rule, false, step, [&] {
        std::string says = fmt::format("{}; ", text_of(owed).says);
        says += right ? fmt::format("it came {} late", to_string(step.event.at - life.owed_at))
                      : fmt::format("found {}", kind(step.event));
        if (rule == Rule::trips_exactly_when_the_window_says_so) says += "; " + window_text(step);
        return says;
      });
    }
  }

  // A breaker that opens instead of what the policy asks for is the breaker's mistake.
  static Rule blame(Owed owed, const Event& event) noexcept {
    const auto* const terminated = std::get_if<event::Terminated>(&event.what);
    const bool opens = std::holds_alternative<event::BreakerTripped>(event.what) ||
                       (terminated && terminated->why.reason == Termination::Reason::circuit_open);
    return opens ? Rule::trips_exactly_when_the_window_says_so : text_of(owed).rule;
  }

  // The remove that has overtaken the restart is told within the instant.
  void restarts_when_commanded(Step& step) {
    step.life.restart_ignored = false;
    test(Rule::restarts_when_commanded, false, step, [&] {
      return fmt::format("the restart command at {} was ignored, though no remove or shutdown came after it",
                         to_string(step.past.ignored_at));
    });
  }

  void comes_back_in_place(const Event& event) {
    const auto* const added = std::get_if<event::Added>(&event.what);
    const bool right =
        added && event.name == replaced->name && event.at == replaced->at && added->runs_before.value == replaced->run;
    tested(Rule::restarts_when_commanded);
    if (!right) {
      replaced->lines.push_back(describe(event));
      violated(Rule::restarts_when_commanded, replaced->name, replaced->at,
               fmt::format("a restart command removes a terminated service and adds it again at once, with run numbers "
                           "going on after {}; found {}",
                           replaced->run, kind(event)),
               std::move(replaced->lines));
    }
    replaced.reset();
  }

  // -- Phases -------------------------------------------------------------------------------------------------------

  void makes_only_legal_transitions(Step& step, Phase to) {
    const Phase from = step.life.phase;
    step.life.phase = to;
    tested(Rule::makes_only_legal_transitions);
    if (!may_follow(from, to) && !step.explained) [[unlikely]] {
      broken(Rule::makes_only_legal_transitions, step,
             [&] { return fmt::format("{} may not follow {}", to_string(to), to_string(from)); });
    }
  }

  // Kinds that change no phase, and those that never get here.
  template <class What>
  void on(Step&, const What&) {}

  // -- Runs ---------------------------------------------------------------------------------------------------------

  void is_the_present_run(Step& step) {
    test(Rule::runs_are_numbered_in_order, step.event.run.value == step.life.run, step,
         [&] { return fmt::format("is told of run {}, but the latest is {}", step.event.run.value, step.life.run); });
    step.life.run = step.event.run.value;
  }

  void runs_are_numbered_in_order(Step& step) {
    const Life& life = step.life;
    if (!test(Rule::runs_are_numbered_in_order, step.event.run.value == life.run + 1, step,
              [&] { return fmt::format("run {} follows run {}", step.event.run.value, life.run); })) {
      step.explained = false;
    }
    test(Rule::runs_are_numbered_in_order, !life.run_alive || life.phase == Phase::terminated, step,
         [&] { return fmt::format("a run starts while run {} is alive", life.run); });
    step.life.run = step.event.run.value;
  }

  void never_runs_after_termination(Step& step) {
    test(Rule::never_runs_after_termination, step.life.phase != Phase::terminated, step,
         [&] { return fmt::format("{} is told, though the service has terminated", kind(step.event)); });
  }

  void never_starts_after_shutdown(Step& step) {
    tested(Rule::never_starts_after_shutdown);
    if (shutdown) [[unlikely]] {
      broken(Rule::never_starts_after_shutdown, step,
             [&] { return fmt::format("a run starts after the shutdown requested at {}", to_string(shutdown_at)); });
    }
  }

  void starts_when_the_delay_has_passed(Step& step) {
    const Life& life = step.life;
    if (life.told_overdue || step.explained || !life.waits() || step.paid == Owed::start_now) return;
    test(Rule::starts_when_the_delay_has_passed, step.event.at == life.due, step, [&] {
      return fmt::format("a run starts at {}, but is due at {}", to_string(step.event.at), to_string(life.due));
    });
  }

  void is_not_overdue(Step& step) {
    Life& life = step.life;
    if (step.event.at <= life.due || life.told_overdue || !life.waits()) return;
    if (std::holds_alternative<event::Started>(step.event.what)) return;
    life.told_overdue = true;
    test(Rule::starts_when_the_delay_has_passed, false, step,
         [&] { return fmt::format("no run has started, though one was due at {}", to_string(life.due)); });
  }

  void on(Step& step, const event::Started& what) {
    Life& life = step.life;
    runs_are_numbered_in_order(step);
    never_runs_after_termination(step);
    never_starts_after_shutdown(step);
    settle(step, what);
    starts_when_the_delay_has_passed(step);
    if (step.paid == Owed::start_now) forget_failures(step);
    const bool is_first = life.phase == Phase::starting && !life.run_alive;
    if (!is_first) makes_only_legal_transitions(step, Phase::starting);
    ++counted.starts;
    if (life.started_before) ++counted.restarts;
    life.started_before = life.run_alive = true;
    life.told_overdue = false;
    life.began = step.event.at;
    life.owe(Owed::be_ready, step.event.at);
  }

  void on(Step& step, const event::Running& what) {
    is_the_present_run(step);
    never_runs_after_termination(step);
    settle(step, what);
    makes_only_legal_transitions(step, Phase::running);
  }

  void tells_how_long_runs_lasted(Step& step, Duration lasted) {
    const Duration right = step.event.at - step.life.began;
    test(Rule::tells_how_long_runs_lasted, lasted == right, step, [&] {
      return fmt::format("the run lasted {}, from {}, but {} is told", to_string(right), to_string(step.life.began),
                         to_string(lasted));
    });
  }

  void on(Step& step, const event::Ended& what) {
    Life& life = step.life;
    is_the_present_run(step);
    settle(step, what);
    if (life.run_alive && life.phase == Phase::terminated) {
      life.run_alive = false;
      test(Rule::tells_late_ends_once, false, step, [] { return "the end of an abandoned run is told as ended"; });
      return;
    }
    if (!test(Rule::runs_are_numbered_in_order, life.run_alive, step, [] { return "a run ends, but none is alive"; })) {
      return;
    }
    tells_how_long_runs_lasted(step, what.lasted);
    life.run_alive = false;
    if (life.phase == Phase::stopping) {
      life.owe(life.stop_cause == StopCause::restart ? Owed::start_again : Owed::cancel, step.event.at);
    } else {
      on_unasked_end(step, what);
    }
    if (what.outcome != Outcome::clean) step.past.last_error = what.error;
  }

  void on(Step& step, const event::EndedLate& what) {
    Life& life = step.life;
    settle(step, what);
    const bool abandoned_run = life.phase == Phase::terminated && life.run_alive;
    test(Rule::tells_late_ends_once, abandoned_run, step, [&] {
      return life.late_end_told ? "the late end of the run is told again"
                                : "a late end is told, but no run was abandoned";
    });
    if (!abandoned_run) return;
    life.run_alive = false;
    life.late_end_told = true;
    tells_how_long_runs_lasted(step, what.lasted);
  }

  // -- Policy, backoff and breaker ----------------------------------------------------------------------------------

  void on_unasked_end(Step& step, const event::Ended& what) {
    Life& life = step.life;
    const BackoffPolicy& policy = policies[life.policy];
    if (step.event.at - life.began >= policy.cooldown) forget_failures(step);
    Owed owed = Owed::nothing;
    if (what.outcome == Outcome::clean) {
      ++counted.clean_exits;
      life.attempt = 0;
      owed = life.restart == RestartPolicy::always ? Owed::back_off_after_clean_exit : Owed::complete;
    } else {
      ++counted.failures;
      if (what.outcome == Outcome::fatal || life.restart == RestartPolicy::never) {
        owed = Owed::fail;
      } else {
        owed = fills_the_window(step, policy) ? Owed::trip : Owed::back_off_after_failure;
        if (policy.breaker) tested(Rule::trips_exactly_when_the_window_says_so);
      }
    }
    life.owe(owed, step.event.at);
  }

  // Counts a failure. The window is full if the failure max_failures - 1 before this one is not older than it.
  static bool fills_the_window(Step& step, const BackoffPolicy& policy) {
    Life& life = step.life;
    Past& past = step.past;
    const bool is_first = life.attempt == 0;
    if (life.attempt < std::numeric_limits<Attempt>::max()) ++life.attempt;
    if (is_first) {
      life.ceiling = std::min(policy.base, policy.max);
    } else {
      life.ceiling = life.ceiling > policy.max - life.ceiling ? policy.max : life.ceiling + life.ceiling;
    }
    if (!policy.breaker) return false;
    const std::uint64_t most = policy.breaker->max_failures;
    const std::uint64_t position = past.failures++ % most;
    if (past.failures <= most) {
      past.failed_at.push_back(step.event.at);
    } else {
      past.failed_at[position] = step.event.at;
    }
    return past.failures >= most && past.failed_at[past.failures % most] >= step.event.at - policy.breaker->window;
  }

  static void forget_failures(Step& step) noexcept {
    step.life.attempt = 0;
    step.past.forget_failures();
  }

  void keeps_every_retry_within_its_ceiling(Step& step, const event::BackingOff& what) {
    Life& life = step.life;
    const bool failed = what.cause == BackoffCause::failure;
    const Duration fixed = policies[life.policy].clean_restart_delay;
    const Duration ceiling = failed ? life.ceiling : fixed;
    const bool numbers_agree = what.attempt == life.attempt && what.ceiling == ceiling;
    test(Rule::keeps_every_retry_within_its_ceiling, numbers_agree, step, [&] {
      return fmt::format("is attempt {} with a ceiling of {}; right is attempt {} with a ceiling of {}", what.attempt,
                         to_string(what.ceiling), life.attempt, to_string(ceiling));
    });
    const bool within = failed ? what.delay >= Duration::zero() && what.delay <= ceiling : what.delay == fixed;
    if (numbers_agree) {
      test(Rule::keeps_every_retry_within_its_ceiling, within, step, [&] {
        return failed ? fmt::format("the delay is {}; allowed is 0s to {}", to_string(what.delay), to_string(ceiling))
                      : fmt::format("the delay is {}; after a clean exit it is {}", to_string(what.delay),
                                    to_string(fixed));
      });
    }
    life.attempt = what.attempt;
    if (failed) life.ceiling = what.ceiling;
  }

  // Only ceilings so long that rounding to nanoseconds makes no difference.
  void counts_for_the_spread(const event::BackingOff& what) noexcept {
    if (what.ceiling < std::chrono::milliseconds{1}) return;
    ++shares;
    auto delay = static_cast<std::uint64_t>(what.delay.count());
    auto ceiling = static_cast<std::uint64_t>(what.ceiling.count());
    if (const auto width = std::bit_width(ceiling); width > 32) {
      delay >>= width - 32;
      ceiling >>= width - 32;
    }
    shares_over_half += static_cast<std::int64_t>((delay << 32) / ceiling) - (std::int64_t{1} << 31);
  }

  // A uniform share has the variance 1/12, so the sum of n of them is within 6 standard errors of n/2 if
  // (sum - n/2)^2 <= 36 * n/12; chance misses that once in 500 million runs. A share is counted when its wait begins:
  // that short waits are followed by more retries than long ones before the run is over then favours neither.
  void spreads_its_delays(const SimulationEnd& end) {
    constexpr std::uint64_t kSharesMin = 100;
    if (shares < kSharesMin) return;
    tested(Rule::spreads_its_delays);
    const Wide excess = shares_over_half;
    if (excess * excess <= (Wide{3} * static_cast<std::int64_t>(shares)) << 64) return;
    const Wide mean = (Wide{10'000} * (excess + (Wide{shares} << 31)) / static_cast<std::int64_t>(shares)) >> 32;
    const auto hundredths = static_cast<std::int64_t>(mean);
    violated(Rule::spreads_its_delays, {}, end.at,
             fmt::format("{} delays are {}.{:02}% of their ceilings on average, more than 6 standard errors from 50%",
                         shares, hundredths / 100, hundredths % 100),
             {});
  }

  // The same draw gives shares that differ by rounding alone. Two draws do that once in 300 million pairs, so the
  // third time tells, and in a run of many millions of pairs what chance cannot explain.
  void draws_every_delay_anew(Step& step, const event::BackingOff& what) {
    constexpr Duration kCeilingMin = std::chrono::seconds{1};
    constexpr std::uint64_t kAlikeMin = 3;
    constexpr std::uint64_t kPairsForEachAlike = 1'000'000;
    if (what.ceiling < kCeilingMin) return;
    const event::BackingOff before = retry_before(step);
    if (before.ceiling < kCeilingMin) return;
    ++pairs;
    const Wide apart =
        Wide{before.delay.count()} * what.ceiling.count() - Wide{what.delay.count()} * before.ceiling.count();
    const std::int64_t rounding = std::max(before.ceiling, what.ceiling).count();
    if (apart <= rounding && -apart <= rounding) ++pairs_alike;
    const bool by_chance = pairs_alike < kAlikeMin || pairs_alike <= pairs / kPairsForEachAlike;
    test(Rule::draws_every_delay_anew, by_chance || told_alike, step, [&] {
      return fmt::format("the delay is {} of {}, the one before it was {} of {}; shares were repeated {} times in {}",
                         to_string(what.delay), to_string(what.ceiling), to_string(before.delay),
                         to_string(before.ceiling), pairs_alike, pairs);
    });
    told_alike = told_alike || !by_chance;
  }

  // The latest retry after a failure, if only its run came since: it was started, running, and ended.
  static event::BackingOff retry_before(const Step& step) {
    constexpr std::uint64_t kEventsOfARetry = 4;
    static_assert(kEventsOfARetry <= Life::kShownMax);
    constexpr std::size_t kKind = Event::What{event::BackingOff{}}.index();
    const Moment& moment = step.life.latest[(step.event.n - kEventsOfARetry) % Life::kShownMax];
    event::BackingOff retry{};
    if (moment.kind == kKind) visit_fields(Carrier<true>{moment}, retry);
    return retry.cause == BackoffCause::failure ? retry : event::BackingOff{};
  }

  void on(Step& step, const event::BackingOff& what) {
    Life& life = step.life;
    is_the_present_run(step);
    settle(step, what);
    if (step.paid == Owed::nothing && !step.explained) {
      test(Rule::follows_the_restart_policy, false, step, [] { return "the service backs off, but no run has ended"; });
    }
    if (step.paid != Owed::nothing) keeps_every_retry_within_its_ceiling(step, what);
    if (step.paid == Owed::back_off_after_failure && what.delay >= Duration::zero() && what.delay <= what.ceiling) {
      counts_for_the_spread(what);
      draws_every_delay_anew(step, what);
    }
    makes_only_legal_transitions(step, Phase::backing_off);
    life.due = step.event.at + what.delay;
    life.told_overdue = false;
  }

  // The latest failures of the service, for a message.
  std::string window_text(const Step& step) const {
    const auto& breaker = policies[step.life.policy].breaker;
    if (!breaker) return "the breaker is off";
    constexpr std::size_t kShown = 10;
    const Past& past = step.past;
    const std::size_t count = past.failed_at.size();
    std::string text = fmt::format("{} failures within {} open the breaker, the latest were at", breaker->max_failures,
                                   to_string(breaker->window));
    for (std::size_t i = count < kShown ? count : kShown; i > 0; --i) {
      text += ' ' + to_string(past.failed_at[(past.failures + count - i) % count]);
    }
    return text;
  }

  void has_the_numbers_of_the_window(Step& step, std::uint32_t failures, std::uint32_t max_failures) {
    const auto& breaker = policies[step.life.policy].breaker;
    const std::uint32_t right = breaker ? breaker->max_failures : 0;
    test(Rule::trips_exactly_when_the_window_says_so, failures == right && max_failures == right, step,
         [&] { return fmt::format("tells {}/{} failures instead of {}/{}", failures, max_failures, right, right); });
  }

  void on(Step& step, const event::BreakerTripped& what) {
    is_the_present_run(step);
    settle(step, what);
    if (step.paid == Owed::nothing && !step.explained) {
      test(Rule::trips_exactly_when_the_window_says_so, false, step,
           [&] { return "the breaker opens without a failure; " + window_text(step); });
    } else if (step.paid != Owed::nothing) {
      has_the_numbers_of_the_window(step, what.failures, what.max_failures);
    }
    ++counted.circuit_breaker_trips;
    step.life.owe(Owed::open_circuit, step.event.at);
  }

  // -- Commands and stops -------------------------------------------------------------------------------------------

  void on(Step& step, const event::Commanded& what) {
    is_the_present_run(step);
    settle(step, what);
    switch (what.command) {
      case Command::stop: return owes_a_stop(step.life, step.event.at, StopCause::stop);
      case Command::restart: return owes_a_restart(step.life, step.event.at);
      case Command::remove: return owes_a_removal(step.life, step.event.at);
    }
  }

  static void owes_a_stop(Life& life, TimePoint at, StopCause cause) {
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

  void owes_a_restart(Life& life, TimePoint at) const {
    if (shutdown) return;
    switch (life.phase) {
      case Phase::running: return life.owe(Owed::stop_to_restart, at);
      case Phase::backing_off: return life.owe(Owed::start_now, at);
      case Phase::terminated: return life.owe(Owed::be_replaced, at);
      case Phase::starting:
      case Phase::stopping: return;
    }
  }

  static void owes_a_removal(Life& life, TimePoint at) {
    life.to_be_removed = true;
    life.restart_ignored = false;
    if (life.phase == Phase::terminated) return life.owe(Owed::be_removed, at);
    owes_a_stop(life, at, StopCause::remove);
  }

  void on(Step& step, const event::Stopping& what) {
    Life& life = step.life;
    is_the_present_run(step);
    settle(step, what);
    if (step.paid == Owed::nothing && !step.explained) {
      test(Rule::stops_when_asked, false, step,
           [&] { return fmt::format("stops for {}, though nobody has asked for that now", to_string(what.cause)); });
    }
    if (step.paid == Owed::stop_to_restart) forget_failures(step);
    life.stop_cause = what.cause;
    if (life.phase != Phase::stopping) makes_only_legal_transitions(step, Phase::stopping);
    if (!life.run_alive) life.owe(Owed::cancel, step.event.at);
  }

  void on(Step& step, const event::StopThrew& what) {
    is_the_present_run(step);
    settle(step, what);
    test(Rule::stops_when_asked, step.life.just_stopping && step.life.run_alive, step,
         [] { return "a stop threw, but no run was asked to stop just before"; });
  }

  // -- Ends of lives ------------------------------------------------------------------------------------------------

  void gauge_never_goes_negative(Step& step) {
    if (test(Rule::gauge_never_goes_negative, counted.active_services > 0, step,
             [] { return "a service terminates, but none is active"; })) {
      --counted.active_services;
    }
  }

  void last_error_is_kept(Step& step, std::string_view last_error) {
    test(Rule::last_error_is_kept, last_error == step.past.last_error, step, [&] {
      return fmt::format("the last error is told as \"{}\", but was \"{}\"", last_error, step.past.last_error);
    });
  }

  // A termination that nothing has led to.
  void was_called_for(Step& step, const Termination& why) {
    using Reason = Termination::Reason;
    if (why.reason == Reason::abandoned) return is_abandoned_in_the_drain(step, why);
    if (step.life.phase == Phase::terminated) return;  // the transition says what is wrong
    if (why.reason == Reason::circuit_open) {
      test(Rule::trips_exactly_when_the_window_says_so, false, step,
           [] { return "terminates by an open circuit, but no breaker tripped just before"; });
    } else if (why.reason == Reason::cancelled) {
      test(Rule::stops_when_asked, false, step, [&] {
        return step.life.run_alive ? "is cancelled, but its run is alive" : "is cancelled, but nobody asked it to stop";
      });
    } else {
      test(Rule::follows_the_restart_policy, false, step,
           [&] { return fmt::format("terminates {}, but no run ended just before", to_string(why.reason)); });
    }
  }

  void is_abandoned_in_the_drain(Step& step, const Termination& why) {
    ++counted.abandoned_runs;
    ++abandoned;
    const Life& life = step.life;
    const bool in_drain = shutdown && !drained;
    if (!test(Rule::drains_by_its_deadline, in_drain, step, [] { return "is abandoned, but no drain is under way"; })) {
      return;
    }
    drain_over_by = std::min(drain_over_by, step.event.at);
    const Duration after = step.event.at - shutdown_at;
    test(Rule::drains_by_its_deadline, life.phase == Phase::stopping && life.run_alive, step,
         [&] { return fmt::format("is abandoned while {}", to_string(life.phase)); });
    test(Rule::drains_by_its_deadline, why.after == after, step,
         [&] { return fmt::format("is abandoned after {}, but {} is told", to_string(after), to_string(why.after)); });
  }

  void on(Step& step, const event::Terminated& what) {
    Life& life = step.life;
    is_the_present_run(step);
    gauge_never_goes_negative(step);
    settle(step, what);
    if (step.paid == Owed::nothing && !step.explained) was_called_for(step, what.why);
    if (step.paid == Owed::open_circuit) {
      has_the_numbers_of_the_window(step, what.why.failures, what.why.max_failures);
    }
    last_error_is_kept(step, what.last_error);
    makes_only_legal_transitions(step, Phase::terminated);
    ++counted.terminated;
    if (life.to_be_removed) life.owe(Owed::be_removed, step.event.at);
    if (shutdown && !drained && counted.active_services == 0) drain_over_by = std::min(drain_over_by, step.event.at);
  }

  void on(Step& step, const event::Removed& what) {
    Life& life = step.life;
    is_the_present_run(step);
    settle(step, what);
    if (step.paid == Owed::nothing && !step.explained) {
      test(Rule::removes_when_commanded, false, step, [&] {
        return life.to_be_removed ? "is removed before it has terminated" : "is removed, though nobody asked for that";
      });
    }
    life.present = false;
    if (step.paid != Owed::be_replaced) return;
    replaced = {step.past.name, step.event.at, life.run, step.lines()};
    replaced->lines.push_back(describe(step.event));
  }

  // -- Shutdown -----------------------------------------------------------------------------------------------------

  void on_supervisor_event(const Event& event) {
    tested(Rule::events_are_numbered_without_gaps);
    if (event.n != supervisor_n + 1) {
      violated(Rule::events_are_numbered_without_gaps, {}, event.at,
               fmt::format("has the number {} instead of {}", event.n, supervisor_n + 1), {describe(event)});
    }
    supervisor_n = event.n;
    if (const auto* const requested = std::get_if<event::ShutdownRequested>(&event.what)) {
      on_shutdown_requested(event, *requested);
    } else if (const auto* const over = std::get_if<event::Drained>(&event.what)) {
      on_drained(event, over->outcome);
    }
  }

  void shuts_down_once(const Event& event, ShutdownCause cause) {
    tested(Rule::shuts_down_once);
    if (shutdown) {
      violated(Rule::shuts_down_once, {}, event.at, "a shutdown is requested again",
               {shutdown_line(), describe(event)});
    } else if (cause == ShutdownCause::all_terminated && counted.active_services > 0) {
      violated(Rule::shuts_down_once, {}, event.at,
               fmt::format("all are said to have terminated, but {} are active{}", counted.active_services,
                           names_of_the_active()),
               {describe(event)});
    }
  }

  void on_shutdown_requested(const Event& event, const event::ShutdownRequested& what) {
    shuts_down_once(event, what.cause);
    if (shutdown) return;
    shutdown = what;
    shutdown_at = event.at;
    drain_over_by = counted.active_services == 0 ? event.at : event.at + what.timeout;
    for (std::size_t i = 0; i < lives.size(); ++i) {
      Life& life = lives[i];
      if (!life.present) continue;
      if (may_be_overtaken(life.owed)) {
        life.restart_ignored = true;
        pasts[i].ignored_at = life.owed_at;
        life.owed = Owed::nothing;
      }
      if (life.owed == Owed::nothing) owes_a_stop(life, event.at, StopCause::shutdown);
    }
  }

  void drain_is_over_in_time(TimePoint at, std::vector<std::string> lines) {
    violated(Rule::drains_by_its_deadline, {}, at,
             fmt::format("the drain must be over by {}, and is not{}", to_string(drain_over_by), names_of_the_active()),
             std::move(lines));
    drain_over_by = TimePoint::max();
    drain_is_late = true;
  }

  void on_drained(const Event& event, DrainOutcome outcome) {
    if (const std::string says = what_is_wrong_with_the_drain(event, outcome); !says.empty()) {
      std::vector<std::string> lines{describe(event)};
      if (shutdown) lines.insert(lines.begin(), shutdown_line());
      violated(Rule::drains_by_its_deadline, {}, event.at, says, std::move(lines));
    }
    drained = true;
    drain_over_by = TimePoint::max();
  }

  std::string what_is_wrong_with_the_drain(const Event& event, DrainOutcome outcome) {
    tested(Rule::drains_by_its_deadline);
    if (!shutdown) return "a drain is over, but no shutdown was requested";
    if (drained) return "a drain is over again";
    if (counted.active_services > 0) {
      return fmt::format("{} services are active after the drain{}", counted.active_services, names_of_the_active());
    }
    if (outcome == DrainOutcome::drained) {
      return abandoned == 0 ? "" : fmt::format("is told as drained, but {} services were abandoned", abandoned);
    }
    if (abandoned == 0) return fmt::format("is told as {}, but no service was abandoned", to_string(outcome));
    const TimePoint deadline = shutdown_at + shutdown->timeout;
    if (outcome == DrainOutcome::deadline && event.at != deadline && !drain_is_late) {
      return fmt::format("the deadline is {}, but the drain is told to have met it at {}", to_string(deadline),
                         to_string(event.at));
    }
    return {};
  }

  // " (feed-1, feed-7 and 3 more)"
  std::string names_of_the_active() const {
    constexpr std::size_t kShown = 3;
    std::string names;
    std::size_t count = 0;
    for (std::size_t i = 0; i < lives.size(); ++i) {
      if (!lives[i].present || lives[i].phase == Phase::terminated) continue;
      if (++count <= kShown) names += (count == 1 ? "" : ", ") + pasts[i].name;
    }
    if (count == 0) return {};
    return count <= kShown ? " (" + names + ')' : fmt::format(" ({} and {} more)", names, count - kShown);
  }

  // -- The end ------------------------------------------------------------------------------------------------------

  void finish(const SimulationEnd& end) {
    tested(Rule::time_never_goes_backwards);
    if (end.at < now) {
      violated(Rule::time_never_goes_backwards, {}, end.at,
               fmt::format("the end is at {}, after an event at {}", to_string(end.at), to_string(now)), {});
    }
    for (std::size_t i = 0; i < lives.size(); ++i) {
      if (lives[i].present) nothing_is_owed(i, end);
    }
    if (replaced) {
      violated(Rule::restarts_when_commanded, replaced->name, replaced->at,
               "a restart command adds a terminated service again at once; nothing followed",
               std::move(replaced->lines));
    }
    if (is_over(drain_over_by, end)) drain_is_over_in_time(drain_over_by, {shutdown_line()});
    spreads_its_delays(end);
    counters_agree_with_events(end);
  }

  // Whether everything has happened that was due at `at`. A budget may cut off in the middle of an instant.
  static bool is_over(TimePoint at, const SimulationEnd& end) noexcept {
    if (at == TimePoint::max()) return false;
    return at < end.at || end.reason == EndReason::stalled || (at == end.at && end.reason == EndReason::finished);
  }

  void nothing_is_owed(std::size_t slot, const SimulationEnd& end) {
    const Life& life = lives[slot];
    if (life.owed != Owed::nothing) {
      const auto& [rule, says] = text_of(life.owed);
      broken_at_the_end(rule, slot, life.owed_at, fmt::format("{}; nothing followed", says));
    } else if (life.restart_ignored) {
      broken_at_the_end(Rule::restarts_when_commanded, slot, pasts[slot].ignored_at,
                        "the restart command was ignored, though no remove or shutdown came after it");
    } else if (life.waits() && !life.told_overdue && is_over(life.due, end)) {
      broken_at_the_end(
          Rule::starts_when_the_delay_has_passed, slot, life.due,
          fmt::format("no run has started by {}, though one was due at {}", to_string(end.at), to_string(life.due)));
    }
  }

  void broken_at_the_end(Rule rule, std::size_t slot, TimePoint at, std::string says) {
    auto lines = lines_of(lives[slot], pasts[slot], lives[slot].run);
    if (shutdown && is_about_shutdown(rule)) lines.push_back(shutdown_line());
    violated(rule, pasts[slot].name, at, std::move(says), std::move(lines));
  }

  void counters_agree_with_events(const SimulationEnd& end) {
    tested(Rule::counters_agree_with_events);
    std::string says;
    const auto compare = [&](std::string_view name, std::uint64_t told, std::uint64_t right) {
      if (told == right) return;
      says += fmt::format("{}{} is {}, but the events add up to {}", says.empty() ? "" : "; ", name, told, right);
    };
    compare("spawned", end.counters.spawned, counted.spawned);
    compare("starts", end.counters.starts, counted.starts);
    compare("restarts", end.counters.restarts, counted.restarts);
    compare("failures", end.counters.failures, counted.failures);
    compare("clean_exits", end.counters.clean_exits, counted.clean_exits);
    compare("circuit_breaker_trips", end.counters.circuit_breaker_trips, counted.circuit_breaker_trips);
    compare("terminated", end.counters.terminated, counted.terminated);
    compare("abandoned_runs", end.counters.abandoned_runs, counted.abandoned_runs);
    compare("active_services", end.counters.active_services, counted.active_services);
    if (!says.empty()) violated(Rule::counters_agree_with_events, {}, end.at, std::move(says), {});
  }
};

// ---------------------------------------------------------------------------------------------------------------------
// The class
// ---------------------------------------------------------------------------------------------------------------------

Checks::Checks() : state_(std::make_unique<State>()) {}

Checks::~Checks() = default;

void Checks::on_event(const Event& event) { state_->on_event(event); }

void Checks::on_chaos(const ChaosEvent& event) {
  state_->time_never_goes_backwards(
      event, [&] { return fmt::format("{} {} hit by {}", to_string(event.at), event.name, event.cause); });
}

void Checks::finish(const SimulationEnd& end) { state_->finish(end); }

bool Checks::held() const noexcept {
  return std::all_of(state_->verdicts.begin(), state_->verdicts.end(),
                     [](const Verdict& verdict) { return verdict.violated == 0; });
}

const std::vector<Violation>& Checks::violations() const noexcept { return state_->violations; }

std::vector<Verdict> Checks::verdicts() const { return {state_->verdicts.begin(), state_->verdicts.end()}; }

Counters Checks::counters() const noexcept { return state_->counted; }

}  // namespace holdfast::sim
