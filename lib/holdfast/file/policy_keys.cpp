#include <holdfast/file/policy_keys.hpp>

#include <utility>

#include <holdfast/presets.hpp>

namespace holdfast {

using namespace file;

void describe(TableOf<HalfOpenPolicy>& table) {
  table.name("half_open");
  table.is_small();
  table.key("open_for", &HalfOpenPolicy::open_for,
            {.forms = {kPositiveLength},
             .help = "ceiling of the first open time, after which one run, the probe, is tried; the open time is drawn "
                     "between its half and the whole, and doubles each time that the probe fails; not above "
                     "`open_for_max`"});
  table.key("open_for_max", &HalfOpenPolicy::open_for_max,
            {.forms = {kPositiveLength}, .help = "ceiling of every open time"});
  table.key("probe_success_after", &HalfOpenPolicy::probe_success_after,
            {.forms = {kPositiveLength},
             .help = "a probe that has run this long closes the breaker, and so does one that ends cleanly"});
}

void describe(TableOf<BreakerPolicy>& table) {
  table.name("breaker");
  table.is_small();
  table.key(
      "max_failures", &BreakerPolicy::max_failures,
      {.forms = {Integer{1, kMaxFailuresMax}},
       .help = "the breaker opens when the window holds this many failures; 3 means three runs and two restarts"});
  table.key("window", &BreakerPolicy::window,
            {.forms = {kPositiveLength}, .help = "a failure exactly this old still counts"});
  table.key(
      "half_open", &BreakerPolicy::half_open,
      {.otherwise = "none: it stays open, and the service terminates",
       .help = "with it an open breaker tries again, so that the service is never given up; `{}` has the defaults"});
  table.key("counts", &BreakerPolicy::counts,
            {.help = "what it counts as a failure: failures alone, or every end that another run follows, clean exits "
                     "under `restart = \"always\"` included"});
}

namespace {

Thousandths thousandths(const TomlValue& value) { return Thousandths::of(value.number); }
TomlValue decimal(Thousandths number) { return toml(static_cast<double>(number.count) / 1000); }

// How the laws that have a number stand in their tables.
struct AsFactor {
  static std::vector<Form> forms() { return {Number{Ratio::from(1.1), Ratio::from(100)}}; }
  static ExponentialGrowth read(const TomlValue& value) { return {thousandths(value)}; }
  static TomlValue write(const ExponentialGrowth& growth) { return decimal(growth.factor); }
};
struct AsStep {
  static std::vector<Form> forms() { return {Length{}}; }
  static LinearGrowth read(const TomlValue& value) { return {Value<Duration>::read(value)}; }
  static TomlValue write(const LinearGrowth& growth) { return Value<Duration>::write(growth.step); }
};
struct AsSteps {
  static std::vector<Form> forms() { return {Integer{1, kStepsMax}}; }
  static SteppedGrowth read(const TomlValue& value) { return {Value<std::uint32_t>::read(value)}; }
  static TomlValue write(const SteppedGrowth& growth) { return Value<std::uint32_t>::write(growth.steps); }
};
// The name of a preset.
struct AsPreset {
  static constexpr std::string_view kKey = "preset";

