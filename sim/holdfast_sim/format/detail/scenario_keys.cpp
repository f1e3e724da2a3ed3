#include <holdfast_sim/format/detail/scenario_keys.hpp>

#include <array>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <holdfast/file/fleet_keys.hpp>
#include <holdfast/file/policy_keys.hpp>
#include <holdfast_sim/text/file.hpp>

namespace holdfast::sim {

// The tables, the inner ones first.

void describe(TableOf<Weibull>& table) {
  table.name("weibull");
  table.is_small();
  table.key("shape", &Weibull::shape,
            {.forms = {Number{kShapeMin, kShapeMax}},
             .required = true,
             .help = "with a shape below 1 failures get rarer with age, above 1 more frequent; 1 is the exponential "
                     "distribution"});
  table.key("scale", &Weibull::scale,
            {.forms = {kPositiveLength}, .required = true, .help = "a share of 1/e (37 %) of the values is above it"});
}

void describe(TableOf<LogNormal>& table) {
  table.name("log_normal");
  table.is_small();
  table.key("median", &LogNormal::median,
            {.forms = {kPositiveLength}, .required = true, .help = "half of the values are below it"});
  table.key("sigma", &LogNormal::sigma,
            {.forms = {Number{Ratio{}, kSigmaMax}},
             .required = true,
             .help = "the standard deviation of the natural logarithm"});
}

// How an alternative stands in a table of distributions, where it is not a table of its own.
struct AsPair {
  static std::vector<Form> forms() { return {LengthPair{}}; }
  static Uniform read(const TomlValue& value) {
    return {Value<Duration>::read(value.items[0]), Value<Duration>::read(value.items[1])};
  }
  static TomlValue write(const Uniform& uniform) {
    return toml(std::vector{Value<Duration>::write(uniform.min), Value<Duration>::write(uniform.max)});
  }
};

struct AsMean {
  static std::vector<Form> forms() { return {kPositiveLength}; }
  static Exponential read(const TomlValue& value) { return {Value<Duration>::read(value)}; }
  static TomlValue write(const Exponential& exponential) { return Value<Duration>::write(exponential.mean); }
};

namespace {

void describe_distribution(TableOf<Distribution>& table) {
  table.name("distribution");
  table.alternative<Uniform, AsPair>("uniform",
                                     {.help = "each nanosecond from the first to the second, both included, is as "
                                              "likely as any other; the first is not above the second"});
  table.alternative<Exponential, AsMean>(
      "exponential",
      {.help = "`mean * -ln(1 - u)`: failures without a memory: age does not matter. The value is the mean"});
  table.alternative<Weibull>("weibull", {.help = "`scale * (-ln(1 - u))^(1 / shape)`"});
  table.alternative<LogNormal>(
      "log_normal",
      {.help = "`median * e^(sigma * z(u))`: the product of many small influences, such as the time of a repair"});
}

const Table& distribution_table() {
  static const Table table = [] {
    TableOf<Distribution> made;
    describe_distribution(made);
    return made.take();
  }();
  return table;
}

}  // namespace

// A length of time always means itself; any other distribution is a table.
struct AsDistribution {
  static std::vector<Form> forms() { return {Length{}, Inner{distribution_table}}; }
  static Distribution read(const TomlValue& value) {
    if (value.kind == TomlValue::Kind::text) return Fixed{Value<Duration>::read(value)};
    Distribution distribution;
    read_keys(value, distribution_table(), &distribution);
    return distribution;
  }
  static TomlValue write(const Distribution& distribution) {
    if (const auto* const fixed = std::get_if<Fixed>(&distribution)) return Value<Duration>::write(fixed->value);
    return written_keys(distribution_table(), &distribution);
  }
};

}  // namespace holdfast::sim

template <>
struct holdfast::file::Value<holdfast::sim::DrawnLength> {
  static std::vector<Form> forms() { return sim::AsDistribution::forms(); }
  static sim::DrawnLength read(const TomlValue& value) { return sim::AsDistribution::read(value); }
  static TomlValue write(const sim::DrawnLength& length) { return sim::AsDistribution::write(length.of()); }
};

