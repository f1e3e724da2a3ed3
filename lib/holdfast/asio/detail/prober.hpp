// Asks again and again how a process is: one probe after another.
//
// Thread-safety: none; on the executor.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <holdfast/asio/detail/probe_attempt.hpp>
#include <holdfast/asio/detail/probe_places.hpp>
#include <holdfast/asio/probe.hpp>
#include <holdfast/time.hpp>

namespace holdfast::detail {

class Prober : public std::enable_shared_from_this<Prober> {
 public:
  // Each result, on the executor; it may stop the prober.
  using Said = std::function<void(const ProbeResult&)>;

  Prober(const boost::asio::any_io_executor& executor, Probe probe, Duration every, Duration timeout, Probed probed,
         Said said);

  // The first one begins after this time. From then on one begins in every `every`, or when the last one has ended, if
  // that took longer. Throws std::bad_alloc.
  void begin(Duration first);
  // Nothing is said any more, and what is under way is cancelled.
  void stop() noexcept;

 private:
  using Clock = std::chrono::steady_clock;

  void await();
  void on_due();
  void attempt(ProbePlaces::Place place);
  void on_result(const ProbeResult& result);
  void say(const ProbeResult& result);

  const boost::asio::any_io_executor executor_;
  const Probe probe_;
  const Duration every_;
  const Duration timeout_;
  const Probed probed_;
  Said said_;  // empty: stopped
  ProbePlaces& places_;
  boost::asio::steady_timer timer_;
  Clock::time_point due_;
  std::shared_ptr<ProbeAttempt> latest_;
  bool is_under_way_ = false;  // the latest has not said its result yet
  bool waits_for_place_ = false;
};

}  // namespace holdfast::detail