  static std::vector<Form> forms() {
    Word names;
    for (const auto& preset : presets()) names.words.push_back(preset.name);
    return {std::move(names)};
  }
  static BackoffPolicy policy(std::string_view name) {
    const Preset* const preset = find_preset(name);
    return preset != nullptr ? preset->policy : BackoffPolicy{};
  }
};

template <class Law>
struct AsShare {
  static std::vector<Form> forms() { return {Number{Ratio::from(0.001), Ratio::from(1)}}; }
  static Law read(const TomlValue& value) { return {thousandths(value)}; }
  static TomlValue write(const Law& law) { return decimal(law.share); }
};

}  // namespace

void describe(TableOf<Growth>& table) {
  table.name("growth");
  table.is_small();
  table.alternative<ExponentialGrowth, AsFactor>(
      "exponential", {.help = "what each delay is multiplied with to give the next; three decimals count"});
  table.alternative<LinearGrowth, AsStep>("linear", {.help = "what is added to each delay to give the next"});
  table.alternative<SteppedGrowth, AsSteps>(
      "steps", {.help = "so many steps of equal ratio lead from `base` to `max`, as systemd's `RestartSteps` has it"});
}

std::vector<Form> Value<Growth>::forms() {
  return {Word{{to_string(GrowthLaw::exponential), to_string(GrowthLaw::fixed)}}, Inner{table_of<Growth>}};
}

Growth Value<Growth>::read(const TomlValue& value) {
  Growth growth;
  if (value.kind == TomlValue::Kind::text) {
    if (value.text == to_string(GrowthLaw::fixed)) growth = FixedDelay{};
  } else {
    read_keys(value, table_of<Growth>(), &growth);
  }
  return growth;
}

TomlValue Value<Growth>::write(const Growth& growth) {
  if (growth == Growth{}) return toml(to_string(GrowthLaw::exponential));
  if (std::holds_alternative<FixedDelay>(growth)) return toml(to_string(GrowthLaw::fixed));
  return written_keys(table_of<Growth>(), &growth);
}

void describe(TableOf<Jitter>& table) {
  table.name("jitter");
  table.is_small();
  table.alternative<ProportionalJitter, AsShare<ProportionalJitter>>(
      "proportional", {.help = "the delay is drawn from this share below what it has grown to, to as much above"});
  table.alternative<AdditiveJitter, AsShare<AdditiveJitter>>(
      "additive", {.help = "the delay is drawn from what it has grown to, to this share more"});
}

std::vector<Form> Value<Jitter>::forms() {
  return {Word{{to_string(JitterLaw::full), to_string(JitterLaw::none), to_string(JitterLaw::equal)}},
          Inner{table_of<Jitter>}};
}

Jitter Value<Jitter>::read(const TomlValue& value) {
  Jitter jitter;
  if (value.kind == TomlValue::Kind::text) {
    if (value.text == to_string(JitterLaw::none)) jitter = NoJitter{};
    if (value.text == to_string(JitterLaw::equal)) jitter = EqualJitter{};
  } else {
    read_keys(value, table_of<Jitter>(), &jitter);
  }
  return jitter;
}

TomlValue Value<Jitter>::write(const Jitter& jitter) {
  const auto law = static_cast<JitterLaw>(jitter.index());
  if (law < JitterLaw::proportional) return toml(to_string(law));
  return written_keys(table_of<Jitter>(), &jitter);
}

void describe(TableOf<BackoffPolicy>& table) {
  table.name("backoff");
  table.key("base", &BackoffPolicy::base, {.help = "what the first delay grows from; not above `max`"});
  table.key("max", &BackoffPolicy::max, {.help = "no delay grows further"});
  table.key("cooldown", &BackoffPolicy::cooldown,
            {.help = "a run that lasts this long or longer clears attempt and failure history"});
  table.key("clean_restart_delay", &BackoffPolicy::clean_restart_delay,
            {.help = "the wait after a clean exit under `restart = \"always\"`"});
  table.key("breaker", &BackoffPolicy::breaker,
            {.otherwise = "see below", .help = "when the supervisor gives a service up; `\"off\"`: never"});
  table.key("growth", &BackoffPolicy::growth,
            {.help = "how the delay grows with each failure in a row: it doubles (`\"exponential\"`), it is always the "
                     "base (`\"fixed\"`), or as one of the keys below says"});
  table.key("jitter", &BackoffPolicy::jitter,
            {.help = "from where to where the delay is drawn: from 0 to what it has grown to (`\"full\"`), from half "
                     "of that (`\"equal\"`), not at all (`\"none\"`), or as one of the keys below says"});
  table.key_of_value<AsPreset>(AsPreset::kKey,
                               {.otherwise = "the defaults of this table",
                                .help = "the policy of another supervisor, of which the other keys replace parts"});
}

std::vector<Form> Value<BackoffPolicy>::forms() {
  auto all = AsPreset::forms();
  all.emplace_back(Inner{table_of<BackoffPolicy>});
  return all;
}

BackoffPolicy Value<BackoffPolicy>::read(const TomlValue& value) {
  if (value.kind == TomlValue::Kind::text) return AsPreset::policy(value.text);
  const TomlValue* const preset = value.find(AsPreset::kKey);
  BackoffPolicy policy = preset != nullptr ? AsPreset::policy(preset->text) : BackoffPolicy{};
  read_keys(value, table_of<BackoffPolicy>(), &policy);
  return policy;
}

TomlValue Value<BackoffPolicy>::write(const BackoffPolicy& policy) {
  return written_keys(table_of<BackoffPolicy>(), &policy);
}

ExitStatuses Value<ExitStatuses>::read(const TomlValue& value) {
  ExitStatuses statuses;
  for (const auto& item : value.items) statuses.add(static_cast<std::uint8_t>(item.integer));
  return statuses;
}

TomlValue Value<ExitStatuses>::write(const ExitStatuses& statuses) {
  std::vector<TomlValue> items;
  for (unsigned status = 0; status <= 255; ++status) {
    if (statuses.has(static_cast<std::uint8_t>(status))) items.push_back(toml(std::uint64_t{status}));
  }
  return toml(std::move(items));
}

void describe(TableOf<ExitRules>& table) {
  table.name("exit_rules");
  table.is_small();
  table.key("clean", &ExitRules::clean, {.otherwise = "none", .help = "exit statuses that are a clean end"});
  table.key("failure", &ExitRules::failure,
            {.otherwise = "none", .help = "exit statuses that are a failure; `[0]`: to end at all is one"});
  table.key("fatal", &ExitRules::fatal,
            {.otherwise = "none",
             .help = "exit statuses of errors that no restart can fix; of a process, 127 is a program that is not "
                     "found"});
}

std::vector<Form> Value<NameList>::forms() { return OneOrMoreTexts::forms(); }
NameList Value<NameList>::read(const TomlValue& value) { return NameList{OneOrMoreTexts::read(value)}; }
TomlValue Value<NameList>::write(const NameList& names) { return OneOrMoreTexts::write(names.names()); }

void describe(TableOf<Order>& table) {
  table.name("order");
  table.key("after", &Order::after,
            {.otherwise = "none",
             .help = "groups, or single services, that come first: a run starts when all of them are ready, and a "
                     "shutdown stops it before them"});
  table.key("after_if_present", &Order::after_if_present,
            {.otherwise = "none", .help = "the same for names that the file need not have"});
  table.key("on_dependency", &Order::on_dependency,
            {.help = "what to do when one of them is not ready any more: go on, go on but let own restarts wait until "
                     "it is ready, stop and start again when it is ready, or stop for good"});
  table.key("wake_jitter", &Order::wake_jitter,
            {.help = "services that have waited for a dependency, or were stopped because of it, start again within "
                     "this time after it is ready, each at a time of its own"});
}

void describe(TableOf<ServicePolicy>& table) {
  table.name("policy");
  table.key("restart", &ServicePolicy::restart, {.help = "after which kinds of end another run starts"});
  table.key("stop_grace", &ServicePolicy::stop_grace, {.otherwise = "the supervisor's", .help = "see `[supervisor]`"});
  table.key(
      "ready", &ServicePolicy::ready,
      {.help = "when a run counts as ready, until which its service is `starting`: at once, when it says so, or when "
               "one of the keys below says so, which are for processes"});
  table.key("start_timeout", &ServicePolicy::start_timeout,
            {.forms = {kPositiveLength},
             .otherwise = "none",
             .help = "how long a run may take from its start until it is ready; one that takes longer is stopped, and "
                     "has failed. It takes effect with `ready = \"notified\"`"});
  table.key("watchdog", &ServicePolicy::watchdog,
            {.forms = {kPositiveLength},
             .otherwise = "none",
             .help = "how long a run may give no sign of life while it is `running`; one that is silent for longer is "
                     "stopped, and has failed"});
  table.key("watchdog_needs", &ServicePolicy::watchdog_needs,
            {.help = "what the watchdog takes for a sign of life: any heartbeat, only a report of progress with a "
                     "number that has risen, or a good answer to a `health` probe"});
  table.key("exit_rules", &ServicePolicy::exit_rules,
            {.otherwise = "a process: 0 is clean, all others are failures",
             .help = "what exit statuses mean, whatever the run says of its end; 128 + n is an end by signal n"});
  table.all_of(&ServicePolicy::order);
  table.key("in", &ServicePolicy::group,
            {.otherwise = "in none",
             .help = "the path of the `[[group]]` to which these services belong; its strategy says who starts again "
                     "with whom"});
  table.key("ends_fleet", &ServicePolicy::ends_fleet,
            {.help = "whether the fleet shuts down with such a service: when it is lost (it has failed for good, was "
                     "abandoned, or its group is lost), or always when it ends for good, unless a command stopped it"});
  table.key("forget_when_done", &ServicePolicy::forget_when_done,
            {.otherwise = "it stays",
             .help = "whether such a service is removed as soon as it has terminated, for whatever reason, so that its "
                     "name is free; in a shutdown it stays"});
  table.key(
      "backoff", &ServicePolicy::backoff,
      {.otherwise = "the supervisor's",
       .help = "replaces the supervisor's as a whole: what it leaves out has the default of the table `backoff`"});
}

void describe(TableOf<RestartIntensity>& table) {
  table.name("intensity");
  table.is_small();
  table.key("max_restarts", &RestartIntensity::max_restarts,
            {.forms = {Integer{0, kMaxRestartsMax}}, .help = "so many are allowed; with one more the group is lost"});
  table.key("within", &RestartIntensity::within, {.forms = {kPositiveLength}, .help = "in such a time"});
}

void describe(TableOf<GroupPolicy>& table) {
  table.name("group_policy");
  table.key("strategy", &GroupPolicy::strategy,
            {.help = "who stops, and starts again, when a service of the group is to start again: nobody else, all "
                     "others, or those that were added after it"});
  table.key("intensity", &GroupPolicy::intensity,
            {.otherwise = "any number", .help = "how often the group's services may have to start again"});
}

void describe(TableOf<GroupConfig>& table) {
  table.name("group");
  table.key(
      "path", &GroupConfig::path,
      {.required = true,
       .help = "names, each behind a slash: `\"/gateway/feeds\"` is in `\"/gateway\"`, which the file has, too. No "
               "other group has it"});
  table.all_of(&GroupConfig::policy);
}

void describe(TableOf<RestartLimit>& table) {
  table.name("restart_limit");
  table.is_small();
  table.key("every", &RestartLimit::every,
            {.forms = {kPositiveLength},
             .help = "one restart is allowed in each such time, for all services of the fleet together"});
  table.key("burst", &RestartLimit::burst,
            {.forms = {Integer{1, kRestartBurstMax}},
             .help = "how many restarts may come at once after a time in which there were fewer"});
}

void describe(TableOf<SupervisorConfig>& table) {
  table.name("supervisor");
  table.key("shutdown_timeout", &SupervisorConfig::shutdown_timeout,
            {.help = "the drain's deadline, counted from the shutdown request; a service that has not stopped by then "
                     "is abandoned"});
  table.key("when_all_terminated", &SupervisorConfig::when_all_terminated,
            {.help = "what to do when every service has terminated: wait for a shutdown, or shut down"});
  table.key("stop_grace", &SupervisorConfig::stop_grace,
            {.otherwise = "the shutdown_timeout",
             .help = "how long a run that was asked to stop has before it is killed, and then again before it is "
                     "abandoned; one that cannot be killed (`on_kill`) is abandoned at once"});
  table.key("abandoned_runs_max", &SupervisorConfig::abandoned_runs_max,
            {.forms = {Integer{0, kAbandonedRunsMaxMax}},
             .help = "how many abandoned runs of one service may be alive while a restart goes on without them; it "
                     "matters to services whose runs can live side by side"});
  table.without_key(&SupervisorConfig::kill_wait);  // a run of a scenario dies when its behaviour says
  table.key("restart_limit", &SupervisorConfig::restart_limit,
            {.otherwise = "none",
             .help = "how fast services start again, all of them together: who has waited its delay then waits for its "
                     "turn. First starts and commands do not wait"});
  table.key("starting_max", &SupervisorConfig::starting_max,
            {.forms = {Integer{1, kStartingMaxMax}},
             .otherwise = "none",
             .help = "how many runs may be starting (not ready yet) for another service to start again; it matters to "
                     "groups with `ready = \"notified\"`"});
  table.key("backoff", &SupervisorConfig::backoff, {.help = "the policy of every group that has none of its own"});
}

}  // namespace holdfast
