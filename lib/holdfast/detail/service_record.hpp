// What the supervisor keeps of one service. As a timer it waits for the end of its backoff.
//
// There may be a million of them, and a restart cycle touches most of their fields: so what can be told from other
// fields is not kept, and what few services have stands elsewhere (supervisor.hpp). The tests count the bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <holdfast/backoff.hpp>
#include <holdfast/detail/fetch.hpp>
#include <holdfast/detail/name.hpp>
#include <holdfast/detail/shared_policy.hpp>
#include <holdfast/lifecycle.hpp>
#include <holdfast/random.hpp>
#include <holdfast/scheduler.hpp>
#include <holdfast/service.hpp>

namespace holdfast::detail {

inline constexpr std::uint32_t kNoSlot = ~std::uint32_t{0};

struct ServiceRecord final : Timer {
  ServiceRecord(Name&& its_name, RestartPolicy its_restart, Service& supervised, const SharedPolicy& its_policy,
                ServiceId its_id, std::uint32_t its_tenancy, TimePoint now)
      : restart(its_restart),
        service(supervised),
        policy(its_policy),
        hash(name_hash(its_name.text())),
        id(its_id),
        tenancy(its_tenancy),
        phase_since(now),
        added_at(now),
        name(std::move(its_name)) {}

  void fired() override;
  void comes_soon() const noexcept override;
  // Lets it come into the cache.
  void fetch() const noexcept { detail::fetch(this, sizeof *this); }

  // These fill the bytes that the timer leaves free.
  Phase phase = Phase::starting;
  const RestartPolicy restart;
  StopCause stop_cause = StopCause::stop;  // while stopping
  Termination::Reason reason{};            // once terminated
  bool run_alive : 1 = false;              // a run has begun and has not said that it ended, abandoned or not
  bool run_open : 1 = false;               // its time is not in running_time yet
  bool first_run_due : 1 = true;           // added, and not yet started
  bool final_stop_asked : 1 = false;       // by stop() or remove(); the loop may not have got to it yet
  bool remove_asked : 1 = false;           // by remove(); the loop may not have got to it yet
  bool remove_begun : 1 = false;           // the loop has got to it: forget the service once it has terminated
  bool name_freed : 1 = false;             // removed as far as a caller can tell
  bool forgotten : 1 = false;
  bool has_past = false;  // Supervisor::pasts_ has an entry of its slot

  Service& service;
  const SharedPolicy policy;
  const std::uint64_t hash;  // of its name
  RunNumber run;
  std::uint64_t events = 0;
  ServiceId id;
  Attempt attempt = 0;
  const std::uint32_t tenancy;  // counts the records of this slot; a restart in place is a new id, not a new tenancy
  TimePoint phase_since;
  TimePoint run_began;  // the latest run
  TimePoint added_at;
  Duration running_time{0};
  std::uint64_t failures = 0;
  FailureHistory history;
  Error last_error;
  const Name name;
  std::uint32_t before = kNoSlot;  // in the order of adding
  std::uint32_t after = kNoSlot;

  [[nodiscard]] Duration lasted(TimePoint now) const noexcept { return now - run_began; }
  // While it backs off.
  [[nodiscard]] TimePoint next_start() const noexcept { return armed_for(); }
};
static_assert(sizeof(ServiceRecord) <= 168, "a million of them is a lot of memory");

}  // namespace holdfast::detail
