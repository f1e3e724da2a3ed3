#include <holdfast/policy.hpp>

#include <algorithm>
#include <charconv>
#include <system_error>
#include <variant>

#include <holdfast/backoff.hpp>
#include <holdfast/detail/text.hpp>

namespace holdfast {

namespace {

void error(std::vector<Problem>& found, std::string field, std::string says) {
  found.push_back({Problem::Severity::error, std::move(field), std::move(says)});
}

void warning(std::vector<Problem>& found, std::string field, std::string says) {
  found.push_back({Problem::Severity::warning, std::move(field), std::move(says)});
}

void check_duration(std::vector<Problem>& found, const char* field, Duration value, Duration least = Duration::zero()) {
  if (value >= least && value <= kDurationMax) return;
  error(found, field, "is " + to_string(value) + "; allowed is " + to_string(least) + " to " + to_string(kDurationMax));
}

void check_count(std::vector<Problem>& found, const char* field, std::uint32_t value, std::uint32_t most) {
  if (value >= 1 && value <= most) return;
  error(found, field, "is " + std::to_string(value) + "; allowed is 1 to " + std::to_string(most));
}

void check_base(std::vector<Problem>& found, const BackoffPolicy& policy) {
  check_duration(found, "backoff.base", policy.base);
  if (policy.base > policy.max) {
    error(found, "backoff.base",
          "is " + to_string(policy.base) + ", above backoff.max, which is " + to_string(policy.max) +
              "; allowed is 0s to backoff.max");
  }
}

void check_half_open(std::vector<Problem>& found, const HalfOpenPolicy& policy) {
  check_duration(found, "backoff.breaker.half_open.open_for", policy.open_for, Duration{1});
  if (policy.open_for > policy.open_for_max) {
    error(found, "backoff.breaker.half_open.open_for",
          "is " + to_string(policy.open_for) + ", above backoff.breaker.half_open.open_for_max, which is " +
              to_string(policy.open_for_max) + "; allowed is 1ns to open_for_max");
  }
  check_duration(found, "backoff.breaker.half_open.open_for_max", policy.open_for_max, Duration{1});
  check_duration(found, "backoff.breaker.half_open.probe_success_after", policy.probe_success_after, Duration{1});
}

void check_breaker(std::vector<Problem>& found, const BreakerPolicy& breaker) {
  check_count(found, "backoff.breaker.max_failures", breaker.max_failures, kMaxFailuresMax);
  check_duration(found, "backoff.breaker.window", breaker.window, Duration{1});
  if (breaker.half_open) check_half_open(found, *breaker.half_open);
}

std::string text_of(Thousandths number) {
  std::string text = std::to_string(number.count / 1000);
  if (const auto places = number.count % 1000; places != 0) {
    text += '.' + std::to_string(1000 + places).substr(1);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text;
}

void check_thousandths(std::vector<Problem>& found, const char* field, Thousandths value, Thousandths least,
                       Thousandths most) {
  if (value.count >= least.count && value.count <= most.count) return;
  error(found, field, "is " + text_of(value) + "; allowed is " + text_of(least) + " to " + text_of(most));
}

void check_growth(std::vector<Problem>& found, const Growth& growth) {
  if (const auto* const exponential = std::get_if<ExponentialGrowth>(&growth)) {
    check_thousandths(found, "backoff.growth.exponential", exponential->factor, kFactorMin, kFactorMax);
  } else if (const auto* const linear = std::get_if<LinearGrowth>(&growth)) {
    check_duration(found, "backoff.growth.linear", linear->step);
  } else if (const auto* const stepped = std::get_if<SteppedGrowth>(&growth)) {
    if (stepped->steps >= 1 && stepped->steps <= kStepsMax) return;
    error(found, "backoff.growth.steps",
          "is " + std::to_string(stepped->steps) + "; allowed is 1 to " + std::to_string(kStepsMax));
  }
}

void check_jitter(std::vector<Problem>& found, const Jitter& jitter) {
  if (const auto* const proportional = std::get_if<ProportionalJitter>(&jitter)) {
    check_thousandths(found, "backoff.jitter.proportional", proportional->share, kJitterShareMin, kJitterShareMax);
  } else if (const auto* const additive = std::get_if<AdditiveJitter>(&jitter)) {
    check_thousandths(found, "backoff.jitter.additive", additive->share, kJitterShareMin, kJitterShareMax);
  }
}

// The shortest and the longest that the waits between the first max_failures failures can take together.
DelayRange waiting(const BackoffPolicy& policy) {
  DelayRange sum;
  for (Attempt attempt = 1; attempt < policy.breaker->max_failures; ++attempt) {
    const DelayRange wait = delay_range(policy, attempt);
    sum = {saturating_add(sum.least, wait.least), saturating_add(sum.most, wait.most)};
  }
  return sum;
}

// A delay is on average in the middle of its range. Where that alone fills the window, the breaker opens by luck only.
void warn_of_unreachable_breaker(std::vector<Problem>& found, const BackoffPolicy& policy) {
  const auto [shortest, longest] = waiting(policy);
  const Duration average = shortest + (longest - shortest) / 2;
  if (average < policy.breaker->window || (shortest == longest && average == policy.breaker->window)) return;
  const bool unknown = longest == Duration::max();
  warning(found, "backoff.breaker",
          "is out of reach: " + std::to_string(policy.breaker->max_failures) + " failures within " +
              to_string(policy.breaker->window) + " need " + std::to_string(policy.breaker->max_failures - 1) +
              " waits, which take " + (unknown ? "more than " : "") + to_string(average) +
              (shortest == longest ? "" : " on average") +
              (unknown || shortest == longest ? "" : " and at most " + to_string(longest)));
}

// A run just longer than window / (max_failures - 1) lets a failure slide out of the window before the last one that
// is needed comes in; a run shorter than the cooldown clears nothing. (A fixed delay has nothing to be reset.)
void warn_of_dead_band(std::vector<Problem>& found, const BackoffPolicy& policy) {
  if (policy.breaker->max_failures < 2 || std::holds_alternative<FixedDelay>(policy.growth)) return;
  const Duration never_trips_above = policy.breaker->window / (policy.breaker->max_failures - 1);
  if (never_trips_above + Duration{1} >= policy.cooldown) return;
  warning(found, "backoff.cooldown",
          "leaves a band: runs that last more than " + to_string(never_trips_above) + " and less than " +
              to_string(policy.cooldown) + " before they fail neither open the breaker (" +
              std::to_string(policy.breaker->max_failures) + " failures within " + to_string(policy.breaker->window) +
              ") nor reset the backoff");
}

// With no cooldown at all every run clears what the run before it left.
void warn_of_idle_breaker(std::vector<Problem>& found, const BackoffPolicy& policy) {
  if (policy.cooldown > Duration::zero() || policy.breaker->max_failures < 2) return;
  warning(found, "backoff.cooldown",
          "is 0s, so that every run resets the backoff and clears the breaker's history: " +
              std::to_string(policy.breaker->max_failures) + " failures are never counted together");
}

void check_stop_grace(std::vector<Problem>& found, const std::optional<Duration>& grace) {
  if (grace) check_duration(found, "stop_grace", *grace);
}

// The position of the first byte that is not UTF-8, or npos.
std::size_t broken_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = detail::utf8_character(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

void check_name(std::vector<Problem>& found, const std::string& name, const char* field = "name") {
  const std::string allowed =
      "allowed are 1 to " + std::to_string(kNameLengthMax) + " bytes of UTF-8 without control or invisible characters";
  if (name.empty()) {
    error(found, field, "is empty; " + allowed);
  } else if (name.size() > kNameLengthMax) {
    error(found, field, "is " + std::to_string(name.size()) + " bytes long; " + allowed);
  } else if (const auto at = detail::find_invisible(name); at != std::string_view::npos) {
    const auto rest = std::string_view{name}.substr(at);
    const auto code = detail::code_point(rest.substr(0, detail::utf8_character(rest)));
    const bool control = code < 0xa0;
    error(found, field,
          (control ? "has a control character" : "has the invisible character " + detail::code_point_text(code)) +
              " at byte " + std::to_string(at) + "; " + allowed);
  } else if (const auto broken = broken_utf8(name); broken != std::string_view::npos) {
    error(found, field, "is not UTF-8 at byte " + std::to_string(broken) + "; " + allowed);
  } else if (const auto blank = detail::blank_at_an_end(name); !blank.empty()) {
    error(found, field, std::string{blank} + ", which nobody sees; leave it out");
  }
}

}  // namespace

std::string_view to_string(RestartPolicy policy) noexcept {
  switch (policy) {
    case RestartPolicy::always: return "always";
    case RestartPolicy::on_failure: return "on_failure";
    case RestartPolicy::never: return "never";
  }
  return "?";
}

std::string_view to_string(Ready ready) noexcept {
  switch (ready) {
    case Ready::at_once: return "at_once";
    case Ready::notified: return "notified";
  }
  return "?";
}

std::string_view to_string(GrowthLaw law) noexcept {
  switch (law) {
    case GrowthLaw::exponential: return "exponential";
    case GrowthLaw::linear: return "linear";
    case GrowthLaw::steps: return "steps";
    case GrowthLaw::fixed: return "fixed";
  }
  return "?";
}

std::string_view to_string(JitterLaw law) noexcept {
  switch (law) {
    case JitterLaw::full: return "full";
    case JitterLaw::none: return "none";
    case JitterLaw::equal: return "equal";
    case JitterLaw::proportional: return "proportional";
    case JitterLaw::additive: return "additive";
  }
  return "?";
}

std::string_view to_string(BreakerCounts counts) noexcept {
  switch (counts) {
    case BreakerCounts::failures: return "failures";
    case BreakerCounts::ends: return "ends";
  }
  return "?";
}

std::string to_string(const ExitStatuses& statuses) {
  std::string text;
  for (unsigned status = 0; status <= 255; ++status) {
    if (statuses.has(static_cast<std::uint8_t>(status))) text += (text.empty() ? "" : " ") + std::to_string(status);
  }
  return text;
}

std::optional<ExitStatuses> exit_statuses_of(std::string_view text) {
  ExitStatuses statuses;
  for (const char *at = text.data(), *const end = at + text.size(); at < end; ++at) {
    std::uint8_t status = 0;
    const auto read = std::from_chars(at, end, status);
    if (read.ec != std::errc{} || (read.ptr < end && *read.ptr != ' ')) return std::nullopt;
    statuses.add(status);
    at = read.ptr;
  }
  return !text.empty() && to_string(statuses) == text ? std::optional{statuses} : std::nullopt;
}

std::string_view to_string(SignOfLife sign) noexcept {
  switch (sign) {
    case SignOfLife::heartbeat: return "heartbeat";
    case SignOfLife::progress: return "progress";
    case SignOfLife::health: return "health";
  }
  return "?";
}

std::string_view in_words(SignOfLife sign) noexcept {
  return sign == SignOfLife::health ? "good health probe" : to_string(sign);
}

std::string_view to_string(OnDependency what) noexcept {
  switch (what) {
    case OnDependency::keep: return "keep";
    case OnDependency::wait: return "wait";
    case OnDependency::restart: return "restart";
    case OnDependency::stop: return "stop";
  }
  return "?";
}

std::string_view to_string(Strategy strategy) noexcept {
  switch (strategy) {
    case Strategy::one_for_one: return "one_for_one";
    case Strategy::one_for_all: return "one_for_all";
    case Strategy::rest_for_one: return "rest_for_one";
  }
  return "?";
}

std::string_view to_string(EndsFleet when) noexcept {
  switch (when) {
    case EndsFleet::never: return "never";
    case EndsFleet::when_lost: return "when_lost";
    case EndsFleet::always: return "always";
  }
  return "?";
}

NameList::NameList(std::vector<std::string> names) {
  if (!names.empty()) names_ = new std::vector<std::string>(std::move(names));
}

NameList::NameList(std::initializer_list<std::string_view> names)
    : NameList(std::vector<std::string>(names.begin(), names.end())) {}

std::vector<std::string>* NameList::copy_of(const std::vector<std::string>& names) {
  return new std::vector<std::string>(names);
}

bool NameList::are_same(const std::vector<std::string>& a, const std::vector<std::string>& b) noexcept {
  return a == b;
}

void NameList::destroy(std::vector<std::string>* names) noexcept { delete names; }

const std::vector<std::string>& NameList::names() const noexcept {
  static const std::vector<std::string> none;
  return names_ ? *names_ : none;
}

std::string to_string(const NameList& list) {
  std::string text;
  for (const auto& name : list.names()) (text += text.empty() ? "" : "\n") += name;
  return text;
}

std::optional<NameList> name_list_of(std::string_view text) {
  std::vector<std::string> names;
  for (std::size_t begin = 0, end = 0; end != std::string_view::npos; begin = end + 1) {
    end = text.find('\n', begin);
    names.emplace_back(text.substr(begin, end - begin));
    if (names.back().empty()) return std::nullopt;
  }
  return NameList{std::move(names)};
}

std::string_view to_string(WhenAllTerminated when) noexcept {
  return when == WhenAllTerminated::wait ? "wait" : "return";
}

void warn_of_idle_grace(std::vector<Problem>& found, Duration stop_grace, Duration shutdown_timeout) {
  if (stop_grace <= shutdown_timeout) return;
  warning(found, "stop_grace",
          "is " + to_string(stop_grace) + ", longer than shutdown_timeout, which is " + to_string(shutdown_timeout) +
              ": in a shutdown the drain's deadline ends the waiting before that");
}

void warn_of_endless_clean_ends(std::vector<Problem>& found, const ServicePolicy& policy,
                                const SupervisorConfig& config) {
  const BackoffPolicy& backoff = *policy.backoff;
  const bool gives_up = backoff.breaker && backoff.breaker->counts == BreakerCounts::ends;
  if (policy.restart != RestartPolicy::always || gives_up || config.restart_limit) return;
  if (backoff.clean_restart_delay > Duration::zero()) return;
  warning(found, "backoff.clean_restart_delay",
          "is 0s with restart = \"always\": a run that ends cleanly at once is started again at once, for ever, unless "
          "the breaker counts = \"ends\"");
}

namespace {

// A status means one thing.
void check_exit_rules(std::vector<Problem>& found, const ExitRules& rules) {
  if (rules == ExitRules{}) return;
  const auto check = [&found](const char* field, const ExitStatuses& statuses, const char* other_name,
                              const ExitStatuses& others) {
    for (unsigned i = 0; i <= 255; ++i) {
      const auto status = static_cast<std::uint8_t>(i);
      if (!statuses.has(status) || !others.has(status)) continue;
      error(found, field,
            "has " + std::to_string(i) + ", which is in " + other_name + " as well; allowed is one of the two");
    }
  };
  check("exit_rules.failure", rules.failure, "exit_rules.clean", rules.clean);
  check("exit_rules.fatal", rules.fatal, "exit_rules.clean", rules.clean);
  check("exit_rules.fatal", rules.fatal, "exit_rules.failure", rules.failure);
}

void check_order(std::vector<Problem>& found, const Order& order) {
  for (const auto& name : order.after.names()) check_name(found, name, "after");
  for (const auto& name : order.after_if_present.names()) check_name(found, name, "after_if_present");
  if (const std::size_t names = order.after.size() + order.after_if_present.size(); names > kAfterMax) {
    error(found, order.after.size() > kAfterMax ? "after" : "after_if_present",
          "brings it to " + std::to_string(names) + " services that it is after; allowed are up to " +
              std::to_string(kAfterMax));
  }
  check_duration(found, "wake_jitter", order.wake_jitter);
  if (has_errors(found)) return;
  if (order.on_dependency != OnDependency::keep && !order.is_after_any()) {
    warning(found, "on_dependency",
            "is \"" + std::string{to_string(order.on_dependency)} + "\", but the service is after no other");
  }
}

// Each part of the path is a name of its own.
void check_path(std::vector<Problem>& found, const std::string& path, const char* field) {
  if (!path.starts_with('/')) {
    error(found, field, "is \"" + path + "\"; allowed is a path of names, each behind a slash, as \"/gateway/feeds\"");
    return;
  }
  if (path.size() > kNameLengthMax) {
    error(found, field,
          "is " + std::to_string(path.size()) + " bytes long; allowed are up to " + std::to_string(kNameLengthMax));
    return;
  }
  for (std::size_t at = 0; at < path.size() && !has_errors(found);) {
    const std::size_t end = std::min(path.find('/', at + 1), path.size());
    check_name(found, path.substr(at + 1, end - at - 1), field);
    at = end;
  }
}

// The default, or that of files with a command (file/program.hpp), whose breaker tries again, whatever it counts.
bool is_usual(BackoffPolicy policy) {
  if (policy.breaker && policy.breaker->half_open == HalfOpenPolicy{}) policy.breaker->half_open.reset();
  if (policy.breaker) policy.breaker->counts = BreakerCounts::failures;
  return policy == BackoffPolicy{};
}

}  // namespace

std::vector<Problem> problems(const BackoffPolicy& policy) {
  std::vector<Problem> found;
  check_base(found, policy);
  check_duration(found, "backoff.max", policy.max);
  check_duration(found, "backoff.cooldown", policy.cooldown);
  check_duration(found, "backoff.clean_restart_delay", policy.clean_restart_delay);
  check_growth(found, policy.growth);
  check_jitter(found, policy.jitter);
  if (policy.breaker) {
    check_breaker(found, *policy.breaker);
    if (found.empty() && !is_usual(policy)) {
      warn_of_unreachable_breaker(found, policy);
      warn_of_idle_breaker(found, policy);
      warn_of_dead_band(found, policy);
    }
  }
  return found;
}

std::vector<Problem> problems(const SupervisorConfig& config) {
  std::vector<Problem> found;
  check_duration(found, "shutdown_timeout", config.shutdown_timeout);
  const auto of_backoff = problems(config.backoff);
  found.insert(found.end(), of_backoff.begin(), of_backoff.end());
  check_stop_grace(found, config.stop_grace);
  if (config.kill_wait) check_duration(found, "kill_wait", *config.kill_wait);
  if (config.abandoned_runs_max > kAbandonedRunsMaxMax) {
    error(found, "abandoned_runs_max",
          "is " + std::to_string(config.abandoned_runs_max) + "; allowed is 0 to " +
              std::to_string(kAbandonedRunsMaxMax));
  }
  if (config.restart_limit) {
    check_duration(found, "restart_limit.every", config.restart_limit->every, Duration{1});
    check_count(found, "restart_limit.burst", config.restart_limit->burst, kRestartBurstMax);
  }
  if (config.starting_max) check_count(found, "starting_max", *config.starting_max, kStartingMaxMax);
  if (!has_errors(found) && config.stop_grace) {
    warn_of_idle_grace(found, *config.stop_grace, config.shutdown_timeout);
  }
  return found;
}

std::vector<Problem> problems(const ServicePolicy& policy) {
  auto found = policy.backoff ? problems(*policy.backoff) : std::vector<Problem>{};
  check_stop_grace(found, policy.stop_grace);
  if (policy.start_timeout) check_duration(found, "start_timeout", *policy.start_timeout, Duration{1});
  if (policy.watchdog) check_duration(found, "watchdog", *policy.watchdog, Duration{1});
  check_exit_rules(found, policy.exit_rules);
  check_order(found, policy.order);
  if (!policy.group.empty()) check_path(found, policy.group, "group");
  if (!has_errors(found) && policy.start_timeout && policy.ready == Ready::at_once) {
    warning(found, "start_timeout",
            "is " + to_string(*policy.start_timeout) +
                ", but every run is ready at once; it takes effect with ready = \"notified\"");
  }
  if (!has_errors(found) && !policy.watchdog && policy.watchdog_needs != SignOfLife::heartbeat) {
    warning(found, "watchdog_needs",
            "is \"" + std::string{to_string(policy.watchdog_needs)} + "\", but there is no watchdog to need it");
  }
  return found;
}

std::vector<Problem> problems(const ServiceConfig& config) {
  std::vector<Problem> found;
  check_name(found, config.name);
  const auto of_policy = problems(config.policy);
  found.insert(found.end(), of_policy.begin(), of_policy.end());
  return found;
}

std::vector<Problem> problems(const GroupConfig& config) {
  std::vector<Problem> found;
  check_path(found, config.path, "path");
  if (const auto& intensity = config.policy.intensity) {
    if (intensity->max_restarts > kMaxRestartsMax) {
      error(found, "intensity.max_restarts",
            "is " + std::to_string(intensity->max_restarts) + "; allowed is 0 to " + std::to_string(kMaxRestartsMax));
    }
    check_duration(found, "intensity.within", intensity->within, Duration{1});
  }
  return found;
}

ServicePolicy in_force(const ServicePolicy& given, const SupervisorConfig& config) {
  ServicePolicy policy = given;
  if (!policy.backoff) policy.backoff = config.backoff;
  if (!policy.stop_grace) policy.stop_grace = config.stop_grace;
  return policy;
}

std::string describe_errors(const std::vector<Problem>& found) {
  std::string text;
  for (const auto& problem : found) {
    if (problem.severity != Problem::Severity::error) continue;
    if (!text.empty()) text += '\n';
    text += problem.field + ' ' + problem.says;
  }
  return text;
}

bool has_errors(const std::vector<Problem>& found) noexcept {
  return std::any_of(found.begin(), found.end(),
                     [](const Problem& problem) { return problem.severity == Problem::Severity::error; });
}

}  // namespace holdfast
