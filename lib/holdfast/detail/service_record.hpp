// What the supervisor keeps of one service. As a timer it waits for the one thing that the service waits for in its
// phase: the start_timeout while it starts, the success of a probe or the end of the watchdog's patience while it runs,
// the next start while it backs off, the end of the grace while it stops. Leaving the phase disarms it.
//
// There may be a million records, and a restart cycle touches most of their fields. So a record stores nothing that
// follows from other fields, and state that few services have is elsewhere (supervisor.hpp). The tests count the bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <holdfast/detail/fetch.hpp>
#include <holdfast/detail/name.hpp>
#include <holdfast/detail/restart.hpp>
#include <holdfast/detail/shared_policy.hpp>
#include <holdfast/lifecycle.hpp>
#include <holdfast/random.hpp>
#include <holdfast/scheduler.hpp>
#include <holdfast/service.hpp>

namespace holdfast::detail {

inline constexpr std::uint32_t kNoSlot = ~std::uint32_t{0};

struct ServiceRecord final : Timer {
  ServiceRecord(Name&& its_name, Service& supervised, const SharedPolicy& its_policy, ServiceId its_id,
                std::uint32_t its_tenancy, TimePoint now)
      : tenancy(its_tenancy),
        service(supervised),
        policy(its_policy),
        starts_specially(its_policy->in_force.ready == Ready::notified || its_policy->in_force.watchdog),
        hash(name_hash(its_name.text())),
        id(its_id),
        phase_since(now),
        added_at(now),
        name(std::move(its_name)) {}

  void fired() override;
  void comes_soon() const noexcept override;
  // Prefetches the record.
  void fetch() const noexcept { detail::fetch(this, sizeof *this); }

  // These fill the bytes that the timer leaves free.
  Phase phase = Phase::starting;
  StopCause stop_cause = StopCause::stop;  // while stopping
  Termination::Reason reason{};            // once terminated
  const std::uint32_t tenancy;  // counts the records of this slot; a restart in place is a new id, not a new tenancy

  Service& service;
  SharedPolicy policy;
  [[no_unique_address]] RestartState retries;
  // These fill the bytes that it leaves free.
  bool run_alive : 1 = false;         // a run has begun and has not said that it ended, abandoned or not
  bool run_open : 1 = false;          // its time is not in running_time yet
  bool first_run_due : 1 = true;      // added, and not yet started
  bool final_stop_asked : 1 = false;  // by stop() or remove(); perhaps still queued
  bool remove_asked : 1 = false;      // by remove(); perhaps still queued
  bool remove_begun : 1 = false;      // the loop has taken it: forget the service once it has terminated
  bool name_freed : 1 = false;        // callers see it as removed
  bool forgotten : 1 = false;
  bool has_past : 1 = false;              // Supervisor::incarnations_ has an entry of its slot
  bool has_abandoned_runs : 1 = false;    // Supervisor::abandoned_runs_ has some of its slot
  bool killed : 1 = false;                // while stopping: its grace has passed once
  bool kill_failed : 1 = false;           // and it could not be killed
  bool has_pid : 1 = false;               // Supervisor::pids_ has the number of its latest run
  bool last_run_failed : 1 = false;       // the latest run that ended did so with an error
  bool ended_badly_in_drain : 1 = false;  // it was asked to stop, and ended with an error
  bool starts_specially : 1;      // perhaps: it is not ready at once or has a watchdog, or its next run is a probe
  bool awaits_ready : 1 = false;  // a run has begun and is to say that it is ready; phase `starting`
  // Steps for which there was no memory; Supervisor::pay() does them.
  bool next_step_is_due : 1 = false;  // its first start; of one that has terminated, that it is forgotten
  bool timer_is_due : 1 = false;
  bool clean_exit_is_due : 1 = false;
  bool ready_is_due : 1 = false;
  std::uint8_t due_end : 3 = 0;  // 1 + the outcome of an end

  const std::uint64_t hash;  // of its name
  RunNumber run;
  std::uint64_t events = 0;
  ServiceId id;
  TimePoint phase_since;
  TimePoint run_began;  // the latest run
  TimePoint added_at;
  Duration running_time{0};
  std::uint64_t failures = 0;
  Error last_error;
  const Name name;
  std::uint32_t before = kNoSlot;  // in the order of adding
  std::uint32_t after = kNoSlot;

  [[nodiscard]] Duration lasted(TimePoint now) const noexcept { return now - run_began; }
  // While it waits for one.
  [[nodiscard]] TimePoint deadline() const noexcept { return armed_for(); }
  // While stopping. A stop that has become more urgent since does not change it.
  [[nodiscard]] TimePoint stop_asked_at() const noexcept { return phase_since; }
  // Once it is abandoned: how long the supervisor waited for its end. The timer, which is idle from then on, keeps the
  // time at which that began.
  [[nodiscard]] Duration waited() const noexcept { return phase_since - armed_for(); }
  void wait_began_at(TimePoint at) noexcept { keep(at); }
  // It was to be armed for this time, and is not.
  void keep_deadline(TimePoint at) noexcept { keep(at); }
  // It has a run that was not asked to stop. (A run that reported its end counts until the loop takes it.)
  // A run that has not ended has a watch (Supervisor::watches_), and signs of life count.
  [[nodiscard]] bool is_watched() const noexcept { return phase == Phase::running && policy->in_force.watchdog; }
  [[nodiscard]] bool waits_for_end() const noexcept { return run_open && phase != Phase::stopping; }
};
static_assert(sizeof(ServiceRecord) <= 168, "a million of them is a lot of memory");

}  // namespace holdfast::detail