namespace holdfast::sim {

void describe(TableOf<FailsFirst>& table) {
  table.name("fails_first");
  table.is_small();
  table.key("runs", &FailsFirst::runs, {.forms = {Integer{1}}, .required = true, .help = "how many"});
  table.key("after", &FailsFirst::after, {.help = "how long each of them lasts"});
}

void describe(TableOf<Takes>& table) {
  table.name("on_stop");
  table.is_small();
  table.key_as<AsDistribution>("takes", &Takes::how_long, {.required = true, .help = "how long it takes to stop"});
}

struct AsOnStop {
  static std::vector<Form> forms() { return {Word{{kObey, kIgnore}}, Inner{table_of<Takes>}}; }
  static OnStop read(const TomlValue& value) {
    if (value.kind == TomlValue::Kind::table) return Value<Takes>::read(value);
    return value.text == kIgnore ? OnStop{Ignores{}} : OnStop{Obeys{}};
  }
  static TomlValue write(const OnStop& on_stop) {
    if (const auto* const takes = std::get_if<Takes>(&on_stop)) return Value<Takes>::write(*takes);
    return toml(std::holds_alternative<Ignores>(on_stop) ? kIgnore : kObey);
  }

 private:
  static constexpr std::string_view kObey = "obey";
  static constexpr std::string_view kIgnore = "ignore";
};

// The weights of Ends as they stand in a file.
struct Mixture {
  std::optional<Ratio> end{};
  std::optional<Ratio> fail{};
  std::optional<Ratio> fatal{};
  std::optional<Ratio> throw_{};
  std::optional<Ratio> hang{};
  std::optional<Ratio> done{};
};

constexpr std::array<std::pair<Then, std::optional<Ratio> Mixture::*>, 6> kMixture{{{Then::end, &Mixture::end},
                                                                                    {Then::fail, &Mixture::fail},
                                                                                    {Then::fatal, &Mixture::fatal},
                                                                                    {Then::throw_, &Mixture::throw_},
                                                                                    {Then::hang, &Mixture::hang},
                                                                                    {Then::done, &Mixture::done}}};

void describe(TableOf<Mixture>& table) {
  table.name("then");
  table.is_small();
  std::vector<std::string_view> names;
  for (const auto& [then, member] : kMixture) {
    names.push_back(to_string(then));
    table.key(to_string(then), member,
              {.forms = {Number{Ratio{}, Ratio::from(100), true}},
               .otherwise = "none",
               .help = "how often runs end so, relative to the others of these"});
  }
  table.choice(Table::Choice::at_least_one, std::move(names));
}

// One word, or how often each.
struct AsEnds {
  static std::vector<Form> forms() {
    auto forms = Value<Then>::forms();
    forms.emplace_back(Inner{table_of<Mixture>});
    return forms;
  }
  static Ends read(const TomlValue& value) {
    if (value.kind != TomlValue::Kind::table) return Value<Then>::read(value);
    const auto mixture = Value<Mixture>::read(value);
    std::vector<Ends::Part> parts;
    for (const auto& [then, member] : kMixture) {
      if (mixture.*member) parts.push_back({then, *(mixture.*member)});
    }
    return Ends{std::move(parts)};
  }
  static TomlValue write(const Ends& ends) {
    if (ends.parts().empty()) return Value<Then>::write(ends.always());
    Mixture mixture;
    for (const auto& part : ends.parts()) {
      for (const auto& [then, member] : kMixture) {
        if (then == part.then) mixture.*member = part.weight;
      }
    }
    return Value<Mixture>::write(mixture);
  }
};

void describe(TableOf<Need>& table) {
  table.name("needs");
  table.is_small();
  table.key("resource", &Need::resource, {.required = true, .help = "its name"});
  table.key(
      "for", &Need::holds,
      {.help = "how long a run has a slot of it: while its start is served, after which it works, or until it ends"});
  table.key("gives_up_after", &Need::gives_up_after,
            {.otherwise = "it waits on", .help = "a run that still waits after this fails"});
}

void describe(TableOf<Behaviour>& table) {
  table.key_as<AsDistribution>(
      "runs_for", &Behaviour::runs_for,
      {.needs = "then", .otherwise = "for ever", .help = "how long a run lasts if nothing disturbs it"});
  table.key_as<AsEnds>(
      "then", &Behaviour::then,
      {.needs = "runs_for",
       .otherwise = "nothing",
       .help = "what a run does then: end cleanly, end with an error, end with an error that no restart can fix, "
               "throw an exception, hang (neither end nor obey) for ever, or end cleanly because there is nothing left "
               "to do. A table says how often each, by a draw for each run: "
               "`{ fail = 0.9, end = 0.08, fatal = 0.02 }`"});
  table.key("exit_status", &Behaviour::exit_status,
            {.needs = "then",
             .otherwise = "none",
             .help = "what these ends carry, but no exception: `exit_rules` may say what it means"});
  table.key("fails_first", &Behaviour::fails_first,
            {.otherwise = "none", .help = "the first runs of each service fail, whatever the other keys say"});
  table.key_as<AsOnStop>(
      "on_stop", &Behaviour::on_stop,
      {.help = "what a run does when it is asked to stop: end at once, ignore the stop, or take a while"});
  table.key_as<AsOnStop>(
      "on_kill", &Behaviour::on_kill,
      {.otherwise = "its runs cannot be killed",
       .help = "what a run does when it is killed: end with an error at once, ignore the kill, or take a while. "
               "A kill also reaches a run that hangs"});
  table.key(
      "needs", &Behaviour::needs,
      {.otherwise = "nothing",
       .help = "the resource that each run needs before it works. A run that waits for it is not up, and its "
               "`runs_for` begins when it has it. Runs that fail anyway, in an outage or first, do not ask for it"});
  table.key_as<AsDistribution>(
      "ready_after", &Behaviour::ready_after,
      {.needs = "ready",
       .otherwise = "no time",
       .help =
           "how long a run takes until it says that it is ready (`ready = \"notified\"`), counted from its start, or "
           "from when it has what it needs; its `runs_for` begins then. A hang delays it. Runs that fail anyway, in "
           "an outage or first, are never ready"});
  table.without_key(&Behaviour::ready_later);
  table.key_as<AsDistribution>(
      "recovers_after", &Behaviour::recovers_after,
      {.needs = "runs_for",
       .otherwise = "it is well at its next start",
       .help = "once a run has failed by itself (`then` is `\"fail\"` or `\"throw\"`), the service is broken for this "
               "long: each run that starts before it is over fails after `fails_after`, as in an outage of its own"});
  table.key(
      "heartbeat_every", &Behaviour::heartbeat_every,
      {.forms = {kPositiveLength},
       .needs = "watchdog",
       .otherwise = "half the `watchdog`",
       .help = "how often a run gives a sign of life while it is well, which is a heartbeat and progress. Give such "
               "a scenario a `duration`: a fleet that beats is never idle"});
  table.key("hang_heartbeats", &Behaviour::hang_heartbeats,
            {.help = "what becomes of them when a run hangs by itself (`then = \"hang\"`): they stop, or heartbeats go "
                     "on without any progress"});
  table.key("fails_after", &Behaviour::fails_after,
            {.needs = "recovers_after", .help = "how long a run lasts that starts while the service is broken"});
}

void describe(TableOf<Resource>& table) {
  table.name("resource");
  table.key("name", &Resource::name, {.forms = {Name{}}, .required = true, .help = "No other resource has it"});
  table.key("slots", &Resource::slots, {.forms = {Integer{1, kServicesMax}}, .help = "how many are served at once"});
  table.key_as<AsDistribution>(
      "takes", &Resource::takes,
      {.help = "how long serving a start takes. One slot and a fixed length serve so many a second"});
  table.key("queue", &Resource::queue,
            {.forms = {Integer{0, kServicesMax}},
             .otherwise = "any number",
             .help = "how many may wait; a run that finds the queue full fails at once. `0`: no run waits"});
  table.key("next", &Resource::next, {.help = "which waiting run is served next: the one that came first, or last"});
  table.key("stale", &Resource::stale,
            {.help = "what becomes of a start whose run is over when its turn comes: it is served all the same, and "
                     "takes its time, or it takes none and no place in the queue. What is being served is served to "
                     "its end"});
}

void describe(TableOf<FleetGroup>& table) {
  describe_names(table);
  table.all_of(&FleetGroup::policy);
  table.all_of(&FleetGroup::behaviour);
  table.all_of(&FleetGroup::program);
  table.key("joins", &FleetGroup::joins,
            {.help = "when the services of the group are added in a rehearsal: at the beginning, or later, by an "
                     "`add` of the chaos"});
  describe_probes(table);
}

// Chaos.

namespace {

// Units of 2^-32 in memory, a number in the file.
struct Share {
  static std::vector<Form> forms() { return {Number{Ratio{}, Ratio::from(1), true}}; }
  static std::uint64_t read(const TomlValue& value) { return Value<Ratio>::read(value).two_to_minus_32; }
  static TomlValue write(std::uint64_t share) { return Value<Ratio>::write({share}); }
};

}  // namespace

void describe(TableOf<Target>& table) {
  table.key_as<OneOrMoreTexts>(
      "of", &Target::of,
      {.otherwise = "the whole fleet",
       .help = "the targets: names of groups and of single services, `\"feed\"` or `[\"feed\", \"engine-3\"]`. A text "
               "that is "
               "no name may be a pattern of names of services: `*` is any text, `{3..17}` a number",
       .written = [](const Target& target) { return !target.of.empty(); }});
  table.key_as<Share>(
      "share", &Target::share,
      {.help = "each target is hit with this probability, by a draw of its own",
       .written = [](const Target& target) { return target.share != Target::kWhole || !target.cohort.empty(); }});
  table.key("cohort", &Target::cohort,
            {.forms = {Name{}},
             .needs = "share",
             .otherwise = "drawn for this entry",
             .help = "whose draws these are: entries with one cohort hit the same targets, and one with a larger "
                     "`share` hits all those of a smaller, and more",
             .written = [](const Target& target) { return !target.cohort.empty(); }});
  table.key_as<AsDistribution>("spread", &Target::spread,
                               {.otherwise = "all at once",
                                .help = "how long after the beginning each target is reached, by a draw of its own"});
}

void describe(TableOf<PolicyChange>& table) {
  table.key("restart", &PolicyChange::restart, {.otherwise = "as it was", .help = "as in `[[fleet]]`"});
  table.key("backoff", &PolicyChange::backoff,
            {.otherwise = "as it was",
             .help = "replaces the one in force as a whole: what it leaves out has the default of the table `backoff`. "
                     "Another one begins anew: attempt and failure history are cleared, and an open breaker closes"});
  table.key("stop_grace", &PolicyChange::stop_grace, {.otherwise = "as it was", .help = "as in `[[fleet]]`"});
  table.key("exit_rules", &PolicyChange::exit_rules,
            {.otherwise = "as they were", .help = "replace those in force as a whole"});
  table.key("ends_fleet", &PolicyChange::ends_fleet, {.otherwise = "as it was", .help = "as in `[[fleet]]`"});
  table.key("forget_when_done", &PolicyChange::forget_when_done,
            {.otherwise = "as it was", .help = "`true`: from then on; as in `[[fleet]]`"});
}

template <class Kind>
requires requires(TableOf<Kind>& table) { Kind::describe(table); }
void describe(TableOf<Kind>& table) {
  table.name(Kind::kKey);
  table.is_small();
  Kind::describe(table);
}

namespace {

template <class... Kinds>
void list_kinds(TableOf<ChaosEntry>& table, std::variant<Kinds...> ChaosEntry::*what) {
  (table.alternative<Kinds>(Kinds::kKey, what, {.help = Kinds::kHelp}), ...);
}

}  // namespace

void describe(TableOf<ChaosEntry>& table) {
  table.name("chaos");
  table.key("at", &ChaosEntry::at,
            {.otherwise = "*required*, but `\"0s\"` for `recorded`",
             .help = "when it begins; not after `duration`",
             .written = [](const ChaosEntry& entry) {
               return entry.at != Duration::zero() || !std::holds_alternative<Recorded>(entry.what);
             }});
  table.key_as<AsDistribution>("every", &ChaosEntry::every,
                               {.otherwise = "once",
                                .help = "it begins again and again, so long after it last began; not of `recorded` and "
                                        "`shutdown`. Each time who is hit and what is drawn is drawn anew"});
  table.key("until", &ChaosEntry::until,
            {.needs = "every",
             .otherwise = "to the end",
             .help = "it does not begin after this; not before `at`, and not after `duration`"});
  table.key("required", &ChaosEntry::required,
            {.otherwise = "not",
             .help = "`true`: it has to reach a service in some run of a sweep, which else proves nothing. Not of "
                     "`shutdown`, `capacity`, `command`, `reconfigure` and `add`"});
  list_kinds(table, &ChaosEntry::what);
}

// Expectations.

namespace {

constexpr auto kAnyNumber = std::numeric_limits<std::uint64_t>::max();

}  // namespace

void describe(TableOf<CountRange>& table) {
  table.name("count");
  table.key("min", &CountRange::min, {.otherwise = "0", .help = "the least", .written = [](const CountRange& range) {
                                        return range.min > 0 || range.max == kAnyNumber;
                                      }});
  table.key("max", &CountRange::max, {.otherwise = "any", .help = "the most", .written = [](const CountRange& range) {
                                        return range.max != kAnyNumber;
                                      }});
  table.choice(Table::Choice::at_least_one, {"min", "max"});
}

// A whole number means exactly so many.
struct ExactlyOrRange {
  static std::vector<Form> forms() { return {Integer{}, Inner{table_of<CountRange>}}; }
  static CountRange read(const TomlValue& value) {
    if (value.kind == TomlValue::Kind::integer) {
      const auto count = static_cast<std::uint64_t>(value.integer);
      return {count, count};
    }
    CountRange range{0, kAnyNumber};
    read_keys(value, table_of<CountRange>(), &range);
    return range;
  }
  static TomlValue write(const CountRange& range) {
    return range.min == range.max ? toml(range.min) : Value<CountRange>::write(range);
  }
};

void describe(TableOf<ExpectedCounts>& table) {
  for (const auto& count : kExpectedCounts) {
    table.key_as<ExactlyOrRange>(count.name, count.member, {.otherwise = "any", .help = count.counts});
  }
}

void describe(TableOf<ExpectedOfGroup>& table) {
  table.name("expect_of_group");
  table.is_small();
  table.key("name", &ExpectedOfGroup::name, {.required = true, .help = "of a group or of a service"});
  table.all_of(&ExpectedOfGroup::counts);
  table.key_as<Share>("availability_min", &ExpectedOfGroup::availability_min,
                      {.otherwise = "any", .help = "the group was up for at least this share of its time"});
}

void describe(TableOf<ExpectedFigures>& table) {
  table.key_as<Share>("availability_min", &ExpectedFigures::availability_min,
                      {.otherwise = "any", .help = "the fleet was up for at least this share of its time: `0.999`"});
  table.key("down_at_once_max", &ExpectedFigures::down_at_once_max,
            {.otherwise = "any", .help = "at no time were more services down, waiting for a restart or lost"});
  table.key("restarts_a_second_max", &ExpectedFigures::restarts_a_second_max,
            {.otherwise = "any", .help = "no second of the run had more restarts"});
  table.key("storm_max", &ExpectedFigures::storm_max,
            {.otherwise = "any", .help = "within no 60 s did more services go down"});
  const auto recovery = [&](std::string_view name, std::optional<Duration> ExpectedFigures::*member,
                            std::string_view which) { table.key(name, member, {.otherwise = "any", .help = which}); };
  recovery("recovery_median_max", &ExpectedFigures::recovery_median_max,
           "half of the recoveries took no longer, after outages and after failures. A service that was lost, or still "
           "waited at the end, took for ever");
  recovery("recovery_p90_max", &ExpectedFigures::recovery_p90_max, "the same of 90 % of them");
  recovery("recovery_p99_max", &ExpectedFigures::recovery_p99_max, "the same of 99 % of them");
  recovery("recovery_max", &ExpectedFigures::recovery_max, "the same of all of them, so that nothing was lost");
  table.key("drain_max", &ExpectedFigures::drain_max,
            {.otherwise = "any", .help = "a shutdown was asked for, and its drain took no longer"});
}

// Properties.

void describe(TableOf<ConditionCounts>& table) {
  for (std::size_t i = 0; i < kConditionCounts.size(); ++i) {
    const auto& count = kConditionCounts[i];
    table.key_as<ExactlyOrRange>(
        count.name, count.member,
        {.needs = i < kConditionStates ? "" : "window", .otherwise = "any", .help = count.counts});
  }
}

void describe(TableOf<Condition>& table) {
  table.name("condition");
  table.key("of", &Condition::of, {.otherwise = "the whole fleet", .help = "a group or a service"});
  table.all_of(&Condition::counts);
  table.key("window", &Condition::window,
            {.forms = {kPositiveLength},
             .otherwise = "*required* beside what is counted in it",
             .help = "what has happened longer ago than this does not count"});
  std::vector<std::string_view> names;
  names.reserve(kConditionCounts.size());
  for (const auto& count : kConditionCounts) names.push_back(count.name);
  table.choice(Table::Choice::at_least_one, std::move(names));
}

// A kind of property stands in a file as its condition.
template <class Kind>
struct AsCondition {
  static std::vector<Form> forms() { return Value<Condition>::forms(); }
  static Kind read(const TomlValue& value) { return {Value<Condition>::read(value)}; }
  static TomlValue write(const Kind& kind) { return Value<Condition>::write(kind.what); }
};

void describe(TableOf<ExpectedProperty>& table) {
  table.name("property");
  table.key("name", &ExpectedProperty::name,
            {.forms = {Name{}}, .required = true, .help = "what reports call it. No other property has it"});
  table.alternative<Always, AsCondition<Always>>("always", &ExpectedProperty::what,
                                                 {.help = "this holds at every instant"});
  table.alternative<Never, AsCondition<Never>>("never", &ExpectedProperty::what, {.help = "this holds at no instant"});
  table.alternative<Eventually, AsCondition<Eventually>>("eventually", &ExpectedProperty::what,
                                                         {.help = "this holds at some instant"});
  table.alternative<Sometimes, AsCondition<Sometimes>>(
      "sometimes", &ExpectedProperty::what,
      {.help = "this holds at some instant of at least one run of a sweep, which else proves nothing. A single run "
               "reports whether it does, and holds all the same"});
  table.key("whenever", &ExpectedProperty::whenever,
            {.otherwise = "at every instant",
             .help = "only where this holds. With `eventually`: each time that this begins to hold, from then on"});
  table.key("within", &ExpectedProperty::within,
            {.needs = "whenever",
             .otherwise = "to the end",
             .help = "of `eventually`: so long after `whenever` has begun to hold, at the latest"});
  table.key("before", &ExpectedProperty::before,
            {.otherwise = "to the end", .help = "only until this holds for the first time"});
  table.key("from", &ExpectedProperty::from, {.help = "not at earlier instants"});
  table.key("until", &ExpectedProperty::until,
            {.otherwise = "to the end", .help = "not at later instants; not before `from`, and not after `duration`"});
  table.key("in_drain", &ExpectedProperty::in_drain,
            {.otherwise = "only until a shutdown is asked for", .help = "`true`: also while the fleet shuts down"});
}

void describe(TableOf<Expectations>& table) {
  table.name("expect");
  table.all_of(&Expectations::fleet);
  table.all_of(&Expectations::figures);
  table.key("all_running_by", &Expectations::all_running_by,
            {.otherwise = "nothing",
             .help = "not later than this, and after the end of the last disturbance that began before it and the "
                     "adding of the last service that joined before it, all services run at once"});
  table.key("after_heal_within", &Expectations::after_heal_within,
            {.otherwise = "nothing",
             .help = "not later than this after `heal_at`, all services run at once, but for those that have completed "
                     "or were stopped. A fleet that keeps itself down does not"});
  table.key("all_terminated_by", &Expectations::all_terminated_by,
            {.otherwise = "nothing", .help = "all services have terminated by then"});
  table.key("drained_by", &Expectations::drained_by,
            {.otherwise = "nothing",
             .help = "a shutdown was asked for, and its drain is over by then, whether all services obeyed or the "
                     "deadline passed"});
  table.key("abandoned_services", &Expectations::abandoned_services,
            {.otherwise = "any",
             .help = "exactly these services are abandoned, in any order; `[]`: none. List the services of a group one "
                     "by one: `[\"deaf-0\", \"deaf-1\"]`"});
  table.key("fleet", &Expectations::groups,
            {.forms = {Tables{table_of<ExpectedOfGroup>, kGroupsMax}},
             .otherwise = "none",
             .help = "what is expected of one group or one service; one table for each name at most"});
  table.key("property", &Expectations::properties,
            {.forms = {Tables{table_of<ExpectedProperty>, kPropertiesMax}},
             .otherwise = "none",
             .help = "what is expected of the course of the run"});
}

void describe(TableOf<Budget>& table) {
  table.name("budget");
  table.key("events", &Budget::events, {.forms = {Integer{1}}, .help = "timers fired; a busy minute or so"});
  table.key("virtual_time", &Budget::virtual_time, {.forms = {kPositiveLength}, .help = "virtual time"});
}

void describe(TableOf<Scenario>& table) {
  table.name("scenario");
  table.key("name", &Scenario::name,
            {.forms = {Name{}}, .required = true, .help = "what the rehearsal is called in reports and traces"});
  table.key("seed", &Scenario::seed,
            {.help = "the seed of everything that is drawn; `holdfast run --seed` replaces it"});
  table.key("duration", &Scenario::duration,
            {.forms = {kPositiveLength},
             .otherwise = "none",
             .help = "the rehearsal is over after this, or earlier if nothing is left to happen and every service has "
                     "terminated. Without it, it goes on until then"});
  table.key(
      "heal_at", &Scenario::heal_at,
      {.otherwise = "never",
       .help = "from then on no chaos begins but a shutdown, and what lasts is over: what a fleet makes of a world "
               "in which nothing is wrong any more. Not after `duration`"});
  table.key(
      "swarm", &Scenario::swarm,
      {.otherwise = "all faults, as they are",
       .help = "`true`: each seed switches some of the faults off, by a toss for each, and varies how long the others "
               "last and whom they hit, from the half to the double. Not commands and shutdowns"});
  table.key(
      "order", &Scenario::order,
      {.help = "in which order things of one instant happen: as they were put on the timetable, or in another one "
               "for each seed"});
  table.key_of_both("supervisor", &Scenario::supervisor, &Scenario::production,
                    {.help = "the supervisor under rehearsal"});
  table.key("group", &Scenario::groups,
            {.forms = {Tables{table_of<GroupConfig>, kGroupsMax}},
             .otherwise = "none",
             .help = "groups of services that start again together"});
  table.key("fleet", &Scenario::fleet,
            {.forms = {Tables{table_of<FleetGroup>, kGroupsMax}},
             .help = "the supervised services. At least one table, unless a recorded trace brings its own services"});
  table.key("resource", &Scenario::resources,
            {.forms = {Tables{table_of<Resource>, kResourcesMax}},
             .otherwise = "none",
             .help = "what services share and have to wait for, such as a database"});
  table.key("chaos", &Scenario::chaos,
            {.forms = {Tables{table_of<ChaosEntry>, kChaosMax}}, .otherwise = "none", .help = "what goes wrong"});
  table.key("expect", &Scenario::expect, {.otherwise = "nothing", .help = "what is expected"});
  table.key("budget", &Scenario::budget, {.help = "where a run is cut off"});
}

}  // namespace holdfast::sim
