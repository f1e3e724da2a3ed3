// The coroutines in which runs happen. One carries a run, then the next one, of whichever service comes: spawning a
// coroutine costs several times what a run that sleeps once costs.
//
// A carrier that has nothing to carry waits in the scheduler's room. As many may be idle as are busy, and a few; when
// none is busy they all go, so that no work is left on the executor and an io_context runs out as it would without
// them. No run can tell whether its carrier is new: each begins one post after it was begun, with the cancellation
// state of a new coroutine.
//
// Thread-safety: none; all on the scheduler's executor.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <holdfast/asio/detail/awaitable_run.hpp>
#include <holdfast/asio/detail/waiting_room.hpp>

namespace holdfast::detail {

class RunCarrier;

// All of one scheduler. Owned together by the scheduler and each of them.
class RunCarriers : public std::enable_shared_from_this<RunCarriers> {
 public:
  explicit RunCarriers(std::shared_ptr<WaitingRoom> sleepers) noexcept : sleepers_(std::move(sleepers)) {}

  // Posts the beginning of a run.
  void begin(AwaitableService& service, Run run, std::unique_ptr<Body> body,
             const boost::asio::any_io_executor& executor);

  // Where runs sleep; closed when the scheduler is gone.
  [[nodiscard]] WaitingRoom& sleepers() const noexcept { return *sleepers_; }

 private:
  friend class RunCarrier;

  RunCarrier& idle_or_new(const boost::asio::any_io_executor& executor);
  // A run is over. False if its carrier is not needed any more.
  bool keep(RunCarrier& carrier);
  void one_less_busy() noexcept;
  [[nodiscard]] std::size_t idle_max() const noexcept;

  const std::shared_ptr<WaitingRoom> sleepers_;
  std::vector<RunCarrier*> idle_;
  std::size_t busy_ = 0;
};

// Owned by its coroutine's completion handler, which is the last to go.
class RunCarrier {
 public:
  RunCarrier(std::shared_ptr<RunCarriers> all, boost::asio::any_io_executor executor) noexcept
      : all_(std::move(all)), executor_(std::move(executor)) {}
  ~RunCarrier();
  RunCarrier(const RunCarrier&) = delete;
  RunCarrier& operator=(const RunCarrier&) = delete;

  [[nodiscard]] const boost::asio::any_io_executor& executor() const noexcept { return executor_; }
  [[nodiscard]] WaitingRoom& sleepers() const noexcept { return all_->sleepers(); }
  // Cancels what the run waits for.
  void interrupt() { interruption_.emit(boost::asio::cancellation_type::terminal); }

 private:
  friend class RunCarriers;

  boost::asio::awaitable<void> carry();
  auto next_run();

  const std::shared_ptr<RunCarriers> all_;
  const boost::asio::any_io_executor executor_;
  boost::asio::cancellation_signal interruption_;
  Waiting* waiting_ = nullptr;  // its coroutine, while there is no run
  std::optional<AwaitableRun> run_;
};

}  // namespace holdfast::detail
