// The coroutines in which runs happen. Each carries one run after another, of any service: spawning a coroutine costs
// several times as much as a run that sleeps once.
//
// An idle carrier waits in the scheduler's room. At most a few more may be idle than are busy. When none is busy all
// idle ones end, so that no work is left on the executor and the io_context runs out as it would without them. A run
// cannot see whether its carrier is new: every run begins one post after its start, with the cancellation state of a
// new coroutine.
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

// All carriers of one scheduler. The scheduler and the carriers own it together.
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
  // To be called when a run is over. False: its carrier is no longer needed.
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
