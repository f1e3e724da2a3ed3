// The names of the rules, and each as a sentence.
#include <array>

#include <holdfast/detail/enumerators.hpp>
#include <holdfast_sim/checks/checks.hpp>
#include <holdfast_sim/checks/detail/check_findings.hpp>

namespace holdfast::sim {

namespace {

constexpr std::array<RuleText, kRuleCount> kRules{{
    {"time_never_goes_backwards", "No event is earlier than the one before it."},
    {"events_are_numbered_without_gaps", "The events of a service are numbered from 1; the first is `added`."},
    {"makes_only_legal_transitions", "A phase is followed only by one that may follow it."},
    {"runs_are_numbered_in_order",
     "Each run has the number after the last one's, begins when no other is alive, and is reported as started, "
     "running, "
     "ended: as running at once, unless it says when it is ready."},
    {"tells_how_long_runs_lasted", "The end of a run reports the time since its start."},
    {"never_runs_after_termination", "A terminated service starts no run."},
    {"never_starts_after_shutdown", "No run starts after a shutdown was requested."},
    {"follows_the_restart_policy",
     "What follows an end without a requested stop agrees with the restart policy: completed, failed or backing off."},
    {"keeps_every_retry_within_its_ceiling",
     "A delay after a failure lies where growth and jitter say, by default within min(max, base * 2^(attempt - 1)), an "
     "open time in the upper half of min(open_for_max, open_for * 2^(opening - 1)); a delay after a clean exit is "
     "fixed."},
    {"spreads_its_delays",
     "Over all failures of a run, what is drawn of the delays is half of what may be drawn, as chance allows."},
    {"draws_every_delay_anew",
     "A service with full jitter does not wait for the same share of its ceiling again and again."},
    {"starts_when_the_delay_has_passed",
     "A run starts at the very time it is due, or when a restart command cuts the wait short; the first at once."},
    {"restarts_in_turn",
     "A service that has to wait for a limit on restarts does so from the moment its delay has passed, and starts when "
     "nobody waits who began to wait before it, or by a command."},
    {"starts_after_its_dependencies",
     "A service that is after others waits until all of them are ready, for its first run and, unless it keeps going, "
     "for each restart; then it starts, within its wake_jitter, or before that by a command."},
    {"follows_its_dependencies",
     "A service whose dependency is not ready any more stops at that instant if its on_dependency says so, and no "
     "other does; after restart it waits."},
    {"stops_before_its_dependencies",
     "In a shutdown a service is asked to stop when the last that is after it has terminated, or when the drain is "
     "over."},
    {"starts_again_with_its_group",
     "When a service starts again by its policy, those siblings that the strategy of its group names stop at that "
     "instant, "
     "from the last to the first; all start again in the order of adding when none stops any more and every delay of "
     "one "
     "that failed is over; no other stops or waits so."},
    {"loses_a_group_when_its_policy_says_so",
     "A group is lost when its services were to start again once more than its intensity allows, or when a service or "
     "a "
     "group in it is lost, and at no other time; then all of its services stop for good."},
    {"trips_exactly_when_the_window_says_so",
     "The breaker opens at the failure that fills its window or that ends its probe, and at no other, and terminates "
     "the "
     "service or, with half_open, lets it wait for a probe."},
    {"closes_exactly_when_the_probe_succeeds",
     "A breaker that has opened closes when its probe has stayed up for probe_success_after or ends cleanly, or by a "
     "restart or reset, and at no other time; a probe that fails opens it again, and there is one probe at a time."},
    {"gives_up_a_start_exactly_at_its_timeout",
     "A run that is not ready when its start_timeout has passed since its start is stopped at that very time, and has "
     "failed with that as its error; no other is."},
    {"gives_up_a_hang_exactly_at_its_watchdog",
     "A run that gives no sign of life for its watchdog is stopped at that very time, and has failed with that as its "
     "error; no other is."},
    {"stops_when_asked",
     "At a shutdown, stop or remove every service concerned stops at that instant, and is cancelled once its run has "
     "ended, whatever it returned; nothing stops unasked."},
    {"escalates_when_the_grace_has_passed",
     "A run that was asked to stop is killed at the very time at which its stop_grace has passed, if it can be, and "
     "abandoned when it has passed again; one that cannot be killed is abandoned at once; no other run is killed."},
    {"restarts_when_commanded",
     "A restart command starts a waiting service at once, a running one when its run has ended, and adds a terminated "
     "one again, unless a shutdown or a remove overtakes it."},
    {"removes_when_commanded", "A service that is to be removed is gone once it has terminated, and no other is."},
    {"removed_services_stay_silent", "Nothing is reported about a service after its removal."},
    {"shuts_down_once",
     "A shutdown is reported once: as `all_terminated` only if no service is active, and as `ends_fleet` at the very "
     "end "
     "of a service whose policy says so, and at no other time."},
    {"drains_by_its_deadline",
     "A drain is over when the last service has terminated or its deadline has come; services that are left are "
     "abandoned "
     "first, and none is active afterwards."},
    {"tells_late_ends_once", "Only the end of an abandoned run is reported as late, and only once."},
    {"last_error_is_kept", "A termination reports the error of the latest run that failed."},
    {"takes_an_exit_status_as_its_policy_says",
     "An end with an exit status is clean, a failure or fatal as the exit_rules of its policy say."},
    {"gauge_never_goes_negative", "No more services terminate than were added."},
    {"counters_agree_with_events", "At the end the supervisor's counters are what its events add up to."},
}};

static_assert(holdfast::detail::enumerators_of<Rule>() == kRuleCount, "a text for each rule");

}  // namespace

std::span<const RuleText, kRuleCount> rules() noexcept { return kRules; }

std::string_view to_string(Rule rule) noexcept { return kRules[detail::index_of(rule)].name; }

}  // namespace holdfast::sim
